//! Instances as a text declares them, which may name one another by aliases, and their faults.

use thiserror::Error;

use crate::model::{CimName, InstanceDecl, Namespace, ValueError, Violation};

use super::Schema;

/// An instance that a text declares.
#[derive(Debug, Clone)]
pub struct Declared<'a> {
    /// The schema of its namespace.
    pub schema: &'a Schema,
    /// The namespace.
    pub namespace: &'a Namespace,
    /// Its class and values; what stands for an alias is NULL.
    pub decl: &'a InstanceDecl,
    /// The alias it can be named by.
    pub alias: Option<&'a CimName>,
    /// Its values that are aliases of others.
    pub references: Vec<Reference<'a>>,
}

/// A value that is the alias of an instance: its path where a reference is declared, the instance
/// itself where an embedded one is.
#[derive(Debug, Clone, Copy)]
pub struct Reference<'a> {
    /// Index of the property in the declaration.
    pub property: usize,
    /// Index in the array, when the value is one.
    pub entry: Option<usize>,
    /// The alias.
    pub alias: &'a CimName,
}

/// Reads the text of an embedded object, which is MOF in a string; the error is for people.
pub type Embed<'a> = &'a dyn Fn(&str) -> Result<InstanceDecl, String>;

/// A fault of an instance.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{kind}")]
pub struct InstanceFault {
    /// The value it is about, as its index in the declaration; `None` for the whole instance.
    pub property: Option<usize>,
    /// The fault.
    pub kind: InstanceFaultKind,
}

/// The kinds of fault of an instance.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[expect(missing_docs, reason = "the message of each variant says what it is")]
pub enum InstanceFaultKind {
    #[error("the class {0} does not exist")]
    UnknownClass(CimName),
    #[error("{0}")]
    NotCreatable(String),
    #[error("{class} has no property {property}")]
    UnknownProperty { class: CimName, property: CimName },
    #[error("{property} is given twice")]
    GivenTwice { property: CimName, first: usize },
    #[error("{property}: {error}")]
    Type {
        property: CimName,
        error: ValueError,
    },
    #[error("{property}: {violation}")]
    Rule {
        property: CimName,
        violation: Violation,
    },
    #[error("{property} has the value of its class for all instances, because it is Static")]
    Static { property: CimName },
    #[error("{property}: not an embedded object: {reason}")]
    Embedded { property: CimName, reason: String },
    #[error("the key {0} has no value")]
    MissingKey(CimName),
    #[error("{0} is Required and has no value")]
    MissingRequired(CimName),
    #[error("{property} refers to {declared} and not to {given}")]
    ReferenceClass {
        property: CimName,
        declared: CimName,
        given: CimName,
    },
    #[error("{property}: {reason}")]
    ReferencePath { property: CimName, reason: String },
    #[error("no instance has the alias ${0}")]
    UnknownAlias(CimName),
    #[error("the alias ${0} leads back to this instance, whose path needs it")]
    AliasCycle(CimName),
    #[error("{path} is declared twice")]
    Duplicate { path: String, first: usize },
}

impl InstanceFaultKind {
    /// Every code.
    pub const CODES: [&str; 15] = [
        "unknown-class",
        "no-own-instances",
        "unknown-property",
        "property-given-twice",
        "property-type",
        "property-breaks-rule",
        "static-property",
        "bad-embedded-object",
        "missing-key",
        "missing-required",
        "wrong-reference-class",
        "bad-reference-path",
        "unknown-alias",
        "alias-cycle",
        "duplicate-instance",
    ];

    /// The kind, stable and in kebab case.
    pub fn code(&self) -> &'static str {
        match self {
            Self::UnknownClass(_) => "unknown-class",
            Self::NotCreatable(_) => "no-own-instances",
            Self::UnknownProperty { .. } => "unknown-property",
            Self::GivenTwice { .. } => "property-given-twice",
            Self::Type { .. } => "property-type",
            Self::Rule { .. } => "property-breaks-rule",
            Self::Static { .. } => "static-property",
            Self::Embedded { .. } => "bad-embedded-object",
            Self::MissingKey(_) => "missing-key",
            Self::MissingRequired(_) => "missing-required",
            Self::ReferenceClass { .. } => "wrong-reference-class",
            Self::ReferencePath { .. } => "bad-reference-path",
            Self::UnknownAlias(_) => "unknown-alias",
            Self::AliasCycle(_) => "alias-cycle",
            Self::Duplicate { .. } => "duplicate-instance",
        }
    }

    /// What can be done about it, where something can be advised.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Type { error, .. } if *error == ValueError::IsAnArray => {
                Some("an array stands in braces: `{ value, value }`")
            }
            Self::NotCreatable(_) => Some("name a subclass that has instances"),
            Self::Static { .. } => Some("leave it out, or change the default of the class"),
            Self::Embedded { .. } => {
                Some("the string holds MOF: `instance of Class { ... };`; an alias will do as well")
            }
            Self::MissingKey(_) => Some("the keys are the name of an instance: give each a value"),
            Self::UnknownClass(_)
            | Self::UnknownProperty { .. }
            | Self::GivenTwice { .. }
            | Self::Type { .. }
            | Self::Rule { .. }
            | Self::MissingRequired(_)
            | Self::ReferenceClass { .. }
            | Self::ReferencePath { .. }
            | Self::UnknownAlias(_)
            | Self::AliasCycle(_)
            | Self::Duplicate { .. } => None,
        }
    }
}
