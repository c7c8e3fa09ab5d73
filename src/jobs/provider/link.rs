//! Associations of the engine: a class says which elements it links, and one provider serves it.

use std::future::ready;
use std::sync::Arc;

use futures_util::stream::{self, StreamExt, TryStreamExt};

use crate::model::{CimError, CimName, Class, Instance, InstancePath, Result};
use crate::ops::{BoxFuture, InstanceStream, stream_of};
use crate::provider::fill::{self, Plain};
use crate::provider::{Act, Context, Provider, refers_to};

use super::super::core::{JobId, JobRecord, SettingRecord};
use super::super::engine::{Engine, Snapshot};
use super::super::links::Links;
use super::Host;
use super::elements::{Element, Ground, Scope};

/// One instance of an association: its two ends, in the order of the roles, and what else it says.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Pair {
    pub(super) ends: [Element; 2],
    pub(super) values: Vec<(&'static str, Plain)>,
}

impl Pair {
    /// A pair that says nothing but its ends.
    pub(super) fn of(first: Element, second: Element) -> Self {
        Self {
            ends: [first, second],
            values: Vec::new(),
        }
    }

    /// The pair as an instance of `class`, which is that of `link`.
    pub(super) fn instance(
        self,
        link: &dyn Link,
        class: &Arc<Class>,
        ground: Ground<'_>,
        host: &Host,
    ) -> Result<Instance> {
        let [first, second] = &self.ends;
        let [role, other] = link.roles();
        let ends = [
            (role, ground.path_of(host, first)?.into()),
            (other, ground.path_of(host, second)?.into()),
        ];
        fill::instance(class, ends.into_iter().chain(self.values))
    }
}

/// Whether a job comes with a pair that has a certain end.
pub(super) type Leads<'a> = Box<dyn Fn(&JobRecord) -> bool + 'a>;

/// An association class. A pair whose end is not there, or not for the principal, is not shown.
pub(super) trait Link: Send + Sync + 'static {
    /// The class of the instances.
    fn class(&self) -> &'static str;

    /// The names of its two references.
    fn roles(&self) -> [&'static str; 2];

    /// The pairs that come with a job.
    fn of_job(&self, _job: &JobRecord) -> Vec<Pair> {
        Vec::new()
    }

    /// Further jobs whose pairs may have `job` as an end.
    fn pointing_to(&self, _links: &Links, _job: &JobId) -> Vec<JobId> {
        Vec::new()
    }

    /// Which jobs come with a pair one of whose ends is `end`, which is no job; `None` where none ever does,
    /// so that nobody looks through the jobs for them.
    fn leading_to<'a>(&self, _end: &'a Element) -> Option<Leads<'a>> {
        None
    }

    /// The pairs that come with the queue of this name.
    fn of_queue(&self, _name: &str) -> Vec<Pair> {
        Vec::new()
    }

    /// The pairs that come with settings.
    fn of_settings(&self, _settings: &SettingRecord) -> Vec<Pair> {
        Vec::new()
    }

    /// The pairs that are always there.
    fn always(&self) -> Vec<Pair> {
        Vec::new()
    }

    /// Whether the principal may create and delete instances.
    fn permit(&self, _cx: &Context) -> Result<()> {
        let class = self.class();
        let text = format!("instances of {class} come and go with what they link");
        Err(CimError::not_supported(text))
    }

    /// Creates an instance between `ends`, which are there.
    fn create<'a>(
        &'a self,
        (cx, _): (&'a Context, &'a Engine),
        _ends: [Element; 2],
        _instance: &'a Instance,
    ) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move { self.permit(cx) })
    }

    /// Deletes the instance between `ends`, which is there.
    fn delete<'a>(
        &'a self,
        (cx, _): (&'a Context, &'a Engine),
        _ends: [Element; 2],
    ) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move { self.permit(cx) })
    }
}

