//! The seam between the driver and whatever runs jobs.
//!
//! Every call returns at once; what comes of it arrives as news of the run. An executor decides
//! nothing: it does what the driver, after making it durable, asks for.

use std::sync::Arc;

use futures_util::future::BoxFuture;
use thiserror::Error;
use tokio::sync::mpsc;

use crate::store::Forgotten;

use super::core::{JobId, JobRecord, RunNews, Signal};

/// News of one run: the job, the number of the run, what happened.
pub type News = (JobId, u32, RunNews);

/// Where an executor reports what happens to its runs. When the driver is busy sending waits, so
/// that a run that reports too much waits with it.
pub type NewsSender = mpsc::Sender<News>;

/// Which of the two outputs of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stream {
    /// Standard output.
    Stdout,
    /// Standard error.
    Stderr,
}

/// A piece of a job's output.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogChunk {
    /// The bytes.
    pub data: Vec<u8>,
    /// The absolute offset that follows them.
    pub next_offset: u64,
    /// Everything that is there was read; when the run is over nothing will follow.
    pub end: bool,
}

/// A log cannot be read, for this reason.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{0}")]
pub struct LogError(pub String);

/// Runs things. The two-phase start lets the driver record a run before its program can begin.
pub trait Runs: Send + Sync + 'static {
    /// Prepares the newest run of `job` without letting the program begin.
    /// News: Prepared, or Ended with `Exit::NotStarted`.
    fn prepare(&self, job: &Arc<JobRecord>);

    /// Lets a prepared run begin. News: Running, Progress, Ended.
    fn release(&self, id: &JobId, run: u32);

    /// Drops a run that was prepared and not released; nothing of it remains. No news.
    fn abandon(&self, id: &JobId, run: u32);

    /// Signals a released run. News: Signalled.
    fn signal(&self, id: &JobId, run: u32, signal: Signal);

    /// The end of the run is durable, so that nobody need remember it any longer. No news.
    fn acknowledge(&self, id: &JobId, run: u32);

    /// Deletes what forgotten runs left. No news.
    fn discard(&self, forgotten: Forgotten);

    /// The runs of which anything is left.
    fn survey(&self) -> BoxFuture<'_, Vec<(JobId, u32)>>;

    /// After a restart: finds the released newest run of `job` again. The answer is Adopted,
    /// `NeverRan`, or Ended, with `Exit::Unknown` when nobody knows; news follow when Adopted.
    fn adopt<'a>(&'a self, job: &'a Arc<JobRecord>) -> BoxFuture<'a, RunNews>;

    /// Reads up to `max` bytes of the output of a run from `offset` on.
    fn read_log<'a>(
        &'a self,
        run: (&'a JobId, u32),
        stream: Stream,
        offset: u64,
        max: usize,
    ) -> BoxFuture<'a, Result<LogChunk, LogError>>;
}
