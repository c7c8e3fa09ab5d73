//! How instances are shown to people.

mod job;

pub use job::{JobView, State, list, show};
