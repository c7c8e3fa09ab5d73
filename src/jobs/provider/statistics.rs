//! CIM_ElementStatisticalData: the runs of a job, as long as the job is there.

use std::sync::Arc;

use futures_util::stream::{self, StreamExt};

use crate::model::{CimError, CimName, Class, Instance, InstancePath, Result};
use crate::ops::{BoxFuture, InstanceStream, stream_of};
use crate::provider::{Context, Provider, fill};

use super::super::core::{JobId, RunRow};
use super::super::engine::Engine;
use super::elements::{Element, Ground, Scope};
use super::{Host, failure, job, run};

/// The class of the association.
pub(super) const CLASS: &str = "CIM_ElementStatisticalData";
const JOB: &str = "ManagedElement";
const RUN: &str = "Stats";

/// The provider of the association. Runs are in the store and not in memory, so that they are read
/// when they are asked for.
pub(super) struct StatisticsProvider {
    engine: Engine,
    host: Host,
}

impl StatisticsProvider {
    /// The runs of the jobs of `engine`.
    pub(super) fn new(engine: Engine, host: Host) -> Self {
        Self { engine, host }
    }

    fn scope(&self, cx: &Context) -> Scope {
        Scope {
            cx: cx.clone(),
            snapshot: self.engine.snapshot(),
            host: self.host.clone(),
        }
    }
}

/// The association of a run with its job, as an instance of `class`.
pub(super) fn linked(ground: Ground<'_>, row: &RunRow) -> Result<Instance> {
    let job = ground.by_id(job::CLASS, row.job.as_str())?;
    let run = ground.by_id(run::CLASS, &run::instance_id(&row.job, row.number))?;
    let class = fill::declared(ground.schema, CLASS)?;
    fill::instance(class, [(JOB, job.into()), (RUN, run.into())])
}

/// The same for a principal; `None` when the job is gone, or not for the principal.
fn shown(scope: &Scope, row: &RunRow) -> Option<Result<Instance>> {
    scope.job(&row.job)?;
    Some(linked((&scope.cx).into(), row))
}

/// Whether `class` is the class of the association or above it.
fn is_asked(cx: &Context, class: &Class) -> bool {
    let own = cx.schema.class(CLASS);
    own.is_some_and(|own| own.is_a(class.name.as_str()))
}

/// The runs of `element`: of a job all, of a run itself.
async fn runs_of(engine: Engine, element: Element) -> Result<Vec<RunRow>> {
    let rows = match element {
        Element::Job(id) => engine.runs(id).await,
        Element::Run(id, number) => engine.run(id, number).await.map(Vec::from_iter),
        Element::Queue(_)
        | Element::Service
        | Element::System
        | Element::Schedule(..)
        | Element::Call(_)
        | Element::Setting(_)
        | Element::Capabilities => Ok(Vec::new()),
    };
    rows.map_err(|error| failure::cim(&error))
}

impl Provider for StatisticsProvider {
    fn instances(&self, cx: &Context, class: &Arc<Class>) -> InstanceStream {
        if !is_asked(cx, class) {
            return stream_of(Vec::new());
        }
        let scope = self.scope(cx);
        let shown = run::all(self.engine.clone()).filter_map(move |row| {
            let instance = match row {
                Ok(row) => shown(&scope, &row),
                Err(error) => Some(Err(failure::cim(&error))),
            };
            std::future::ready(instance)
        });
        shown.boxed()
    }

    fn get<'a>(
        &'a self,
        cx: &'a Context,
        path: &'a InstancePath,
    ) -> BoxFuture<'a, Result<Instance>> {
        Box::pin(async move {
            let missing = || CimError::not_found(format!("there is no instance {path}"));
            let scope = self.scope(cx);
            let end = |role| path.keys.get(role).and_then(|end| scope.referred(end));
            let (job, run) = end(JOB).zip(end(RUN)).ok_or_else(missing)?;
            let is_of = |id: &JobId| job == Element::Job(id.clone());
            let fits = matches!(&run, Element::Run(id, _) if is_of(id));
            let rows = if fits {
                runs_of(self.engine.clone(), run).await?
            } else {
                Vec::new()
            };
            let found = rows.first().and_then(|row| shown(&scope, row));
            found.unwrap_or_else(|| Err(missing()))
        })
    }

    fn references(
        &self,
        cx: &Context,
        class: &Arc<Class>,
        object: &InstancePath,
        role: Option<&CimName>,
    ) -> InstanceStream {
        let scope = self.scope(cx);
        let Some(element) = scope.element(object).filter(|_| is_asked(cx, class)) else {
            return stream_of(Vec::new());
        };
        let played = match &element {
            Element::Run(..) => RUN,
            _ => JOB,
        };
        if role.is_some_and(|role| !role.is(played)) {
            return stream_of(Vec::new());
        }
        let rows = runs_of(self.engine.clone(), element);
        let instances = async move {
            stream::iter(match rows.await {
                Ok(rows) => rows.iter().filter_map(|row| shown(&scope, row)).collect(),
                Err(error) => vec![Err(error)],
            })
        };
        stream::once(instances).flatten().boxed()
    }
}
