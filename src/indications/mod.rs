//! Indications: what changes is matched with subscriptions and delivered to destinations.
//!
//! These are the parts: terms of subscriptions, the match, the queue of a destination and its courier.
//! The providers of filters, destinations and subscriptions, which put them together, are not there
//! yet, and so nothing is produced.

pub mod core;
mod courier;
pub mod destination;
mod made;
mod terms;
#[cfg(test)]
mod tests;
mod watch;

pub use courier::{Courier, Desk, Fault, Queue};
pub use made::Maker;
pub use terms::{DISABLED, Terms, complete, remaining};
pub use watch::{Subscriber, Watch, Watched};
