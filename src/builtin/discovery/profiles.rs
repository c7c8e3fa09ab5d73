//! CIM_RegisteredProfile: the profiles that the server follows, with their central instances.

use std::sync::Arc;

use crate::model::{
    CimError, CimType, CimValue, Class, InstancePath, Method, Namespace, ObjectPath, Result,
};
use crate::ops::{BoxFuture, InstanceStream, MethodReply};
use crate::provider::fill::{self, Plain};
use crate::provider::{Arguments, Context, Provider};

use super::{Profile, Site, server};

/// The class of registered profiles.
pub(super) const CLASS: &str = "CIM_RegisteredProfile";
/// `RegisteredOrganization`: DMTF.
const DMTF: u16 = 2;
/// `AdvertiseTypes`: Not Advertised.
const NOT_ADVERTISED: &[u16] = &[2];

/// Every profile.
pub(super) const ALL: [Profile; 4] = [
    Profile::Registration,
    Profile::Server,
    Profile::Indications,
    Profile::JobControl,
];

impl Profile {
    /// `RegisteredName`, and the version of the profile that is followed.
    fn named(self) -> (&'static str, &'static str) {
        match self {
            Self::Registration => ("Profile Registration", "1.1.0"),
            Self::Server => ("WBEM Server", "1.0.0"),
            Self::Indications => ("Indications", "1.2.0"),
            Self::JobControl => ("Job Control", "1.0.0"),
        }
    }

    fn id(self) -> String {
        let (name, version) = self.named();
        format!("JW:DMTF:{name}:{version}")
    }

    fn values(self) -> Vec<(&'static str, Plain)> {
        let (name, version) = self.named();
        vec![
            ("InstanceID", self.id().into()),
            ("ElementName", name.into()),
            ("SpecificationType", 2_u16.into()),
            ("RegisteredOrganization", DMTF.into()),
            ("RegisteredName", name.into()),
            ("RegisteredVersion", version.into()),
            ("AdvertiseTypes", NOT_ADVERTISED.into()),
        ]
    }
}

pub(super) fn path(namespace: &Namespace, profile: Profile) -> InstancePath {
    super::path(namespace, CLASS, &[("InstanceID", &profile.id())])
}

/// The central instances of a profile.
pub(super) fn central(site: &Site, profile: Profile) -> Vec<InstancePath> {
    match profile {
        Profile::Registration => ALL.map(|profile| path(site.interop(), profile)).to_vec(),
        Profile::Server => vec![server::path(site)],
        Profile::Indications | Profile::JobControl => {
            let of = site.related.central.iter();
            let own = of.filter(|(whose, _)| *whose == profile);
            own.map(|(_, path)| path.clone()).collect()
        }
    }
}

/// The provider of the profiles.
pub(super) struct Profiles(pub(super) Arc<Site>);

impl Provider for Profiles {
    fn instances(&self, cx: &Context, class: &Arc<Class>) -> InstanceStream {
        fill::instances_of(cx, CLASS, class, |own| {
            let made = |profile: Profile| fill::instance(own, profile.values());
            ALL.into_iter().map(made).collect()
        })
    }

    fn invoke<'a>(
        &'a self,
        cx: &'a Context,
        _class: &'a Arc<Class>,
        called_on: Option<&'a InstancePath>,
        (method, _): (&'a Method, Arguments),
    ) -> BoxFuture<'a, Result<MethodReply>> {
        Box::pin(async move {
            let name = &method.name;
            if !name.is("GetCentralInstances") {
                let text = format!("{name} is not implemented; call GetCentralInstances");
                return Err(CimError::method_not_available(text));
            }
            let missing = || CimError::not_found(format!("{name} is called on a profile"));
            let called_on = called_on.ok_or_else(missing)?;
            let is_it = |profile: &Profile| path(&cx.namespace, *profile).keys == called_on.keys;
            let profile = ALL.into_iter().find(is_it).ok_or_else(missing)?;
            let reference = |path: InstancePath| {
                let path: ObjectPath = path.into();
                CimValue::Reference(Box::new(path))
            };
            let instances = central(&self.0, profile).into_iter().map(reference);
            let mut reply = MethodReply {
                returns: Some((CimType::Uint8, CimValue::Uint8(0))),
                outputs: Vec::new(),
            };
            let instances = CimValue::Array(instances.collect());
            reply.output("CentralInstances", CimType::Reference, instances);
            Ok(reply)
        })
    }
}
