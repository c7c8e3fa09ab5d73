//! The database itself: opened with settings that are read back, brought to the latest format.

use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, OpenFlags, TransactionBehavior, config::DbConfig};

use super::directory::Directory;
use super::error::StoreError;
use super::history::History;
use super::keep::Keep;
use super::outbox::QueueLimits;
use super::readers::Readers;
use super::recent::Recent;

/// Marks the file as ours: "JOBW".
const APPLICATION_ID: i64 = 0x4A4F_4257;
/// The formats, oldest first; the file's `user_version` counts those applied.
pub(super) const MIGRATIONS: &[&str] = &[
    include_str!("migrations/0001.sql"),
    include_str!("migrations/0002.sql"),
    include_str!("migrations/0003.sql"),
    include_str!("migrations/0004.sql"),
    include_str!("migrations/0005.sql"),
    include_str!("migrations/0006.sql"),
];
/// 3.7.0 to 3.51.2 can lose committed transactions when two checkpoints meet.
const OLDEST_LIBRARY: i32 = 3_051_003;
/// Most connections that readers of one kind keep open.
pub const READER_POOL_LIMIT: usize = 4;
/// Changed rows after which the writer moves the log into the database.
const CHECKPOINT_ROWS: u64 = 1000;

/// How the store is opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// The state directory.
    pub directory: PathBuf,
    /// Most pages of 4096 bytes that the database may have; `None` is as many as the disk holds.
    pub page_limit: Option<u32>,
    /// How long to wait for somebody who looks in with another tool and holds a lock.
    pub busy_timeout: Duration,
    /// Which history is kept.
    pub keep: Keep,
    /// How long the queues of destinations may become.
    pub queue_limits: QueueLimits,
}

impl Options {
    /// The store in this directory, as large as the disk allows.
    pub fn new(directory: PathBuf) -> Self {
        Self {
            directory,
            page_limit: None,
            busy_timeout: Duration::from_secs(5),
            keep: Keep::default(),
            queue_limits: QueueLimits::default(),
        }
    }
}

/// The only writer of a database whose directory is locked for this process.
#[derive(Debug)]
pub struct Store {
    pub(super) connection: Connection,
    path: PathBuf,
    pub(super) keep: Keep,
    pub(super) queue_limits: QueueLimits,
    pub(super) recent: Recent,
    checkpointed: u64,
    /// An fsync failed, and nobody knows what is on the disk.
    lost: bool,
    _directory: Directory,
}

impl Store {
    /// Opens the store, makes it if it is not there, and brings it to the latest format.
    pub fn open(options: &Options) -> Result<Self, StoreError> {
        if rusqlite::version_number() < OLDEST_LIBRARY {
            return Err(StoreError::Library(rusqlite::version()));
        }
        let directory = Directory::lock(&options.directory)?;
        let path = directory.file("jobwright.db")?;
        let mut connection = Connection::open_with_flags(&path, writing())?;
        settle(&connection, options)?;
        back_up(&connection, &directory)?;
        migrate(&mut connection)?;
        directory.sync()?;
        Ok(Self {
            connection,
            path,
            keep: options.keep,
            queue_limits: options.queue_limits,
            recent: Recent::default(),
            checkpointed: 0,
            lost: false,
            _directory: directory,
        })
    }

    /// A reader of history that does not disturb the writer.
    pub fn history(&self) -> History {
        History::new(self.readers())
    }

    /// Connections that only read.
    pub(super) fn readers(&self) -> Readers {
        Readers::new(self.path.clone())
    }

    /// Whether nothing must be written any more.
    pub(super) fn is_lost(&self) -> bool {
        self.lost
    }

    /// Remembers when what was done shows that the database is lost.
    pub(super) fn watch<T>(&mut self, done: Result<T, StoreError>) -> Result<T, StoreError> {
        self.lost |= matches!(done, Err(StoreError::Sync(_)));
        done
    }

    /// Moves the log into the database when enough has gathered; never waits for readers.
    pub(super) fn checkpoint_when_due(&mut self) -> Result<(), StoreError> {
        if self.connection.total_changes() - self.checkpointed < CHECKPOINT_ROWS {
            return Ok(());
        }
        self.checkpoint("PASSIVE")
    }

    /// Moves the whole log into the database and cuts it to nothing; for idle times and the end.
    pub fn tidy(&mut self) -> Result<(), StoreError> {
        if self.connection.total_changes() == self.checkpointed {
            return Ok(());
        }
        self.checkpoint("TRUNCATE")
    }

