//! Values that break rules, in words: the qualifier, its limit and the offending value.

use thiserror::Error;

use super::{CimName, CimValue};

/// Characters of an offending value that are shown.
const SHOWN_CHARACTERS: usize = 64;

/// A value that breaks a rule. Reads after "Property: ".
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Violation {
    /// The value is of another type.
    #[error("{value} is not of type {declared}")]
    Type {
        /// The value, as text.
        value: String,
        /// The declared type.
        declared: String,
    },
    /// The embedded instance is of another class.
    #[error("an instance of {given} was given where EmbeddedInstance asks for {declared}")]
    EmbeddedClass {
        /// The class of the instance.
        given: CimName,
        /// The class of the qualifier.
        declared: CimName,
    },
    /// The value is NULL.
    #[error("NULL was given where Required or Key asks for a value")]
    Null,
    /// The number is too low, or the interval too short.
    #[error("{value} is below MinValue {limit}")]
    BelowMinValue {
        /// The value.
        value: String,
        /// The qualifier's value with its unit.
        limit: String,
    },
    /// The number is too high, or the interval too long.
    #[error("{value} is above MaxValue {limit}")]
    AboveMaxValue {
        /// The value.
        value: String,
        /// The qualifier's value with its unit.
        limit: String,
    },
    /// The text is too short.
    #[error("{value} has {length} characters and is shorter than MinLen {limit}")]
    TooShort {
        /// The text, shortened.
        value: String,
        /// The number of characters.
        length: usize,
        /// The qualifier's value.
        limit: u32,
    },
    /// The text is too long.
    #[error("{value} has {length} characters and is longer than MaxLen {limit}")]
    TooLong {
        /// The text, shortened.
        value: String,
        /// The number of characters.
        length: usize,
        /// The qualifier's value.
        limit: u32,
    },
    /// The value is not one of those listed.
    #[error("{value} is not in ValueMap {{{allowed}}}")]
    NotInValueMap {
        /// The value.
        value: String,
        /// The entries, shortened.
        allowed: String,
    },
    /// The value is listed as reserved.
    #[error("{value} is reserved in ValueMap: it is named \"{name}\"")]
    Reserved {
        /// The value.
        value: String,
        /// The entry's name in `Values`.
        name: String,
    },
    /// A bit that means nothing is set.
    #[error("{value} sets bit {bit}, which is not in BitMap {{{allowed}}}")]
    NotInBitMap {
        /// The value.
        value: String,
        /// The lowest such bit.
        bit: u32,
        /// The bits that mean something.
        allowed: String,
    },
    /// The array has another number of entries.
    #[error("an array of {length} entries was given where the declaration has [{size}]")]
    ArraySize {
        /// The number of entries given.
        length: usize,
        /// The number declared.
        size: u32,
    },
    /// The octets do not begin with their length.
    #[error("OctetString: {0} does not begin with its own length as four octets")]
    OctetString(String),
}

/// `value` for a message: texts in quotes, long ones cut.
pub(super) fn shown(value: &CimValue) -> String {
    match value {
        CimValue::String(text) => {
            let mut shown: String = text.chars().take(SHOWN_CHARACTERS).collect();
            if shown.len() < text.len() {
                shown.push_str("...");
            }
            format!("\"{shown}\"")
        }
        CimValue::Array(entries) if entries.len() > SHOWN_CHARACTERS => {
            format!("an array of {} entries", entries.len())
        }
        other => other.to_string(),
    }
}
