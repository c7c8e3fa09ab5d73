//! What the scheduler looks up: the queue, the timers, the slots and who waits for whom.
//!
//! Everything here follows from the records, so that it can be built anew from them at any time.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

use super::id::JobId;
use super::queues::waiting_since;
use super::record::JobRecord;
use super::spec::StartRule;
use super::state::JobState;

/// The order of the queue: priority, then time of being due, then order of submission.
pub(super) type Place = (u32, DateTime<Utc>, u64, JobId);

/// When something is due, and for whom. Of what is due at the same time the first submitted comes
/// first; its number also tells two jobs apart without a look at their ids.
pub(super) type Timer<T> = (T, u64, JobId);
/// What is due, in order.
pub(super) type Timers<T> = BTreeSet<Timer<T>>;

/// The jobs of one queue that have not ended.
#[derive(Debug, Clone, Default)]
pub(super) struct Line {
    /// Those that wait for a slot, in their order.
    pub(super) waiting: BTreeSet<Place>,
    /// Those that wait to begin a run, by since when.
    pub(super) since: BTreeSet<(DateTime<Utc>, JobId)>,
    /// How many hold a slot.
    pub(super) slots: u32,
    /// How many there are.
    pub(super) jobs: usize,
}

/// The look-up tables over all jobs.
#[derive(Debug, Clone)]
pub(super) struct Index {
    finished_keep: Duration,
    lines: HashMap<String, Line>,
    touched: BTreeSet<String>,
    pub(super) wall: Timers<DateTime<Utc>>,
    pub(super) boot: Timers<Duration>,
    dependents: HashMap<JobId, BTreeSet<JobId>>,
}

impl Index {
    /// The tables over `jobs`; finished jobs that do not remove themselves go after `finished_keep`.
    pub(super) fn of(finished_keep: Duration, jobs: &[Arc<JobRecord>]) -> Self {
        let mut index = Self {
            finished_keep,
            lines: HashMap::new(),
            touched: BTreeSet::new(),
            wall: BTreeSet::new(),
            boot: BTreeSet::new(),
            dependents: HashMap::new(),
        };
        // Sets that are collected are sorted once, which is much less than a million insertions.
        index.wall = jobs.iter().filter_map(|job| index.wall_of(job)).collect();
        index.boot = jobs.iter().filter_map(|job| boot_of(job)).collect();
        for job in jobs {
            index.line_up(job);
            index.depend(job);
        }
        index
    }

    /// Follows a job from the record `before` to the record `after`, where `None` is none. Only what
    /// differs is touched: with many jobs every look-up costs more than the rest of a step.
    pub(super) fn change(&mut self, before: Option<&JobRecord>, after: Option<&JobRecord>) {
        let wall = [before, after].map(|job| job.and_then(|job| self.wall_of(job)));
        shift(&mut self.wall, wall);
        let boot = [before, after].map(|job| job.and_then(boot_of));
        shift(&mut self.boot, boot);
        self.change_line(before, after);
        let awaited = [before, after].map(|job| job.map_or(&[][..], |job| &job.awaited));
        if awaited[0] != awaited[1] {
            if let Some(job) = before {
                self.depend_no_more(job);
            }
            if let Some(job) = after {
                self.depend(job);
            }
        }
    }

    fn depend(&mut self, job: &JobRecord) {
        for awaited in &job.awaited {
            let waiting = self.dependents.entry(awaited.job.clone()).or_default();
            waiting.insert(job.id.clone());
        }
    }

    fn depend_no_more(&mut self, job: &JobRecord) {
        for awaited in &job.awaited {
            if let Some(waiting) = self.dependents.get_mut(&awaited.job) {
                waiting.remove(&job.id);
                if waiting.is_empty() {
                    self.dependents.remove(&awaited.job);
                }
            }
        }
    }

    fn change_line(&mut self, before: Option<&JobRecord>, after: Option<&JobRecord>) {
        let stands = |job: &&JobRecord| !job.state.is_final();
        let (before, after) = (before.filter(stands), after.filter(stands));
        if let (Some(before), Some(after)) = (before, after)
            && before.spec.queue() == after.spec.queue()
            && let Some(line) = self.lines.get_mut(after.spec.queue())
        {
            shift(&mut line.waiting, [place(before), place(after)]);
            shift(&mut line.since, [since(before), since(after)]);
            line.slots -= u32::from(holds_slot(before.state));
            line.slots += u32::from(holds_slot(after.state));
            return self.touch(after.spec.queue());
        }
        if let Some(job) = before {
            self.step_out(job);
        }
        if let Some(job) = after {
            self.line_up(job);
        }
    }

    fn line_up(&mut self, job: &JobRecord) {
        if job.state.is_final() {
            return;
        }
        let queue = job.spec.queue();
        if !self.lines.contains_key(queue) {
            self.lines.insert(queue.to_owned(), Line::default());
        }
        let line = self.lines.get_mut(queue).expect("it was entered");
        line.waiting.extend(place(job));
        line.since.extend(since(job));
        line.slots += u32::from(holds_slot(job.state));
        line.jobs += 1;
        self.touch(queue);
    }

    fn step_out(&mut self, job: &JobRecord) {
        let Some(line) = self.lines.get_mut(job.spec.queue()) else {
            return;
        };
        if let Some(place) = place(job) {
            line.waiting.remove(&place);
        }
        if let Some(since) = since(job) {
            line.since.remove(&since);
        }
        line.slots -= u32::from(holds_slot(job.state));
        line.jobs -= 1;
        if line.jobs == 0 {
            self.lines.remove(job.spec.queue());
        }
        self.touch(job.spec.queue());
    }

    /// The jobs of this queue that have not ended, if there are any.
    pub(super) fn line(&self, queue: &str) -> Option<&Line> {
        self.lines.get(queue)
    }

    /// Something changed in this queue, so that it may be somebody's turn.
    pub(super) fn touch(&mut self, queue: &str) {
        if !self.touched.contains(queue) {
            self.touched.insert(queue.to_owned());
        }
    }

    /// A queue in which something changed, each once.
    pub(super) fn next_touched(&mut self) -> Option<String> {
        self.touched.pop_first()
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

    fn wall_of(&self, job: &JobRecord) -> Option<Timer<DateTime<Utc>>> {
        Some((self.wall_timer(job)?, job.seq, job.id.clone()))
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

/// Changes what a job has in `set`.
fn shift<T: Ord>(set: &mut BTreeSet<T>, [before, after]: [Option<T>; 2]) {
    if before == after {
        return;
    }
    if let Some(before) = before {
        set.remove(&before);
    }
    set.extend(after);
}

fn since(job: &JobRecord) -> Option<(DateTime<Utc>, JobId)> {
    Some((waiting_since(job)?, job.id.clone()))
}

fn place(job: &JobRecord) -> Option<Place> {
    let ready = job.ready?;
    Some((job.spec.priority(), ready, job.seq, job.id.clone()))
}

fn boot_of(job: &JobRecord) -> Option<Timer<Duration>> {
    Some((boot_timer(job)?, job.seq, job.id.clone()))
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
