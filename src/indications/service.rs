//! The indication service: the ledger in memory and in the store, and who is told of what changes.
//!
//! A change is planned over the present ledger, committed with the notices that it leads to itself,
//! and only then seen. Changes come one after the other; readers never wait.

use std::collections::HashMap;
use std::sync::Arc;

use arc_swap::ArcSwap;
use chrono::{DateTime, Utc};
use tokio::sync::{Mutex, Notify, mpsc};

use crate::model::{CimError, Instance, InstancePath, Namespace, Result};
use crate::ops::BoxFuture;
use crate::provider::{Interest, Notices, Observer, Occurrence, StreamId};
use crate::store::{Batch, EventRow, Store, StoreError, Writer};

use super::clerk;
use super::courier::Fault;
use super::couriers::Couriers;
use super::destination::Outward;
use super::key::{Key, Kind};
use super::ledger::{Edit, Held, Ledger, Made, Owner};
use super::links::Home;
use super::made::Maker;
use super::make::Workshop;
use super::record;
use super::settings::NAME;
use super::standing::furnished;
use super::told;
use super::watch::Watch;

/// What the service is opened with.
pub struct Parts {
    /// The store.
    pub writer: Writer,
    /// What objects are made with.
    pub workshop: Workshop,
    /// Where indications may be sent, and whom is believed there.
    pub outward: Outward,
    /// When the server started: no two starts have it in common.
    pub start: DateTime<Utc>,
}

/// The service.
pub struct Service {
    pub(super) workshop: Workshop,
    pub(super) outward: Arc<Outward>,
    pub(super) couriers: Couriers,
    pub(super) writer: Writer,
    ledger: ArcSwap<Ledger>,
    /// Rings when the ledger has changed.
    pub(super) changed: Notify,
    watch: ArcSwap<Cached>,
    maker: Maker,
    start: String,
    changing: Mutex<()>,
}

/// What is watched because of a ledger.
#[derive(Default)]
struct Cached {
    ledger: Arc<Ledger>,
    watch: Watch,
}

impl Service {
    /// Opens the service: whatever clients had set up is there again, under new sequences, and what
    /// waits for destinations is on its way.
    pub async fn open(parts: Parts) -> Result<(Arc<Self>, mpsc::Receiver<Fault>), StoreError> {
        let Parts {
            writer,
            workshop,
            outward,
            start,
        } = parts;
        let start = start.timestamp_micros().to_string();
        let rows = writer.run(|store| store.event_objects()).await?;
        let found = read(&workshop, rows);
        let streams = streams(&writer, &workshop, &found, &start).await?;
        let ledger = opened(&workshop, found, &streams);
        let ledger = furnished(&workshop, ledger.clone()).unwrap_or_else(|error| {
            tracing::error!(%error, "the indication service lacks what it should have by itself");
            ledger
        });
        let outward = Arc::new(outward);
        let queue = Arc::new(writer.clone());
        let (couriers, faults) = Couriers::new(queue, outward.clone(), ledger.settings().policy);
        for held in ledger.of_kind(Kind::Destination) {
            send_off(&couriers, held);
        }
        let service = Self {
            maker: Maker::new(&workshop.host, &start),
            workshop,
            outward,
            couriers,
            writer,
            ledger: ArcSwap::from_pointee(ledger),
            changed: Notify::new(),
            watch: ArcSwap::default(),
            start,
            changing: Mutex::new(()),
        };
        Ok((Arc::new(service), faults))
    }

    /// The name of the system that everything here belongs to.
    pub fn host(&self) -> &Arc<str> {
        &self.workshop.host
    }

    /// The path of the service itself.
    pub fn path(&self) -> Option<InstancePath> {
        let ledger = self.ledger.load();
        let own = ledger.of_kind(Kind::Service).next();
        own.map(|held| held.instance.path(&self.workshop.home.name))
    }

