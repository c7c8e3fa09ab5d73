//! The namespaces of the server: each with its schema, and the further names some answer to.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::model::{CimError, Namespace, Result};
use crate::schema::Schema;

/// Every namespace with its schema.
#[derive(Debug, Clone, Default)]
pub struct Namespaces {
    served: BTreeMap<Namespace, Arc<Schema>>,
    aliases: BTreeMap<Namespace, Namespace>,
}

/// A namespace as a request found it.
#[derive(Debug, Clone)]
pub struct Served {
    /// Its own name, whatever name the client used.
    pub namespace: Namespace,
    /// Its schema.
    pub schema: Arc<Schema>,
}

impl Namespaces {
    /// No namespace.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a namespace.
    #[must_use]
    pub fn with(mut self, namespace: Namespace, schema: Arc<Schema>) -> Self {
        self.served.insert(namespace, schema);
        self
    }

    /// Lets `alias` stand for `namespace`. It is not listed among the namespaces.
    #[must_use]
    pub fn with_alias(mut self, alias: Namespace, namespace: Namespace) -> Self {
        self.aliases.insert(alias, namespace);
        self
    }

    /// Replaces the schema of a namespace, or adds the namespace.
    pub fn put(&mut self, namespace: Namespace, schema: Arc<Schema>) {
        self.served.insert(namespace, schema);
    }

    /// Takes a namespace away.
    pub fn remove(&mut self, namespace: &Namespace) {
        self.served.remove(namespace);
    }

    /// The namespaces by their own names, with their schemas.
    pub fn iter(&self) -> impl Iterator<Item = (&Namespace, &Arc<Schema>)> {
        self.served.iter()
    }

    /// Whether a namespace has this name, its own or another one.
    pub fn contains(&self, name: &Namespace) -> bool {
        self.served.contains_key(name) || self.aliases.contains_key(name)
    }

    /// The namespace that `name` means.
    ///
    /// # Errors
    /// `INVALID_NAMESPACE`.
    pub fn find(&self, name: &Namespace) -> Result<Served> {
        let own = self.aliases.get(name).unwrap_or(name);
        let found = self.served.get_key_value(own);
        let unknown =
            || CimError::invalid_namespace(format!("the namespace {name} does not exist"));
        let (namespace, schema) = found.ok_or_else(unknown)?;
        Ok(Served {
            namespace: namespace.clone(),
            schema: schema.clone(),
        })
    }
}
