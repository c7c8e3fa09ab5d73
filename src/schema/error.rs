//! What is wrong with a declaration, and of which element.

use thiserror::Error;

use crate::model::{CimName, Element, TypeDecl, ValueError, Violation};

/// A fault of one element of a schema.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{element}: {kind}")]
pub struct DeclError {
    /// The element.
    pub element: Element,
    /// The fault.
    pub kind: DeclErrorKind,
}

/// The kinds of fault. Each reads after the element's name.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[expect(missing_docs, reason = "the message of each variant says what it is")]
pub enum DeclErrorKind {
    #[error("the qualifier is not declared")]
    UndeclaredQualifier,
    #[error("the qualifier may not stand on a {0}")]
    Scope(&'static str),
    #[error("the qualifier's value: {0}")]
    QualifierValue(ValueError),
    #[error("the qualifier is declared as {declared} and used as {used}")]
    QualifierType { declared: String, used: String },
    #[error("the qualifier is inherited with DisableOverride and cannot have another value")]
    DisableOverride,
    #[error("the qualifier is inherited with DisableOverride and cannot be given EnableOverride")]
    LoosenedFlavor,
    #[error("the value of the qualifier is not usable: {0}")]
    Rule(String),
    #[error("declared twice")]
    Duplicate,
    #[error("the superclass {0} does not exist")]
    Superclass(CimName),
    #[error("the superclass {0} is Terminal")]
    TerminalSuperclass(CimName),
    #[error("the class is its own ancestor")]
    Cycle,
    #[error("more than {0} ancestors")]
    TooDeep(usize),
    #[error("{0} has an element of this name; say Override to replace it")]
    MissingOverride(CimName),
    #[error("nothing is inherited that Override(\"{0}\") could replace")]
    OverridesNothing(String),
    #[error("overrides an element of type {inherited} with type {own}")]
    OverrideType { inherited: String, own: String },
    #[error("a key cannot be added where keys are inherited")]
    AddedKey,
    #[error("an association needs at least two references")]
    FewReferences,
    #[error("only an association may have references")]
    ReferenceOutsideAssociation,
    #[error("the referenced class {0} does not exist")]
    ReferenceClass(CimName),
    #[error("the class {0} of EmbeddedInstance does not exist")]
    EmbeddedClass(String),
    #[error("arrays of references are for parameters alone")]
    ReferenceArray,
    #[error("the default value: {0}")]
    Default(ValueError),
    #[error("the default value: {0}")]
    DefaultRule(Violation),
}

/// `ty` for a message.
pub(super) fn shown(ty: &TypeDecl) -> String {
    ty.to_string()
}
