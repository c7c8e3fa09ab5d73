//! JW_JobQueue: the queues that jobs wait on.

use std::sync::Arc;
use std::time::Duration;

use crate::model::{
    CimError, CimName, CimValue, Class, Instance, InstancePath, Method, Result, Status,
};
use crate::ops::{BoxFuture, InstanceStream, MethodReply};
use crate::provider::{Act, Arguments, Changes, Context, Provider, Role, fill};

use super::super::core::{QueueLimits, QueueOrder, QueueView};
use super::super::engine::{Engine, Timeout};
use super::elements::{Element, Ground};
use super::settings::{number, text, time};
use super::state_change::{self, INVALID_PARAMETER, StateChange};
use super::{Host, failure};

/// The class of queues of this engine.
pub(super) const CLASS: &str = "JW_JobQueue";
/// The one method of queues.
const METHOD: &str = "RequestStateChange";
/// The class of the system that queues belong to.
pub(super) const SYSTEM: &str = "CIM_ComputerSystem";
/// Return value 4098 of `RequestStateChange`.
const NO_TIMEOUT: u32 = 4098;

/// The provider of the queues.
pub(super) struct QueueProvider {
    engine: Engine,
    host: Host,
}

impl QueueProvider {
    /// The queues of `engine`.
    pub(super) fn new(engine: Engine, host: Host) -> Self {
        Self { engine, host }
    }

    /// The queue that `path` names, if its other keys are those of this server.
    fn name<'a>(&self, path: &'a InstancePath) -> Result<&'a str> {
        let key = |name: &str| path.keys.get(name).and_then(CimValue::as_str);
        let ours = key("SystemName") == Some(&*self.host.name)
            && key("SystemCreationClassName")
                .is_some_and(|class| class.eq_ignore_ascii_case(SYSTEM))
            && key("CreationClassName").is_some_and(|class| class.eq_ignore_ascii_case(CLASS));
        let known = |name: &&str| self.engine.snapshot().queues.contains_key(*name);
        let missing = || CimError::not_found(format!("there is no queue {path}"));
        let name = key("Name").filter(|_| ours);
        name.filter(known).ok_or_else(missing)
    }

    /// The path of the queue `name`.
    fn path(&self, cx: &Context, name: &str) -> Result<InstancePath> {
        Ground::from(cx).path_of(&self.host, &Element::Queue(name.to_owned()))
    }

    async fn order(&self, name: &str, order: QueueOrder) -> Result<u32> {
        let done = self.engine.order_queue(name, order).await;
        done.map_err(|error| failure::cim(&error))
    }
}

/// A queue as an instance of `class`.
pub(super) fn shown(host: &Host, class: &Arc<Class>, queue: &QueueView) -> Result<Instance> {
    let (record, limits) = (&queue.record, &queue.record.limits);
    let running: &'static [u16] = &[2];
    let status = if queue.is_full() { 3_u16 } else { 2 };
    let name = limits.element_name.as_deref().unwrap_or(&record.name);
    fill::instance(
        class,
        [
            ("SystemCreationClassName", SYSTEM.into()),
            ("SystemName", (&*host.name).into()),
            ("CreationClassName", CLASS.into()),
            ("Name", record.name.as_str().into()),
            ("ElementName", name.into()),
            ("OperationalStatus", running.into()),
            ("HealthState", 5_u16.into()),
            ("EnabledState", record.state.number().into()),
            ("RequestedState", record.state.number().into()),
            ("QueueStatus", status.into()),
            ("DefaultJobPriority", limits.default_priority.into()),
            ("MaxTimeOnQueue", limits.max_time.into()),
            ("MaxJobsOnQueue", limits.max_jobs.into()),
            ("MaxJobCPUTime", limits.max_cpu_millis.into()),
            ("MaxRunningJobs", limits.max_running.into()),
            ("NumberOnQueue", queue.waiting.into()),
            ("NumberRunning", queue.running.into()),
        ],
    )
}

impl Provider for QueueProvider {
    fn tells(&self) -> bool {
        true
    }

    fn instances(&self, cx: &Context, class: &Arc<Class>) -> InstanceStream {
        fill::instances_of(cx, CLASS, class, |own| {
            let snapshot = self.engine.snapshot();
            let queues = snapshot.queues.values();
            queues.map(|queue| shown(&self.host, own, queue)).collect()
        })
    }

