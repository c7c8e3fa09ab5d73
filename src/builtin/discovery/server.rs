//! CIM_WBEMServer with its capabilities and namespaces: what newer clients look for instead of
//! CIM_ObjectManager and CIM_Namespace.

use std::sync::Arc;

use crate::builtin::fixed::Fixed;
use crate::builtin::{manager, system};
use crate::model::{
    CimError, CimType, CimValue, Class, InstancePath, Method, Namespace, ObjectPath, Result,
};
use crate::ops::{BoxFuture, InstanceStream, MethodReply};
use crate::provider::fill::{self, Plain};
use crate::provider::{Act, Arguments, Catalogue, Context, Provider, permit_service};

use super::Site;

/// The class of the server.
pub(super) const CLASS: &str = "CIM_WBEMServer";
/// Its one method.
const METHOD: &str = "CreateWBEMServerNamespace";
/// The class of its capabilities.
pub(super) const CAPABILITIES: &str = "CIM_WBEMServerCapabilities";
/// The class of its namespaces.
pub(super) const NAMESPACE: &str = "CIM_WBEMServerNamespace";
/// `OperationsSupported`: CreateWBEMServerNamespace.
const OPERATIONS: &[u16] = &[3];
const CAPABILITIES_ID: &str = "JW:WBEMServer";

pub(super) fn path(site: &Site) -> InstancePath {
    site.hosted(CLASS, &site.identity.manager)
}

pub(super) fn capabilities_path(namespace: &Namespace) -> InstancePath {
    super::path(namespace, CAPABILITIES, &[("InstanceID", CAPABILITIES_ID)])
}

pub(super) fn namespace_path(site: &Site, name: &Namespace) -> InstancePath {
    super::path(site.interop(), NAMESPACE, &[("InstanceID", &id(name))])
}

fn id(namespace: &Namespace) -> String {
    format!("JW:namespace:{namespace}")
}

/// What the instance of the namespace `name` says.
pub(super) fn namespace_values(name: &Namespace) -> Vec<(&'static str, Plain)> {
    vec![
        ("InstanceID", id(name).into()),
        ("ElementName", name.as_str().into()),
        ("Name", name.as_str().into()),
    ]
}

/// The provider of the one server.
pub(super) fn provider(site: &Arc<Site>, catalogue: &Arc<Catalogue>) -> Arc<dyn Provider> {
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
    let instance = Fixed {
        class: CLASS,
        instances: vec![values],
    };
    Arc::new(Server {
        site: site.clone(),
        catalogue: catalogue.clone(),
        instance,
    })
}

struct Server {
    site: Arc<Site>,
    catalogue: Arc<Catalogue>,
    instance: Fixed,
}

impl Server {
    async fn create_namespace(&self, cx: &Context, given: &Arguments) -> Result<MethodReply> {
        let template = match given.value("NamespaceTemplate") {
            CimValue::Instance(template) => template.value("Name").as_str(),
            _ => None,
        };
        let missing = || CimError::invalid_parameter("NamespaceTemplate: it has no Name");
        let name = Namespace::new(template.ok_or_else(missing)?);
        let name = name.map_err(|error| CimError::invalid_parameter(error.to_string()))?;
        self.catalogue.create_namespace(&name, cx.now).await?;
        let path: ObjectPath = namespace_path(&self.site, &name).into();
        let mut reply = MethodReply::code(0);
        let path = CimValue::Reference(Box::new(path));
        reply.output("Namespace", CimType::Reference, path);
        Ok(reply)
    }
}

impl Provider for Server {
    fn instances(&self, cx: &Context, class: &Arc<Class>) -> InstanceStream {
        self.instance.instances(cx, class)
    }

    fn permit(&self, cx: &Context, class: &Class, act: Act<'_>) -> Result<()> {
        permit_service(cx, class, act, METHOD)
    }

    fn invoke<'a>(
        &'a self,
        cx: &'a Context,
        _class: &'a Arc<Class>,
        _path: Option<&'a InstancePath>,
        (method, given): (&'a Method, Arguments),
    ) -> BoxFuture<'a, Result<MethodReply>> {
        Box::pin(async move {
            let name = &method.name;
            if name.is(METHOD) {
                return self.create_namespace(cx, &given).await;
            }
            Err(CimError::method_not_available(format!(
                "{name} is declared and not implemented"
            )))
        })
    }
}

/// The provider of the capabilities.
pub(super) fn capabilities() -> Arc<dyn Provider> {
    Arc::new(Fixed {
        class: CAPABILITIES,
        instances: vec![vec![
            ("InstanceID", CAPABILITIES_ID.into()),
            ("ElementName", manager::PRODUCT.into()),
            ("ElementNameEditSupported", false.into()),
            ("OperationsSupported", OPERATIONS.into()),
        ]],
    })
}

/// The provider of the namespaces.
pub(super) struct Namespaces(pub(super) Arc<Catalogue>);

impl Provider for Namespaces {
    fn instances(&self, cx: &Context, class: &Arc<Class>) -> InstanceStream {
        fill::instances_of(cx, NAMESPACE, class, |own| {
            let served = self.0.namespaces();
            let made = |(name, _): (&Namespace, _)| fill::instance(own, namespace_values(name));
            served.iter().map(made).collect()
        })
    }
}
