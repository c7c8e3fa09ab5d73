//! The provider of CIM_Job: creation, reading, change, deletion and the methods of JW_Job.

use std::sync::Arc;

use crate::model::{CimError, CimName, CimValue, Class, Instance, InstancePath, Method, Result};
use crate::ops::{BoxFuture, InstanceStream, MethodReply, stream_of};
use crate::provider::{Act, Arguments, Changes, Context, Provider, fill};

use super::super::core::{
    Call, Dependency, JobFields, JobId, JobRecord, Submitter, unknown_dependency,
};
use super::super::engine::{Engine, EngineError, Submitted};
use super::call::Shape;
use super::elements::Ground;
use super::queue::only;
use super::recent::{RECENT, Recent};
use super::state_change::{self, INVALID_PARAMETER, StateChange};
use super::{failure, is_visible, log, next_runs, sees_commands, settings, shown, trouble};

/// The class whose instances are jobs of this engine.
pub(super) const CLASS: &str = "JW_Job";

/// A view of the job table.
pub(super) struct JobProvider {
    engine: Engine,
    recent: Recent,
}

impl JobProvider {
    /// A view of the jobs of `engine`.
    pub(super) fn new(engine: Engine) -> Self {
        Self {
            recent: Recent::of(&engine),
            engine,
        }
    }

    /// The job at `path`, where the principal may see it.
    fn visible(&self, cx: &Context, path: &InstancePath) -> Result<Arc<JobRecord>> {
        let missing = || CimError::not_found(format!("there is no job {path}"));
        let id = path
            .keys
            .get("InstanceID")
            .and_then(CimValue::as_str)
            .ok_or_else(missing)?;
        let job = self.engine.snapshot().jobs.get(id).cloned();
        job.filter(|job| is_visible(cx, job)).ok_or_else(missing)
    }

    fn view(&self, commands: bool, call: Option<Arc<Shape>>) -> shown::View {
        shown::View {
            now: self.engine.now(),
            snapshot: self.engine.snapshot(),
            commands,
            call,
        }
    }

    async fn request_state_change(&self, job: JobId, given: &Arguments) -> Result<MethodReply> {
        let Some(StateChange { requested, timeout }) = state_change::asked(given)? else {
            return Ok(MethodReply::code(INVALID_PARAMETER));
        };
        let code = self
            .engine
            .request_state_change(job, requested, timeout)
            .await;
        code.map(MethodReply::code)
            .map_err(|error| failure::cim(&error))
    }

    async fn kill(&self, job: JobId, given: &Arguments) -> Result<MethodReply> {
        let delete = given.value("DeleteOnKill").as_bool();
        let code = self.engine.kill(job, delete).await;
        code.map(MethodReply::code)
            .map_err(|error| failure::cim(&error))
    }
}

impl Provider for JobProvider {
    fn tells(&self) -> bool {
        true
    }

    fn instances(&self, cx: &Context, class: &Arc<Class>) -> InstanceStream {
        let Some(own) = cx
            .schema
            .class(CLASS)
            .filter(|own| own.is_a(class.name.as_str()))
            .cloned()
        else {
            return stream_of(Vec::new());
        };
        let (cx, view) = (
            cx.clone(),
            self.view(sees_commands(cx), Shape::of(&cx.namespace, &cx.schema)),
        );
        let jobs = view.snapshot.jobs.clone();
        // A persistent map is iterated page by page: the next job is looked up by the last one's
        // id, so that nothing is copied and the stream owns all it needs.
        let after = move |last: Option<JobId>| {
            use std::ops::Bound::{Excluded, Unbounded};
            let from = last.map_or(Unbounded, Excluded);
            let next = jobs
                .range((from, Unbounded))
                .find(|(_, job)| is_visible(&cx, job));
            let item = next.map(|(id, job)| (shown::job(&own, job, &view), Some(id.clone())));
            std::future::ready(item)
        };
        Box::pin(futures_util::stream::unfold(None, after))
    }

