//! Why a server does not start.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;

use thiserror::Error;

use crate::config::ConfigError;
use crate::jobs::OpenError;
use crate::provider::RegistryError;
use crate::store::StoreError;

/// Why a server does not start. Each says what an administrator can do about it.
#[derive(Debug, Error)]
pub enum StartError {
    /// The configuration has a value that cannot be used.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The state directory, or a file in it, cannot be used.
    #[error("cannot use {path}")]
    State {
        /// The folder or file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// Others may read or change what only the server may.
    #[error("{path} is open to other users (mode {mode:03o}); it must be for its owner alone")]
    Exposed {
        /// The folder or file.
        path: PathBuf,
        /// Its permissions.
        mode: u32,
    },
    /// A line of the account file cannot be read.
    #[error("line {line} of {path} is not NAME:ROLE:HASH")]
    Account {
        /// The file.
        path: PathBuf,
        /// Counted from 1.
        line: usize,
    },
    /// The certificate or its key cannot be used.
    #[error("{path} cannot be used for TLS: {reason}")]
    Certificate {
        /// The file.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// Everybody on the network could read.
    #[error("no_auth is for loopback alone, and listen names {0}")]
    Open(IpAddr),
    /// The address cannot be listened on.
    #[error("cannot listen on {address}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The MOF does not compile.
    #[error("the schema does not compile:\n{0}")]
    Schema(String),
    /// The store cannot be opened, or was lost.
    #[error("cannot use the store")]
    Store(#[from] StoreError),
    /// The job engine cannot be opened.
    #[error("cannot open the job engine")]
    Engine(#[from] OpenError),
    /// Two providers claim one class.
    #[error(transparent)]
    Registry(#[from] RegistryError),
    /// The machine does not give what is needed.
    #[error("cannot {0}")]
    System(&'static str, #[source] io::Error),
}
