//! CIM_AlertIndication: what of the engine somebody should know of without watching it.

use std::sync::Arc;

use crate::model::{Class, Instance, Namespace, Result};
use crate::provider::fill;

use super::super::core::{JobRecord, JobState, QueueView};
use super::{Host, queue, trouble};

/// The class of alerts.
pub(super) const CLASS: &str = "CIM_AlertIndication";
/// `AlertType`: Processing Error.
const PROCESSING: u16 = 4;
/// `AlertType`: Other, which `OtherAlertType` names.
const OTHER: u16 = 1;
/// `OtherAlertType` of the alert that `Notify` asks for.
const ENDED: &str = "End of a Job";
/// `AlertType`: Quality of Service Alert.
const SERVICE: u16 = 3;
/// `PerceivedSeverity`: Information.
const INFORMATION: u16 = 2;
/// `PerceivedSeverity`: Degraded/Warning.
const WARNING: u16 = 3;
/// `ProbableCause`: Queue Size Exceeded.
const QUEUE_SIZE: u16 = 40;
/// `ProbableCause`: Timing Problem.
const TIMING: u16 = 53;
/// `AlertingElementFormat`: the element is named by its object path.
const PATH: u16 = 2;

/// Where alerts come from.
pub(super) struct Source<'a> {
    pub(super) class: &'a Arc<Class>,
    pub(super) host: &'a Host,
    pub(super) namespace: &'a Namespace,
}

/// What an alert says.
struct Alert {
    element: String,
    event: String,
    kind: u16,
    severity: u16,
    cause: u16,
    id: String,
    message: String,
    /// `MessageArguments`, where there are some.
    arguments: Option<Vec<String>>,
}

impl Source<'_> {
    /// The alerts of a job that changed: that it failed, that times of its calendar were missed, and that
    /// it ended where `Notify` says whom to tell.
    pub(super) fn of_job(&self, before: &JobRecord, after: &JobRecord) -> Vec<Result<Instance>> {
        let element = trouble::source(self.namespace, after);
        let mut alerts = Vec::new();
        let failed = after.state == JobState::Exception && before.state != after.state;
        if let Some(error) = after.error.as_ref().filter(|_| failed) {
            alerts.push(self.made(Alert {
                element: element.clone(),
                event: format!("failed:{}", after.id),
                kind: PROCESSING,
                severity: trouble::severity(after.state),
                cause: trouble::probable_cause(error.code),
                id: trouble::message_id(error),
                message: format!("the job {} failed: {}", after.id, error.description),
                arguments: None,
            }));
        }
        if after.plan.missed > before.plan.missed {
            let missed = after.plan.missed;
            alerts.push(self.made(Alert {
                element: element.clone(),
                event: format!("missed:{}", after.id),
                kind: SERVICE,
                severity: WARNING,
                cause: TIMING,
                id: "JW2001".to_owned(),
                message: format!("the job {} has missed {missed} of its times", after.id),
                arguments: None,
            }));
        }
        if after.state.is_final() && !before.state.is_final() {
            alerts.extend(self.of_end(element, after));
        }
        alerts
    }

    /// The alert that a job has ended, for whoever its `Notify` names: the id, the state and `Notify` are
    /// its arguments.
    fn of_end(&self, element: String, job: &JobRecord) -> Option<Result<Instance>> {
        let notify = job.spec.notify()?.to_owned();
        let (how, severity) = match job.state {
            JobState::Exception => ("failed", trouble::severity(job.state)),
            JobState::Terminated => ("was terminated", INFORMATION),
            JobState::Killed => ("was killed", INFORMATION),
            JobState::New
            | JobState::Starting
            | JobState::Running
            | JobState::Suspended
            | JobState::ShuttingDown
            | JobState::Completed => ("completed", INFORMATION),
        };
        let state = job.state.number().to_string();
        Some(self.made(Alert {
            element,
            event: format!("ended:{}", job.id),
            kind: OTHER,
            severity,
            cause: trouble::probable_cause(job.error.as_ref().map_or(0, |error| error.code)),
            id: "JW2004".to_owned(),
            message: format!("the job {} {how}; to be told: {notify}", job.id),
            arguments: Some(vec![job.id.to_string(), state, notify]),
        }))
    }

    /// The alert that a queue takes no more jobs.
    pub(super) fn of_full(&self, view: &QueueView) -> Result<Instance> {
        let name = &view.record.name;
        let class = queue::CLASS;
        let host = &self.host.name;
        let element = format!(
            "{}:{class}.SystemCreationClassName=\"CIM_ComputerSystem\",SystemName=\"{host}\",\
             CreationClassName=\"{class}\",Name=\"{name}\"",
            self.namespace
        );
        self.made(Alert {
            element,
            event: format!("full:{name}"),
            kind: SERVICE,
            severity: WARNING,
            cause: QUEUE_SIZE,
            id: "JW2002".to_owned(),
            message: format!(
                "the queue {name} has {} jobs and takes no more",
                view.record.limits.max_jobs
            ),
            arguments: None,
        })
    }

    fn made(&self, alert: Alert) -> Result<Instance> {
        fill::instance(
            self.class,
            [
                ("AlertType", alert.kind.into()),
                (
                    "OtherAlertType",
                    (alert.kind == OTHER).then_some(ENDED).into(),
                ),
                ("PerceivedSeverity", alert.severity.into()),
                ("ProbableCause", alert.cause.into()),
                ("AlertingManagedElement", alert.element.into()),
                ("AlertingElementFormat", PATH.into()),
                ("EventID", alert.event.into()),
                ("SystemCreationClassName", "CIM_ComputerSystem".into()),
                ("SystemName", (&*self.host.name).into()),
                ("ProviderName", "jobwright".into()),
                ("OwningEntity", "Jobwright".into()),
                ("MessageID", alert.id.into()),
                ("MessageArguments", alert.arguments.into()),
                ("Message", alert.message.as_str().into()),
                ("Description", alert.message.into()),
            ],
        )
    }
}
