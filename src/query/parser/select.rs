//! `SELECT … FROM … [WHERE …] [ORDER BY …]`.

use crate::model::CimName;

use super::super::ast::{At, Item, Order, Path, Select};
use super::super::error::Located;
use super::super::lexer::TokenKind;
use super::cursor::Cursor;
use super::operand::AGGREGATES;

impl Cursor<'_> {
    pub(super) fn select(&mut self) -> Result<Select, Located> {
        self.expect_word("SELECT")?;
        let distinct = self.distinct();
        let first = self.first()?;
        let items = self.items()?;
        self.expect_word("FROM")?;
        let at = At(self.offset());
        let from = self.name("the name of a class")?;
        let alias = self.alias()?;
        if self.is_sign(0, ",") {
            return self.unsupported("joins of classes");
        }
        let condition = self
            .take_word("WHERE")
            .then(|| self.condition())
            .transpose()?;
        Ok(Select {
            distinct,
            first,
            items,
            from,
            alias,
            at,
            condition,
            order: self.order()?,
        })
    }

    fn alias(&mut self) -> Result<Option<CimName>, Located> {
        let bare = self.word(0).is_some() && !self.is_word(0, "WHERE") && !self.is_word(0, "ORDER");
        if self.take_word("AS") || bare {
            return self.name("a name for the object").map(Some);
        }
        Ok(None)
    }

    /// A property may have this name: then a comma, a dot or FROM follows it.
    fn distinct(&mut self) -> bool {
        let next = self.is_sign(1, ",") || self.is_sign(1, ".") || self.is_word(1, "FROM");
        !next && self.take_word("DISTINCT")
    }

    fn first(&mut self) -> Result<Option<u64>, Located> {
        let TokenKind::Integer(number) = self.peek(1).kind else {
            return Ok(None);
        };
        if !self.take_word("FIRST") {
            return Ok(None);
        }
        let first = u64::try_from(number).map_err(|_| self.expected("a number of rows"))?;
        self.advance();
        Ok(Some(first))
    }

    fn items(&mut self) -> Result<Vec<Item>, Located> {
        let mut items = vec![self.item()?];
        while self.take_sign(",") {
            items.push(self.item()?);
        }
        Ok(items)
    }

    fn item(&mut self) -> Result<Item, Located> {
        if self.take_sign("*") {
            return Ok(Item::All);
        }
        if self.is_sign(1, "(") {
            let aggregate = |name: &&str| self.is_word(0, name);
            return self.unsupported(match AGGREGATES.iter().find(|name| aggregate(name)) {
                Some(_) => "aggregates such as COUNT",
                None => EXPRESSIONS,
            });
        }
        let Some(_) = self.word(0) else {
            return match self.peek(0).kind {
                TokenKind::Sign(_) | TokenKind::End | TokenKind::Name => {
                    Err(self.expected("a property or *"))
                }
                TokenKind::Text(_) | TokenKind::Integer(_) | TokenKind::Real(_) => {
                    self.unsupported(EXPRESSIONS)
                }
            };
        };
        let path = self.path()?;
        if self.is_sign(0, ".") && self.is_sign(1, "*") {
            self.advance();
            self.advance();
            return Ok(Item::AllOf(path));
        }
        let ends = self.is_sign(0, ",") || self.is_word(0, "FROM");
        let operator = matches!(self.peek(0).kind, TokenKind::Sign(_)) || self.is_word(0, "AS");
        if !ends && operator {
            return self.unsupported(EXPRESSIONS);
        }
        Ok(Item::Property(path))
    }

    fn order(&mut self) -> Result<Vec<Order>, Located> {
        let mut order = Vec::new();
        if !self.take_word("ORDER") {
            return Ok(order);
        }
        self.expect_word("BY")?;
        loop {
            let path: Path = self.path()?;
            let descending = self.take_word("DESC");
            if !descending {
                self.take_word("ASC");
            }
            order.push(Order { path, descending });
            if !self.take_sign(",") {
                return Ok(order);
            }
        }
    }
}

/// Feature 7 of DSP0202, as the client is told of it.
const EXPRESSIONS: &str = "anything but properties in the select list";
