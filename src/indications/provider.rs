//! The provider of what clients set up: filters, collections, destinations and subscriptions.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use futures_util::stream::{self, StreamExt};

use crate::model::{
    CimDateTime, CimError, CimName, CimValue, Class, Instance, InstancePath, Namespace, Result,
    Status,
};
use crate::ops::{BoxFuture, InstanceStream, stream_of};
use crate::provider::{Act, Changes, Context, Provider, Registration, only_one};

use super::capabilities::{self, Capabilities};
use super::key::{Key, Kind};
use super::ledger::{Edit, Held, Ledger, Made, Owner, end};
use super::links;
use super::service::Service;
use super::statistics::{self, Statistics};
use super::terms::{self, Terms};
use super::told::without_secrets;

/// Most destinations.
pub const DESTINATION_LIMIT: u32 = 1000;
/// Most subscriptions.
pub const SUBSCRIPTION_LIMIT: u32 = 20_000;
/// Most filters, most collections, and most members of all collections.
const OTHER_LIMIT: u32 = 20_000;

/// The provider of the objects of one kind.
struct Objects {
    service: Arc<Service>,
    kind: Kind,
}

/// The registrations of what clients set up.
pub fn registrations(service: &Arc<Service>) -> Vec<Registration> {
    let names = [
        "indication filters",
        "filter collections",
        "members of filter collections",
        "listener destinations",
        "indication subscriptions",
        "indication service",
    ];
    let home: &Namespace = &service.workshop.home.name;
    let each = Kind::ALL.into_iter().zip(names);
    let registration = |(kind, name): (Kind, &'static str)| Registration {
        name,
        namespaces: vec![home.clone()],
        classes: vec![CimName::of(kind.class())],
        provider: Arc::new(Objects {
            service: service.clone(),
            kind,
        }),
    };
    let mut registrations: Vec<Registration> = each.map(registration).collect();
    registrations.extend(links::registrations(service));
    let others: [(_, _, Arc<dyn Provider>); 2] = [
        (
            "indication capabilities",
            capabilities::CLASS,
            Arc::new(Capabilities),
        ),
        (
            "destination statistics",
            statistics::CLASS,
            Arc::new(Statistics(service.clone())),
        ),
    ];
    registrations.extend(others.map(|(name, class, provider)| Registration {
        name,
        namespaces: vec![home.clone()],
        classes: vec![CimName::of(class)],
        provider,
    }));
    registrations
}

/// The classes that mean something in the namespace of the service alone: elsewhere nothing would come
/// of their instances.
pub fn at_home() -> Vec<CimName> {
    let kinds = [Kind::Filter, Kind::Destination, Kind::Subscription];
    kinds.map(|kind| CimName::of(kind.class())).to_vec()
}

impl Objects {
    /// The key of the object that `path` names.
    fn key(&self, cx: &Context, path: &InstancePath) -> Result<Key> {
        let key = self.service.workshop.home.key(&cx.schema, path);
        key.ok_or_else(|| missing(path))
    }

    fn find(&self, cx: &Context, path: &InstancePath) -> Result<Arc<Held>> {
        let key = self.key(cx, path)?;
        let ledger = self.service.ledger();
        let found = ledger.get(&key).filter(|held| held.is_visible(cx));
        found.cloned().ok_or_else(|| missing(path))
    }

    fn limit(&self) -> u32 {
        match self.kind {
            Kind::Destination => DESTINATION_LIMIT,
            Kind::Subscription => SUBSCRIPTION_LIMIT,
            Kind::Filter | Kind::Collection | Kind::Member => OTHER_LIMIT,
            Kind::Service => 1,
        }
    }

    /// Whether one more is possible.
    fn room(&self, ledger: &Ledger) -> Result<()> {
        let limit = self.limit();
        if ledger.count(self.kind) < limit as usize {
            return Ok(());
        }
        let text = format!(
            "there are {limit} of {}, and no more are possible",
            self.kind.class()
        );
        Err(CimError::new(Status::ServerLimitsExceeded, text))
    }

    async fn permit(&self, made: &Made) -> Result<()> {
        let Made::Destination { destination, .. } = made else {
            return Ok(());
        };
        let permitted = destination.permit(&self.service.outward.allowed).await;
        permitted.map_err(|denial| CimError::access_denied(format!("Destination: {denial}")))
    }
}

