//! The associations of discovery: each class with its ends.

use std::sync::Arc;

use crate::model::{Class, InstancePath};
use crate::ops::InstanceStream;
use crate::provider::fill::{self, Plain};
use crate::provider::{Context, Provider};

use super::{Profile, Site, mechanism, profiles, server};
use crate::builtin::{manager, namespaces};

/// Two ends.
type Pair = [InstancePath; 2];

/// An association class: its references in the order of the ends, and what else its instances say.
pub(super) struct Link {
    pub(super) class: &'static str,
    roles: [&'static str; 2],
    values: fn() -> Vec<(&'static str, Plain)>,
    pairs: fn(&Site) -> Vec<Pair>,
}

/// The references of most associations.
const DEPENDENCY: [&str; 2] = ["Antecedent", "Dependent"];
/// `Characteristics`: Current.
const CURRENT: &[u16] = &[3];

const fn dependency(class: &'static str, pairs: fn(&Site) -> Vec<Pair>) -> Link {
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
    dependency("CIM_CommMechanismForManager", |site| {
        vec![[manager(site), mechanism::path(site)]]
    }),
    dependency("CIM_HostedService", |site| {
        let own = [manager(site), server::path(site)];
        let services = own.into_iter().chain(site.related.services.clone());
        services.map(|service| [site.system(), service]).collect()
    }),
    dependency("CIM_HostedAccessPoint", |site| {
        vec![[site.system(), mechanism::path(site)]]
    }),
    dependency("CIM_HostedDependency", |site| {
        let namespaces = server::namespaces(site).into_iter();
        namespaces
            .map(|namespace| [server::path(site), namespace])
            .collect()
    }),
    // Antecedent is the profile that is referred to (DSP1033).
    dependency("CIM_ReferencedProfile", |site| {
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
        pairs: |site| {
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
        pairs: |site| {
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

fn in_manager(site: &Site) -> Vec<Pair> {
    let served = site.catalogue.namespaces();
    let names = served.iter().map(|(name, _)| name.as_str());
    let path = |name| namespaces::path(&site.identity, name);
    names.map(|name| [manager(site), path(name)]).collect()
}

/// The provider of one association class.
pub(super) struct Links {
    pub(super) site: Arc<Site>,
    pub(super) link: &'static Link,
}

impl Provider for Links {
    fn instances(&self, cx: &Context, class: &Arc<Class>) -> InstanceStream {
        fill::instances_of(cx, self.link.class, class, |own| {
            let made = |[first, second]: Pair| {
                let [one, other] = self.link.roles;
                let ends = [(one, first.into()), (other, second.into())];
                let values = (self.link.values)().into_iter();
                fill::instance(own, values.chain(ends))
            };
            let pairs = (self.link.pairs)(&self.site);
            pairs.into_iter().map(made).collect()
        })
    }
}
