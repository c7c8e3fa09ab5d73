//! The writer thread: the one place where anybody waits for the disk to write.
//!
//! Every part of the server that keeps something sends its work here, so that the database has one
//! writer and a change that touches several parts is one transaction.

use std::sync::Arc;
use std::sync::mpsc as blocking;
use std::sync::mpsc::RecvTimeoutError;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use tokio::sync::{oneshot, watch};

use super::batch::Batch;
use super::database::{Options, Store};
use super::error::{Failure, StoreCause, StoreError};
use super::history::History;
use super::outbox::QueueLimits;
use super::repository::Repository;

/// After so long without work the log is moved into the database.
const IDLE: Duration = Duration::from_secs(5);

/// Most pieces of work that share one transaction.
const GROUP_LIMIT: usize = 256;

type Work = Box<dyn FnOnce(&mut Store) + Send>;

enum Order {
    Work(Work),
    Part(Box<dyn Part>),
    Close,
}

/// A piece of work that shares a transaction, and its fsync, with others that wait at the same time.
trait Part: Send {
    /// Does the work; whether it may stay, and what is to be called when its fate is known.
    fn run(self: Box<Self>, batch: &Batch<'_>) -> (bool, Tell);

    /// Tells that it was not done.
    fn refuse(self: Box<Self>, error: StoreError);
}

type Tell = Box<dyn FnOnce(Result<(), StoreError>) + Send>;

struct Waiting<W, T, E> {
    work: W,
    done: oneshot::Sender<Result<T, E>>,
    failures: Failures,
}

/// Where failures of the store are told; the newest is remembered.
type Failures = watch::Sender<Option<Arc<Failure>>>;

fn note<T, E: StoreCause>(failures: &Failures, outcome: &Result<T, E>) {
    let error = outcome.as_ref().err().and_then(StoreCause::of_store);
    if let Some(failure) = error.and_then(StoreError::failure) {
        failures.send_replace(Some(Arc::new(failure)));
    }
}

impl<W, T, E> Part for Waiting<W, T, E>
where
    W: FnOnce(&Batch<'_>) -> Result<T, E> + Send,
    T: Send + 'static,
    E: From<StoreError> + StoreCause + Send + 'static,
{
    fn run(self: Box<Self>, batch: &Batch<'_>) -> (bool, Tell) {
        let (outcome, done) = ((self.work)(batch), self.done);
        let is_kept = outcome.is_ok();
        let failures = self.failures;
        let tell = move |committed: Result<(), StoreError>| {
            let outcome = outcome.and_then(|value| Ok(committed.map(|()| value)?));
            note(&failures, &outcome);
            // Whoever asked may have gone; it is done all the same.
            drop(done.send(outcome));
        };
        (is_kept, Box::new(tell))
    }

    fn refuse(self: Box<Self>, error: StoreError) {
        let outcome = Err(error.into());
        note(&self.failures, &outcome);
        drop(self.done.send(outcome));
    }
}

/// Sends work to the thread that owns the store; clones send to the same one.
#[derive(Debug, Clone)]
pub struct Writer {
    orders: blocking::Sender<Order>,
    history: History,
    repository: Repository,
    failures: Failures,
    queue_limits: QueueLimits,
}

/// The thread itself; whoever opened the writer closes it at the end.
#[derive(Debug)]
pub struct WriterThread {
    orders: blocking::Sender<Order>,
    ended: oneshot::Receiver<()>,
    thread: JoinHandle<()>,
}

impl Writer {
    /// Opens the store and starts the thread that owns it.
    pub async fn open(options: Options) -> Result<(Self, WriterThread), StoreError> {
        let queue_limits = options.queue_limits;
        let opened = tokio::task::spawn_blocking(move || Store::open(&options)).await;
        let store = opened.unwrap_or(Err(StoreError::Stopped))?;
        let (history, repository) = (store.history(), store.repository());
        let (orders, incoming) = blocking::channel();
        let (alive, ended) = oneshot::channel();
        let builder = thread::Builder::new().name("store".to_owned());
        let thread = builder
            .spawn(move || {
                serve(store, &incoming);
                drop(alive);
            })
            .map_err(StoreError::Thread)?;
        let writer = Self {
            orders: orders.clone(),
            history,
            repository,
            failures: Failures::default(),
            queue_limits,
        };
        let thread = WriterThread {
            orders,
            ended,
            thread,
        };
        Ok((writer, thread))
    }

    /// Does `work` on the writer's thread. It is done even if whoever asked goes away.
    pub async fn run<T, E>(
        &self,
        work: impl FnOnce(&mut Store) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + StoreCause + Send + 'static,
    {
        let (done, finished) = oneshot::channel();
        let failures = self.failures.clone();
        let work: Work = Box::new(move |store| {
            let outcome = work(store);
            note(&failures, &outcome);
            drop(done.send(outcome));
        });
        self.orders
            .send(Order::Work(work))
            .map_err(|_| StoreError::Stopped)?;
        finished
            .await
            .unwrap_or_else(|_| Err(StoreError::Stopped.into()))
    }

    /// Does `work` in a transaction: durable when this returns, or undone when `work` fails. Work that
    /// waits at the same time shares one fsync; whether a piece fails touches no other one.
    pub async fn transact<T, E>(
        &self,
        work: impl FnOnce(&Batch<'_>) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + StoreCause + Send + 'static,
    {
        let (done, finished) = oneshot::channel();
        let part = Box::new(Waiting {
            work,
            done,
            failures: self.failures.clone(),
        });
        self.orders
            .send(Order::Part(part))
            .map_err(|_| StoreError::Stopped)?;
        finished
            .await
            .unwrap_or_else(|_| Err(StoreError::Stopped.into()))
    }

    /// Changes whenever the store fails, to what failed.
    pub fn failures(&self) -> watch::Receiver<Option<Arc<Failure>>> {
        self.failures.subscribe()
    }

    /// How long the queue of a destination may become.
    pub fn queue_limits(&self) -> QueueLimits {
        self.queue_limits
    }

    /// A reader of instances that does not disturb the writer.
    pub fn repository(&self) -> Repository {
        self.repository.clone()
    }

    /// A reader of history that does not disturb the writer.
    pub fn history(&self) -> History {
        self.history.clone()
    }
}

impl WriterThread {
    /// Finishes what was sent and closes the database.
    pub async fn close(self) {
        // A thread that has ended already is joined all the same.
        drop(self.orders.send(Order::Close));
        let joined = tokio::task::spawn_blocking(move || self.thread.join()).await;
        if !matches!(joined, Ok(Ok(()))) {
            tracing::error!("the writer thread panicked");
        }
    }

    /// Waits until the thread ends by itself, which it does only when the database is lost.
    pub async fn stopped(&mut self) -> StoreError {
        // Nothing is ever sent: the sender goes with the thread.
        drop((&mut self.ended).await);
        StoreError::Stopped
    }
}

fn serve(mut store: Store, orders: &blocking::Receiver<Order>) {
    let mut next = None;
    while !store.is_lost() {
        let order = next.take().map_or_else(|| orders.recv_timeout(IDLE), Ok);
        match order {
            Ok(Order::Work(work)) => work(&mut store),
            Ok(Order::Part(part)) => next = group(&mut store, part, orders),
            Err(RecvTimeoutError::Timeout) => tidy(&mut store),
            Ok(Order::Close) | Err(RecvTimeoutError::Disconnected) => return tidy(&mut store),
        }
    }
    tracing::error!("the database is lost: only a restart finds out what is on the disk");
}

/// Does `first` and what waits behind it in one transaction; returns what came that is no part of one.
fn group(
    store: &mut Store,
    first: Box<dyn Part>,
    orders: &blocking::Receiver<Order>,
) -> Option<Order> {
    let (mut next, mut part) = (None, Some(first));
    let mut told: Vec<Tell> = Vec::new();
    let committed = store.transact(|batch| -> Result<(), StoreError> {
        while part.is_some() {
            batch.save()?;
            let Some(one) = part.take() else { break };
            let (is_kept, tell) = one.run(batch);
            told.push(tell);
            batch.settle(is_kept)?;
            if told.len() < GROUP_LIMIT {
                match orders.try_recv() {
                    Ok(Order::Part(another)) => part = Some(another),
                    Ok(other) => next = Some(other),
                    Err(_) => {}
                }
            }
        }
        Ok(())
    });
    match committed {
        Ok(()) => {
            for tell in told {
                tell(Ok(()));
            }
        }
        Err(error) => {
            let shared = Arc::new(error);
            let error = || StoreError::Shared(shared.clone());
            for tell in told {
                tell(Err(error()));
            }
            if let Some(part) = part {
                part.refuse(error());
            }
        }
    }
    next
}

fn tidy(store: &mut Store) {
    if let Err(error) = store.tidy() {
        tracing::warn!(%error, "the log could not be moved into the database");
    }
}
