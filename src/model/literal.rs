//! Values as somebody wrote them, before a declaration has said what they mean.
//!
//! MOF and CIM-XML both end here; [`Literal::resolve`] is the one place where text becomes a value.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::{CimDateTime, CimType, CimValue, ClassDecl, InstanceDecl, ObjectPath};

/// A value as it was written.
///
/// Its serialised form is that of a declaration: values that only instances have are refused. They
/// stand last, since a reader counts the variants without them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Literal {
    /// NULL, or no value element at all.
    Null,
    /// Character data whose type the declaration decides (`VALUE`, `KEYVALUE`).
    Text(Arc<str>),
    /// A MOF string literal.
    Quoted(Arc<str>),
    /// A MOF character literal, one UCS-2 unit.
    Char(u16),
    /// A MOF boolean literal.
    Boolean(bool),
    /// A MOF integer literal.
    Integer(i128),
    /// A MOF real literal.
    Real(f64),
    /// An array; entries are never arrays.
    Array(Vec<Literal>),
    /// An object path (`VALUE.REFERENCE`).
    #[serde(skip)]
    Reference(Box<ObjectPath>),
    /// An embedded instance, not yet checked against its class.
    #[serde(skip)]
    Instance(Box<InstanceDecl>),
    /// An embedded class.
    #[serde(skip)]
    Class(Box<ClassDecl>),
}

/// Why a literal is not a value of a type. Reads after "Property: ".
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ValueError {
    /// The value is of another kind than the type.
    #[error("{value} is not a value of type {ty}")]
    Kind {
        /// The value, shortened.
        value: String,
        /// The declared type.
        ty: CimType,
    },
    /// The number does not fit the type.
    #[error("{value} is out of the range of type {ty}")]
    Range {
        /// The number.
        value: String,
        /// The declared type.
        ty: CimType,
    },
    /// An array was given for a scalar.
    #[error("an array was given where one value is declared")]
    NotAnArray,
    /// One value was given for an array.
    #[error("one value was given where an array is declared")]
    IsAnArray,
}

impl Literal {
    /// This literal as a value of type `ty` (an array of it where `is_array`).
    ///
    /// NULL resolves to NULL. Embedded instances need the schema and are refused here.
    pub fn resolve(&self, ty: CimType, is_array: bool) -> Result<CimValue, ValueError> {
        match (self, is_array) {
            (Self::Null, _) => Ok(CimValue::Null),
            (Self::Array(entries), true) => {
                let entries: Result<Vec<_>, _> = entries
                    .iter()
                    .map(|entry| entry.resolve(ty, false))
                    .collect();
                Ok(CimValue::Array(entries?))
            }
            (Self::Array(_), false) => Err(ValueError::NotAnArray),
            (_, true) => Err(ValueError::IsAnArray),
            (scalar, false) => scalar.resolve_scalar(ty),
        }
    }

    /// The same of a literal that nobody needs any more: its texts are not shared but moved.
    pub fn into_value(self, ty: CimType, is_array: bool) -> Result<CimValue, ValueError> {
        match (self, is_array) {
            (Self::Quoted(text), false) if ty == CimType::String => Ok(CimValue::String(text)),
            (Self::Array(entries), true) => {
                let entries = entries.into_iter();
                let values: Result<_, _> =
                    entries.map(|entry| entry.into_value(ty, false)).collect();
                values.map(CimValue::Array)
            }
            (other, _) => other.resolve(ty, is_array),
        }
    }

    fn resolve_scalar(&self, ty: CimType) -> Result<CimValue, ValueError> {
        match (self, ty) {
            (Self::Null, _) => Ok(CimValue::Null),
            (Self::Text(text), _)
            | (Self::Quoted(text), CimType::String | CimType::DateTime | CimType::Reference) => {
                parse_text(text, ty)
            }
            (Self::Char(unit), CimType::Char16) => Ok(CimValue::Char16(*unit)),
            (Self::Boolean(value), CimType::Boolean) => Ok(CimValue::Boolean(*value)),
            (Self::Integer(number), CimType::Char16) => {
                let unit = u16::try_from(*number);
                unit.map(CimValue::Char16).map_err(|_| self.range(ty))
            }
            (Self::Integer(number), CimType::Real32 | CimType::Real64) => {
                real(&number.to_string(), ty).ok_or_else(|| self.range(ty))
            }
            (Self::Integer(number), _) => CimValue::integer(ty, *number),
            (Self::Real(value), CimType::Real64) => Ok(CimValue::Real64(*value)),
            (Self::Real(value), CimType::Real32) => {
                real(&value.to_string(), ty).ok_or_else(|| self.range(ty))
            }
            (Self::Reference(path), CimType::Reference) => Ok(CimValue::Reference(path.clone())),
            (_, _) => Err(ValueError::Kind {
                value: self.shown(),
                ty,
            }),
        }
    }

