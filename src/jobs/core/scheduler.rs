//! The scheduler: all jobs, one step at a time. It decides everything and does nothing.
//!
//! Feed it events with [`Scheduler::handle`], make durable what the returned actions say, perform
//! the rest, and call again with [`Event::Time`] when [`Scheduler::next_wake`] has come. When
//! something could not be made durable, [`Scheduler::rollback`] undoes every step since
//! [`Scheduler::begin`].

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::Tz;
use imbl::OrdMap;

use super::event::{Action, Answer, Change, Event, Refusal, Ticket};
use super::id::JobId;
use super::index::{Index, Timers};
use super::plan::FAR;
use super::queue::QueueRecord;
use super::record::{JobRecord, Now};
use super::recovery::Hooks;
use super::reports::Reports;
use super::setting::SettingRecord;
use super::state::JobState;
use super::waiting::{Awaits, Waiter, Waiters};

/// What the scheduler is told once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Policy {
    /// Most jobs, in whatever state.
    pub max_jobs: usize,
    /// How long finished jobs stay that do not remove themselves.
    pub finished_keep: Duration,
    /// How long a request may wait for its run to obey a signal.
    pub patience: Duration,
    /// The zone of the host, for calendars on local time that name none.
    pub zone: Tz,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            max_jobs: 2_000_000,
            finished_keep: Duration::from_hours(720),
            patience: Duration::from_secs(10),
            zone: Tz::UTC,
        }
    }
}

/// When the scheduler wants to be called again; either clock may reach its mark first.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Wake {
    /// On the wall clock.
    pub wall: Option<DateTime<Utc>>,
    /// On the boot clock.
    pub boot: Option<Duration>,
}

/// All jobs and what is to happen to them.
#[derive(Debug)]
pub struct Scheduler {
    pub(super) policy: Policy,
    pub(super) queues: OrdMap<String, Arc<QueueRecord>>,
    pub(super) settings: OrdMap<String, Arc<SettingRecord>>,
    pub(super) jobs: HashMap<JobId, Arc<JobRecord>>,
    pub(super) index: Index,
    pub(super) next_seq: u64,
    pub(super) waiters: Waiters,
    pub(super) reports: Reports,
    /// Jobs that became final in this step and whose dependents are still to be told.
    pub(super) finals: Vec<JobId>,
    pub(super) actions: Vec<Action>,
    pub(super) undo: Undo,
    pub(super) hooks: Hooks,
    /// Gives ids for the jobs that the scheduler makes itself.
    pub(super) ids: Option<fn() -> JobId>,
    /// The wall clock less the boot clock at the last look: it changes when the clock is set.
    offset: Option<TimeDelta>,
}

/// What is needed to undo the steps since `begin`.
#[derive(Debug, Clone, Default)]
pub(super) struct Undo {
    records: Vec<(JobId, Option<Arc<JobRecord>>)>,
    waiters: Waiters,
    queues: OrdMap<String, Arc<QueueRecord>>,
    settings: OrdMap<String, Arc<SettingRecord>>,
    pub(super) requests: HashMap<(String, String), JobId>,
}

/// Most timers that one step handles, so that no transaction grows without limit.
const SLICE: usize = 1000;

impl Scheduler {
    /// A scheduler over the jobs of the store.
    ///
    /// After a reboot nothing that was measured on the boot clock means anything any more; the
    /// records then come without such marks.
    pub fn new(policy: Policy, queues: Vec<Arc<QueueRecord>>, jobs: Vec<Arc<JobRecord>>) -> Self {
        let index = Index::of(policy.finished_keep, &jobs);
        let next_seq = jobs.iter().map(|job| job.seq).max().unwrap_or(0) + 1;
        Self {
            policy,
            queues: queues
                .into_iter()
                .map(|queue| (queue.name.clone(), queue))
                .collect(),
            jobs: jobs.into_iter().map(|job| (job.id.clone(), job)).collect(),
            index,
            next_seq,
            waiters: Waiters::default(),
            reports: Reports::default(),
            finals: Vec::new(),
            actions: Vec::new(),
            undo: Undo::default(),
            settings: OrdMap::new(),
            hooks: Hooks::default(),
            ids: None,
            offset: None,
        }
    }

    /// The same scheduler with the hooks that `RecoveryAction` 1 may name.
    #[must_use]
    pub fn with_hooks(mut self, hooks: Hooks) -> Self {
        self.hooks = hooks;
        self
    }

    /// The same scheduler with a source of ids that were never used, for the jobs that it makes
    /// itself. Without one it counts, and knows only the jobs that are there.
    #[must_use]
    pub fn with_ids(mut self, ids: fn() -> JobId) -> Self {
        self.ids = Some(ids);
        self
    }

