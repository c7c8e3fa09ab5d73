//! The durable store: one `SQLite` database in a directory that one server owns.

mod batch;
mod database;
mod declarations;
mod directory;
mod error;
mod events;
mod history;
mod jobs;
mod keep;
mod outbox;
mod packed;
mod readers;
mod recent;
mod repository;
mod settings;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod upgrade;
mod writer;

pub use batch::Batch;
pub use database::{Options, READER_POOL_LIMIT, Store};
pub use declarations::{DeclarationKind, DeclarationRow};
pub use error::{Failure, StoreCause, StoreError, Trouble};
pub use events::EventRow;
pub use history::History;
pub use jobs::{Loaded, Query};
pub use keep::{Forgotten, Gone, Keep};
pub use outbox::{Leave, PAGE_LIMIT, QueueLimits, Queued, StreamRow};
pub use recent::ReadRow;
pub use repository::{InstanceData, InstanceKey, InstanceRow, InstanceView, Repository};
pub use writer::{Writer, WriterThread};
