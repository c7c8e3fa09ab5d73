//! The associations of the service with what it affects, and of destinations with their statistics.

use std::sync::Arc;

use crate::model::{CimName, CimValue, Class, Instance, InstancePath, Result};
use crate::ops::InstanceStream;
use crate::provider::fill::{self, Plain};
use crate::provider::{Context, Provider, Registration};

use super::key::Kind;
use super::ledger::Held;
use super::service::Service;
use super::statistics;

/// Two ends.
type Pair = [InstancePath; 2];

/// An association class: its references in the order of the ends, and what else an instance says.
struct Link {
    class: &'static str,
    roles: [&'static str; 2],
    values: fn() -> Vec<(&'static str, Plain)>,
    pairs: fn(&Service, &Context) -> Vec<Pair>,
}

const LINKS: [Link; 2] = [
    Link {
        class: "CIM_ServiceAffectsElement",
        roles: ["AffectingElement", "AffectedElement"],
        values: || vec![("ElementEffects", MANAGES.into())],
        pairs: affected,
    },
    Link {
        class: "CIM_ElementStatisticalData",
        roles: ["ManagedElement", "Stats"],
        values: Vec::new,
        pairs: measured,
    },
];

/// `ElementEffects`: Manages.
const MANAGES: &[u16] = &[5];

struct Links {
    service: Arc<Service>,
    link: &'static Link,
}

/// The registrations of these associations.
pub fn registrations(service: &Arc<Service>) -> Vec<Registration> {
    let registration = |link: &'static Link| Registration {
        name: link.class,
        namespaces: vec![service.workshop.home.name.clone()],
        classes: vec![CimName::of(link.class)],
        provider: Arc::new(Links {
            service: service.clone(),
            link,
        }),
    };
    LINKS.iter().map(registration).collect()
}

impl Provider for Links {
    fn instances(&self, cx: &Context, class: &Arc<Class>) -> InstanceStream {
        let Link {
            class: name,
            roles,
            values,
            pairs,
        } = self.link;
        fill::instances_of(cx, name, class, |own| {
            let made = |ends: Pair| -> Result<Instance> {
                let mut instance = fill::instance(own, values())?;
                for (role, end) in roles.iter().zip(ends) {
                    instance.set(role, CimValue::Reference(Box::new(end.into())))?;
                }
                Ok(instance)
            };
            pairs(&self.service, cx).into_iter().map(made).collect()
        })
    }
}

fn visible(service: &Service, cx: &Context, kind: Kind) -> Vec<Arc<Held>> {
    let ledger = service.ledger();
    let seen = ledger.of_kind(kind).filter(|held| held.is_visible(cx));
    seen.cloned().collect()
}

fn own(service: &Service, cx: &Context) -> Option<InstancePath> {
    let held = visible(service, cx, Kind::Service).into_iter().next()?;
    Some(held.instance.path(&cx.namespace))
}

fn affected(service: &Service, cx: &Context) -> Vec<Pair> {
    let Some(own) = own(service, cx) else {
        return Vec::new();
    };
    let kinds = [Kind::Filter, Kind::Collection, Kind::Destination];
    let affected = kinds
        .into_iter()
        .flat_map(|kind| visible(service, cx, kind));
    affected
        .map(|held| [own.clone(), held.instance.path(&cx.namespace)])
        .collect()
}

fn measured(service: &Service, cx: &Context) -> Vec<Pair> {
    let destinations = visible(service, cx, Kind::Destination).into_iter();
    destinations
        .map(|held| {
            let path = held.instance.path(&cx.namespace);
            [path, statistics::path(&cx.namespace, &held.instance)]
        })
        .collect()
}
