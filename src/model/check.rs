//! The rules that qualifiers lay down for values, compiled to data.
//!
//! `schema::rules` builds them from MOF; this file only applies them.

use std::sync::Arc;

use thiserror::Error;

use super::{CimName, CimValue};

/// One rule for the values of a slot. NULL passes all but `Required`; an array passes when each of
/// its entries does.
#[derive(Debug, Clone, PartialEq)]
pub enum Check {
    /// `Required` and keys: the value is not NULL.
    Required,
    /// `MinValue`, inclusive.
    MinValue(i128),
    /// `MaxValue`, inclusive.
    MaxValue(i128),
    /// `MinLen`, in characters.
    MinLen(u32),
    /// `MaxLen`, in characters.
    MaxLen(u32),
    /// `ValueMap`.
    ValueMap(Arc<ValueMap>),
    /// A fixed-size array has exactly so many entries.
    ArraySize(u32),
    /// `OctetString`: the first four octets are the length of the whole.
    OctetString,
}

/// The values that a `ValueMap` qualifier allows (DSP0004 2.8 §5.6.3.59).
#[derive(Debug, Clone, PartialEq)]
pub enum ValueMap {
    /// Disjoint spans of integers, ascending.
    Integers(Box<[Span]>),
    /// The allowed strings.
    Strings(Box<[Arc<str>]>),
}

/// An entry of an integer `ValueMap`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Span {
    /// The lowest value.
    pub from: i128,
    /// The highest value.
    pub to: i128,
    /// The entry's name in `Values`.
    pub label: Option<Arc<str>>,
    /// The name says that the values are reserved and mean nothing yet.
    pub reserved: bool,
}

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
    /// The number is too low.
    #[error("{value} is below MinValue {limit}")]
    BelowMinValue {
        /// The number.
        value: i128,
        /// The qualifier's value.
        limit: i128,
    },
    /// The number is too high.
    #[error("{value} is above MaxValue {limit}")]
    AboveMaxValue {
        /// The number.
        value: i128,
        /// The qualifier's value.
        limit: i128,
    },
    /// The text is too short.
    #[error("a text of {length} characters is shorter than MinLen {limit}")]
    TooShort {
        /// The number of characters.
        length: usize,
        /// The qualifier's value.
        limit: u32,
    },
    /// The text is too long.
    #[error("a text of {length} characters is longer than MaxLen {limit}")]
    TooLong {
        /// The number of characters.
        length: usize,
        /// The qualifier's value.
        limit: u32,
    },
    /// The value is not one of those listed.
    #[error("{0} is not in ValueMap")]
    NotInValueMap(String),
    /// The value is listed as reserved.
    #[error("{0} is reserved in ValueMap")]
    Reserved(String),
    /// The array has another number of entries.
    #[error("an array of {length} entries was given where {size} are declared")]
    ArraySize {
        /// The number of entries given.
        length: usize,
        /// The number declared.
        size: u32,
    },
    /// The octets do not begin with their length.
    #[error("the length at the start of the OctetString is not its length")]
    OctetString,
}

impl Check {
    /// Whether `value` keeps this rule.
    pub fn check(&self, value: &CimValue) -> Result<(), Violation> {
        match (self, value) {
            (Self::Required, CimValue::Null) => Err(Violation::Null),
            (Self::Required, _) | (_, CimValue::Null) => Ok(()),
            (Self::ArraySize(size), CimValue::Array(entries)) => match entries.len() {
                length if u32::try_from(length) == Ok(*size) => Ok(()),
                length => Err(Violation::ArraySize {
                    length,
                    size: *size,
                }),
            },
            (Self::OctetString, value) => octet_string(value),
            (_, CimValue::Array(entries)) => {
                entries.iter().try_for_each(|entry| self.scalar(entry))
            }
            (_, scalar) => self.scalar(scalar),
        }
    }

    fn scalar(&self, value: &CimValue) -> Result<(), Violation> {
        match self {
            Self::Required | Self::ArraySize(_) | Self::OctetString => Ok(()),
            Self::MinValue(limit) => match value.as_integer() {
                Some(value) if value < *limit => Err(Violation::BelowMinValue {
                    value,
                    limit: *limit,
                }),
                Some(_) | None => Ok(()),
            },
            Self::MaxValue(limit) => match value.as_integer() {
                Some(value) if value > *limit => Err(Violation::AboveMaxValue {
                    value,
                    limit: *limit,
                }),
                Some(_) | None => Ok(()),
            },
            Self::MinLen(limit) => match length(value) {
                Some(length) if length < as_size(*limit) => Err(Violation::TooShort {
                    length,
                    limit: *limit,
                }),
                Some(_) | None => Ok(()),
            },
            Self::MaxLen(limit) => match length(value) {
                Some(length) if length > as_size(*limit) => Err(Violation::TooLong {
                    length,
                    limit: *limit,
                }),
                Some(_) | None => Ok(()),
            },
            Self::ValueMap(map) => map.check(value),
        }
    }
}

fn as_size(limit: u32) -> usize {
    usize::try_from(limit).unwrap_or(usize::MAX)
}

fn length(value: &CimValue) -> Option<usize> {
    value.as_str().map(|text| text.chars().count())
}

