//! Values that clients wrote, as values of a slot: typed, embedded instances made, rules kept.

use crate::model::{
    CimError, CimName, CimType, CimValue, Literal, PropertyValue, Result, Slot, ValueError,
};

use super::Schema;

/// How deep embedded instances may stand in one another.
pub const EMBEDDING_LIMIT: usize = 8;

/// Whether a claimed type may be given for a declared one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Claims {
    /// It must be the same: properties.
    Exact,
    /// Integers of another width are fine when the value fits: parameters.
    Widening,
}

impl Schema {
    /// What a client wrote for the element `name`, as a value that `slot` accepts.
    ///
    /// # Errors
    /// `INVALID_PARAMETER`, naming the element and the rule.
    pub(super) fn input(
        &self,
        name: &dyn std::fmt::Display,
        given: &PropertyValue,
        slot: &Slot,
        claims: Claims,
        depth: usize,
    ) -> Result<CimValue> {
        let wrong = |text: String| CimError::invalid_parameter(format!("{name}: {text}"));
        if !is_claim_of(given, slot, claims) {
            let claimed = given.ty.map_or("another type", CimType::as_str);
            let brackets = if given.is_array { "[]" } else { "" };
            return Err(wrong(format!(
                "{claimed}{brackets} was given where {slot} is declared"
            )));
        }
        let value = if slot.embedding.is_some() {
            self.embedded(name, &given.value, slot.is_array, depth)?
        } else {
            let value = given.value.resolve(slot.ty, slot.is_array);
            value.map_err(|error| wrong(error.to_string()))?
        };
        slot.accepts(&value)
            .map_err(|violation| wrong(violation.to_string()))?;
        Ok(value)
    }

    /// Embedded instances, or an array of them.
    pub(super) fn embedded(
        &self,
        name: &dyn std::fmt::Display,
        literal: &Literal,
        is_array: bool,
        depth: usize,
    ) -> Result<CimValue> {
        let wrong = |text: &str| CimError::invalid_parameter(format!("{name}: {text}"));
        match (literal, is_array) {
            (Literal::Null, _) => Ok(CimValue::Null),
            (Literal::Array(entries), true) => {
                let entry = |entry| self.embedded(name, entry, false, depth);
                entries
                    .iter()
                    .map(entry)
                    .collect::<Result<_>>()
                    .map(CimValue::Array)
            }
            (Literal::Instance(_), false) if depth >= EMBEDDING_LIMIT => {
                Err(wrong("instances are embedded too deep"))
            }
            (Literal::Instance(decl), false) => {
                let instance = self.embedded_instance(decl, depth + 1)?;
                Ok(CimValue::Instance(Box::new(instance)))
            }
            (_, true) => Err(wrong(&ValueError::IsAnArray.to_string())),
            (_, false) => Err(wrong("an embedded instance is declared here")),
        }
    }
}

fn is_claim_of(given: &PropertyValue, slot: &Slot, claims: Claims) -> bool {
    let Some(claimed) = given.ty else { return true };
    let integers = claimed.integer_range().is_some() && slot.ty.integer_range().is_some();
    let same = claimed == slot.ty || (claims == Claims::Widening && integers);
    // A NULL may come in an element of either kind.
    same && (given.is_array == slot.is_array || given.value == Literal::Null)
}

/// The names of elements that a client gave twice.
pub(super) fn given_once(given: &[PropertyValue]) -> Result<()> {
    let mut seen: std::collections::HashSet<&CimName> = std::collections::HashSet::new();
    match given.iter().find(|property| !seen.insert(&property.name)) {
        Some(twice) => Err(CimError::invalid_parameter(format!(
            "{} was given twice",
            twice.name
        ))),
        None => Ok(()),
    }
}
