//! CIM data types and typed values (DSP0004 2.8 §5.2).

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::literal::ValueError;
use super::{CimDateTime, Class, Instance, ObjectPath};

/// A CIM data type, without regard to arrays.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[expect(
    missing_docs,
    reason = "each variant is the type of that name in DSP0004"
)]
pub enum CimType {
    Boolean,
    String,
    Char16,
    Uint8,
    Sint8,
    Uint16,
    Sint16,
    Uint32,
    Sint32,
    Uint64,
    Sint64,
    Real32,
    Real64,
    DateTime,
    Reference,
}

impl CimType {
    /// Every type, in the order of DSP0004.
    pub const ALL: [Self; 15] = [
        Self::Boolean,
        Self::String,
        Self::Char16,
        Self::Uint8,
        Self::Sint8,
        Self::Uint16,
        Self::Sint16,
        Self::Uint32,
        Self::Sint32,
        Self::Uint64,
        Self::Sint64,
        Self::Real32,
        Self::Real64,
        Self::DateTime,
        Self::Reference,
    ];

    /// The type's name in MOF and in `TYPE` attributes (`reference` appears in `PARAMTYPE` only).
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Boolean => "boolean",
            Self::String => "string",
            Self::Char16 => "char16",
            Self::Uint8 => "uint8",
            Self::Sint8 => "sint8",
            Self::Uint16 => "uint16",
            Self::Sint16 => "sint16",
            Self::Uint32 => "uint32",
            Self::Sint32 => "sint32",
            Self::Uint64 => "uint64",
            Self::Sint64 => "sint64",
            Self::Real32 => "real32",
            Self::Real64 => "real64",
            Self::DateTime => "datetime",
            Self::Reference => "reference",
        }
    }

    /// The type of that name, in any case.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|ty| ty.as_str().eq_ignore_ascii_case(name))
    }

    /// The lowest and the highest value of an integer type, `None` for the other types.
    pub fn integer_range(self) -> Option<(i128, i128)> {
        Some(match self {
            Self::Uint8 => (0, u8::MAX.into()),
            Self::Sint8 => (i8::MIN.into(), i8::MAX.into()),
            Self::Uint16 => (0, u16::MAX.into()),
            Self::Sint16 => (i16::MIN.into(), i16::MAX.into()),
            Self::Uint32 => (0, u32::MAX.into()),
            Self::Sint32 => (i32::MIN.into(), i32::MAX.into()),
            Self::Uint64 => (0, u64::MAX.into()),
            Self::Sint64 => (i64::MIN.into(), i64::MAX.into()),
            Self::Boolean
            | Self::String
            | Self::Char16
            | Self::Real32
            | Self::Real64
            | Self::DateTime
            | Self::Reference => return None,
        })
    }
}

impl fmt::Display for CimType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A value of a CIM type, an array of such values, or NULL.
#[derive(Debug, Clone, PartialEq)]
#[expect(
    missing_docs,
    reason = "each variant is a value of the type of that name"
)]
pub enum CimValue {
    Null,
    Boolean(bool),
    String(Arc<str>),
    /// One UCS-2 code unit.
    Char16(u16),
    Uint8(u8),
    Sint8(i8),
    Uint16(u16),
    Sint16(i16),
    Uint32(u32),
    Sint32(i32),
    Uint64(u64),
    Sint64(i64),
    Real32(f32),
    Real64(f64),
    DateTime(CimDateTime),
    Reference(Box<ObjectPath>),
    /// An embedded instance (`EmbeddedInstance`, `EmbeddedObject`); its CIM type is string.
    Instance(Box<Instance>),
    /// An embedded class (`EmbeddedObject`), which indications alone have; its CIM type is string.
    Class(Arc<Class>),
    /// Entries may be [`CimValue::Null`]; arrays are never nested.
    Array(Vec<CimValue>),
}

