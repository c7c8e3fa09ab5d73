//! The values and bits that `ValueMap` and `BitMap` list.

use std::sync::Arc;

use super::violation::shown;
use super::{CimValue, Violation};

/// Entries of a list that a message shows.
const SHOWN_ENTRIES: usize = 16;

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

/// The bits that a `BitMap` qualifier allows (DSP0004 2.8 §5.6.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BitMap {
    /// The listed bits that are not reserved.
    pub allowed: u64,
}

impl BitMap {
    /// Whether `value` sets listed bits alone. A negative number sets the bits of its two's
    /// complement.
    pub fn check(self, value: &CimValue) -> Result<(), Violation> {
        let Some(bits) = bits(value) else {
            return Ok(());
        };
        match bits & !self.allowed {
            0 => Ok(()),
            stray => Err(Violation::NotInBitMap {
                value: value.to_string(),
                bit: stray.trailing_zeros(),
                allowed: listed((0..64).filter(|bit| self.allowed & (1 << bit) != 0)),
            }),
        }
    }
}

/// The bits of an integer in its own width.
fn bits(value: &CimValue) -> Option<u64> {
    let width = match value {
        CimValue::Uint8(_) | CimValue::Sint8(_) => 8,
        CimValue::Uint16(_) | CimValue::Sint16(_) => 16,
        CimValue::Uint32(_) | CimValue::Sint32(_) => 32,
        _ => 64,
    };
    let number = value.as_integer()?;
    u64::try_from(number.rem_euclid(1_i128 << width)).ok()
}

fn listed<T: ToString>(entries: impl Iterator<Item = T>) -> String {
    let mut shown: Vec<String> = Vec::new();
    for entry in entries {
        if shown.len() == SHOWN_ENTRIES {
            shown.push("...".to_owned());
            break;
        }
        shown.push(entry.to_string());
    }
    shown.join(", ")
}

impl ValueMap {
    /// Whether `value` is listed and not reserved.
    pub fn check(&self, value: &CimValue) -> Result<(), Violation> {
        match (self, value.as_integer(), value.as_str()) {
            (Self::Integers(_), Some(number), _) => match self.span(number) {
                Some(span) if span.reserved => Err(Violation::Reserved {
                    value: number.to_string(),
                    name: span.label.as_deref().unwrap_or_default().to_owned(),
                }),
                Some(_) => Ok(()),
                None => Err(self.unlisted(value)),
            },
            (Self::Strings(allowed), _, Some(text)) => {
                let known = allowed.iter().any(|entry| **entry == *text);
                known.then_some(()).ok_or_else(|| self.unlisted(value))
            }
            (Self::Integers(_), None, _) | (Self::Strings(_), _, None) => Ok(()),
        }
    }

    fn unlisted(&self, value: &CimValue) -> Violation {
        let allowed = match self {
            Self::Integers(spans) => {
                listed(spans.iter().filter(|span| !span.reserved).map(Span::shown))
            }
            Self::Strings(texts) => listed(texts.iter()),
        };
        Violation::NotInValueMap {
            value: shown(value),
            allowed,
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

impl Span {
    fn shown(&self) -> String {
        if self.from == self.to {
            self.from.to_string()
        } else {
            format!("{}..{}", self.from, self.to)
        }
    }
}
