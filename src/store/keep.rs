//! Which history goes: the oldest runs of a job beyond a number, those that ended long ago, and those
//! of removed jobs unless they are wanted.
//!
//! It goes in the transaction that made it too much. What a run left in files goes afterwards, and
//! what a crash leaves of them at the next start.

use std::collections::HashSet;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use rusqlite::{Params, Transaction, params};

use crate::jobs::core::{JobId, RunRow};

use super::error::StoreError;
use super::history::read;

/// Most old runs forgotten in one transaction.
const SLICE: i64 = 1000;

/// History that goes, and the runs of it as they were.
#[derive(Debug, Default)]
pub struct Gone {
    pub(super) forgotten: Vec<Forgotten>,
    /// The runs that are no more.
    pub runs: Vec<RunRow>,
    /// The runs that stay, but whose job has gone.
    pub orphans: Vec<RunRow>,
}

impl Gone {
    pub(super) fn add(&mut self, more: Self) {
        self.forgotten.extend(more.forgotten);
        self.runs.extend(more.runs);
        self.orphans.extend(more.orphans);
    }

    /// A run that lost its job and then went as well is gone, and told of once.
    pub(super) fn settle(&mut self) {
        let Self { runs, orphans, .. } = self;
        if orphans.is_empty() {
            return;
        }
        let gone: HashSet<_> = runs.iter().map(|run| (&run.job, run.number)).collect();
        orphans.retain(|run| !gone.contains(&(&run.job, run.number)));
    }
}

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
    ) -> Result<Gone, StoreError> {
        let Some(last) = ended.number.checked_sub(self.runs.max(1)) else {
            return Ok(Gone::default());
        };
        let which = "WHERE job = ?1 AND number <= ?2";
        let gone = deleted(transaction, which, params![ended.job.as_str(), last])?;
        Ok(each(gone))
    }

    /// Forgets runs that ended too long before `now`, at most a slice of them.
    pub(super) fn old(
        self,
        transaction: &Transaction<'_>,
        now: DateTime<Utc>,
    ) -> Result<Gone, StoreError> {
        let age = TimeDelta::from_std(self.age).unwrap_or(TimeDelta::MAX);
        let Some(last) = now.checked_sub_signed(age) else {
            return Ok(Gone::default());
        };
        let which = "WHERE ended < ?1
               AND (number < (SELECT max(number) FROM runs AS newest WHERE newest.job = runs.job)
                    OR NOT EXISTS (SELECT 1 FROM jobs WHERE id = runs.job))
             ORDER BY ended LIMIT ?2";
        let gone = deleted(transaction, which, params![last.timestamp_micros(), SLICE])?;
        Ok(each(gone))
    }

    /// Forgets the history of a removed job, unless it is to outlive it.
    pub(super) fn after_removal(
        self,
        transaction: &Transaction<'_>,
        job: &JobId,
    ) -> Result<Gone, StoreError> {
        let mut gone = Gone::default();
        if self.outlives_job {
            gone.orphans = read(transaction, "WHERE job = ?1", [job.as_str()])?;
        } else {
            gone.runs = deleted(transaction, "WHERE job = ?1", params![job.as_str()])?;
            gone.forgotten = vec![Forgotten::Job(job.clone())];
        }
        Ok(gone)
    }
}

fn each(runs: Vec<RunRow>) -> Gone {
    let forgotten = runs
        .iter()
        .map(|run| Forgotten::Run(run.job.clone(), run.number));
    Gone {
        forgotten: forgotten.collect(),
        runs,
        orphans: Vec::new(),
    }
}

/// Deletes the runs that `which` selects and gives them as they were. Mostly there are none, and to look is
/// cheaper than to delete.
fn deleted(
    transaction: &Transaction<'_>,
    which: &str,
    values: impl Params,
) -> Result<Vec<RunRow>, StoreError> {
    let gone = read(transaction, which, values)?;
    for run in &gone {
        transaction
            .prepare_cached("DELETE FROM runs WHERE job = ? AND number = ?")?
            .execute(params![run.job.as_str(), run.number])?;
    }
    Ok(gone)
}
