//! What is in store for a job: the next time of its calendar, runs that are due, runs tried again.
//!
//! The plan is durable with the job. A time of the calendar is acted on once: the newest one that
//! was is remembered, and none at or before it ever counts again, wherever the clock is set. The
//! numbers in comments are those of the project's list of decisions on points where the CIM schema
//! is silent.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

use super::id::JobId;
use super::instant;
use super::rare::is_default;
use super::record::{JobError, JobRecord, Now, Phase, error_code};
use super::schedule::Timetable;
use super::scheduler::Scheduler;
use super::spec::{Missed, Overlap, StartRule};
use super::state::JobState;

/// A time that is acted on no later than this was not missed.
const LATENESS: TimeDelta = TimeDelta::minutes(1);
/// `MissedRunPolicy` 4 runs no more than this many (#23).
const MISSED_RUNS: u32 = 10;
/// `MissedRunPolicy` 4 runs nothing that is older (#23).
const MISSED_AGE: TimeDelta = TimeDelta::hours(24);
/// Times of the calendar that are counted one by one when the clock jumps.
const COUNTED: usize = 1000;
/// What was acted on at a time further ahead than this was acted on under a wrong clock.
pub(super) const FAR: TimeDelta = TimeDelta::hours(24);
/// Longest delay before a run is tried again.
const LONGEST_DELAY: Duration = Duration::from_hours(1);

/// What is in store for a job.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Plan {
    /// The next time of the calendar that nobody has acted on.
    #[serde(with = "instant::option", default, skip_serializing_if = "is_default")]
    pub next: Option<DateTime<Utc>>,
    /// The newest time of the calendar that was acted on.
    #[serde(with = "instant::option", default, skip_serializing_if = "is_default")]
    pub done: Option<DateTime<Utc>>,
    /// Runs that are due after the one that goes on or waits for its turn.
    #[serde(default, skip_serializing_if = "is_default")]
    pub pending: u32,
    /// `MissedRunCount`: times of the calendar that were passed over.
    #[serde(default, skip_serializing_if = "is_default")]
    pub missed: u32,
    /// How often the newest run was tried again (`RecoveryAction` 4).
    #[serde(default, skip_serializing_if = "is_default")]
    pub retries: u32,
    /// When it is tried again.
    #[serde(with = "instant::option", default, skip_serializing_if = "is_default")]
    pub retry_at: Option<DateTime<Utc>>,
}

impl Plan {
    /// Whether a time was acted on that is far in the future.
    pub(super) fn is_ahead(&self, now: Now) -> bool {
        self.done.is_some_and(|done| done - now.wall > FAR)
    }

    /// Only what comes after this counts.
    fn after(&self, now: Now) -> DateTime<Utc> {
        self.done.map_or(now.wall, |done| done.max(now.wall))
    }
}

/// The times of a calendar that have come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Come {
    count: u32,
    /// Those that are not too old for `MissedRunPolicy` 4.
    recent: u32,
    newest: DateTime<Utc>,
}

impl JobRecord {
    /// Whether the job follows its calendars now: it has more runs, and waits for no other job.
    fn follows(&self) -> bool {
        let ends = self
            .ending
            .as_ref()
            .is_some_and(|ending| ending.goal != JobState::Exception);
        let stands = match self.state {
            JobState::New | JobState::Starting | JobState::Running => true,
            JobState::ShuttingDown => !ends || self.is_replaced(),
            // #27: what comes while the job is suspended is skipped.
            JobState::Suspended
            | JobState::Completed
            | JobState::Terminated
            | JobState::Killed
            | JobState::Exception => false,
        };
        let calendar = self.start() == StartRule::Calendar;
        calendar && stands && self.awaited.is_empty() && self.has_more_runs()
    }

    /// The times that the job follows now, if it does.
    fn followed(&self, zone: Tz) -> Option<Timetable> {
        self.timetable(zone).filter(|_| self.follows())
    }

    /// Whether `JobRunTimes` lets another run begin.
    pub(super) fn has_more_runs(&self) -> bool {
        self.spec
            .run_limit()
            .is_none_or(|limit| self.run_count < limit)
    }

    /// Whether the run that is being ended makes room for the next one.
    pub(super) fn is_replaced(&self) -> bool {
        self.ending
            .as_ref()
            .is_some_and(|ending| ending.goal == JobState::New)
    }

    /// Looks ahead after a change of the job from `before`.
    pub(super) fn look_ahead(&mut self, before: Option<&Self>, zone: Tz, now: Now) {
        if self.state == JobState::Suspended || self.state.is_final() {
            (self.plan.pending, self.plan.retry_at) = (0, None);
        } else if self.ready.is_some() {
            self.plan.retry_at = None;
        }
        let same = |before: &Self| {
            before.follows()
                && before.schedules == self.schedules
                && before.spec.calendar(zone) == self.spec.calendar(zone)
        };
        if self.follows() && before.is_some_and(same) {
            return;
        }
        let after = self.plan.after(now);
        self.plan.next = self
            .followed(zone)
            .and_then(|times| times.next_after(after));
    }

    /// Looks ahead anew after a restart: zones may have other rules by now, and the host another
    /// zone (#44). A time that has passed stays, to be acted on. What was acted on under a clock
    /// that was far ahead is forgotten: a day is the furthest that #24 looks.
    pub fn look_ahead_again(&mut self, zone: Tz, now: Now) {
        if self.plan.is_ahead(now) {
            self.plan.done = None;
        }
        if self.plan.next.is_some_and(|next| next > now.wall) {
            let after = self.plan.after(now);
            let followed = self.followed(zone);
            self.plan.next = followed.and_then(|times| times.next_after(after));
        }
    }

