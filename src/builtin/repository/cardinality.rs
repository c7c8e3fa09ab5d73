//! `Max` and `Min` on references (DSP0004 2.8 §5.6.3): how many instances of an association lead to the same
//! other ends.
//!
//! An object is there before what refers to it, and may go before it: `Min` is asked when an association is
//! lost that its other ends still need. So whatever was made can be deleted, first the objects.

use crate::model::{CimError, CimType, CimValue, Instance, Namespace, ObjectPath, Property};
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
        let Some(max) = limit(property, "Max") else {
            continue;
        };
        let found = count(batch, (new, property), (namespace, schema), max)?;
        if found.is_some_and(|count| count > max) {
            return Err(broken(new, property, &format!("Max allows {max}")).into());
        }
    }
    Ok(())
}

/// Refuses that `lost` leads no longer where it led, when there are fewer instances then than a `Min` wants
/// and its other ends are still there, as `is_there` says.
///
/// # Errors
/// `FAILED`, naming the reference and its `Min`; what keeps the store from being read.
pub(super) fn check_lost(
    batch: &Batch<'_>,
    lost: &Instance,
    (namespace, schema): (&Namespace, &Schema),
    is_there: impl Fn(&ObjectPath) -> std::result::Result<bool, Trouble>,
) -> std::result::Result<(), Trouble> {
    for (property, _) in references(lost) {
        let Some(min) = limit(property, "Min").filter(|min| *min > 0) else {
            continue;
        };
        let others = references(lost).filter(|(other, _)| other.name != property.name);
        let mut needs_it = true;
        for other in others.filter_map(|(_, value)| value.as_reference()) {
            needs_it = needs_it && is_there(other)?;
        }
        if !needs_it {
            continue;
        }
        let found = count(batch, (lost, property), (namespace, schema), min)?;
        if found.is_some_and(|count| count < min) {
            return Err(broken(lost, property, &format!("Min wants {min}")).into());
        }
    }
    Ok(())
}

/// Whether the two lead to the same objects.
pub(super) fn leads_alike(one: &Instance, other: &Instance) -> bool {
    references(one).eq(references(other))
}

/// How many instances there are that have the other ends of `like` than `property`, counted until there are
/// more than `enough`; `None` where there is no other end.
fn count(
    batch: &Batch<'_>,
    (like, property): (&Instance, &Property),
    (namespace, schema): (&Namespace, &Schema),
    enough: u64,
) -> std::result::Result<Option<u64>, Trouble> {
    let ends = others(like, property, namespace, schema);
    let Some((_, target)) = ends.first() else {
        return Ok(None);
    };
    let (mut count, mut after) = (0, 0);
    loop {
        let rows = batch.referring(&namespace.folded(), target, after, PAGE)?;
        for row in &rows {
            after = row.id;
            let there = decoded(row.view(), schema)?;
            let is_like = there.class.is_a(property.origin.as_str())
                && others(&there, property, namespace, schema) == ends;
            count += u64::from(is_like);
        }
        if count > enough || rows.is_empty() {
            return Ok(Some(count));
        }
    }
}

fn broken(instance: &Instance, property: &Property, rule: &str) -> CimError {
    CimError::failed(format!(
        "{}.{}: {rule} for the same other ends",
        instance.class.name, property.name
    ))
}

fn limit(property: &Property, qualifier: &str) -> Option<u64> {
    let limit = property.qualifiers.get(qualifier)?.value.as_integer()?;
    u64::try_from(limit).ok()
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
