//! CIM_WBEMServer with its capabilities and namespaces: what newer clients look for instead of
//! CIM_ObjectManager and CIM_Namespace.

use std::sync::Arc;

use crate::builtin::fixed::Fixed;
use crate::builtin::{manager, system};
use crate::model::{CimError, Class, InstancePath, Method, Namespace, Result};
use crate::ops::{BoxFuture, InstanceStream, MethodReply};
use crate::provider::{Arguments, Context, Provider, fill};

use super::Site;

/// The class of the server.
pub(super) const CLASS: &str = "CIM_WBEMServer";
/// The class of its capabilities.
pub(super) const CAPABILITIES: &str = "CIM_WBEMServerCapabilities";
/// The class of its namespaces.
pub(super) const NAMESPACE: &str = "CIM_WBEMServerNamespace";
const CAPABILITIES_ID: &str = "JW:WBEMServer";

pub(super) fn path(site: &Site) -> InstancePath {
    site.hosted(CLASS, &site.identity.manager)
}

pub(super) fn capabilities_path(namespace: &Namespace) -> InstancePath {
    super::path(namespace, CAPABILITIES, &[("InstanceID", CAPABILITIES_ID)])
}

pub(super) fn namespaces(site: &Site) -> Vec<InstancePath> {
    let served = site.catalogue.namespaces();
    let names = served.iter().map(|(name, _)| id(name));
    names
        .map(|id| super::path(site.interop(), NAMESPACE, &[("InstanceID", &id)]))
        .collect()
}

fn id(namespace: &Namespace) -> String {
    format!("JW:namespace:{namespace}")
}

/// The provider of the one server.
pub(super) fn provider(site: &Site) -> Arc<dyn Provider> {
    let values = vec![
        ("SystemCreationClassName", system::CLASS.into()),
        ("SystemName", (&*site.identity.host).into()),
        ("CreationClassName", CLASS.into()),
        ("Name", (&*site.identity.manager).into()),
        ("ElementName", manager::PRODUCT.into()),
        ("Description", manager::DESCRIPTION.into()),
        ("EnabledState", 2_u16.into()),
        ("OperationalStatus", system::OK.into()),
        ("Started", true.into()),
    ];
    Arc::new(Server(Fixed {
        class: CLASS,
        instances: vec![values],
    }))
}

struct Server(Fixed);

impl Provider for Server {
    fn instances(&self, cx: &Context, class: &Arc<Class>) -> InstanceStream {
        self.0.instances(cx, class)
    }

    fn invoke<'a>(
        &'a self,
        _cx: &'a Context,
        _class: &'a Arc<Class>,
        _path: Option<&'a InstancePath>,
        (method, _): (&'a Method, Arguments),
    ) -> BoxFuture<'a, Result<MethodReply>> {
        Box::pin(async move {
            let name = &method.name;
            let text = format!("{name} is not implemented; create a CIM_Namespace");
            Err(CimError::method_not_available(text))
        })
    }
}

/// The provider of the capabilities: nothing of the server can be asked for by its methods.
pub(super) fn capabilities() -> Arc<dyn Provider> {
    Arc::new(Fixed {
        class: CAPABILITIES,
        instances: vec![vec![
            ("InstanceID", CAPABILITIES_ID.into()),
            ("ElementName", manager::PRODUCT.into()),
            ("ElementNameEditSupported", false.into()),
        ]],
    })
}

/// The provider of the namespaces.
pub(super) struct Namespaces(pub(super) Arc<Site>);

impl Provider for Namespaces {
    fn instances(&self, cx: &Context, class: &Arc<Class>) -> InstanceStream {
        fill::instances_of(cx, NAMESPACE, class, |own| {
            let served = self.0.catalogue.namespaces();
            let made = |(name, _): (&Namespace, _)| {
                let values = [
                    ("InstanceID", id(name).into()),
                    ("ElementName", name.as_str().into()),
                    ("Name", name.as_str().into()),
                ];
                fill::instance(own, values)
            };
            served.iter().map(made).collect()
        })
    }
}
