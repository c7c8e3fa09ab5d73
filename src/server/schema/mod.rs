//! The schema that the server starts with: the embedded MOF, and over it what the administrator adds.

mod check;
mod load;
mod sources;

pub use check::{Finding, check};
pub(super) use load::load;
pub use sources::compiled;