    /// Where its objects are.
    pub fn home(&self) -> Home<'_> {
        Home {
            namespace: &self.workshop.home.name,
            service: self.path(),
        }
    }

    /// The path of its capabilities.
    pub fn capabilities(&self) -> InstancePath {
        super::capabilities::path(&self.workshop.home.name)
    }

    /// All objects, as they are now.
    pub fn ledger(&self) -> Arc<Ledger> {
        self.ledger.load_full()
    }

    /// Makes the edits that `plan` gives for the present ledger, all or none. This goes on even if
    /// whoever asked goes away.
    ///
    /// # Errors
    /// That of the plan, or `FAILED` when the store cannot be written.
    pub async fn change<T: Send + 'static>(
        self: &Arc<Self>,
        now: DateTime<Utc>,
        plan: impl FnOnce(&Ledger) -> Result<(Vec<Edit>, T)> + Send + 'static,
    ) -> Result<T> {
        let service = self.clone();
        let done = tokio::spawn(async move {
            let one_at_a_time = service.changing.lock().await;
            let (edits, answer) = plan(&service.ledger.load())?;
            service.commit(edits, now).await?;
            drop(one_at_a_time);
            Ok(answer)
        });
        let gone = |_| Err(CimError::failed("the indication service has failed"));
        done.await.unwrap_or_else(gone)
    }

    async fn commit(&self, mut edits: Vec<Edit>, now: DateTime<Utc>) -> Result<()> {
        if edits.is_empty() {
            return Ok(());
        }
        let before = self.ledger.load_full();
        let context = sequence(&self.start, now);
        let occurrences = told::occurrences(self, (&before, &edits), &context, now).await?;
        let notices = self.notices(&self.workshop.home.name, &occurrences, now);
        let writes: Vec<Write> = edits.iter().map(|edit| write(&before, edit)).collect();
        let queued = notices.to_vec();
        let work = move |batch: &Batch<'_>| -> Result<Vec<StreamId>, StoreError> {
            let mut streams = Vec::new();
            for write in &writes {
                streams.extend(write.perform(batch, &context)?);
            }
            batch.queue(&queued, now)?;
            Ok(streams)
        };
        let streams = self
            .writer
            .transact(work)
            .await
            .map_err(|error| failed(&error))?;
        let mut streams = streams.into_iter();
        for edit in &mut edits {
            if let Edit::Put(Held {
                made: Made::Destination { stream, .. },
                ..
            }) = edit
                && let Some(own) = streams.next()
            {
                *stream = own;
            }
        }
        self.dispatch(&before, &edits);
        self.ledger.store(Arc::new(before.with(edits)));
        self.changed.notify_one();
        self.committed(notices);
        Ok(())
    }

    /// Sends off the couriers of new destinations and calls off those of the ones that are gone.
    fn dispatch(&self, before: &Ledger, edits: &[Edit]) {
        for edit in edits {
            match edit {
                Edit::Put(held) => {
                    send_off(&self.couriers, held);
                    if let Made::Service(settings) = &held.made {
                        self.couriers.settle(settings.policy);
                    }
                }
                Edit::Remove(key) => {
                    if let Some(stream) = before.get(key).and_then(|held| held.stream()) {
                        self.couriers.stop(stream);
                    }
                }
            }
        }
    }

    /// What is watched at present.
    fn watched(&self) -> Arc<Cached> {
        let ledger = self.ledger.load();
        let cached = self.watch.load();
        if Arc::ptr_eq(&cached.ledger, &ledger) {
            return Arc::clone(&cached);
        }
        let watch = ledger.watch().following(&cached.watch);
        let ledger = Arc::clone(&ledger);
        let fresh = Arc::new(Cached { ledger, watch });
        // Somebody slower may store an older one: the next question finds that out.
        self.watch.store(fresh.clone());
        fresh
    }

    /// Tells of what is part of no other change, in a transaction of its own.
    ///
    /// # Errors
    /// When the store does not take it; nothing is told then.
    pub async fn tell_at(
        &self,
        namespace: &Namespace,
        occurrences: &[Occurrence],
        now: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        let notices = self.notices(namespace, occurrences, now);
        if !notices.is_empty() {
            let queued = notices.to_vec();
            let work = move |batch: &Batch<'_>| batch.queue(&queued, now);
            self.writer.transact(work).await?;
        }
        self.committed(notices);
        Ok(())
    }

    /// Ends deliveries, so that the store can be closed.
    pub async fn close(&self) {
        self.couriers.close().await;
    }
}

