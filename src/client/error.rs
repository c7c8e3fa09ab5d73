//! Why a request of ours had no answer, or not the one we asked for.

use thiserror::Error;

use crate::cimxml::{DecodeError, UnexpectedItem};
use crate::model::CimError;

/// A failed request.
#[derive(Debug, Error)]
pub enum ClientError {
    /// The URL is not one of an HTTP server.
    #[error("\"{0}\" is not of the form http://HOST:PORT or https://HOST:PORT")]
    Url(String),
    /// The server cannot be reached.
    #[error("failed to reach {authority}")]
    Unreachable {
        /// Host and port.
        authority: String,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// A file of trusted certificates cannot be used.
    #[error("failed to use the certificates in {file}: {reason}")]
    Trust {
        /// The file.
        file: std::path::PathBuf,
        /// Why.
        reason: String,
    },
    /// The server did not show that it is the one that was meant.
    #[error("failed to make a secure connection")]
    Handshake(#[source] std::io::Error),
    /// The connection broke.
    #[error("the connection to the server broke")]
    Connection(#[from] hyper::Error),
    /// The server did not answer in time.
    #[error("the server did not answer within {0} s")]
    Timeout(u64),
    /// The server does not know us.
    #[error("the server refused the user or the password")]
    Unauthorized,
    /// The server answered with an HTTP error.
    #[error("the server answered HTTP {status}{}", detail.as_deref().map(|d| format!(" ({d})")).unwrap_or_default())]
    Http {
        /// The status.
        status: u16,
        /// `CIMError`, if it was there.
        detail: Option<String>,
    },
    /// The answer is longer than we take.
    #[error("the answer is longer than {0} bytes")]
    TooLong(usize),
    /// The answer is not CIM-XML.
    #[error("the server's answer cannot be read")]
    Malformed(#[from] DecodeError),
    /// The answer is not one to what was asked.
    #[error("the server's answer does not fit the request")]
    Unexpected(#[from] UnexpectedItem),
    /// The server refused the request.
    #[error(transparent)]
    Cim(#[from] CimError),
}