    fn range(&self, ty: CimType) -> ValueError {
        ValueError::Range {
            value: self.shown(),
            ty,
        }
    }

    /// A short form for messages.
    pub fn shown(&self) -> String {
        match self {
            Self::Null => "NULL".into(),
            Self::Text(text) | Self::Quoted(text) => shorten(text),
            Self::Char(unit) => format!("character {unit}"),
            Self::Boolean(value) => value.to_string(),
            Self::Integer(number) => number.to_string(),
            Self::Real(value) => value.to_string(),
            Self::Reference(path) => path.to_string(),
            Self::Instance(instance) => format!("an instance of {}", instance.class),
            Self::Class(class) => format!("the class {}", class.name),
            Self::Array(_) => "an array".into(),
        }
    }
}

/// The literal that resolves to the value again.
impl From<&CimValue> for Literal {
    fn from(value: &CimValue) -> Self {
        match value {
            CimValue::Null => Self::Null,
            CimValue::Boolean(value) => Self::Boolean(*value),
            CimValue::String(text) => Self::Quoted(text.clone()),
            CimValue::Char16(unit) => Self::Char(*unit),
            CimValue::Uint8(v) => Self::Integer((*v).into()),
            CimValue::Sint8(v) => Self::Integer((*v).into()),
            CimValue::Uint16(v) => Self::Integer((*v).into()),
            CimValue::Sint16(v) => Self::Integer((*v).into()),
            CimValue::Uint32(v) => Self::Integer((*v).into()),
            CimValue::Sint32(v) => Self::Integer((*v).into()),
            CimValue::Uint64(v) => Self::Integer((*v).into()),
            CimValue::Sint64(v) => Self::Integer((*v).into()),
            // The shortest text of a number of either width reads back as the same number; infinity
            // and NaN have no literal of their own. Classes are only ever sent: nobody resolves one.
            CimValue::Real32(_) | CimValue::Real64(_) | CimValue::Class(_) => {
                Self::Text(value.to_string().into())
            }
            CimValue::DateTime(time) => Self::Quoted(time.as_str().into()),
            CimValue::Reference(path) => Self::Reference(path.clone()),
            CimValue::Instance(instance) => {
                Self::Instance(Box::new(InstanceDecl::from(&**instance)))
            }
            CimValue::Array(entries) => Self::Array(entries.iter().map(Self::from).collect()),
        }
    }
}

fn shorten(text: &str) -> String {
    let mut shown: String = text.chars().take(64).collect();
    if shown.len() < text.len() {
        shown.push_str("...");
    }
    format!("\"{shown}\"")
}

/// Character data as a value of type `ty`, by the forms of DSP0201 2.4 §5.2.4.
fn parse_text(text: &Arc<str>, ty: CimType) -> Result<CimValue, ValueError> {
    let kind = || ValueError::Kind {
        value: shorten(text),
        ty,
    };
    let trimmed = text.trim_matches([' ', '\t', '\r', '\n']);
    match ty {
        CimType::String => Ok(CimValue::String(text.clone())),
        CimType::Boolean if trimmed.eq_ignore_ascii_case("true") => Ok(CimValue::Boolean(true)),
        CimType::Boolean if trimmed.eq_ignore_ascii_case("false") => Ok(CimValue::Boolean(false)),
        CimType::Boolean => Err(kind()),
        CimType::Char16 => char16(text).ok_or_else(kind),
        CimType::DateTime => trimmed
            .parse::<CimDateTime>()
            .map(CimValue::DateTime)
            .map_err(|_| kind()),
        CimType::Reference => {
            let path = trimmed.parse::<ObjectPath>().map_err(|_| kind())?;
            Ok(CimValue::Reference(Box::new(path)))
        }
        CimType::Real32 | CimType::Real64 => real(trimmed, ty).ok_or_else(kind),
        CimType::Uint8
        | CimType::Sint8
        | CimType::Uint16
        | CimType::Sint16
        | CimType::Uint32
        | CimType::Sint32
        | CimType::Uint64
        | CimType::Sint64 => CimValue::integer(ty, integer(trimmed).ok_or_else(kind)?),
    }
}

fn char16(text: &str) -> Option<CimValue> {
    let mut units = text.encode_utf16();
    match (units.next(), units.next()) {
        (Some(unit), None) => Some(CimValue::Char16(unit)),
        _ => None,
    }
}

