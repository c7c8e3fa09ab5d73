//! The one task that owns the scheduler: it reads the clocks, makes durable, performs, answers.
//!
//! A step takes whatever has arrived, lets the scheduler decide, commits all of it in one
//! transaction, and only then acts and answers. While the disk works the next requests gather, so
//! that under load many share one sync.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use tokio::sync::{broadcast, mpsc, oneshot};
use tokio::task::JoinHandle;
use uuid::Uuid;

use crate::provider::{Notice, Notices};
use crate::store::{Forgotten, Gone, Query, Store, StoreError, Writer};

use super::alarm::Alarm;
use super::clock;
use super::core::{
    Action, Answer, Change, Event, JobId, JobRecord, JobSpec, Now, QueueView, Scheduler,
    SettingValues, Submission, Ticket, Wake,
};
use super::engine::{
    Ask, Committed, Engine, EngineError, REQUEST_ID_LIMIT, Request, Snapshot, Timeout,
};
use super::port::{News, Runs};
use super::provider::Teller;
use super::sweep::sweep;

/// Most requests, and most news, taken into one step.
pub(super) const STEP_LIMIT: usize = 256;
/// After the store failed, time and news are tried again this much later.
const RETRY: Duration = Duration::from_secs(1);

/// The engine's task; whoever opened the engine joins it at the end.
#[derive(Debug)]
pub struct EngineTask {
    pub(super) requests: mpsc::Sender<Request>,
    pub(super) task: JoinHandle<Result<(), StoreError>>,
    /// Deletes what a crash left; nothing waits for it.
    pub(super) sweep: JoinHandle<()>,
}

impl EngineTask {
    /// Stops the engine when what was accepted is done. Runs go on under their supervisors.
    pub async fn shutdown(self) -> Result<(), StoreError> {
        self.sweep.abort();
        let (answer, _) = oneshot::channel();
        // A task that has stopped already is joined all the same.
        drop(
            self.requests
                .send(Request {
                    ask: Ask::Close,
                    answer,
                })
                .await,
        );
        self.task.await.unwrap_or(Err(StoreError::Stopped))
    }

    /// Waits until the engine stops by itself, which it does only when its store is lost.
    pub async fn stopped(&mut self) -> Result<(), StoreError> {
        (&mut self.task).await.unwrap_or(Err(StoreError::Stopped))
    }
}

/// Everything that the task owns.
pub(super) struct Driver {
    pub(super) scheduler: Scheduler,
    pub(super) writer: Writer,
    pub(super) executor: Arc<dyn Runs>,
    pub(super) alarm: Alarm,
    pub(super) requests: mpsc::Receiver<Request>,
    pub(super) news: mpsc::Receiver<News>,
    pub(super) published: Arc<ArcSwap<Snapshot>>,
    pub(super) changes: broadcast::Sender<Arc<Committed>>,
    pub(super) desk: Desk,
    /// Whoever else is told of changes, in their transaction.
    pub(super) teller: Teller,
    /// News that could not be made durable yet, as many as one step takes.
    pub(super) held_news: Vec<News>,
    /// On the boot clock: after a failure of the store, when to try again.
    pub(super) not_before: Duration,
}

/// Who is to be answered, and how many changes were committed.
#[derive(Debug, Default)]
pub(super) struct Desk {
    waiting: HashMap<Ticket, oneshot::Sender<Result<Answer, EngineError>>>,
    tickets: u64,
    committed: u64,
}

/// What one step takes.
#[derive(Debug, Default)]
pub(super) struct Batch {
    pub(super) requests: Vec<Request>,
    pub(super) news: Vec<News>,
}

/// What the scheduler wants after a step.
#[derive(Debug, Default)]
struct Decisions {
    changes: Vec<Change>,
    shown: Vec<Arc<JobRecord>>,
    effects: Vec<Action>,
    answers: Vec<(Ticket, Answer)>,
}

impl Driver {
    /// Runs until the engine is closed, or its store is lost.
    pub(super) async fn run(mut self) -> Result<(), StoreError> {
        let mut end = Ok(());
        while let Some(batch) = self.next_batch().await {
            end = self.step(batch).await;
            if end.is_err() {
                break;
            }
        }
        self.requests.close();
        end
    }

