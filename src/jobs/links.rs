//! Which jobs point to which: the way back from a job to those that name it, kept with the snapshot.
//!
//! A record names the jobs that it waits for. Whoever asks the other way must not read every job.

use std::sync::Arc;

use imbl::OrdSet;

use super::core::{Change, JobId, JobRecord};

/// Pairs of a job and one that names it, in order.
#[derive(Debug, Clone, Default)]
pub struct Links {
    dependents: OrdSet<(JobId, JobId)>,
    recovered: OrdSet<(JobId, JobId)>,
}

impl Links {
    /// The links of `jobs`.
    pub(super) fn of<'a>(jobs: impl Iterator<Item = &'a Arc<JobRecord>>) -> Self {
        let mut links = Self::default();
        jobs.for_each(|job| links.enter(job));
        links
    }

    /// The jobs that have `id` in `DependsOn`, whether they still wait for it or not.
    pub fn dependents<'a>(&'a self, id: &JobId) -> impl Iterator<Item = &'a JobId> {
        following(&self.dependents, id)
    }

    /// The jobs that have `id` as their recovery job.
    pub fn recovered_by<'a>(&'a self, id: &JobId) -> impl Iterator<Item = &'a JobId> {
        following(&self.recovered, id)
    }

    /// Takes over a committed change.
    pub(super) fn apply(&mut self, change: &Change) {
        match change {
            Change::Insert { job, .. } => self.enter(job),
            Change::Update { before, after } if is_alike(before, after) => {}
            Change::Update { before, after } => {
                self.leave(before);
                self.enter(after);
            }
            Change::Remove(job) => self.leave(job),
            Change::Run(_)
            | Change::Queue(_)
            | Change::RemoveQueue(_)
            | Change::Setting(_)
            | Change::RemoveSetting(_) => {}
        }
    }

    fn enter(&mut self, job: &JobRecord) {
        for entry in job.spec.dependencies() {
            self.dependents.insert((entry.job, job.id.clone()));
        }
        if let Some(by) = &job.recovery.by {
            self.recovered.insert((by.clone(), job.id.clone()));
        }
    }

    fn leave(&mut self, job: &JobRecord) {
        for entry in job.spec.dependencies() {
            self.dependents.remove(&(entry.job, job.id.clone()));
        }
        if let Some(by) = &job.recovery.by {
            self.recovered.remove(&(by.clone(), job.id.clone()));
        }
    }
}

/// Whether both name the same jobs.
fn is_alike(one: &JobRecord, other: &JobRecord) -> bool {
    one.spec.shares_dependencies(&other.spec) && one.recovery.by == other.recovery.by
}

/// The second of each pair whose first is `id`.
fn following<'a>(pairs: &'a OrdSet<(JobId, JobId)>, id: &JobId) -> impl Iterator<Item = &'a JobId> {
    let first = pairs.range((id.clone(), JobId::lowest())..);
    let id = id.clone();
    first
        .take_while(move |(to, _)| *to == id)
        .map(|(_, from)| from)
}
