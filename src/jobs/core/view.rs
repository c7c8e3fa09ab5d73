//! What a client sees of a job: values computed from its record at the moment of reading.

use std::borrow::Cow;
use std::time::Duration;

use chrono::{DateTime, SecondsFormat, Utc};

use super::queue::QueueRecord;
use super::record::{Exit, JobRecord, Now, Phase, error_code};
use super::spec::StartRule;
use super::state::JobState;

impl JobRecord {
    /// `ElapsedTime` of the newest run: frozen while suspended, `None` before the first.
    pub fn elapsed(&self, now: Now) -> Option<Duration> {
        let run = self.run.as_ref().filter(|run| run.started.is_some())?;
        let running = run
            .running_since
            .map(|since| now.boot.saturating_sub(since));
        Some(run.elapsed + running.unwrap_or_default())
    }

    /// `StartTime` of the newest run, `None` before the first.
    pub fn start_time(&self) -> Option<DateTime<Utc>> {
        self.run.as_ref().and_then(|run| run.started)
    }

    /// `PercentComplete`: 0 when New, below 100 until Completed, then 100.
    pub fn percent_complete(&self) -> u16 {
        let reached = self
            .run
            .as_ref()
            .map_or(0, |run| u16::from(run.percent.min(99)));
        match self.state {
            JobState::New => 0,
            JobState::Completed => 100,
            JobState::Starting
            | JobState::Running
            | JobState::Suspended
            | JobState::ShuttingDown
            | JobState::Terminated
            | JobState::Killed
            | JobState::Exception => reached,
        }
    }

    /// `JobStatus`: what the run reported last while it runs, else a word or the error.
    pub fn job_status(&self, now: Now) -> String {
        let reported = self.run.as_ref().and_then(|run| run.text.clone());
        let word = || self.state.label().to_owned();
        match self.state {
            JobState::New => self.waiting_status(now),
            JobState::Running => reported.unwrap_or_else(word),
            JobState::Exception => self
                .error
                .as_ref()
                .map_or_else(word, |error| error.description.clone()),
            JobState::Starting
            | JobState::Suspended
            | JobState::ShuttingDown
            | JobState::Completed
            | JobState::Terminated
            | JobState::Killed => word(),
        }
    }

    fn waiting_status(&self, now: Now) -> String {
        match (self.ready, self.start()) {
            (None, StartRule::At(time)) if time > now.wall && !self.started_by_hand => {
                format!("Scheduled for {}", show(time))
            }
            (None, _) if self.plan.retry_at.is_some() => self.retry_status(),
            (None, StartRule::Calendar) => match self.plan.next {
                Some(time) => format!("Scheduled for {}", show(time)),
                None => self.state.label().to_owned(),
            },
            (None | Some(_), _) => self.state.label().to_owned(),
        }
    }

    fn retry_status(&self) -> String {
        let at = self.plan.retry_at.map(show).unwrap_or_default();
        let (retry, of) = (self.plan.retries, self.spec.max_retries());
        format!("failed; run again at {at} ({retry} of {of})")
    }

    /// `WaitReason`: why the job is not running although it is not final; `None` otherwise.
    pub fn wait_reason(&self, now: Now, queue: Option<&QueueRecord>) -> Option<String> {
        let stopped = queue.filter(|queue| !queue.state.starts() && self.ready.is_some());
        if let Some(queue) = stopped {
            let (name, label) = (&queue.name, queue.state.label());
            return Some(format!("its queue {name} is {label} and starts no jobs"));
        }
        let reason = match (self.state, self.ready) {
            (JobState::New, Some(_)) => "waits for a free slot of its queue".to_owned(),
            (JobState::New, None) => self.what_new_waits_for(now),
            (JobState::Suspended, Some(_)) => "waits for a free slot to continue".to_owned(),
            (JobState::Suspended, None) if self.has_process() => "its run is suspended".to_owned(),
            (JobState::Suspended, None) => "it is held; RequestStateChange(Start)".to_owned(),
            (
                JobState::Starting
                | JobState::Running
                | JobState::ShuttingDown
                | JobState::Completed
                | JobState::Terminated
                | JobState::Killed
                | JobState::Exception,
                _,
            ) => return None,
        };
        Some(reason)
    }

