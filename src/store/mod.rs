//! The durable store: one `SQLite` database in a directory that one server owns.

mod batch;
mod database;
mod directory;
mod error;
mod history;
mod jobs;
mod keep;
mod outbox;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod upgrade;
mod writer;

pub use batch::Batch;
pub use database::{HISTORY_POOL_LIMIT, Options, Store};
pub use error::StoreError;
pub use history::History;
pub use jobs::{Loaded, Query};
pub use keep::{Forgotten, Keep};
pub use outbox::{Leave, PAGE_LIMIT, QueueLimits, Queued, StreamRow};
pub use writer::{Writer, WriterThread};