impl ValueMap {
    /// Whether `value` is listed and not reserved.
    pub fn check(&self, value: &CimValue) -> Result<(), Violation> {
        match (self, value.as_integer(), value.as_str()) {
            (Self::Integers(_), Some(number), _) => match self.span(number) {
                Some(span) if span.reserved => Err(Violation::Reserved(number.to_string())),
                Some(_) => Ok(()),
                None => Err(Violation::NotInValueMap(number.to_string())),
            },
            (Self::Strings(allowed), _, Some(text)) => {
                if allowed.iter().any(|entry| **entry == *text) {
                    Ok(())
                } else {
                    let shown: String = text.chars().take(64).collect();
                    Err(Violation::NotInValueMap(format!("\"{shown}\"")))
                }
            }
            (Self::Integers(_), None, _) | (Self::Strings(_), _, None) => Ok(()),
        }
    }

    /// The entry that `number` falls in.
    pub fn span(&self, number: i128) -> Option<&Span> {
        match self {
            Self::Integers(spans) => {
                let at = spans.partition_point(|span| span.to < number);
                spans.get(at).filter(|span| span.from <= number)
            }
            Self::Strings(_) => None,
        }
    }
}

/// DSP0004 2.8 §5.6.3.37: a `uint8[]` begins with its length as four octets, big end first; a
/// string is `0x` and the hexadecimal digits of the same octets.
fn octet_string(value: &CimValue) -> Result<(), Violation> {
    match value {
        CimValue::Array(entries) => match octets(entries) {
            Some(octets) => well_measured(&octets),
            None => entries.iter().try_for_each(octet_string),
        },
        CimValue::String(text) => {
            let digits = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X"));
            let octets = digits.and_then(from_hex).ok_or(Violation::OctetString)?;
            well_measured(&octets)
        }
        _ => Ok(()),
    }
}

fn octets(entries: &[CimValue]) -> Option<Vec<u8>> {
    let octet = |entry: &CimValue| match entry {
        CimValue::Uint8(octet) => Some(*octet),
        _ => None,
    };
    entries.iter().map(octet).collect()
}

fn from_hex(digits: &str) -> Option<Vec<u8>> {
    if !digits.is_ascii() || !digits.len().is_multiple_of(2) {
        return None;
    }
    (0..digits.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&digits[at..at + 2], 16).ok())
        .collect()
}

fn well_measured(octets: &[u8]) -> Result<(), Violation> {
    let stated = octets
        .first_chunk::<4>()
        .map(|length| u32::from_be_bytes(*length));
    match stated {
        Some(stated) if as_size(stated) == octets.len() => Ok(()),
        Some(_) | None => Err(Violation::OctetString),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn span(from: i128, to: i128, reserved: bool) -> Span {
        Span {
            from,
            to,
            label: None,
            reserved,
        }
    }

    #[test]
    fn limits_hold_for_each_entry_and_null_passes() {
        let array =
            |values: &[i8]| CimValue::Array(values.iter().map(|v| CimValue::Sint8(*v)).collect());
        let check = Check::MaxValue(31);
        assert_eq!(check.check(&CimValue::Null), Ok(()));
        assert_eq!(check.check(&array(&[1, 31])), Ok(()));
        assert_eq!(
            check.check(&array(&[1, 32])),
            Err(Violation::AboveMaxValue {
                value: 32,
                limit: 31
            })
        );
        assert_eq!(
            Check::MinValue(-31)
                .check(&CimValue::Sint8(-32))
                .map_err(|v| v.to_string()),
            Err("-32 is below MinValue -31".to_string())
        );
        assert_eq!(Check::Required.check(&CimValue::Null), Err(Violation::Null));
    }

    #[test]
    fn lengths_count_characters() {
        let text = CimValue::string("\u{e4}\u{f6}\u{fc}");
        assert_eq!(Check::MaxLen(3).check(&text), Ok(()));
        assert_eq!(
            Check::MaxLen(2).check(&text),
            Err(Violation::TooLong {
                length: 3,
                limit: 2
            })
        );
        assert_eq!(
            Check::MinLen(4).check(&text),
            Err(Violation::TooShort {
                length: 3,
                limit: 4
            })
        );
    }

    #[test]
    fn value_maps_know_gaps_and_reserved_spans() {
        let map =
            ValueMap::Integers([span(0, 0, false), span(2, 5, false), span(6, 9, true)].into());
        let check = Check::ValueMap(Arc::new(map));
        assert_eq!(check.check(&CimValue::Uint16(5)), Ok(()));
        assert_eq!(
            check.check(&CimValue::Uint16(1)),
            Err(Violation::NotInValueMap("1".into()))
        );
        assert_eq!(
            check.check(&CimValue::Uint16(7)),
            Err(Violation::Reserved("7".into()))
        );
        let words = Check::ValueMap(Arc::new(ValueMap::Strings(["a".into()].into())));
        assert_eq!(words.check(&CimValue::string("a")), Ok(()));
        assert!(words.check(&CimValue::string("A")).is_err());
    }

    #[test]
    fn octet_strings_carry_their_length() {
        let octets = |o: &[u8]| CimValue::Array(o.iter().map(|v| CimValue::Uint8(*v)).collect());
        assert_eq!(Check::OctetString.check(&octets(&[0, 0, 0, 5, 1])), Ok(()));
        assert!(Check::OctetString.check(&octets(&[0, 0, 0, 6, 1])).is_err());
        assert_eq!(
            Check::OctetString.check(&CimValue::string("0x0000000501")),
            Ok(())
        );
        for bad in ["", "0x", "0x000000050", "0x00000004ff", "zz"] {
            assert!(
                Check::OctetString.check(&CimValue::string(bad)).is_err(),
                "{bad:?} was taken"
            );
        }
    }
}