    /// Whatever has arrived, at least one thing or a ring of the alarm; `None` to close.
    async fn next_batch(&mut self) -> Option<Batch> {
        self.set_alarm();
        let mut batch = Batch::default();
        let room = STEP_LIMIT.saturating_sub(self.held_news.len());
        tokio::select! {
            request = self.requests.recv() => batch.requests.push(request?),
            // While the store takes nothing news stay with those who have them.
            Some(news) = self.news.recv(), if room > 0 => batch.news.push(news),
            rung = self.alarm.ring() => if let Err(error) = rung {
                tracing::error!(%error, "a timer cannot be read");
            },
        }
        while batch.news.len() < room {
            let Ok(news) = self.news.try_recv() else {
                break;
            };
            batch.news.push(news);
        }
        while batch.requests.len() < STEP_LIMIT {
            let Ok(request) = self.requests.try_recv() else {
                break;
            };
            batch.requests.push(request);
        }
        let closing = |request: &Request| matches!(request.ask, Ask::Close);
        (!batch.requests.iter().any(closing)).then_some(batch)
    }

    fn set_alarm(&self) {
        let retry = Wake {
            wall: None,
            boot: Some(self.not_before),
        };
        let paused = clock::now().boot < self.not_before || !self.held_news.is_empty();
        let wake = if paused {
            retry
        } else {
            self.scheduler.next_wake()
        };
        if let Err(error) = self.alarm.set(wake) {
            tracing::error!(%error, "a timer cannot be set");
        }
    }

    /// One step; an error only when the store is lost. Otherwise it is tried again later.
    ///
    /// News that the store would not take are tried apart from the requests, so that neither
    /// stands in the way of the other.
    async fn step(&mut self, batch: Batch) -> Result<(), StoreError> {
        if self.held_news.is_empty() {
            return unless_fatal(self.attempt(batch).await);
        }
        let Batch { requests, news } = batch;
        self.held_news.extend(news);
        if clock::now().boot >= self.not_before {
            let news = std::mem::take(&mut self.held_news);
            unless_fatal(
                self.attempt(Batch {
                    news,
                    ..Batch::default()
                })
                .await,
            )?;
        }
        unless_fatal(
            self.attempt(Batch {
                requests,
                ..Batch::default()
            })
            .await,
        )
    }

    /// Decides, commits, publishes, performs and answers. After an error nothing has happened, the
    /// news are held, and whoever asked was told.
    pub(super) async fn attempt(&mut self, batch: Batch) -> Result<(), StoreError> {
        let now = clock::now();
        let Batch { requests, news } = batch;
        let (events, tickets) = self.events(requests, now).await;
        self.scheduler.begin();
        let decisions = self.decide(&news, events, now);
        let (changes, shown) = (&decisions.changes, &decisions.shown);
        let notices = self
            .teller
            .notices(changes, shown, &self.published.load(), now);
        let (forgotten, behind) = match self.commit(changes, &notices, now).await {
            Ok(committed) => committed,
            Err(error) => return Err(self.undo(error, news, tickets, now)),
        };
        self.publish(&decisions);
        self.teller.committed(notices);
        self.teller.committed(behind);
        for effect in decisions.effects {
            self.perform(effect);
        }
        for gone in forgotten {
            self.executor.discard(gone);
        }
        for (ticket, answer) in decisions.answers {
            self.desk.answer(ticket, Ok(answer));
        }
        Ok(())
    }

    async fn commit(
        &self,
        changes: &[Change],
        notices: &[Notice],
        now: Now,
    ) -> Result<(Vec<Forgotten>, Notices), StoreError> {
        if changes.is_empty() && notices.is_empty() {
            return Ok((Vec::new(), Notices::default()));
        }
        let (changes, notices) = (changes.to_vec(), notices.to_vec());
        let (teller, before) = (self.teller.clone(), self.published.load_full());
        let commit = move |store: &mut Store| {
            let gone = |gone: &Gone| teller.gone(gone, &before, now);
            store.commit_told(&changes, &notices, now.wall, gone)
        };
        self.writer.run(commit).await
    }

    /// Nothing has happened: the news are held, and whoever asked is told why.
    fn undo(
        &mut self,
        error: StoreError,
        news: Vec<News>,
        tickets: Vec<Ticket>,
        now: Now,
    ) -> StoreError {
        self.scheduler.rollback();
        self.held_news.splice(0..0, news);
        self.not_before = now.boot + RETRY;
        let told = EngineError::store(&error);
        for ticket in tickets {
            self.desk.answer(ticket, Err(told.clone()));
        }
        error
    }

    fn decide(&mut self, news: &[News], events: Vec<Event>, now: Now) -> Decisions {
        let mut decisions = Decisions::default();
        for (id, run, news) in news {
            let event = Event::Run {
                id: id.clone(),
                run: *run,
                news: news.clone(),
            };
            decisions.sort(self.scheduler.handle(event, now));
        }
        for event in events {
            decisions.sort(self.scheduler.handle(event, now));
        }
        if now.boot >= self.not_before {
            decisions.sort(self.scheduler.handle(Event::Time, now));
        }
        decisions
    }

