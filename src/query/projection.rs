//! The select list: which properties of an instance a row has.

use crate::model::{CimName, Instance};

/// Which properties are wanted.
#[derive(Debug, Clone, PartialEq)]
pub enum Projection {
    /// All of them.
    All,
    /// Those named, each with what is wanted of an embedded object in it.
    Properties(Vec<(CimName, Projection)>),
}

impl Projection {
    /// The names of the wanted properties, `None` for all.
    pub fn names(&self) -> Option<Vec<CimName>> {
        match self {
            Self::All => None,
            Self::Properties(list) => Some(list.iter().map(|(name, _)| name.clone()).collect()),
        }
    }

    /// Adds the property at the end of `path` with all that is in it.
    pub(super) fn add(&mut self, path: &[CimName]) {
        let Some((first, rest)) = path.split_first() else {
            *self = Self::All;
            return;
        };
        let Self::Properties(list) = self else {
            return;
        };
        let at = list.iter().position(|(name, _)| name == first);
        let at = at.unwrap_or_else(|| {
            list.push((first.clone(), Self::Properties(Vec::new())));
            list.len() - 1
        });
        if let Some((_, inner)) = list.get_mut(at) {
            inner.add(rest);
        }
    }

    /// The instance with only what is wanted: everything else is NULL, also in embedded objects.
    pub fn of(&self, mut instance: Instance) -> Instance {
        self.narrow(&mut instance);
        instance
    }

    fn narrow(&self, instance: &mut Instance) {
        let Self::Properties(list) = self else {
            return;
        };
        let class = instance.class.clone();
        for (slot, property) in class.properties.names().enumerate() {
            match list.iter().find(|(name, _)| name == property) {
                None => instance.clear(slot),
                Some((_, inner)) => {
                    if let Some(embedded) = instance.embedded_mut(slot) {
                        inner.narrow(embedded);
                    }
                }
            }
        }
    }
}
