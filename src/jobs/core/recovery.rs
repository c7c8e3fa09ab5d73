//! What follows a failed run: nothing, a hook, the next job, the same run again, a recovery job.
//!
//! `RecoveryAction` 4 is in `plan`, since it is a matter of time. A hook is a job of its own, so that it
//! is durable, supervised and seen like any other. A recovery job is held, runs for one failed run
//! after the other, and is held again; neither it nor a hook is recovered in its turn.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::event::{Answer, Refusal};
use super::fields::JobFields;
use super::id::JobId;
use super::rare::Usual;
use super::record::{JobError, JobRecord, Now};
use super::rules::{Rule, SpecError};
use super::scheduler::Scheduler;
use super::spec::JobSpec;
use super::state::JobState;

/// Most failed runs that wait for one recovery job.
pub const REPAIR_LIMIT: usize = 1000;

/// What the hooks of `RecoveryAction` 1 run: a name, and an argument vector.
pub type Hooks = Arc<BTreeMap<String, Vec<String>>>;

/// A failed run that another job runs for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failed {
    /// The job.
    pub job: JobId,
    /// The number of the run.
    pub run: u32,
    /// Its `ErrorCode`.
    pub code: u16,
}

/// What binds a job to others when one of them fails.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Recovery {
    /// The recovery job, `Antecedent` of its `JW_RecoveryJob`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub by: Option<JobId>,
    /// The failed runs that this job is still to run for, first the one whose turn it is.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub open: Vec<Failed>,
    /// It was not held when it was asked to run for a failed run, and so goes on by itself after it.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub goes_on: bool,
    /// The job is what a hook does, and ends when it has run.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub hook: bool,
    /// Why its failure was not recovered from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trouble: Option<String>,
}

impl Usual for Recovery {
    fn usual() -> &'static Self {
        static NOTHING: Recovery = Recovery {
            by: None,
            open: Vec::new(),
            goes_on: false,
            hook: false,
            trouble: None,
        };
        &NOTHING
    }
}

impl JobRecord {
    /// Whether those that wait for its success may begin although it failed (`RecoveryAction` 3).
    pub(super) fn lets_next_begin(&self) -> bool {
        self.state == JobState::Exception && self.spec.recovery_action() == 3
    }

    /// The failed run that the newest run of this job is for.
    pub fn repairs(&self) -> Option<&Failed> {
        self.run.as_ref()?.repairs.as_ref()
    }

    /// Whether it is held, so that it can serve as a recovery job, or serves as one now.
    fn is_kept(&self) -> bool {
        let held = self.state == JobState::Suspended && !self.has_process();
        held || self.repairs().is_some() || !self.recovery.open.is_empty()
    }

    /// The run for a failed one is over: the next one's turn, or the job is held again, or goes on as
    /// it would have without.
    pub(super) fn after_repair(&mut self, failure: Option<JobError>, now: Now) {
        self.error = failure;
        self.plan.retries = 0;
        if !self.recovery.open.is_empty() {
            self.state = JobState::New;
            self.ready = Some(now.wall);
        } else if self.returns() {
            self.state = JobState::New;
            self.take_pending(now);
        } else {
            self.state = JobState::Suspended;
        }
    }

    /// Whether it goes back to what it does by itself when nothing is left to run for.
    pub(super) fn returns(&self) -> bool {
        self.recovery.goes_on && self.has_more_runs()
    }

    /// The failed run is the next that this job runs for. What it was about to do by itself comes
    /// after that.
    fn serve(&mut self, failed: Failed, now: Now) {
        let serves = self.repairs().is_some() || !self.recovery.open.is_empty();
        let held = self.state == JobState::Suspended && !self.has_process();
        if !serves {
            self.recovery.goes_on = !held;
            if self.state == JobState::New && self.ready.is_some() {
                self.plan.pending = self.plan.pending.saturating_add(1);
            }
        }
        self.recovery.open.push(failed);
        if held {
            self.state = JobState::New;
            self.started_by_hand = true;
        }
        if self.state == JobState::New && self.awaited.is_empty() {
            self.ready.get_or_insert(now.wall);
        }
    }
}

impl Scheduler {
    /// A job has failed for good: what its `RecoveryAction` says.
    pub(super) fn recover(&mut self, id: &JobId, now: Now) {
        let Some(job) = self.jobs.get(id).cloned() else {
            return;
        };
        let failed = Failed {
            job: id.clone(),
            run: job.run.as_ref().map_or(0, |run| run.number),
            code: job.error.as_ref().map_or(0, |error| error.code),
        };
        let begun = match job.spec.recovery_action() {
            1 => self.begin_hook(&job, failed, now),
            5 => self.begin_recovery_job(&job, failed, now),
            _ => Ok(()),
        };
        if let Err(trouble) = begun {
            self.note_trouble(id, trouble, now);
        }
    }

