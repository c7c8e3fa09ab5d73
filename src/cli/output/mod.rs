//! How instances are shown to people.

pub mod indication;
mod job;
mod print;

pub use job::{JobView, State, list, show};
pub use print::{line, print};