fn missing(path: &InstancePath) -> CimError {
    CimError::not_found(format!("there is no instance {path}"))
}

/// An object as clients see it.
fn shown(held: &Held, now: DateTime<Utc>) -> Result<Instance> {
    let mut instance = without_secrets(held);
    let Made::Subscription {
        terms, subscriber, ..
    } = &held.made
    else {
        return Ok(instance);
    };
    if let Some(until) = terms.until {
        let remaining = CimValue::Uint64(terms::remaining(until, now));
        instance.set("SubscriptionTimeRemaining", remaining)?;
    }
    if let Some(produced) = subscriber.produced() {
        let identifier = CimValue::string(produced.identifier);
        instance.set("LastIndicationIdentifier", identifier)?;
        let time = CimValue::DateTime(CimDateTime::timestamp(produced.time));
        instance.set("LastIndicationProductionDateTime", time)?;
    }
    Ok(instance)
}

impl Provider for Objects {
    fn tells(&self) -> bool {
        true
    }

    fn instances(&self, cx: &Context, class: &Arc<Class>) -> InstanceStream {
        let (ledger, kind) = (self.service.ledger(), self.kind);
        let (cx, class) = (cx.clone(), class.clone());
        let next = move |last: Option<Key>| {
            let wanted = |held: &&Arc<Held>| {
                held.instance.class.is_a(class.name.as_str()) && held.is_visible(&cx)
            };
            let found = ledger.after(kind, last.as_ref()).find(wanted);
            let item = found.map(|held| (shown(held, cx.now), Some(held.key.clone())));
            std::future::ready(item)
        };
        stream::unfold(None, next).boxed()
    }

    fn get<'a>(
        &'a self,
        cx: &'a Context,
        path: &'a InstancePath,
    ) -> BoxFuture<'a, Result<Instance>> {
        Box::pin(async move { shown(&*self.find(cx, path)?, cx.now) })
    }

    fn references(
        &self,
        cx: &Context,
        class: &Arc<Class>,
        object: &InstancePath,
        role: Option<&CimName>,
    ) -> InstanceStream {
        let home = &self.service.workshop.home;
        let is_here = object.namespace == home.name;
        let Some(key) = home.key(&cx.schema, object).filter(|_| is_here) else {
            return stream_of(Vec::new());
        };
        let ledger = self.service.ledger();
        let users = ledger.users(&key).filter(|held| {
            let by_role = role.is_none_or(|role| {
                let reference = held.instance.value(role.as_str()).as_reference();
                let path = reference.and_then(|reference| home.path(&cx.schema, reference));
                path.and_then(|path| home.key(&cx.schema, &path)) == Some(key.clone())
            });
            held.key.kind() == self.kind
                && held.instance.class.is_a(class.name.as_str())
                && held.is_visible(cx)
                && by_role
        });
        let found: Vec<_> = users.map(|held| shown(held, cx.now)).collect();
        stream::iter(found).boxed()
    }

    fn permit(&self, cx: &Context, class: &Class, act: Act<'_>) -> Result<()> {
        let text = match (act, self.kind) {
            (Act::Create, Kind::Service) => return Err(only_one(class)),
            (Act::Create, Kind::Filter) if !self.service.ledger().settings().filters => {
                "FilterCreationEnabled of the indication service is false".to_owned()
            }
            (Act::Modify, Kind::Service) => {
                return cx.only_administrators();
            }
            (Act::Modify, Kind::Filter | Kind::Collection | Kind::Member | Kind::Destination) => {
                format!("{} cannot be changed; make another one", class.name)
            }
            (Act::Create | Act::Modify | Act::Delete | Act::Invoke(_), _) => return Ok(()),
        };
        Err(CimError::not_supported(text))
    }

    fn create<'a>(
        &'a self,
        cx: &'a Context,
        mut instance: Instance,
    ) -> BoxFuture<'a, Result<InstancePath>> {
        Box::pin(async move {
            let workshop = &self.service.workshop;
            workshop.complete(self.kind, &mut instance)?;
            if self.kind == Kind::Subscription {
                terms::complete(&mut instance, cx.now)?;
            }
            let (key, owner) = (workshop.key(&instance)?, Owner::of(cx));
            let ledger = self.service.ledger();
            self.room(&ledger)?;
            let made = workshop.made(&ledger, self.kind, &instance, Some(&owner))?;
            self.permit(&made).await?;
            let path = instance.path(&cx.namespace);
            let (this, workshop) = (self.kind, workshop.clone());
            let provider = Self {
                service: self.service.clone(),
                kind: this,
            };
            let plan = move |ledger: &Ledger| {
                provider.room(ledger)?;
                if ledger.get(&key).is_some() {
                    let text = format!("there is an instance {path}");
                    return Err(CimError::already_exists(text));
                }
                // What it refers to may have gone meanwhile.
                let made = workshop.made(ledger, this, &instance, Some(&owner))?;
                let owner = Some(owner);
                let held = Held {
                    key,
                    instance,
                    owner,
                    made,
                };
                Ok((vec![Edit::Put(held)], path))
            };
            self.service.change(cx.now, plan).await
        })
    }

    fn modify<'a>(
        &'a self,
        cx: &'a Context,
        path: &'a InstancePath,
        changes: Changes,
    ) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move {
            let held = self.find(cx, path)?;
            let (workshop, now, path) = (self.service.workshop.clone(), cx.now, path.clone());
            let kind = self.kind;
            let plan = move |ledger: &Ledger| {
                let present = ledger.get(&held.key).ok_or_else(|| missing(&path))?;
                if end(present).is_some_and(|end| end <= now) {
                    return Ok((vec![Edit::Remove(held.key.clone())], Err(ended())));
                }
                let held = changed(present, &changes, now, |instance, owner| {
                    workshop.made(ledger, kind, instance, owner)
                })?;
                Ok((vec![Edit::Put(held)], Ok(())))
            };
            self.service.change(cx.now, plan).await?
        })
    }

    fn delete<'a>(&'a self, cx: &'a Context, path: &'a InstancePath) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move {
            let held = self.find(cx, path)?;
            if held.owner.is_none() {
                let text = format!("{path} belongs to the server and cannot be deleted");
                return Err(CimError::not_supported(text));
            }
            let path = path.clone();
            let plan = move |ledger: &Ledger| {
                ledger.get(&held.key).ok_or_else(|| missing(&path))?;
                Ok((removal(ledger, &held.key)?, ()))
            };
            self.service.change(cx.now, plan).await
        })
    }
}

