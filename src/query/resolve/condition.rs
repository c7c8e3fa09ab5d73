//! Conditions: each comparison between values that can be compared.

use crate::model::{CimName, CimValue};

use super::super::ast::{Comparator, Condition, Operand, Path, Quantifier};
use super::super::compare;
use super::super::compiled::{Term, Test};
use super::super::error::{Fault, Located, shortened};
use super::super::kind::Kind;
use super::super::language::Language;
use super::super::like::Pattern;
use super::super::limits::{PATTERNS_LIMIT, QUANTIFIERS_LIMIT};
use super::operand::symbol;
use super::path::Found;
use super::scope::Resolver;

impl Resolver<'_> {
    pub fn condition(&mut self, condition: &Condition) -> Result<Test, Located> {
        Ok(match condition {
            Condition::Or(parts) => Test::Any(self.conditions(parts)?),
            Condition::And(parts) => Test::All(self.conditions(parts)?),
            Condition::Not(inner) => {
                let inner = self.condition(inner)?;
                // FQL knows two truth values only: what is unknown is false, and its opposite true.
                negated(if self.language == Language::Fql {
                    Test::Is(Box::new(inner), true)
                } else {
                    inner
                })
            }
            Condition::Is {
                condition,
                wanted,
                negated: not,
            } => {
                let inner = Box::new(self.condition(condition)?);
                negated_if(*not, Test::Is(inner, *wanted))
            }
            Condition::IsNull {
                operand,
                negated: not,
            } => negated_if(*not, Test::IsNull(self.operand(operand)?.term)),
            Condition::Compare {
                left,
                op,
                right,
                at,
            } => self.comparison((left, right), *op, at.0)?,
            Condition::Like {
                operand,
                negated: not,
                pattern,
                at,
            } => {
                let term = self.wanted(operand, Kind::Text)?;
                negated_if(*not, Test::Like(term, self.pattern(pattern, at.0)?))
            }
            Condition::Isa { operand, class, at } => {
                let class = self.class(class, at.0)?.name.clone();
                Test::Isa(self.wanted(operand, Kind::Object)?, class)
            }
            Condition::Quantified {
                quantifier,
                variable,
                array,
                condition,
            } => self.quantified(*quantifier, variable.as_ref(), array, condition)?,
            Condition::Holds(operand) => Test::Holds(self.wanted(operand, Kind::Boolean)?),
        })
    }

    fn conditions(&mut self, parts: &[Condition]) -> Result<Vec<Test>, Located> {
        parts.iter().map(|part| self.condition(part)).collect()
    }

    fn pattern(&mut self, pattern: &str, at: usize) -> Result<Pattern, Located> {
        self.patterns += 1;
        if self.patterns > PATTERNS_LIMIT {
            return Err(Fault::TooManyPatterns.at(at));
        }
        Pattern::new(pattern, self.language).map_err(|fault| fault.at(at))
    }

    fn quantified(
        &mut self,
        quantifier: Quantifier,
        variable: Option<&CimName>,
        array: &Path,
        condition: &Condition,
    ) -> Result<Test, Located> {
        let Found { term, shape } = self.array(array)?;
        if self.entries.len() >= QUANTIFIERS_LIMIT {
            return Err(Fault::TooManyQuantifiers.at(array.at()));
        }
        self.entries.push((variable.cloned(), shape.entry()));
        let test = self.condition(condition);
        self.entries.pop();
        Ok(Test::Quantified {
            quantifier,
            array: term,
            test: Box::new(test?),
            vacuous: self.language != Language::Fql,
        })
    }

    fn comparison(
        &mut self,
        (left, right): (&Operand, &Operand),
        op: Comparator,
        at: usize,
    ) -> Result<Test, Located> {
        let (found_left, found_right) = self.sides(left, right)?;
        let found_left = like_the_other(found_left, &found_right, left.at())?;
        let found_right = like_the_other(found_right, &found_left, right.at())?;
        if !comparable(&found_left, op, &found_right) {
            return Err(Fault::Comparison {
                left: described(left, &found_left),
                op: op.as_str(),
                right: described(right, &found_right),
            }
            .at(at));
        }
        let bag = found_left.shape.is_bag() || found_right.shape.is_bag();
        Ok(Test::Compare {
            left: found_left.term,
            op,
            right: found_right.term,
            bag,
        })
    }

    /// Both sides; a symbolic constant alone belongs to the property on the other side.
    fn sides(&mut self, left: &Operand, right: &Operand) -> Result<(Found, Found), Located> {
        let alone = |operand: &Operand| match operand {
            Operand::Symbol {
                path: None,
                name,
                at,
            } => Some((name.clone(), at.0)),
            _ => None,
        };
        match (alone(left), alone(right)) {
            (Some((name, at)), None) => {
                let right = self.operand(right)?;
                Ok((symbol(&right.shape, &name, at)?, right))
            }
            (None, Some((name, at))) => {
                let left = self.operand(left)?;
                let right = symbol(&left.shape, &name, at)?;
                Ok((left, right))
            }
            (_, _) => Ok((self.operand(left)?, self.operand(right)?)),
        }
    }
}

