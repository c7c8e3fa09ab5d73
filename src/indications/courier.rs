//! The task of one destination: it takes indications from the queue in the store and brings them to
//! the destination, as [`Delivery`] decides.
//!
//! What was delivered is recorded for many at a time, since each record is a write to the disk that
//! changes wait for. A server that is killed before sends them again, with the same numbers: the listener
//! knows them.

#![expect(
    clippy::disallowed_methods,
    reason = "retries are timed and old indications dropped by the clocks"
)]

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use arc_swap::ArcSwapOption;
use chrono::{DateTime, TimeDelta, Utc};
use tokio::sync::{Notify, mpsc, watch};

use crate::ops::BoxFuture;
use crate::provider::StreamId;
use crate::store::{Leave, Queued, StoreError, Writer};

use super::core::{Action, Delivery, Event, Policy};
use super::destination::Carrier;

/// After the store failed it is asked again this much later.
const STORE_RETRY: Duration = Duration::from_secs(1);
/// What was delivered is recorded no later than this.
const RECORD_DELAY: Duration = Duration::from_millis(200);
/// Nor is more than this delivered before that is recorded, or than half of what may wait: the queue is as long
/// as if it still waited. A page more may be.
const RECORD_LIMIT: u64 = 256;

/// The queues in the store.
pub trait Queue: Send + Sync + 'static {
    /// Most indications that may wait in a stream.
    fn limit(&self) -> u64;

    /// The oldest indications of a stream behind `after`, a page of them.
    fn waiting(
        &self,
        stream: StreamId,
        after: i64,
    ) -> BoxFuture<'_, Result<Vec<Queued>, StoreError>>;

    /// Removes the indications of a stream up to `position`.
    fn leave(
        &self,
        stream: StreamId,
        position: i64,
        how: Leave,
    ) -> BoxFuture<'_, Result<u64, StoreError>>;

    /// Drops the indications of a stream that were queued before `time`.
    fn expire(
        &self,
        stream: StreamId,
        time: DateTime<Utc>,
    ) -> BoxFuture<'_, Result<u64, StoreError>>;
}

impl Queue for Writer {
    fn limit(&self) -> u64 {
        self.queue_limits().indications
    }

    fn waiting(
        &self,
        stream: StreamId,
        after: i64,
    ) -> BoxFuture<'_, Result<Vec<Queued>, StoreError>> {
        Box::pin(self.run(move |store| store.waiting(stream, after)))
    }

    fn leave(
        &self,
        stream: StreamId,
        position: i64,
        how: Leave,
    ) -> BoxFuture<'_, Result<u64, StoreError>> {
        Box::pin(self.transact(move |batch| batch.leave(stream, position, how)))
    }

    fn expire(
        &self,
        stream: StreamId,
        time: DateTime<Utc>,
    ) -> BoxFuture<'_, Result<u64, StoreError>> {
        Box::pin(self.transact(move |batch| batch.expire(stream, time)))
    }
}

/// An indication for a destination was given up after deliveries had failed for so long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fault {
    /// The queue of the destination.
    pub stream: StreamId,
    /// Since the first failure after the last success.
    pub failing: Duration,
}

/// What the rest of the server sees of a courier.
#[derive(Debug, Default)]
pub struct Desk {
    /// Rings when the queue has got longer.
    pub queued: Notify,
    /// Why the last attempt failed; `None` after a success.
    pub trouble: ArcSwapOption<String>,
}

/// The courier of one destination.
pub struct Courier {
    stream: StreamId,
    queue: Arc<dyn Queue>,
    carrier: Box<dyn Carrier>,
    desk: Arc<Desk>,
    faults: mpsc::Sender<Fault>,
    delivery: Delivery,
    started: Instant,
    /// The head of the queue and what follows it, as far as it was read.
    page: VecDeque<Queued>,
    /// Position up to which was read.
    read: i64,
    /// What was delivered, when that is not recorded yet.
    delivered: Option<Delivered>,
}

/// Deliveries that are to be recorded.
#[derive(Debug, Clone, Copy)]
struct Delivered {
    /// The position of the last one.
    position: i64,
    /// How many.
    count: u64,
    /// When they are recorded at the latest.
    due: tokio::time::Instant,
}

