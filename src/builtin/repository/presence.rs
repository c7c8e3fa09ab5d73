//! Whether the objects that are kept here are there, and need what leads to them.

use std::sync::Arc;

use crate::model::{Instance, ObjectPath};
use crate::provider::{Catalogue, Context};
use crate::store::{Batch, Trouble};

use super::{cardinality, family, home_of, keys};

/// Knows that for one request.
pub(super) struct Presence {
    catalogue: Arc<Catalogue>,
    cx: Context,
}

impl Presence {
    /// As the request of `cx` sees it.
    pub(super) fn new(catalogue: Arc<Catalogue>, cx: Context) -> Self {
        Self { catalogue, cx }
    }

    /// Does `change`, after which `lost` leads no longer where it led; refuses it when what it led to still
    /// needs it.
    pub(super) fn keeping(
        &self,
        batch: &Batch<'_>,
        lost: &Instance,
        change: impl FnOnce() -> Result<(), Trouble>,
    ) -> Result<(), Trouble> {
        let ground = (&self.cx.namespace, &*self.cx.schema);
        let met = cardinality::met(batch, lost, ground, |end| self.is_there(batch, end))?;
        change()?;
        cardinality::check_met(batch, lost, ground, &met)
    }

    /// Whether what `path` leads to is kept here; of what others provide nothing is known.
    fn is_there(&self, batch: &Batch<'_>, path: &ObjectPath) -> Result<bool, Trouble> {
        let Some((namespace, schema)) = home_of(&self.catalogue, &self.cx, path) else {
            return Ok(false);
        };
        let Ok(path) = schema.instance_path(&namespace, path) else {
            return Ok(false);
        };
        let Some(class) = schema.class(path.class.as_str()) else {
            return Ok(false);
        };
        // Not by the tally, which follows what is committed.
        let classes = family(class, &schema);
        let keys = keys::key(&namespace, &class.name, &path.keys).keys;
        let found = batch.class_of((&namespace.folded(), &keys), &classes)?;
        Ok(found.is_some())
    }
}