fn negated(test: Test) -> Test {
    Test::Not(Box::new(test))
}

fn negated_if(not: bool, test: Test) -> Test {
    if not { negated(test) } else { test }
}

/// Datetimes, references and char16 are written as text: a text beside one of them is one.
fn like_the_other(found: Found, other: &Found, at: usize) -> Result<Found, Located> {
    let (read, expected): (fn(&str) -> Option<CimValue>, _) = match other.shape.kind {
        Kind::DateTime => (compare::datetime, "datetime of 25 characters"),
        Kind::Reference => (compare::reference, "object path"),
        Kind::Char => (compare::char16, "char16"),
        Kind::Number
        | Kind::Text
        | Kind::Boolean
        | Kind::Object
        | Kind::Path
        | Kind::Null
        | Kind::Any => return Ok(found),
    };
    let convert = |value: &CimValue| match value {
        CimValue::String(text) => read(text).ok_or_else(|| {
            let text = shortened(text);
            Fault::Text { text, expected }.at(at)
        }),
        other => Ok(other.clone()),
    };
    let converted = match &found.term {
        Term::Value(CimValue::Array(entries)) => {
            let entries: Result<Vec<CimValue>, Located> = entries.iter().map(convert).collect();
            CimValue::Array(entries?)
        }
        Term::Value(value @ CimValue::String(_)) => convert(value)?,
        Term::Value(_) | Term::Route(_) | Term::Call(_, _) | Term::Concatenation(_) => {
            return Ok(found);
        }
    };
    let mut shape = found.shape;
    if shape.kind == Kind::Text {
        shape.kind = other.shape.kind;
    }
    let term = Term::Value(converted);
    Ok(Found { term, shape })
}

fn comparable(left: &Found, op: Comparator, right: &Found) -> bool {
    let (left, right) = (&left.shape, &right.shape);
    let arrays = [left.is_array, right.is_array];
    let null = left.kind == Kind::Null || right.kind == Kind::Null;
    let shapes = match arrays {
        [Some(true), Some(true) | None] | [None, Some(true)] => !op.orders(),
        [Some(true), Some(false)] | [Some(false), Some(true)] => null,
        [Some(false) | None, Some(false) | None] => true,
    };
    let kinds = left.kind.fits(right.kind) || right.kind.fits(left.kind);
    let ordered = left.kind.is_ordered() && right.kind.is_ordered();
    shapes && kinds && (!op.orders() || ordered)
}

fn described(operand: &Operand, found: &Found) -> String {
    let shown = operand.to_string();
    let kind = found.shape.described();
    if shown.is_empty() {
        return format!("an entry ({kind})");
    }
    format!("{} ({kind})", shortened(&shown))
}
