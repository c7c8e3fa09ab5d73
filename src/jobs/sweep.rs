//! The sweep after a start: files of runs that nobody knows any more go.
//!
//! A run is forgotten in the store first and its files are deleted afterwards; a crash in between
//! leaves them.

use super::core::JobId;
use super::engine::Engine;
use crate::store::Forgotten;

/// Deletes the files of every run that is neither in the history nor the newest of its job.
pub(super) async fn sweep(engine: Engine) {
    // Runs that begin from now on are not among them.
    let found = engine.executor.survey().await;
    for (id, number) in found {
        if is_current(&engine, &id, number) {
            continue;
        }
        // Whatever cannot be looked up is not deleted.
        if let Ok(None) = engine.run(id.clone(), number).await {
            engine.executor.discard(Forgotten::Run(id, number));
        }
    }
}

/// A run that has not been let run is not in the history yet.
fn is_current(engine: &Engine, id: &JobId, number: u32) -> bool {
    let snapshot = engine.snapshot();
    let run = snapshot.jobs.get(id).and_then(|job| job.run.as_ref());
    run.is_some_and(|run| run.number <= number)
}
