//! The task of one destination: it takes indications from the queue in the store and brings them to
//! the destination, as [`Delivery`] decides.
//!
//! What was delivered is recorded for many at a time, since each record is a write to the disk that
//! changes wait for; it is recorded soon, even while the next one is on its way to a slow destination. A
//! server that is killed before sends them again, with the same numbers: the listener knows them.

#![expect(
    clippy::disallowed_methods,
    reason = "retries are timed and old indications dropped by the clocks"
)]

use std::collections::VecDeque;
use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use arc_swap::ArcSwapOption;
use chrono::{DateTime, TimeDelta, Utc};
use tokio::sync::{Notify, mpsc, watch};

use crate::ops::BoxFuture;
use crate::provider::StreamId;
use crate::store::{Leave, Queued, StoreError, Writer};

use super::core::{Action, Delivery, Event, Policy};
use super::destination::{Carrier, SendError};

/// After the store failed it is asked again this much later.
const STORE_RETRY: Duration = Duration::from_secs(1);
/// What was delivered is recorded no later than this.
const RECORD_DELAY: Duration = Duration::from_millis(200);
/// So many are recorded at once, or half of what may wait where that is less: until then the queue is as
/// long as if they still waited.
const RECORD_LIMIT: u64 = 256;

/// The queues in the store.
pub trait Queue: Send + Sync + 'static {
    /// Most indications that may wait in a stream.
    fn limit(&self) -> u64;

    /// The oldest indications of a stream behind `after`, a page of them; one that is damaged is empty.
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
    receipts: Receipts,
}

/// What was delivered, as far as that is not recorded yet.
struct Receipts {
    stream: StreamId,
    queue: Arc<dyn Queue>,
    /// How many.
    count: u64,
    /// The position of the last one.
    last: i64,
    /// When they are recorded at the latest.
    due: Option<tokio::time::Instant>,
}

impl Receipts {
    fn new(stream: StreamId, queue: Arc<dyn Queue>) -> Self {
        Self {
            stream,
            queue,
            count: 0,
            last: 0,
            due: None,
        }
    }

    /// What waits at `position` was delivered.
    fn add(&mut self, position: i64) {
        self.count += 1;
        self.last = position;
        self.due
            .get_or_insert_with(|| tokio::time::Instant::now() + RECORD_DELAY);
    }

    /// Whether they are so many that they are to be recorded at once.
    fn are_full(&self) -> bool {
        self.count >= RECORD_LIMIT.min(self.queue.limit() / 2).max(1)
    }

    /// Records them; where the store takes nothing they are due again later.
    async fn record(&mut self) -> Result<(), StoreError> {
        if self.count == 0 {
            return Ok(());
        }
        let (stream, last) = (self.stream, self.last);
        match self.queue.leave(stream, last, Leave::Delivered).await {
            Ok(_) => {
                (self.count, self.due) = (0, None);
                Ok(())
            }
            Err(error) => {
                self.due = Some(tokio::time::Instant::now() + STORE_RETRY);
                Err(error)
            }
        }
    }

    /// Records them now that they are due.
    async fn record_due(&mut self) {
        if let Err(error) = self.record().await {
            tell_of_store(self.stream, &error);
        }
    }

