//! What clients ask of the scheduler: submit, modify, change of state, kill, delete.

use std::sync::Arc;
use std::time::Duration;

use super::event::{Answer, Prior, Refusal, Repeated, Signal, Submission, Ticket};
use super::fields::Setting;
use super::id::JobId;
use super::record::{JobError, JobRecord, Now, Phase, error_code};
use super::rules::{Rule, SpecError};
use super::scheduler::Scheduler;
use super::spec::StartRule;
use super::state::{Control, JobState, Verdict, code, verdict};
use super::waiting::Awaits;

impl Scheduler {
    pub(super) fn submit(&mut self, ticket: Ticket, submission: Submission, now: Now) {
        let answer = match self.accept(submission, now) {
            Ok((id, repeated)) => Answer::Submitted(id, repeated),
            Err(refusal) => Answer::Refused(refusal),
        };
        self.reply(ticket, answer);
    }

    fn accept(&mut self, submission: Submission, now: Now) -> Result<(JobId, Repeated), Refusal> {
        if let Some(first) = self.first_of(&submission) {
            return Ok((first, Repeated::Yes));
        }
        let Submission {
            id,
            spec,
            given,
            by,
            request_id,
            call,
            prior,
        } = submission;
        let used = prior == Some(Prior::IdUsed);
        if used || self.jobs.contains_key(&id) || self.touched(&id) {
            return Err(Refusal::IdUsed(id));
        }
        if self.jobs.len() >= self.policy.max_jobs {
            return Err(Refusal::Full(self.policy.max_jobs));
        }
        let spec = self.let_on(self.settled(spec, given)?)?;
        let dependencies = self.known_dependencies(spec.dependencies())?;
        if let Some(request_id) = &request_id {
            let key = (by.name.clone(), request_id.clone());
            self.undo.requests.insert(key, id.clone());
        }
        let mut job = JobRecord::new((id.clone(), self.next_seq), by, spec, now.wall);
        job.awaited = dependencies;
        job.call = call;
        self.next_seq += 1;
        self.admit(job, request_id, now);
        Ok((id, Repeated::No))
    }

    /// The job that the same `RequestID` was used for, in the store or in this very batch.
    fn first_of(&self, submission: &Submission) -> Option<JobId> {
        if let Some(Prior::Repeat(first)) = &submission.prior {
            return Some(first.clone());
        }
        let key = (submission.by.name.clone(), submission.request_id.clone()?);
        self.undo.requests.get(&key).cloned()
    }

    pub(super) fn admit(&mut self, mut job: JobRecord, request_id: Option<String>, now: Now) {
        job.look_ahead(None, self.policy.zone, now);
        if job.state == JobState::New && job.awaited.is_empty() && due(&job, now) {
            job.ready = Some(now.wall);
        }
        let (id, awaited) = (job.id.clone(), job.awaited.clone());
        self.insert(job, request_id);
        for entry in awaited {
            let other = self.jobs.get(&entry.job).cloned();
            if let Some(other) = other.filter(|other| other.state.is_final()) {
                self.settle_dependency(&id, &other, now);
            }
        }
    }

    pub(super) fn modify(&mut self, ticket: Ticket, id: &JobId, settings: Vec<Setting>, now: Now) {
        let answer = match self.modified(id, settings, now) {
            Ok(()) => Answer::Done,
            Err(refusal) => Answer::Refused(refusal),
        };
        self.reply(ticket, answer);
    }

    fn modified(&mut self, id: &JobId, settings: Vec<Setting>, now: Now) -> Result<(), Refusal> {
        let job = self.find(id)?;
        let spec = self.with_defaults(job.spec.with(settings, now.wall)?);
        if spec == job.spec {
            return Ok(());
        }
        if spec.is_one_shot() && !job.schedules.is_empty() {
            let rule = Rule::OneShotAndSchedules;
            return Err(SpecError::new("ScheduledStartTime", rule).into());
        }
        // After the end the flag must not become a way to delete, nor to keep.
        if job.state.is_final() && spec.deletes_itself() != job.spec.deletes_itself() {
            return Err(Refusal::Ended);
        }
        self.update(id, now, |job| {
            let before = job.start();
            job.spec = spec;
            job.reschedule(before, now);
            let recurs = job.start() == StartRule::Calendar && job.run_count > 0;
            if recurs && !job.has_more_runs() && !job.has_process() && !job.state.is_final() {
                // #26: it has had its runs.
                let failed = job.error.is_some();
                job.state = if failed {
                    JobState::Exception
                } else {
                    JobState::Completed
                };
            }
        });
        Ok(())
    }

