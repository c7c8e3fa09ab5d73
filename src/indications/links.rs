//! The associations of the service with what it affects, and of destinations with their statistics.

use std::sync::Arc;

use crate::model::{CimName, CimValue, Class, Instance, InstancePath, Namespace, Result};
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
pub struct Link {
    /// The class.
    pub class: &'static str,
    roles: [&'static str; 2],
    values: fn() -> Vec<(&'static str, Plain)>,
    /// The ends of the instance that comes and goes with an object.
    ends: fn(&Home<'_>, &Held) -> Option<Pair>,
}

/// Where the objects are.
pub struct Home<'a> {
    /// The namespace.
    pub namespace: &'a Namespace,
    /// The path of the service.
    pub service: Option<InstancePath>,
}

/// All of them.
pub const LINKS: [Link; 2] = [
    Link {
        class: "CIM_ElementStatisticalData",
        roles: ["ManagedElement", "Stats"],
        values: Vec::new,
        ends: measured,
    },
    Link {
        class: "CIM_ServiceAffectsElement",
        roles: ["AffectingElement", "AffectedElement"],
        values: || vec![("ElementEffects", MANAGES.into())],
        ends: affected,
    },
];

/// `ElementEffects`: Manages.
const MANAGES: &[u16] = &[5];

/// The kinds of objects that are linked with anything.
const LINKED: [Kind; 3] = [Kind::Filter, Kind::Collection, Kind::Destination];

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

impl Link {
    /// The instance of `class`, the link's own, that comes and goes with an object.
    pub fn instance(
        &self,
        class: &Arc<Class>,
        home: &Home<'_>,
        held: &Held,
    ) -> Option<Result<Instance>> {
        let ends = (self.ends)(home, held)?;
        Some(self.made(class, ends))
    }

    fn made(&self, class: &Arc<Class>, ends: Pair) -> Result<Instance> {
        let mut instance = fill::instance(class, (self.values)())?;
        for (role, end) in self.roles.iter().zip(ends) {
            instance.set(role, CimValue::Reference(Box::new(end.into())))?;
        }
        Ok(instance)
    }
}

impl Provider for Links {
    fn tells(&self) -> bool {
        true
    }

    fn instances(&self, cx: &Context, class: &Arc<Class>) -> InstanceStream {
        fill::instances_of(cx, self.link.class, class, |own| {
            let home = self.service.home();
            let ledger = self.service.ledger();
            let objects = LINKED.into_iter().flat_map(|kind| ledger.of_kind(kind));
            let seen = objects.filter(|held| held.is_visible(cx));
            seen.filter_map(|held| self.link.instance(own, &home, held))
                .collect()
        })
    }
}

fn affected(home: &Home<'_>, held: &Held) -> Option<Pair> {
    let is_linked = LINKED.contains(&held.key.kind());
    let own = home.service.clone().filter(|_| is_linked)?;
    Some([own, held.instance.path(home.namespace)])
}

fn measured(home: &Home<'_>, held: &Held) -> Option<Pair> {
    let is_measured = held.key.kind() == Kind::Destination;
    is_measured.then(|| {
        let path = held.instance.path(home.namespace);
        [path, statistics::path(home.namespace, &held.instance)]
    })
}
