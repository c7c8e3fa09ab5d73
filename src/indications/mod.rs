//! Indications: what changes is matched with subscriptions and delivered to destinations.

pub mod core;
pub mod destination;
mod made;
#[cfg(test)]
mod tests;

pub use made::Maker;