    pub(super) fn change(
        &mut self,
        ticket: Ticket,
        id: &JobId,
        (requested, timeout): (u16, Option<Duration>),
        now: Now,
    ) {
        let job = match self.find(id) {
            Ok(job) => job,
            Err(refusal) => return self.reply(ticket, Answer::Refused(refusal)),
        };
        let control = match verdict(job.state, requested) {
            Verdict::Do(control) => control,
            Verdict::Answer(code) => return self.reply(ticket, Answer::Code(code)),
        };
        if control != Control::Terminate && timeout.is_some() {
            return self.reply(ticket, Answer::Code(code::TIMEOUT_NOT_SUPPORTED)); // #36
        }
        if control != Control::Kill && self.is_in_transition(&job) {
            return self.reply(ticket, Answer::Code(code::BUSY)); // #37
        }
        match control {
            Control::Start => self.start_by_hand(ticket, &job, now),
            Control::Suspend => self.suspend(ticket, &job, now),
            Control::Terminate => {
                let grace = timeout.unwrap_or(job.spec.grace());
                self.terminate(ticket, &job, grace, now);
            }
            Control::Kill => self.kill_by_client(ticket, &job, (Awaits::Death, code::STARTED), now),
        }
    }

    /// Whether an accepted request is still being carried out.
    fn is_in_transition(&self, job: &JobRecord) -> bool {
        let suspending = self.waiters.first_of(&job.id, Awaits::Suspension).is_some();
        let continuing = job.state == JobState::Suspended && job.ready.is_some();
        job.suspend_when_running || continuing || suspending
    }

    /// #28: due now; the job still takes its turn, and its dependencies must hold.
    fn start_by_hand(&mut self, ticket: Ticket, job: &JobRecord, now: Now) {
        let stopped = job.has_process();
        self.update(&job.id, now, |job| {
            if !stopped {
                job.state = JobState::New;
                job.started_by_hand = true;
            }
            if stopped || job.awaited.is_empty() {
                job.ready.get_or_insert(now.wall);
            }
        });
        self.reply(ticket, Answer::Code(code::STARTED));
    }

    fn suspend(&mut self, ticket: Ticket, job: &JobRecord, now: Now) {
        match job.state {
            JobState::Starting => {
                self.update(&job.id, now, |job| job.suspend_when_running = true);
                self.reply(ticket, Answer::Code(code::STARTED));
            }
            JobState::Running => {
                self.wait(ticket, &job.id, (Awaits::Suspension, code::STARTED), now);
                self.stop_run(&job.id, now);
            }
            JobState::New
            | JobState::Suspended
            | JobState::ShuttingDown
            | JobState::Completed
            | JobState::Terminated
            | JobState::Killed
            | JobState::Exception => {
                self.update(&job.id, now, |job| {
                    job.state = JobState::Suspended;
                    job.ready = None;
                    job.started_by_hand = false;
                });
                self.reply(ticket, Answer::Code(code::DONE));
            }
        }
    }

    fn terminate(&mut self, ticket: Ticket, job: &Arc<JobRecord>, grace: Duration, now: Now) {
        let description = "terminated at a client's request".to_owned();
        let error = JobError {
            code: error_code::TERMINATED,
            description,
        };
        if job.has_process() {
            self.end_run(&job.id, (JobState::Terminated, error), grace, now);
            return self.reply(ticket, Answer::Code(code::STARTED));
        }
        self.end_without_run(&job.id, JobState::Terminated, error, now);
        self.reply(ticket, Answer::Code(code::DONE));
    }

