//! What goes into the scheduler and what comes out of it, all of it data.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use thiserror::Error;

use super::call::Call;
use super::depend::Dependency;
use super::fields::Setting;
use super::id::{JobId, Submitter};
use super::queue::{QueueOrder, QueueRecord, QueueRefusal};
use super::record::{Exit, JobRecord, RunRow, Written};
use super::rules::SpecError;
use super::schedule::{SCHEDULE_LIMIT, ScheduleSpec};
use super::setting::{SettingOrder, SettingRecord, SettingRefusal, SettingValues};
use super::spec::JobSpec;

/// Stands for one request until its answer is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ticket(pub u64);

/// Something that happened.
#[derive(Debug, Clone)]
pub enum Event {
    /// A client submits a job.
    Submit {
        /// Whom to answer.
        ticket: Ticket,
        /// What is submitted.
        submission: Box<Submission>,
    },
    /// A client changes writable properties.
    Modify {
        /// Whom to answer.
        ticket: Ticket,
        /// The job.
        id: JobId,
        /// The properties with their new values.
        settings: Vec<Setting>,
    },
    /// A client requests a change of state.
    Change {
        /// Whom to answer.
        ticket: Ticket,
        /// The job.
        id: JobId,
        /// `RequestedState`.
        requested: u16,
        /// A `TimeoutPeriod` that is neither NULL nor zero.
        timeout: Option<Duration>,
    },
    /// A client calls `KillJob`.
    Kill {
        /// Whom to answer.
        ticket: Ticket,
        /// The job.
        id: JobId,
        /// `DeleteOnKill`.
        delete_on_kill: Option<bool>,
    },
    /// A client deletes a job.
    Delete {
        /// Whom to answer.
        ticket: Ticket,
        /// The job.
        id: JobId,
    },
    /// A client changes what belongs to a job beside its properties.
    Amend {
        /// Whom to answer.
        ticket: Ticket,
        /// The job.
        id: JobId,
        /// The change.
        amendment: Amendment,
    },
    /// A client wants something of a queue.
    Queue {
        /// Whom to answer.
        ticket: Ticket,
        /// The queue.
        name: String,
        /// What is wanted.
        order: QueueOrder,
    },
    /// A client wants something of settings.
    Setting {
        /// Whom to answer.
        ticket: Ticket,
        /// Their id.
        id: String,
        /// What is wanted.
        order: SettingOrder,
    },
    /// Something happened to a run.
    Run {
        /// The job.
        id: JobId,
        /// The number of the run.
        run: u32,
        /// What happened.
        news: RunNews,
    },
    /// Time has passed.
    Time,
}

/// A submission, with what the store knows about its ids.
#[derive(Debug, Clone)]
pub struct Submission {
    /// The id of the new job.
    pub id: JobId,
    /// What it is to do.
    pub spec: JobSpec,
    /// What the client itself said of what settings may say.
    pub given: SettingValues,
    /// Who submits it.
    pub by: Submitter,
    /// The client's `RequestID`.
    pub request_id: Option<String>,
    /// The call of `SubmitJob`, where it is one.
    pub call: Option<Call>,
    /// Set when the store knows the ids from before.
    pub prior: Option<Prior>,
}

/// A change of what belongs to a job beside its properties.
#[derive(Debug, Clone, PartialEq)]
pub enum Amendment {
    /// It has one more schedule; answered with [`Answer::Schedule`].
    AddSchedule(ScheduleSpec),
    /// It no longer has the schedule of this number.
    RemoveSchedule(u32),
    /// It waits for one more job.
    AddDependency(Dependency),
    /// It no longer waits for this job.
    RemoveDependency(JobId),
    /// This job runs when it fails with `RecoveryAction` 5.
    SetRecoveryJob(JobId),
    /// This one no longer does.
    RemoveRecoveryJob(JobId),
}

/// What the store knew about the ids of a submission.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Prior {
    /// The submitter used the `RequestID` before, for this job.
    Repeat(JobId),
    /// The client's `InstanceID` was used before.
    IdUsed,
}

/// What happened to a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RunNews {
    /// It is ready to be let run, and can be found again by this.
    Prepared(String),
    /// The program runs, under this process where there is one.
    Running(Option<u32>),
    /// It reported progress.
    Progress {
        /// Percent, where given.
        percent: Option<u8>,
        /// A text, where given.
        text: Option<String>,
    },
    /// A signal was delivered, or could not be.
    Signalled {
        /// The signal.
        signal: Signal,
        /// Whether it was delivered.
        delivered: bool,
    },
    /// It ended.
    Ended(RunEnd),
    /// After a restart: the program certainly did not run, so that it may be started again.
    NeverRan,
    /// After a restart: the run was found again.
    Adopted,
}

/// What an executor knows of the end of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunEnd {
    /// How it ended.
    pub exit: Exit,
    /// When, where it was seen; an end may be heard of long after it.
    pub at: Option<DateTime<Utc>>,
    /// Processor time, where known.
    pub cpu: Option<Duration>,
    /// Largest resident memory in bytes, where known.
    pub max_rss_bytes: Option<u64>,
    /// How much it wrote, where known.
    pub written: Option<Written>,
}

