//! The rules that qualifiers lay down for values, compiled to data.
//!
//! `schema::rules` builds them from MOF; this file only applies them.

use std::cmp::Ordering;
use std::sync::Arc;

use super::violation::shown;
use super::{BitMap, CimValue, ValueMap, Violation};

/// The CIM schema bounds a datetime once, an idle time in days.
const MICROSECONDS_A_DAY: i128 = 86_400_000_000;

/// One rule for the values of a slot. NULL passes all but `Required`; an array passes when each of
/// its entries does.
#[derive(Debug, Clone, PartialEq)]
pub enum Check {
    /// `Required` and keys: the value is not NULL.
    Required,
    /// `MinValue`, inclusive; on intervals in days.
    MinValue(i128),
    /// `MaxValue`, inclusive; on intervals in days.
    MaxValue(i128),
    /// `MinLen`, in characters.
    MinLen(u32),
    /// `MaxLen`, in characters.
    MaxLen(u32),
    /// `ValueMap`.
    ValueMap(Arc<ValueMap>),
    /// `BitMap`.
    BitMap(BitMap),
    /// A fixed-size array has exactly so many entries.
    ArraySize(u32),
    /// `OctetString`: the first four octets are the length of the whole.
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
            Self::MinValue(limit) => match against(value, *limit) {
                Some(Ordering::Less) => Err(Violation::BelowMinValue {
                    value: value.to_string(),
                    limit: bound(value, *limit),
                }),
                Some(_) | None => Ok(()),
            },
            Self::MaxValue(limit) => match against(value, *limit) {
                Some(Ordering::Greater) => Err(Violation::AboveMaxValue {
                    value: value.to_string(),
                    limit: bound(value, *limit),
                }),
                Some(_) | None => Ok(()),
            },
            Self::MinLen(limit) => match length(value) {
                Some(length) if length < as_size(*limit) => Err(Violation::TooShort {
                    value: shown(value),
                    length,
                    limit: *limit,
                }),
                Some(_) | None => Ok(()),
            },
            Self::MaxLen(limit) => match length(value) {
                Some(length) if length > as_size(*limit) => Err(Violation::TooLong {
                    value: shown(value),
                    length,
                    limit: *limit,
                }),
                Some(_) | None => Ok(()),
            },
            Self::BitMap(map) => map.check(value),
            Self::ValueMap(map) => map.check(value),
        }
    }
}

/// How `value` stands to a bound. NaN and timestamps are neither above nor below any.
fn against(value: &CimValue, limit: i128) -> Option<Ordering> {
    #[expect(
        clippy::cast_precision_loss,
        reason = "MinValue and MaxValue are sint64; a real is compared as a real"
    )]
    let real = limit as f64;
    match value {
        CimValue::Real32(number) => f64::from(*number).partial_cmp(&real),
        CimValue::Real64(number) => number.partial_cmp(&real),
        CimValue::DateTime(time) => {
            let micros = i128::from(time.as_length()?.num_microseconds()?);
            Some(micros.cmp(&limit.saturating_mul(MICROSECONDS_A_DAY)))
        }
        other => other.as_integer().map(|number| number.cmp(&limit)),
    }
}

/// A bound with the unit it has for values such as `value`.
fn bound(value: &CimValue, limit: i128) -> String {
    match value {
        CimValue::DateTime(_) => format!("{limit} days"),
        _ => limit.to_string(),
    }
}

fn as_size(limit: u32) -> usize {
    usize::try_from(limit).unwrap_or(usize::MAX)
}

fn length(value: &CimValue) -> Option<usize> {
    value.as_str().map(|text| text.chars().count())
}

/// DSP0004 2.8 §5.6.3.37: a `uint8[]` begins with its length as four octets, big end first; a
/// string is `0x` and the hexadecimal digits of the same octets.
fn octet_string(value: &CimValue) -> Result<(), Violation> {
    let unmeasured = || Violation::OctetString(shown(value));
    match value {
        CimValue::Array(entries) => match octets(entries) {
            Some(octets) => well_measured(&octets).then_some(()).ok_or_else(unmeasured),
            None => entries.iter().try_for_each(octet_string),
        },
        CimValue::String(text) => {
            let digits = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X"));
            let octets = digits.and_then(from_hex).ok_or_else(unmeasured)?;
            well_measured(&octets).then_some(()).ok_or_else(unmeasured)
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

fn well_measured(octets: &[u8]) -> bool {
    let stated = octets
        .first_chunk::<4>()
        .map(|length| u32::from_be_bytes(*length));
    stated.is_some_and(|stated| as_size(stated) == octets.len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Span;

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
                value: "32".into(),
                limit: "31".into()
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
                value: "\"\u{e4}\u{f6}\u{fc}\"".into(),
                length: 3,
                limit: 2
            })
        );
        assert_eq!(
            Check::MinLen(4).check(&text),
            Err(Violation::TooShort {
                value: "\"\u{e4}\u{f6}\u{fc}\"".into(),
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
            Err(Violation::NotInValueMap {
                value: "1".into(),
                allowed: "0, 2..5".into()
            })
        );
        assert_eq!(
            check.check(&CimValue::Uint16(7)),
            Err(Violation::Reserved {
                value: "7".into(),
                name: String::new()
            })
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