    fn checkpoint(&mut self, mode: &str) -> Result<(), StoreError> {
        let statement = format!("PRAGMA wal_checkpoint({mode})");
        let moved = self.connection.query_row(&statement, [], |_| Ok(()));
        self.watch(moved.map_err(StoreError::from))?;
        self.checkpointed = self.connection.total_changes();
        Ok(())
    }
}

fn writing() -> OpenFlags {
    OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX
}

/// Opens another connection to the same file that can only read.
pub(super) fn open_reader(path: &Path) -> Result<Connection, StoreError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(Duration::from_secs(5))?;
    plan_once(&connection)?;
    Ok(connection)
}

/// More statements than one connection uses.
const STATEMENTS: usize = 128;

/// Has each statement compiled once. Plans become independent of the values bound to it: by default SQLite
/// compiles a statement with a bound LIMIT again before each use.
fn plan_once(connection: &Connection) -> Result<(), StoreError> {
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    Ok(())
}

/// Applies the settings that durability rests on, and believes only what is read back.
fn settle(connection: &Connection, options: &Options) -> Result<(), StoreError> {
    connection.busy_timeout(options.busy_timeout)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
    plan_once(connection)?;
    setting(connection, "journal_mode", "WAL", "wal")?;
    setting(connection, "synchronous", "FULL", "2")?;
    // The writer alone moves the log, so that two never do it at once.
    setting(connection, "wal_autocheckpoint", "0", "0")?;
    setting(connection, "foreign_keys", "ON", "1")?;
    setting(connection, "trusted_schema", "OFF", "0")?;
    setting(connection, "cell_size_check", "ON", "1")?;
    setting(connection, "journal_size_limit", "67108864", "67108864")?;
    if let Some(pages) = options.page_limit {
        connection.query_row(&format!("PRAGMA max_page_count = {pages}"), [], |_| Ok(()))?;
    }
    Ok(())
}

fn setting(
    connection: &Connection,
    name: &'static str,
    value: &str,
    expected: &str,
) -> Result<(), StoreError> {
    connection.execute_batch(&format!("PRAGMA {name} = {value}"))?;
    let found = pragma(connection, name)?;
    if found == expected {
        Ok(())
    } else {
        Err(StoreError::Setting { name, found })
    }
}

fn pragma(connection: &Connection, name: &str) -> Result<String, StoreError> {
    let value = connection.query_row(&format!("PRAGMA {name}"), [], |row| {
        row.get::<_, rusqlite::types::Value>(0)
    })?;
    Ok(match value {
        rusqlite::types::Value::Integer(number) => number.to_string(),
        rusqlite::types::Value::Text(text) => text,
        rusqlite::types::Value::Null
        | rusqlite::types::Value::Real(_)
        | rusqlite::types::Value::Blob(_) => String::new(),
    })
}

/// Keeps a copy of a store of an older format beside it, for whoever has to go back.
fn back_up(connection: &Connection, directory: &Directory) -> Result<(), StoreError> {
    let owner = pragma(connection, "application_id")?;
    let format = pragma(connection, "user_version")?;
    let is_older = format
        .parse()
        .is_ok_and(|format: usize| (1..MIGRATIONS.len()).contains(&format));
    if owner != APPLICATION_ID.to_string() || !is_older {
        return Ok(());
    }
    let copy = directory.empty_file(&format!("jobwright.db.format-{format}"))?;
    let copy = copy.to_string_lossy();
    connection.execute("VACUUM INTO ?", [&*copy])?;
    directory.sync()
}

fn migrate(connection: &mut Connection) -> Result<(), StoreError> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let number = |name: &str| {
        transaction.query_row(&format!("PRAGMA {name}"), [], |row| row.get::<_, i64>(0))
    };
    let (owner, found) = (number("application_id")?, number("user_version")?);
    let tables: i64 =
        transaction.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    if owner != APPLICATION_ID && (owner != 0 || tables != 0) {
        return Err(StoreError::Foreign);
    }
    let found = usize::try_from(found).unwrap_or(usize::MAX);
    let missing = MIGRATIONS.get(found..);
    let missing = missing.ok_or(StoreError::Newer {
        found,
        known: MIGRATIONS.len(),
    })?;
    for migration in missing {
        transaction.execute_batch(migration)?;
    }
    transaction.execute_batch(&format!(
        "PRAGMA application_id = {APPLICATION_ID}; PRAGMA user_version = {};",
        MIGRATIONS.len()
    ))?;
    Ok(transaction.commit()?)
}