    /// Records them, however long it takes until the store takes it.
    async fn record_all(&mut self) {
        while let Err(error) = self.record().await {
            wait_for_store(self.stream, &error).await;
        }
    }
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
            receipts: Receipts::new(stream, queue.clone()),
            queue,
            carrier,
            desk,
            faults,
            delivery: Delivery::new(policy),
            started: Instant::now(),
            page: VecDeque::new(),
            read: 0,
        }
    }

    /// Delivers until `policy` has no sender any more, or the future is dropped. What was delivered until
    /// then is recorded in the first case.
    pub async fn run(mut self, mut policy: watch::Receiver<Policy>) {
        // What waits from before the start goes out without anything new being queued.
        let mut actions = self.handle(Event::Queued);
        loop {
            while let Some(action) = actions.pop_front() {
                let sends = matches!(action, Action::Send { .. });
                if sends && policy.has_changed().is_err() {
                    return self.receipts.record_all().await;
                }
                if let Some(event) = self.perform(action).await {
                    actions.extend(self.handle(event));
                }
            }
            let wake = self.delivery.next_wake();
            let event = tokio::select! {
                () = at(self.receipts.due) => {
                    self.receipts.record_due().await;
                    continue;
                }
                () = self.desk.queued.notified() => Event::Queued,
                () = until(self.started, wake) => Event::Time,
                changed = policy.changed() => match changed {
                    Ok(()) => Event::Settings(*policy.borrow_and_update()),
                    Err(_) => return self.receipts.record_all().await,
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
                self.receipts.add(self.page.pop_front()?.position);
                if self.receipts.are_full() {
                    self.receipts.record_all().await;
                }
                None
            }
            Action::Drop => {
                let damaged = self.page.pop_front()?;
                self.drop_to(damaged.position).await;
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
            let sent = send_head(&mut *self.carrier, head, &mut self.receipts).await;
            return match sent {
                Ok(()) => {
                    self.desk.trouble.store(None);
                    Event::Taken
                }
                Err(SendError::Damaged(error)) => {
                    let (stream, position) = (self.stream.0, head.position);
                    tracing::error!(stream, position, error, "an indication is lost");
                    Event::Damaged
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

    /// Drops whatever was queued before `time`, all of it in one transaction.
    async fn drop_older(&mut self, time: DateTime<Utc>) {
        self.receipts.record_all().await;
        while let Err(error) = self.queue.expire(self.stream, time).await {
            wait_for_store(self.stream, &error).await;
        }
        // The clock may have been set back between two of them: up to the newest that is too old,
        // all are gone.
        let last = self.page.iter().rposition(|queued| queued.queued < time);
        self.page.drain(..last.map_or(0, |last| last + 1));
    }

    async fn drop_to(&mut self, position: i64) {
        self.receipts.record_all().await;
        while let Err(error) = self
            .queue
            .leave(self.stream, position, Leave::Dropped)
            .await
        {
            wait_for_store(self.stream, &error).await;
        }
    }
}

/// Sends the head of the queue; what was delivered before it is recorded meanwhile, when that is due.
async fn send_head(
    carrier: &mut dyn Carrier,
    head: &Queued,
    receipts: &mut Receipts,
) -> Result<(), SendError> {
    if head.indication.is_empty() {
        let text = "what is queued is damaged on the disk".to_owned();
        return Err(SendError::Damaged(text));
    }
    let mut sent = carrier.send(head);
    loop {
        tokio::select! {
            sent = &mut sent => return sent,
            () = at(receipts.due) => {}
        }
        // Sending goes on meanwhile: the store may take its time, and the destination has a limit of its own.
        let mut recording = pin!(receipts.record_due());
        tokio::select! {
            sent = &mut sent => {
                recording.await;
                return sent;
            }
            () = &mut recording => {}
        }
    }
}

async fn wait_for_store(stream: StreamId, error: &StoreError) {
    tell_of_store(stream, error);
    tokio::time::sleep(STORE_RETRY).await;
}

fn tell_of_store(stream: StreamId, error: &StoreError) {
    tracing::warn!(stream = stream.0, %error, "the queue of a destination cannot be used");
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
    use std::ops::RangeInclusive;
    use std::sync::Mutex;

    use tokio::sync::Semaphore;
    use tokio::task::JoinHandle;

    use super::*;
    use crate::indications::destination::BoxSend;

    /// A queue in memory that records how its indications left.
    struct Memory {
        limit: u64,
        waiting: Mutex<VecDeque<Queued>>,
        left: Mutex<Vec<(i64, Leave)>>,
        /// Rings when something has left.
        rings: Notify,
        /// Rings when a record is asked for, of which there is one for each permit.
        asks: Notify,
        records: Semaphore,
    }

    impl Memory {
        fn push(&self, position: i64, queued: DateTime<Utc>) {
            self.put(position, queued, b"<an indication>");
        }

        fn put(&self, position: i64, queued: DateTime<Utc>, indication: &[u8]) {
            self.waiting.lock().expect("unpoisoned").push_back(Queued {
                position,
                context: "c".to_owned(),
                number: position,
                queued,
                indication: indication.to_vec(),
            });
        }

        fn left(&self) -> Vec<(i64, Leave)> {
            self.left.lock().expect("unpoisoned").clone()
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
            Box::pin(async move {
                self.asks.notify_one();
                self.records.acquire().await.expect("it is open").forget();
                self.waiting
                    .lock()
                    .expect("unpoisoned")
                    .retain(|queued| queued.position > position);
                self.left.lock().expect("unpoisoned").push((position, how));
                self.rings.notify_one();
                Ok(1)
            })
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

    /// A destination that refuses some, takes the others when it may, and tells what it took.
    struct Listener {
        refuses: Vec<i64>,
        gate: Arc<Semaphore>,
        took: mpsc::UnboundedSender<i64>,
    }

    impl Carrier for Listener {
        fn send<'a>(&'a mut self, queued: &'a Queued) -> BoxSend<'a> {
            Box::pin(async move {
                self.gate.acquire().await.expect("it is open").forget();
                if self.refuses.contains(&queued.position) {
                    return Err(SendError::Refused("no".to_owned()));
                }
                self.took.send(queued.position).expect("the test listens");
                Ok(())
            })
        }
    }

    const POLICY: Policy = Policy {
        retries: 1,
        interval: Duration::ZERO,
    };

    /// A courier at work.
    struct Bench {
        memory: Arc<Memory>,
        desk: Arc<Desk>,
        gate: Arc<Semaphore>,
        taken: mpsc::UnboundedReceiver<i64>,
        faults: mpsc::Receiver<Fault>,
        policy: watch::Sender<Policy>,
        running: JoinHandle<()>,
    }

    impl Bench {
        /// The courier of a queue that `fill` fills and a destination that takes so many.
        fn start(limit: u64, takes: usize, refuses: Vec<i64>, fill: impl FnOnce(&Memory)) -> Self {
            let memory = Arc::new(Memory {
                limit,
                waiting: Mutex::default(),
                left: Mutex::default(),
                rings: Notify::new(),
                asks: Notify::new(),
                records: Semaphore::new(1000),
            });
            fill(&memory);
            let (gate, desk) = (Arc::new(Semaphore::new(takes)), Arc::<Desk>::default());
            let (took, taken) = mpsc::unbounded_channel();
            let (told, faults) = mpsc::channel(4);
            let carrier = Listener {
                refuses,
                gate: gate.clone(),
                took,
            };
            let talk = (desk.clone(), told);
            let carrier = Box::new(carrier);
            let courier = Courier::new(StreamId(7), memory.clone(), carrier, POLICY, talk);
            let (policy, settings) = watch::channel(POLICY);
            let running = tokio::spawn(courier.run(settings));
            Self {
                memory,
                desk,
                gate,
                taken,
                faults,
                policy,
                running,
            }
        }

        async fn take(&mut self, positions: RangeInclusive<i64>) {
            for position in positions {
                let taken = tokio::time::timeout(Duration::from_hours(1), self.taken.recv()).await;
                assert_eq!(taken, Ok(Some(position)));
            }
        }

        /// Ends the courier; how the indications left until then.
        async fn end(self) -> Vec<(i64, Leave)> {
            drop(self.policy);
            self.running
                .await
                .expect("the courier ends with its settings");
            self.memory.left()
        }
    }

    fn full(memory: &Memory, last: i64) {
        let now = Utc::now();
        (1..=last).for_each(|position| memory.push(position, now));
    }

    #[tokio::test(start_paused = true)]
    async fn what_was_delivered_is_recorded_for_many_at_a_time() {
        for (limit, unrecorded) in [(100_000, 256), (20, 10), (1, 1)] {
            are_recorded(limit, unrecorded).await;
        }
    }

    /// With that many deliveries unrecorded they are recorded at once, and fewer after a while, though the
    /// destination takes its time with the next one.
    async fn are_recorded(limit: u64, unrecorded: i64) {
        let takes = usize::try_from(unrecorded).expect("few");
        let last = unrecorded + 2;
        let mut bench = Bench::start(limit, takes, Vec::new(), |memory| full(memory, last));
        let begun = tokio::time::Instant::now();
        bench.take(1..=unrecorded).await;
        bench.memory.rings.notified().await;
        let first = (unrecorded, Leave::Delivered);
        assert_eq!(bench.memory.left(), [first], "of {limit}");
        assert_eq!(begun.elapsed(), Duration::ZERO, "at once");
        bench.gate.add_permits(1);
        bench.take(unrecorded + 1..=unrecorded + 1).await;
        bench.memory.rings.notified().await;
        let second = (unrecorded + 1, Leave::Delivered);
        assert_eq!(bench.memory.left(), [first, second]);
        let waited = if unrecorded == 1 {
            Duration::ZERO
        } else {
            RECORD_DELAY
        };
        // Timers count whole milliseconds.
        let late = begun.elapsed().saturating_sub(waited);
        assert!(late <= Duration::from_millis(1), "{late:?} late");
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_on_its_way_goes_on_while_the_store_takes_its_time() {
        let fill = |memory: &Memory| {
            full(memory, 2);
            memory.records.forget_permits(1000);
        };
        let mut bench = Bench::start(100_000, 1, Vec::new(), fill);
        bench.take(1..=1).await;
        // The first is being recorded from here on, and will be for long.
        bench.memory.asks.notified().await;
        bench.gate.add_permits(1);
        bench.take(2..=2).await;
        assert_eq!(bench.memory.left(), []);
        bench.memory.records.add_permits(10);
        let left = bench.end().await;
        assert_eq!(left, [(1, Leave::Delivered), (2, Leave::Delivered)]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_courier_that_is_called_off_records_what_it_delivered_and_sends_no_more() {
        let mut bench = Bench::start(100_000, 1, Vec::new(), |memory| full(memory, 3));
        bench.take(1..=1).await;
        let Bench {
            policy,
            gate,
            running,
            memory,
            mut taken,
            ..
        } = bench;
        drop(policy);
        // The second is on its way; the third is not sent any more.
        gate.add_permits(2);
        running.await.expect("the courier ends with its settings");
        assert_eq!(taken.recv().await, Some(2));
        assert_eq!(taken.recv().await, None);
        assert_eq!(memory.left(), [(2, Leave::Delivered)]);
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_damaged_is_dropped_and_holds_nothing_up() {
        let fill = |memory: &Memory| {
            memory.put(1, Utc::now(), b"");
            memory.push(2, Utc::now());
        };
        let mut bench = Bench::start(100_000, 1, Vec::new(), fill);
        let begun = tokio::time::Instant::now();
        bench.take(2..=2).await;
        assert_eq!(begun.elapsed(), Duration::ZERO, "at once");
        assert!(bench.faults.try_recv().is_err(), "the listener is blamed");
        let left = bench.end().await;
        assert_eq!(left, [(1, Leave::Dropped), (2, Leave::Delivered)]);
    }

    #[tokio::test(start_paused = true)]
    async fn indications_go_out_in_order_and_what_is_refused_is_given_up() {
        let now = Utc::now();
        let fill = |memory: &Memory| {
            memory.push(1, now - TimeDelta::days(1));
            (2..6).for_each(|position| memory.push(position, now));
        };
        let mut bench = Bench::start(100_000, 100, vec![3], fill);
        let mut order = Vec::new();
        for _ in 0..3 {
            order.push(bench.taken.recv().await.expect("the courier runs"));
        }
        assert_eq!(order, [2, 4, 5], "1 is too old and 3 is refused");
        let fault = bench.faults.recv().await.expect("a fault");
        assert_eq!(fault.stream, StreamId(7));
        bench.memory.push(6, now);
        bench.desk.queued.notify_one();
        // What is queued later goes out too.
        bench.take(6..=6).await;
        let memory = bench.memory.clone();
        let left = bench.end().await;
        let dropped = left.iter().filter(|(_, how)| *how == Leave::Dropped);
        let dropped: Vec<i64> = dropped.map(|(position, _)| *position).collect();
        assert_eq!(dropped, [1, 3], "{left:?}");
        assert!(
            memory.waiting.lock().expect("unpoisoned").is_empty(),
            "all was recorded"
        );
    }
}