impl Courier {
    /// A courier that has sent nothing yet.
    pub fn new(
        stream: StreamId,
        queue: Arc<dyn Queue>,
        carrier: Box<dyn Carrier>,
        policy: Policy,
        (desk, faults): (Arc<Desk>, mpsc::Sender<Fault>),
    ) -> Self {
        Self {
            stream,
            queue,
            carrier,
            desk,
            faults,
            delivery: Delivery::new(policy),
            started: Instant::now(),
            page: VecDeque::new(),
            read: 0,
            delivered: None,
        }
    }

    /// Delivers until `policy` has no sender any more, or the future is dropped.
    pub async fn run(mut self, mut policy: watch::Receiver<Policy>) {
        // What waits from before the start goes out without anything new being queued.
        let mut actions = self.handle(Event::Queued);
        loop {
            while let Some(action) = actions.pop_front() {
                if let Some(event) = self.perform(action).await {
                    actions.extend(self.handle(event));
                }
            }
            let wake = self.delivery.next_wake();
            let due = self.delivered.map(|delivered| delivered.due);
            let event = tokio::select! {
                () = at(due) => {
                    self.record().await;
                    continue;
                }
                () = self.desk.queued.notified() => Event::Queued,
                () = until(self.started, wake) => Event::Time,
                changed = policy.changed() => match changed {
                    Ok(()) => Event::Settings(*policy.borrow_and_update()),
                    Err(_) => return self.record().await,
                },
            };
            actions.extend(self.handle(event));
        }
    }

    fn handle(&mut self, event: Event) -> VecDeque<Action> {
        self.delivery.handle(event, self.started.elapsed()).into()
    }

    /// Does what is to be done, and says what came of it.
    async fn perform(&mut self, action: Action) -> Option<Event> {
        match action {
            Action::Send { lifetime } => Some(self.send(lifetime).await),
            Action::Settle => {
                let settled = self.page.pop_front()?;
                let now = tokio::time::Instant::now();
                let first = self.delivered.unwrap_or(Delivered {
                    position: 0,
                    count: 0,
                    due: now + RECORD_DELAY,
                });
                self.delivered = Some(Delivered {
                    position: settled.position,
                    count: first.count + 1,
                    ..first
                });
                None
            }
            Action::GiveUp { failing } => {
                let given_up = self.page.pop_front()?;
                self.drop_to(given_up.position).await;
                let fault = Fault {
                    stream: self.stream,
                    failing,
                };
                // Whoever judges faults may have gone before us.
                self.faults.send(fault).await.ok();
                None
            }
        }
    }

    async fn send(&mut self, lifetime: Duration) -> Event {
        loop {
            if self.page.is_empty() && !self.turn_page().await {
                return Event::Drained;
            }
            let lifetime = TimeDelta::from_std(lifetime).unwrap_or(TimeDelta::MAX);
            let oldest = Utc::now().checked_sub_signed(lifetime);
            let Some(head) = self.page.front() else {
                return Event::Drained;
            };
            if let Some(oldest) = oldest.filter(|oldest| head.queued < *oldest) {
                self.drop_older(oldest).await;
                continue;
            }
            return match self.carrier.send(head).await {
                Ok(()) => {
                    self.desk.trouble.store(None);
                    Event::Taken
                }
                Err(error) => {
                    self.tell(&error);
                    Event::Failed
                }
            };
        }
    }

    /// The first failure after a success is worth a line in the log, the others are its repetition.
    fn tell(&self, error: &dyn std::error::Error) {
        let mut text = error.to_string();
        let mut cause = error.source();
        while let Some(error) = cause {
            text.push_str(": ");
            text.push_str(&error.to_string());
            cause = error.source();
        }
        let stream = self.stream.0;
        if self
            .desk
            .trouble
            .swap(Some(Arc::new(text.clone())))
            .is_none()
        {
            tracing::warn!(stream, "an indication could not be delivered: {text}");
        }
    }

    /// Reads what follows the page that is done; whether there is anything.
    async fn turn_page(&mut self) -> bool {
        let now = tokio::time::Instant::now();
        let most = RECORD_LIMIT.min(self.queue.limit() / 2);
        let is_due = |it: Delivered| it.count >= most || it.due <= now;
        if self.delivered.is_some_and(is_due) {
            self.record().await;
        }
        loop {
            match self.queue.waiting(self.stream, self.read).await {
                Ok(waiting) => {
                    self.read = waiting.last().map_or(self.read, |last| last.position);
                    self.page = waiting.into();
                    return !self.page.is_empty();
                }
                Err(error) => wait_for_store(self.stream, &error).await,
            }
        }
    }

