//! Indications: what changes is matched with subscriptions and delivered to destinations.

pub mod core;
pub mod destination;
