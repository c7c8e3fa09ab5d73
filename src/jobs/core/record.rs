//! A job as it is stored: what it is to do, where it is, and how its newest run fares.

use std::time::Duration;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::call::Call;
use super::depend::Dependency;
use super::id::{JobId, Submitter};
use super::instant;
use super::plan::Plan;
use super::rare::{Rare, is_default};
use super::recovery::{Failed, Recovery};
use super::schedule::Schedules;
use super::spec::JobSpec;
use super::state::JobState;

/// The two clocks, read once for each step of the engine.
///
/// Calendars live on the wall clock, which an administrator may set; time limits live on the boot
/// clock, which only goes forward and counts time in which the machine slept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Now {
    /// The wall clock.
    pub wall: DateTime<Utc>,
    /// Time since the machine booted.
    pub boot: Duration,
}

/// The whole durable state of one job.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct JobRecord {
    /// `InstanceID`.
    pub id: JobId,
    /// The order of submission, from 1, without gaps being promised.
    pub seq: u64,
    /// Counts the changes of this record, from 1.
    pub revision: u64,
    /// Who submitted the job.
    pub owner: Submitter,
    /// What the job is to do.
    pub spec: JobSpec,
    /// Where the job is.
    pub state: JobState,
    /// `TimeSubmitted`.
    #[serde(with = "instant")]
    pub submitted: DateTime<Utc>,
    /// `TimeOfLastStateChange`; `None` while the state never changed.
    #[serde(with = "instant::option", default, skip_serializing_if = "is_default")]
    pub state_changed: Option<DateTime<Utc>>,
    /// Since when the job waits for a slot, be it to start or to continue a stopped run.
    #[serde(with = "instant::option", default, skip_serializing_if = "is_default")]
    pub ready: Option<DateTime<Utc>>,
    /// The start was requested by hand, so that no schedule is waited for.
    #[serde(default, skip_serializing_if = "is_default")]
    pub started_by_hand: bool,
    /// Suspend was requested while the run was starting, and follows once it runs.
    #[serde(default, skip_serializing_if = "is_default")]
    pub suspend_when_running: bool,
    /// The dependencies that do not hold yet.
    #[serde(default, skip_serializing_if = "is_default")]
    pub awaited: Vec<Dependency>,
    /// `RunCount`: runs that consumed `JobRunTimes`.
    #[serde(default, skip_serializing_if = "is_default")]
    pub run_count: u32,
    /// The newest run, `None` before the first. Boxed like what follows: most jobs have neither.
    #[serde(default, skip_serializing_if = "is_default")]
    pub run: Option<Box<Run>>,
    /// Why and how the current run is being ended, while it is.
    #[serde(default, skip_serializing_if = "is_default")]
    pub ending: Option<Box<Ending>>,
    /// When the final state was reached.
    #[serde(with = "instant::option", default, skip_serializing_if = "is_default")]
    pub ended: Option<DateTime<Utc>>,
    /// Why the job, or its newest run, did not succeed.
    #[serde(default, skip_serializing_if = "is_default")]
    pub error: Option<JobError>,
    /// What is in store for it.
    #[serde(default, skip_serializing_if = "is_default")]
    pub plan: Plan,
    /// Its schedules beside its own `Run*` properties.
    #[serde(default, skip_serializing_if = "is_default")]
    pub schedules: Schedules,
    /// `DeleteOnKill` of the `KillJob` that ended it, which overrides `DeleteOnCompletion`.
    #[serde(default, skip_serializing_if = "is_default")]
    pub delete_on_kill: Option<bool>,
    /// What binds it to others when one of them fails.
    #[serde(default, skip_serializing_if = "Rare::is_usual")]
    pub recovery: Rare<Recovery>,
    /// The call of `SubmitJob` that made it; `None` when it was made in another way.
    #[serde(default, skip_serializing_if = "is_default")]
    pub call: Option<Call>,
}

