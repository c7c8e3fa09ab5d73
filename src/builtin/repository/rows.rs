//! Rows of the store as instances of their classes.

use std::sync::Arc;

use crate::model::{CimError, Instance, Result};
use crate::schema::Schema;
use crate::store::{InstanceView, ReadRow};

use super::encoding;

/// Of rows with longer values nothing is kept beside the row, in bytes.
const MADE_LIMIT_BYTES: usize = 2048;

pub(super) fn readable(row: InstanceView<'_>, schema: &Schema) -> Option<Instance> {
    let class = schema.class(row.class)?;
    let is_ours = row.format == encoding::FORMAT;
    is_ours.then(|| encoding::decode(row.values, class, schema))?
}

pub(super) fn decoded(row: InstanceView<'_>, schema: &Schema) -> Result<Instance> {
    readable(row, schema).ok_or_else(|| {
        tracing::error!(
            class = row.class,
            id = row.id,
            "a stored instance is not of its class"
        );
        CimError::failed(format!(
            "a stored instance of {} is not readable",
            row.class
        ))
    })
}

/// What was read as an instance. It is made again when its class has changed since; what is long, or has
/// objects of other classes in it, is made each time.
pub(super) fn made_once(read: &ReadRow, schema: &Schema) -> Result<Instance> {
    let made = read.made.get().and_then(|made| made.downcast_ref());
    if let Some(made) = made
        && is_current(made, schema)
    {
        return Ok(made.clone());
    }
    let instance = decoded(read.row.view(), schema)?;
    let is_plain = !instance.iter().any(|(_, value)| value.embeds());
    if read.row.values.len() <= MADE_LIMIT_BYTES && is_plain {
        read.made.get_or_init(|| Box::new(instance.clone()));
    }
    Ok(instance)
}

fn is_current(instance: &Instance, schema: &Schema) -> bool {
    let class = schema.class_named(&instance.class.name);
    class.is_some_and(|class| Arc::ptr_eq(class, &instance.class))
}

pub(super) fn made(row: InstanceView<'_>, schema: &Schema) -> (i64, Result<Instance>) {
    (row.id, decoded(row, schema))
}
