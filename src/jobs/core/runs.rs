//! Runs: giving out slots, what executors report, and what time does to jobs.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};

use super::event::{Action, Change, RunEnd, RunNews, Signal};
use super::id::JobId;
use super::index::start_timer;
use super::record::{Ending, Exit, JobError, JobRecord, Now, Phase, Run, error_code};
use super::scheduler::Scheduler;
use super::spec::StartRule;
use super::state::{JobState, code};
use super::text::printable;
use super::waiting::Awaits;

/// Progress of one job becomes durable at most this often.
const REPORT_INTERVAL: Duration = Duration::from_secs(1);

impl Scheduler {
    pub(super) fn start_run(&mut self, id: &JobId, now: Now) {
        let job = self.jobs.get(id);
        let queue = job.and_then(|job| self.queues.get(job.spec.queue()));
        let cpu_limit = queue.and_then(|queue| queue.cpu_limit());
        self.update(id, now, |job| {
            let number = job.run.as_ref().map_or(0, |run| run.number) + 1;
            job.state = JobState::Starting;
            job.ready = None;
            job.error = None;
            let mut run = Run::preparing(number, cpu_limit);
            if !job.recovery.open.is_empty() {
                run.repairs = Some(job.recovery.open.remove(0));
            }
            job.run = Some(Box::new(run));
        });
        if let Some(job) = self.jobs.get(id) {
            self.actions.push(Action::Prepare(Arc::clone(job)));
        }
    }

    pub(super) fn continue_run(&mut self, id: &JobId, now: Now) {
        self.update(id, now, |job| {
            job.state = JobState::Starting;
            job.ready = None;
            if let Some(run) = &mut job.run {
                run.running_since = Some(now.boot);
            }
        });
        self.signal(id, Signal::Continue);
    }

    pub(super) fn signal(&mut self, id: &JobId, signal: Signal) {
        if let Some(run) = self.jobs.get(id).and_then(|job| job.run.as_ref()) {
            self.actions
                .push(Action::Signal(id.clone(), run.number, signal));
        }
    }

    /// The ending of a run begins, or changes its goal.
    pub(super) fn begin_ending(
        &mut self,
        id: &JobId,
        (goal, error, kill_at): (JobState, JobError, Option<Duration>),
        now: Now,
    ) {
        self.update(id, now, |job| {
            if let Some(run) = job.run.as_mut().filter(|run| run.phase == Phase::Released) {
                run.running_since.get_or_insert(now.boot);
            }
            job.state = JobState::ShuttingDown;
            job.ready = None;
            job.suspend_when_running = false;
            job.ending = Some(Box::new(Ending {
                goal,
                error,
                kill_at,
            }));
        });
    }

    /// Handles what an executor reports; news of any run but the living newest one is old.
    pub(super) fn run_news(&mut self, id: &JobId, number: u32, news: RunNews, now: Now) {
        let Some(job) = self.jobs.get(id).cloned() else {
            return;
        };
        let alive = |run: &&Run| run.number == number && run.phase != Phase::Over;
        let Some(run) = job.run.as_deref().filter(alive) else {
            return self.old_news(id, number, &news);
        };
        match news {
            RunNews::Prepared(identity) => self.prepared(&job, run, identity, now),
            RunNews::Running(process) => self.is_running(&job, process, now),
            RunNews::Progress { percent, text } => {
                self.progress(&job, percent, text.as_deref(), now);
            }
            RunNews::Signalled { signal, delivered } => {
                self.signalled(&job, signal, delivered, now);
            }
            RunNews::Ended(end) => self.ended(&job, end, now),
            RunNews::NeverRan => self.never_ran(&job, now),
            RunNews::Adopted => self.adopted(&job),
        }
    }

    /// An end that is durable already is acknowledged again; a late preparation is dropped.
    fn old_news(&mut self, id: &JobId, number: u32, news: &RunNews) {
        match news {
            RunNews::Ended(_) => {
                self.actions.push(Action::Acknowledge(id.clone(), number));
            }
            RunNews::Prepared(_) => self.actions.push(Action::Abandon(id.clone(), number)),
            RunNews::Running(_)
            | RunNews::Progress { .. }
            | RunNews::Signalled { .. }
            | RunNews::NeverRan
            | RunNews::Adopted => {}
        }
    }

