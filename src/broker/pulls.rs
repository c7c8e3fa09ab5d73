//! The pulled enumerations: each Open makes the same stream as the operation that gives all at once,
//! and each answer draws from it at the pace of its client (DSP0200 1.4 §5.4.2.24).

mod drawing;

use std::future::ready;
use std::sync::Arc;
use std::time::Duration;

use futures_util::stream::{StreamExt, TryStreamExt};
use tokio::time::Instant;

use crate::model::{CimError, CimName, CimValue, Class, Instance, Result, Status};
use crate::ops::{
    ClassReply, ClassSelect, CloseEnumeration, EnumerationCount, InstanceStream, Object,
    ObjectStream, OpenAssociatorInstancePaths, OpenAssociatorInstances, OpenEnumerateInstancePaths,
    OpenEnumerateInstances, OpenQueryInstances, OpenReferenceInstancePaths, OpenReferenceInstances,
    Opening, PullKind, PullReply, PullShape, PulledObject, Reply, Select, Terms,
};
use crate::provider::Context;
use crate::query::{Circumstances, Filter, Query};

use super::dispatch::Broker;
use super::enumerations::{Enumeration, Objects, Turn};

use drawing::{Drawing, Stage};

impl Broker {
    pub(super) fn open_instances(
        &self,
        cx: &Context,
        request: OpenEnumerateInstances,
    ) -> Result<Reply> {
        let opening = &request.opening;
        let timeout = self.opening(opening)?;
        let class = cx.schema.known_class(&request.class)?.clone();
        self.deprecations.class(&class);
        let filter = filter(cx, opening, Some(&class))?;
        let select = if request.deep_inheritance {
            request.select
        } else {
            request.select.within(&class)
        };
        let found = located(cx, self.instances_of(cx, &class));
        let objects = filtered(cx, filter, found).map_ok(PulledObject::Instance);
        let opened = Opened {
            kind: PullKind::InstancesWithPath,
            objects: objects.boxed(),
            shape: shape(select),
        };
        self.begin(cx, opened, opening.terms, timeout)
    }

    pub(super) fn open_paths(
        &self,
        cx: &Context,
        request: &OpenEnumerateInstancePaths,
    ) -> Result<Reply> {
        let opening = &request.opening;
        let timeout = self.opening(opening)?;
        let class = cx.schema.known_class(&request.class)?.clone();
        self.deprecations.class(&class);
        let objects = match filter(cx, opening, Some(&class))? {
            // Providers may know paths without making instances.
            None => self.paths_of(cx, &class).map_ok(PulledObject::Path).boxed(),
            some => {
                let found = located(cx, self.instances_of(cx, &class));
                paths(filtered(cx, some, found))
            }
        };
        self.begin(cx, Opened::paths(objects), opening.terms, timeout)
    }

    pub(super) async fn open_references(
        &self,
        cx: &Context,
        request: OpenReferenceInstances,
    ) -> Result<Reply> {
        let opening = &request.opening;
        let timeout = self.opening(opening)?;
        let found = self.referring(cx, &request.path, &request.filter).await?;
        let filter = filter(cx, opening, result(cx, request.filter.result.as_ref()))?;
        let opened = Opened::instances(filtered(cx, filter, found), request.select);
        self.begin(cx, opened, opening.terms, timeout)
    }

    pub(super) async fn open_reference_paths(
        &self,
        cx: &Context,
        request: &OpenReferenceInstancePaths,
    ) -> Result<Reply> {
        let opening = &request.opening;
        let timeout = self.opening(opening)?;
        let found = self.referring(cx, &request.path, &request.filter).await?;
        let filter = filter(cx, opening, result(cx, request.filter.result.as_ref()))?;
        let opened = Opened::paths(paths(filtered(cx, filter, found)));
        self.begin(cx, opened, opening.terms, timeout)
    }

    pub(super) async fn open_associators(
        &self,
        cx: &Context,
        request: OpenAssociatorInstances,
    ) -> Result<Reply> {
        let opening = &request.opening;
        let timeout = self.opening(opening)?;
        let wanted = request.filter.result.clone();
        let found = self.associated(cx, &request.path, request.filter).await?;
        let filter = filter(cx, opening, result(cx, wanted.as_ref()))?;
        let opened = Opened::instances(filtered(cx, filter, found), request.select);
        self.begin(cx, opened, opening.terms, timeout)
    }

    pub(super) async fn open_associator_paths(
        &self,
        cx: &Context,
        request: OpenAssociatorInstancePaths,
    ) -> Result<Reply> {
        let opening = &request.opening;
        let timeout = self.opening(opening)?;
        let wanted = request.filter.result.clone();
        let found = self.associated(cx, &request.path, request.filter).await?;
        let filter = filter(cx, opening, result(cx, wanted.as_ref()))?;
        let opened = Opened::paths(paths(filtered(cx, filter, found)));
        self.begin(cx, opened, opening.terms, timeout)
    }

    pub(super) async fn open_query(
        &self,
        cx: &Context,
        request: &OpenQueryInstances,
    ) -> Result<Reply> {
        let timeout = self.timeout(request.terms)?;
        let query = Query::given(&request.language, &request.query, &*cx.schema)?;
        let class = ClassReply {
            class: query.class.clone(),
            select: ClassSelect {
                local_only: false,
                qualifiers: true,
                class_origin: false,
                properties: query.projection.names(),
            },
        };
        let (rows, select) = self.rows(cx, Arc::new(query)).await?;
        let opened = Opened {
            kind: PullKind::Instances,
            objects: rows.map_ok(PulledObject::Row).boxed(),
            shape: PullShape {
                select,
                result_class: request.return_class.then_some(class),
            },
        };
        self.begin(cx, opened, request.terms, timeout)
    }

