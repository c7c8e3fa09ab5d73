//! What a client is told when the engine did not do what it asked.

use crate::model::{CimError, Status};

use super::super::core::QueueRefusal;
use super::super::engine::EngineError;

/// The CIM error for an error of the engine; the one mapping there is.
pub(super) fn cim(error: &EngineError) -> CimError {
    let status = match error {
        EngineError::Spec(_)
        | EngineError::Wrong(_)
        | EngineError::RequestId
        | EngineError::Queue(QueueRefusal::Name | QueueRefusal::MaxRunning) => {
            Status::InvalidParameter
        }
        EngineError::IdUsed(_)
        | EngineError::Exists(_)
        | EngineError::Queue(QueueRefusal::Exists(_)) => Status::AlreadyExists,
        EngineError::NotFound(_)
        | EngineError::Missing(_)
        | EngineError::Queue(QueueRefusal::Missing(_)) => Status::NotFound,
        EngineError::Queue(
            QueueRefusal::TooMany
            | QueueRefusal::Default
            | QueueRefusal::Busy(..)
            | QueueRefusal::Closed(..)
            | QueueRefusal::Full(..),
        )
        | EngineError::Denied(_)
        | EngineError::Full(_)
        | EngineError::Store(_)
        | EngineError::Log(_)
        | EngineError::Stopped => Status::Failed,
    };
    CimError::new(status, error.to_string())
}