fn ended() -> CimError {
    CimError::failed("the subscription has ended, and is deleted now")
}

/// Removes an object; membership goes with a filter or a collection, a subscription keeps it there.
fn removal(ledger: &Ledger, key: &Key) -> Result<Vec<Edit>> {
    let mut edits = Vec::new();
    for user in ledger.users(key) {
        match user.made {
            Made::Member { .. } => edits.push(Edit::Remove(user.key.clone())),
            Made::Subscription { .. } => {
                let text = "it cannot be deleted while there is a subscription that refers to it";
                return Err(CimError::failed(text));
            }
            Made::Filter(_) | Made::Collection | Made::Destination { .. } | Made::Service(_) => {}
        }
    }
    edits.push(Edit::Remove(key.clone()));
    Ok(edits)
}

/// A subscription, or the service, with new values.
fn changed(
    held: &Held,
    changes: &Changes,
    now: DateTime<Utc>,
    made: impl FnOnce(&Instance, Option<&Owner>) -> Result<Made>,
) -> Result<Held> {
    let mut instance = held.instance.clone();
    for (name, value) in changes.values.iter() {
        instance.set(name.as_str(), value.clone())?;
    }
    if held.key.kind() == Kind::Subscription {
        let before = Terms::of(&held.instance)?.enabled;
        let terms = Terms::of(&instance)?;
        if terms.enabled != before {
            let now = CimValue::DateTime(CimDateTime::timestamp(now));
            instance.set("TimeOfLastStateChange", now)?;
        }
    }
    let mut made = made(&instance, held.owner.as_ref())?;
    if let (
        Made::Subscription { subscriber, .. },
        Made::Subscription {
            subscriber: before, ..
        },
    ) = (&mut made, &held.made)
    {
        *subscriber = Arc::new(subscriber.following(before));
    }
    Ok(Held {
        key: held.key.clone(),
        instance,
        owner: held.owner.clone(),
        made,
    })
}
