//! Jobs in the database: loaded once, then changed by whole transactions.

use std::sync::{Arc, mpsc};

use chrono::{DateTime, TimeDelta, Utc};
use rayon::iter::{IntoParallelIterator, ParallelIterator};
use rusqlite::{OptionalExtension, Row, Transaction, params};
use serde::de::DeserializeOwned;

use crate::jobs::core::{
    Change, DEFAULT_QUEUE, JobId, JobRecord, Prior, QueueRecord, RunRow, SettingRecord,
};

use crate::provider::{Notice, Notices};

use super::database::Store;
use super::error::StoreError;
use super::history::micros;
use super::keep::{Forgotten, Gone, Keep};

/// Version of the JSON in `jobs.data`.
const FORMAT: i64 = 1;
/// How long a `RequestID` is known after its job was removed.
const REQUEST_IDS_KEPT: TimeDelta = TimeDelta::days(7);
/// Jobs read before they are decoded together.
const PAGE: usize = 4096;
/// A page ends when its records are so long together.
const PAGE_BYTES: usize = 8 << 20;
/// Pages read before the first of them is decoded.
const PAGES_AHEAD: usize = 4;
/// Most old request ids deleted in one transaction.
const PRUNE_LIMIT: i64 = 1000;

/// What the store held when it was opened.
#[derive(Debug)]
pub struct Loaded {
    /// All jobs, in the order of their submission.
    pub jobs: Vec<Arc<JobRecord>>,
    /// The queues that a client ever changed.
    pub queues: Vec<QueueRecord>,
    /// The settings of jobs.
    pub settings: Vec<SettingRecord>,
    /// The host name of the first start.
    pub host: String,
    /// Whether the machine was booted since the last start.
    pub rebooted: bool,
}

/// A question about the ids of a submission.
#[derive(Debug, Clone)]
pub struct Query {
    /// The id that the client chose, if it did.
    pub chosen: Option<JobId>,
    /// The submitter's name with its `RequestID`.
    pub request: Option<(String, String)>,
}

impl Store {
    /// Reads everything; `host` is recorded at the first start, `boot_id` at each.
    pub fn load(&mut self, host: &str, boot_id: &str) -> Result<Loaded, StoreError> {
        self.transact(|batch| load(&batch.transaction, host, boot_id))
    }

    /// Makes `changes` durable with the `notices` that they lead to, all of them or none. When this
    /// returns, they are on the disk; the history that it gives is gone, and its files may go.
    pub fn commit(
        &mut self,
        changes: &[Change],
        notices: &[Notice],
        now: DateTime<Utc>,
    ) -> Result<Vec<Forgotten>, StoreError> {
        let nobody = |_: &Gone| Notices::default();
        let (forgotten, _) = self.commit_told(changes, notices, now, nobody)?;
        Ok(forgotten)
    }

    /// The same, where `tell` is given the runs that are gone or have lost their job: its notices, which
    /// are returned, are queued behind the others.
    pub fn commit_told(
        &mut self,
        changes: &[Change],
        notices: &[Notice],
        now: DateTime<Utc>,
        tell: impl FnOnce(&Gone) -> Notices,
    ) -> Result<(Vec<Forgotten>, Notices), StoreError> {
        let keep = self.keep;
        self.transact(|batch| {
            let transaction = &batch.transaction;
            let mut gone = Gone::default();
            for change in changes {
                apply(transaction, change, now)?;
                gone.add(forget(transaction, keep, change)?);
            }
            if changes.iter().any(|change| ended_run(change).is_some()) {
                gone.add(keep.old(transaction, now)?);
            }
            gone.settle();
            batch.queue(notices, now)?;
            let told = if gone.runs.is_empty() && gone.orphans.is_empty() {
                Notices::default()
            } else {
                tell(&gone)
            };
            batch.queue(&told, now)?;
            Ok((gone.forgotten, told))
        })
    }

    /// What is known about the ids of submissions, in the order of the questions.
    pub fn prior(&self, queries: &[Query]) -> Result<Vec<Option<Prior>>, StoreError> {
        queries.iter().map(|query| self.prior_of(query)).collect()
    }

