//! The providers of jobs, of their queue, of the service that takes them: views of the job engine.

mod alert;
mod call;
mod capabilities;
mod dependency;
mod element_settings;
mod elements;
mod failure;
mod hosting;
mod job;
mod link;
mod log;
mod method_result;
mod next_runs;
mod queue;
mod recent;
mod recovery;
mod run;
mod schedule;
mod service;
mod setting_data;
mod settings;
mod shown;
mod state_change;
mod statistics;
mod told;
mod trouble;

pub use service::{CLASS as SERVICE, NAME as SERVICE_NAME};
pub use told::Teller;

use std::sync::Arc;

use crate::model::{CimName, Namespace};
use crate::provider::{Context, Provider, Registration, Role};

use super::core::JobRecord;
use super::engine::Engine;
use link::{Link, LinkProvider};

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
    let mut all = associations(engine, host, served);
    let (engine, host) = (engine.clone(), host.clone());
    all.extend([
        registration(
            "statistics of jobs",
            statistics::CLASS,
            Arc::new(statistics::StatisticsProvider::new(
                engine.clone(),
                host.clone(),
            )),
        ),
        registration(
            "capabilities of jobs",
            capabilities::CLASS,
            Arc::new(capabilities::CapabilitiesProvider::new(engine.clone())),
        ),
        registration(
            "settings of jobs",
            "CIM_JobSettingData",
            Arc::new(setting_data::SettingDataProvider::new(engine.clone())),
        ),
        registration(
            "calls",
            method_result::CLASS,
            Arc::new(method_result::MethodResultProvider::new(
                engine.clone(),
                host.clone(),
            )),
        ),
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
    ]);
    all
}

/// The associations of the engine whose ends are in memory.
fn links() -> Vec<Arc<dyn Link>> {
    vec![
        Arc::new(dependency::Dependencies),
        Arc::new(recovery::RecoveryJobs),
        Arc::new(method_result::AssociatedJobMethodResult),
        Arc::new(hosting::OwningJobElement),
        Arc::new(hosting::AffectedJobElement),
        Arc::new(hosting::JobDestinationJobs),
        Arc::new(hosting::HostedJobDestination),
        Arc::new(hosting::HostedService),
        Arc::new(hosting::ServiceAffectsElement),
        Arc::new(element_settings::ElementSettingData),
        Arc::new(capabilities::ElementCapabilities),
    ]
}

/// The registrations of the associations, each with its class as its name.
fn associations(engine: &Engine, host: &Host, served: &[Namespace]) -> Vec<Registration> {
    let registration = |link: Arc<dyn Link>| Registration {
        name: link.class(),
        namespaces: served.to_vec(),
        classes: vec![CimName::of(link.class())],
        provider: Arc::new(LinkProvider::new(engine, host, link)),
    };
    links().into_iter().map(registration).collect()
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
