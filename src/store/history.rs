//! Reading the history of runs, beside the writer and without making it wait.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use chrono::DateTime;
use rusqlite::{Connection, Row, types::Type};

use crate::jobs::core::{JobId, RunRow};

use super::database::{HISTORY_POOL_LIMIT, open_reader};
use super::error::StoreError;

/// Most rows of history that one question returns.
const ROW_LIMIT: u32 = 10_000;

/// Reads history; clones share a few read-only connections.
#[derive(Debug, Clone)]
pub struct History {
    path: PathBuf,
    // A pool of idle connections, locked only to take one out or to put one back.
    idle: Arc<Mutex<Vec<Connection>>>,
}

impl History {
    pub(super) fn new(path: PathBuf) -> Self {
        Self {
            path,
            idle: Arc::default(),
        }
    }

    /// The runs of a job, oldest first, of more than 10 000 the newest. Blocks on the disk.
    pub fn runs(&self, job: &JobId) -> Result<Vec<RunRow>, StoreError> {
        let idle = self.pool().pop();
        let connection = idle.map_or_else(|| open_reader(&self.path), Ok)?;
        let mut runs = read_runs(&connection, job)?;
        runs.reverse();
        let mut pool = self.pool();
        if pool.len() < HISTORY_POOL_LIMIT {
            pool.push(connection);
        }
        Ok(runs)
    }

    fn pool(&self) -> std::sync::MutexGuard<'_, Vec<Connection>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn read_runs(connection: &Connection, job: &JobId) -> Result<Vec<RunRow>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT number, started, ended, elapsed_us, exit, error_code, percent, priority, cpu_us,
                max_rss
         FROM runs WHERE job = ? ORDER BY number DESC LIMIT ?",
    )?;
    let rows = statement.query_map((job.as_str(), ROW_LIMIT), |row| run(job, row))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

fn run(job: &JobId, row: &Row<'_>) -> rusqlite::Result<RunRow> {
    let instant = |column: usize, micros: i64| {
        DateTime::from_timestamp_micros(micros)
            .ok_or(rusqlite::Error::IntegralValueOutOfRange(column, micros))
    };
    let ended: Option<i64> = row.get(2)?;
    let exit: Option<String> = row.get(4)?;
    let exit = exit.map(|text| serde_json::from_str(&text)).transpose();
    Ok(RunRow {
        job: job.clone(),
        number: row.get(0)?,
        started: instant(1, row.get(1)?)?,
        ended: ended.map(|micros| instant(2, micros)).transpose()?,
        elapsed: duration(row.get(3)?),
        exit: exit.map_err(|error| {
            rusqlite::Error::FromSqlConversionFailure(4, Type::Text, Box::new(error))
        })?,
        error_code: row.get(5)?,
        percent: row.get(6)?,
        priority: row.get(7)?,
        cpu: row.get::<_, Option<i64>>(8)?.map(duration),
        max_rss_bytes: row
            .get::<_, Option<i64>>(9)?
            .and_then(|bytes| u64::try_from(bytes).ok()),
    })
}

/// A duration as the microseconds that a column holds.
pub(super) fn micros(duration: Duration) -> i64 {
    i64::try_from(duration.as_micros()).unwrap_or(i64::MAX)
}

fn duration(micros: i64) -> Duration {
    Duration::from_micros(u64::try_from(micros).unwrap_or_default())
}