    fn prior_of(&self, query: &Query) -> Result<Option<Prior>, StoreError> {
        if let Some((owner, request_id)) = &query.request {
            let first = self
                .connection
                .prepare_cached("SELECT job FROM request_ids WHERE owner = ? AND request_id = ?")?
                .query_row((owner, request_id), |row| row.get::<_, String>(0))
                .optional()?;
            if let Some(first) = first.and_then(|id| JobId::new(&id).ok()) {
                return Ok(Some(Prior::Repeat(first)));
            }
        }
        let Some(chosen) = &query.chosen else {
            return Ok(None);
        };
        let used = self
            .connection
            .prepare_cached("SELECT 1 FROM used_ids WHERE id = ?")?
            .exists([chosen.as_str()])?;
        Ok(used.then_some(Prior::IdUsed))
    }
}

fn load(transaction: &Transaction<'_>, host: &str, boot_id: &str) -> Result<Loaded, StoreError> {
    let known_host = meta(transaction, "host")?;
    if known_host.is_none() {
        set_meta(transaction, "host", host)?;
    }
    let last_boot = meta(transaction, "boot_id")?;
    let rebooted = last_boot.as_deref() != Some(boot_id);
    if rebooted {
        set_meta(transaction, "boot_id", boot_id)?;
    }
    Ok(Loaded {
        jobs: read_jobs(transaction)?,
        queues: read_queues(transaction)?,
        settings: read_kept(transaction, SETTING_KEY)?,
        host: known_host.unwrap_or_else(|| host.to_owned()),
        rebooted,
    })
}

fn meta(transaction: &Transaction<'_>, key: &str) -> Result<Option<String>, StoreError> {
    let value = transaction
        .query_row("SELECT value FROM meta WHERE key = ?", [key], |row| {
            row.get(0)
        })
        .optional()?;
    Ok(value)
}

fn set_meta(transaction: &Transaction<'_>, key: &str, value: &str) -> Result<(), StoreError> {
    transaction.execute(
        "INSERT OR REPLACE INTO meta (key, value) VALUES (?, ?)",
        (key, value),
    )?;
    Ok(())
}

/// Where a queue is in the table of single values: there are few of them.
const QUEUE_KEY: &str = "queue/";

fn queue_key(name: &str) -> String {
    format!("{QUEUE_KEY}{name}")
}

/// Where settings are.
const SETTING_KEY: &str = "setting/";

fn setting_key(id: &str) -> String {
    format!("{SETTING_KEY}{id}")
}

/// The values whose keys begin with `prefix`.
fn read_kept<T: DeserializeOwned>(
    transaction: &Transaction<'_>,
    prefix: &str,
) -> Result<Vec<T>, StoreError> {
    let mut statement = transaction.prepare("SELECT key, value FROM meta WHERE key GLOB ?")?;
    let mut rows = statement.query([format!("{prefix}*")])?;
    let mut kept = Vec::new();
    while let Some(row) = rows.next()? {
        let (id, data): (String, String) = (row.get(0)?, row.get(1)?);
        let value = serde_json::from_str(&data);
        kept.push(value.map_err(|source| StoreError::Record { id, source })?);
    }
    Ok(kept)
}

fn read_queues(transaction: &Transaction<'_>) -> Result<Vec<QueueRecord>, StoreError> {
    let mut queues: Vec<QueueRecord> = read_kept(transaction, QUEUE_KEY)?;
    let known = |queue: &QueueRecord| queue.name == DEFAULT_QUEUE;
    // What a store of the first version knew of its one queue.
    let limit = meta(transaction, "max_running")?.and_then(|text| text.parse().ok());
    if let Some(limit) = limit.filter(|_| !queues.iter().any(known)) {
        queues.push(QueueRecord::default_queue(limit));
    }
    Ok(queues)
}

/// Reads on this thread and decodes on the others: there may be millions.
fn read_jobs(transaction: &Transaction<'_>) -> Result<Vec<Arc<JobRecord>>, StoreError> {
    let mut statement = transaction.prepare("SELECT id, data FROM jobs ORDER BY seq")?;
    let mut rows = statement.query([])?;
    std::thread::scope(|scope| {
        let (sender, pages) = mpsc::sync_channel::<Page>(PAGES_AHEAD);
        let decoder = scope.spawn(move || decode_jobs(&pages));
        let mut page = Page::default();
        while let Some(row) = rows.next()? {
            let id = text(row, 0)?;
            let data = text(row, 1).map_err(|error| StoreError::Record {
                id: id.to_owned(),
                source: serde::de::Error::custom(error),
            });
            page.add(id, data?);
            if page.is_full() && sender.send(page.turn()).is_err() {
                break;
            }
        }
        // Nobody takes pages after a record that cannot be decoded; that is told below.
        drop(sender.send(page));
        drop(sender);
        decoder
            .join()
            .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })
}