/// One start of a job's process, from the decision to start it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Run {
    /// Counts the starts of the job from 1.
    pub number: u32,
    /// The processor time that it may use, as its queue had it when it started.
    #[serde(default, skip_serializing_if = "is_default")]
    pub cpu_limit: Option<Duration>,
    /// The failed run that this one is for.
    #[serde(default, skip_serializing_if = "is_default")]
    pub repairs: Option<Failed>,
    /// How far the run has come.
    pub phase: Phase,
    /// `StartTime`; `None` until the executor may let the program run.
    #[serde(with = "instant::option", default, skip_serializing_if = "is_default")]
    pub started: Option<DateTime<Utc>>,
    /// When the run was seen to have ended.
    #[serde(with = "instant::option", default, skip_serializing_if = "is_default")]
    pub ended: Option<DateTime<Utc>>,
    /// What the executor needs to find the run again after a restart; the core does not read it.
    #[serde(default, skip_serializing_if = "is_default")]
    pub identity: Option<String>,
    /// The process that leads the run, where there is one.
    #[serde(default, skip_serializing_if = "is_default")]
    pub process_id: Option<u32>,
    /// Running time up to `running_since`.
    pub elapsed: Duration,
    /// On the boot clock: since when the run is running, `None` while stopped or over.
    #[serde(default, skip_serializing_if = "is_default")]
    pub running_since: Option<Duration>,
    /// The highest percentage reported, 0 to 100.
    #[serde(default, skip_serializing_if = "is_default")]
    pub percent: u8,
    /// The newest text reported.
    #[serde(default, skip_serializing_if = "is_default")]
    pub text: Option<String>,
    /// How the run ended.
    #[serde(default, skip_serializing_if = "is_default")]
    pub exit: Option<Exit>,
    /// Processor time used, once known.
    #[serde(default, skip_serializing_if = "is_default")]
    pub cpu: Option<Duration>,
    /// Largest resident memory in bytes, once known.
    #[serde(default, skip_serializing_if = "is_default")]
    pub max_rss_bytes: Option<u64>,
    /// How much it wrote, once known.
    #[serde(default, skip_serializing_if = "is_default")]
    pub written: Option<Written>,
}

/// How many bytes a run wrote, those included that were dropped since.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Written {
    /// To standard output.
    pub stdout: u64,
    /// To standard error.
    pub stderr: u64,
}

impl JobRecord {
    /// A job as it is submitted at `now`, the `seq`-th of all.
    pub fn new(
        (id, seq): (JobId, u64),
        owner: Submitter,
        spec: JobSpec,
        now: DateTime<Utc>,
    ) -> Self {
        Self {
            id,
            seq,
            revision: 1,
            owner,
            state: if spec.hold() {
                JobState::Suspended
            } else {
                JobState::New
            },
            spec,
            submitted: now,
            state_changed: None,
            ready: None,
            started_by_hand: false,
            suspend_when_running: false,
            awaited: Vec::new(),
            run_count: 0,
            run: None,
            ending: None,
            ended: None,
            error: None,
            plan: Plan::default(),
            schedules: Schedules::default(),
            delete_on_kill: None,
            recovery: Rare::default(),
            call: None,
        }
    }

    /// Strikes what was measured on the boot clock, which means nothing after a reboot.
    pub fn forget_boot_clock(&mut self) {
        if let Some(run) = &mut self.run {
            run.running_since = None;
        }
        if let Some(ending) = &mut self.ending {
            ending.kill_at = None;
        }
    }

    /// The history row of the newest run, once it was let run.
    pub fn run_row(&self) -> Option<RunRow> {
        let run = self.run.as_ref()?;
        Some(RunRow {
            job: self.id.clone(),
            number: run.number,
            owner: self.owner.name.clone(),
            started: run.started?,
            ended: run.ended,
            elapsed: run.elapsed,
            exit: run.exit.clone(),
            error_code: run
                .ended
                .map(|_| self.error.as_ref().map_or(0, |error| error.code)),
            percent: run.percent,
            priority: self.spec.priority(),
            cpu: run.cpu,
            max_rss_bytes: run.max_rss_bytes,
            written: run.written,
        })
    }
}

