//! What is said of a fault besides its message: a stable code, advice, and the other element.

use crate::model::{CimName, Element};

use super::error::{DeclError, DeclErrorKind};

impl DeclErrorKind {
    /// Every code.
    pub const CODES: [&str; 23] = [
        "undeclared-qualifier",
        "qualifier-scope",
        "qualifier-value",
        "qualifier-type",
        "disable-override",
        "loosened-flavor",
        "qualifier-rule",
        "duplicate-declaration",
        "unknown-superclass",
        "terminal-superclass",
        "inheritance-cycle",
        "inheritance-too-deep",
        "missing-override",
        "overrides-nothing",
        "override-type",
        "added-key",
        "few-references",
        "reference-outside-association",
        "unknown-reference-class",
        "unknown-embedded-class",
        "array-of-references",
        "default-value",
        "default-breaks-rule",
    ];

    /// The kind, stable and in kebab case.
    pub fn code(&self) -> &'static str {
        match self {
            Self::UndeclaredQualifier => "undeclared-qualifier",
            Self::Scope(_) => "qualifier-scope",
            Self::QualifierValue(_) => "qualifier-value",
            Self::QualifierType { .. } => "qualifier-type",
            Self::DisableOverride => "disable-override",
            Self::LoosenedFlavor => "loosened-flavor",
            Self::Rule(_) => "qualifier-rule",
            Self::Duplicate => "duplicate-declaration",
            Self::Superclass(_) => "unknown-superclass",
            Self::TerminalSuperclass(_) => "terminal-superclass",
            Self::Cycle => "inheritance-cycle",
            Self::TooDeep(_) => "inheritance-too-deep",
            Self::MissingOverride(_) => "missing-override",
            Self::OverridesNothing(_) => "overrides-nothing",
            Self::OverrideType { .. } => "override-type",
            Self::AddedKey => "added-key",
            Self::FewReferences => "few-references",
            Self::ReferenceOutsideAssociation => "reference-outside-association",
            Self::ReferenceClass(_) => "unknown-reference-class",
            Self::EmbeddedClass(_) => "unknown-embedded-class",
            Self::ReferenceArray => "array-of-references",
            Self::Default(_) => "default-value",
            Self::DefaultRule(_) => "default-breaks-rule",
        }
    }

    /// What can be done about it, where something can be advised.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::UndeclaredQualifier => {
                Some("declare it with `qualifier Name : type, scope(...);`")
            }
            Self::Scope(_) => Some("the scope of its declaration says where it may stand"),
            Self::DisableOverride => Some("leave the qualifier out; it is inherited as it is"),
            Self::LoosenedFlavor => Some("leave EnableOverride out"),
            Self::MissingOverride(_) => Some("add the qualifier Override with the element's name"),
            Self::OverridesNothing(_) => Some("leave Override out, or correct the superclass"),
            Self::FewReferences => Some("a reference is written `Class REF Name`"),
            Self::ReferenceOutsideAssociation => {
                Some("make Association the first qualifier of the class")
            }
            Self::AddedKey => Some("leave Key out; the inherited keys name the instances"),
            Self::QualifierValue(_)
            | Self::QualifierType { .. }
            | Self::Rule(_)
            | Self::Duplicate
            | Self::Superclass(_)
            | Self::TerminalSuperclass(_)
            | Self::Cycle
            | Self::TooDeep(_)
            | Self::OverrideType { .. }
            | Self::ReferenceClass(_)
            | Self::EmbeddedClass(_)
            | Self::ReferenceArray
            | Self::Default(_)
            | Self::DefaultRule(_) => None,
        }
    }
}

impl DeclError {
    /// Another declaration that belongs to the explanation, and what is to be seen there.
    pub fn related(&self) -> Option<(Element, &'static str)> {
        let of = |owner: &CimName, feature: Option<CimName>| Element {
            owner: owner.clone(),
            feature,
            parameter: None,
            qualifier: None,
        };
        match &self.kind {
            DeclErrorKind::Scope(_)
            | DeclErrorKind::QualifierValue(_)
            | DeclErrorKind::QualifierType { .. } => {
                let qualifier = self.element.qualifier.as_ref()?;
                Some((of(qualifier, None), "the qualifier is declared here"))
            }
            DeclErrorKind::MissingOverride(origin) => {
                let feature = self.element.feature.clone();
                Some((of(origin, feature), "the inherited element"))
            }
            DeclErrorKind::TerminalSuperclass(name) => Some((of(name, None), "the superclass")),
            DeclErrorKind::UndeclaredQualifier
            | DeclErrorKind::DisableOverride
            | DeclErrorKind::LoosenedFlavor
            | DeclErrorKind::Rule(_)
            | DeclErrorKind::Duplicate
            | DeclErrorKind::Superclass(_)
            | DeclErrorKind::Cycle
            | DeclErrorKind::TooDeep(_)
            | DeclErrorKind::OverridesNothing(_)
            | DeclErrorKind::OverrideType { .. }
            | DeclErrorKind::AddedKey
            | DeclErrorKind::FewReferences
            | DeclErrorKind::ReferenceOutsideAssociation
            | DeclErrorKind::ReferenceClass(_)
            | DeclErrorKind::EmbeddedClass(_)
            | DeclErrorKind::ReferenceArray
            | DeclErrorKind::Default(_)
            | DeclErrorKind::DefaultRule(_) => None,
        }
    }
}
