//! What jobs showed within the last minute, so that read, change, write back works on a live job.
//!
//! A client that reads an instance, changes one property and sends everything back sends read-only
//! values that have moved on meanwhile. They are no change when the job had them a moment ago.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::broadcast::error::RecvError;
use tokio::task::JoinHandle;

use super::super::core::{JobId, JobRecord};
use super::super::engine::Engine;

/// How long a value counts as recent.
pub(super) const RECENT: Duration = Duration::from_mins(1);
/// Most records remembered; when more change within a minute the oldest go first.
const LIMIT: usize = 100_000;

/// The records that jobs had within the last minute and have no more.
///
/// The mutex is held for a push or a scan of at most [`LIMIT`] entries and never across an await.
pub(super) struct Recent {
    past: Arc<Mutex<VecDeque<Past>>>,
    collector: JoinHandle<()>,
}

struct Past {
    /// On the boot clock, so that a clock step forgets nothing.
    replaced: Duration,
    record: Arc<JobRecord>,
}

impl Recent {
    /// Collects from now on what commits replace.
    pub(super) fn of(engine: &Engine) -> Self {
        let past = Arc::new(Mutex::new(VecDeque::new()));
        let (mut changes, engine, filled) = (engine.changes(), engine.clone(), past.clone());
        let collector = tokio::spawn(async move {
            loop {
                match changes.recv().await {
                    Ok(change) => {
                        if let Some(record) = change.before.clone() {
                            push(
                                &filled,
                                Past {
                                    replaced: engine.now().boot,
                                    record,
                                },
                            );
                        }
                    }
                    // What was missed cannot be recognised; the client is told and reads again.
                    Err(RecvError::Lagged(_)) => {}
                    Err(RecvError::Closed) => return,
                }
            }
        });
        Self { past, collector }
    }

    /// The records that the job `id` had within the minute before `now`.
    pub(super) fn of_job(&self, id: &JobId, now: Duration) -> Vec<Arc<JobRecord>> {
        let past = self.past.lock().unwrap_or_else(PoisonError::into_inner);
        let recent = past
            .iter()
            .rev()
            .take_while(|past| past.replaced + RECENT >= now);
        recent
            .filter(|past| past.record.id == *id)
            .map(|past| past.record.clone())
            .collect()
    }
}

impl Drop for Recent {
    fn drop(&mut self) {
        self.collector.abort();
    }
}

fn push(past: &Mutex<VecDeque<Past>>, entry: Past) {
    let mut past = past.lock().unwrap_or_else(PoisonError::into_inner);
    let oldest = entry.replaced.saturating_sub(RECENT);
    while past.len() >= LIMIT || past.front().is_some_and(|first| first.replaced < oldest) {
        past.pop_front();
    }
    past.push_back(entry);
}
