//! JW_DestinationStatistics: what waits for each destination, what it took, what was lost on the way.

use std::collections::HashMap;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use futures_util::stream::{self, StreamExt};

use crate::model::{CimName, CimValue, Class, Instance, InstancePath, Namespace, Result};
use crate::ops::{InstanceStream, stream_of};
use crate::provider::{Context, Provider, StreamId, fill};
use crate::store::StreamRow;

use super::key::Kind;
use super::ledger::Held;
use super::service::{Service, failed};

/// The class of the numbers.
pub const CLASS: &str = "JW_DestinationStatistics";

/// The provider of the numbers of all destinations.
pub struct Statistics(pub Arc<Service>);

/// The path of the numbers of `destination`.
pub fn path(namespace: &Namespace, destination: &Instance) -> InstancePath {
    let id = CimValue::string(id(destination));
    InstancePath {
        namespace: namespace.clone(),
        class: CimName::of(CLASS),
        keys: [(CimName::of("InstanceID"), id)].into_iter().collect(),
    }
}

fn id(destination: &Instance) -> String {
    let name = destination.value("Name").as_str().unwrap_or_default();
    format!("JW:{}:{name}", destination.class.name)
}

impl Provider for Statistics {
    fn tells(&self) -> bool {
        true
    }

    fn instances(&self, cx: &Context, class: &Arc<Class>) -> InstanceStream {
        let own = cx.schema.class(CLASS);
        let Some(own) = own.filter(|own| own.is_a(class.name.as_str())).cloned() else {
            return stream_of(Vec::new());
        };
        let (service, cx) = (self.0.clone(), cx.clone());
        let read = async move {
            let rows = match service.writer.run(|store| store.streams()).await {
                Ok(rows) => rows,
                Err(error) => return vec![Err(failed(&error))],
            };
            let rows = rows.into_iter().map(|row| (row.id, row));
            shown(&service, &cx, &own, &rows.collect())
        };
        stream::once(read).flat_map(stream::iter).boxed()
    }
}

fn shown(
    service: &Service,
    cx: &Context,
    class: &Arc<Class>,
    rows: &HashMap<StreamId, StreamRow>,
) -> Vec<Result<Instance>> {
    let ledger = service.ledger();
    let visible = ledger
        .of_kind(Kind::Destination)
        .filter(|held| held.is_visible(cx));
    let shown = visible.filter_map(|held| {
        let stream = held.stream()?;
        let row = rows.get(&stream)?;
        let trouble = service.couriers.trouble(stream);
        let trouble = trouble.as_ref().map(|text| text.as_str());
        Some(numbers(class, held, (row, trouble), cx.now))
    });
    shown.collect()
}

/// The numbers of a destination.
pub fn numbers(
    class: &Arc<Class>,
    destination: &Held,
    (row, trouble): (&StreamRow, Option<&str>),
    now: DateTime<Utc>,
) -> Result<Instance> {
    let name = destination.instance.value("Name").as_str();
    let values = [
        ("InstanceID", id(&destination.instance).into()),
        ("ElementName", name.unwrap_or_default().into()),
        ("StatisticTime", now.into()),
        ("SequenceContext", row.context.as_str().into()),
        ("QueuedIndications", row.queued.into()),
        ("QueuedBytes", row.bytes.into()),
        ("DeliveredIndications", row.delivered.into()),
        ("DroppedIndications", row.dropped.into()),
        ("LastError", trouble.map(str::to_owned).into()),
    ];
    fill::instance(class, values)
}
