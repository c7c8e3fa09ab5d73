//! The handle that providers hold: requests to the job engine, snapshots of the job table.
//!
//! Nothing is decided here; the driver's one task decides, and what it answers is on disk.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use thiserror::Error;
use tokio::sync::{broadcast, mpsc, oneshot};

use crate::store::{History, StoreError};

use super::clock;
use super::core::{
    Amendment, Answer, Call, JobFields, JobId, JobRecord, Now, QueueOrder, QueueRefusal, QueueView,
    Refusal, Repeated, RunRow, ScheduleSpec, Setting, SettingOrder, SettingRecord, SettingRefusal,
    SpecError, Submitter,
};
use super::links::Links;
use super::port::{LogChunk, Runs, Stream};

/// Longest `RequestID`, in characters.
pub const REQUEST_ID_LIMIT: usize = 256;

/// A handle on the running engine; clones are the same engine.
#[derive(Clone)]
pub struct Engine {
    pub(super) requests: mpsc::Sender<Request>,
    pub(super) published: Arc<ArcSwap<Snapshot>>,
    pub(super) changes: broadcast::Sender<Arc<Committed>>,
    pub(super) history: History,
    pub(super) executor: Arc<dyn Runs>,
    pub(super) host: Arc<str>,
    pub(super) zone: Tz,
    pub(super) finished_keep: Duration,
}

/// The job table at the last commit.
///
/// Taking one costs nanoseconds and it never changes; live numbers are computed from a record and
/// [`Engine::now`].
#[derive(Debug, Clone)]
pub struct Snapshot {
    /// Jobs by `InstanceID`.
    pub jobs: imbl::OrdMap<JobId, Arc<JobRecord>>,
    /// Which jobs name which.
    pub links: Links,
    /// The queues with their numbers, by name.
    pub queues: BTreeMap<String, QueueView>,
    /// The settings of jobs, by id.
    pub settings: imbl::OrdMap<String, Arc<SettingRecord>>,
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
    After(Duration),
}

/// Why the engine did not do what was asked.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum EngineError {
    /// The properties are not a job. (`CIM_ERR_INVALID_PARAMETER`)
    #[error(transparent)]
    Spec(#[from] SpecError),
    /// The client's id was used before. (`CIM_ERR_ALREADY_EXISTS`)
    #[error("the InstanceID {0} was used before")]
    IdUsed(JobId),
    /// A `RequestID` is empty or too long. (`CIM_ERR_INVALID_PARAMETER`)
    #[error("RequestID must have 1 to {REQUEST_ID_LIMIT} characters")]
    RequestId,
    /// No such job. (`CIM_ERR_NOT_FOUND`)
    #[error("there is no job {0}")]
    NotFound(JobId),
    /// Something that belongs to a job is not there. (`CIM_ERR_NOT_FOUND`)
    #[error("{0}")]
    Missing(String),
    /// It is there already. (`CIM_ERR_ALREADY_EXISTS`)
    #[error("{0}")]
    Exists(String),
    /// What was given cannot be. (`CIM_ERR_INVALID_PARAMETER`)
    #[error("{0}")]
    Wrong(String),
    /// The state of the job does not allow it. (`CIM_ERR_FAILED`)
    #[error("{0}")]
    Denied(String),
    /// The number of jobs is at its limit. (`CIM_ERR_FAILED`)
    #[error("there are {0} jobs, and no more are possible")]
    Full(usize),
    /// A queue does not do it.
    #[error(transparent)]
    Queue(#[from] QueueRefusal),
    /// The store could not make it durable, and so it did not happen. (`CIM_ERR_FAILED`)
    #[error("the job store cannot be written: {0}")]
    Store(String),
    /// The executor could not do it. (`CIM_ERR_FAILED`)
    #[error("the log cannot be read: {0}")]
    Log(String),
    /// The engine is shutting down. (`CIM_ERR_FAILED`)
    #[error("the job engine has stopped")]
    Stopped,
}

impl From<Refusal> for EngineError {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Spec(error) => Self::Spec(error),
            Refusal::IdUsed(id) => Self::IdUsed(id),
            Refusal::NotFound(id) => Self::NotFound(id),
            Refusal::DependencyExists(..) | Refusal::RecoveryJobExists(..) => {
                Self::Exists(refusal.to_string())
            }
            Refusal::Circle(..) => Self::Wrong(refusal.to_string()),
            Refusal::Full(limit) => Self::Full(limit),
            Refusal::NoSchedule(..) | Refusal::NoDependency(..) | Refusal::NoRecoveryJob(..) => {
                Self::Missing(refusal.to_string())
            }
            Refusal::Setting(SettingRefusal::Missing(_)) => Self::Missing(refusal.to_string()),
            Refusal::Setting(SettingRefusal::Exists(_)) => Self::Exists(refusal.to_string()),
            Refusal::NotEnded
            | Refusal::Ended
            | Refusal::Over
            | Refusal::OneShot
            | Refusal::Schedules
            | Refusal::Begun
            | Refusal::Chain(_)
            | Refusal::NotHeld(_)
            | Refusal::Setting(_)
            | Refusal::LastSchedule => Self::Denied(refusal.to_string()),
            Refusal::Queue(refusal) => Self::Queue(refusal),
        }
    }
}