/// Decimal or hexadecimal with an optional sign.
fn integer(text: &str) -> Option<i128> {
    let (negative, digits) = match text.as_bytes().first()? {
        b'-' => (true, &text[1..]),
        b'+' => (false, &text[1..]),
        _ => (false, text),
    };
    let hex = digits
        .strip_prefix("0x")
        .or_else(|| digits.strip_prefix("0X"));
    let (digits, radix) = hex.map_or((digits, 10), |hex| (hex, 16));
    if digits.is_empty() || digits.len() > 64 || !digits.chars().all(|c| c.is_digit(radix)) {
        return None;
    }
    let number = i128::from_str_radix(digits, radix).ok()?;
    Some(if negative { -number } else { number })
}

fn real(text: &str, ty: CimType) -> Option<CimValue> {
    let value: f64 = match text {
        "INF" | "+INF" => f64::INFINITY,
        "-INF" => f64::NEG_INFINITY,
        "NaN" => f64::NAN,
        _ if text
            .bytes()
            .all(|b| b.is_ascii_digit() || b"+-.eE".contains(&b)) =>
        {
            text.parse().ok()?
        }
        _ => return None,
    };
    if ty == CimType::Real64 {
        return Some(CimValue::Real64(value));
    }
    #[expect(
        clippy::cast_possible_truncation,
        reason = "real32 is the nearest single precision value"
    )]
    let single = value as f32;
    let overflows = single.is_infinite() && value.is_finite();
    (!overflows).then_some(CimValue::Real32(single))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(value: &str, ty: CimType) -> Option<CimValue> {
        Literal::Text(value.into()).resolve(ty, false).ok()
    }

    #[test]
    fn integers_are_decimal_or_hexadecimal_and_in_range() {
        assert_eq!(text(" +0x1F ", CimType::Uint8), Some(CimValue::Uint8(31)));
        assert_eq!(text("-128", CimType::Sint8), Some(CimValue::Sint8(-128)));
        for bad in [
            "",
            "-",
            "1e3",
            "10abc",
            "300",
            "-1",
            "0b11",
            "1 2",
            &"9".repeat(65),
        ] {
            assert_eq!(text(bad, CimType::Uint8), None, "{bad:?} was taken");
        }
        assert_eq!(
            text("18446744073709551615", CimType::Uint64),
            Some(CimValue::Uint64(u64::MAX))
        );
    }

    #[test]
    fn reals_have_their_special_names_and_print_with_a_point() {
        assert_eq!(
            text("1.5e2", CimType::Real64),
            Some(CimValue::Real64(150.0))
        );
        assert_eq!(text("inf", CimType::Real64), None);
        assert_eq!(CimValue::Real64(150.0).to_string(), "1.5e2");
        assert_eq!(CimValue::Real32(1.0).to_string(), "1.0e0");
        assert_eq!(CimValue::Real64(f64::NEG_INFINITY).to_string(), "-INF");
        assert_eq!(text("1e39", CimType::Real32), None);
    }

    #[test]
    fn a_mof_string_is_not_a_number() {
        let quoted = Literal::Quoted("5".into());
        assert!(quoted.resolve(CimType::Uint8, false).is_err());
        assert_eq!(
            quoted.resolve(CimType::String, false),
            Ok(CimValue::string("5"))
        );
    }

    #[test]
    fn a_mof_string_is_an_object_path_where_a_reference_is_declared() {
        let path = r#"root/cimv2:CIM_Job.InstanceID="x""#;
        let quoted = Literal::Quoted(path.into());
        let value = quoted.resolve(CimType::Reference, false);
        let path = path.parse::<ObjectPath>().expect("an object path");
        assert_eq!(value, Ok(CimValue::Reference(Box::new(path))));
        let other = Literal::Quoted("not a path".into());
        assert!(other.resolve(CimType::Reference, false).is_err());
    }

    #[test]
    fn arrays_and_scalars_are_told_apart() {
        let array = Literal::Array(vec![Literal::Text("1".into()), Literal::Null]);
        assert_eq!(
            array.resolve(CimType::Uint8, false),
            Err(ValueError::NotAnArray)
        );
        assert_eq!(
            Literal::Text("1".into()).resolve(CimType::Uint8, true),
            Err(ValueError::IsAnArray)
        );
        let value = array.resolve(CimType::Uint8, true);
        assert_eq!(
            value,
            Ok(CimValue::Array(vec![CimValue::Uint8(1), CimValue::Null]))
        );
    }

    #[test]
    fn whitespace_of_strings_is_kept() {
        assert_eq!(text(" a ", CimType::String), Some(CimValue::string(" a ")));
    }
}
