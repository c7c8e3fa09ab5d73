//! CIM_MethodResult: the record of the call of `SubmitJob` that made a job; it comes and goes with the job.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use futures_util::stream;

use crate::model::{CimError, CimValue, Class, Instance, InstancePath, Namespace, Result};
use crate::ops::{BoxFuture, InstanceStream, stream_of};
use crate::provider::{Context, Provider, fill};
use crate::schema::Schema;

use super::super::core::{Call, JobId, JobRecord};
use super::super::engine::Engine;
use super::call::{METHOD, Shape, Side};
use super::elements::Element;
use super::link::{Link, Pair};
use super::{Host, is_visible, sees_commands, service};

/// The class of the records.
pub(super) const CLASS: &str = "CIM_MethodResult";
/// What the `InstanceID` of a record has after that of its job.
const SUFFIX: &str = ":call";

/// The `InstanceID` of the record of the call that made `job`.
pub(super) fn instance_id(job: &JobId) -> String {
    format!("{job}{SUFFIX}")
}

/// The job whose record has this `InstanceID`.
pub(super) fn job_of(id: &str) -> Option<JobId> {
    JobId::new(id.strip_suffix(SUFFIX)?).ok()
}

/// The provider of the records.
pub(super) struct MethodResultProvider {
    engine: Engine,
    host: Host,
}

impl MethodResultProvider {
    /// The calls that made the jobs of `engine`.
    pub(super) fn new(engine: Engine, host: Host) -> Self {
        Self { engine, host }
    }

    fn maker(&self, cx: &Context) -> Option<Maker> {
        let commands = sees_commands(cx);
        Maker::of((&cx.namespace, &cx.schema), &self.host, commands)
    }
}

/// Makes records, all in the same namespace.
pub(super) struct Maker {
    host: Host,
    class: Arc<Class>,
    /// The class of the indications that a record holds.
    told: Arc<Class>,
    /// The service that was called.
    source: Instance,
    /// Its path.
    path: String,
    shape: Arc<Shape>,
    /// Whether what jobs run is shown.
    commands: bool,
}

impl Maker {
    /// `None` where the schema lacks what records are made of.
    pub(super) fn of(
        (namespace, schema): (&Namespace, &Arc<Schema>),
        host: &Host,
        commands: bool,
    ) -> Option<Self> {
        let source = service::shown(schema.class(service::CLASS)?, host).ok()?;
        Some(Self {
            host: host.clone(),
            class: schema.class(CLASS)?.clone(),
            told: schema.class("CIM_InstMethodCall")?.clone(),
            path: source.path(namespace).to_string(),
            source,
            shape: Shape::of(namespace, schema)?,
            commands,
        })
    }

    /// The record of `job`; `None` where none of these calls made it.
    pub(super) fn record(&self, job: &JobRecord) -> Option<Result<Instance>> {
        let call = job.call.as_ref()?;
        Some(self.made(job, call))
    }

    fn made(&self, job: &JobRecord, call: &Call) -> Result<Instance> {
        let name = format!("Call that made {}", job.id);
        let values = [
            ("InstanceID", instance_id(&job.id).into()),
            ("ElementName", name.into()),
        ];
        let mut record = fill::instance(&self.class, values)?;
        let before = self.told((job, call), Side::ToldBefore, job.submitted)?;
        record.set("PreCallIndication", before)?;
        if let Some(ended) = job.ended {
            let after = self.told((job, call), Side::ToldAfter, ended)?;
            record.set("PostCallIndication", after)?;
        }
        Ok(record)
    }

    /// The call as an indication tells it.
    fn told(&self, of: (&JobRecord, &Call), side: Side, time: DateTime<Utc>) -> Result<CimValue> {
        let is_before = side == Side::ToldBefore;
        let returned = (!is_before).then(|| service::STARTED.to_string());
        let values = [
            ("IndicationTime", time.into()),
            ("SourceInstanceModelPath", (&*self.path).into()),
            ("SourceInstanceHost", (&*self.host.name).into()),
            ("MethodName", METHOD.into()),
            ("ReturnValue", returned.into()),
            ("PreCall", is_before.into()),
        ];
        let mut told = fill::instance(&self.told, values)?;
        let parameters = self.shape.parameters(side, of, self.commands)?;
        let source = CimValue::Instance(Box::new(self.source.clone()));
        told.set("SourceInstance", source)?;
        told.set("MethodParameters", CimValue::Instance(Box::new(parameters)))?;
        Ok(CimValue::Instance(Box::new(told)))
    }
}

impl Provider for MethodResultProvider {
    fn instances(&self, cx: &Context, class: &Arc<Class>) -> InstanceStream {
        let maker = self.maker(cx);
        let Some(maker) = maker.filter(|maker| maker.class.is_a(class.name.as_str())) else {
            return stream_of(Vec::new());
        };
        let (jobs, cx) = (self.engine.snapshot().jobs.clone(), cx.clone());
        let after = move |last: Option<JobId>| {
            use std::ops::Bound::{Excluded, Unbounded};
            let from = last.map_or(Unbounded, Excluded);
            let mut rest = jobs.range((from, Unbounded));
            let record = |job| maker.record(job).filter(|_| is_visible(&cx, job));
            let next = rest.find_map(|(id, job)| Some((record(job)?, Some(id.clone()))));
            std::future::ready(next)
        };
        Box::pin(stream::unfold(None, after))
    }

    fn get<'a>(
        &'a self,
        cx: &'a Context,
        path: &'a InstancePath,
    ) -> BoxFuture<'a, Result<Instance>> {
        Box::pin(async move {
            let id = path.keys.get("InstanceID").and_then(CimValue::as_str);
            let job = id.and_then(job_of);
            let job = job.and_then(|id| self.engine.snapshot().jobs.get(&id).cloned());
            let job = job.filter(|job| is_visible(cx, job));
            let record = job.and_then(|job| self.maker(cx)?.record(&job));
            record.unwrap_or_else(|| {
                let text = format!("there is no record of a call {path}");
                Err(CimError::not_found(text))
            })
        })
    }
}

/// `CIM_AssociatedJobMethodResult`: the call that made a job.
pub(super) struct AssociatedJobMethodResult;

impl Link for AssociatedJobMethodResult {
    fn class(&self) -> &'static str {
        "CIM_AssociatedJobMethodResult"
    }

    fn roles(&self) -> [&'static str; 2] {
        ["Job", "JobParameters"]
    }

    fn of_job(&self, job: &JobRecord) -> Vec<Pair> {
        let made = job.call.is_some();
        let pair = || Pair::of(Element::Job(job.id.clone()), Element::Call(job.id.clone()));
        made.then(pair).into_iter().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_the_jobs_and_a_word() {
        let check = |text: &str, expected: Option<&str>| {
            let found = job_of(text).map(|job| job.to_string());
            assert_eq!(found.as_deref(), expected, "{text}");
        };
        check("JW:1:call", Some("JW:1"));
        check("JW:1:call:call", Some("JW:1:call"));
        check(":call", None);
        check("JW:1", None);
        check("JW:1:Call", None);
        let id = JobId::new("a:b").expect("an id");
        assert_eq!(job_of(&instance_id(&id)), Some(id));
    }
}
