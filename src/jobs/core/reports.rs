//! Progress that readers see already and the store does not: it becomes durable now and then.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

use super::id::JobId;
use super::record::JobRecord;

/// What is held back of one job.
#[derive(Debug, Clone)]
struct Report {
    /// The last durable record, when newer progress is in memory.
    durable: Option<Arc<JobRecord>>,
    /// On the boot clock: progress becomes durable no earlier.
    not_before: Duration,
}

/// What is held back of all jobs.
#[derive(Debug, Default)]
pub(super) struct Reports {
    all: HashMap<JobId, Report>,
    /// Those with something held back, by when it may become durable.
    due: BTreeSet<(Duration, JobId)>,
}

impl Reports {
    /// The newer progress of a job is in memory, where `durable` was the record before. Says whether
    /// it may become durable at `boot`.
    pub(super) fn hold(
        &mut self,
        id: &JobId,
        durable: Option<Arc<JobRecord>>,
        boot: Duration,
    ) -> bool {
        let first = Report {
            durable: None,
            not_before: boot,
        };
        let report = self.all.entry(id.clone()).or_insert(first);
        report.durable = report.durable.take().or(durable);
        self.due.insert((report.not_before, id.clone()));
        report.not_before <= boot
    }

    /// The job becomes durable with all its progress: the last durable record, if that is older.
    pub(super) fn take_durable(&mut self, id: &JobId) -> Option<Arc<JobRecord>> {
        let report = self.all.get_mut(id)?;
        self.due.remove(&(report.not_before, id.clone()));
        report.durable.take()
    }

    /// What comes next of the job is held back until then.
    pub(super) fn hold_until(&mut self, id: &JobId, not_before: Duration) {
        let Some(report) = self.all.get_mut(id) else {
            return;
        };
        let held = self.due.remove(&(report.not_before, id.clone()));
        report.not_before = not_before;
        if held {
            self.due.insert((not_before, id.clone()));
        }
    }

    /// Nothing more comes of the job.
    pub(super) fn forget(&mut self, id: &JobId) {
        if let Some(report) = self.all.remove(id) {
            self.due.remove(&(report.not_before, id.clone()));
        }
    }

    /// When the first one may become durable.
    pub(super) fn next_due(&self) -> Option<Duration> {
        self.due.first().map(|(not_before, _)| *not_before)
    }

    /// Those that may become durable at `boot`.
    pub(super) fn ripe(&self, boot: Duration) -> Vec<JobId> {
        let ripe = self.due.iter().take_while(|(at, _)| *at <= boot);
        ripe.map(|(_, id)| id.clone()).collect()
    }
}