    /// Records what was delivered.
    async fn record(&mut self) {
        while let Some(Delivered { position, .. }) = self.delivered {
            match self
                .queue
                .leave(self.stream, position, Leave::Delivered)
                .await
            {
                Ok(_) => self.delivered = None,
                Err(error) => wait_for_store(self.stream, &error).await,
            }
        }
    }

    /// Drops whatever was queued before `time`, all of it in one transaction.
    async fn drop_older(&mut self, time: DateTime<Utc>) {
        self.record().await;
        while let Err(error) = self.queue.expire(self.stream, time).await {
            wait_for_store(self.stream, &error).await;
        }
        // The clock may have been set back between two of them: up to the newest that is too old,
        // all are gone.
        let last = self.page.iter().rposition(|queued| queued.queued < time);
        self.page.drain(..last.map_or(0, |last| last + 1));
    }

    async fn drop_to(&mut self, position: i64) {
        self.record().await;
        while let Err(error) = self
            .queue
            .leave(self.stream, position, Leave::Dropped)
            .await
        {
            wait_for_store(self.stream, &error).await;
        }
    }
}

async fn wait_for_store(stream: StreamId, error: &StoreError) {
    tracing::warn!(stream = stream.0, %error, "the queue of a destination cannot be used");
    tokio::time::sleep(STORE_RETRY).await;
}

async fn until(started: Instant, wake: Option<Duration>) {
    at(wake.and_then(|wake| Some(started.checked_add(wake)?.into()))).await;
}

