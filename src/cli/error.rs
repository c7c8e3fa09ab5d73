//! Errors of the command line: what is printed, and which exit status follows.

use std::error::Error;
use std::process::ExitCode;

use thiserror::Error;

use crate::client::ClientError;
use crate::config::ConfigError;
use crate::server::StartError;
use crate::server::auth::AccountError;

/// Why a command failed.
#[derive(Debug, Error)]
pub enum CliError {
    /// The arguments contradict each other or are malformed.
    #[error("{0}")]
    Usage(String),
    /// The configuration cannot be used.
    #[error("failed to read the configuration")]
    Config(#[from] ConfigError),
    /// The server cannot start.
    #[error("failed to start the server")]
    Start(#[from] StartError),
    /// MOF cannot be read.
    #[error("failed to read MOF")]
    Mof(#[source] StartError),
    /// A request to a server failed.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// The accounts were not changed.
    #[error(transparent)]
    Account(#[from] AccountError),
    /// A second signal came while things made at the server were taken back: these are still there.
    #[error("interrupted; the server may still have {0}")]
    Left(String),
    /// A file or a stream of ours failed.
    #[error("failed to {doing}")]
    Io {
        /// What was being done: "read /some/file".
        doing: String,
        /// Why it failed.
        #[source]
        source: std::io::Error,
    },
}

impl CliError {
    /// The message with its causes, in one line.
    pub fn shown(&self) -> String {
        if let Self::Client(ClientError::Cim(error)) = self {
            let (status, text) = (error.status, &error.description);
            return format!("CIMError: {} ({}): {text}", status.code(), status.symbol());
        }
        let mut line = format!("jobwright: {self}");
        let mut cause = self.source();
        while let Some(error) = cause {
            line.push_str(": ");
            line.push_str(&error.to_string());
            cause = error.source();
        }
        line
    }

    /// The exit status of the program.
    pub fn exit_code(&self) -> ExitCode {
        match self {
            Self::Usage(_) => ExitCode::from(2),
            // EX_CONFIG of sysexits: a service manager should not try again.
            Self::Config(_) | Self::Start(_) => ExitCode::from(78),
            Self::Client(_) | Self::Mof(_) | Self::Account(_) | Self::Left(_) | Self::Io { .. } => {
                ExitCode::FAILURE
            }
        }
    }
}
