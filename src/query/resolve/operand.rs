//! Operands: what they are, before it is known what they are compared with.

use crate::model::CimValue;

use super::super::ast::{Literal, Operand};
use super::super::compiled::{Root, Route, Term};
use super::super::error::{Fault, Located, shortened};
use super::super::function::Function;
use super::super::kind::Kind;
use super::path::Found;
use super::scope::Resolver;
use super::shape::Shape;

impl Resolver<'_> {
    pub fn operand(&mut self, operand: &Operand) -> Result<Found, Located> {
        match operand {
            Operand::Literal(literal, at) => Ok(Found {
                term: Term::Value(value(literal, at.0)?),
                shape: Shape::scalar(Kind::of_literal(literal)),
            }),
            Operand::Array(literals, at) => array(literals, at.0),
            Operand::Path(path) => self.path(path),
            Operand::Symbol { path, name, at } => {
                let Some(path) = path else {
                    let text = "#'Name' stands only beside a property".to_owned();
                    return Err(Fault::Shape(text).at(at.0));
                };
                let found = self.path(path)?;
                symbol(&found.shape, name, at.0)
            }
            Operand::Call {
                function,
                arguments,
                at,
            } => self.call(*function, arguments, at.0),
            Operand::Concatenation(parts) => {
                let texts = parts.iter().map(|part| self.wanted(part, Kind::Text));
                let terms: Result<Vec<Term>, Located> = texts.collect();
                Ok(Found {
                    term: Term::Concatenation(terms?),
                    shape: Shape::scalar(Kind::Text),
                })
            }
            Operand::Entry => Ok(self.entry()),
        }
    }

    /// The operand, which must be one value of the kind `wanted`.
    pub fn wanted(&mut self, operand: &Operand, wanted: Kind) -> Result<Term, Located> {
        let Found { term, shape } = self.operand(operand)?;
        if shape.kind.fits(wanted) && shape.is_array != Some(true) {
            return Ok(term);
        }
        let expected = wanted.as_str();
        let found = format!(
            "{} ({})",
            shortened(&operand.to_string()),
            shape.described()
        );
        Err(Fault::Type { expected, found }.at(operand.at()))
    }

    /// The entry that the innermost quantifier is at.
    fn entry(&self) -> Found {
        let number = self.entries.len().saturating_sub(1);
        let shape = self.entries.last().map(|(_, shape)| shape.clone());
        Found {
            term: Term::Route(Route {
                root: Root::Entry(number),
                hops: Vec::new(),
            }),
            shape: shape.unwrap_or_else(Shape::open),
        }
    }

    fn call(
        &mut self,
        function: Function,
        arguments: &[Operand],
        at: usize,
    ) -> Result<Found, Located> {
        let kinds: Vec<Kind> = function
            .parameters()
            .iter()
            .copied()
            .chain(function.optional())
            .collect();
        let least = function.parameters().len();
        if arguments.len() < least || arguments.len() > kinds.len() {
            let expected = match (least, kinds.len()) {
                (_, 0) => "no argument",
                (0, _) => "at most one argument",
                (_, _) => "one argument",
            };
            let found = format!("{} in {}", arguments.len(), function.as_str());
            return Err(Fault::Type { expected, found }.at(at));
        }
        self.used_whole |= arguments.is_empty() && function.optional().is_some();
        let terms = arguments.iter().zip(kinds);
        let terms: Result<Vec<Term>, Located> = terms
            .map(|(argument, kind)| self.wanted(argument, kind))
            .collect();
        Ok(Found {
            term: Term::Call(function, terms?),
            shape: Shape::scalar(function.result()),
        })
    }
}

/// The symbolic constant `name` of the property that `shape` is of.
pub(super) fn symbol(shape: &Shape, name: &str, at: usize) -> Result<Found, Located> {
    let value = shape.symbol(name).ok_or_else(|| {
        let property = shape.property_name();
        Fault::Symbol {
            symbol: shortened(name),
            property: property.unwrap_or_else(|| "a property that is not known".to_owned()),
        }
        .at(at)
    })?;
    Ok(Found {
        shape: Shape::scalar(Kind::of_value(&value)),
        term: Term::Value(value),
    })
}

/// Every number of CIM has at most 64 bits.
fn value(literal: &Literal, at: usize) -> Result<CimValue, Located> {
    Ok(match literal {
        Literal::Null => CimValue::Null,
        Literal::Boolean(value) => CimValue::Boolean(*value),
        Literal::Real(value) => CimValue::Real64(*value),
        Literal::Text(text) => CimValue::string(text.as_str()),
        Literal::Integer(number) => {
            let signed = i64::try_from(*number).map(CimValue::Sint64);
            let unsigned = || u64::try_from(*number).map(CimValue::Uint64);
            signed
                .or_else(|_| unsigned())
                .map_err(|_| Fault::Number(number.to_string()).at(at))?
        }
    })
}

fn array(literals: &[Literal], at: usize) -> Result<Found, Located> {
    let kinds = || {
        literals
            .iter()
            .map(Kind::of_literal)
            .filter(|kind| *kind != Kind::Null)
    };
    let kind = kinds().next().unwrap_or(Kind::Any);
    if let Some(other) = kinds().find(|other| *other != kind) {
        let (expected, found) = (kind.as_str(), other.as_str().to_owned());
        return Err(Fault::Type { expected, found }.at(at));
    }
    let entries: Result<Vec<CimValue>, Located> =
        literals.iter().map(|literal| value(literal, at)).collect();
    Ok(Found {
        term: Term::Value(CimValue::Array(entries?)),
        shape: Shape {
            is_array: Some(true),
            ..Shape::scalar(kind)
        },
    })
}
