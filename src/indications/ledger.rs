//! Everything that is set up so that somebody is told of events, as one value that never changes:
//! filters, collections of them, destinations, subscriptions.
//!
//! Whoever changes something makes a new ledger, which shares all else with the one before.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use imbl::{OrdMap, OrdSet};

use crate::model::Instance;
use crate::provider::{Context, Role, StreamId};

use super::destination::Destination;
use super::key::{Key, Kind};
use super::settings::Settings;
use super::terms::Terms;
use super::watch::{Asked, Subscriber, Watch, Watched};

/// Who made an object, and so who may see it and what it may be told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Owner {
    /// The name of the principal.
    pub name: Arc<str>,
    /// Whether it may hear of everything, and not only of what is its own.
    pub sees_all: bool,
}

impl Owner {
    /// The principal of `cx`.
    pub fn of(cx: &Context) -> Self {
        Self {
            name: cx.principal.name().into(),
            sees_all: match cx.principal.role() {
                Role::Administrator => true,
                Role::Submitter | Role::Reader => false,
            },
        }
    }
}

/// An object with what was made of it.
#[derive(Debug, Clone)]
pub struct Held {
    /// What it is found by.
    pub key: Key,
    /// Its instance; of a destination with its password.
    pub instance: Instance,
    /// Who made it; `None` for what the server has by itself.
    pub owner: Option<Owner>,
    /// What the server makes of it.
    pub made: Made,
}

/// What the server makes of an object.
#[derive(Debug, Clone)]
pub enum Made {
    /// A filter: its query, compiled for each of its namespaces.
    Filter(Vec<Asked>),
    /// A collection of filters.
    Collection,
    /// That a filter is in a collection.
    Member {
        /// The collection.
        collection: Key,
        /// The filter.
        filter: Key,
    },
    /// A destination.
    Destination {
        /// What is sent there, and how.
        destination: Destination,
        /// Its queue.
        stream: StreamId,
    },
    /// A subscription to a filter or to a collection.
    Subscription {
        /// The filter or the collection.
        filter: Key,
        /// The destination.
        handler: Key,
        /// What it asks for.
        terms: Terms,
        /// What of it takes part in producing indications.
        subscriber: Arc<Subscriber>,
    },
    /// The service with its settings.
    Service(Settings),
}

impl Held {
    /// The objects that this one refers to.
    pub fn refers_to(&self) -> Vec<&Key> {
        match &self.made {
            Made::Filter(_) | Made::Collection | Made::Destination { .. } | Made::Service(_) => {
                Vec::new()
            }
            Made::Member { collection, filter } => vec![collection, filter],
            Made::Subscription {
                filter, handler, ..
            } => vec![filter, handler],
        }
    }

    /// The queue of a destination.
    pub fn stream(&self) -> Option<StreamId> {
        match &self.made {
            Made::Destination { stream, .. } => Some(*stream),
            Made::Filter(_)
            | Made::Collection
            | Made::Member { .. }
            | Made::Subscription { .. }
            | Made::Service(_) => None,
        }
    }

    /// Whether the principal of `cx` may know of it: what the server has by itself everybody may.
    pub fn is_visible(&self, cx: &Context) -> bool {
        match (&self.owner, cx.principal.role()) {
            (None, _) | (Some(_), Role::Administrator | Role::Reader) => true,
            (Some(owner), Role::Submitter) => &*owner.name == cx.principal.name(),
        }
    }
}

/// A change of the ledger.
#[derive(Debug, Clone)]
pub enum Edit {
    /// A new object, or one with new values.
    Put(Held),
    /// An object is gone.
    Remove(Key),
}

/// All objects.
#[derive(Debug, Clone, Default)]
pub struct Ledger {
    objects: OrdMap<Key, Arc<Held>>,
    /// Who refers to an object.
    users: OrdMap<Key, OrdSet<Key>>,
}

impl Ledger {
    /// The object of that key.
    pub fn get(&self, key: &Key) -> Option<&Arc<Held>> {
        self.objects.get(key)
    }

    /// The objects of a kind, by their keys.
    pub fn of_kind(&self, kind: Kind) -> impl Iterator<Item = &Arc<Held>> {
        self.after(kind, None)
    }

    /// The objects of a kind that follow `last`.
    pub fn after(&self, kind: Kind, last: Option<&Key>) -> impl Iterator<Item = &Arc<Held>> {
        use std::ops::Bound::{Excluded, Included, Unbounded};
        let from = match last {
            Some(last) => Excluded(last.clone()),
            None => Included(Key::first_of(kind)),
        };
        let objects = self.objects.range::<_, Key>((from, Unbounded));
        objects
            .map(|(_, held)| held)
            .take_while(move |held| held.key.kind() == kind)
    }

