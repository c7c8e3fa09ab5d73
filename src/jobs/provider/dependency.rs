//! JW_JobDependency: an entry of `DependsOn` as an association, made and taken away by clients too.

use crate::model::{CimError, Instance, Result};
use crate::ops::BoxFuture;
use crate::provider::Context;

use super::super::core::{Amendment, Condition, Dependency, JobId, JobRecord};
use super::super::engine::Engine;
use super::super::links::Links;
use super::elements::Element;
use super::link::{Link, Pair};
use super::{failure, settings};

/// The class of dependencies.
const CLASS: &str = "JW_JobDependency";

/// Which job waits for which.
pub(super) struct Dependencies;

impl Link for Dependencies {
    fn class(&self) -> &'static str {
        CLASS
    }

    fn roles(&self) -> [&'static str; 2] {
        ["Antecedent", "Dependent"]
    }

    fn of_job(&self, job: &JobRecord) -> Vec<Pair> {
        let pair = |entry: Dependency| Pair {
            ends: [Element::Job(entry.job), Element::Job(job.id.clone())],
            values: vec![("Condition", entry.condition.number().into())],
        };
        job.spec.dependencies().into_iter().map(pair).collect()
    }

    fn pointing_to(&self, links: &Links, job: &JobId) -> Vec<JobId> {
        links.dependents(job).cloned().collect()
    }

    fn permit(&self, _cx: &Context) -> Result<()> {
        Ok(())
    }

    fn create<'a>(
        &'a self,
        (_, engine): (&'a Context, &'a Engine),
        ends: [Element; 2],
        instance: &'a Instance,
    ) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move {
            let (antecedent, dependent) = jobs(ends)?;
            let condition = settings::number(instance.value("Condition"));
            let condition = condition.and_then(Condition::from_number);
            let entry = Dependency {
                job: antecedent,
                condition: condition.unwrap_or(Condition::Succeeded),
            };
            let amended = engine
                .amend(dependent, Amendment::AddDependency(entry))
                .await;
            amended.map_err(|error| failure::cim(&error))
        })
    }

    fn delete<'a>(
        &'a self,
        (_, engine): (&'a Context, &'a Engine),
        ends: [Element; 2],
    ) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move {
            let (antecedent, dependent) = jobs(ends)?;
            let amendment = Amendment::RemoveDependency(antecedent);
            let amended = engine.amend(dependent, amendment).await;
            amended.map_err(|error| failure::cim(&error))
        })
    }
}

/// The two jobs of an association between jobs.
pub(super) fn jobs(ends: [Element; 2]) -> Result<(JobId, JobId)> {
    match ends {
        [Element::Job(first), Element::Job(second)] => Ok((first, second)),
        _ => Err(CimError::invalid_parameter("both ends must be jobs")),
    }
}
