//! Namespaces that are instances too: what is told when one comes or goes.

use crate::model::{Instance, Namespace, Result};

use super::{Change, Namespaces};

/// Shows namespaces as instances.
pub trait Mirror: Send + Sync + 'static {
    /// The instances that are there because `name` is among `namespaces`, each with the namespace it is
    /// in: the one that stands for it first, then what links it.
    ///
    /// # Errors
    /// When a class of that name cannot hold what it should.
    fn shown(
        &self,
        namespaces: &Namespaces,
        name: &Namespace,
    ) -> Result<Vec<(Namespace, Instance)>>;
}

/// The changes that whoever listens is told of: those instances come, or go the other way round.
pub(super) fn changes(
    shown: Result<Vec<(Namespace, Instance)>>,
    comes: bool,
) -> Vec<(Namespace, Change)> {
    let shown = shown.unwrap_or_else(|error| {
        tracing::error!(%error, "a namespace comes or goes and cannot be told");
        Vec::new()
    });
    let shown = shown.into_iter();
    if comes {
        let created = shown.map(|(place, instance)| (place, Change::Created(instance)));
        created.collect()
    } else {
        let deleted = shown.map(|(place, instance)| (place, Change::Deleted(instance)));
        deleted.rev().collect()
    }
}
