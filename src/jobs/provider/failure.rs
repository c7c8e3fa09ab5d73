//! What a client is told when the engine did not do what it asked.

use crate::model::{CimError, Status};

use super::super::engine::EngineError;

/// The CIM error for an error of the engine; the one mapping there is.
pub(super) fn cim(error: &EngineError) -> CimError {
    let status = match error {
        EngineError::Spec(_) | EngineError::RequestId | EngineError::MaxRunning => {
            Status::InvalidParameter
        }
        EngineError::IdUsed(_) => Status::AlreadyExists,
        EngineError::NotFound(_) | EngineError::Missing(_) => Status::NotFound,
        EngineError::Denied(_)
        | EngineError::Full(_)
        | EngineError::Store(_)
        | EngineError::Log(_)
        | EngineError::Stopped => Status::Failed,
    };
    CimError::new(status, error.to_string())
}