    /// `KillJob` (#42): 0 once the job is Killed, never 4096, and Failed when it has ended.
    pub(super) fn kill(
        &mut self,
        ticket: Ticket,
        id: &JobId,
        delete_on_kill: Option<bool>,
        now: Now,
    ) {
        let job = match self.find(id) {
            Ok(job) => job,
            Err(refusal) => return self.reply(ticket, Answer::Refused(refusal)),
        };
        if job.state.is_final() {
            return self.reply(ticket, Answer::Code(code::FAILED));
        }
        if delete_on_kill.is_some() {
            self.update(id, now, |job| job.delete_on_kill = delete_on_kill);
        }
        self.kill_by_client(ticket, &job, (Awaits::Death, code::TIMEOUT), now);
    }

    fn kill_by_client(
        &mut self,
        ticket: Ticket,
        job: &Arc<JobRecord>,
        kind: (Awaits, u32),
        now: Now,
    ) {
        let description = "killed at a client's request".to_owned();
        let error = JobError {
            code: error_code::KILLED,
            description,
        };
        self.wait(ticket, &job.id, kind, now);
        if job.has_process() {
            self.kill_run(&job.id, Some((JobState::Killed, error)), now);
        } else {
            self.end_without_run(&job.id, JobState::Killed, error, now);
        }
    }

    pub(super) fn delete(&mut self, ticket: Ticket, id: &JobId) {
        let answer = match self.find(id) {
            Ok(job) if job.state.is_final() => {
                self.remove(id);
                Answer::Done
            }
            Ok(_) => Answer::Refused(Refusal::NotEnded),
            Err(refusal) => Answer::Refused(refusal),
        };
        self.reply(ticket, answer);
    }

    /// A job without a run becomes final at once.
    pub(super) fn end_without_run(
        &mut self,
        id: &JobId,
        state: JobState,
        error: JobError,
        now: Now,
    ) {
        self.update(id, now, |job| {
            job.state = state;
            job.error = Some(error);
        });
    }

    /// Stops a running run; the stop is durable before the signal is sent, and sent again if the
    /// server dies between the two.
    pub(super) fn stop_run(&mut self, id: &JobId, now: Now) {
        self.update(id, now, |job| {
            job.state = JobState::Suspended;
            job.suspend_when_running = false;
            if let Some(run) = &mut job.run {
                run.pause(now.boot);
            }
        });
        self.signal(id, Signal::Suspend);
    }

    /// Asks a run to end, and kills it after `grace`.
    pub(super) fn end_run(
        &mut self,
        id: &JobId,
        (goal, error): (JobState, JobError),
        grace: Duration,
        now: Now,
    ) {
        let Some(job) = self.jobs.get(id).cloned() else {
            return;
        };
        let released = job
            .run
            .as_ref()
            .is_some_and(|run| run.phase == Phase::Released);
        let kill_at = released.then(|| now.boot.saturating_add(grace));
        self.begin_ending(id, (goal, error, kill_at), now);
        if released {
            self.signal(id, Signal::Terminate);
        }
        if released && job.state == JobState::Suspended {
            self.signal(id, Signal::Continue);
        }
    }

    /// Kills a run, for `why` or for what its ending was begun for.
    pub(super) fn kill_run(&mut self, id: &JobId, why: Option<(JobState, JobError)>, now: Now) {
        let Some(job) = self.jobs.get(id).cloned() else {
            return;
        };
        let begun = job
            .ending
            .as_ref()
            .map(|ending| (ending.goal, ending.error.clone()));
        if let Some((goal, error)) = why.or(begun) {
            self.begin_ending(id, (goal, error, None), now);
        }
        if job
            .run
            .as_ref()
            .is_some_and(|run| run.phase == Phase::Released)
        {
            self.signal(id, Signal::Kill);
        }
    }
}

impl JobRecord {
    /// The job began by itself as `before` says, and now may begin otherwise.
    pub(super) fn reschedule(&mut self, before: StartRule, now: Now) {
        if self.start() != before && self.state == JobState::New && !self.started_by_hand {
            let due = self.awaited.is_empty() && due(self, now);
            self.ready = due.then(|| self.ready.unwrap_or(now.wall));
        }
    }
}

/// Whether the time of a job that waits for nothing else has come.
pub(super) fn due(job: &JobRecord, now: Now) -> bool {
    match job.start() {
        StartRule::Immediately => true,
        StartRule::At(time) => job.started_by_hand || time <= now.wall,
        StartRule::Never | StartRule::Calendar => job.started_by_hand,
    }
}