    /// The same scheduler with the settings of the store.
    #[must_use]
    pub fn with_settings(mut self, settings: Vec<SettingRecord>) -> Self {
        let named = |settings: SettingRecord| (settings.id.clone(), Arc::new(settings));
        self.settings = settings.into_iter().map(named).collect();
        self
    }

    /// What it was told at the beginning.
    pub fn policy(&self) -> Policy {
        self.policy
    }

    /// Takes one step.
    pub fn handle(&mut self, event: Event, now: Now) -> Vec<Action> {
        match event {
            Event::Submit { ticket, submission } => self.submit(ticket, *submission, now),
            Event::Modify {
                ticket,
                id,
                settings,
            } => self.modify(ticket, &id, settings, now),
            Event::Change {
                ticket,
                id,
                requested,
                timeout,
            } => {
                self.change(ticket, &id, (requested, timeout), now);
            }
            Event::Kill {
                ticket,
                id,
                delete_on_kill,
            } => {
                self.kill(ticket, &id, delete_on_kill, now);
            }
            Event::Delete { ticket, id } => self.delete(ticket, &id),
            Event::Amend {
                ticket,
                id,
                amendment,
            } => self.amend(ticket, &id, amendment, now),
            Event::Queue {
                ticket,
                name,
                order,
            } => self.order_queue(ticket, &name, order),
            Event::Setting { ticket, id, order } => self.order_setting(ticket, &id, order),
            Event::Run { id, run, news } => self.run_news(&id, run, news, now),
            Event::Time => self.time(now),
        }
        self.tell_dependents(now);
        self.dispatch(now);
        std::mem::take(&mut self.actions)
    }

    /// When to call again with [`Event::Time`], unless something else happens before.
    pub fn next_wake(&self) -> Wake {
        let boot = [
            self.index.boot.first().map(|(at, ..)| *at),
            self.waiters.next_deadline(),
            self.reports.next_due(),
        ];
        let wall = [
            self.index.wall.first().map(|(at, ..)| *at),
            self.next_overdue(),
        ];
        Wake {
            wall: wall.into_iter().flatten().min(),
            boot: boot.into_iter().flatten().min(),
        }
    }

    /// Marks the point to which `rollback` returns.
    pub fn begin(&mut self) {
        self.undo = Undo {
            waiters: self.waiters.clone(),
            queues: self.queues.clone(),
            settings: self.settings.clone(),
            ..Undo::default()
        };
    }

    /// Undoes every step since `begin`: nothing of it became durable.
    ///
    /// What the executor reported in these steps must be handled again by the caller, and whoever
    /// asked must be told that it failed.
    pub fn rollback(&mut self) {
        let undo = std::mem::take(&mut self.undo);
        for (id, before) in undo.records.into_iter().rev() {
            self.replace(&id, before.as_ref());
        }
        self.waiters = undo.waiters;
        self.queues = undo.queues;
        self.settings = undo.settings;
        self.begin();
    }

    /// The jobs, in no order.
    pub fn jobs(&self) -> impl Iterator<Item = &Arc<JobRecord>> {
        self.jobs.values()
    }

    fn time(&mut self, now: Now) {
        self.watch_the_clock(now);
        for id in due(&self.index.wall, &now.wall) {
            self.wall_due(&id, now);
        }
        self.drop_overdue(SLICE, now);
        for id in due(&self.index.boot, &now.boot) {
            self.boot_due(&id, now);
        }
        self.answer_late(now);
        self.flush_reports(now);
    }

    /// A clock that was far ahead and was set back has jobs that acted on times of the future.
    /// They must not wait until those come again, which may be years.
    fn watch_the_clock(&mut self, now: Now) {
        let boot = TimeDelta::from_std(now.boot).unwrap_or_default();
        let offset = TimeDelta::microseconds(now.wall.timestamp_micros()) - boot;
        let before = self.offset.replace(offset);
        if before.is_none_or(|before| before - offset < FAR) {
            return;
        }
        let ahead = |job: &&Arc<JobRecord>| job.plan.is_ahead(now);
        let ahead = self.jobs.values().filter(ahead);
        let ahead: Vec<JobId> = ahead.map(|job| job.id.clone()).collect();
        let zone = self.policy.zone;
        for id in ahead {
            self.update(&id, now, |job| job.look_ahead_again(zone, now));
        }
    }

    fn answer_late(&mut self, now: Now) {
        while let Some((ticket, code)) = self.waiters.take_late(now.boot) {
            self.reply(ticket, Answer::Code(code));
        }
    }

    /// Answers the requests that wait for this to happen to a job.
    pub(super) fn answer_waiters(&mut self, id: &JobId, awaits: Awaits, code: u32) {
        while let Some(ticket) = self.waiters.first_of(id, awaits) {
            self.waiters.take(ticket);
            self.reply(ticket, Answer::Code(code));
        }
    }

