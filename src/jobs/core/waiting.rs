//! Requests that wait for their run to obey, found by their ticket, their job and their deadline.

use std::time::Duration;

use imbl::{OrdMap, OrdSet};

use super::event::Ticket;
use super::id::JobId;

/// A request that waits for its run to obey.
#[derive(Debug, Clone)]
pub(super) struct Waiter {
    pub(super) id: JobId,
    pub(super) awaits: Awaits,
    /// On the boot clock.
    pub(super) deadline: Duration,
    /// The answer when the deadline passes.
    pub(super) late: u32,
}

/// What a waiting request waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Awaits {
    /// The run is stopped.
    Suspension,
    /// The job is Killed.
    Death,
}

/// All of them. A copy costs nothing, so that each step can be undone.
#[derive(Debug, Clone, Default)]
pub(super) struct Waiters {
    all: OrdMap<Ticket, Waiter>,
    by_job: OrdSet<(JobId, Awaits, Ticket)>,
    by_deadline: OrdSet<(Duration, Ticket)>,
}

impl Waiters {
    /// One more.
    pub(super) fn insert(&mut self, ticket: Ticket, waiter: Waiter) {
        self.by_job
            .insert((waiter.id.clone(), waiter.awaits, ticket));
        self.by_deadline.insert((waiter.deadline, ticket));
        self.all.insert(ticket, waiter);
    }

    /// The first that waits for this to happen to the job.
    pub(super) fn first_of(&self, id: &JobId, awaits: Awaits) -> Option<Ticket> {
        let first = (id.clone(), awaits, Ticket(0));
        let (job, what, ticket) = self.by_job.range(first..).next()?;
        (job == id && *what == awaits).then_some(*ticket)
    }

    /// When the first one has waited long enough.
    pub(super) fn next_deadline(&self) -> Option<Duration> {
        self.by_deadline.get_min().map(|(deadline, _)| *deadline)
    }

    /// Takes the first one that has waited long enough at `boot`, with the answer that it is given.
    pub(super) fn take_late(&mut self, boot: Duration) -> Option<(Ticket, u32)> {
        let (deadline, ticket) = self.by_deadline.get_min().copied()?;
        let waiter = (deadline <= boot).then(|| self.take(ticket))??;
        Some((ticket, waiter.late))
    }

    /// Takes one that is answered.
    pub(super) fn take(&mut self, ticket: Ticket) -> Option<Waiter> {
        let waiter = self.all.remove(&ticket)?;
        self.by_job
            .remove(&(waiter.id.clone(), waiter.awaits, ticket));
        self.by_deadline.remove(&(waiter.deadline, ticket));
        Some(waiter)
    }
}
