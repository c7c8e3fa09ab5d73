//! `Max` on references (DSP0004 2.8 §5.6.3.31): how many instances of an association may lead to the same
//! other ends.

use crate::model::{CimError, CimType, CimValue, Instance, Namespace, Property};
use crate::schema::Schema;
use crate::store::{Batch, Trouble};

use super::{decoded, keys};

/// Instances read at a time.
const PAGE: usize = 256;

/// Refuses `new`, which has been added, when there are more instances then than a `Max` allows.
///
/// # Errors
/// `FAILED`, naming the reference and its `Max`; what keeps the store from being read.
pub fn check(
    batch: &Batch<'_>,
    new: &Instance,
    namespace: &Namespace,
    schema: &Schema,
) -> std::result::Result<(), Trouble> {
    for (property, _) in references(new) {
        let Some(max) = limit(property) else { continue };
        let ends = others(new, property, namespace, schema);
        // An association has two references or more: there is another one, or nothing to hold it against.
        let Some((_, target)) = ends.first() else {
            continue;
        };
        let (mut count, mut after) = (0, 0);
        loop {
            let rows = batch.referring(&namespace.folded(), target, after, PAGE)?;
            for row in &rows {
                after = row.id;
                let there = decoded(row, schema)?;
                let is_like = there.class.is_a(property.origin.as_str())
                    && others(&there, property, namespace, schema) == ends;
                count += u64::from(is_like);
            }
            if count > max {
                return Err(too_many(new, property, max).into());
            }
            if rows.is_empty() {
                break;
            }
        }
    }
    Ok(())
}

fn too_many(new: &Instance, property: &Property, max: u64) -> CimError {
    CimError::failed(format!(
        "{}.{}: Max allows {max} for the same other ends",
        new.class.name, property.name
    ))
}

fn limit(property: &Property) -> Option<u64> {
    let max = property.qualifiers.get("Max")?.value.as_integer()?;
    u64::try_from(max).ok()
}

fn references(instance: &Instance) -> impl Iterator<Item = (&Property, &CimValue)> {
    let all = instance.iter();
    all.filter(|(property, _)| property.slot.ty == CimType::Reference)
}

/// The other references of the instance than `property`, each by name with what it leads to.
fn others(
    instance: &Instance,
    property: &Property,
    namespace: &Namespace,
    schema: &Schema,
) -> Vec<(String, String)> {
    let others = references(instance).filter(|(other, _)| other.name != property.name);
    let mut others: Vec<(String, String)> = others
        .filter_map(|(other, value)| {
            let target = keys::referred(value.as_reference()?, namespace, schema)?;
            Some((other.name.folded(), target))
        })
        .collect();
    others.sort();
    others
}
