//! Indications: what changes is matched with subscriptions and delivered to destinations.

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
pub use watch::{Subscriber, Watch, Watched};