    fn get<'a>(
        &'a self,
        cx: &'a Context,
        path: &'a InstancePath,
    ) -> BoxFuture<'a, Result<Instance>> {
        Box::pin(async move {
            let name = self.name(path)?;
            let missing = || CimError::not_found(format!("there is no queue {path}"));
            let queue = self.engine.snapshot().queues.get(name).cloned();
            shown(
                &self.host,
                fill::class(cx, CLASS)?,
                &queue.ok_or_else(missing)?,
            )
        })
    }

    fn permit(&self, cx: &Context, class: &Class, act: Act<'_>) -> Result<()> {
        match act {
            Act::Invoke(method) if !method.name.is(METHOD) => Ok(()),
            Act::Modify | Act::Delete | Act::Invoke(_) => administrators_only(cx),
            Act::Create => administrators_only(cx).and_then(|()| only(CLASS, class)),
        }
    }

    fn create<'a>(
        &'a self,
        cx: &'a Context,
        instance: Instance,
    ) -> BoxFuture<'a, Result<InstancePath>> {
        Box::pin(async move {
            let name = instance.value("Name").as_str().unwrap_or_default();
            let path = self.path(cx, name)?;
            for (property, value) in instance.iter().filter(|(_, value)| !value.is_null()) {
                let property = property.name.as_str();
                let key = path.keys.get(property);
                if key.is_some_and(|key| key != value) {
                    let text = format!("{property}: of a queue of this server it is {key:?}");
                    return Err(CimError::invalid_parameter(text));
                }
            }
            let mut limits = QueueLimits::default();
            for (property, value) in instance.iter().filter(|(_, value)| !value.is_null()) {
                let known = path.keys.get(property.name.as_str()).is_some()
                    || *value == property.default
                    || set(&mut limits, property.name.as_str(), value)?;
                if !known {
                    return Err(fixed(&property.name));
                }
            }
            self.order(name, QueueOrder::Create(limits)).await?;
            Ok(path)
        })
    }

    fn modify<'a>(
        &'a self,
        cx: &'a Context,
        path: &'a InstancePath,
        changes: Changes,
    ) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move {
            let current = self.get(cx, path).await?;
            let name = self.name(path)?;
            let snapshot = self.engine.snapshot();
            let Some(queue) = snapshot.queues.get(name) else {
                return Ok(());
            };
            let mut limits = queue.record.limits.clone();
            for (property, value) in changes.values.iter() {
                let same = current.value(property.as_str()) == value;
                if !same && !set(&mut limits, property.as_str(), value)? {
                    return Err(fixed(property));
                }
            }
            if limits == queue.record.limits {
                return Ok(());
            }
            self.order(name, QueueOrder::Limit(limits))
                .await
                .map(|_| ())
        })
    }

    fn delete<'a>(&'a self, _cx: &'a Context, path: &'a InstancePath) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move {
            let name = self.name(path)?;
            self.order(name, QueueOrder::Delete).await.map(|_| ())
        })
    }

    fn invoke<'a>(
        &'a self,
        _cx: &'a Context,
        _class: &'a Arc<Class>,
        path: Option<&'a InstancePath>,
        (method, given): (&'a Method, Arguments),
    ) -> BoxFuture<'a, Result<MethodReply>> {
        Box::pin(async move {
            let called = &method.name;
            if !called.is(METHOD) {
                let text = format!("{called} is not implemented");
                return Err(CimError::method_not_available(text));
            }
            let on_class = || CimError::invalid_parameter(format!("{called} is called on a queue"));
            let name = self.name(path.ok_or_else(on_class)?)?;
            let Some(StateChange { requested, timeout }) = state_change::asked(&given)? else {
                return Ok(MethodReply::code(INVALID_PARAMETER));
            };
            if timeout != Timeout::None {
                return Ok(MethodReply::code(NO_TIMEOUT));
            }
            let code = self.order(name, QueueOrder::Request(requested)).await?;
            Ok(MethodReply::code(code))
        })
    }
}

/// Sets the limit that the property `name` is, if it is one.
fn set(limits: &mut QueueLimits, name: &str, value: &CimValue) -> Result<bool> {
    let none = || CimError::invalid_parameter(format!("{name}: must have a value"));
    let given = || number(value).ok_or_else(none);
    match name {
        "ElementName" => limits.element_name = text(value),
        "MaxRunningJobs" => limits.max_running = given()?,
        "DefaultJobPriority" => limits.default_priority = given()?,
        "MaxJobsOnQueue" => limits.max_jobs = given()?,
        "MaxJobCPUTime" => limits.max_cpu_millis = number(value).unwrap_or(0),
        "MaxTimeOnQueue" => limits.max_time = length(value)?,
        _ => return Ok(false),
    }
    Ok(true)
}

/// An interval; NULL is zero, and so is one that never ends: both set no limit.
fn length(value: &CimValue) -> Result<Duration> {
    let Some(written) = time(value) else {
        return Ok(Duration::ZERO);
    };
    let wrong = || CimError::invalid_parameter("MaxTimeOnQueue: must be an interval");
    let length = written.as_length().filter(|_| !written.has_wildcards());
    let length = length.and_then(|length| length.to_std().ok());
    let length = length.ok_or_else(wrong)?;
    Ok(if written.is_infinite() {
        Duration::ZERO
    } else {
        length
    })
}

/// That instances of `class` are created here: of the class `own` alone, not of those above it.
pub(super) fn only(own: &str, class: &Class) -> Result<()> {
    if class.name.is(own) {
        return Ok(());
    }
    let text = format!("{} cannot be created here; create a {own}", class.name);
    Err(CimError::not_supported(text))
}

/// Queues and settings belong to nobody: whoever may manage every job may manage them.
pub(super) fn administrators_only(cx: &Context) -> Result<()> {
    match cx.principal.role() {
        Role::Administrator => Ok(()),
        Role::Reader | Role::Submitter => Err(CimError::new(
            Status::AccessDenied,
            "queues and settings are managed by administrators",
        )),
    }
}

fn fixed(name: &CimName) -> CimError {
    CimError::invalid_parameter(format!("{name}: only the server sets this property"))
}
