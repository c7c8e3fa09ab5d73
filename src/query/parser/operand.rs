//! What has a value: literals, paths, symbolic constants and functions.

use super::super::ast::{At, Index, Literal, Operand, Path, Step};
use super::super::error::{Fault, Located};
use super::super::function::Function;
use super::super::lexer::TokenKind;
use super::cursor::Cursor;

/// The functions of DSP0202 over all rows, which this server does not have.
pub(super) const AGGREGATES: [&str; 6] = ["COUNT", "MIN", "MAX", "SUM", "MEAN", "MEDIAN"];

impl Cursor<'_> {
    pub(super) fn operand(&mut self) -> Result<Operand, Located> {
        let first = self.primary()?;
        self.joined(first)
    }

    /// What stands behind a first part: nothing, or further parts to be joined with it.
    pub(super) fn joined(&mut self, first: Operand) -> Result<Operand, Located> {
        if ["+", "-", "*", "/"]
            .iter()
            .any(|sign| self.is_sign(0, sign))
        {
            return self.unsupported("arithmetic");
        }
        if !self.is_sign(0, "||") {
            return Ok(first);
        }
        let mut parts = vec![first];
        while self.take_sign("||") {
            parts.push(self.primary()?);
        }
        Ok(Operand::Concatenation(parts))
    }

    fn primary(&mut self) -> Result<Operand, Located> {
        let at = At(self.offset());
        if self.is_sign(0, "(") {
            if self.is_word(1, "SELECT") {
                return self.unsupported("queries within queries");
            }
            self.advance();
            let inner = self.deeper(Self::operand)?;
            self.expect_sign(")")?;
            return Ok(inner);
        }
        if self.take_sign("{") {
            return Ok(Operand::Array(self.entries()?, at));
        }
        if self.is_sign(0, "#") {
            return self.symbol(None);
        }
        if let Some(literal) = self.literal()? {
            return Ok(Operand::Literal(literal, at));
        }
        if self.is_sign(1, "(") && self.word(0).is_some() {
            return self.call();
        }
        let path = self.path()?;
        if self.is_sign(0, "#") {
            return self.symbol(Some(path));
        }
        Ok(Operand::Path(path))
    }

    /// A literal; `None` when something else stands here.
    fn literal(&mut self) -> Result<Option<Literal>, Located> {
        let sign = self.is_sign(0, "-") || self.is_sign(0, "+");
        let negative = self.is_sign(0, "-");
        let literal = match &self.peek(usize::from(sign)).kind {
            TokenKind::Integer(number) if negative => Literal::Integer(-number),
            TokenKind::Integer(number) => Literal::Integer(*number),
            TokenKind::Real(number) if negative => Literal::Real(-number),
            TokenKind::Real(number) => Literal::Real(*number),
            _ if sign => {
                self.advance();
                return Err(self.expected("a number"));
            }
            TokenKind::Text(text) => Literal::Text(text.clone()),
            TokenKind::Name => {
                let words = [
                    ("TRUE", Literal::Boolean(true)),
                    ("FALSE", Literal::Boolean(false)),
                    ("NULL", Literal::Null),
                ];
                let known = words.into_iter().find(|(word, _)| self.is_word(0, word));
                let Some((_, literal)) = known else {
                    return Ok(None);
                };
                literal
            }
            TokenKind::Sign(_) | TokenKind::End => return Ok(None),
        };
        if sign {
            self.advance();
        }
        self.advance();
        Ok(Some(literal))
    }

    /// The literals of an array to its closing brace.
    fn entries(&mut self) -> Result<Vec<Literal>, Located> {
        let mut entries = Vec::new();
        loop {
            let entry = self.literal()?;
            entries.push(entry.ok_or_else(|| self.expected("a literal"))?);
            if !self.take_sign(",") {
                self.expect_sign("}")?;
                return Ok(entries);
            }
        }
    }

    fn symbol(&mut self, path: Option<Path>) -> Result<Operand, Located> {
        self.expect_sign("#")?;
        let at = At(self.offset());
        let name = self.string("a name of Values in quotes")?;
        Ok(Operand::Symbol { path, name, at })
    }

    fn call(&mut self) -> Result<Operand, Located> {
        let at = At(self.offset());
        if AGGREGATES.iter().any(|name| self.is_word(0, name)) {
            return self.unsupported("aggregates such as COUNT");
        }
        let function = self.word(0).and_then(Function::named);
        let function = function.ok_or_else(|| self.expected("a function of CQL"))?;
        let function = match function {
            Ok(function) => function,
            Err(feature) => return self.unsupported(feature),
        };
        self.advance();
        self.expect_sign("(")?;
        let mut arguments = Vec::new();
        if !self.is_sign(0, ")") {
            arguments.push(self.deeper(Self::operand)?);
            while self.take_sign(",") {
                arguments.push(self.deeper(Self::operand)?);
            }
        }
        self.expect_sign(")")?;
        Ok(Operand::Call {
            function,
            arguments,
            at,
        })
    }

    pub(super) fn path(&mut self) -> Result<Path, Located> {
        let mut steps = vec![self.step()?];
        while self.is_sign(0, ".") && !self.is_sign(1, "*") {
            self.advance();
            steps.push(self.step()?);
        }
        Ok(Path(steps))
    }

    fn step(&mut self) -> Result<Step, Located> {
        let at = At(self.offset());
        let first = self.name("a property or a value")?;
        let (class, name) = if self.take_sign("::") {
            (Some(first), self.name("the name of a property")?)
        } else {
            (None, first)
        };
        let index = self.take_sign("[").then(|| self.index()).transpose()?;
        Ok(Step {
            class,
            name,
            index,
            at,
        })
    }

    fn index(&mut self) -> Result<Index, Located> {
        let index = match self.peek(0).kind {
            TokenKind::Integer(number) => {
                let entry = usize::try_from(number);
                Index::Entry(entry.map_err(|_| self.expected("the number of an entry"))?)
            }
            TokenKind::Sign("*") => Index::All,
            _ => return Err(self.expected("the number of an entry or *")),
        };
        self.advance();
        if self.is_sign(0, "..") || self.is_sign(0, ",") {
            return Err(Fault::Feature("ranges of entries of an array").at(self.offset()));
        }
        self.expect_sign("]")?;
        Ok(index)
    }
}