    /// Up to `count` times at which the job will begin by itself, as far as can be said now.
    pub fn next_runs(&self, count: usize, zone: Tz, now: Now) -> Vec<DateTime<Utc>> {
        if self.state.is_final() {
            return Vec::new();
        }
        let Some(calendar) = self.timetable(zone) else {
            return self.next_run_time().into_iter().take(count).collect();
        };
        let left = self
            .spec
            .run_limit()
            .map(|limit| limit.saturating_sub(self.run_count));
        let left = left
            .and_then(|left| usize::try_from(left).ok())
            .unwrap_or(usize::MAX);
        let after = self.plan.after(now);
        let until = self.spec.until().unwrap_or(DateTime::<Utc>::MAX_UTC);
        let times = calendar.after(after).take_while(|time| *time < until);
        times.take(count.min(left)).collect()
    }

    /// A run that is due after the one before begins now.
    pub(super) fn take_pending(&mut self, now: Now) {
        if self.plan.pending > 0 {
            self.plan.pending -= 1;
            self.ready = Some(now.wall);
        }
    }

    /// The failed run is to be tried again (`RecoveryAction` 4), after a delay that doubles.
    pub(super) fn try_again(&mut self, now: Now) -> bool {
        let allowed =
            self.spec.recovery_action() == 4 && self.plan.retries < self.spec.max_retries();
        if allowed {
            let factor = 1_u32.checked_shl(self.plan.retries).unwrap_or(u32::MAX);
            let delay = self
                .spec
                .retry_delay()
                .saturating_mul(factor)
                .min(LONGEST_DELAY);
            let delay = TimeDelta::from_std(delay).unwrap_or_default();
            self.plan.retries += 1;
            self.plan.retry_at = Some(now.wall + delay);
        }
        allowed
    }
}

impl Scheduler {
    /// Times of the calendar of `id` have come.
    pub(super) fn calendar_due(&mut self, id: &JobId, now: Now) {
        let Some(job) = self.jobs.get(id).cloned() else {
            return;
        };
        let followed = job.followed(self.policy.zone);
        let (Some(calendar), Some(next)) = (followed, job.plan.next) else {
            return;
        };
        let come = come(&calendar, next, now.wall);
        let runs = runs(job.spec.missed_run_policy(), come, now.wall);
        let busy = job.has_process() || job.ready.is_some() || job.plan.retry_at.is_some();
        let overlap = job.spec.overlap_policy();
        let goes_on = job
            .run
            .as_ref()
            .is_some_and(|run| run.phase == Phase::Released);
        self.update(id, now, |job| {
            job.plan.done = Some(come.newest);
            job.plan.next = calendar.next_after(now.wall.max(come.newest));
            let waits = match (busy, overlap) {
                (false, _) => {
                    job.ready = (runs > 0).then_some(now.wall);
                    job.plan.pending = runs.saturating_sub(1);
                    runs
                }
                (true, Overlap::Skip) => 0,
                // A run that has not begun is as good as the one that would replace it.
                (true, Overlap::Replace) if !goes_on => 0,
                // #22: at most one waits.
                (true, Overlap::Queue | Overlap::Replace) => {
                    let room = 1_u32.saturating_sub(job.plan.pending).min(runs);
                    job.plan.pending += room;
                    room
                }
            };
            job.plan.missed = job
                .plan
                .missed
                .saturating_add(come.count.saturating_sub(waits));
        });
        let can_end = goes_on && job.ending.is_none();
        if runs > 0 && overlap == Overlap::Replace && can_end {
            let error = JobError {
                code: error_code::REPLACED,
                description: "ended because its next run was due (OverlapPolicy Replace)"
                    .to_owned(),
            };
            self.end_run(id, (JobState::New, error), job.spec.grace(), now);
        }
    }
}

/// The times from `next` up to `now`, of which `next` is the first.
fn come(calendar: &Timetable, next: DateTime<Utc>, now: DateTime<Utc>) -> Come {
    let (mut count, mut recent, mut newest) = (1, 0, next);
    let later = calendar.after(next).take_while(|time| *time <= now);
    for time in later.take(COUNTED) {
        count += 1;
        newest = time;
    }
    if count as usize > COUNTED {
        // The clock jumped by years: what is near to now matters, the number hardly does.
        let near = calendar.after(newest.max(now - TimeDelta::days(40)));
        newest = near
            .take_while(|time| *time <= now)
            .last()
            .unwrap_or(newest);
    }
    let oldest = next.max(now - MISSED_AGE) - TimeDelta::microseconds(1);
    for _ in calendar
        .after(oldest)
        .take_while(|time| *time <= now)
        .take(MISSED_RUNS as usize)
    {
        recent += 1;
    }
    Come {
        count,
        recent,
        newest,
    }
}

/// How many runs begin for the times that have come (#23).
fn runs(policy: Missed, come: Come, now: DateTime<Utc>) -> u32 {
    match policy {
        Missed::Skip => u32::from(now - come.newest <= LATENESS),
        Missed::RunOnce => 1,
        Missed::RunAll => come.recent,
    }
}
