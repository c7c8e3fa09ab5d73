//! A transaction: what is done in it becomes durable together, or not at all.

use std::cell::RefCell;

use rusqlite::{Connection, Transaction, TransactionBehavior};

use super::database::Store;
use super::error::StoreError;
use super::outbox::QueueLimits;
use super::recent::Touched;

/// A transaction that has begun. The parts of the store add to it what they can do.
#[derive(Debug)]
pub struct Batch<'a> {
    pub(super) transaction: Transaction<'a>,
    pub(super) queue_limits: QueueLimits,
    /// What readers must not remember any more when this is committed.
    pub(super) touched: RefCell<Touched>,
}

impl Batch<'_> {
    /// Marks a place that [`Self::settle`] may go back to.
    pub(super) fn save(&self) -> Result<(), StoreError> {
        Ok(self.transaction.execute_batch("SAVEPOINT part")?)
    }

    /// Keeps what was done since [`Self::save`], or undoes it.
    pub(super) fn settle(&self, is_kept: bool) -> Result<(), StoreError> {
        let how = if is_kept {
            "RELEASE part"
        } else {
            "ROLLBACK TO part; RELEASE part"
        };
        Ok(self.transaction.execute_batch(how)?)
    }
}

impl Store {
    /// Does `work` in a transaction, which is on the disk when this returns; undone when it fails.
    pub fn transact<T, E: From<StoreError>>(
        &mut self,
        work: impl FnOnce(&Batch<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        let begun = transact(&mut self.connection, self.queue_limits, work)?;
        let (done, committed, touched) = begun;
        self.recent.forget(&touched);
        self.watch(committed)?;
        // The log is only longer when this fails; the commit is durable all the same.
        let checkpointed = self.checkpoint_when_due();
        if let Err(error) = self.watch(checkpointed) {
            if error.is_fatal() {
                return Err(error.into());
            }
            tracing::warn!(%error, "the log could not be moved into the database");
        }
        Ok(done)
    }
}

/// What `work` returned, how the commit after it went, and which instances it touched.
type Transacted<T> = (T, Result<(), StoreError>, Touched);

fn transact<T, E: From<StoreError>>(
    connection: &mut Connection,
    queue_limits: QueueLimits,
    work: impl FnOnce(&Batch<'_>) -> Result<T, E>,
) -> Result<Transacted<T>, E> {
    let begun = connection.transaction_with_behavior(TransactionBehavior::Immediate);
    let transaction = begun.map_err(StoreError::from)?;
    let batch = Batch {
        transaction,
        queue_limits,
        touched: RefCell::default(),
    };
    let done = work(&batch)?;
    let touched = batch.touched.take();
    let committed = batch.transaction.commit();
    Ok((done, committed.map_err(StoreError::from), touched))
}