/// The provider of one association class.
pub(super) struct LinkProvider {
    engine: Engine,
    host: Host,
    link: Arc<dyn Link>,
}

impl LinkProvider {
    /// The instances of `link`, between elements of `engine`.
    pub(super) fn new(engine: &Engine, host: &Host, link: Arc<dyn Link>) -> Self {
        Self {
            engine: engine.clone(),
            host: host.clone(),
            link,
        }
    }

    fn scope(&self, cx: &Context) -> Scope {
        Scope {
            cx: cx.clone(),
            snapshot: self.engine.snapshot(),
            host: self.host.clone(),
        }
    }

    /// The instances of the jobs, read job by job, and those of no job.
    fn all(&self, own: Arc<Class>, scope: Scope) -> InstanceStream {
        let fixed = made(
            &*self.link,
            &own,
            &scope,
            fixed(&*self.link, &scope.snapshot),
        );
        let link = self.link.clone();
        let next = move |last: Option<JobId>| {
            use std::ops::Bound::{Excluded, Unbounded};
            let from = last.map_or(Unbounded, Excluded);
            let next = scope.snapshot.jobs.range((from, Unbounded)).next();
            let item = next.map(|(id, job)| {
                let pairs = link.of_job(job);
                (made(&*link, &own, &scope, pairs), Some(id.clone()))
            });
            ready(item)
        };
        let of_jobs = stream::unfold(None, next).flat_map(stream::iter);
        stream::iter(fixed).chain(of_jobs).boxed()
    }

    /// The pairs of which `end`, which is the job `id` or a part of it, is an end.
    fn around(&self, scope: &Scope, end: &Element, id: &JobId) -> Vec<Pair> {
        let own = scope.job(id).map(|job| self.link.of_job(job));
        let others = self.link.pointing_to(&scope.snapshot.links, id);
        let others = others.iter().filter_map(|other| scope.job(other));
        let others = others.flat_map(|job| self.link.of_job(job));
        let pairs = own.into_iter().flatten().chain(others);
        pairs.filter(|pair| pair.ends.contains(end)).collect()
    }

    /// The ends that the references of a path or of a new instance lead to.
    fn ends<'a>(
        &self,
        scope: &Scope,
        value: impl Fn(&str) -> Option<&'a crate::model::CimValue>,
    ) -> [Option<Element>; 2] {
        self.link.roles().map(|role| scope.referred(value(role)?))
    }

    /// The pair at `path`.
    fn find(&self, scope: &Scope, path: &InstancePath) -> Result<Pair> {
        let missing = || CimError::not_found(format!("there is no instance {path}"));
        let [Some(first), Some(second)] = self.ends(scope, |role| path.keys.get(role)) else {
            return Err(missing());
        };
        let ends = [first, second];
        let of_job = ends.iter().find_map(|end| Some((end, end.job()?)));
        let pairs = match of_job {
            Some((end, id)) => self.around(scope, end, id),
            None => fixed(&*self.link, &scope.snapshot),
        };
        let found = pairs.into_iter().find(|pair| pair.ends == ends);
        found
            .filter(|pair| is_shown(scope, pair))
            .ok_or_else(missing)
    }
}

/// The pairs that come with no job.
fn fixed(link: &dyn Link, snapshot: &Snapshot) -> Vec<Pair> {
    let queues = snapshot.queues.keys();
    let queues = queues.flat_map(|name| link.of_queue(name));
    let settings = snapshot.settings.values();
    let settings = settings.flat_map(|settings| link.of_settings(settings));
    let always = link.always().into_iter();
    always.chain(queues).chain(settings).collect()
}

fn is_shown(scope: &Scope, pair: &Pair) -> bool {
    pair.ends.iter().all(|end| scope.is_there(end))
}

/// The pairs that may be shown, as instances.
fn made(
    link: &dyn Link,
    class: &Arc<Class>,
    scope: &Scope,
    pairs: Vec<Pair>,
) -> Vec<Result<Instance>> {
    let shown = pairs.into_iter().filter(|pair| is_shown(scope, pair));
    shown
        .map(|pair| instance(link, class, scope, pair))
        .collect()
}

