//! The associations of discovery: each class with its ends.

use std::sync::Arc;

use crate::model::{Class, Instance, InstancePath, Namespace, Result};
use crate::ops::InstanceStream;
use crate::provider::fill::{self, Plain};
use crate::provider::{Catalogue, Context, Provider};

use super::{Profile, Site, mechanism, profiles, server};
use crate::builtin::{manager, namespaces};

/// Two ends.
type Pair = [InstancePath; 2];

/// An association class: its references in the order of the ends, and what else its instances say.
pub(super) struct Link {
    pub(super) class: &'static str,
    roles: [&'static str; 2],
    values: fn() -> Vec<(&'static str, Plain)>,
    /// The pairs while these are the namespaces.
    pairs: fn(&Site, &[&Namespace]) -> Vec<Pair>,
}

/// The references of most associations.
const DEPENDENCY: [&str; 2] = ["Antecedent", "Dependent"];
/// `Characteristics`: Current.
const CURRENT: &[u16] = &[3];

const fn dependency(class: &'static str, pairs: fn(&Site, &[&Namespace]) -> Vec<Pair>) -> Link {
    Link {
        class,
        roles: DEPENDENCY,
        values: Vec::new,
        pairs,
    }
}

/// The associations.
pub(super) const LINKS: &[Link] = &[
    dependency("CIM_NamespaceInManager", in_manager),
    dependency("CIM_CommMechanismForManager", |site, _| {
        vec![[manager(site), mechanism::path(site)]]
    }),
    dependency("CIM_HostedService", |site, _| {
        let own = [manager(site), server::path(site)];
        let services = own.into_iter().chain(site.related.services.clone());
        services.map(|service| [site.system(), service]).collect()
    }),
    dependency("CIM_HostedAccessPoint", |site, _| {
        vec![[site.system(), mechanism::path(site)]]
    }),
    dependency("CIM_HostedDependency", |site, names| {
        let path = |name: &&Namespace| server::namespace_path(site, name);
        let namespaces = names.iter().map(path);
        namespaces
            .map(|namespace| [server::path(site), namespace])
            .collect()
    }),
    // Antecedent is the profile that is referred to (DSP1033).
    dependency("CIM_ReferencedProfile", |site, _| {
        let components = [
            Profile::Registration,
            Profile::Indications,
            Profile::JobControl,
        ];
        let path = |profile| profiles::path(site.interop(), profile);
        components
            .map(|component| [path(component), path(Profile::Server)])
            .to_vec()
    }),
    Link {
        class: "CIM_ElementConformsToProfile",
        roles: ["ConformantStandard", "ManagedElement"],
        values: Vec::new,
        pairs: |site, _| {
            let of = |profile: &Profile| {
                let path = profiles::path(site.interop(), *profile);
                let central = profiles::central(site, *profile).into_iter();
                central.map(move |instance| [path.clone(), instance])
            };
            profiles::ALL.iter().flat_map(of).collect()
        },
    },
    Link {
        class: "CIM_ElementCapabilities",
        roles: ["ManagedElement", "Capabilities"],
        values: || vec![("Characteristics", CURRENT.into())],
        pairs: |site, _| {
            let own = [
                server::path(site),
                server::capabilities_path(site.interop()),
            ];
            let others = site.related.capable.iter().cloned();
            std::iter::once(own).chain(others).collect()
        },
    },
];

fn manager(site: &Site) -> InstancePath {
    site.hosted(manager::CLASS, &site.identity.manager)
}

fn in_manager(site: &Site, names: &[&Namespace]) -> Vec<Pair> {
    let path = |name: &&Namespace| namespaces::path(&site.identity, name.as_str());
    let namespaces = names.iter().map(path);
    namespaces
        .map(|namespace| [manager(site), namespace])
        .collect()
}

impl Link {
    fn made(&self, own: &Arc<Class>, [first, second]: Pair) -> Result<Instance> {
        let [one, other] = self.roles;
        let ends = [(one, first.into()), (other, second.into())];
        fill::instance(own, (self.values)().into_iter().chain(ends))
    }

    /// The instances of the class `own` that are there because of the namespace `name`.
    pub(super) fn of_namespace(
        &self,
        own: &Arc<Class>,
        site: &Site,
        name: &Namespace,
    ) -> Result<Vec<Instance>> {
        let without = (self.pairs)(site, &[]);
        let mut pairs = (self.pairs)(site, &[name]);
        pairs.retain(|pair| !without.contains(pair));
        let made = |pair| self.made(own, pair);
        pairs.into_iter().map(made).collect()
    }
}

/// The provider of one association class.
pub(super) struct Links {
    pub(super) site: Arc<Site>,
    pub(super) catalogue: Arc<Catalogue>,
    pub(super) link: &'static Link,
}

impl Provider for Links {
    fn instances(&self, cx: &Context, class: &Arc<Class>) -> InstanceStream {
        fill::instances_of(cx, self.link.class, class, |own| {
            let served = self.catalogue.namespaces();
            let names: Vec<_> = served.iter().map(|(name, _)| name).collect();
            let pairs = (self.link.pairs)(&self.site, &names);
            let made = |pair| self.link.made(own, pair);
            pairs.into_iter().map(made).collect()
        })
    }
}
