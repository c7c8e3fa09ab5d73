//! The enforced qualifiers, one file each; this file is their list.
//!
//! A rule turns the value of its qualifier into a check on the values of the element. Qualifiers
//! that mean something other than a check on values (`Key`, `Write`, `Override` ...) are read where
//! classes are resolved and instances are made; [`STANDING`] says for every qualifier of the CIM
//! schema what becomes of it.

mod array_type;
mod bit_map;
mod max_len;
mod max_value;
mod min_len;
mod min_value;
mod octet_string;
mod standing;
mod value_map;

pub(super) use array_type::array_kind;
pub use standing::{STANDING, Standing};

use crate::model::{Check, CimType, CimValue, NameMap, Qualifier, TypeDecl};

/// What a rule is applied to.
#[derive(Debug, Clone, Copy)]
pub struct Subject<'a> {
    /// The type of the element.
    pub ty: &'a TypeDecl,
    /// The qualifier of the rule.
    pub qualifier: &'a Qualifier,
    /// All qualifiers of the element.
    pub qualifiers: &'a NameMap<Qualifier>,
}

impl Subject<'_> {
    /// The qualifier's value as an integer.
    fn integer(&self) -> Option<i128> {
        self.qualifier.value.as_integer()
    }

    /// The qualifier's value as a number of characters.
    fn length(&self) -> Option<u32> {
        self.integer().and_then(|length| u32::try_from(length).ok())
    }

    /// Whether values of the element can be more or less than a number.
    fn is_measured(&self) -> bool {
        let ty = self.ty.ty;
        ty.integer_range().is_some()
            || matches!(ty, CimType::Real32 | CimType::Real64 | CimType::DateTime)
    }

    /// Whether values of the element are strings.
    fn is_string(&self) -> bool {
        self.ty.ty == CimType::String
    }
}

/// An enforced qualifier.
#[derive(Debug, Clone, Copy)]
pub struct Rule {
    /// The qualifier's name.
    pub qualifier: &'static str,
    /// Builds the check; `None` where the qualifier's value lays down nothing.
    pub build: fn(&Subject<'_>) -> Result<Option<Check>, String>,
}

/// Every rule, in the order in which violations are reported.
pub const RULES: &[Rule] = &[
    array_type::RULE,
    min_len::RULE,
    max_len::RULE,
    value_map::RULE,
    bit_map::RULE,
    min_value::RULE,
    max_value::RULE,
    octet_string::RULE,
];

/// Whether a name in `Values` or `BitValues` says that what it names means nothing yet.
fn says_reserved(name: &str) -> bool {
    const WORD: &[u8] = b"reserved";
    // No character beyond ASCII has one of its letters as its lower case.
    let mut places = name.as_bytes().windows(WORD.len());
    places.any(|place| place.eq_ignore_ascii_case(WORD))
}

/// Whether the qualifier is true.
fn is_set(value: &CimValue) -> bool {
    value.as_bool().unwrap_or(false)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{CimName, Flavor};

    /// The check that `rule` builds for a qualifier `value` on an element of type `ty`.
    pub(super) fn build(rule: Rule, ty: CimType, value: CimValue) -> Result<Option<Check>, String> {
        build_on(rule, &TypeDecl::scalar(ty), value)
    }

    /// The same on an element of any shape.
    pub(super) fn build_on(
        rule: Rule,
        ty: &TypeDecl,
        value: CimValue,
    ) -> Result<Option<Check>, String> {
        let qualifier = qualifier(rule.qualifier, value);
        let qualifiers = NameMap::from_iter([(qualifier.name.clone(), qualifier.clone())]);
        (rule.build)(&Subject {
            ty,
            qualifier: &qualifier,
            qualifiers: &qualifiers,
        })
    }

    pub(super) fn qualifier(name: &'static str, value: CimValue) -> Qualifier {
        Qualifier {
            name: CimName::of(name),
            ty: CimType::String,
            is_array: false,
            value,
            flavor: Flavor::default(),
            propagated: false,
        }
    }

    #[test]
    fn every_rule_is_called_enforced() {
        for rule in RULES {
            let standing = STANDING.iter().find(|(name, _)| *name == rule.qualifier);
            assert!(
                matches!(standing, Some((_, Standing::Enforced(_)))),
                "{} has a rule and stands as {standing:?}",
                rule.qualifier
            );
        }
    }
}
