//! Whether an instance of an association refers to an object, however the reference is spelled.
//!
//! A reference may name a host or not, a namespace or not, its keys in any order and case, and the
//! class of the object or a superclass of it. The host is not compared: a server has many names.

use crate::model::{CimName, Instance, InstancePath, Keys, ObjectPath};

use super::Context;

/// Whether `instance`, which lives in the namespace of `cx`, refers to `object`, by the reference
/// `role` where one is named.
pub fn refers_to(
    cx: &Context,
    instance: &Instance,
    object: &InstancePath,
    role: Option<&CimName>,
) -> bool {
    instance
        .iter()
        .filter(|(property, _)| role.is_none_or(|role| property.name == *role))
        .filter_map(|(_, value)| value.as_reference())
        .any(|reference| leads_to(cx, reference, object))
}

/// Whether `reference`, as it stands in an instance in the namespace of `cx`, is a path of `object`.
pub fn leads_to(cx: &Context, reference: &ObjectPath, object: &InstancePath) -> bool {
    let Some(keys) = &reference.keys else {
        return false;
    };
    let namespace = reference.namespace.as_ref().unwrap_or(&cx.namespace);
    *namespace == object.namespace
        && is_class_of(cx, &reference.class, &object.class)
        && same_keys(cx, reference, keys, object)
}

fn is_class_of(cx: &Context, named: &CimName, creation: &CimName) -> bool {
    named == creation
        || cx
            .schema
            .class(creation.as_str())
            .is_some_and(|class| class.is_a(named.as_str()))
}

/// Keys that differ as they were written may be the same ones once the class has given them their
/// types; a class of another namespace is not asked.
fn same_keys(cx: &Context, reference: &ObjectPath, keys: &Keys, object: &InstancePath) -> bool {
    *keys == object.keys
        || cx
            .schema
            .instance_path(&object.namespace, reference)
            .is_ok_and(|typed| typed.keys == object.keys)
}