    fn begin_hook(&mut self, job: &JobRecord, failed: Failed, now: Now) -> Result<(), String> {
        let name = job.spec.hook();
        let name = name.ok_or("OtherRecoveryAction names no hook")?;
        let command = self.hooks.get(name).cloned();
        let command = command.ok_or_else(|| format!("there is no hook \"{name}\""))?;
        if self.jobs.len() >= self.policy.max_jobs {
            return Err(Refusal::Full(self.policy.max_jobs).to_string());
        }
        let fields = JobFields {
            name: Some(format!("recovery hook {name}")),
            description: Some(format!("runs because {} failed", job.id)),
            command: Some(command),
            queue_name: Some(job.spec.queue().to_owned()),
            delete_on_completion: Some(true),
            ..JobFields::default()
        };
        let wrong = |error| format!("the hook \"{name}\": {error}");
        let spec = JobSpec::new(fields, now.wall).map_err(|error| wrong(error.to_string()))?;
        let id = self.new_id(now).map_err(|error| wrong(error.to_string()))?;
        let spec = self.with_defaults(spec);
        let mut hook = JobRecord::new((id, self.next_seq), job.owner.clone(), spec, now.wall);
        self.next_seq += 1;
        hook.recovery.hook = true;
        hook.recovery.open = vec![failed];
        self.admit(hook, None, now);
        Ok(())
    }

    /// An id for a job that the scheduler makes itself. Those that `with_ids` gives nobody can have
    /// used before, nor guess; what is there now is looked at all the same.
    fn new_id(&self, now: Now) -> Result<JobId, SpecError> {
        let free = |id: &JobId| !self.jobs.contains_key(id) && !self.touched(id);
        for number in self.next_seq.. {
            let id = match self.ids {
                Some(give) => give(),
                None => JobId::new(&format!("JW:{}-{number}", now.wall.timestamp_micros()))?,
            };
            if free(&id) {
                return Ok(id);
            }
        }
        Err(SpecError::new("InstanceID", Rule::Id))
    }

    fn begin_recovery_job(
        &mut self,
        job: &JobRecord,
        failed: Failed,
        now: Now,
    ) -> Result<(), String> {
        let by = job.recovery.by.clone();
        let by = by.ok_or("the job has no recovery job (JW_RecoveryJob)")?;
        let other = self.jobs.get(&by).filter(|other| !other.state.is_final());
        let other = other.ok_or_else(|| format!("the recovery job {by} has ended"))?;
        if other.recovery.open.len() >= REPAIR_LIMIT {
            let text = format!("the recovery job {by} has {REPAIR_LIMIT} failed runs to run for");
            return Err(text);
        }
        self.update(&by, now, |job| job.serve(failed, now));
        Ok(())
    }

    /// The run of `id` for `failed` is over, well or not.
    pub(super) fn after_run_for(&mut self, failed: &Failed, id: &JobId, now: Now) {
        let error = self.jobs.get(id).and_then(|job| job.error.clone());
        if let Some(error) = error {
            let text = format!("its recovery by {id} failed: {}", error.description);
            self.note_trouble(&failed.job, text, now);
        }
    }

    /// The job `id` will not run again: whatever it was still to run for is told.
    pub(super) fn give_up_repairs(&mut self, id: &JobId, now: Now) {
        let Some(job) = self.jobs.get(id).cloned() else {
            return;
        };
        let begun = job.repairs().cloned();
        if begun.is_none() && job.recovery.open.is_empty() {
            return;
        }
        self.update(id, now, |job| {
            job.recovery.open.clear();
            if let Some(run) = &mut job.run {
                run.repairs = None;
            }
        });
        for failed in begun.into_iter().chain(job.recovery.open.iter().cloned()) {
            let text = format!("its recovery by {id} did not come to an end");
            self.note_trouble(&failed.job, text, now);
        }
    }

    fn note_trouble(&mut self, id: &JobId, trouble: impl Into<String>, now: Now) {
        let trouble = trouble.into();
        self.update(id, now, |job| job.recovery.trouble = Some(trouble));
    }

    /// `by` runs when `job` has failed with `RecoveryAction` 5.
    pub(super) fn set_recovery_job(
        &mut self,
        job: &Arc<JobRecord>,
        by: JobId,
        now: Now,
    ) -> Result<Answer, Refusal> {
        let known = job.recovery.by.as_ref();
        if let Some(known) = known.filter(|known| self.jobs.contains_key(*known)) {
            return Err(Refusal::RecoveryJobExists(job.id.clone(), known.clone()));
        }
        if !self.find(&by)?.is_kept() || by == job.id {
            return Err(Refusal::NotHeld(by));
        }
        self.update(&job.id, now, |job| job.recovery.by = Some(by));
        Ok(Answer::Done)
    }

    /// `by` is no longer the recovery job of `job`.
    pub(super) fn remove_recovery_job(
        &mut self,
        job: &Arc<JobRecord>,
        by: &JobId,
        now: Now,
    ) -> Result<Answer, Refusal> {
        if job.recovery.by.as_ref() != Some(by) {
            return Err(Refusal::NoRecoveryJob(job.id.clone(), by.clone()));
        }
        self.update(&job.id, now, |job| job.recovery.by = None);
        Ok(Answer::Done)
    }
}

#[cfg(test)]
mod tests;