    /// The events of the requests, each with a ticket; what is wrong in itself is answered here.
    async fn events(&mut self, requests: Vec<Request>, now: Now) -> (Vec<Event>, Vec<Ticket>) {
        let (mut events, mut tickets) = (Vec::new(), Vec::new());
        for request in requests {
            let ticket = self.desk.admit(request.answer);
            match event(request.ask, ticket, now) {
                Ok(event) => {
                    events.push(event);
                    tickets.push(ticket);
                }
                Err(error) => self.desk.answer(ticket, Err(error)),
            }
        }
        if let Err(error) = self.look_up(&mut events).await {
            let told = EngineError::store(&error);
            events.retain(|event| {
                let Event::Submit { ticket, .. } = event else {
                    return true;
                };
                self.desk.answer(*ticket, Err(told.clone()));
                false
            });
        }
        (events, tickets)
    }

    /// Adds to submissions what the store knows about their ids.
    async fn look_up(&self, events: &mut [Event]) -> Result<(), StoreError> {
        let mut submissions: Vec<&mut Submission> = events.iter_mut().filter_map(named).collect();
        if submissions.is_empty() {
            return Ok(());
        }
        let queries: Vec<_> = submissions
            .iter()
            .map(|submission| query(submission))
            .collect();
        let known = self.writer.run(move |store| store.prior(&queries)).await?;
        for (submission, prior) in submissions.iter_mut().zip(known) {
            submission.prior = prior;
        }
        Ok(())
    }

    /// Lets readers and listeners see what was committed.
    fn publish(&mut self, decisions: &Decisions) {
        if decisions.changes.is_empty() && decisions.shown.is_empty() {
            return;
        }
        let Snapshot {
            mut jobs,
            mut links,
            ..
        } = Snapshot::clone(&self.published.load());
        for change in &decisions.changes {
            apply(&mut jobs, change);
            links.apply(change);
        }
        for job in &decisions.shown {
            let newer = jobs
                .get(&job.id)
                .is_some_and(|shown| shown.revision <= job.revision);
            if newer {
                jobs.insert(job.id.clone(), Arc::clone(job));
            }
        }
        let queues = queue_views(&self.scheduler);
        let snapshot = Snapshot {
            jobs,
            links,
            queues,
            settings: self.scheduler.settings().clone(),
        };
        self.published.store(Arc::new(snapshot));
        // Listeners come after readers, so that whoever hears of a change also sees it.
        for (before, after) in decisions.changes.iter().filter_map(both_sides) {
            self.desk.committed += 1;
            let sequence = self.desk.committed;
            // Nobody listening is no error.
            drop(self.changes.send(Arc::new(Committed {
                sequence,
                before,
                after,
            })));
        }
    }

    fn perform(&self, effect: Action) {
        match effect {
            Action::Prepare(job) => self.executor.prepare(&job),
            Action::Release(id, run) => self.executor.release(&id, run),
            Action::Abandon(id, run) => self.executor.abandon(&id, run),
            Action::Signal(id, run, signal) => self.executor.signal(&id, run, signal),
            Action::Acknowledge(id, run) => self.executor.acknowledge(&id, run),
            Action::Persist(_) | Action::Show(_) | Action::Reply(..) => {
                unreachable!("sorted out before")
            }
        }
    }
}

impl Decisions {
    fn sort(&mut self, actions: Vec<Action>) {
        for action in actions {
            match action {
                Action::Persist(change) => self.changes.push(change),
                Action::Show(job) => self.shown.push(job),
                Action::Reply(ticket, answer) => self.answers.push((ticket, answer)),
                effect @ (Action::Prepare(_)
                | Action::Release(..)
                | Action::Abandon(..)
                | Action::Signal(..)
                | Action::Acknowledge(..)) => self.effects.push(effect),
            }
        }
    }
}

impl Desk {
    fn admit(&mut self, answer: oneshot::Sender<Result<Answer, EngineError>>) -> Ticket {
        self.tickets += 1;
        let ticket = Ticket(self.tickets);
        self.waiting.insert(ticket, answer);
        ticket
    }

    fn answer(&mut self, ticket: Ticket, answer: Result<Answer, EngineError>) {
        if let Some(waiting) = self.waiting.remove(&ticket) {
            // A client that has gone away is not answered; what it asked for was done.
            drop(waiting.send(answer));
        }
    }
}

fn unless_fatal(attempted: Result<(), StoreError>) -> Result<(), StoreError> {
    attempted.or_else(|error| if error.is_fatal() { Err(error) } else { Ok(()) })
}

