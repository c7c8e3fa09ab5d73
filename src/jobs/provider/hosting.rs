//! What is where and whose: the system, its service and queues, and the jobs of these.

use super::super::core::JobRecord;
use super::elements::Element;
use super::link::{Leads, Link, Pair};

/// `CIM_OwningJobElement`: the service that took a job.
pub(super) struct OwningJobElement;

impl Link for OwningJobElement {
    fn class(&self) -> &'static str {
        "CIM_OwningJobElement"
    }

    fn roles(&self) -> [&'static str; 2] {
        ["OwningElement", "OwnedElement"]
    }

    fn of_job(&self, job: &JobRecord) -> Vec<Pair> {
        vec![Pair::of(Element::Service, Element::Job(job.id.clone()))]
    }
}

/// `CIM_AffectedJobElement`: the system whose processors and memory a job takes while it has a run.
pub(super) struct AffectedJobElement;

/// `ElementEffects` 3, Performance Impact.
const PERFORMANCE_IMPACT: &[u16] = &[3];

impl Link for AffectedJobElement {
    fn class(&self) -> &'static str {
        "CIM_AffectedJobElement"
    }

    fn roles(&self) -> [&'static str; 2] {
        ["AffectedElement", "AffectingElement"]
    }

    fn of_job(&self, job: &JobRecord) -> Vec<Pair> {
        if job.state.is_final() {
            return Vec::new();
        }
        vec![Pair {
            ends: [Element::System, Element::Job(job.id.clone())],
            values: vec![("ElementEffects", PERFORMANCE_IMPACT.into())],
        }]
    }
}

/// `CIM_JobDestinationJobs`: the queue of a job.
pub(super) struct JobDestinationJobs;

impl Link for JobDestinationJobs {
    fn class(&self) -> &'static str {
        "CIM_JobDestinationJobs"
    }

    fn roles(&self) -> [&'static str; 2] {
        ["Antecedent", "Dependent"]
    }

    fn of_job(&self, job: &JobRecord) -> Vec<Pair> {
        let queue = Element::Queue(job.spec.queue().to_owned());
        vec![Pair::of(queue, Element::Job(job.id.clone()))]
    }

    /// A queue may go while jobs that have ended still name it.
    fn leading_to<'a>(&self, end: &'a Element) -> Option<Leads<'a>> {
        let Element::Queue(name) = end else {
            return None;
        };
        Some(Box::new(move |job| job.spec.queue() == name))
    }
}

/// `CIM_HostedJobDestination`: the system of each queue.
pub(super) struct HostedJobDestination;

impl Link for HostedJobDestination {
    fn class(&self) -> &'static str {
        "CIM_HostedJobDestination"
    }

    fn roles(&self) -> [&'static str; 2] {
        ["Antecedent", "Dependent"]
    }

    fn of_queue(&self, name: &str) -> Vec<Pair> {
        let queue = Element::Queue(name.to_owned());
        vec![Pair::of(Element::System, queue)]
    }
}

/// `CIM_HostedService`: the system of the job service.
pub(super) struct HostedService;

impl Link for HostedService {
    fn class(&self) -> &'static str {
        "CIM_HostedService"
    }

    fn roles(&self) -> [&'static str; 2] {
        ["Antecedent", "Dependent"]
    }

    fn always(&self) -> Vec<Pair> {
        vec![Pair::of(Element::System, Element::Service)]
    }
}

/// `CIM_ServiceAffectsElement`: the queues that the job service works on.
pub(super) struct ServiceAffectsElement;

/// `ElementEffects` 5, Manages.
const MANAGES: &[u16] = &[5];

impl Link for ServiceAffectsElement {
    fn class(&self) -> &'static str {
        "CIM_ServiceAffectsElement"
    }

    fn roles(&self) -> [&'static str; 2] {
        ["AffectedElement", "AffectingElement"]
    }

    fn of_queue(&self, name: &str) -> Vec<Pair> {
        vec![Pair {
            ends: [Element::Queue(name.to_owned()), Element::Service],
            values: vec![("ElementEffects", MANAGES.into())],
        }]
    }
}