impl Observer for Service {
    fn interest(&self, namespace: &Namespace, class: &str) -> Option<Interest> {
        let watched = self.watched();
        if watched.watch.is_empty() {
            return None;
        }
        let schema = (self.workshop.schemas)(namespace)?;
        let class = schema.class(class)?;
        let kinds = watched.watch.interest(namespace, class);
        (!kinds.is_empty()).then(|| Interest {
            class: class.clone(),
            schema: schema.clone(),
            kinds,
        })
    }

    fn notices(
        &self,
        namespace: &Namespace,
        occurrences: &[Occurrence],
        now: DateTime<Utc>,
    ) -> Notices {
        let watched = self.watched();
        if occurrences.is_empty() || watched.watch.is_empty() {
            return Notices::default();
        }
        let Some(schema) = (self.workshop.schemas)(namespace) else {
            return Notices::default();
        };
        let mut notices = Notices::default();
        for occurrence in occurrences {
            let make = || {
                self.maker
                    .indication(&schema, namespace, &occurrence.change, now)
            };
            match watched.watch.notices(namespace, occurrence, now, make) {
                Ok(more) => notices.append(more),
                // A change is not refused because it cannot be told.
                Err(error) => tracing::error!(%error, "an indication could not be made"),
            }
        }
        notices
    }

    fn committed(&self, notices: Notices) {
        self.couriers.ring(&notices.keep());
    }

    fn tell<'a>(
        &'a self,
        namespace: &'a Namespace,
        occurrences: Vec<Occurrence>,
    ) -> BoxFuture<'a, ()> {
        Box::pin(async move {
            let told = self.tell_at(namespace, &occurrences, clerk::now()).await;
            if let Err(error) = told {
                let error: &dyn std::error::Error = &error;
                tracing::error!(error, "something that happened could not be told");
            }
        })
    }
}

/// `SequenceContext` of a destination that was made, or found again, at `now` (DSP1054 1.2).
fn sequence(start: &str, now: DateTime<Utc>) -> String {
    format!("{NAME}#{start}#{}", now.timestamp_micros())
}

fn send_off(couriers: &Couriers, held: &Held) {
    if let Made::Destination {
        destination,
        stream,
    } = &held.made
        && let Err(error) = couriers.start(*stream, destination)
    {
        tracing::error!(%error, "a destination cannot be sent to");
    }
}

/// An object of the store, with who made it; nobody made the service.
type Found = (Kind, Instance, Option<Owner>);

/// The objects of the store, in the order in which they can be made again. One that the present schema
/// has no place for stays in the store, and nothing else comes of it.
fn read(workshop: &Workshop, rows: Vec<EventRow>) -> Vec<Found> {
    let mut found = Vec::new();
    for row in rows {
        let owner = (!row.owner.is_empty()).then(|| Owner {
            name: row.owner.as_str().into(),
            sees_all: row.sees_all,
        });
        let read = workshop.schema().and_then(|schema| {
            let read = record::read(&schema, &row.data);
            read.map_err(|error| CimError::failed(error.to_string()))
        });
        match read.map(|instance| (Kind::of(&instance.class), instance)) {
            Ok((Some(kind), instance)) => found.push((kind, instance, owner)),
            Ok((None, _)) => unusable(&row.path, &"it is of another class"),
            Err(error) => unusable(&row.path, &error),
        }
    }
    found.sort_by_key(|(kind, ..)| *kind);
    found
}

fn unusable(path: &str, error: &dyn std::fmt::Display) {
    tracing::error!(
        path,
        "something of the indication service cannot be used: {error}"
    );
}

fn opened(workshop: &Workshop, found: Vec<Found>, streams: &HashMap<Key, StreamId>) -> Ledger {
    let mut ledger = Ledger::default();
    for (kind, instance, owner) in found {
        let path = instance.path(&workshop.home.name).to_string();
        match held(workshop, &ledger, (kind, instance, owner), streams) {
            Ok(held) => ledger = ledger.with(vec![Edit::Put(held)]),
            Err(error) => unusable(&path, &error),
        }
    }
    ledger
}