/// Records as they are read, all in one text: a text for each would be made here and freed elsewhere.
#[derive(Default)]
struct Page {
    text: String,
    /// Where the id of each record ends, and where its data ends, behind which the next id is.
    ends: Vec<(usize, usize)>,
}

impl Page {
    fn add(&mut self, id: &str, data: &str) {
        self.text.push_str(id);
        let middle = self.text.len();
        self.text.push_str(data);
        self.ends.push((middle, self.text.len()));
    }

    fn is_full(&self) -> bool {
        self.ends.len() == PAGE || self.text.len() >= PAGE_BYTES
    }

    /// Gives this page, and goes on with an empty one of the same size.
    fn turn(&mut self) -> Self {
        let next = Self {
            text: String::with_capacity(self.text.len().min(PAGE_BYTES)),
            ends: Vec::with_capacity(PAGE),
        };
        std::mem::replace(self, next)
    }

    fn decode(&self) -> Result<Vec<Arc<JobRecord>>, StoreError> {
        let decode = |place: usize| {
            let first = place.checked_sub(1).map_or(0, |before| self.ends[before].1);
            let (middle, last) = self.ends[place];
            let job = serde_json::from_str(&self.text[middle..last]);
            job.map(Arc::new).map_err(|source| {
                let id = self.text[first..middle].to_owned();
                StoreError::Record { id, source }
            })
        };
        (0..self.ends.len()).into_par_iter().map(decode).collect()
    }
}

fn text<'a>(row: &'a Row<'_>, column: usize) -> rusqlite::Result<&'a str> {
    Ok(row.get_ref(column)?.as_str()?)
}

fn decode_jobs(pages: &mpsc::Receiver<Page>) -> Result<Vec<Arc<JobRecord>>, StoreError> {
    let mut jobs = Vec::new();
    for page in pages {
        jobs.extend(page.decode()?);
    }
    Ok(jobs)
}

fn apply(
    transaction: &Transaction<'_>,
    change: &Change,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    match change {
        Change::Insert { job, request_id } => insert(transaction, job, request_id.as_deref()),
        Change::Update { before, after } => update(transaction, before, after),
        Change::Remove(job) => remove(transaction, job, now),
        Change::Run(row) => write_run(transaction, row),
        Change::Queue(queue) => {
            let data = serde_json::to_string(&**queue).map_err(StoreError::Encode)?;
            set_meta(transaction, &queue_key(&queue.name), &data)
        }
        Change::RemoveQueue(queue) => {
            transaction.execute("DELETE FROM meta WHERE key = ?", [queue_key(&queue.name)])?;
            Ok(())
        }
        Change::Setting(settings) => {
            let data = serde_json::to_string(&**settings).map_err(StoreError::Encode)?;
            set_meta(transaction, &setting_key(&settings.id), &data)
        }
        Change::RemoveSetting(settings) => {
            transaction.execute(
                "DELETE FROM meta WHERE key = ?",
                [setting_key(&settings.id)],
            )?;
            Ok(())
        }
    }
}

/// What history goes because of `change`.
fn forget(transaction: &Transaction<'_>, keep: Keep, change: &Change) -> Result<Gone, StoreError> {
    if let Some(row) = ended_run(change) {
        return keep.after_run(transaction, row);
    }
    match change {
        Change::Remove(job) => keep.after_removal(transaction, &job.id),
        Change::Insert { .. }
        | Change::Update { .. }
        | Change::Run(_)
        | Change::Queue(_)
        | Change::RemoveQueue(_)
        | Change::Setting(_)
        | Change::RemoveSetting(_) => Ok(Gone::default()),
    }
}

fn ended_run(change: &Change) -> Option<&RunRow> {
    match change {
        Change::Run(row) => Some(row).filter(|row| row.ended.is_some()),
        Change::Insert { .. }
        | Change::Update { .. }
        | Change::Remove(_)
        | Change::Queue(_)
        | Change::RemoveQueue(_)
        | Change::Setting(_)
        | Change::RemoveSetting(_) => None,
    }
}

