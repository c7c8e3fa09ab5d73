//! Jobs: the pure engine, its driver, and the executors that run things.

mod alarm;
mod clock;
pub mod core;
mod driver;
pub mod engine;
pub mod executor;
mod links;
mod open;
pub mod port;
pub mod provider;
pub mod supervisor;
mod sweep;
pub mod zone;

#[cfg(test)]
mod pretender;
#[cfg(test)]
mod tests;

pub use driver::EngineTask;
pub use open::{Config, OpenError};