    fn prepared(&mut self, job: &JobRecord, run: &Run, identity: String, now: Now) {
        if run.phase != Phase::Preparing {
            return;
        }
        if let Some(ending) = job.ending.clone() {
            self.actions
                .push(Action::Abandon(job.id.clone(), run.number));
            return self.update(&job.id, now, |job| close_unreleased(job, *ending));
        }
        self.update(&job.id, now, |job| {
            // #21: each started run counts.
            job.run_count += u32::from(job.counts());
            if let Some(run) = &mut job.run {
                run.phase = Phase::Released;
                run.identity = Some(identity);
                run.started = Some(now.wall);
                run.running_since = Some(now.boot);
            }
        });
        self.persist_run(&job.id);
        self.actions
            .push(Action::Release(job.id.clone(), run.number));
    }

    fn is_running(&mut self, job: &JobRecord, process: Option<u32>, now: Now) {
        let known = job.run.as_ref().and_then(|run| run.process_id);
        if job.state != JobState::Starting && known == process {
            return;
        }
        self.update(&job.id, now, |job| {
            if let Some(run) = &mut job.run {
                run.process_id = process.or(run.process_id);
            }
            if job.state == JobState::Starting && !job.suspend_when_running {
                job.state = JobState::Running;
            }
        });
        if job.suspend_when_running {
            self.stop_run(&job.id, now);
        }
    }

    fn progress(&mut self, job: &JobRecord, percent: Option<u8>, text: Option<&str>, now: Now) {
        let mut newer = JobRecord::clone(job);
        let Some(run) = &mut newer.run else { return };
        run.percent = run.percent.max(percent.unwrap_or(0).min(100));
        run.text = text.map(printable).or(run.text.take());
        if newer == *job {
            return;
        }
        let newer = Arc::new(newer);
        let durable = self.replace(&job.id, Some(&newer));
        if self.reports.hold(&job.id, durable, now.boot) {
            self.flush_report(&job.id, now);
        } else {
            self.actions.push(Action::Show(newer));
        }
    }

    fn flush_report(&mut self, id: &JobId, now: Now) {
        self.update(id, now, |_| {});
        self.reports.hold_until(id, now.boot + REPORT_INTERVAL);
    }

    /// Makes progress durable that was held back long enough.
    pub(super) fn flush_reports(&mut self, now: Now) {
        for id in self.reports.ripe(now.boot) {
            self.flush_report(&id, now);
        }
    }

    fn signalled(&mut self, job: &JobRecord, signal: Signal, delivered: bool, now: Now) {
        match (signal, delivered, job.state) {
            (Signal::Suspend, true, _) => {
                self.answer_waiters(&job.id, Awaits::Suspension, code::DONE);
            }
            (Signal::Suspend, false, JobState::Suspended) => {
                self.answer_waiters(&job.id, Awaits::Suspension, code::FAILED);
                self.update(&job.id, now, |job| {
                    job.state = JobState::Running;
                    job.ready = None;
                    if let Some(run) = &mut job.run {
                        run.running_since = Some(now.boot);
                    }
                });
            }
            (Signal::Continue, true, JobState::Starting) => self.is_running(job, None, now),
            (Signal::Continue, false, JobState::Starting) => self.update(&job.id, now, |job| {
                job.state = JobState::Suspended;
                job.suspend_when_running = false;
                if let Some(run) = &mut job.run {
                    run.pause(now.boot);
                }
            }),
            // A run that cannot be signalled has ended, and its end is under way to us.
            (Signal::Suspend | Signal::Continue | Signal::Terminate | Signal::Kill, _, _) => {}
        }
    }

    fn ended(&mut self, job: &JobRecord, end: RunEnd, now: Now) {
        let number = job.run.as_ref().map_or(0, |run| run.number);
        let limit = job.run.as_ref().and_then(|run| run.cpu_limit);
        let row_error = failure(&end, limit);
        let repairs = job.repairs().cloned();
        self.update(&job.id, now, |job| {
            close_run(job, end, now);
            (job.ready, job.started_by_hand) = (None, false);
            job.suspend_when_running = false;
            after_run(job, row_error, now);
        });
        self.reports.forget(&job.id);
        self.persist_run(&job.id);
        self.actions
            .push(Action::Acknowledge(job.id.clone(), number));
        if let Some(failed) = repairs {
            return self.after_run_for(&failed, &job.id, now);
        }
        let failed = |job: &Arc<JobRecord>| job.state == JobState::Exception;
        if self.jobs.get(&job.id).is_some_and(failed) {
            self.recover(&job.id, now);
        }
    }

