//! The things of the engine that associations lead to, and their object paths.

use std::sync::Arc;

use crate::model::{CimName, CimValue, InstancePath, Namespace, ObjectPath, Result};
use crate::provider::{Context, fill};
use crate::schema::Schema;

use super::super::core::{JobId, JobRecord};
use super::super::engine::Snapshot;
use super::{
    Host, capabilities, is_visible, job, method_result, queue, run, schedule, service, setting_data,
};

/// One end of an association.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Element {
    /// A job.
    Job(JobId),
    /// A queue, by its name.
    Queue(String),
    /// The job service.
    Service,
    /// The system that all of it is on.
    System,
    /// A run of a job, by its number.
    Run(JobId, u32),
    /// The record of the call that made a job.
    Call(JobId),
    /// A schedule of a job, by its number.
    Schedule(JobId, u32),
    /// What jobs can do.
    Capabilities,
    /// Settings of jobs, by their id.
    Setting(String),
}

impl Element {
    /// The job that the element is, or is a part of.
    pub(super) fn job(&self) -> Option<&JobId> {
        match self {
            Self::Job(id) | Self::Call(id) | Self::Run(id, _) | Self::Schedule(id, _) => Some(id),
            Self::Queue(_)
            | Self::Service
            | Self::System
            | Self::Capabilities
            | Self::Setting(_) => None,
        }
    }
}

/// Where the paths of elements are: a namespace, with its schema.
#[derive(Clone, Copy)]
pub(super) struct Ground<'a> {
    pub(super) namespace: &'a Namespace,
    pub(super) schema: &'a Schema,
}

impl<'a> From<&'a Context> for Ground<'a> {
    fn from(cx: &'a Context) -> Self {
        Self {
            namespace: &cx.namespace,
            schema: &cx.schema,
        }
    }
}

