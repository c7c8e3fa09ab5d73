//! `Deprecated` in the log: which client-visible elements are still used, each told once.

use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};

use crate::model::{CimName, CimValue, Class, Method, NameMap, Qualifier};

/// Elements that are remembered as told; past it nothing more is told. The whole CIM schema has
/// fewer deprecated elements.
const TOLD_LIMIT: usize = 10_000;

/// The deprecated elements that were told.
#[derive(Debug, Default)]
pub(super) struct Deprecations {
    // Locked only when a deprecated element is used, to look up and add one name.
    told: Mutex<HashSet<String>>,
}

impl Deprecations {
    /// Clients asked for instances of `class`.
    pub(super) fn class(&self, class: &Class) {
        self.tell(&class.qualifiers, || class.name.to_string());
    }

    /// A client wrote these properties of an instance of `class`.
    pub(super) fn properties<'a>(&self, class: &Class, written: impl Iterator<Item = &'a CimName>) {
        self.class(class);
        for property in written.filter_map(|name| class.properties.get(name.as_str())) {
            self.tell(&property.qualifiers, || {
                format!("{}.{}", property.origin, property.name)
            });
        }
    }

    /// A client called `method` with these parameters.
    pub(super) fn method(&self, class: &Class, method: &Method, given: &NameMap<CimValue>) {
        self.class(class);
        let called = || format!("{}.{}()", method.origin, method.name);
        self.tell(&method.qualifiers, called);
        for name in given.names() {
            if let Some(parameter) = method.parameters.get(name.as_str()) {
                self.tell(&parameter.qualifiers, || format!("{}({name})", called()));
            }
        }
    }

    fn tell(&self, qualifiers: &NameMap<Qualifier>, element: impl Fn() -> String) {
        let Some(deprecated) = qualifiers.get("Deprecated") else {
            return;
        };
        let Some(instead) = deprecated.value.as_array() else {
            return;
        };
        let element = element();
        if self.is_news(&element) {
            let instead: Vec<String> = instead.iter().map(CimValue::to_string).collect();
            tracing::warn!(%element, instead = %instead.join(", "), "a client uses a deprecated element");
        }
    }

    fn is_news(&self, element: &str) -> bool {
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        told.len() < TOLD_LIMIT && told.insert(element.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_element_is_news_once() {
        let deprecations = Deprecations::default();
        assert!(deprecations.is_news("A_B.C"));
        assert!(!deprecations.is_news("A_B.C"));
        assert!(deprecations.is_news("A_B.D"));
    }

    #[test]
    fn what_is_remembered_has_a_limit() {
        let deprecations = Deprecations::default();
        let told = (0..=TOLD_LIMIT).filter(|n| deprecations.is_news(&n.to_string()));
        assert_eq!(told.count(), TOLD_LIMIT);
    }
}