    fn persist_run(&mut self, id: &JobId) {
        let row = self.jobs.get(id).and_then(|job| job.run_row());
        self.actions
            .extend(row.map(|row| Action::Persist(Change::Run(row))));
    }

    /// After a restart: the program never ran, so that the job may be queued again.
    fn never_ran(&mut self, job: &JobRecord, now: Now) {
        let counted = job
            .run
            .as_ref()
            .is_some_and(|run| run.phase == Phase::Released);
        self.update(&job.id, now, |job| {
            job.run_count -= u32::from(counted && job.counts());
            if let Some(failed) = job.run.as_mut().and_then(|run| run.repairs.take()) {
                job.recovery.open.insert(0, failed);
            }
            let exit = Exit::NotStarted("the server stopped before the program ran".to_owned());
            let end = RunEnd::from(exit);
            job.error = counted.then(|| failure(&end, None)).flatten();
            close_run(job, end, now);
            let ending = job.ending.take();
            let held = job.suspend_when_running || job.state == JobState::Suspended;
            job.suspend_when_running = false;
            match ending {
                Some(ending) => {
                    job.state = ending.goal;
                    job.error = Some(ending.error);
                }
                None if held => job.state = JobState::Suspended,
                None => {
                    job.state = JobState::New;
                    job.ready = Some(now.wall);
                }
            }
        });
        self.persist_run(&job.id);
    }

    /// After a restart: what was decided before it is carried out again; each is idempotent.
    fn adopted(&mut self, job: &JobRecord) {
        match job.state {
            JobState::Starting => self.signal(&job.id, Signal::Continue),
            JobState::Suspended => self.signal(&job.id, Signal::Suspend),
            JobState::ShuttingDown => {
                let killing = job
                    .ending
                    .as_ref()
                    .is_none_or(|ending| ending.kill_at.is_none());
                if killing {
                    self.signal(&job.id, Signal::Kill);
                } else {
                    self.signal(&job.id, Signal::Terminate);
                    self.signal(&job.id, Signal::Continue);
                }
            }
            JobState::New
            | JobState::Running
            | JobState::Completed
            | JobState::Terminated
            | JobState::Killed
            | JobState::Exception => {}
        }
    }

    /// The wall clock reached something of this job: its removal, its expiry or its start.
    pub(super) fn wall_due(&mut self, id: &JobId, now: Now) {
        let Some(job) = self.jobs.get(id).cloned() else {
            return;
        };
        if job.state.is_final() {
            return self.remove(id);
        }
        if job.ending.is_none() && job.spec.until().is_some_and(|until| until <= now.wall) {
            return self.expire(&job, now);
        }
        let come = |time: Option<DateTime<Utc>>| time.is_some_and(|time| time <= now.wall);
        if come(start_timer(&job)) {
            self.update(id, now, |job| job.ready = Some(now.wall));
        }
        if come(job.plan.retry_at) {
            self.update(id, now, |job| job.ready = Some(now.wall));
        }
        if come(job.plan.next) {
            self.calendar_due(id, now);
        }
    }

    /// #15, #16: `UntilTime` has come.
    fn expire(&mut self, job: &JobRecord, now: Now) {
        let error = |description: &str| JobError {
            code: error_code::EXPIRED,
            description: description.to_owned(),
        };
        if job.has_process() {
            let error = error("terminated because UntilTime was reached");
            self.end_run(
                &job.id,
                (JobState::Terminated, error),
                job.spec.grace(),
                now,
            );
        } else {
            self.end_without_run(&job.id, JobState::Terminated, error("expired"), now);
        }
    }

    /// The boot clock reached something of this job: the end of its grace, or its time-out.
    pub(super) fn boot_due(&mut self, id: &JobId, now: Now) {
        let Some(job) = self.jobs.get(id).cloned() else {
            return;
        };
        if job.ending.is_some() {
            return self.kill_run(id, None, now);
        }
        let limit = job.spec.max_elapsed().unwrap_or_default();
        let description = format!("ended because it ran longer than {} s", limit.as_secs_f64());
        let error = JobError {
            code: error_code::TIMED_OUT,
            description,
        };
        self.end_run(id, (JobState::Exception, error), job.spec.grace(), now);
    }
}

