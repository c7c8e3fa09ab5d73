//! JW_RecoveryJob: the job that runs when another one has failed with `RecoveryAction` 5.

use crate::model::{Instance, Result};
use crate::ops::BoxFuture;
use crate::provider::Context;

use super::super::core::{Amendment, JobId, JobRecord};
use super::super::engine::Engine;
use super::super::links::Links;
use super::dependency::jobs;
use super::elements::Element;
use super::failure;
use super::link::{Link, Pair};

/// The class of recovery jobs.
const CLASS: &str = "JW_RecoveryJob";

/// Which job runs for which.
pub(super) struct RecoveryJobs;

impl Link for RecoveryJobs {
    fn class(&self) -> &'static str {
        CLASS
    }

    fn roles(&self) -> [&'static str; 2] {
        ["Antecedent", "Dependent"]
    }

    fn of_job(&self, job: &JobRecord) -> Vec<Pair> {
        let by = job.recovery.by.clone();
        let pair = by.map(|by| Pair::of(Element::Job(by), Element::Job(job.id.clone())));
        pair.into_iter().collect()
    }

    fn pointing_to(&self, links: &Links, job: &JobId) -> Vec<JobId> {
        links.recovered_by(job).cloned().collect()
    }

    fn permit(&self, _cx: &Context) -> Result<()> {
        Ok(())
    }

    fn create<'a>(
        &'a self,
        (_, engine): (&'a Context, &'a Engine),
        ends: [Element; 2],
        _instance: &'a Instance,
    ) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move {
            let (antecedent, dependent) = jobs(ends)?;
            let amendment = Amendment::SetRecoveryJob(antecedent);
            let amended = engine.amend(dependent, amendment).await;
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
            let amendment = Amendment::RemoveRecoveryJob(antecedent);
            let amended = engine.amend(dependent, amendment).await;
            amended.map_err(|error| failure::cim(&error))
        })
    }
}
