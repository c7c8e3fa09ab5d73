//! What is known of a value before it is there: enough to refuse comparisons that make no sense.

use crate::model::{CimType, CimValue};

use super::ast::Literal;

/// A kind of values, each comparable among themselves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Kind {
    /// An integer or a real of any width.
    Number,
    /// A string.
    Text,
    /// A char16.
    Char,
    /// A boolean.
    Boolean,
    /// A timestamp or an interval.
    DateTime,
    /// A reference.
    Reference,
    /// An object, embedded or the query's own.
    Object,
    /// An object or a reference to one.
    Path,
    /// NULL written down.
    Null,
    /// Nothing is known: the class of an embedded object is open.
    Any,
}

impl Kind {
    /// The kind of the values of `ty`.
    pub fn of_type(ty: CimType) -> Self {
        match ty {
            CimType::Boolean => Self::Boolean,
            CimType::String => Self::Text,
            CimType::Char16 => Self::Char,
            CimType::DateTime => Self::DateTime,
            CimType::Reference => Self::Reference,
            CimType::Uint8
            | CimType::Sint8
            | CimType::Uint16
            | CimType::Sint16
            | CimType::Uint32
            | CimType::Sint32
            | CimType::Uint64
            | CimType::Sint64
            | CimType::Real32
            | CimType::Real64 => Self::Number,
        }
    }

    /// The kind of a literal.
    pub fn of_literal(literal: &Literal) -> Self {
        match literal {
            Literal::Null => Self::Null,
            Literal::Boolean(_) => Self::Boolean,
            Literal::Integer(_) | Literal::Real(_) => Self::Number,
            Literal::Text(_) => Self::Text,
        }
    }

    /// The kind of a value that is there.
    pub fn of_value(value: &CimValue) -> Self {
        match value {
            CimValue::Instance(_) | CimValue::Class(_) => Self::Object,
            other => other.ty().map_or(Self::Null, Self::of_type),
        }
    }

    /// As a client is told of it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Number => "a number",
            Self::Text => "a string",
            Self::Char => "a char16",
            Self::Boolean => "a boolean",
            Self::DateTime => "a datetime",
            Self::Reference => "a reference",
            Self::Object => "an object",
            Self::Path => "an object or a reference",
            Self::Null => "NULL",
            Self::Any => "anything",
        }
    }

    /// Whether a value of this kind may stand where `wanted` is asked for.
    pub fn fits(self, wanted: Self) -> bool {
        let either = [self, wanted];
        self == wanted
            || either.contains(&Self::Any)
            || self == Self::Null
            || (wanted == Self::Path && matches!(self, Self::Object | Self::Reference))
    }

    /// Whether values of this kind have an order.
    pub fn is_ordered(self) -> bool {
        match self {
            Self::Number | Self::Text | Self::Char | Self::DateTime | Self::Null | Self::Any => {
                true
            }
            Self::Boolean | Self::Reference | Self::Object | Self::Path => false,
        }
    }
}