/// A request to the driver with the place for its answer.
#[derive(Debug)]
pub(super) struct Request {
    pub(super) ask: Ask,
    pub(super) answer: oneshot::Sender<Result<Answer, EngineError>>,
}

/// What is asked of the driver.
#[derive(Debug)]
pub(super) enum Ask {
    Submit {
        fields: Box<JobFields>,
        by: Submitter,
        request_id: Option<String>,
        call: Option<Call>,
    },
    Modify {
        id: JobId,
        settings: Vec<Setting>,
    },
    Change {
        id: JobId,
        requested: u16,
        timeout: Timeout,
    },
    Kill {
        id: JobId,
        delete_on_kill: Option<bool>,
    },
    Delete {
        id: JobId,
    },
    Amend {
        id: JobId,
        amendment: Amendment,
    },
    Queue {
        name: String,
        order: QueueOrder,
    },
    Setting {
        id: String,
        order: SettingOrder,
    },
    Close,
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
        self.enter(fields, by, (request_id, None)).await
    }

    /// The same for the job that a call of `SubmitJob` describes; the job keeps the call.
    pub async fn submit_called(
        &self,
        fields: JobFields,
        by: Submitter,
        call: Call,
    ) -> Result<Submitted, EngineError> {
        let request_id = call.request_id().map(str::to_owned);
        self.enter(fields, by, (request_id, Some(call))).await
    }

    async fn enter(
        &self,
        fields: JobFields,
        by: Submitter,
        (request_id, call): (Option<String>, Option<Call>),
    ) -> Result<Submitted, EngineError> {
        let fields = Box::new(fields);
        match self
            .ask(Ask::Submit {
                fields,
                by,
                request_id,
                call,
            })
            .await?
        {
            Answer::Submitted(id, repeated) => Ok(Submitted {
                id,
                repeated: repeated == Repeated::Yes,
            }),
            Answer::Refused(refusal) => Err(refusal.into()),
            Answer::Code(_) | Answer::Schedule(_) | Answer::Done => {
                unreachable!("a submission is answered with its id")
            }
        }
    }

    /// Changes writable properties; in one request all of them or none.
    pub async fn modify(&self, id: JobId, settings: Vec<Setting>) -> Result<(), EngineError> {
        self.order(Ask::Modify { id, settings }).await
    }

    /// `RequestStateChange`; returns its return value.
    pub async fn request_state_change(
        &self,
        id: JobId,
        requested: u16,
        timeout: Timeout,
    ) -> Result<u32, EngineError> {
        self.call(Ask::Change {
            id,
            requested,
            timeout,
        })
        .await
    }

    /// `KillJob`; returns its return value, 0 only once the job is Killed.
    pub async fn kill(&self, id: JobId, delete_on_kill: Option<bool>) -> Result<u32, EngineError> {
        self.call(Ask::Kill { id, delete_on_kill }).await
    }

    /// Removes a job that has ended.
    pub async fn delete(&self, id: JobId) -> Result<(), EngineError> {
        self.order(Ask::Delete { id }).await
    }

    /// Adds a schedule to a job and returns the number that it has there.
    pub async fn add_schedule(
        &self,
        id: JobId,
        schedule: ScheduleSpec,
    ) -> Result<u32, EngineError> {
        let amendment = Amendment::AddSchedule(schedule);
        match self.ask(Ask::Amend { id, amendment }).await? {
            Answer::Schedule(number) => Ok(number),
            Answer::Refused(refusal) => Err(refusal.into()),
            Answer::Submitted(..) | Answer::Code(_) | Answer::Done => {
                unreachable!("a schedule is answered with its number")
            }
        }
    }

    /// Changes whom a job waits for, before its first run.
    pub async fn amend(&self, id: JobId, amendment: Amendment) -> Result<(), EngineError> {
        self.order(Ask::Amend { id, amendment }).await
    }

    /// Takes the schedule of this number from a job.
    pub async fn remove_schedule(&self, id: JobId, number: u32) -> Result<(), EngineError> {
        let amendment = Amendment::RemoveSchedule(number);
        self.order(Ask::Amend { id, amendment }).await
    }

    /// Carries out what a client wants of a queue; the return value of `RequestStateChange`, and 0
    /// for everything else. What runs goes on running.
    pub async fn order_queue(&self, name: &str, order: QueueOrder) -> Result<u32, EngineError> {
        let name = name.to_owned();
        match self.ask(Ask::Queue { name, order }).await? {
            Answer::Code(code) => Ok(code),
            Answer::Done => Ok(0),
            Answer::Refused(refusal) => Err(refusal.into()),
            Answer::Submitted(..) | Answer::Schedule(_) => {
                unreachable!("an order is done or answered with a code")
            }
        }
    }

    /// Carries out what a client wants of settings.
    pub async fn order_setting(&self, id: &str, order: SettingOrder) -> Result<(), EngineError> {
        let id = id.to_owned();
        self.order(Ask::Setting { id, order }).await
    }

    /// The job table at the last commit.
    pub fn snapshot(&self) -> Arc<Snapshot> {
        self.published.load_full()
    }

    /// The clocks that a record's live numbers are computed with.
    pub fn now(&self) -> Now {
        clock::now()
    }

    /// The host name of the first start, which never changes afterwards.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// How long finished jobs stay that nobody deletes.
    pub fn finished_keep(&self) -> Duration {
        self.finished_keep
    }

    /// Up to `count` times at which `job` will begin by itself, as far as can be said now.
    pub fn next_runs(&self, job: &JobRecord, count: usize) -> Vec<DateTime<Utc>> {
        job.next_runs(count, self.zone, self.now())
    }

    /// Committed changes from now on; a slow reader is told how many it missed.
    pub fn changes(&self) -> broadcast::Receiver<Arc<Committed>> {
        self.changes.subscribe()
    }

    /// The runs of a job, oldest first.
    pub async fn runs(&self, id: JobId) -> Result<Vec<RunRow>, EngineError> {
        self.look_up(move |history| history.runs(&id)).await
    }

    /// One run, of a job that may be gone.
    pub async fn run(&self, id: JobId, number: u32) -> Result<Option<RunRow>, EngineError> {
        self.look_up(move |history| history.run(&id, number)).await
    }

    /// The runs of all jobs that follow `last`, at most `limit`.
    pub async fn page_of_runs(
        &self,
        last: Option<(JobId, u32)>,
        limit: u32,
    ) -> Result<Vec<RunRow>, EngineError> {
        self.look_up(move |history| history.page(last.as_ref(), limit))
            .await
    }

    async fn look_up<T: Send + 'static>(
        &self,
        read: impl FnOnce(&History) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, EngineError> {
        let history = self.history.clone();
        let read = tokio::task::spawn_blocking(move || read(&history)).await;
        let found = read.map_err(|_| EngineError::Stopped)?;
        found.map_err(|error| EngineError::store(&error))
    }

    /// Up to `max` bytes of the output of a run, from `offset` on.
    pub async fn read_log_of(
        &self,
        run: &RunRow,
        stream: Stream,
        offset: u64,
        max: usize,
    ) -> Result<LogChunk, EngineError> {
        let which = (&run.job, run.number);
        let chunk = self.executor.read_log(which, stream, offset, max).await;
        let mut chunk = chunk.map_err(|error| EngineError::Log(error.to_string()))?;
        chunk.end &= run.ended.is_some();
        Ok(chunk)
    }

    /// Up to `max` bytes of the output of a job's newest run, from `offset` on.
    pub async fn read_log(
        &self,
        id: &JobId,
        stream: Stream,
        offset: u64,
        max: usize,
    ) -> Result<LogChunk, EngineError> {
        let job = self.snapshot().jobs.get(id).cloned();
        let job = job.ok_or_else(|| EngineError::NotFound(id.clone()))?;
        let number = job.run.as_ref().map_or(0, |run| run.number);
        let which = (&job.id, number);
        let chunk = self.executor.read_log(which, stream, offset, max).await;
        let mut chunk = chunk.map_err(|error| EngineError::Log(error.to_string()))?;
        chunk.end &= !job.has_process() && job.state.is_final();
        Ok(chunk)
    }

    async fn call(&self, ask: Ask) -> Result<u32, EngineError> {
        match self.ask(ask).await? {
            Answer::Code(code) => Ok(code),
            Answer::Refused(refusal) => Err(refusal.into()),
            Answer::Submitted(..) | Answer::Schedule(_) | Answer::Done => {
                unreachable!("a method returns a code")
            }
        }
    }

    async fn order(&self, ask: Ask) -> Result<(), EngineError> {
        match self.ask(ask).await? {
            Answer::Done => Ok(()),
            Answer::Refused(refusal) => Err(refusal.into()),
            Answer::Submitted(..) | Answer::Code(_) | Answer::Schedule(_) => {
                unreachable!("an order is only done")
            }
        }
    }

    pub(super) async fn ask(&self, ask: Ask) -> Result<Answer, EngineError> {
        let (answer, answered) = oneshot::channel();
        let sent = self.requests.send(Request { ask, answer }).await;
        sent.map_err(|_| EngineError::Stopped)?;
        answered.await.unwrap_or(Err(EngineError::Stopped))
    }
}

impl EngineError {
    /// The store's error with its cause, for a client that can only try again later.
    pub(super) fn store(error: &StoreError) -> Self {
        tracing::error!(
            error = error as &dyn std::error::Error,
            "the job store failed"
        );
        Self::Store(error.to_string())
    }
}
