//! The handle that providers hold: requests to the job engine, snapshots of the job table.
//!
//! Nothing is decided here; the driver's one task decides, and what it answers is on disk.

use std::sync::Arc;

use arc_swap::ArcSwap;
use thiserror::Error;
use tokio::sync::{broadcast, mpsc, oneshot};

use super::clock;
use super::core::{JobFields, JobId, JobRecord, Now, Setting, SpecError, Submitter};

/// Longest `RequestID`, in characters.
pub const REQUEST_ID_LIMIT: usize = 256;

/// A handle on the running engine; clones are the same engine.
#[derive(Debug, Clone)]
pub struct Engine {
    requests: mpsc::Sender<Request>,
    published: Arc<ArcSwap<Snapshot>>,
    changes: broadcast::Sender<Arc<Committed>>,
}

/// The job table at the last commit.
///
/// Taking one costs nanoseconds and it never changes; live numbers are computed from a record and
/// [`Engine::now`].
#[derive(Debug, Clone)]
pub struct Snapshot {
    /// Jobs by `InstanceID`.
    pub jobs: imbl::OrdMap<JobId, Arc<JobRecord>>,
    /// The queue's numbers.
    pub queue: QueueView,
}

/// The numbers of the one queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct QueueView {
    /// `MaxRunningJobs`.
    pub max_running: u32,
    /// Jobs that are due and wait for a slot.
    pub waiting: u32,
    /// Jobs that hold a slot.
    pub running: u32,
}

/// A committed change of one job: created without `before`, removed without `after`.
#[derive(Debug, Clone)]
pub struct Committed {
    /// Counts committed changes since the engine was opened, without gaps.
    pub sequence: u64,
    /// The job before.
    pub before: Option<Arc<JobRecord>>,
    /// The job after.
    pub after: Option<Arc<JobRecord>>,
}

/// The answer to a submission: durable when it is given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Submitted {
    /// The job.
    pub id: JobId,
    /// The same `RequestID` was used before, and `id` is the job of then.
    pub repeated: bool,
}

/// `TimeoutPeriod` of a request, already judged by shape.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Timeout {
    /// NULL or an interval of zero.
    None,
    /// An interval.
    After(std::time::Duration),
}

/// Why the engine did not do what was asked.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum EngineError {
    /// The properties are not a job. (CIM_ERR_INVALID_PARAMETER)
    #[error(transparent)]
    Spec(#[from] SpecError),
    /// The client's id was used before. (CIM_ERR_ALREADY_EXISTS)
    #[error("the InstanceID {0} was used before")]
    IdUsed(JobId),
    /// A `RequestID` is empty or too long. (CIM_ERR_INVALID_PARAMETER)
    #[error("RequestID must have 1 to {REQUEST_ID_LIMIT} characters")]
    RequestId,
    /// No such job. (CIM_ERR_NOT_FOUND)
    #[error("there is no job {0}")]
    NotFound(JobId),
    /// The state of the job does not allow it. (CIM_ERR_FAILED)
    #[error("{0}")]
    State(&'static str),
    /// The number of jobs is at its limit. (CIM_ERR_FAILED)
    #[error("the queue is full: it has {0} jobs")]
    Full(usize),
    /// The value is outside what the engine can do. (CIM_ERR_INVALID_PARAMETER)
    #[error("MaxRunningJobs must be at least 1")]
    MaxRunning,
    /// The store could not make it durable, and so it did not happen. (CIM_ERR_FAILED)
    #[error("the job store cannot be written: {0}")]
    Store(String),
    /// The executor could not do it. (CIM_ERR_FAILED)
    #[error("the log cannot be read: {0}")]
    Log(String),
    /// The engine is shutting down. (CIM_ERR_FAILED)
    #[error("the job engine has stopped")]
    Stopped,
}

/// What is asked of the driver, each with the place for its answer.
#[derive(Debug)]
pub(super) enum Request {
    Submit {
        fields: Box<JobFields>,
        by: Submitter,
        request_id: Option<String>,
        answer: oneshot::Sender<Result<Submitted, EngineError>>,
    },
    Modify {
        id: JobId,
        settings: Vec<Setting>,
        answer: oneshot::Sender<Result<(), EngineError>>,
    },
    Change {
        id: JobId,
        requested: u16,
        timeout: Timeout,
        answer: oneshot::Sender<Result<u32, EngineError>>,
    },
    Kill {
        id: JobId,
        delete_on_kill: Option<bool>,
        answer: oneshot::Sender<Result<u32, EngineError>>,
    },
    Delete {
        id: JobId,
        answer: oneshot::Sender<Result<(), EngineError>>,
    },
    MaxRunning {
        limit: u32,
        answer: oneshot::Sender<Result<(), EngineError>>,
    },
}

impl Engine {
    /// Submits a job: accepted and durable when this returns.
    ///
    /// A `request_id` that the same submitter used before returns the job of then.
    pub async fn submit(
        &self,
        fields: JobFields,
        by: Submitter,
        request_id: Option<String>,
    ) -> Result<Submitted, EngineError> {
        let fields = Box::new(fields);
        self.ask(|answer| Request::Submit {
            fields,
            by,
            request_id,
            answer,
        })
        .await
    }

    /// Changes writable properties; in one request all of them or none.
    pub async fn modify(&self, id: JobId, settings: Vec<Setting>) -> Result<(), EngineError> {
        self.ask(|answer| Request::Modify {
            id,
            settings,
            answer,
        })
        .await
    }

    /// `RequestStateChange`; returns its return value.
    pub async fn request_state_change(
        &self,
        id: JobId,
        requested: u16,
        timeout: Timeout,
    ) -> Result<u32, EngineError> {
        self.ask(|answer| Request::Change {
            id,
            requested,
            timeout,
            answer,
        })
        .await
    }

    /// `KillJob`; returns its return value, 0 only once the job is Killed.
    pub async fn kill(&self, id: JobId, delete_on_kill: Option<bool>) -> Result<u32, EngineError> {
        self.ask(|answer| Request::Kill {
            id,
            delete_on_kill,
            answer,
        })
        .await
    }

    /// Removes a job that has ended.
    pub async fn delete(&self, id: JobId) -> Result<(), EngineError> {
        self.ask(|answer| Request::Delete { id, answer }).await
    }

    /// Sets `MaxRunningJobs` of the queue; what runs goes on running.
    pub async fn set_max_running(&self, limit: u32) -> Result<(), EngineError> {
        self.ask(|answer| Request::MaxRunning { limit, answer })
            .await
    }

    /// The job table at the last commit.
    pub fn snapshot(&self) -> Arc<Snapshot> {
        self.published.load_full()
    }

    /// The clocks that a record's live numbers are computed with.
    pub fn now(&self) -> Now {
        clock::now()
    }

    /// Committed changes from now on; a slow reader is told how many it missed.
    pub fn changes(&self) -> broadcast::Receiver<Arc<Committed>> {
        self.changes.subscribe()
    }

    async fn ask<T>(
        &self,
        request: impl FnOnce(oneshot::Sender<Result<T, EngineError>>) -> Request,
    ) -> Result<T, EngineError> {
        let (answer, answered) = oneshot::channel();
        let sent = self.requests.send(request(answer)).await;
        sent.map_err(|_| EngineError::Stopped)?;
        answered.await.unwrap_or(Err(EngineError::Stopped))
    }
}