/// The queues with their numbers, by name.
pub(super) fn queue_views(scheduler: &Scheduler) -> BTreeMap<String, QueueView> {
    let views = scheduler.queue_views();
    views.map(|view| (view.record.name.clone(), view)).collect()
}

fn event(ask: Ask, ticket: Ticket, now: Now) -> Result<Event, EngineError> {
    Ok(match ask {
        Ask::Submit {
            fields,
            by,
            request_id,
            call,
        } => {
            let length = request_id.as_ref().map(|id| id.chars().count());
            if length.is_some_and(|length| length == 0 || length > REQUEST_ID_LIMIT) {
                return Err(EngineError::RequestId);
            }
            let given = SettingValues::given(&fields);
            let spec = JobSpec::new(*fields, now.wall)?;
            let id = spec.chosen_id().unwrap_or_else(new_id);
            let submission = Submission {
                id,
                spec,
                given,
                by,
                request_id,
                call,
                prior: None,
            };
            Event::Submit {
                ticket,
                submission: Box::new(submission),
            }
        }
        Ask::Modify { id, settings } => Event::Modify {
            ticket,
            id,
            settings,
        },
        Ask::Change {
            id,
            requested,
            timeout,
        } => {
            let timeout = match timeout {
                Timeout::None => None,
                Timeout::After(time) => Some(time),
            };
            Event::Change {
                ticket,
                id,
                requested,
                timeout,
            }
        }
        Ask::Kill { id, delete_on_kill } => Event::Kill {
            ticket,
            id,
            delete_on_kill,
        },
        Ask::Delete { id } => Event::Delete { ticket, id },
        Ask::Amend { id, amendment } => Event::Amend {
            ticket,
            id,
            amendment,
        },
        Ask::Queue { name, order } => Event::Queue {
            ticket,
            name,
            order,
        },
        Ask::Setting { id, order } => Event::Setting { ticket, id, order },
        Ask::Close => return Err(EngineError::Stopped),
    })
}

/// An id that was never used and that nobody can guess.
pub(super) fn new_id() -> JobId {
    let text = format!("JW:{}", Uuid::now_v7());
    JobId::new(&text).expect("a uuid with our prefix is an id")
}

/// The submission in an event, when the store may know one of its ids.
fn named(event: &mut Event) -> Option<&mut Submission> {
    let Event::Submit { submission, .. } = event else {
        return None;
    };
    let named = submission.request_id.is_some() || submission.spec.chosen_id().is_some();
    named.then_some(submission)
}

fn query(submission: &Submission) -> Query {
    let name = |request_id: &String| (submission.by.name.clone(), request_id.clone());
    Query {
        chosen: submission.spec.chosen_id(),
        request: submission.request_id.as_ref().map(name),
    }
}

fn apply(jobs: &mut imbl::OrdMap<JobId, Arc<JobRecord>>, change: &Change) {
    match change {
        Change::Insert { job, .. } => {
            jobs.insert(job.id.clone(), Arc::clone(job));
        }
        Change::Update { after, .. } => {
            jobs.insert(after.id.clone(), Arc::clone(after));
        }
        Change::Remove(job) => {
            jobs.remove(&job.id);
        }
        Change::Run(_)
        | Change::Queue(_)
        | Change::RemoveQueue(_)
        | Change::Setting(_)
        | Change::RemoveSetting(_) => {}
    }
}

type Side = Option<Arc<JobRecord>>;

fn both_sides(change: &Change) -> Option<(Side, Side)> {
    match change {
        Change::Insert { job, .. } => Some((None, Some(Arc::clone(job)))),
        Change::Update { before, after } => {
            Some((Some(Arc::clone(before)), Some(Arc::clone(after))))
        }
        Change::Remove(job) => Some((Some(Arc::clone(job)), None)),
        Change::Run(_)
        | Change::Queue(_)
        | Change::RemoveQueue(_)
        | Change::Setting(_)
        | Change::RemoveSetting(_) => None,
    }
}

impl Engine {
    /// Sends the driver's task off and returns the two handles on it.
    pub(super) fn launch(
        driver: Driver,
        requests: mpsc::Sender<Request>,
        (history, host): (crate::store::History, String),
    ) -> (Self, EngineTask) {
        let policy = driver.scheduler.policy();
        let engine = Self {
            zone: policy.zone,
            finished_keep: policy.finished_keep,
            requests: requests.clone(),
            published: Arc::clone(&driver.published),
            changes: driver.changes.clone(),
            history,
            executor: Arc::clone(&driver.executor),
            host: host.into(),
        };
        let task = tokio::spawn(driver.run());
        let sweep = tokio::spawn(sweep(engine.clone()));
        let task = EngineTask {
            requests,
            task,
            sweep,
        };
        (engine, task)
    }
}
