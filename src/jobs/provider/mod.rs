//! The providers of jobs, of their queue, of the service that takes them: views of the job engine.

mod dependency;
mod elements;
mod failure;
mod job;
mod link;
mod log;
mod next_runs;
mod queue;
mod recent;
mod recovery;
mod run;
mod schedule;
mod service;
mod settings;
mod shown;
mod trouble;

use std::sync::Arc;

use crate::model::{CimName, Namespace};
use crate::provider::{Context, Provider, Registration, Role};

use super::core::JobRecord;
use super::engine::Engine;

/// What the providers need to know of the machine: the keys of its system.
#[derive(Debug, Clone)]
pub struct Host {
    /// The name recorded at the first start; `SystemName` of everything hosted here.
    pub name: Arc<str>,
}

/// The registrations of all providers of the engine, in the namespaces `served`.
pub fn registrations(engine: &Engine, host: &Host, served: &[Namespace]) -> Vec<Registration> {
    let registration = |name, class, provider: Arc<dyn Provider>| Registration {
        name,
        namespaces: served.to_vec(),
        classes: vec![CimName::of(class)],
        provider,
    };
    let (engine, host) = (engine.clone(), host.clone());
    let dependencies = link::LinkProvider::new(&engine, &host, dependency::Dependencies);
    let recovery = link::LinkProvider::new(&engine, &host, recovery::RecoveryJobs);
    vec![
        registration("recovery jobs", recovery::CLASS, Arc::new(recovery)),
        registration("dependencies", dependency::CLASS, Arc::new(dependencies)),
        registration(
            "jobs",
            "CIM_Job",
            Arc::new(job::JobProvider::new(engine.clone())),
        ),
        registration(
            "runs",
            "JW_JobRun",
            Arc::new(run::RunProvider::new(engine.clone())),
        ),
        registration(
            "schedules",
            "JW_JobSchedule",
            Arc::new(schedule::ScheduleProvider::new(engine.clone())),
        ),
        registration(
            "queues",
            "CIM_JobDestination",
            Arc::new(queue::QueueProvider::new(engine.clone(), host.clone())),
        ),
        registration(
            "job service",
            "JW_JobService",
            Arc::new(service::ServiceProvider::new(engine, host)),
        ),
    ]
}

/// Whether the principal of `cx` may know of `job`: its owner, an administrator, or a reader, to
/// whom what the job runs stays hidden.
fn is_visible(cx: &Context, job: &JobRecord) -> bool {
    sees_jobs_of(cx, &job.owner.name)
}

/// The same for anything of the jobs of `owner`.
fn sees_jobs_of(cx: &Context, owner: &str) -> bool {
    match cx.principal.role() {
        Role::Administrator | Role::Reader => true,
        Role::Submitter => owner == cx.principal.name(),
    }
}

/// Whether the principal of `cx` may see what a job runs: commands may hold secrets.
fn sees_commands(cx: &Context) -> bool {
    match cx.principal.role() {
        Role::Administrator | Role::Submitter => true,
        Role::Reader => false,
    }
}
