//! Who serves which classes in which namespaces. An overlap is an error at start, not at a request.

use std::sync::Arc;

use thiserror::Error;

use crate::model::{CimName, Class, NameMap, Namespace};
use crate::schema::Schema;

use super::Provider;

/// A provider with the classes it claims; subclasses are claimed with them.
#[derive(Clone)]
pub struct Registration {
    /// The provider's name, for messages.
    pub name: &'static str,
    /// The namespaces it serves.
    pub namespaces: Vec<Namespace>,
    /// The topmost classes it claims. A subclass that another one claims is that one's alone.
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
    /// The numbers of the registrations that claim a class.
    claims: NameMap<Vec<usize>>,
    /// Classes claimed in every namespace in which nobody claims them by its name.
    everywhere: Vec<(Vec<CimName>, Arc<dyn Provider>)>,
    /// Serves what nobody claims.
    repository: Option<Arc<dyn Provider>>,
}

impl Registry {
    /// A registry of `registrations`, in which no class is claimed twice.
    pub fn new(registrations: Vec<Registration>) -> Result<Self, RegistryError> {
        for (at, second) in registrations.iter().enumerate() {
            for first in &registrations[..at] {
                disjoint(first, second)?;
            }
        }
        let mut claims: NameMap<Vec<usize>> = NameMap::new();
        for (at, registration) in registrations.iter().enumerate() {
            for class in &registration.classes {
                claims.or_default(class).push(at);
            }
        }
        Ok(Self {
            registrations,
            claims,
            ..Self::default()
        })
    }

    /// Lets `provider` serve `classes` in every namespace in which nobody else claims them.
    #[must_use]
    pub fn with_everywhere(mut self, classes: Vec<CimName>, provider: Arc<dyn Provider>) -> Self {
        self.everywhere.push((classes, provider));
        self
    }

    /// Lets `provider` serve every class that nobody claims.
    #[must_use]
    pub fn with_repository(mut self, provider: Arc<dyn Provider>) -> Self {
        self.repository = Some(provider);
        self
    }

    /// The provider that claims `class`, by its nearest claimed ancestor; else the repository.
    pub fn provider_of(&self, namespace: &Namespace, class: &Class) -> Option<&Arc<dyn Provider>> {
        self.claimant(namespace, class).or(self.repository.as_ref())
    }

    /// Whether a provider claims `class`, so that no instance of it lies in the repository.
    pub fn is_claimed(&self, namespace: &Namespace, class: &Class) -> bool {
        self.claimant(namespace, class).is_some()
    }

    fn claimant(&self, namespace: &Namespace, class: &Class) -> Option<&Arc<dyn Provider>> {
        let mut names = std::iter::once(&class.name).chain(&class.ancestors);
        names.find_map(|name| {
            let claims = self.claims.under(name).into_iter().flatten();
            let mut claims = claims.filter_map(|at| self.registrations.get(*at));
            claims
                .find(|registration| registration.namespaces.contains(namespace))
                .map(|registration| &registration.provider)
                .or_else(|| {
                    let mut wide = self.everywhere.iter();
                    let found = wide.find(|(classes, _)| classes.contains(name));
                    found.map(|(_, provider)| provider)
                })
        })
    }

    /// The providers that may have instances of `class` or of its subclasses.
    pub fn providers_under<'a>(
        &'a self,
        namespace: &'a Namespace,
        schema: &'a Schema,
        class: &'a Class,
    ) -> impl Iterator<Item = &'a Arc<dyn Provider>> {
        // What has no subclasses is served by one provider, and most requests are about such a class.
        let has_subclasses = schema.children(Some(&class.name)).next().is_some();
        let only = self
            .provider_of(namespace, class)
            .filter(|_| !has_subclasses);
        let several = has_subclasses.then(|| self.providers_of_family(namespace, schema, class));
        only.into_iter().chain(several.into_iter().flatten())
    }

    /// The providers that may have instances of `class`, which has subclasses, or of those.
    fn providers_of_family<'a>(
        &'a self,
        namespace: &'a Namespace,
        schema: &'a Schema,
        class: &'a Class,
    ) -> impl Iterator<Item = &'a Arc<dyn Provider>> {
        let related = move |claimed: &CimName| {
            let above = || schema.class(claimed.as_str());
            class.descends_from(claimed)
                || above().is_some_and(|claimed| claimed.descends_from(&class.name))
        };
        let is_claimed = self.is_claimed(namespace, class);
        let here = self
            .registrations
            .iter()
            .filter(|registration| registration.namespaces.contains(namespace))
            .filter(move |registration| registration.classes.iter().any(related))
            .map(|registration| &registration.provider);
        let everywhere = self
            .everywhere
            .iter()
            .filter(move |(classes, _)| classes.iter().any(related))
            .map(|(_, provider)| provider);
        // What is claimed is claimed with its subclasses.
        let repository = self.repository.iter().filter(move |_| !is_claimed);
        here.chain(everywhere).chain(repository)
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
