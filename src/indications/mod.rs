//! Indications: what changes is matched with subscriptions and delivered to destinations.
//!
//! Clients set up filters, destinations and subscriptions through the provider; the [`Service`] holds
//! them in a ledger, which says what is watched. Whoever changes instances asks the service, as its
//! [`crate::provider::Observer`], for the notices of the change and commits them with it; the courier
//! of each destination takes them from there.

mod capabilities;
mod clerk;
pub mod core;
mod courier;
mod couriers;
pub mod destination;
mod key;
mod ledger;
mod links;
mod made;
mod make;
mod provider;
mod record;
mod service;
mod settings;
mod standing;
mod statistics;
mod terms;
#[cfg(test)]
mod tests;
mod told;
mod trouble;
mod watch;

pub use clerk::serve;
pub use courier::{Courier, Desk, Fault, Queue};
pub use key::Home;
pub use made::Maker;
pub use make::{Schemas, Workshop};
pub use provider::{at_home, registrations};
pub use service::{Parts, Service};
pub use terms::{DISABLED, Terms, complete, remaining};
pub use trouble::watch as watch_store;
pub use watch::{Asked, Hearer, Produced, Rights, Subscriber, Watch, Watched, selected};
