//! Whether two forms of a class mean the same: everything but what only describes it.

use std::sync::Arc;

use crate::model::{Class, Method, NameMap, Parameter, Property, Qualifier};

use super::rules::{STANDING, Standing};

/// Whether instances and subclasses of `old` are none the worse when `new` takes its place.
pub(super) fn same_structure(old: &Class, new: &Class) -> bool {
    old.name == new.name
        && old.ancestors == new.ancestors
        && old.kind == new.kind
        && old.is_abstract == new.is_abstract
        && old.keys == new.keys
        && same_qualifiers(&old.qualifiers, &new.qualifiers)
        && in_order(&old.properties, &new.properties, same_property)
        && in_order(&old.methods, &new.methods, same_method)
}

/// Instances hold their values by place: the order counts.
fn in_order<V>(old: &NameMap<V>, new: &NameMap<V>, same: impl Fn(&V, &V) -> bool) -> bool {
    let pairs = || old.iter().zip(new.iter());
    old.len() == new.len() && pairs().all(|((a, old), (b, new))| a == b && same(old, new))
}

fn same_property(old: &Arc<Property>, new: &Arc<Property>) -> bool {
    Arc::ptr_eq(old, new)
        || old.slot == new.slot
            && old.default == new.default
            && old.origin == new.origin
            && old.key == new.key
            && old.required == new.required
            && old.write == new.write
            && old.read == new.read
            && same_qualifiers(&old.qualifiers, &new.qualifiers)
}

fn same_method(old: &Arc<Method>, new: &Arc<Method>) -> bool {
    Arc::ptr_eq(old, new)
        || old.returns == new.returns
            && old.origin == new.origin
            && old.is_static == new.is_static
            && in_order(&old.parameters, &new.parameters, same_parameter)
            && same_qualifiers(&old.qualifiers, &new.qualifiers)
}

fn same_parameter(old: &Parameter, new: &Parameter) -> bool {
    old.slot == new.slot
        && old.input == new.input
        && old.output == new.output
        && old.required == new.required
        && same_qualifiers(&old.qualifiers, &new.qualifiers)
}

/// Qualifiers that lay something down have the same values, wherever they stand; how many objects a reference
/// leads to may be limited less.
fn same_qualifiers(old: &NameMap<Qualifier>, new: &NameMap<Qualifier>) -> bool {
    let held = |one: &NameMap<Qualifier>, other: &NameMap<Qualifier>| {
        one.values()
            .filter(|qualifier| {
                is_enforced(qualifier) && !LIMITS.contains(&qualifier.name.as_str())
            })
            .all(|qualifier| {
                let other = other.get(qualifier.name.as_str());
                other.is_some_and(|other| other.value == qualifier.value)
            })
    };
    held(old, new) && held(new, old) && allows_what(old, new)
}

/// The qualifiers that [`allows_what`] compares.
const LIMITS: [&str; 2] = ["Min", "Max"];

/// Whether `new` allows every number of objects at a reference that `old` allows.
fn allows_what(old: &NameMap<Qualifier>, new: &NameMap<Qualifier>) -> bool {
    let limits = |qualifiers: &NameMap<Qualifier>| {
        let number = |name| qualifiers.get(name).and_then(|it| it.value.as_integer());
        let [min, max] = LIMITS.map(number);
        (min.unwrap_or(0), max.unwrap_or(i128::MAX))
    };
    let ((old_min, old_max), (new_min, new_max)) = (limits(old), limits(new));
    new_min <= old_min && old_max <= new_max
}

fn is_enforced(qualifier: &Qualifier) -> bool {
    let standing = STANDING.iter().find(|(name, _)| qualifier.name.is(name));
    matches!(standing, Some((_, Standing::Enforced(_))))
}