impl JobRecord {
    /// Whether its newest run consumes one of `JobRunTimes`: not one that was tried before, nor one
    /// for a job that failed.
    fn counts(&self) -> bool {
        self.plan.retries == 0 && self.repairs().is_none()
    }
}

/// The job reaches the goal of its ending although nothing ran.
fn close_unreleased(job: &mut JobRecord, ending: Ending) {
    if let Some(run) = &mut job.run {
        run.phase = Phase::Over;
        run.started = None;
        run.running_since = None;
    }
    job.ending = None;
    job.state = ending.goal;
    job.error = Some(ending.error);
}

fn close_run(job: &mut JobRecord, end: RunEnd, now: Now) {
    let Some(run) = &mut job.run else { return };
    // The clock may have been set meanwhile: no run ends before it began, and none in the future.
    let at = end.at.unwrap_or(now.wall);
    let at = at.max(run.started.unwrap_or(at)).min(now.wall);
    let since = (now.wall - at).to_std().unwrap_or_default();
    run.pause(now.boot.saturating_sub(since));
    run.phase = Phase::Over;
    run.ended = Some(at);
    run.exit = Some(end.exit);
    run.cpu = end.cpu;
    run.max_rss_bytes = end.max_rss_bytes;
    run.written = end.written;
    run.identity = None;
}

/// Where a job goes when its run has ended.
fn after_run(job: &mut JobRecord, failure: Option<JobError>, now: Now) {
    let replaced = job.is_replaced();
    let repairs = job.run.as_mut().and_then(|run| run.repairs.take());
    let failure = match job.ending.take() {
        // Whoever ended it meant the job and not the run.
        Some(ending) if ending.goal.is_final() && ending.goal != JobState::Exception => {
            (job.state, job.error) = (ending.goal, Some(ending.error));
            return;
        }
        Some(ending) => Some(ending.error),
        None => failure,
    };
    if repairs.is_some() && !job.recovery.hook {
        return job.after_repair(failure, now);
    }
    if failure.is_some() && !replaced && job.try_again(now) {
        (job.state, job.error) = (JobState::New, failure);
        return;
    }
    job.plan.retries = 0;
    // A recurring job goes on, after a failure if RecoveryAction is 0 or NULL.
    let goes_on = failure.is_none() || replaced || job.spec.recovery_action() == 0;
    let recurs = job.start() == StartRule::Calendar && job.has_more_runs();
    job.state = match &failure {
        _ if recurs && goes_on => JobState::New,
        None => JobState::Completed,
        Some(_) => JobState::Exception,
    };
    job.error = failure;
    if job.state == JobState::New && !job.recovery.open.is_empty() {
        job.ready = Some(now.wall);
    } else if job.state == JobState::New {
        job.take_pending(now);
    }
}

/// The signal that ends a run at its limit of processor time.
const SIGXCPU: u8 = 24;

/// The error of a run that ended this way, `None` for success.
fn failure(end: &RunEnd, cpu_limit: Option<Duration>) -> Option<JobError> {
    let spent = cpu_limit.filter(|_| end.exit == Exit::Signal(SIGXCPU));
    let (code, description) = match &end.exit {
        Exit::Code(0) => return None,
        Exit::Signal(_) if spent.is_some() => (
            error_code::LIMITED,
            format!(
                "ended because it used more processor time than MaxJobCPUTime of its queue, {} s",
                spent.unwrap_or_default().as_secs_f64()
            ),
        ),
        Exit::Code(code) => (u16::from(*code), format!("ended with exit status {code}")),
        Exit::Signal(signal) => (
            error_code::SIGNAL + u16::from(*signal),
            format!("ended by signal {signal}"),
        ),
        Exit::NotStarted(why) => (
            error_code::NOT_STARTED,
            format!("could not be started: {why}"),
        ),
        Exit::Unknown(why) => (error_code::UNKNOWN, format!("outcome unknown: {why}")),
    };
    Some(JobError {
        code,
        description: printable(&description),
    })
}
