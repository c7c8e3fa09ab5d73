//! Filters of FQL (DSP0212): no general NOT, NULL is compared like a value, AND before OR.

use super::super::ast::{Condition, Literal, Operand};
use super::super::error::Located;
use super::cursor::Cursor;

impl Cursor<'_> {
    pub(super) fn filter(&mut self) -> Result<Condition, Located> {
        self.chain("OR", Condition::Or, |cursor| {
            cursor.chain("AND", Condition::And, Self::filter_part)
        })
    }

    fn filter_part(&mut self) -> Result<Condition, Located> {
        if self.take_sign("(") {
            let inner = self.deeper(Self::filter)?;
            self.expect_sign(")")?;
            return Ok(inner);
        }
        let negated = self.take_word("NOT");
        if let Some(quantifier) = self.quantifier() {
            let array = self.path()?;
            let condition = self.short_form(quantifier, array)?;
            return Ok(if negated {
                Condition::Not(Box::new(condition))
            } else {
                condition
            });
        }
        if negated {
            return Err(self.expected("ANY or EVERY"));
        }
        let operand = self.operand()?;
        if self.is_word(0, "LIKE") || self.is_word(0, "NOT") {
            return self.like(operand);
        }
        self.filter_comparison(operand)
    }

    fn filter_comparison(&mut self, left: Operand) -> Result<Condition, Located> {
        let Some((op, at)) = self.comparator() else {
            return Err(self.expected("a comparison or LIKE"));
        };
        let right = self.operand()?;
        let null = |operand: &Operand| matches!(operand, Operand::Literal(Literal::Null, _));
        if op.orders() || !null(&right) {
            return Ok(Condition::Compare {
                left,
                op,
                right,
                at,
            });
        }
        Ok(Condition::IsNull {
            operand: left,
            negated: op == super::super::ast::Comparator::NotEqual,
        })
    }
}