fn instance(link: &dyn Link, class: &Arc<Class>, scope: &Scope, pair: Pair) -> Result<Instance> {
    pair.instance(link, class, (&scope.cx).into(), &scope.host)
}

impl Provider for LinkProvider {
    fn tells(&self) -> bool {
        true
    }

    fn instances(&self, cx: &Context, class: &Arc<Class>) -> InstanceStream {
        let own = cx.schema.class(self.link.class());
        match own.filter(|own| own.is_a(class.name.as_str())) {
            Some(own) => self.all(own.clone(), self.scope(cx)),
            None => stream_of(Vec::new()),
        }
    }

    fn get<'a>(
        &'a self,
        cx: &'a Context,
        path: &'a InstancePath,
    ) -> BoxFuture<'a, Result<Instance>> {
        Box::pin(async move {
            let scope = self.scope(cx);
            let pair = self.find(&scope, path)?;
            let class = fill::class(cx, self.link.class())?;
            instance(&*self.link, class, &scope, pair)
        })
    }

    fn references(
        &self,
        cx: &Context,
        class: &Arc<Class>,
        object: &InstancePath,
        role: Option<&CimName>,
    ) -> InstanceStream {
        let own = cx.schema.class(self.link.class()).cloned();
        let own = own.filter(|own| own.is_a(class.name.as_str()));
        let scope = self.scope(cx);
        let (Some(own), Some(element)) = (own, scope.element(object)) else {
            return stream_of(Vec::new());
        };
        let Some(id) = element.job() else {
            let (cx, object, role) = (cx.clone(), object.clone(), role.cloned());
            let refers =
                move |instance: &Instance| ready(refers_to(&cx, instance, &object, role.as_ref()));
            return self.all(own, scope).try_filter(refers).boxed();
        };
        let roles = self.link.roles();
        let meant = |name: &str| role.is_none_or(|role| role.is(name));
        let mut pairs = self.around(&scope, &element, id);
        pairs.retain(|pair| {
            let mut ends = pair.ends.iter().zip(roles);
            ends.any(|(end, name)| *end == element && meant(name))
        });
        Box::pin(stream::iter(made(&*self.link, &own, &scope, pairs)))
    }

    fn permit(&self, cx: &Context, _class: &Class, act: Act<'_>) -> Result<()> {
        match act {
            Act::Create | Act::Delete => self.link.permit(cx),
            Act::Modify | Act::Invoke(_) => Ok(()),
        }
    }

    fn create<'a>(
        &'a self,
        cx: &'a Context,
        instance: Instance,
    ) -> BoxFuture<'a, Result<InstancePath>> {
        Box::pin(async move {
            let scope = self.scope(cx);
            let mut ends = Vec::new();
            for role in self.link.roles() {
                let end = scope.referred(instance.value(role));
                let end = end.filter(|end| scope.is_there(end));
                let missing = || {
                    let text = format!("{role}: leads to nothing that there is here");
                    CimError::invalid_parameter(text)
                };
                ends.push(end.ok_or_else(missing)?);
            }
            let [first, second] = ends.as_slice() else {
                unreachable!("there are two roles")
            };
            let ends = [first.clone(), second.clone()];
            self.link
                .create((cx, &self.engine), ends.clone(), &instance)
                .await?;
            let pair = Pair {
                ends,
                values: Vec::new(),
            };
            let class = fill::class(cx, self.link.class())?;
            Ok(self::instance(&*self.link, class, &scope, pair)?.path(&cx.namespace))
        })
    }

    fn delete<'a>(&'a self, cx: &'a Context, path: &'a InstancePath) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move {
            let pair = self.find(&self.scope(cx), path)?;
            self.link.delete((cx, &self.engine), pair.ends).await
        })
    }
}
