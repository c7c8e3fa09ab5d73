//! Who serves which classes in which namespaces. An overlap is an error at start, not at a request.

use std::sync::Arc;

use thiserror::Error;

use crate::model::{CimName, Class, Namespace};
use crate::schema::Schema;

use super::Provider;

/// A provider with the classes it claims; subclasses are claimed with them.
#[derive(Clone)]
pub struct Registration {
    /// The provider's name, for messages.
    pub name: &'static str,
    /// The namespaces it serves.
    pub namespaces: Vec<Namespace>,
    /// The topmost classes it claims.
    pub classes: Vec<CimName>,
    /// The provider.
    pub provider: Arc<dyn Provider>,
}

/// Why providers cannot be registered together.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum RegistryError {
    /// Two providers claim the same class in the same namespace.
    #[error("{first} and {second} both claim {class} in {namespace}")]
    Overlap {
        /// The provider registered first.
        first: &'static str,
        /// The provider registered later.
        second: &'static str,
        /// The class claimed twice.
        class: CimName,
        /// The namespace.
        namespace: Namespace,
    },
}

/// All providers of the server.
#[derive(Clone, Default)]
pub struct Registry {
    registrations: Vec<Registration>,
}

impl Registry {
    /// A registry of `registrations`, in which no class is claimed twice.
    pub fn new(registrations: Vec<Registration>) -> Result<Self, RegistryError> {
        for (at, second) in registrations.iter().enumerate() {
            for first in &registrations[..at] {
                disjoint(first, second)?;
            }
        }
        Ok(Self { registrations })
    }

    /// The provider that claims `class`, by its nearest claimed ancestor.
    pub fn provider_of(&self, namespace: &Namespace, class: &Class) -> Option<&Arc<dyn Provider>> {
        let mut names = std::iter::once(&class.name).chain(&class.ancestors);
        let claims = |name: &CimName| {
            self.registrations.iter().find(|registration| {
                registration.namespaces.contains(namespace) && registration.classes.contains(name)
            })
        };
        names
            .find_map(claims)
            .map(|registration| &registration.provider)
    }

    /// The providers that may have instances of `class` or of its subclasses.
    pub fn providers_under<'a>(
        &'a self,
        namespace: &'a Namespace,
        schema: &'a Schema,
        class: &'a Class,
    ) -> impl Iterator<Item = &'a Arc<dyn Provider>> {
        self.serving(namespace)
            .filter(move |registration| {
                registration.classes.iter().any(|claimed| {
                    class.is_a(claimed.as_str())
                        || schema
                            .class(claimed.as_str())
                            .is_some_and(|claimed| claimed.is_a(class.name.as_str()))
                })
            })
            .map(|registration| &registration.provider)
    }

    fn serving<'a>(&'a self, namespace: &'a Namespace) -> impl Iterator<Item = &'a Registration> {
        self.registrations
            .iter()
            .filter(move |r| r.namespaces.contains(namespace))
    }
}

fn disjoint(first: &Registration, second: &Registration) -> Result<(), RegistryError> {
    let namespace = first
        .namespaces
        .iter()
        .find(|name| second.namespaces.contains(name));
    let class = first
        .classes
        .iter()
        .find(|name| second.classes.contains(name));
    match (namespace, class) {
        (Some(namespace), Some(class)) => Err(RegistryError::Overlap {
            first: first.name,
            second: second.name,
            class: class.clone(),
            namespace: namespace.clone(),
        }),
        (Some(_) | None, None) | (None, Some(_)) => Ok(()),
    }
}
