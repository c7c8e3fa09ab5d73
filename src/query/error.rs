//! What is wrong with a query, and where in its text.

use thiserror::Error;

use crate::model::{CimError, CimName, Status};

use super::limits::{
    DEPTH_LIMIT, PATTERN_LIMIT_BYTES, PATTERNS_LIMIT, QUANTIFIERS_LIMIT, TEXT_LIMIT_BYTES,
};

/// A place in the text of a query.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Position {
    /// Bytes before the place.
    pub offset: usize,
    /// Line number from 1.
    pub line: usize,
    /// Column number from 1, in characters.
    pub column: usize,
}

impl Position {
    fn of(text: &str, offset: usize) -> Self {
        let before = text.get(..offset).unwrap_or(text);
        let line_start = before.rfind('\n').map_or(0, |at| at + 1);
        Self {
            offset,
            line: before.matches('\n').count() + 1,
            column: before[line_start..].chars().count() + 1,
        }
    }
}

/// A query that is not one, or that does not fit the schema.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("line {}, column {} (offset {}): {fault}", position.line, position.column, position.offset)]
pub struct QueryError {
    /// What is wrong.
    pub fault: Fault,
    /// Where it is.
    pub position: Position,
}

/// A mistake in a query. Reads after the position.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Fault {
    /// Something else stands where the grammar asks for something.
    #[error("{expected} was expected, not {found}")]
    Expected {
        /// What the grammar asks for.
        expected: &'static str,
        /// What stands there, shortened.
        found: String,
    },
    /// A string without its closing quote.
    #[error("the string that begins here does not end")]
    UnterminatedString,
    /// A backslash before something that it does not escape.
    #[error("a backslash before something that it does not escape")]
    Escape,
    /// A character that begins nothing in the language.
    #[error("the character {0:?} begins nothing in this language")]
    Character(char),
    /// A word that begins like a number and is none, or a number that is too large.
    #[error("{0} is not a number, or too large for one")]
    Number(String),
    /// A name that CIM does not allow.
    #[error("a name that CIM does not allow")]
    Name,
    /// The text is longer than [`TEXT_LIMIT_BYTES`].
    #[error("a query of {0} bytes, above the limit of {TEXT_LIMIT_BYTES}")]
    TooLong(usize),
    /// Conditions or values stand deeper inside each other than [`DEPTH_LIMIT`].
    #[error("conditions nested deeper than the limit of {DEPTH_LIMIT}")]
    TooDeep,
    /// More patterns than [`PATTERNS_LIMIT`].
    #[error("more than {PATTERNS_LIMIT} patterns in one query")]
    TooManyPatterns,
    /// `ANY` or `EVERY` deeper inside each other than [`QUANTIFIERS_LIMIT`].
    #[error("ANY and EVERY nested deeper than the limit of {QUANTIFIERS_LIMIT}")]
    TooManyQuantifiers,
    /// A class that does not exist.
    #[error("the class {0} does not exist")]
    Class(CimName),
    /// A name before a dot or a class that is neither the object of the query nor a property.
    #[error("{name} is no property of {class} or of its subclasses")]
    Property {
        /// The name.
        name: CimName,
        /// The class it was looked for in.
        class: CimName,
    },
    /// A property of something that is not an embedded object.
    #[error("{0} is no embedded object and has no properties")]
    NotAnObject(String),
    /// An index on something that is no array, or a whole array where one value is wanted.
    #[error("{0}")]
    Shape(String),
    /// Two values that cannot be compared.
    #[error("{left} cannot be compared with {right} by {op}")]
    Comparison {
        /// What stands on the left.
        left: String,
        /// The operator.
        op: &'static str,
        /// What stands on the right.
        right: String,
    },
    /// A value of a wrong type.
    #[error("{expected} was expected, not {found}")]
    Type {
        /// The type that is wanted.
        expected: &'static str,
        /// What stands there.
        found: String,
    },
    /// A literal text that is no value of the type it is compared with.
    #[error("\"{text}\" is no {expected}")]
    Text {
        /// The text, shortened.
        text: String,
        /// The type.
        expected: &'static str,
    },
    /// A symbolic constant that `Values` of the property does not have.
    #[error("'{symbol}' is not among the Values of {property}")]
    Symbol {
        /// The constant.
        symbol: String,
        /// The property.
        property: String,
    },
    /// A pattern of `LIKE` that is none.
    #[error("the pattern is wrong: {0}")]
    Pattern(&'static str),
    /// A pattern of `LIKE` that is too complex.
    #[error("the pattern takes more than {PATTERN_LIMIT_BYTES} bytes when compiled")]
    PatternTooLarge,
    /// The query is right and asks for what this server does not do.
    #[error("this server does not support {0}")]
    Feature(&'static str),
}

impl Fault {
    /// This fault at byte `offset`, before it is known in which text.
    pub(super) fn at(self, offset: usize) -> Located {
        Located {
            fault: self,
            offset,
        }
    }
}

/// A fault at a byte offset.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Located {
    pub fault: Fault,
    pub offset: usize,
}

impl Located {
    /// The error for the text that the offset counts in.
    pub fn within(self, text: &str) -> QueryError {
        QueryError {
            position: Position::of(text, self.offset),
            fault: self.fault,
        }
    }
}

impl From<QueryError> for CimError {
    fn from(error: QueryError) -> Self {
        let status = match error.fault {
            Fault::Feature(_) => Status::QueryFeatureNotSupported,
            _ => Status::InvalidQuery,
        };
        Self::new(status, error.to_string())
    }
}

/// At most so much of a text that a message stays readable.
pub(super) fn shortened(text: &str) -> String {
    let mut shown: String = text.chars().take(48).collect();
    if shown.len() < text.len() {
        shown.push_str("...");
    }
    shown
}
