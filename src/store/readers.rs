//! Connections that only read, beside the writer and without making it wait.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rusqlite::Connection;

use super::database::{READER_POOL_LIMIT, open_reader};
use super::error::StoreError;

/// A few read-only connections; clones share them.
#[derive(Debug, Clone)]
pub(super) struct Readers {
    path: PathBuf,
    // A pool of idle connections, locked only to take one out or to put one back.
    idle: Arc<Mutex<Vec<Connection>>>,
}

impl Readers {
    pub(super) fn new(path: PathBuf) -> Self {
        Self {
            path,
            idle: Arc::default(),
        }
    }

    /// Does `work` on a connection. Blocks on the disk.
    pub(super) fn read<T>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let idle = self.pool().pop();
        let connection = idle.map_or_else(|| open_reader(&self.path), Ok)?;
        let done = work(&connection)?;
        let mut pool = self.pool();
        if pool.len() < READER_POOL_LIMIT {
            pool.push(connection);
        }
        Ok(done)
    }

    fn pool(&self) -> MutexGuard<'_, Vec<Connection>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
