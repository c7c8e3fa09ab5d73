//! The durable store: one `SQLite` database in a directory that one server owns.

mod database;
mod directory;
mod error;
mod history;
mod jobs;
#[cfg(test)]
mod tests;

pub use database::{HISTORY_POOL_LIMIT, Options, Store};
pub use error::StoreError;
pub use history::History;
pub use jobs::{Loaded, Query};