    /// `context` and `max_objects` are those of a Pull operation of that kind.
    pub(super) fn pull(
        &self,
        cx: &Context,
        kind: PullKind,
        context: &str,
        max_objects: u32,
    ) -> Result<Reply> {
        let turn = self.enumerations.take(cx, kind, context, max_objects)?;
        let shape = shape(turn.select());
        Ok(self.answer(turn, shape, max_objects, Stage::Pull))
    }

    pub(super) fn close_enumeration(
        &self,
        cx: &Context,
        request: &CloseEnumeration,
    ) -> Result<Reply> {
        self.enumerations
            .close(cx, &request.context)
            .map(|()| Reply::Void)
    }

    /// NULL says that the number is not known.
    pub(super) fn enumeration_count(
        &self,
        cx: &Context,
        request: &EnumerationCount,
    ) -> Result<Reply> {
        let count = self.enumerations.remaining(cx, &request.context)?;
        Ok(Reply::Value(count.map_or(CimValue::Null, CimValue::Uint64)))
    }

    /// Closes enumerations that their clients have left, as long as it is polled.
    pub async fn expire_enumerations(&self) -> std::convert::Infallible {
        self.enumerations.expire().await
    }

    /// From now on every request for an enumeration is answered `SERVER_IS_SHUTTING_DOWN`.
    pub fn stop_enumerations(&self) {
        self.enumerations.stop();
    }

    /// What is judged before anything is looked up: DSP0200 lists these status codes first.
    fn opening(&self, opening: &Opening) -> Result<Duration> {
        let timeout = self.timeout(opening.terms)?;
        let (language, text) = (
            opening.filter_language.as_deref(),
            opening.filter.as_deref(),
        );
        Filter::asked(language, text)?;
        Ok(timeout)
    }

    fn timeout(&self, terms: Terms) -> Result<Duration> {
        self.enumerations.running()?;
        let limits = &self.enumerations.limits;
        let Some(seconds) = terms.timeout_seconds else {
            return Ok(limits.timeout);
        };
        let timeout = Duration::from_secs(u64::from(seconds));
        if seconds == 0 || timeout > limits.longest_timeout {
            let text = format!(
                "OperationTimeout: {seconds} s where 1 to {} s are possible",
                limits.longest_timeout.as_secs()
            );
            return Err(CimError::new(Status::InvalidOperationTimeout, text));
        }
        Ok(timeout)
    }

    fn begin(
        &self,
        cx: &Context,
        opened: Opened,
        terms: Terms,
        timeout: Duration,
    ) -> Result<Reply> {
        let Opened {
            kind,
            objects,
            shape,
        } = opened;
        let select = shape.select.clone();
        let enumeration = Enumeration::new(objects, select, terms.continue_on_error);
        let turn = self.enumerations.open(cx, kind, timeout, enumeration)?;
        Ok(self.answer(turn, shape, terms.max_objects, Stage::Open))
    }

    fn answer(&self, turn: Turn, shape: PullShape, max_objects: u32, stage: Stage) -> Reply {
        let drawing = Drawing {
            turn,
            left: max_objects.min(self.enumerations.limits.objects),
            is_empty: true,
            looks_ahead: max_objects > 0,
            until: Instant::now() + self.enumerations.limits.answer_time,
            stage,
        };
        Reply::Pulled(PullReply {
            stream: drawing.stream(),
            shape,
        })
    }
}

/// An enumeration before its first answer.
struct Opened {
    kind: PullKind,
    objects: Objects,
    shape: PullShape,
}

impl Opened {
    fn instances(found: ObjectStream, select: Select) -> Self {
        Self {
            kind: PullKind::InstancesWithPath,
            objects: found.map_ok(PulledObject::Instance).boxed(),
            shape: shape(select),
        }
    }

    fn paths(objects: Objects) -> Self {
        Self {
            kind: PullKind::Paths,
            objects,
            shape: PullShape::default(),
        }
    }
}

fn shape(select: Select) -> PullShape {
    PullShape {
        select,
        result_class: None,
    }
}

fn located(cx: &Context, found: InstanceStream) -> ObjectStream {
    let namespace = cx.namespace.clone();
    let located = move |instance: Instance| Object {
        namespace: namespace.clone(),
        instance,
    };
    found.map_ok(located).boxed()
}

fn paths(found: ObjectStream) -> Objects {
    found
        .map_ok(|object| PulledObject::Path(object.path()))
        .boxed()
}

/// The class that results are of, which is known to exist by then.
fn result<'a>(cx: &'a Context, wanted: Option<&CimName>) -> Option<&'a Arc<Class>> {
    cx.schema.class(wanted?.as_str())
}

fn filter(cx: &Context, opening: &Opening, class: Option<&Arc<Class>>) -> Result<Option<Filter>> {
    Filter::given(
        opening.filter_language.as_deref(),
        opening.filter.as_deref(),
        class,
        &*cx.schema,
    )
}

/// What passes the filter: it is asked of the whole instance, whatever is shown of it.
fn filtered(cx: &Context, filter: Option<Filter>, found: ObjectStream) -> ObjectStream {
    let Some(filter) = filter else { return found };
    let now = cx.now;
    let selects = move |object: &Object| {
        let namespace = &object.namespace;
        ready(filter.selects(&object.instance, Circumstances { now, namespace }))
    };
    found.try_filter(selects).boxed()
}

#[cfg(test)]
mod tests;
