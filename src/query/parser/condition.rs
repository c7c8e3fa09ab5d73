//! Conditions of WQL and CQL: NOT binds tighter than AND, AND tighter than OR.

use super::super::ast::{At, Comparator, Condition, Operand, Path, Quantifier};
use super::super::error::Located;
use super::cursor::Cursor;

impl Cursor<'_> {
    pub(super) fn condition(&mut self) -> Result<Condition, Located> {
        self.chain("OR", Condition::Or, |cursor| {
            cursor.chain("AND", Condition::And, Self::negation)
        })
    }

    /// One part, or several with `keyword` between them.
    pub(super) fn chain(
        &mut self,
        keyword: &str,
        join: fn(Vec<Condition>) -> Condition,
        part: fn(&mut Self) -> Result<Condition, Located>,
    ) -> Result<Condition, Located> {
        let first = part(self)?;
        if !self.is_word(0, keyword) {
            return Ok(first);
        }
        let mut parts = vec![first];
        while self.take_word(keyword) {
            parts.push(part(self)?);
        }
        Ok(join(parts))
    }

    fn negation(&mut self) -> Result<Condition, Located> {
        if self.take_word("NOT") {
            let inner = self.deeper(Self::negation)?;
            return Ok(Condition::Not(Box::new(inner)));
        }
        self.predicate()
    }

    fn predicate(&mut self) -> Result<Condition, Located> {
        if let Some(quantifier) = self.quantifier() {
            return self.quantified(quantifier);
        }
        let condition = if self.is_sign(0, "(") && !self.is_word(1, "SELECT") {
            self.advance();
            let inner = self.deeper(Self::condition)?;
            self.expect_sign(")")?;
            match inner {
                Condition::Holds(operand) => {
                    let operand = self.joined(operand)?;
                    self.rest_of_operand(operand)?
                }
                condition => condition,
            }
        } else {
            let operand = self.operand()?;
            self.rest_of_operand(operand)?
        };
        self.truth_test(condition)
    }

    /// `IS [NOT] TRUE` and `IS [NOT] FALSE` behind a condition.
    fn truth_test(&mut self, condition: Condition) -> Result<Condition, Located> {
        if !self.take_word("IS") {
            return Ok(condition);
        }
        let negated = self.take_word("NOT");
        let wanted = self.take_word("TRUE");
        if !wanted && !self.take_word("FALSE") {
            return Err(self.expected("TRUE or FALSE"));
        }
        let condition = Box::new(condition);
        Ok(Condition::Is {
            condition,
            wanted,
            negated,
        })
    }

    fn rest_of_operand(&mut self, operand: Operand) -> Result<Condition, Located> {
        if self.is_word(0, "IS") {
            let negated = self.is_word(1, "NOT");
            let skipped = 1 + usize::from(negated);
            if !self.is_word(skipped, "NULL") {
                return self.truth_test(Condition::Holds(operand));
            }
            (0..=skipped).for_each(|_| self.advance());
            return Ok(Condition::IsNull { operand, negated });
        }
        if self.is_word(0, "IN") {
            return self.unsupported("IN");
        }
        match self.relation(operand)? {
            Ok(condition) => Ok(condition),
            Err(operand) => Ok(Condition::Holds(operand)),
        }
    }

    /// A comparison, `LIKE` or `ISA` behind `operand`; the operand again when there is none.
    fn relation(&mut self, operand: Operand) -> Result<Result<Condition, Operand>, Located> {
        if let Some((op, at)) = self.comparator() {
            let right = self.operand()?;
            return Ok(Ok(Condition::Compare {
                left: operand,
                op,
                right,
                at,
            }));
        }
        if self.is_word(0, "LIKE") || (self.is_word(0, "NOT") && self.is_word(1, "LIKE")) {
            return self.like(operand).map(Ok);
        }
        if self.take_word("ISA") {
            let at = At(self.offset());
            let class = self.name("the name of a class")?;
            return Ok(Ok(Condition::Isa { operand, class, at }));
        }
        Ok(Err(operand))
    }

    pub(super) fn like(&mut self, operand: Operand) -> Result<Condition, Located> {
        let negated = self.take_word("NOT");
        self.expect_word("LIKE")?;
        let at = At(self.offset());
        let pattern = self.string("a pattern in quotes")?;
        Ok(Condition::Like {
            operand,
            negated,
            pattern,
            at,
        })
    }

    pub(super) fn comparator(&mut self) -> Option<(Comparator, At)> {
        let at = At(self.offset());
        if self.take_sign("!=") {
            return Some((Comparator::NotEqual, at));
        }
        let op = Comparator::ALL
            .into_iter()
            .find(|op| self.is_sign(0, op.as_str()))?;
        self.advance();
        Some((op, at))
    }

    /// A property may be called Any: then no name follows it.
    pub(super) fn quantifier(&mut self) -> Option<Quantifier> {
        self.word(1)?;
        let keywords = ["IS", "LIKE", "NOT", "ISA", "AND", "OR", "IN", "ORDER"];
        if keywords.iter().any(|keyword| self.is_word(1, keyword)) {
            return None;
        }
        if self.take_word("ANY") {
            return Some(Quantifier::Any);
        }
        self.take_word("EVERY").then_some(Quantifier::Every)
    }

    fn quantified(&mut self, quantifier: Quantifier) -> Result<Condition, Located> {
        if !self.is_word(1, "IN") {
            let array = self.path()?;
            return self.short_form(quantifier, array);
        }
        let variable = Some(self.name("a name for the entries")?);
        self.expect_word("IN")?;
        let array = self.path()?;
        self.expect_word("SATISFIES")?;
        self.expect_sign("(")?;
        let condition = self.deeper(Self::condition)?;
        self.expect_sign(")")?;
        Ok(Condition::Quantified {
            quantifier,
            variable,
            array,
            condition: Box::new(condition),
        })
    }

    /// What stands behind `ANY array`.
    pub(super) fn short_form(
        &mut self,
        quantifier: Quantifier,
        array: Path,
    ) -> Result<Condition, Located> {
        let Ok(condition) = self.relation(Operand::Entry)? else {
            return Err(self.expected("a comparison or LIKE"));
        };
        Ok(Condition::Quantified {
            quantifier,
            variable: None,
            array,
            condition: Box::new(condition),
        })
    }
}
