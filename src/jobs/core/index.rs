//! What the scheduler looks up: the queue, the timers, the slots and who waits for whom.
//!
//! Everything here follows from the records, so that it can be built anew from them at any time.

use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

use super::id::JobId;
use super::record::JobRecord;
use super::spec::StartRule;
use super::state::JobState;

/// The order of the queue: priority, then time of being due, then order of submission.
pub(super) type Place = (u32, DateTime<Utc>, u64, JobId);

/// The look-up tables over all jobs.
#[derive(Debug, Clone)]
pub(super) struct Index {
    finished_keep: Duration,
    pub(super) queue: BTreeSet<Place>,
    pub(super) wall: BTreeSet<(DateTime<Utc>, JobId)>,
    pub(super) boot: BTreeSet<(Duration, JobId)>,
    pub(super) slots: u32,
    dependents: HashMap<JobId, BTreeSet<JobId>>,
}

impl Index {
    /// Empty tables; finished jobs that do not remove themselves go after `finished_keep`.
    pub(super) fn new(finished_keep: Duration) -> Self {
        Self {
            finished_keep,
            queue: BTreeSet::new(),
            wall: BTreeSet::new(),
            boot: BTreeSet::new(),
            slots: 0,
            dependents: HashMap::new(),
        }
    }

    /// Enters what `job` asks for.
    pub(super) fn enter(&mut self, job: &JobRecord) {
        self.queue.extend(place(job));
        self.wall
            .extend(self.wall_timer(job).map(|at| (at, job.id.clone())));
        self.boot
            .extend(boot_timer(job).map(|at| (at, job.id.clone())));
        self.slots += u32::from(holds_slot(job.state));
        for awaited in &job.awaited {
            let waiting = self.dependents.entry(awaited.job.clone()).or_default();
            waiting.insert(job.id.clone());
        }
    }

    /// Takes out what `enter` entered for the same record.
    pub(super) fn leave(&mut self, job: &JobRecord) {
        if let Some(place) = place(job) {
            self.queue.remove(&place);
        }
        if let Some(at) = self.wall_timer(job) {
            self.wall.remove(&(at, job.id.clone()));
        }
        if let Some(at) = boot_timer(job) {
            self.boot.remove(&(at, job.id.clone()));
        }
        self.slots -= u32::from(holds_slot(job.state));
        for awaited in &job.awaited {
            if let Some(waiting) = self.dependents.get_mut(&awaited.job) {
                waiting.remove(&job.id);
                if waiting.is_empty() {
                    self.dependents.remove(&awaited.job);
                }
            }
        }
    }

    /// The jobs that wait for the end of `id`.
    pub(super) fn dependents(&self, id: &JobId) -> Vec<JobId> {
        let waiting = self.dependents.get(id);
        waiting.into_iter().flatten().cloned().collect()
    }

    /// When a finished job is to be removed, counted from its end; `None` is never.
    pub(super) fn removal(&self, job: &JobRecord) -> Option<DateTime<Utc>> {
        let removes_itself = job.delete_on_kill.unwrap_or(job.spec.deletes_itself());
        let keep = if removes_itself {
            job.spec.time_before_removal()?
        } else {
            self.finished_keep
        };
        job.ended?
            .checked_add_signed(TimeDelta::from_std(keep).ok()?)
    }

    /// The next instant at which the wall clock matters to `job`.
    fn wall_timer(&self, job: &JobRecord) -> Option<DateTime<Utc>> {
        if job.state.is_final() {
            return self.removal(job);
        }
        let until = job.spec.until().filter(|_| job.ending.is_none());
        let timers = [until, start_timer(job), job.plan.retry_at, job.plan.next];
        timers.into_iter().flatten().min()
    }
}

/// Whether a job in `state` counts against `MaxRunningJobs`.
///
/// A suspended run does not: suspending one job is how another is let through.
pub(super) fn holds_slot(state: JobState) -> bool {
    matches!(
        state,
        JobState::Starting | JobState::Running | JobState::ShuttingDown
    )
}

/// When a job that waits for its time alone is due.
pub(super) fn start_timer(job: &JobRecord) -> Option<DateTime<Utc>> {
    let waits = job.state == JobState::New && job.ready.is_none() && job.awaited.is_empty();
    let waits = waits && job.plan.retry_at.is_none();
    match job.start() {
        StartRule::At(time) if waits && !job.started_by_hand => Some(time),
        StartRule::At(_) | StartRule::Immediately | StartRule::Never | StartRule::Calendar => None,
    }
}

fn place(job: &JobRecord) -> Option<Place> {
    let ready = job.ready?;
    Some((job.spec.priority(), ready, job.seq, job.id.clone()))
}

/// The next moment at which the boot clock matters to `job`: SIGKILL, or the run's time-out.
fn boot_timer(job: &JobRecord) -> Option<Duration> {
    if let Some(ending) = &job.ending {
        return ending.kill_at;
    }
    let run = job.run.as_ref()?;
    let left = job.spec.max_elapsed()?.saturating_sub(run.elapsed);
    run.running_since?.checked_add(left)
}
