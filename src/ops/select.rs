//! Which parts of a class or of an instance a client wants to see.

use crate::model::{CimName, Class, Property};

/// Which properties of an instance are wanted, and with what.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Select {
    /// The names of `PropertyList`; `None` for all properties.
    pub properties: Option<Vec<CimName>>,
    /// `IncludeClassOrigin`.
    pub class_origin: bool,
}

impl Select {
    /// Whether the property `name` is wanted.
    pub fn wants(&self, name: &CimName) -> bool {
        self.properties
            .as_ref()
            .is_none_or(|list| list.contains(name))
    }

    /// This selection narrowed to the properties that `class` has (`DeepInheritance` false).
    #[must_use]
    pub fn within(&self, class: &Class) -> Self {
        let names = class
            .properties
            .names()
            .filter(|name| self.wants(name))
            .cloned()
            .collect();
        Self {
            properties: Some(names),
            class_origin: self.class_origin,
        }
    }
}

/// Which parts of a class are wanted.
#[derive(Debug, Clone, PartialEq)]
pub struct ClassSelect {
    /// `LocalOnly`: leave out what the class inherits unchanged.
    pub local_only: bool,
    /// `IncludeQualifiers`.
    pub qualifiers: bool,
    /// `IncludeClassOrigin`.
    pub class_origin: bool,
    /// The names of `PropertyList`; `None` for all properties. Methods are never left out by it.
    pub properties: Option<Vec<CimName>>,
}

/// The defaults of DSP0200 1.4 §5.4.2.1.
impl Default for ClassSelect {
    fn default() -> Self {
        Self {
            local_only: true,
            qualifiers: true,
            class_origin: false,
            properties: None,
        }
    }
}

impl ClassSelect {
    /// Whether `property` is wanted.
    pub fn wants(&self, property: &Property) -> bool {
        !(self.local_only && property.propagated)
            && self
                .properties
                .as_ref()
                .is_none_or(|list| list.contains(&property.name))
    }
}
