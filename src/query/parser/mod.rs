//! From text to a query: one function for each production, one token of look-ahead or two.
//!
//! WQL and CQL share their grammar: WQL is the smaller language, and what it lacks of CQL's
//! conditions does no harm in it. FQL is a grammar of its own.

mod condition;
mod cursor;
mod filter;
mod operand;
mod select;

use super::ast::{Condition, Select};
use super::error::Located;
use super::language::Language;

use cursor::Cursor;

/// Parses a query of WQL or CQL.
pub(super) fn select(text: &str, language: Language) -> Result<Select, Located> {
    let mut cursor = Cursor::new(text, language)?;
    let select = cursor.select()?;
    cursor.end("AND, OR or the end of the query")?;
    Ok(select)
}

/// Parses a filter of FQL.
pub(super) fn filter(text: &str) -> Result<Condition, Located> {
    let mut cursor = Cursor::new(text, Language::Fql)?;
    let condition = cursor.filter()?;
    cursor.end("AND, OR or the end of the filter")?;
    Ok(condition)
}