impl Run {
    /// A run that the executor is to prepare.
    pub(super) fn preparing(number: u32, cpu_limit: Option<Duration>) -> Self {
        Self {
            number,
            cpu_limit,
            repairs: None,
            phase: Phase::Preparing,
            started: None,
            ended: None,
            identity: None,
            process_id: None,
            elapsed: Duration::ZERO,
            running_since: None,
            percent: 0,
            text: None,
            exit: None,
            cpu: None,
            max_rss_bytes: None,
            written: None,
        }
    }

    /// Stops the run's watch.
    pub(super) fn pause(&mut self, boot: Duration) {
        if let Some(since) = self.running_since.take() {
            self.elapsed += boot.saturating_sub(since);
        }
    }
}

/// How far a run has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Phase {
    /// The executor prepares it; the program certainly has not run.
    Preparing,
    /// The executor may have let the program run.
    Released,
    /// It has ended.
    Over,
}

/// How a run ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Exit {
    /// The program ended with this status.
    Code(u8),
    /// A signal ended the program.
    Signal(u8),
    /// The program could not be started, for this reason.
    NotStarted(String),
    /// Nobody knows: the machine or the supervisor was lost.
    Unknown(String),
}

/// Why a run is being ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ending {
    /// The final state that the job will have.
    pub goal: JobState,
    /// The error that the job will have.
    pub error: JobError,
    /// On the boot clock: when SIGKILL follows; `None` once it was sent.
    pub kill_at: Option<Duration>,
}

/// `ErrorCode` with `ErrorDescription`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct JobError {
    /// One of [`error_code`], an exit status (1 to 255), or 256 and the number of a signal.
    pub code: u16,
    /// What happened, for people.
    pub description: String,
}

/// Values of `ErrorCode` beyond exit statuses and signals.
pub mod error_code {
    /// Ended without an error.
    pub const NONE: u16 = 0;
    /// Added to the number of the signal that ended the run.
    pub const SIGNAL: u16 = 256;
    /// The run could not be started, or a dependency can no longer hold.
    pub const NOT_STARTED: u16 = 1001;
    /// `MaxElapsedTime` was exceeded.
    pub const TIMED_OUT: u16 = 1002;
    /// The outcome is not known.
    pub const UNKNOWN: u16 = 1003;
    /// `UntilTime` was reached.
    pub const EXPIRED: u16 = 1004;
    /// It waited longer than `MaxTimeOnQueue`.
    pub const WAITED: u16 = 1005;
    /// A client terminated it.
    pub const TERMINATED: u16 = 1006;
    /// A client killed it.
    pub const KILLED: u16 = 1007;
    /// It used more than a limit lets it.
    pub const LIMITED: u16 = 1008;
    /// It failed, and so did what was to recover from that.
    pub const NOT_RECOVERED: u16 = 1009;
    /// The run made room for the next one (`OverlapPolicy` 5).
    pub const REPLACED: u16 = 1010;
}

/// One row of a job's history, `JW_JobRun`: a start of its process.
#[derive(Debug, Clone, PartialEq)]
pub struct RunRow {
    /// The job.
    pub job: JobId,
    /// Counts the starts of the job from 1.
    pub number: u32,
    /// The name of the job's owner; the job itself may be gone.
    pub owner: String,
    /// When the program was let run.
    pub started: DateTime<Utc>,
    /// When it ended, `None` while it has not.
    pub ended: Option<DateTime<Utc>>,
    /// Running time, suspended time not counted; zero while it has not ended.
    pub elapsed: Duration,
    /// How it ended.
    pub exit: Option<Exit>,
    /// `ErrorCode` of this run, `None` while it has not ended.
    pub error_code: Option<u16>,
    /// The percentage reached.
    pub percent: u8,
    /// The priority it had.
    pub priority: u32,
    /// Processor time used, where known.
    pub cpu: Option<Duration>,
    /// Largest resident memory in bytes, where known.
    pub max_rss_bytes: Option<u64>,
    /// How much it wrote, where known.
    pub written: Option<Written>,
}