    /// Lets a request wait; when its time is over the answer is `late`.
    pub(super) fn wait(&mut self, ticket: Ticket, id: &JobId, kind: (Awaits, u32), now: Now) {
        let (awaits, late) = kind;
        let deadline = now.boot + self.policy.patience;
        self.waiters.insert(
            ticket,
            Waiter {
                id: id.clone(),
                awaits,
                deadline,
                late,
            },
        );
    }

    pub(super) fn reply(&mut self, ticket: Ticket, answer: Answer) {
        self.actions.push(Action::Reply(ticket, answer));
    }

    /// The job, or the refusal that says there is none.
    pub(super) fn find(&self, id: &JobId) -> Result<Arc<JobRecord>, Refusal> {
        self.jobs
            .get(id)
            .cloned()
            .ok_or_else(|| Refusal::NotFound(id.clone()))
    }

    /// Enters a new job.
    pub(super) fn insert(&mut self, job: JobRecord, request_id: Option<String>) {
        let job = Arc::new(job);
        self.put(&job.id.clone(), Some(&job));
        self.actions
            .push(Action::Persist(Change::Insert { job, request_id }));
    }

    /// Changes a job; the only way in which the state of a job ever changes.
    pub(super) fn update(&mut self, id: &JobId, now: Now, change: impl FnOnce(&mut JobRecord)) {
        let Some(current) = self.jobs.get(id).cloned() else {
            return;
        };
        let durable = self.reports.take_durable(id);
        let mut after = JobRecord::clone(&current);
        change(&mut after);
        after.look_ahead(Some(&current), self.policy.zone, now);
        after.revision += 1;
        if after.state != current.state {
            debug_assert!(
                current.state.may_become(after.state),
                "{:?} never becomes {:?}",
                current.state,
                after.state
            );
            after.state_changed = Some(now.wall);
        }
        if after.state.is_final() && !current.state.is_final() {
            after.ended = Some(now.wall);
            after.ready = None;
            after.awaited.clear();
            self.finals.push(id.clone());
            self.reports.forget(id);
        }
        let (before, after) = (durable.unwrap_or(current), Arc::new(after));
        self.put(id, Some(&after));
        self.actions
            .push(Action::Persist(Change::Update { before, after }));
    }

    /// Removes a job with everything it left.
    pub(super) fn remove(&mut self, id: &JobId) {
        let Some(job) = self.jobs.get(id).cloned() else {
            return;
        };
        self.put(id, None);
        self.actions.push(Action::Persist(Change::Remove(job)));
    }

    /// Whether a job of this id was touched since `begin`, even if it is gone again.
    pub(super) fn touched(&self, id: &JobId) -> bool {
        self.undo.records.iter().any(|(touched, _)| touched == id)
    }

    fn put(&mut self, id: &JobId, job: Option<&Arc<JobRecord>>) {
        let before = self.replace(id, job);
        self.undo.records.push((id.clone(), before));
    }

    /// Replaces a record with its entries in the tables, and nothing else.
    pub(super) fn replace(
        &mut self,
        id: &JobId,
        job: Option<&Arc<JobRecord>>,
    ) -> Option<Arc<JobRecord>> {
        let before = match job {
            Some(job) => self.jobs.insert(id.clone(), Arc::clone(job)),
            None => self.jobs.remove(id),
        };
        self.index.change(before.as_deref(), job.map(AsRef::as_ref));
        before
    }

    /// Tells those who wait for jobs that became final; their failing may make others final.
    fn tell_dependents(&mut self, now: Now) {
        while let Some(id) = self.finals.pop() {
            let Some(job) = self.jobs.get(&id).cloned() else {
                continue;
            };
            for dependent in self.index.dependents(&id) {
                self.settle_dependency(&dependent, &job, now);
            }
            self.give_up_repairs(&id, now);
            self.after_the_end(&id, job.state);
        }
    }

    /// What follows when the job is final: answers, and removal where `KillJob` asked for it.
    fn after_the_end(&mut self, id: &JobId, state: JobState) {
        let killed = if state == JobState::Killed {
            super::state::code::DONE
        } else {
            super::state::code::FAILED
        };
        self.answer_waiters(id, Awaits::Death, killed);
        self.answer_waiters(id, Awaits::Suspension, super::state::code::FAILED);
        if self
            .jobs
            .get(id)
            .is_some_and(|job| job.delete_on_kill == Some(true))
        {
            self.remove(id);
        }
    }
}

/// The jobs whose timers have come, at most a slice of them.
fn due<T: Ord>(timers: &Timers<T>, now: &T) -> Vec<JobId> {
    let come = timers.iter().take_while(|(at, ..)| at <= now);
    come.take(SLICE).map(|(.., id)| id.clone()).collect()
}
