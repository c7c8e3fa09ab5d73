//! Jobs: the pure engine, its driver, and the executors that run things.

mod clock;
pub mod core;
pub mod engine;
pub mod executor;
