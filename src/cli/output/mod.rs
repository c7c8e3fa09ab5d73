//! How instances are shown to people.

pub mod indication;
mod job;

pub use job::{JobView, State, list, show};
