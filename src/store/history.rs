//! Reading the history of runs, beside the writer and without making it wait.

use std::time::Duration;

use chrono::{DateTime, Utc};
use rusqlite::{Connection, Params, Row, params, types::Type};

use crate::jobs::core::{JobId, RunRow, Written};

use super::error::StoreError;
use super::readers::Readers;

/// Most rows of history that one question returns.
const ROW_LIMIT: u32 = 10_000;
/// The columns that [`run_row`] reads.
pub(super) const RUN_COLUMNS: &str = "job, number, owner, started, ended, elapsed_us, exit, \
    error_code, percent, priority, cpu_us, max_rss, stdout_bytes, stderr_bytes";

/// Reads history; clones share a few read-only connections.
#[derive(Debug, Clone)]
pub struct History {
    readers: Readers,
}

impl History {
    pub(super) fn new(readers: Readers) -> Self {
        Self { readers }
    }

    /// The runs of a job, oldest first, of more than 10 000 the newest. Blocks on the disk.
    pub fn runs(&self, job: &JobId) -> Result<Vec<RunRow>, StoreError> {
        let newest = "WHERE job = ?1 ORDER BY number DESC LIMIT ?2";
        let mut runs = self.read(newest, params![job.as_str(), ROW_LIMIT])?;
        runs.reverse();
        Ok(runs)
    }

    /// One run. Blocks on the disk.
    pub fn run(&self, job: &JobId, number: u32) -> Result<Option<RunRow>, StoreError> {
        let one = "WHERE job = ?1 AND number = ?2";
        Ok(self.read(one, params![job.as_str(), number])?.pop())
    }

    /// Runs of any jobs, those of removed ones too, in the order of ids and numbers: those that
    /// follow `last`, at most `limit`. Blocks on the disk.
    pub fn page(&self, last: Option<&(JobId, u32)>, limit: u32) -> Result<Vec<RunRow>, StoreError> {
        let following = "WHERE (job, number) > (?1, ?2) ORDER BY job, number LIMIT ?3";
        let (job, number) = last.map_or(("", 0), |(job, number)| (job.as_str(), *number));
        self.read(following, params![job, number, limit])
    }

    fn read(&self, which: &str, values: impl Params) -> Result<Vec<RunRow>, StoreError> {
        self.readers
            .read(|connection| read(connection, which, values))
    }
}

/// The runs that `which`, the end of a statement, selects.
pub(super) fn read(
    connection: &Connection,
    which: &str,
    values: impl Params,
) -> Result<Vec<RunRow>, StoreError> {
    let statement = format!("SELECT {RUN_COLUMNS} FROM runs {which}");
    let mut statement = connection.prepare_cached(&statement)?;
    let rows = statement.query_map(values, run_row)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// A run of a row with [`RUN_COLUMNS`].
pub(super) fn run_row(row: &Row<'_>) -> rusqlite::Result<RunRow> {
    let wrong =
        |column, kind, error| rusqlite::Error::FromSqlConversionFailure(column, kind, error);
    let job = JobId::new(&row.get::<_, String>(0)?);
    let ended: Option<i64> = row.get(4)?;
    let exit: Option<String> = row.get(6)?;
    let exit = exit.map(|text| serde_json::from_str(&text)).transpose();
    let written = unsigned(row, 12)?.zip(unsigned(row, 13)?);
    Ok(RunRow {
        job: job.map_err(|error| wrong(0, Type::Text, Box::new(error)))?,
        number: row.get(1)?,
        owner: row.get(2)?,
        started: instant(3, row.get(3)?)?,
        ended: ended.map(|micros| instant(4, micros)).transpose()?,
        elapsed: duration(row.get(5)?),
        exit: exit.map_err(|error| wrong(6, Type::Text, Box::new(error)))?,
        error_code: row.get(7)?,
        percent: row.get(8)?,
        priority: row.get(9)?,
        cpu: row.get::<_, Option<i64>>(10)?.map(duration),
        max_rss_bytes: unsigned(row, 11)?,
        written: written.map(|(stdout, stderr)| Written { stdout, stderr }),
    })
}

fn instant(column: usize, micros: i64) -> rusqlite::Result<DateTime<Utc>> {
    DateTime::from_timestamp_micros(micros)
        .ok_or(rusqlite::Error::IntegralValueOutOfRange(column, micros))
}

fn unsigned(row: &Row<'_>, column: usize) -> rusqlite::Result<Option<u64>> {
    let number: Option<i64> = row.get(column)?;
    Ok(number.and_then(|number| u64::try_from(number).ok()))
}

/// A duration as the microseconds that a column holds.
pub(super) fn micros(duration: Duration) -> i64 {
    i64::try_from(duration.as_micros()).unwrap_or(i64::MAX)
}

fn duration(micros: i64) -> Duration {
    Duration::from_micros(u64::try_from(micros).unwrap_or_default())
}
