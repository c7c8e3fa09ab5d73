//! The couriers at work: one task for each destination, so that none waits for another.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;

use crate::provider::{Notice, StreamId};

use super::core::Policy;
use super::courier::{Courier, Desk, Fault, Queue};
use super::destination::{Destination, DestinationError, Outward};

/// Faults that may wait for their judge.
const FAULT_LIMIT: usize = 256;
/// How long couriers may take to record what they have delivered when the server stops.
const CLOSING_TIME: Duration = Duration::from_secs(2);

/// All couriers.
pub struct Couriers {
    queue: Arc<dyn Queue>,
    outward: Arc<Outward>,
    faults: mpsc::Sender<Fault>,
    /// Ends the couriers when it goes.
    policy: Mutex<Option<watch::Sender<Policy>>>,
    running: Mutex<HashMap<StreamId, Running>>,
}

struct Running {
    desk: Arc<Desk>,
    task: JoinHandle<()>,
}

impl Couriers {
    /// No courier yet; the faults of those to come arrive at the receiver.
    pub fn new(
        queue: Arc<dyn Queue>,
        outward: Arc<Outward>,
        policy: Policy,
    ) -> (Self, mpsc::Receiver<Fault>) {
        let (faults, told) = mpsc::channel(FAULT_LIMIT);
        let couriers = Self {
            queue,
            outward,
            faults,
            policy: Mutex::new(Some(watch::Sender::new(policy))),
            running: Mutex::default(),
        };
        (couriers, told)
    }

    /// Sends a courier off, who begins with what waits already.
    pub fn start(
        &self,
        stream: StreamId,
        destination: &Destination,
    ) -> Result<(), DestinationError> {
        let carrier = destination.carrier(&self.outward)?;
        let policy = self.policy.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(policy) = &*policy else {
            return Ok(());
        };
        let desk = Arc::new(Desk::default());
        let talk = (desk.clone(), self.faults.clone());
        let courier = Courier::new(stream, self.queue.clone(), carrier, *policy.borrow(), talk);
        let task = tokio::spawn(courier.run(policy.subscribe()));
        self.running().insert(stream, Running { desk, task });
        Ok(())
    }

    /// Calls a courier off; what it has under way may still arrive.
    pub fn stop(&self, stream: StreamId) {
        if let Some(running) = self.running().remove(&stream) {
            running.task.abort();
        }
    }

    /// Lets the couriers know that there is something to deliver.
    pub fn ring(&self, notices: &[Notice]) {
        if notices.is_empty() {
            return;
        }
        let running = self.running();
        for notice in notices {
            if let Some(courier) = running.get(&notice.stream) {
                courier.desk.queued.notify_one();
            }
        }
    }

    /// Why the last attempt to deliver to a destination failed.
    pub fn trouble(&self, stream: StreamId) -> Option<Arc<String>> {
        self.running().get(&stream)?.desk.trouble.load_full()
    }

    /// Changes how often and how long delivery is tried.
    pub fn settle(&self, policy: Policy) {
        let sender = self.policy.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(sender) = &*sender {
            sender.send_replace(policy);
        }
    }

    /// Ends the couriers: those who wait record what they delivered, the others are called off.
    pub async fn close(&self) {
        drop(
            self.policy
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .take(),
        );
        let tasks: Vec<_> = self.running().drain().map(|(_, it)| it.task).collect();
        let stop: Vec<_> = tasks.iter().map(JoinHandle::abort_handle).collect();
        let all = futures_util::future::join_all(tasks);
        if tokio::time::timeout(CLOSING_TIME, all).await.is_err() {
            stop.iter().for_each(tokio::task::AbortHandle::abort);
        }
    }

    fn running(&self) -> std::sync::MutexGuard<'_, HashMap<StreamId, Running>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
