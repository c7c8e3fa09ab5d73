//! Queries as text: what is printed in a language parses to the same query in that language.

use std::fmt::{self, Display, Write};

use super::ast::{Condition, Index, Item, Literal, Operand, Path, Quantifier, Select, Step};
use super::language::Language;

/// A condition to be written in a language.
#[derive(Debug)]
pub struct Printed<'a>(pub &'a Condition, pub Language);

impl Display for Select {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SELECT ")?;
        if self.distinct {
            f.write_str("DISTINCT ")?;
        }
        if let Some(first) = self.first {
            write!(f, "FIRST {first} ")?;
        }
        joined(f, &self.items, ", ")?;
        write!(f, " FROM {}", self.from)?;
        if let Some(alias) = &self.alias {
            write!(f, " AS {alias}")?;
        }
        if let Some(condition) = &self.condition {
            write!(f, " WHERE {}", Printed(condition, Language::Cql))?;
        }
        for (at, order) in self.order.iter().enumerate() {
            f.write_str(if at == 0 { " ORDER BY " } else { ", " })?;
            let direction = if order.descending { " DESC" } else { "" };
            write!(f, "{}{direction}", order.path)?;
        }
        Ok(())
    }
}

impl Display for Item {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::All => f.write_str("*"),
            Self::AllOf(path) => write!(f, "{path}.*"),
            Self::Property(path) => path.fmt(f),
        }
    }
}

impl Display for Printed<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(condition, language) = *self;
        match condition {
            Condition::Or(parts) => self.parts(f, parts, " OR "),
            Condition::And(parts) => self.parts(f, parts, " AND "),
            Condition::Not(inner) => {
                f.write_str("NOT ")?;
                match (language, &**inner) {
                    // FQL has no parentheses behind NOT.
                    (Language::Fql, Condition::Quantified { .. }) => Self(inner, language).fmt(f),
                    (Language::Fql | Language::Wql | Language::Cql, _) => self.inner(f, inner),
                }
            }
            Condition::Is {
                condition,
                wanted,
                negated,
            } => {
                self.inner(f, condition)?;
                let wanted = if *wanted { "TRUE" } else { "FALSE" };
                write!(f, " IS {}{wanted}", not(*negated))
            }
            Condition::IsNull { operand, negated } => match (language, negated) {
                (Language::Fql, false) => write!(f, "{operand} = NULL"),
                (Language::Fql, true) => write!(f, "{operand} <> NULL"),
                (Language::Wql | Language::Cql, _) => {
                    write!(f, "{operand} IS {}NULL", not(*negated))
                }
            },
            Condition::Isa { operand, class, .. } => write!(f, "{operand} ISA {class}"),
            Condition::Quantified {
                quantifier,
                variable,
                array,
                condition,
            } => {
                f.write_str(match quantifier {
                    Quantifier::Any => "ANY ",
                    Quantifier::Every => "EVERY ",
                })?;
                match variable {
                    Some(variable) => {
                        let condition = Self(condition, language);
                        write!(f, "{variable} IN {array} SATISFIES ({condition})")
                    }
                    None => write!(f, "{array}{}", Self(condition, language)),
                }
            }
            Condition::Compare {
                left, op, right, ..
            } => {
                write!(f, "{left} {} {right}", op.as_str())
            }
            Condition::Like {
                operand,
                negated,
                pattern,
                ..
            } => {
                write!(f, "{operand} {}LIKE ", not(*negated))?;
                quoted(f, pattern)
            }
            Condition::Holds(operand) => operand.fmt(f),
        }
    }
}

impl Printed<'_> {
    fn parts(&self, f: &mut fmt::Formatter<'_>, parts: &[Condition], between: &str) -> fmt::Result {
        for (at, part) in parts.iter().enumerate() {
            if at > 0 {
                f.write_str(between)?;
            }
            self.inner(f, part)?;
        }
        Ok(())
    }

    fn inner(&self, f: &mut fmt::Formatter<'_>, condition: &Condition) -> fmt::Result {
        write!(f, "({})", Printed(condition, self.1))
    }
}

fn not(negated: bool) -> &'static str {
    if negated { "NOT " } else { "" }
}

impl Display for Operand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Literal(literal, _) => literal.fmt(f),
            Self::Array(literals, _) => {
                f.write_char('{')?;
                joined(f, literals, ", ")?;
                f.write_char('}')
            }
            Self::Path(path) => path.fmt(f),
            Self::Symbol { path, name, .. } => {
                if let Some(path) = path {
                    path.fmt(f)?;
                }
                f.write_char('#')?;
                quoted(f, name)
            }
            Self::Call {
                function,
                arguments,
                ..
            } => {
                write!(f, "{}(", function.as_str())?;
                joined(f, arguments, ", ")?;
                f.write_char(')')
            }
            Self::Concatenation(parts) => {
                for (at, part) in parts.iter().enumerate() {
                    f.write_str(if at > 0 { " || " } else { "" })?;
                    match part {
                        Self::Concatenation(_) => write!(f, "({part})")?,
                        one => one.fmt(f)?,
                    }
                }
                Ok(())
            }
            // The short form writes the array, which stands before the operator.
            Self::Entry => Ok(()),
        }
    }
}

impl Display for Literal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => f.write_str("NULL"),
            Self::Boolean(true) => f.write_str("TRUE"),
            Self::Boolean(false) => f.write_str("FALSE"),
            Self::Integer(number) => number.fmt(f),
            Self::Real(number) => write!(f, "{number:e}"),
            Self::Text(text) => quoted(f, text),
        }
    }
}

impl Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        joined(f, &self.0, ".")
    }
}

impl Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(class) = &self.class {
            write!(f, "{class}::")?;
        }
        self.name.fmt(f)?;
        match self.index {
            None => Ok(()),
            Some(Index::Entry(entry)) => write!(f, "[{entry}]"),
            Some(Index::All) => f.write_str("[*]"),
        }
    }
}

fn joined(f: &mut fmt::Formatter<'_>, parts: &[impl Display], between: &str) -> fmt::Result {
    for (at, part) in parts.iter().enumerate() {
        if at > 0 {
            f.write_str(between)?;
        }
        part.fmt(f)?;
    }
    Ok(())
}

fn quoted(f: &mut fmt::Formatter<'_>, text: &str) -> fmt::Result {
    f.write_char('\'')?;
    for c in text.chars() {
        if matches!(c, '\'' | '\\') {
            f.write_char('\\')?;
        }
        f.write_char(c)?;
    }
    f.write_char('\'')
}
