//! Who waits for whom: dependencies are judged, added, taken away, and settled when a job ends.

use std::collections::HashSet;
use std::sync::Arc;

use super::depend::{Dependency, unknown_dependency};
use super::event::{Answer, Refusal};
use super::id::JobId;
use super::record::{JobError, JobRecord, Now, error_code};
use super::requests::due;
use super::rules::{DEPENDENCY_LIMIT, Rule, SpecError};
use super::scheduler::Scheduler;
use super::state::JobState;

/// Jobs that are looked at for a circle before a new dependency is refused: what one request costs
/// has a limit.
const CHAIN_LIMIT: usize = 100_000;

impl Scheduler {
    pub(super) fn known_dependencies(
        &self,
        all: Vec<Dependency>,
    ) -> Result<Vec<Dependency>, Refusal> {
        let unknown = all.iter().find(|entry| !self.jobs.contains_key(&entry.job));
        match unknown {
            Some(entry) => Err(unknown_dependency(&entry.job).into()),
            None => Ok(all),
        }
    }

    /// `other` has ended in `state`: strikes what holds now, ends the job if it never can.
    pub(super) fn settle_dependency(&mut self, id: &JobId, other: &JobRecord, now: Now) {
        let Some(job) = self.jobs.get(id).filter(|job| !job.state.is_final()) else {
            return;
        };
        let of_other = |entry: &&Dependency| entry.job == other.id;
        let broken = job.awaited.iter().filter(of_other);
        let broken = broken
            .clone()
            .find(|entry| entry.condition.holds(other.state) == Some(false));
        let broken = broken.filter(|_| !other.lets_next_begin());
        if let Some(entry) = broken {
            let description = format!(
                "not started: {} ended as {}, so that its condition \"{}\" can no longer hold",
                other.id,
                other.state.label(),
                entry.condition.word()
            );
            let error = JobError {
                code: error_code::NOT_STARTED,
                description,
            };
            return self.update(id, now, |job| {
                job.state = JobState::Exception;
                job.error = Some(error);
            });
        }
        self.update(id, now, |job| strike(job, &other.id, now));
    }

    /// One more job that `id` waits for. One that has ended already as wanted is not waited for.
    pub(super) fn add_dependency(
        &mut self,
        job: &Arc<JobRecord>,
        entry: Dependency,
        now: Now,
    ) -> Result<Answer, Refusal> {
        not_begun(job)?;
        self.known_dependencies(vec![entry.clone()])?;
        let known = job.spec.dependencies();
        if known.iter().any(|known| known.job == entry.job) {
            return Err(Refusal::DependencyExists(job.id.clone(), entry.job));
        }
        if known.len() >= DEPENDENCY_LIMIT {
            return Err(SpecError::new("DependsOn", Rule::Limit(DEPENDENCY_LIMIT)).into());
        }
        self.closes_no_circle(&job.id, &entry.job)?;
        let other = entry.job.clone();
        self.update(&job.id, now, |job| {
            job.spec = job.spec.with_dependency(&entry);
            job.awaited.push(entry);
            job.ready = None;
        });
        let ended = self.jobs.get(&other).filter(|job| job.state.is_final());
        if let Some(ended) = ended.cloned() {
            self.settle_dependency(&job.id, &ended, now);
        }
        Ok(Answer::Done)
    }

    /// `id` no longer waits for `other`; it is its turn when it waits for nothing else.
    pub(super) fn remove_dependency(
        &mut self,
        job: &Arc<JobRecord>,
        other: &JobId,
        now: Now,
    ) -> Result<Answer, Refusal> {
        let known = job.spec.dependencies();
        if !known.iter().any(|known| known.job == *other) {
            return Err(Refusal::NoDependency(job.id.clone(), other.clone()));
        }
        not_begun(job)?;
        self.update(&job.id, now, |job| {
            job.spec = job.spec.without_dependency(other);
            strike(job, other, now);
        });
        Ok(Answer::Done)
    }

    /// Whether `other` waits for `id`, be it through others: then neither would ever begin.
    fn closes_no_circle(&self, id: &JobId, other: &JobId) -> Result<(), Refusal> {
        let (mut seen, mut open) = (HashSet::from([other]), vec![other]);
        while let Some(next) = open.pop() {
            if next == id {
                return Err(Refusal::Circle(id.clone(), other.clone()));
            }
            if seen.len() > CHAIN_LIMIT {
                return Err(Refusal::Chain(CHAIN_LIMIT));
            }
            let awaited = self.jobs.get(next).into_iter().flat_map(|job| &job.awaited);
            let further = awaited.map(|entry| &entry.job);
            open.extend(further.filter(|further| seen.insert(further)));
        }
        Ok(())
    }
}

/// The job no longer waits for `other`, whether that has ended as wanted or does not matter.
fn strike(job: &mut JobRecord, other: &JobId, now: Now) {
    job.awaited.retain(|entry| entry.job != *other);
    if job.awaited.is_empty() && job.state == JobState::New && due(job, now) {
        job.ready = job.ready.or(Some(now.wall));
    }
}

/// What a job waits for can be changed until its first run begins.
fn not_begun(job: &JobRecord) -> Result<(), Refusal> {
    if job.state.is_final() {
        return Err(Refusal::Over);
    }
    if job.run.is_some() {
        return Err(Refusal::Begun);
    }
    Ok(())
}

#[cfg(test)]
mod tests;