    fn what_new_waits_for(&self, now: Now) -> String {
        if let Some(first) = self.awaited.first() {
            let (job, word) = (&first.job, first.condition.word());
            return match self.awaited.len() - 1 {
                0 => format!("waits for {job} ({word})"),
                more => format!("waits for {job} ({word}) and {more} more"),
            };
        }
        if self.plan.retry_at.is_some() {
            return self.retry_status();
        }
        match self.start() {
            StartRule::At(time) if time > now.wall => format!("scheduled for {}", show(time)),
            StartRule::At(_) | StartRule::Immediately => "is about to be queued".to_owned(),
            StartRule::Never => {
                "its ScheduledStartTime is infinite; use RequestStateChange(Start)".to_owned()
            }
            StartRule::Calendar => match self.plan.next {
                Some(time) => format!("scheduled for {}", show(time)),
                None => "its calendar has no further day; use RequestStateChange(Start)".to_owned(),
            },
        }
    }

    /// `NextRunTime`: when the next start is due, `None` when nothing is scheduled.
    pub fn next_run_time(&self) -> Option<DateTime<Utc>> {
        match (self.state, self.ready, self.start()) {
            (JobState::New, Some(since), _) => Some(since),
            (JobState::New, None, _) if self.plan.retry_at.is_some() => self.plan.retry_at,
            (JobState::New, None, StartRule::At(time)) => Some(time),
            (_, _, StartRule::Calendar) => self.plan.next,
            (
                JobState::New
                | JobState::Starting
                | JobState::Running
                | JobState::Suspended
                | JobState::ShuttingDown
                | JobState::Completed
                | JobState::Terminated
                | JobState::Killed
                | JobState::Exception,
                _,
                _,
            ) => None,
        }
    }

    /// `ErrorCode`: 0 at Completed, the error's code where there is one, else `None`.
    pub fn error_code(&self) -> Option<u16> {
        let code = self.error.as_ref().map(|error| error.code);
        code.or_else(|| (self.state == JobState::Completed).then_some(error_code::NONE))
    }

    /// `ErrorDescription`, where there is an error.
    pub fn error_description(&self) -> Option<Cow<'_, str>> {
        let error = self.error.as_ref()?.description.as_str();
        Some(match &self.recovery.trouble {
            Some(trouble) => format!("{error}; not recovered: {trouble}").into(),
            None => error.into(),
        })
    }

    /// `ExitStatus` of the newest run, where it exited.
    pub fn exit_status(&self) -> Option<u8> {
        match self.run.as_ref()?.exit.as_ref()? {
            Exit::Code(code) => Some(*code),
            Exit::Signal(_) | Exit::NotStarted(_) | Exit::Unknown(_) => None,
        }
    }

    /// `ExitSignal` of the newest run, where a signal ended it.
    pub fn exit_signal(&self) -> Option<u8> {
        match self.run.as_ref()?.exit.as_ref()? {
            Exit::Signal(signal) => Some(*signal),
            Exit::Code(_) | Exit::NotStarted(_) | Exit::Unknown(_) => None,
        }
    }

    /// `ProcessID`: the leader of the newest run while it lives.
    pub fn process_id(&self) -> Option<u32> {
        let run = self.run.as_ref().filter(|run| run.phase != Phase::Over)?;
        run.process_id
    }

    /// Whether a run exists that is prepared, running or stopped.
    pub fn has_process(&self) -> bool {
        self.run
            .as_ref()
            .is_some_and(|run| run.phase != Phase::Over)
    }
}

/// An instant for people: UTC, to the second.
pub(super) fn show(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::Secs, true)
}
