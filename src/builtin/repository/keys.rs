//! Where an instance is kept: namespace, class and keys in one canonical text.
//!
//! Two spellings of a path have the same text exactly when they lead to the same object: names are in
//! lower case, keys in the order of their names, numbers without their width, times as instants, and
//! of a reference the host is left out.

use crate::model::{CimName, CimValue, InstancePath, Keys, Namespace, ObjectPath};
use crate::schema::Schema;
use crate::store::InstanceKey;

/// Where the instance at `path` is kept, when it was made of `class`.
pub(super) fn key(namespace: &Namespace, class: &CimName, path_keys: &Keys) -> InstanceKey {
    InstanceKey {
        namespace: namespace.folded(),
        class: class.folded(),
        keys: keys(path_keys, namespace, None),
    }
}

/// The text by which whatever refers to `object` is found. It has no class in it, because a reference
/// may name a superclass of the object.
pub(super) fn target(object: &InstancePath) -> String {
    let keys = keys(&object.keys, &object.namespace, None);
    format!("{}:{keys}", object.namespace.folded())
}

/// The same for a reference in an instance of `namespace`, whose classes give its keys their types;
/// `None` for the path of a class.
pub(super) fn referred(
    reference: &ObjectPath,
    namespace: &Namespace,
    schema: &Schema,
) -> Option<String> {
    let own = reference.namespace.as_ref().unwrap_or(namespace);
    let typed = schema.instance_path(own, reference);
    match (typed, &reference.keys) {
        (Ok(typed), _) if own == namespace => Some(target(&typed)),
        (_, Some(written)) => {
            let keys = keys(written, own, None);
            Some(format!("{}:{keys}", own.folded()))
        }
        (_, None) => None,
    }
}

fn keys(keys: &Keys, namespace: &Namespace, class: Option<&CimName>) -> String {
    let mut bound: Vec<(String, String)> = keys
        .iter()
        .map(|(name, value)| (name.folded(), text(value, namespace)))
        .collect();
    bound.sort();
    let mut out = class.map(CimName::folded).unwrap_or_default();
    for (name, value) in bound {
        // Names have no '=' and values are quoted or plain: the text reads in one way alone.
        for part in [".", &name, "=", &value] {
            out.push_str(part);
        }
    }
    out
}

fn text(value: &CimValue, namespace: &Namespace) -> String {
    match value {
        CimValue::String(text) => quoted(text),
        CimValue::DateTime(time) => match time.as_instant() {
            Some(instant) => format!("@{}", instant.timestamp_micros()),
            None => format!("~{}", time.as_str()),
        },
        CimValue::Reference(path) => {
            let own = path.namespace.as_ref().unwrap_or(namespace);
            let none = Keys::default();
            let inner = keys(path.keys.as_ref().unwrap_or(&none), own, Some(&path.class));
            quoted(&format!("{}:{inner}", own.folded()))
        }
        CimValue::Char16(unit) => format!("'{unit}"),
        other => match other.as_integer() {
            Some(number) => number.to_string(),
            None => other.to_string(),
        },
    }
}

fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        if matches!(c, '"' | '\\') {
            out.push('\\');
        }
        out.push(c);
    }
    out.push('"');
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> String {
        let path: ObjectPath = text.parse().expect("a path");
        let keys = path.keys.expect("keys");
        super::key(&Namespace::of("root/A"), &path.class, &keys).keys
    }

    #[test]
    fn spelling_makes_no_difference_and_values_do() {
        assert_eq!(of("A.x=1,Y=\"b\""), of("a.y=\"b\",X=+1"));
        assert_eq!(of("A.x=TRUE"), of("A.x=true"));
        for (a, b) in [
            ("A.x=\"b\"", "A.x=\"B\""),
            ("A.x=1", "A.x=\"1\""),
            ("A.x=\"a\",y=\"b\"", "A.x=\"a\\\".y=\\\"b\""),
            ("A.x=1", "A.y=1"),
        ] {
            assert_ne!(of(a), of(b), "{a} and {b}");
        }
    }

    #[test]
    fn a_reference_as_key_may_name_a_host_or_none() {
        let reference = |text: &str| {
            let path: ObjectPath = text.parse().expect("a path");
            super::text(
                &CimValue::Reference(Box::new(path)),
                &Namespace::of("root/a"),
            )
        };
        assert_eq!(reference("//host/root/A:B.k=\"1\""), reference("b.K=\"1\""));
        assert_ne!(reference("root/b:B.k=\"1\""), reference("B.k=\"1\""));
        assert_ne!(reference("C.k=\"1\""), reference("B.k=\"1\""));
    }
}