impl Ground<'_> {
    /// The path of the instance of `class` with these keys, all of them strings.
    pub(super) fn path(self, class: &str, keys: &[(&'static str, &str)]) -> Result<InstancePath> {
        let key =
            |(name, value): &(&'static str, &str)| (CimName::of(name), CimValue::string(*value));
        Ok(InstancePath {
            namespace: self.namespace.clone(),
            class: fill::declared(self.schema, class)?.name.clone(),
            keys: keys.iter().map(key).collect(),
        })
    }

    /// The path of the instance of `class` with this `InstanceID`.
    pub(super) fn by_id(self, class: &str, id: &str) -> Result<InstancePath> {
        self.path(class, &[("InstanceID", id)])
    }

    /// The path of `element` of `host`.
    pub(super) fn path_of(self, host: &Host, element: &Element) -> Result<InstancePath> {
        let by_id = |class, id: &str| self.by_id(class, id);
        let hosted = |class, name: &str| {
            let keys = [
                ("SystemCreationClassName", queue::SYSTEM),
                ("SystemName", &*host.name),
                ("CreationClassName", class),
                ("Name", name),
            ];
            self.path(class, &keys)
        };
        match element {
            Element::Job(id) => by_id(job::CLASS, id.as_str()),
            Element::Run(job, number) => by_id(run::CLASS, &run::instance_id(job, *number)),
            Element::Call(job) => by_id(method_result::CLASS, &method_result::instance_id(job)),
            Element::Schedule(job, number) => by_id(
                schedule::CLASS,
                &schedule::instance_id(job.as_str(), *number),
            ),
            Element::Setting(id) => by_id(setting_data::CLASS, id),
            Element::Capabilities => by_id(capabilities::CLASS, capabilities::ID),
            Element::Queue(name) => hosted(queue::CLASS, name),
            Element::Service => hosted(service::CLASS, service::NAME),
            Element::System => {
                let keys = [("CreationClassName", queue::SYSTEM), ("Name", &*host.name)];
                self.path(queue::SYSTEM, &keys)
            }
        }
    }
}

/// Who asks, and what there was when the question came.
#[derive(Clone)]
pub(super) struct Scope {
    pub(super) cx: Context,
    pub(super) snapshot: Arc<Snapshot>,
    pub(super) host: Host,
}

impl Scope {
    /// The element at `path`, if it has the form of one of ours. It may not be there.
    pub(super) fn element(&self, path: &InstancePath) -> Option<Element> {
        if path.namespace != self.cx.namespace {
            return None;
        }
        let is = |own: &str| {
            let own = self.cx.schema.class(own);
            own.is_some_and(|own| own.is_a(path.class.as_str()))
        };
        let key = |name: &str| path.keys.get(name).and_then(CimValue::as_str);
        let is_key = |name, expected: &str, text: bool| {
            let key: Option<&str> = key(name);
            key.is_some_and(|key| {
                if text {
                    key == expected
                } else {
                    key.eq_ignore_ascii_case(expected)
                }
            })
        };
        let hosted = |class: &str| {
            is(class)
                && is_key("SystemName", &self.host.name, true)
                && is_key("SystemCreationClassName", queue::SYSTEM, false)
                && is_key("CreationClassName", class, false)
        };
        if is(job::CLASS) {
            JobId::new(key("InstanceID")?).ok().map(Element::Job)
        } else if is(run::CLASS) {
            let (job, number) = run::parts(key("InstanceID")?)?;
            Some(Element::Run(job, number))
        } else if is(method_result::CLASS) {
            method_result::job_of(key("InstanceID")?).map(Element::Call)
        } else if is(schedule::CLASS) {
            let (job, number) = schedule::parts(key("InstanceID")?)?;
            Some(Element::Schedule(job, number))
        } else if is(setting_data::CLASS) {
            Some(Element::Setting(key("InstanceID")?.to_owned()))
        } else if is(capabilities::CLASS) {
            (key("InstanceID") == Some(capabilities::ID)).then_some(Element::Capabilities)
        } else if hosted(queue::CLASS) {
            Some(Element::Queue(key("Name")?.to_owned()))
        } else if hosted(service::CLASS) && is_key("Name", service::NAME, true) {
            Some(Element::Service)
        } else if is(queue::SYSTEM)
            && is_key("Name", &self.host.name, true)
            && is_key("CreationClassName", queue::SYSTEM, false)
        {
            Some(Element::System)
        } else {
            None
        }
    }

    /// The element that a reference of an instance in the namespace of the request leads to.
    pub(super) fn referred(&self, reference: &CimValue) -> Option<Element> {
        let reference: &ObjectPath = reference.as_reference()?;
        let namespace = reference.namespace.as_ref();
        let here = namespace.is_none_or(|namespace| *namespace == self.cx.namespace);
        let path = self.cx.schema.instance_path(&self.cx.namespace, reference);
        self.element(&path.ok().filter(|_| here)?)
    }

    /// The job `id`, where it is there and the principal may see it.
    pub(super) fn job(&self, id: &JobId) -> Option<&Arc<JobRecord>> {
        let job = self.snapshot.jobs.get(id);
        job.filter(|job| is_visible(&self.cx, job))
    }

    /// Whether `element` is there and the principal may see it.
    pub(super) fn is_there(&self, element: &Element) -> bool {
        match element {
            // Runs are in the store: whoever shows one has read it there.
            Element::Job(id) | Element::Run(id, _) => self.job(id).is_some(),
            Element::Call(id) => self.job(id).is_some_and(|job| job.call.is_some()),
            Element::Queue(name) => self.snapshot.queues.contains_key(name),
            Element::Schedule(id, number) => {
                let job = self.job(id);
                job.is_some_and(|job| job.schedules.get(*number).is_some())
            }
            Element::Setting(id) => self.snapshot.settings.contains_key(id),
            Element::Service | Element::System | Element::Capabilities => true,
        }
    }
}