    /// The objects that refer to the one of that key.
    pub fn users(&self, key: &Key) -> impl Iterator<Item = &Arc<Held>> {
        let users = self.users.get(key).into_iter().flatten();
        users.filter_map(|user| self.objects.get(user))
    }

    /// The subscriptions to the destination whose queue is `stream`.
    pub fn subscriptions_of(&self, stream: StreamId) -> Vec<Arc<Held>> {
        let mut destinations = self.of_kind(Kind::Destination);
        let destination = destinations.find(|held| held.stream() == Some(stream));
        let users = destination
            .into_iter()
            .flat_map(|held| self.users(&held.key));
        users.cloned().collect()
    }

    /// When the first subscription ends that ends at all.
    pub fn first_end(&self) -> Option<DateTime<Utc>> {
        let ends = self
            .of_kind(Kind::Subscription)
            .filter_map(|held| end(held));
        ends.min()
    }

    /// The subscriptions that have ended.
    pub fn ended(&self, now: DateTime<Utc>) -> Vec<Key> {
        let subscriptions = self.of_kind(Kind::Subscription);
        let ended = subscriptions.filter(|held| end(held).is_some_and(|end| end <= now));
        ended.map(|held| held.key.clone()).collect()
    }

    /// The settings of the service.
    pub fn settings(&self) -> Settings {
        let service = self.of_kind(Kind::Service).next();
        match service.map(|held| &held.made) {
            Some(Made::Service(settings)) => *settings,
            Some(_) | None => Settings::default(),
        }
    }

    /// The number of objects of a kind.
    pub fn count(&self, kind: Kind) -> usize {
        self.of_kind(kind).count()
    }

    /// The ledger after `edits`.
    #[must_use]
    pub fn with(&self, edits: Vec<Edit>) -> Self {
        let mut ledger = self.clone();
        for edit in edits {
            match edit {
                Edit::Put(held) => ledger.put(Arc::new(held)),
                Edit::Remove(key) => ledger.remove(&key),
            }
        }
        ledger
    }

    fn put(&mut self, held: Arc<Held>) {
        self.remove(&held.key);
        for target in held.refers_to() {
            let users = self.users.entry(target.clone()).or_default();
            users.insert(held.key.clone());
        }
        self.objects.insert(held.key.clone(), held);
    }

    fn remove(&mut self, key: &Key) {
        let Some(held) = self.objects.remove(key) else {
            return;
        };
        for target in held.refers_to() {
            let Some(users) = self.users.get_mut(target) else {
                continue;
            };
            users.remove(key);
            if users.is_empty() {
                self.users.remove(target);
            }
        }
    }

    /// What is watched because of the subscriptions that are enabled.
    pub fn watch(&self) -> Watch {
        let filters = self.of_kind(Kind::Filter).filter_map(|held| {
            let Made::Filter(queries) = &held.made else {
                return None;
            };
            let subscribers = self.subscribers(&held.key);
            (!subscribers.is_empty()).then_some((held, queries, subscribers))
        });
        Watch::new(filters.flat_map(|(held, queries, subscribers)| {
            let name: Arc<str> = held.instance.value("Name").as_str().unwrap_or("").into();
            queries.iter().map(move |asked| Watched {
                name: name.clone(),
                asked: asked.clone(),
                subscribers: subscribers.clone(),
            })
        }))
    }

    /// Who is subscribed to a filter, by itself or through a collection.
    fn subscribers(&self, filter: &Key) -> Vec<Arc<Subscriber>> {
        let mut found = Vec::new();
        for user in self.users(filter) {
            match &user.made {
                Made::Member { collection, .. } => {
                    let users = self.users(collection);
                    found.extend(users.filter_map(|held| enabled(held)));
                }
                Made::Filter(_)
                | Made::Collection
                | Made::Destination { .. }
                | Made::Service(_)
                | Made::Subscription { .. } => found.extend(enabled(user)),
            }
        }
        found
    }
}

fn enabled(held: &Held) -> Option<Arc<Subscriber>> {
    match &held.made {
        Made::Subscription {
            terms, subscriber, ..
        } if terms.enabled => Some(subscriber.clone()),
        Made::Subscription { .. }
        | Made::Filter(_)
        | Made::Collection
        | Made::Member { .. }
        | Made::Service(_)
        | Made::Destination { .. } => None,
    }
}

/// When a subscription ends.
pub fn end(held: &Held) -> Option<DateTime<Utc>> {
    match &held.made {
        Made::Subscription { terms, .. } => terms.until,
        Made::Filter(_)
        | Made::Collection
        | Made::Member { .. }
        | Made::Destination { .. }
        | Made::Service(_) => None,
    }
}
