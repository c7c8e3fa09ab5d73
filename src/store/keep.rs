//! Which history goes: the oldest runs of a job beyond a number, those that ended long ago, and those
//! of removed jobs unless they are wanted.
//!
//! It goes in the transaction that made it too much. What a run left in files goes afterwards, and
//! what a crash leaves of them at the next start.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use rusqlite::{Transaction, params};

use crate::jobs::core::{JobId, RunRow};

use super::error::StoreError;

/// Most old runs forgotten in one transaction.
const SLICE: i64 = 1000;

/// Which history is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Keep {
    /// Most ended runs of one job; the newest is always kept.
    pub runs: u32,
    /// How long after its end; the newest run of a job is kept as long as the job.
    pub age: Duration,
    /// Whether history stays when its job goes.
    pub outlives_job: bool,
}

impl Default for Keep {
    fn default() -> Self {
        Self {
            runs: 100,
            age: Duration::from_hours(720),
            outlives_job: false,
        }
    }
}

/// History that is gone: its files may go too.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Forgotten {
    /// Everything of this job.
    Job(JobId),
    /// One run.
    Run(JobId, u32),
}

impl Keep {
    /// Forgets the runs of a job before `ended` that are too many.
    pub(super) fn after_run(
        self,
        transaction: &Transaction<'_>,
        ended: &RunRow,
    ) -> Result<Vec<Forgotten>, StoreError> {
        let Some(last) = ended.number.checked_sub(self.runs.max(1)) else {
            return Ok(Vec::new());
        };
        let mut statement = transaction
            .prepare_cached("DELETE FROM runs WHERE job = ? AND number <= ? RETURNING number")?;
        let gone = statement.query_map(params![ended.job.as_str(), last], |row| row.get(0))?;
        let run = |number| Forgotten::Run(ended.job.clone(), number);
        Ok(gone
            .map(|number| number.map(run))
            .collect::<Result<_, _>>()?)
    }

    /// Forgets runs that ended too long before `now`, at most a slice of them.
    pub(super) fn old(
        self,
        transaction: &Transaction<'_>,
        now: DateTime<Utc>,
    ) -> Result<Vec<Forgotten>, StoreError> {
        let age = TimeDelta::from_std(self.age).unwrap_or(TimeDelta::MAX);
        let Some(last) = now.checked_sub_signed(age) else {
            return Ok(Vec::new());
        };
        let mut statement = transaction.prepare_cached(
            "DELETE FROM runs WHERE (job, number) IN
               (SELECT job, number FROM runs AS old
                WHERE ended < ?
                  AND (number < (SELECT max(number) FROM runs WHERE job = old.job)
                       OR NOT EXISTS (SELECT 1 FROM jobs WHERE id = old.job))
                ORDER BY ended LIMIT ?)
             RETURNING job, number",
        )?;
        let gone = statement.query_map(params![last.timestamp_micros(), SLICE], |row| {
            Ok((row.get::<_, String>(0)?, row.get(1)?))
        })?;
        let mut forgotten = Vec::new();
        for row in gone {
            let (job, number) = row?;
            // Whatever stands in the column was an id when it was written.
            forgotten.extend(JobId::new(&job).map(|job| Forgotten::Run(job, number)));
        }
        Ok(forgotten)
    }

    /// Forgets the history of a removed job, unless it is to outlive it.
    pub(super) fn after_removal(
        self,
        transaction: &Transaction<'_>,
        job: &JobId,
    ) -> Result<Option<Forgotten>, StoreError> {
        if self.outlives_job {
            return Ok(None);
        }
        transaction
            .prepare_cached("DELETE FROM runs WHERE job = ?")?
            .execute([job.as_str()])?;
        Ok(Some(Forgotten::Job(job.clone())))
    }
}
