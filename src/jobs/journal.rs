//! The writer thread: the one place where the engine waits for the disk.

use std::sync::mpsc as blocking;
use std::sync::mpsc::RecvTimeoutError;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use chrono::{DateTime, Utc};
use tokio::sync::oneshot;

use crate::store::{Forgotten, Query, Store, StoreError};

use super::core::{Change, Prior};

/// After so long without work the log is moved into the database.
const IDLE: Duration = Duration::from_secs(5);

/// Sends work to the writer thread; dropping it ends the thread after what was sent.
#[derive(Debug)]
pub(super) struct Journal {
    orders: blocking::Sender<Order>,
    thread: JoinHandle<()>,
}

enum Order {
    Commit {
        changes: Vec<Change>,
        now: DateTime<Utc>,
        done: oneshot::Sender<Result<Vec<Forgotten>, StoreError>>,
    },
    Prior {
        queries: Vec<Query>,
        done: oneshot::Sender<Result<Vec<Option<Prior>>, StoreError>>,
    },
}

impl Journal {
    /// Starts the thread that owns `store`.
    pub(super) fn start(store: Store) -> std::io::Result<Self> {
        let (orders, incoming) = blocking::channel();
        let builder = thread::Builder::new().name("journal".to_owned());
        let thread = builder.spawn(move || serve(store, &incoming))?;
        Ok(Self { orders, thread })
    }

    /// Makes `changes` durable, all or none; they are on the disk when this returns what history
    /// went with them.
    pub(super) async fn commit(
        &self,
        changes: Vec<Change>,
        now: DateTime<Utc>,
    ) -> Result<Vec<Forgotten>, StoreError> {
        let (done, finished) = oneshot::channel();
        self.orders
            .send(Order::Commit { changes, now, done })
            .map_err(|_| StoreError::Stopped)?;
        finished.await.unwrap_or(Err(StoreError::Stopped))
    }

    /// What the store knows about the ids of submissions.
    pub(super) async fn prior(
        &self,
        queries: Vec<Query>,
    ) -> Result<Vec<Option<Prior>>, StoreError> {
        let (done, finished) = oneshot::channel();
        self.orders
            .send(Order::Prior { queries, done })
            .map_err(|_| StoreError::Stopped)?;
        finished.await.unwrap_or(Err(StoreError::Stopped))
    }

    /// Finishes what was sent and closes the database.
    pub(super) async fn close(self) {
        drop(self.orders);
        let joined = tokio::task::spawn_blocking(move || self.thread.join()).await;
        if !matches!(joined, Ok(Ok(()))) {
            tracing::error!("the writer thread panicked");
        }
    }
}

fn serve(mut store: Store, orders: &blocking::Receiver<Order>) {
    loop {
        match orders.recv_timeout(IDLE) {
            Ok(order) => obey(&mut store, order),
            Err(RecvTimeoutError::Timeout) => tidy(&mut store),
            Err(RecvTimeoutError::Disconnected) => return tidy(&mut store),
        }
    }
}

/// Whoever asked may have gone away; what was ordered is done all the same.
fn obey(store: &mut Store, order: Order) {
    match order {
        Order::Commit { changes, now, done } => drop(done.send(store.commit(&changes, now))),
        Order::Prior { queries, done } => drop(done.send(store.prior(&queries))),
    }
}

fn tidy(store: &mut Store) {
    if let Err(error) = store.tidy() {
        tracing::warn!(%error, "the log could not be moved into the database");
    }
}
