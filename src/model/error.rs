//! The one error that crosses layers: a status for the client and a text that says what it did.

use thiserror::Error;

use super::Status;

/// A result whose error can be sent to a client.
pub type Result<T, E = CimError> = std::result::Result<T, E>;

/// A CIM error: the status code and a description that a client may read.
///
/// The description says what the client did or met. Why the server failed goes to the log.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{}: {description}", status.symbol())]
pub struct CimError {
    /// The code that goes into `ERROR/@CODE`.
    pub status: Status,
    /// The text that goes into `ERROR/@DESCRIPTION`.
    pub description: String,
}

macro_rules! constructors {
    ($($name:ident $status:ident;)*) => {
        impl CimError { $(
            #[doc = concat!("An error of status [`Status::", stringify!($status), "`].")]
            pub fn $name(description: impl Into<String>) -> Self { Self::new(Status::$status, description) }
        )* }
    };
}

impl CimError {
    /// An error of `status` with a description for the client.
    pub fn new(status: Status, description: impl Into<String>) -> Self {
        Self {
            status,
            description: description.into(),
        }
    }
}

constructors! {
    failed Failed;
    access_denied AccessDenied;
    invalid_namespace InvalidNamespace;
    invalid_parameter InvalidParameter;
    invalid_class InvalidClass;
    not_found NotFound;
    not_supported NotSupported;
    already_exists AlreadyExists;
    no_such_property NoSuchProperty;
    method_not_found MethodNotFound;
    method_not_available MethodNotAvailable;
}
