//! The instances that come and go with a namespace: all that the providers here show of it.

use std::sync::Arc;

use crate::builtin::namespaces;
use crate::model::{Instance, Namespace, Result};
use crate::provider::fill::{self, Plain};
use crate::provider::{Mirror, Namespaces};

use super::links::LINKS;
use super::{Site, server};

/// What is shown of namespaces.
pub(super) struct Shown(pub(super) Arc<Site>);

/// Instances, each with the namespace it is in.
type Placed = Vec<(Namespace, Instance)>;

impl Shown {
    /// What describes the server in the interop namespace.
    fn described(&self, namespaces: &Namespaces, name: &Namespace) -> Result<Placed> {
        let Self(site) = self;
        let interop = namespaces.find(site.interop())?;
        let mut shown = Vec::new();
        let own: [(_, Vec<(&'static str, Plain)>); 2] = [
            (
                namespaces::CLASS,
                namespaces::values(&site.identity, name.as_str()),
            ),
            (server::NAMESPACE, server::namespace_values(name)),
        ];
        // An administrator may serve an older schema, which lacks a class.
        for (class, values) in own {
            if let Some(class) = interop.schema.class(class) {
                shown.push(fill::instance(class, values)?);
            }
        }
        for link in LINKS {
            if let Some(class) = interop.schema.class(link.class) {
                shown.extend(link.of_namespace(class, site, name)?);
            }
        }
        let place = |instance| (interop.namespace.clone(), instance);
        Ok(shown.into_iter().map(place).collect())
    }

    /// The `__Namespace` in each namespace above.
    fn above(namespaces: &Namespaces, name: &Namespace) -> Result<Placed> {
        let reserved = namespaces::reserved()?;
        let Some(class) = reserved.class(namespaces::LEGACY_CLASS) else {
            return Ok(Vec::new());
        };
        let outer = namespaces.iter().map(|(outer, _)| outer);
        let inner = outer.filter_map(|outer| Some((outer, namespaces::name_in(outer, name)?)));
        let made = |(outer, inner): (&Namespace, &str)| {
            let instance = fill::instance(class, [("Name", inner.into())])?;
            Ok((outer.clone(), instance))
        };
        inner.map(made).collect()
    }
}

impl Mirror for Shown {
    fn shown(&self, namespaces: &Namespaces, name: &Namespace) -> Result<Placed> {
        let mut shown = self.described(namespaces, name)?;
        shown.extend(Self::above(namespaces, name)?);
        Ok(shown)
    }
}
