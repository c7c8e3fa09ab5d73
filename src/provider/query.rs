//! The schema as the source of the classes that a query names.

use std::sync::Arc;

use crate::model::{CimName, Class};
use crate::query::Classes;
use crate::schema::Schema;

impl Classes for Schema {
    fn class(&self, name: &CimName) -> Option<Arc<Class>> {
        Schema::class(self, name.as_str()).cloned()
    }

    fn subclasses(&self, name: &CimName) -> Vec<Arc<Class>> {
        self.descendants(Some(name)).into_iter().cloned().collect()
    }
}
