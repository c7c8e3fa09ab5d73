//! Tokens to syntax, by recursive descent with one function for each production.
//!
//! The grammar does not nest without limit (arrays hold no arrays), so neither do the functions.
//! A function that returns `Err(Reported)` has said why; the nearest list it stands in skips to a
//! place where reading can go on.

mod class;
mod cursor;
mod instance;
mod item;
mod qualifier;
mod value;

pub(super) use cursor::Parser;