fn insert(
    transaction: &Transaction<'_>,
    job: &JobRecord,
    request_id: Option<&str>,
) -> Result<(), StoreError> {
    transaction
        .prepare_cached(
            "INSERT INTO jobs (seq, id, revision, state, owner, owner_uid, priority, queue, host,
                               next_run, ended, format, data)
             VALUES (?, ?, ?, ?, ?, ?, ?, ?,
                     (SELECT value FROM meta WHERE key = 'host'), ?, ?, ?, ?)",
        )?
        .execute(params![
            integer(job.seq),
            job.id.as_str(),
            integer(job.revision),
            job.state.number(),
            job.owner.name,
            job.owner.uid,
            job.spec.priority(),
            job.spec.queue(),
            job.next_run_time().map(|time| time.timestamp_micros()),
            job.ended.map(|time| time.timestamp_micros()),
            FORMAT,
            encode(job)?,
        ])?;
    if job.spec.chosen_id().is_some() {
        transaction
            .prepare_cached("INSERT INTO used_ids (id) VALUES (?)")?
            .execute([job.id.as_str()])?;
    }
    if let Some(request_id) = request_id {
        transaction
            .prepare_cached("INSERT INTO request_ids (owner, request_id, job) VALUES (?, ?, ?)")?
            .execute((&job.owner.name, request_id, job.id.as_str()))?;
    }
    Ok(())
}

/// Changes the row only if it still is what the change was made from.
fn update(
    transaction: &Transaction<'_>,
    before: &JobRecord,
    after: &JobRecord,
) -> Result<(), StoreError> {
    let rows = transaction
        .prepare_cached(
            "UPDATE jobs SET revision = ?, state = ?, priority = ?, queue = ?, next_run = ?,
                             ended = ?, format = ?, data = ?
             WHERE id = ? AND state = ? AND revision = ?",
        )?
        .execute(params![
            integer(after.revision),
            after.state.number(),
            after.spec.priority(),
            after.spec.queue(),
            after.next_run_time().map(|time| time.timestamp_micros()),
            after.ended.map(|time| time.timestamp_micros()),
            FORMAT,
            encode(after)?,
            before.id.as_str(),
            before.state.number(),
            integer(before.revision),
        ])?;
    exactly_one(rows, before)
}

fn remove(
    transaction: &Transaction<'_>,
    job: &JobRecord,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    let rows = transaction
        .prepare_cached("DELETE FROM jobs WHERE id = ? AND state = ? AND revision = ?")?
        .execute((job.id.as_str(), job.state.number(), integer(job.revision)))?;
    exactly_one(rows, job)?;
    transaction
        .prepare_cached("UPDATE request_ids SET removed = ? WHERE job = ?")?
        .execute((now.timestamp_micros(), job.id.as_str()))?;
    let old = (now - REQUEST_IDS_KEPT).timestamp_micros();
    transaction
        .prepare_cached(
            "DELETE FROM request_ids WHERE (owner, request_id) IN
               (SELECT owner, request_id FROM request_ids WHERE removed < ? LIMIT ?)",
        )?
        .execute((old, PRUNE_LIMIT))?;
    Ok(())
}

fn write_run(transaction: &Transaction<'_>, row: &RunRow) -> Result<(), StoreError> {
    let exit = row.exit.as_ref().map(serde_json::to_string).transpose();
    transaction
        .prepare_cached(
            "INSERT OR REPLACE INTO runs (job, number, owner, started, ended, elapsed_us, exit,
                                          error_code, percent, priority, cpu_us, max_rss,
                                          stdout_bytes, stderr_bytes)
             VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        )?
        .execute(params![
            row.job.as_str(),
            row.number,
            row.owner,
            row.started.timestamp_micros(),
            row.ended.map(|time| time.timestamp_micros()),
            micros(row.elapsed),
            exit.map_err(StoreError::Encode)?,
            row.error_code,
            row.percent,
            row.priority,
            row.cpu.map(micros),
            row.max_rss_bytes.map(integer),
            row.written.map(|written| integer(written.stdout)),
            row.written.map(|written| integer(written.stderr)),
        ])?;
    Ok(())
}

fn exactly_one(rows: usize, job: &JobRecord) -> Result<(), StoreError> {
    if rows == 1 {
        Ok(())
    } else {
        Err(StoreError::Conflict(job.id.to_string()))
    }
}

fn encode(job: &JobRecord) -> Result<String, StoreError> {
    serde_json::to_string(job).map_err(StoreError::Encode)
}

/// `SQLite`'s integers are signed; none of ours comes near the limit.
fn integer(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