async fn at(time: Option<tokio::time::Instant>) {
    match time {
        Some(time) => tokio::time::sleep_until(time).await,
        None => std::future::pending().await,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;
    use crate::indications::destination::{BoxSend, SendError};

    /// A queue in memory that records how its indications left.
    struct Memory {
        limit: u64,
        waiting: Mutex<VecDeque<Queued>>,
        left: Mutex<Vec<(i64, Leave)>>,
    }

    impl Memory {
        fn new(limit: u64) -> Arc<Self> {
            Arc::new(Self {
                limit,
                waiting: Mutex::default(),
                left: Mutex::default(),
            })
        }

        fn push(&self, position: i64, queued: DateTime<Utc>) {
            self.waiting.lock().expect("unpoisoned").push_back(Queued {
                position,
                context: "c".to_owned(),
                number: position,
                queued,
                indication: Vec::new(),
            });
        }
    }

    impl Queue for Memory {
        fn limit(&self) -> u64 {
            self.limit
        }

        fn waiting(
            &self,
            _: StreamId,
            after: i64,
        ) -> BoxFuture<'_, Result<Vec<Queued>, StoreError>> {
            let waiting = self.waiting.lock().expect("unpoisoned");
            let page = waiting
                .iter()
                .filter(|queued| queued.position > after)
                .take(2);
            let page: Vec<Queued> = page.cloned().collect();
            Box::pin(async move { Ok(page) })
        }

        fn leave(
            &self,
            _: StreamId,
            position: i64,
            how: Leave,
        ) -> BoxFuture<'_, Result<u64, StoreError>> {
            self.waiting
                .lock()
                .expect("unpoisoned")
                .retain(|queued| queued.position > position);
            self.left.lock().expect("unpoisoned").push((position, how));
            Box::pin(async { Ok(1) })
        }

        fn expire(
            &self,
            _: StreamId,
            time: DateTime<Utc>,
        ) -> BoxFuture<'_, Result<u64, StoreError>> {
            let mut waiting = self.waiting.lock().expect("unpoisoned");
            let (old, young) = waiting.drain(..).partition(|queued| queued.queued < time);
            let old: VecDeque<Queued> = old;
            *waiting = young;
            let mut left = self.left.lock().expect("unpoisoned");
            left.extend(old.iter().map(|old| (old.position, Leave::Dropped)));
            Box::pin(async { Ok(1) })
        }
    }

    /// A destination that refuses some, and tells what it took.
    struct Listener {
        refuses: Vec<i64>,
        took: mpsc::UnboundedSender<i64>,
    }

    impl Carrier for Listener {
        fn send<'a>(&'a mut self, queued: &'a Queued) -> BoxSend<'a> {
            Box::pin(async move {
                if self.refuses.contains(&queued.position) {
                    return Err(SendError::Refused("no".to_owned()));
                }
                self.took.send(queued.position).ok();
                Ok(())
            })
        }
    }

    const POLICY: Policy = Policy {
        retries: 1,
        interval: Duration::ZERO,
    };

    #[tokio::test(start_paused = true)]
    async fn what_was_delivered_is_recorded_for_many_at_a_time() {
        // Pages have two.
        for (limit, unrecorded) in [(100_000, 256), (20, 10)] {
            are_recorded(limit, unrecorded).await;
        }
    }

    /// With that many deliveries unrecorded they are recorded at once, and fewer after a while.
    async fn are_recorded(limit: u64, unrecorded: i64) {
        let memory = Memory::new(limit);
        let many = unrecorded + 1;
        let now = Utc::now();
        (1..=many).for_each(|position| memory.push(position, now));
        let (took, mut taken) = mpsc::unbounded_channel();
        let (refuses, desk) = (Vec::new(), Arc::new(Desk::default()));
        let talk = (desk.clone(), mpsc::channel(1).0);
        let carrier = Box::new(Listener { refuses, took });
        let courier = Courier::new(StreamId(7), memory.clone(), carrier, POLICY, talk);
        let (_keep, settings) = watch::channel(POLICY);
        let running = tokio::spawn(courier.run(settings));
        let mut deliver = async |positions: std::ops::RangeInclusive<i64>| {
            for position in positions {
                assert_eq!(taken.recv().await, Some(position));
            }
        };
        deliver(1..=many).await;
        let recorded = || memory.left.lock().expect("unpoisoned").clone();
        let full = (unrecorded, Leave::Delivered);
        assert_eq!(recorded(), [full], "the others wait for more");
        tokio::time::sleep(RECORD_DELAY + Duration::from_millis(1)).await;
        let first = [full, (many, Leave::Delivered)];
        assert_eq!(recorded(), first, "but not for long");
        memory.push(many + 1, now);
        desk.queued.notify_one();
        deliver(many + 1..=many + 1).await;
        assert_eq!(recorded(), first);
        tokio::time::sleep(RECORD_DELAY + Duration::from_millis(1)).await;
        assert_eq!(recorded().last(), Some(&(many + 1, Leave::Delivered)));
        assert!(!running.is_finished());
    }

    #[tokio::test]
    async fn indications_go_out_in_order_and_what_is_refused_is_given_up() {
        let memory = Memory::new(100_000);
        let now = Utc::now();
        memory.push(1, now - TimeDelta::days(1));
        for position in 2..6 {
            memory.push(position, now);
        }
        let (took, mut taken) = mpsc::unbounded_channel();
        let listener = Listener {
            refuses: vec![3],
            took,
        };
        let (desk, (faults, mut told)) = (Arc::new(Desk::default()), mpsc::channel(1));
        let queue: Arc<dyn Queue> = memory.clone();
        let talk = (desk.clone(), faults);
        let courier = Courier::new(StreamId(7), queue, Box::new(listener), POLICY, talk);
        let (keep, settings) = watch::channel(POLICY);
        let running = tokio::spawn(courier.run(settings));
        let mut order = Vec::new();
        for _ in 0..3 {
            order.push(taken.recv().await.expect("the courier runs"));
        }
        assert_eq!(order, [2, 4, 5], "1 is too old and 3 is refused");
        assert_eq!(told.recv().await.expect("a fault").stream, StreamId(7));
        memory.push(6, now);
        desk.queued.notify_one();
        assert_eq!(
            taken.recv().await,
            Some(6),
            "what is queued later goes out too"
        );
        drop(keep);
        running.await.expect("the courier ends with its settings");
        let left = memory.left.lock().expect("unpoisoned").clone();
        let dropped: Vec<i64> = left
            .iter()
            .filter(|(_, how)| *how == Leave::Dropped)
            .map(|(position, _)| *position)
            .collect();
        assert_eq!(dropped, [1, 3], "{left:?}");
        assert!(
            memory.waiting.lock().expect("unpoisoned").is_empty(),
            "all was recorded"
        );
    }
}