impl CimValue {
    /// Whether this is NULL (an empty array is not).
    pub fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }

    /// Whether this is an embedded instance or class, or an array that has one.
    pub fn embeds(&self) -> bool {
        match self {
            Self::Instance(_) | Self::Class(_) => true,
            Self::Array(entries) => entries.iter().any(Self::embeds),
            _ => false,
        }
    }

    /// A string value.
    pub fn string(text: impl Into<Arc<str>>) -> Self {
        Self::String(text.into())
    }

    /// The text of a string value.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::String(text) => Some(text),
            _ => None,
        }
    }

    /// The value of a boolean.
    pub fn as_bool(&self) -> Option<bool> {
        match self {
            Self::Boolean(value) => Some(*value),
            _ => None,
        }
    }

    /// The value of an integer of any width.
    pub fn as_integer(&self) -> Option<i128> {
        Some(match self {
            Self::Uint8(v) => (*v).into(),
            Self::Sint8(v) => (*v).into(),
            Self::Uint16(v) => (*v).into(),
            Self::Sint16(v) => (*v).into(),
            Self::Uint32(v) => (*v).into(),
            Self::Sint32(v) => (*v).into(),
            Self::Uint64(v) => (*v).into(),
            Self::Sint64(v) => (*v).into(),
            _ => return None,
        })
    }

    /// The value of a datetime.
    pub fn as_datetime(&self) -> Option<CimDateTime> {
        match self {
            Self::DateTime(value) => Some(*value),
            _ => None,
        }
    }

    /// The entries of an array.
    pub fn as_array(&self) -> Option<&[CimValue]> {
        match self {
            Self::Array(entries) => Some(entries),
            _ => None,
        }
    }

    /// The path of a reference.
    pub fn as_reference(&self) -> Option<&ObjectPath> {
        match self {
            Self::Reference(path) => Some(path),
            _ => None,
        }
    }

    /// The type of a scalar; `None` for NULL and for arrays.
    pub fn ty(&self) -> Option<CimType> {
        Some(match self {
            Self::Null | Self::Array(_) => return None,
            Self::Boolean(_) => CimType::Boolean,
            Self::String(_) | Self::Instance(_) | Self::Class(_) => CimType::String,
            Self::Char16(_) => CimType::Char16,
            Self::Uint8(_) => CimType::Uint8,
            Self::Sint8(_) => CimType::Sint8,
            Self::Uint16(_) => CimType::Uint16,
            Self::Sint16(_) => CimType::Sint16,
            Self::Uint32(_) => CimType::Uint32,
            Self::Sint32(_) => CimType::Sint32,
            Self::Uint64(_) => CimType::Uint64,
            Self::Sint64(_) => CimType::Sint64,
            Self::Real32(_) => CimType::Real32,
            Self::Real64(_) => CimType::Real64,
            Self::DateTime(_) => CimType::DateTime,
            Self::Reference(_) => CimType::Reference,
        })
    }

    /// `number` as a value of the integer type `ty`.
    pub fn integer(ty: CimType, number: i128) -> Result<Self, ValueError> {
        let range = || ValueError::Range {
            value: number.to_string(),
            ty,
        };
        Ok(match ty {
            CimType::Uint8 => Self::Uint8(number.try_into().map_err(|_| range())?),
            CimType::Sint8 => Self::Sint8(number.try_into().map_err(|_| range())?),
            CimType::Uint16 => Self::Uint16(number.try_into().map_err(|_| range())?),
            CimType::Sint16 => Self::Sint16(number.try_into().map_err(|_| range())?),
            CimType::Uint32 => Self::Uint32(number.try_into().map_err(|_| range())?),
            CimType::Sint32 => Self::Sint32(number.try_into().map_err(|_| range())?),
            CimType::Uint64 => Self::Uint64(number.try_into().map_err(|_| range())?),
            CimType::Sint64 => Self::Sint64(number.try_into().map_err(|_| range())?),
            CimType::Boolean
            | CimType::String
            | CimType::Char16
            | CimType::Real32
            | CimType::Real64
            | CimType::DateTime
            | CimType::Reference => {
                return Err(ValueError::Kind {
                    value: number.to_string(),
                    ty,
                });
            }
        })
    }
}

/// The value as CIM-XML writes it in `VALUE` (DSP0201 2.4 §5.2.4); references and embedded
/// instances as a short text for messages.
impl fmt::Display for CimValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => f.write_str("NULL"),
            Self::Boolean(true) => f.write_str("TRUE"),
            Self::Boolean(false) => f.write_str("FALSE"),
            Self::String(text) => f.write_str(text),
            Self::Char16(unit) => write!(
                f,
                "{}",
                char::from_u32((*unit).into()).unwrap_or('\u{fffd}')
            ),
            Self::Uint8(v) => v.fmt(f),
            Self::Sint8(v) => v.fmt(f),
            Self::Uint16(v) => v.fmt(f),
            Self::Sint16(v) => v.fmt(f),
            Self::Uint32(v) => v.fmt(f),
            Self::Sint32(v) => v.fmt(f),
            Self::Uint64(v) => v.fmt(f),
            Self::Sint64(v) => v.fmt(f),
            Self::Real32(v) => real(f, f64::from(*v), &format!("{v:e}")),
            Self::Real64(v) => real(f, *v, &format!("{v:e}")),
            Self::DateTime(value) => value.fmt(f),
            Self::Reference(path) => path.fmt(f),
            Self::Instance(instance) => write!(f, "instance of {}", instance.class.name),
            Self::Class(class) => write!(f, "class {}", class.name),
            Self::Array(entries) => {
                f.write_str("{")?;
                for (at, entry) in entries.iter().enumerate() {
                    if at > 0 {
                        f.write_str(", ")?;
                    }
                    entry.fmt(f)?;
                }
                f.write_str("}")
            }
        }
    }
}

/// `shortest` is Rust's shortest round-trip form, `1e0` or `1.5e-7`; DSP0201 wants a point in it.
fn real(f: &mut fmt::Formatter<'_>, value: f64, shortest: &str) -> fmt::Result {
    if value.is_nan() {
        return f.write_str("NaN");
    }
    if value.is_infinite() {
        return f.write_str(if value > 0.0 { "INF" } else { "-INF" });
    }
    match shortest.split_once('e') {
        Some((mantissa, exponent)) if mantissa.contains('.') => write!(f, "{mantissa}e{exponent}"),
        Some((mantissa, exponent)) => write!(f, "{mantissa}.0e{exponent}"),
        None => f.write_str(shortest),
    }
}