fn held(
    workshop: &Workshop,
    ledger: &Ledger,
    (kind, instance, owner): Found,
    streams: &HashMap<Key, StreamId>,
) -> Result<Held> {
    let key = workshop.key(&instance)?;
    let mut made = match kind {
        // A filter stays what others refer to, whatever became of what it asks for.
        Kind::Filter => Made::Filter(workshop.usable_queries(&instance)),
        _ => workshop.made(ledger, kind, &instance, owner.as_ref())?,
    };
    if let (Made::Destination { stream, .. }, Some(own)) = (&mut made, streams.get(&key)) {
        *stream = *own;
    }
    Ok(Held {
        key,
        instance,
        owner,
        made,
    })
}

/// The queues of the destinations, each under a new sequence; queues without destination end.
async fn streams(
    writer: &Writer,
    workshop: &Workshop,
    found: &[Found],
    start: &str,
) -> Result<HashMap<Key, StreamId>, StoreError> {
    let destinations = found.iter().filter(|(kind, ..)| *kind == Kind::Destination);
    let keys: Vec<Key> = destinations
        .filter_map(|(_, instance, _)| workshop.key(instance).ok())
        .collect();
    let start = start.to_owned();
    let renew = move |store: &mut Store| {
        let known = store.streams()?;
        store.transact(|batch| {
            let mut streams = HashMap::new();
            for (at, key) in keys.into_iter().enumerate() {
                let context = format!("{NAME}#{start}#{at}");
                let own = known.iter().find(|row| row.destination == key.as_str());
                let stream = match own {
                    Some(row) => {
                        batch.renew_stream(row.id, &context)?;
                        row.id
                    }
                    None => batch.add_stream(key.as_str(), &context)?,
                };
                streams.insert(key, stream);
            }
            for row in known {
                if !streams.values().any(|stream| *stream == row.id) {
                    batch.remove_stream(row.id)?;
                }
            }
            Ok(streams)
        })
    };
    writer.run(renew).await
}

/// What an edit does to the store.
enum Write {
    Put(EventRow),
    /// A new destination also gets a queue.
    PutWithStream(EventRow),
    Remove(String, Option<StreamId>),
}

fn write(before: &Ledger, edit: &Edit) -> Write {
    match edit {
        Edit::Put(held) => {
            let row = row(held);
            let is_new = before.get(&held.key).is_none();
            match held.made {
                Made::Destination { .. } if is_new => Write::PutWithStream(row),
                Made::Destination { .. }
                | Made::Filter(_)
                | Made::Collection
                | Made::Member { .. }
                | Made::Service(_)
                | Made::Subscription { .. } => Write::Put(row),
            }
        }
        Edit::Remove(key) => {
            let stream = before.get(key).and_then(|held| held.stream());
            Write::Remove(key.as_str().to_owned(), stream)
        }
    }
}

fn row(held: &Held) -> EventRow {
    let (owner, sees_all) = match &held.owner {
        Some(owner) => (&*owner.name, owner.sees_all),
        None => ("", true),
    };
    EventRow {
        path: held.key.as_str().to_owned(),
        owner: owner.to_owned(),
        sees_all,
        data: record::written(&held.instance),
    }
}

impl Write {
    fn perform(&self, batch: &Batch<'_>, context: &str) -> Result<Option<StreamId>, StoreError> {
        match self {
            Self::Put(row) => batch.put_event_object(row)?,
            Self::PutWithStream(row) => {
                batch.put_event_object(row)?;
                return batch.add_stream(&row.path, context).map(Some);
            }
            Self::Remove(path, stream) => {
                batch.remove_event_object(path)?;
                if let Some(stream) = stream {
                    batch.remove_stream(*stream)?;
                }
            }
        }
        Ok(None)
    }
}

/// The store did not do it.
pub fn failed(error: &StoreError) -> CimError {
    tracing::error!(error = error as &dyn std::error::Error, "the store failed");
    CimError::failed(format!("the store cannot be written: {error}"))
}
