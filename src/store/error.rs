//! Why the store cannot be opened, read or written.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rusqlite::ErrorCode;
use thiserror::Error;

use crate::model::CimError;

/// Why the store failed.
#[derive(Debug, Error)]
pub enum StoreError {
    /// The directory cannot be created, or not written to.
    #[error("use the state directory {path}")]
    Directory {
        /// The directory or the file in it.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// Another server holds the lock of the directory.
    #[error("lock the state directory {0}: another server uses it")]
    Locked(PathBuf),
    /// Locks and shared memory do not work over a network.
    #[error("use the state directory {0}: it is on a network file system")]
    Network(PathBuf),
    /// The disk, or the space allowed to the database, is full.
    #[error("write the database: no space is left")]
    Full,
    /// The file is not a database, or a damaged one.
    #[error("read the database: it is damaged or not a database")]
    Corrupt(#[source] rusqlite::Error),
    /// The database belongs to another program.
    #[error("open the database: it belongs to another program")]
    Foreign,
    /// The database was written by a later version.
    #[error("open the database: its format {found} is newer than {known}, the latest known")]
    Newer {
        /// The format found.
        found: usize,
        /// The latest format known.
        known: usize,
    },
    /// The `SQLite` library has a known fault.
    #[error("use SQLite {0}: 3.51.3 or later is needed")]
    Library(&'static str),
    /// A setting was not accepted.
    #[error("set {name} of the database: it is {found}")]
    Setting {
        /// The pragma.
        name: &'static str,
        /// Its value as read back.
        found: String,
    },
    /// A stored record does not read back as a job.
    #[error("read the stored job {id}")]
    Record {
        /// The job.
        id: String,
        /// Why.
        #[source]
        source: serde_json::Error,
    },
    /// A record cannot be encoded.
    #[error("encode a job")]
    Encode(#[source] serde_json::Error),
    /// The stored record is not the one that the change was made from.
    #[error("change the stored job {0}: it is not as expected")]
    Conflict(String),
    /// An fsync failed: what is on the disk is unknown, and only a restart finds out.
    #[error("sync the database: only the next start shows whether it was done")]
    Sync(#[source] rusqlite::Error),
    /// The machine gives no thread to write with.
    #[error("start the writer thread")]
    Thread(#[source] io::Error),
    /// The writer thread is gone.
    #[error("reach the database: its writer has stopped")]
    Stopped,
    /// What several pieces of work have in common that shared a transaction.
    #[error(transparent)]
    Shared(Arc<StoreError>),
    /// Anything else that `SQLite` reports.
    #[error("use the database")]
    Sqlite(#[source] rusqlite::Error),
}

impl StoreError {
    /// Whether the process must not go on writing.
    pub fn is_fatal(&self) -> bool {
        match self {
            Self::Shared(error) => error.is_fatal(),
            Self::Sync(_) | Self::Conflict(_) | Self::Stopped => true,
            _ => false,
        }
    }

    /// The failure of the store that this is; `None` where only what was asked was wrong, or the server
    /// is ending.
    pub fn failure(&self) -> Option<Failure> {
        let because = |cause: &rusqlite::Error| format!("{self}: {cause}");
        let (is_full, text) = match self {
            Self::Shared(error) => return error.failure(),
            Self::Full => (true, self.to_string()),
            Self::Corrupt(cause) | Self::Sync(cause) | Self::Sqlite(cause) => {
                (false, because(cause))
            }
            Self::Directory { .. }
            | Self::Locked(_)
            | Self::Network(_)
            | Self::Foreign
            | Self::Newer { .. }
            | Self::Library(_)
            | Self::Setting { .. }
            | Self::Record { .. }
            | Self::Encode(_)
            | Self::Conflict(_)
            | Self::Thread(_)
            | Self::Stopped => return None,
        };
        Some(Failure { is_full, text })
    }

    /// What a client is told when `what` failed; why goes to the log.
    pub fn told(&self, what: &'static str) -> CimError {
        let cause: &dyn std::error::Error = self;
        tracing::error!(error = cause, what, "the store failed");
        CimError::failed(format!("{what}: the store failed: {self}"))
    }

    pub(super) fn directory(path: &Path, source: impl Into<io::Error>) -> Self {
        Self::Directory {
            path: path.to_owned(),
            source: source.into(),
        }
    }
}

/// That the store did not do what it is there for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// Whether space was wanting.
    pub is_full: bool,
    /// What failed, and why.
    pub text: String,
}

/// Errors among which those of the store are.
pub trait StoreCause {
    /// The error of the store, where it is one.
    fn of_store(&self) -> Option<&StoreError>;
}

impl StoreCause for StoreError {
    fn of_store(&self) -> Option<&StoreError> {
        Some(self)
    }
}

impl StoreCause for Trouble {
    fn of_store(&self) -> Option<&StoreError> {
        match self {
            Self::Store(error) => Some(error),
            Self::Asked(_) => None,
        }
    }
}

/// Why work in a transaction was undone: because of the store, or of what was asked.
#[derive(Debug)]
pub enum Trouble {
    /// The store failed.
    Store(StoreError),
    /// What was asked cannot be.
    Asked(CimError),
}

impl Trouble {
    /// What a client is told when `what` was tried.
    pub fn into_cim(self, what: &'static str) -> CimError {
        match self {
            Self::Store(error) => error.told(what),
            Self::Asked(error) => error,
        }
    }
}

impl From<StoreError> for Trouble {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl From<CimError> for Trouble {
    fn from(error: CimError) -> Self {
        Self::Asked(error)
    }
}

/// `SQLITE_IOERR_FSYNC` and `SQLITE_IOERR_DIR_FSYNC`.
const SYNC_FAILURES: [i32; 2] = [1034, 1290];

/// `SQLITE_IOERR_SHMSIZE`: the file that readers and writer share could not be made long enough.
const NO_ROOM_TO_SHARE: i32 = 4874;

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        let extended = error.sqlite_extended_error_code();
        if extended.is_some_and(|code| SYNC_FAILURES.contains(&code)) {
            return Self::Sync(error);
        }
        if extended == Some(NO_ROOM_TO_SHARE) {
            return Self::Full;
        }
        match error.sqlite_error_code() {
            Some(ErrorCode::DiskFull) => Self::Full,
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => Self::Corrupt(error),
            // Codes are SQLite's own list, which grows.
            Some(_) | None => Self::Sqlite(error),
        }
    }
}
