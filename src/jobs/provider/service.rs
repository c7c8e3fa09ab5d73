//! JW_JobService: the service that takes jobs, and its method SubmitJob.

use std::sync::Arc;

use crate::model::{
    CimError, CimName, CimType, CimValue, Class, Instance, InstancePath, Method, Result,
};
use crate::ops::{BoxFuture, InstanceStream, MethodReply};
use crate::provider::{Arguments, Context, Provider, fill};

use super::super::core::{Call, JobFields, Setting};
use super::super::engine::{Engine, EngineError};
use super::elements::Ground;
use super::{Host, failure, job, settings};

/// The class of the one service.
pub const CLASS: &str = "JW_JobService";
/// `Name` of the one service.
pub const NAME: &str = "jobwright";

/// Return value of SubmitJob: the job is accepted and durable.
pub(super) const STARTED: u32 = 4096;

/// Its other return values.
mod code {
    /// The engine takes no job now.
    pub(super) const FAILED: u32 = 4;
    /// The parameters are no job.
    pub(super) const INVALID_PARAMETER: u32 = 5;
}

/// The provider of the one service.
pub(super) struct ServiceProvider {
    engine: Engine,
    host: Host,
}

impl ServiceProvider {
    /// The service in front of `engine`.
    pub(super) fn new(engine: Engine, host: Host) -> Self {
        Self { engine, host }
    }

    async fn submit_job(&self, cx: &Context, given: &Arguments) -> Result<MethodReply> {
        let Some((fields, call)) = merged(given)? else {
            return Ok(MethodReply::code(code::INVALID_PARAMETER));
        };
        match job::submit(&self.engine, cx, fields, Some(call)).await {
            Ok(submitted) => {
                let mut reply = MethodReply::code(STARTED);
                let path = Ground::from(cx).by_id(job::CLASS, submitted.id.as_str())?;
                reply.output(
                    "Job",
                    CimType::Reference,
                    CimValue::Reference(Box::new(path.into())),
                );
                Ok(reply)
            }
            Err(error @ (EngineError::Full(_) | EngineError::Stopped | EngineError::Queue(_))) => {
                tracing::info!(%error, "SubmitJob answered 4");
                Ok(MethodReply::code(code::FAILED))
            }
            Err(
                error @ (EngineError::Spec(_)
                | EngineError::Wrong(_)
                | EngineError::IdUsed(_)
                | EngineError::RequestId),
            ) => {
                tracing::info!(%error, "SubmitJob answered 5");
                Ok(MethodReply::code(code::INVALID_PARAMETER))
            }
            Err(
                error @ (EngineError::NotFound(_)
                | EngineError::Exists(_)
                | EngineError::Missing(_)
                | EngineError::Denied(_)
                | EngineError::Store(_)
                | EngineError::Log(_)),
            ) => Err(failure::cim(&error)),
        }
    }
}

/// The one service, on `host`, as an instance of `class`.
pub(super) fn shown(class: &Arc<Class>, host: &Host) -> Result<Instance> {
    let running: &'static [u16] = &[2];
    fill::instance(
        class,
        [
            ("SystemCreationClassName", "CIM_ComputerSystem".into()),
            ("SystemName", (&*host.name).into()),
            ("CreationClassName", CLASS.into()),
            ("Name", NAME.into()),
            ("ElementName", "Jobwright job service".into()),
            ("OperationalStatus", running.into()),
            ("HealthState", 5_u16.into()),
            ("EnabledState", 2_u16.into()),
            ("Started", true.into()),
        ],
    )
}

/// The parameters and `JobSettings` as one job, and as the call that they are; `None` when they give
/// a property different values.
fn merged(given: &Arguments) -> Result<Option<(JobFields, Call)>> {
    let further = match given.value("JobSettings") {
        CimValue::Instance(instance) => Some(settings::fields(instance)?),
        _ => None,
    };
    let mut fields = further.clone().unwrap_or_default();
    let mut own = JobFields::default();
    for name in ["Name", "Command", "Script"] {
        let value = given.value(name);
        let Some(setting) = settings::setting(name, value).filter(|_| !value.is_null()) else {
            continue;
        };
        let was_given = match &setting {
            Setting::Name(_) => fields.name.is_some(),
            Setting::Command(_) => fields.command.is_some(),
            _ => fields.script.is_some(),
        };
        own.set(setting.clone());
        if fields.set(setting) && was_given {
            return Ok(None);
        }
    }
    let request_id = given.value("RequestID").as_str().map(str::to_owned);
    let call = Call::new(own, further, request_id);
    Ok(Some((fields, call)))
}

impl Provider for ServiceProvider {
    fn instances(&self, cx: &Context, class: &Arc<Class>) -> InstanceStream {
        fill::instances_of(cx, CLASS, class, |own| Ok(vec![shown(own, &self.host)?]))
    }

    /// What a job runs may hold secrets.
    fn is_secret(&self, _method: &Method, parameter: &CimName) -> bool {
        ["Command", "Script", "JobSettings"]
            .iter()
            .any(|secret| parameter.is(secret))
    }

    fn invoke<'a>(
        &'a self,
        cx: &'a Context,
        _class: &'a Arc<Class>,
        path: Option<&'a InstancePath>,
        (method, given): (&'a Method, Arguments),
    ) -> BoxFuture<'a, Result<MethodReply>> {
        Box::pin(async move {
            if let Some(path) = path {
                self.get(cx, path).await?;
            }
            match method.name.folded().as_str() {
                "submitjob" => self.submit_job(cx, &given).await,
                name => Err(CimError::method_not_available(format!(
                    "{name} is not available: the service starts and stops with the server"
                ))),
            }
        })
    }
}
