//! Queries and filters as they were written: one form for every language, names not yet looked up.

use crate::model::CimName;

use super::function::Function;

/// Where something was written, in bytes. It is no part of what was written: all are equal.
#[derive(Debug, Clone, Copy, Default)]
pub struct At(pub usize);

impl PartialEq for At {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

/// A `SELECT` statement of WQL or CQL.
#[derive(Debug, Clone, PartialEq)]
pub struct Select {
    /// `DISTINCT`: equal rows once only.
    pub distinct: bool,
    /// `FIRST n`: so many rows at most.
    pub first: Option<u64>,
    /// The select list; never empty.
    pub items: Vec<Item>,
    /// The class after `FROM`.
    pub from: CimName,
    /// The name that the query gives to the object.
    pub alias: Option<CimName>,
    /// Where the class stands.
    pub at: At,
    /// The condition after `WHERE`.
    pub condition: Option<Condition>,
    /// `ORDER BY`.
    pub order: Vec<Order>,
}

/// An entry of the select list.
#[derive(Debug, Clone, PartialEq)]
pub enum Item {
    /// `*`.
    All,
    /// `path.*`.
    AllOf(Path),
    /// One property.
    Property(Path),
}

/// An entry of `ORDER BY`.
#[derive(Debug, Clone, PartialEq)]
pub struct Order {
    /// The property.
    pub path: Path,
    /// `DESC`.
    pub descending: bool,
}

/// Something that is true, false or unknown.
#[derive(Debug, Clone, PartialEq)]
pub enum Condition {
    /// Two or more, one of which must hold.
    Or(Vec<Condition>),
    /// Two or more, all of which must hold.
    And(Vec<Condition>),
    /// The opposite.
    Not(Box<Condition>),
    /// `IS [NOT] TRUE`, `IS [NOT] FALSE`.
    Is {
        /// What is asked about.
        condition: Box<Condition>,
        /// `TRUE` or `FALSE`.
        wanted: bool,
        /// `NOT`.
        negated: bool,
    },
    /// `IS [NOT] NULL`; `= NULL` and `<> NULL` in FQL.
    IsNull {
        /// What is asked about.
        operand: Operand,
        /// `NOT`.
        negated: bool,
    },
    /// A comparison of two values.
    Compare {
        /// The left side.
        left: Operand,
        /// The operator.
        op: Comparator,
        /// The right side.
        right: Operand,
        /// Where the operator stands.
        at: At,
    },
    /// `[NOT] LIKE`.
    Like {
        /// The text.
        operand: Operand,
        /// `NOT`.
        negated: bool,
        /// The pattern.
        pattern: String,
        /// Where the pattern stands.
        at: At,
    },
    /// `ISA`.
    Isa {
        /// The object.
        operand: Operand,
        /// The class.
        class: CimName,
        /// Where the class stands.
        at: At,
    },
    /// `ANY` or `EVERY` over the entries of an array.
    Quantified {
        /// Which of the two.
        quantifier: Quantifier,
        /// The name that `IN … SATISFIES` gives to an entry; in the short form, where there is
        /// none, the entry is [`Operand::Entry`].
        variable: Option<CimName>,
        /// The array.
        array: Path,
        /// What is asked of an entry.
        condition: Box<Condition>,
    },
    /// A boolean value.
    Holds(Operand),
}

/// A comparison operator.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Comparator {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

impl Comparator {
    /// Every operator.
    pub const ALL: [Self; 6] = [
        Self::Equal,
        Self::NotEqual,
        Self::Less,
        Self::LessOrEqual,
        Self::Greater,
        Self::GreaterOrEqual,
    ];

    /// The operator as it is written.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Equal => "=",
            Self::NotEqual => "<>",
            Self::Less => "<",
            Self::LessOrEqual => "<=",
            Self::Greater => ">",
            Self::GreaterOrEqual => ">=",
        }
    }

    /// Whether this asks for an order and not only for equality.
    pub fn orders(self) -> bool {
        !matches!(self, Self::Equal | Self::NotEqual)
    }
}

/// `ANY` or `EVERY`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Quantifier {
    /// At least one entry.
    Any,
    /// All entries.
    Every,
}

/// Something that has a value.
#[derive(Debug, Clone, PartialEq)]
pub enum Operand {
    /// A value written down.
    Literal(Literal, At),
    /// `{6, 17}`: an array written down.
    Array(Vec<Literal>, At),
    /// A property, or the object itself.
    Path(Path),
    /// `#'Name'`: the value that `Values` of a property gives that name.
    Symbol {
        /// The property; without one it is that of the other side.
        path: Option<Path>,
        /// The name.
        name: String,
        /// Where the name stands.
        at: At,
    },
    /// A function.
    Call {
        /// The function.
        function: Function,
        /// Its arguments.
        arguments: Vec<Operand>,
        /// Where its name stands.
        at: At,
    },
    /// Two or more texts joined by `||`.
    Concatenation(Vec<Operand>),
    /// The entry that the short form of `ANY` or `EVERY` asks about.
    Entry,
}

/// A value written down.
#[derive(Debug, Clone, PartialEq)]
pub enum Literal {
    Null,
    Boolean(bool),
    Integer(i128),
    Real(f64),
    Text(String),
}

/// Names joined by dots; never empty.
#[derive(Debug, Clone, PartialEq)]
pub struct Path(pub Vec<Step>);

/// One name of a path.
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    /// `Class::`: the property as that class defines it.
    pub class: Option<CimName>,
    /// The name.
    pub name: CimName,
    /// What stands in brackets behind it.
    pub index: Option<Index>,
    /// Where it stands.
    pub at: At,
}

/// Which entries of an array are meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Index {
    /// `[n]`, from 0.
    Entry(usize),
    /// `[*]`.
    All,
}

impl Path {
    /// Where the path begins.
    pub fn at(&self) -> usize {
        self.0.first().map_or(0, |step| step.at.0)
    }
}

impl Operand {
    /// Where the operand begins.
    pub fn at(&self) -> usize {
        match self {
            Self::Literal(_, at)
            | Self::Array(_, at)
            | Self::Symbol { at, .. }
            | Self::Call { at, .. } => at.0,
            Self::Path(path) => path.at(),
            Self::Concatenation(parts) => parts.first().map_or(0, Self::at),
            Self::Entry => 0,
        }
    }
}