    fn get<'a>(
        &'a self,
        cx: &'a Context,
        path: &'a InstancePath,
    ) -> BoxFuture<'a, Result<Instance>> {
        Box::pin(async move {
            let job = self.visible(cx, path)?;
            let call = job
                .call
                .as_ref()
                .and_then(|_| Shape::of(&cx.namespace, &cx.schema));
            let view = self.view(sees_commands(cx), call);
            shown::job(fill::class(cx, CLASS)?, &job, &view)
        })
    }

    fn told<'a>(
        &'a self,
        cx: &'a Context,
        path: &'a InstancePath,
    ) -> BoxFuture<'a, Result<(Instance, Option<Arc<str>>)>> {
        Box::pin(async move {
            let job = self.visible(cx, path)?;
            let shown = shown::job(fill::class(cx, CLASS)?, &job, &self.view(false, None))?;
            Ok((shown, Some(job.owner.name.as_str().into())))
        })
    }

    fn permit(&self, _cx: &Context, class: &Class, act: Act<'_>) -> Result<()> {
        match act {
            Act::Create => only(CLASS, class),
            Act::Modify | Act::Delete | Act::Invoke(_) => Ok(()),
        }
    }

    fn create<'a>(
        &'a self,
        cx: &'a Context,
        instance: Instance,
    ) -> BoxFuture<'a, Result<InstancePath>> {
        Box::pin(async move {
            let fields = settings::fields(&instance)?;
            let submitted = submit(&self.engine, cx, fields, None).await;
            let submitted = submitted.map_err(|error| failure::cim(&error))?;
            Ground::from(cx).by_id(CLASS, submitted.id.as_str())
        })
    }

    fn modify<'a>(
        &'a self,
        cx: &'a Context,
        path: &'a InstancePath,
        changes: Changes,
    ) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move {
            let job = self.visible(cx, path)?;
            let mut wanted = Vec::new();
            for (name, value) in changes.values.iter() {
                let fixed = || {
                    CimError::invalid_parameter(format!(
                        "{name}: only the server sets this property"
                    ))
                };
                wanted.push(settings::setting(name.as_str(), value).ok_or_else(fixed)?);
            }
            let changed = self.engine.modify(job.id.clone(), wanted).await;
            changed.map_err(|error| failure::cim(&error))
        })
    }

    fn is_unchanged(&self, current: &Instance, property: &CimName, value: &CimValue) -> bool {
        let name = property.as_str();
        if current.value(name) == value {
            return true;
        }
        if property.is("ElapsedTime") {
            return was_elapsed(current.value(name), value);
        }
        let id = current
            .value("InstanceID")
            .as_str()
            .and_then(|id| JobId::new(id).ok());
        let view = self.view(true, None);
        let past = id
            .map(|id| self.recent.of_job(&id, view.now.boot))
            .unwrap_or_default();
        past.iter().any(|record| {
            let then = shown::job(&current.class, record, &view);
            then.is_ok_and(|then| then.value(name) == value)
        })
    }

    fn delete<'a>(&'a self, cx: &'a Context, path: &'a InstancePath) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move {
            let job = self.visible(cx, path)?;
            let deleted = self.engine.delete(job.id.clone()).await;
            deleted.map_err(|error| failure::cim(&error))
        })
    }

    fn invoke<'a>(
        &'a self,
        cx: &'a Context,
        _class: &'a Arc<Class>,
        path: Option<&'a InstancePath>,
        (method, given): (&'a Method, Arguments),
    ) -> BoxFuture<'a, Result<MethodReply>> {
        Box::pin(async move {
            let name = &method.name;
            let on_class = || CimError::invalid_parameter(format!("{name} is called on a job"));
            let job = self.visible(cx, path.ok_or_else(on_class)?)?;
            match name.folded().as_str() {
                "requeststatechange" => self.request_state_change(job.id.clone(), &given).await,
                "killjob" => self.kill(job.id.clone(), &given).await,
                "geterrors" => errors(cx, &job, "Errors"),
                "geterror" => errors(cx, &job, "Error"),
                "nextruns" => Ok(next_runs::answer(&self.engine, &job, &given)),
                "getlog" => log::read(&self.engine, &job.id, &given).await,
                _ => Err(CimError::method_not_available(format!(
                    "{name} is not implemented"
                ))),
            }
        })
    }
}

/// Submits a job for the principal of `cx`. To wait for a job is to learn how it ends, so that one
/// that the principal may not see is not there to be waited for.
pub(super) async fn submit(
    engine: &Engine,
    cx: &Context,
    fields: JobFields,
    call: Option<Call>,
) -> std::result::Result<Submitted, EngineError> {
    let snapshot = engine.snapshot();
    let entries = fields.depends_on.iter().flatten();
    for entry in entries.filter_map(|entry| entry.parse::<Dependency>().ok()) {
        let other = snapshot.jobs.get(&entry.job);
        if other.is_some_and(|other| !is_visible(cx, other)) {
            return Err(unknown_dependency(&entry.job).into());
        }
    }
    match call {
        Some(call) => engine.submit_called(fields, submitter(cx), call).await,
        None => engine.submit(fields, submitter(cx), None).await,
    }
}

/// The principal of `cx` as the owner of jobs.
pub(super) fn submitter(cx: &Context) -> Submitter {
    Submitter {
        name: cx.principal.name().to_owned(),
        uid: cx.principal.uid(),
    }
}

/// `GetErrors` and `GetError`: 0 and the errors, if there are any, as an array or the first alone.
fn errors(cx: &Context, job: &JobRecord, parameter: &'static str) -> Result<MethodReply> {
    let mut reply = MethodReply::code(0);
    let errors = trouble::of(cx, job)?.into_iter();
    let mut errors: Vec<_> = errors
        .map(|error| CimValue::Instance(Box::new(error)))
        .collect();
    if !errors.is_empty() {
        let value = if parameter == "Errors" {
            CimValue::Array(errors)
        } else {
            errors.swap_remove(0)
        };
        reply.output(parameter, crate::model::CimType::String, value);
    }
    Ok(reply)
}

/// A running time moves on all the while: every value of the last minute was shown or could have
/// been.
fn was_elapsed(current: &CimValue, value: &CimValue) -> bool {
    let length = |value: &CimValue| value.as_datetime().and_then(|value| value.as_length());
    match (length(current), length(value)) {
        (Some(current), Some(then)) => {
            let minute = chrono::TimeDelta::from_std(RECENT).unwrap_or_default();
            then <= current && current - then <= minute
        }
        _ => false,
    }
}