impl From<Exit> for RunEnd {
    /// An end of which nothing else is known.
    fn from(exit: Exit) -> Self {
        Self {
            exit,
            at: None,
            cpu: None,
            max_rss_bytes: None,
            written: None,
        }
    }
}

/// What can be done to a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Signal {
    /// Stop it, to be continued.
    Suspend,
    /// Continue it.
    Continue,
    /// Ask it to end.
    Terminate,
    /// End it and everything it started.
    Kill,
}

/// Something to be done. The driver makes every `Persist` of a step durable, and only then performs
/// the others, in their order.
#[derive(Debug, Clone)]
pub enum Action {
    /// Make this durable.
    Persist(Change),
    /// Let readers see this newer progress, which need not be durable yet.
    Show(Arc<JobRecord>),
    /// Prepare the newest run of this job without letting it run.
    Prepare(Arc<JobRecord>),
    /// Let a prepared run run.
    Release(JobId, u32),
    /// Drop a prepared run.
    Abandon(JobId, u32),
    /// Signal a run.
    Signal(JobId, u32, Signal),
    /// The end of a run is durable: whoever holds it may let go.
    Acknowledge(JobId, u32),
    /// Answer a request.
    Reply(Ticket, Answer),
}

/// A durable change.
#[derive(Debug, Clone)]
pub enum Change {
    /// A new job.
    Insert {
        /// The job.
        job: Arc<JobRecord>,
        /// The `RequestID` it was submitted with.
        request_id: Option<String>,
    },
    /// A job changed.
    Update {
        /// The last durable record.
        before: Arc<JobRecord>,
        /// The new one.
        after: Arc<JobRecord>,
    },
    /// A job is gone.
    Remove(Arc<JobRecord>),
    /// A row of history is new or changed.
    Run(RunRow),
    /// A queue is new or changed.
    Queue(Arc<QueueRecord>),
    /// A queue is gone.
    RemoveQueue(Arc<QueueRecord>),
    /// Settings are new or changed.
    Setting(Arc<SettingRecord>),
    /// Settings are gone.
    RemoveSetting(Arc<SettingRecord>),
}

/// The answer to a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// The job was accepted, or is the one that this `RequestID` was used for before.
    Submitted(JobId, Repeated),
    /// The return value of a method.
    Code(u32),
    /// The number of the new schedule.
    Schedule(u32),
    /// Done.
    Done,
    /// Not done.
    Refused(Refusal),
}

/// Whether a submission repeats an earlier one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Repeated {
    /// It does.
    Yes,
    /// It does not.
    No,
}

/// Why a request was not carried out.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Refusal {
    /// The properties are not a job.
    #[error(transparent)]
    Spec(#[from] SpecError),
    /// The client's id was used before.
    #[error("the InstanceID {0} was used before")]
    IdUsed(JobId),
    /// No such job.
    #[error("there is no job {0}")]
    NotFound(JobId),
    /// The job has not ended, so that it cannot be deleted.
    #[error("the job has not ended; terminate it first")]
    NotEnded,
    /// The job has ended, so that `DeleteOnCompletion` cannot be changed.
    #[error("the job has ended; delete it instead of changing DeleteOnCompletion")]
    Ended,
    /// The number of jobs is at its limit.
    #[error("there are {0} jobs, and no more are possible")]
    Full(usize),
    /// The job has ended, so that nothing about it can be changed any more.
    #[error("the job has ended")]
    Over,
    /// No such schedule.
    #[error("the job {0} has no schedule {1}")]
    NoSchedule(JobId, u32),
    /// A schedule for a job that begins once, at a given time.
    #[error("the job has a ScheduledStartTime; set that to NULL first")]
    OneShot,
    /// The number of schedules of the job is at its limit.
    #[error("the job has {SCHEDULE_LIMIT} schedules, and no more are possible")]
    Schedules,
    /// The first run of the job has begun, so that what it waits for cannot be changed any more.
    #[error("the job has begun; what it waits for can be changed before its first run")]
    Begun,
    /// The first job waits for the second already.
    #[error("the job {0} waits for {1} already")]
    DependencyExists(JobId, JobId),
    /// The first job does not wait for the second.
    #[error("the job {0} does not wait for {1}")]
    NoDependency(JobId, JobId),
    /// The jobs would wait for each other.
    #[error("the job {0} cannot wait for {1}, which waits for it")]
    Circle(JobId, JobId),
    /// Too many jobs wait for each other to say whether they would go round in a circle.
    #[error("more than {0} jobs wait for each other there")]
    Chain(usize),
    /// The first job has the second as its recovery job.
    #[error("the job {0} has the recovery job {1}, and there can be one")]
    RecoveryJobExists(JobId, JobId),
    /// The first job does not have the second as its recovery job.
    #[error("the job {0} does not have the recovery job {1}")]
    NoRecoveryJob(JobId, JobId),
    /// A recovery job has to be held.
    #[error(
        "the job {0} is not held (Suspended, without a run), so that it cannot be a recovery job"
    )]
    NotHeld(JobId),
    /// Without its last schedule the job would begin at once.
    #[error("the job would begin at once without its last schedule; suspend it first")]
    LastSchedule,
    /// A queue does not do it.
    #[error(transparent)]
    Queue(#[from] QueueRefusal),
    /// Settings are not as asked.
    #[error(transparent)]
    Setting(#[from] SettingRefusal),
}
