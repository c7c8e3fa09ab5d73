//! The broker: from a request to a reply, between any front end and any provider.
//!
//! It knows no protocol. One file for each family of operations; `dispatch` is the list.

mod access;
mod association_classes;
mod associations;
mod calls;
mod changes;
mod class_changes;
mod classes;
mod deprecations;
mod dispatch;
mod enumerations;
mod fair;
mod instances;
mod methods;
mod modify;
#[cfg(test)]
mod precedence;
mod properties;
mod pulls;
mod queries;

pub use dispatch::{Arrival, Broker};
pub use enumerations::PullLimits;
