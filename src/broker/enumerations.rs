//! The enumerations that clients hold open: who may go on with which, how many, and for how long.
//!
//! An enumeration that nobody is drawing from lies here as the stream that it is, so that it costs
//! the same whatever is left of it. Whoever draws from it takes it out: a second pull of the same
//! enumeration meanwhile is refused, since its client would lose the objects of the first without
//! noticing. DSP0200 1.4 §5.4.2.24.

use std::collections::{BTreeSet, HashMap};
use std::convert::Infallible;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::stream::{Stream, StreamExt};
use tokio::sync::{Notify, oneshot};
use tokio::time::{Instant, sleep_until};

use crate::model::{CimError, Namespace, Result, Status};
use crate::ops::{PullKind, PulledObject, Select};
use crate::provider::{Context, Principal};

/// Pulls of no object that may follow each other: they only keep an enumeration open.
const EMPTY_PULLS_LIMIT: u32 = 1000;

/// What clients may hold open, and for how long.
#[derive(Debug, Clone)]
pub struct PullLimits {
    /// Enumerations open at a time.
    pub enumerations: usize,
    /// The same for one user.
    pub user_enumerations: usize,
    /// Objects in one answer, however many the client would take.
    pub objects: u32,
    /// How long an enumeration stays open without a request when its client names no time.
    pub timeout: Duration,
    /// The longest time that a client may name.
    pub longest_timeout: Duration,
    /// How long an answer waits for objects: then it has those that came, which may be none.
    pub answer_time: Duration,
}

impl Default for PullLimits {
    fn default() -> Self {
        Self {
            enumerations: 1000,
            user_enumerations: 200,
            objects: 10_000,
            timeout: Duration::from_secs(30),
            longest_timeout: Duration::from_mins(10),
            answer_time: Duration::from_secs(10),
        }
    }
}

/// The objects of an enumeration, one after the other.
pub(super) type Objects = Pin<Box<dyn Stream<Item = Result<PulledObject>> + Send + 'static>>;

/// What is left of an enumeration.
pub(super) struct Enumeration {
    objects: Objects,
    /// What was drawn and found to be too much for the answer.
    ahead: Option<Result<PulledObject>>,
    select: Select,
    continue_on_error: bool,
}

impl Enumeration {
    pub(super) fn new(objects: Objects, select: Select, continue_on_error: bool) -> Self {
        Self {
            objects,
            ahead: None,
            select,
            continue_on_error,
        }
    }

    /// The next object, or `None` at the end of the sequence.
    async fn next(&mut self) -> Option<Result<PulledObject>> {
        match self.ahead.take() {
            Some(object) => Some(object),
            None => self.objects.next().await,
        }
    }

    /// Puts back what [`Self::next`] gave.
    pub(super) fn put_back(&mut self, object: Result<PulledObject>) {
        self.ahead = Some(object);
    }

    /// How many objects are left, where that is known without drawing them.
    fn remaining(&self) -> Option<u64> {
        let (least, most) = self.objects.size_hint();
        let known = most == Some(least);
        known.then(|| least as u64 + u64::from(self.ahead.is_some()))
    }
}

/// The text of a context: 128 bits that nobody can guess.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct ContextId(u128);

impl ContextId {
    fn random() -> Result<Self> {
        let mut bytes = [0; 16];
        getrandom::fill(&mut bytes).map_err(|error| {
            tracing::error!(%error, "the system gives no random bytes");
            CimError::failed("the server cannot name an enumeration")
        })?;
        Ok(Self(u128::from_ne_bytes(bytes)))
    }

    /// Only the spelling that we write is one: a sign or a capital makes another text.
    fn read(text: &str) -> Option<Self> {
        let id = Self(u128::from_str_radix(text, 16).ok()?);
        (id.text() == text).then_some(id)
    }

    fn text(self) -> String {
        format!("{:032x}", self.0)
    }
}

/// An enumeration that somebody holds open.
struct Session {
    principal: Principal,
    namespace: Namespace,
    kind: PullKind,
    timeout: Duration,
    empty_pulls: u32,
    state: State,
}

enum State {
    /// Nobody draws from it until then, when it is closed.
    Parked(Enumeration, Instant),
    /// Somebody draws from it; dropping this tells them to stop.
    Drawn { _stop: oneshot::Sender<()> },
}

#[derive(Default)]
struct Table {
    sessions: HashMap<ContextId, Session>,
    /// When the parked ones are to be closed.
    deadlines: BTreeSet<(Instant, ContextId)>,
    of_users: HashMap<Principal, usize>,
    stopped: bool,
}

impl Table {
    fn insert(&mut self, id: ContextId, session: Session) {
        *self.of_users.entry(session.principal.clone()).or_default() += 1;
        self.sessions.insert(id, session);
    }

    fn remove(&mut self, id: ContextId) -> Option<Session> {
        let session = self.sessions.remove(&id)?;
        if let State::Parked(_, until) = session.state {
            self.deadlines.remove(&(until, id));
        }
        if let Some(count) = self.of_users.get_mut(&session.principal) {
            *count -= 1;
            if *count == 0 {
                self.of_users.remove(&session.principal);
            }
        }
        Some(session)
    }

    /// Those whose time is over. They are dropped by the caller, who holds no lock then.
    fn expired(&mut self, now: Instant) -> Vec<Session> {
        let due = |(until, id): &(Instant, ContextId)| (*until <= now).then_some(*id);
        let mut found = Vec::new();
        while let Some(id) = self.deadlines.first().and_then(due) {
            found.extend(self.remove(id));
        }
        found
    }

    /// The session that `text` means to `cx`. What is another's, or of another namespace, is not
    /// there.
    fn find(&self, cx: &Context, text: &str, now: Instant) -> Result<ContextId> {
        let found = ContextId::read(text).filter(|id| {
            self.sessions.get(id).is_some_and(|session| {
                let is_over = matches!(session.state, State::Parked(_, until) if until <= now);
                session.principal == cx.principal && session.namespace == cx.namespace && !is_over
            })
        });
        found.ok_or_else(|| {
            invalid("the enumeration is not open: it has ended, was closed, or was left too long")
        })
    }

    fn running(&self) -> Result<()> {
        if self.stopped {
            let text = "the server is shutting down";
            return Err(CimError::new(Status::ServerIsShuttingDown, text));
        }
        Ok(())
    }
}

fn invalid(text: &str) -> CimError {
    CimError::new(Status::InvalidEnumerationContext, text)
}

fn limited(text: String) -> CimError {
    CimError::new(Status::ServerLimitsExceeded, text)
}

/// All enumerations that are open.
pub(super) struct Enumerations {
    pub(super) limits: PullLimits,
    table: Mutex<Table>,
    changed: Notify,
}

impl Enumerations {
    pub(super) fn new(limits: PullLimits) -> Self {
        Self {
            limits,
            table: Mutex::default(),
            changed: Notify::new(),
        }
    }

    fn table(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// # Errors
    /// `SERVER_IS_SHUTTING_DOWN`.
    pub(super) fn running(&self) -> Result<()> {
        self.table().running()
    }

    /// Opens an enumeration, from which the caller draws first.
    ///
    /// # Errors
    /// `SERVER_LIMITS_EXCEEDED`.
    pub(super) fn open(
        self: &Arc<Self>,
        cx: &Context,
        kind: PullKind,
        timeout: Duration,
        enumeration: Enumeration,
    ) -> Result<Turn> {
        let id = ContextId::random()?;
        let (stop, stopped) = oneshot::channel();
        let mut table = self.table();
        table.running()?;
        if table.sessions.len() >= self.limits.enumerations {
            return Err(limited("too many enumerations are open".to_owned()));
        }
        let own = table.of_users.get(&cx.principal).copied().unwrap_or(0);
        if own >= self.limits.user_enumerations {
            let name = cx.principal.name();
            return Err(limited(format!("{name} has {own} enumerations open")));
        }
        let session = Session {
            principal: cx.principal.clone(),
            namespace: cx.namespace.clone(),
            kind,
            timeout,
            empty_pulls: 0,
            state: State::Drawn { _stop: stop },
        };
        table.insert(id, session);
        Ok(Turn {
            enumerations: self.clone(),
            id,
            held: Some(enumeration),
            stopped,
        })
    }

    /// Takes an enumeration out to draw `max_objects` from it.
    ///
    /// # Errors
    /// `INVALID_PARAMETER` for one that is pulled by another operation, `INVALID_ENUMERATION_CONTEXT`,
    /// `SERVER_LIMITS_EXCEEDED` when it was only ever kept open.
    pub(super) fn take(
        self: &Arc<Self>,
        cx: &Context,
        kind: PullKind,
        text: &str,
        max_objects: u32,
    ) -> Result<Turn> {
        let mut table = self.table();
        table.running()?;
        let id = table.find(cx, text, Instant::now())?;
        let Some(session) = table.sessions.get_mut(&id) else {
            return Err(invalid("the enumeration is not open"));
        };
        if session.kind != kind {
            let operation = session.kind.operation();
            let text = format!("EnumerationContext: this enumeration is pulled by {operation}");
            return Err(CimError::invalid_parameter(text));
        }
        if matches!(session.state, State::Drawn { .. }) {
            return Err(invalid("another pull of the enumeration is being answered"));
        }
        session.empty_pulls = if max_objects == 0 {
            session.empty_pulls + 1
        } else {
            0
        };
        if session.empty_pulls > EMPTY_PULLS_LIMIT {
            let closed = table.remove(id);
            drop(table);
            drop(closed);
            let text =
                format!("the enumeration was kept open {EMPTY_PULLS_LIMIT} times; it is closed");
            return Err(limited(text));
        }
        let (stop, stopped) = oneshot::channel();
        let state = std::mem::replace(&mut session.state, State::Drawn { _stop: stop });
        let State::Parked(enumeration, until) = state else {
            return Err(invalid("the enumeration is not open"));
        };
        table.deadlines.remove(&(until, id));
        Ok(Turn {
            enumerations: self.clone(),
            id,
            held: Some(enumeration),
            stopped,
        })
    }

    /// Closes an enumeration; who draws from it is told.
    ///
    /// # Errors
    /// `INVALID_ENUMERATION_CONTEXT`.
    pub(super) fn close(&self, cx: &Context, text: &str) -> Result<()> {
        let mut table = self.table();
        table.running()?;
        let id = table.find(cx, text, Instant::now())?;
        let closed = table.remove(id);
        drop(table);
        drop(closed);
        Ok(())
    }

    /// How many objects an enumeration will still give, where that is known.
    ///
    /// # Errors
    /// `INVALID_ENUMERATION_CONTEXT`.
    pub(super) fn remaining(&self, cx: &Context, text: &str) -> Result<Option<u64>> {
        let table = self.table();
        table.running()?;
        let id = table.find(cx, text, Instant::now())?;
        Ok(
            match table.sessions.get(&id).map(|session| &session.state) {
                Some(State::Parked(enumeration, _)) => enumeration.remaining(),
                Some(State::Drawn { .. }) | None => None,
            },
        )
    }

    /// Closes everything that nobody draws from; nothing is opened and pulled any more.
    pub(super) fn stop(&self) {
        let mut table = self.table();
        table.stopped = true;
        let parked: Vec<ContextId> = table.deadlines.iter().map(|(_, id)| *id).collect();
        let closed: Vec<_> = parked.into_iter().map(|id| table.remove(id)).collect();
        drop(table);
        drop(closed);
    }

    /// Closes enumerations when their time is over.
    pub(super) async fn expire(&self) -> Infallible {
        loop {
            let next = self.table().deadlines.first().map(|(until, _)| *until);
            match next {
                None => self.changed.notified().await,
                Some(until) => tokio::select! {
                    () = sleep_until(until) => {}
                    () = self.changed.notified() => {}
                },
            }
            let expired = self.table().expired(Instant::now());
            drop(expired);
        }
    }

    /// How many are open.
    #[cfg(test)]
    pub(super) fn count(&self) -> usize {
        self.table().sessions.len()
    }
}

/// What comes next of an enumeration.
pub(super) enum Next {
    /// An object, or why it cannot be given.
    Object(Result<PulledObject>),
    /// The end of the sequence.
    End,
    /// Nothing yet.
    Late,
}

/// The right to draw from an enumeration. An enumeration that is not parked again is closed: its
/// client cannot know which objects it would miss.
pub(super) struct Turn {
    enumerations: Arc<Enumerations>,
    id: ContextId,
    held: Option<Enumeration>,
    stopped: oneshot::Receiver<()>,
}

impl Turn {
    /// The next object, if it comes before `until`.
    ///
    /// # Errors
    /// `PULL_HAS_BEEN_ABANDONED` when the enumeration is closed meanwhile.
    pub(super) async fn next(&mut self, until: Instant) -> Result<Next> {
        let Some(enumeration) = &mut self.held else {
            return Ok(Next::End);
        };
        // Nothing of the enumeration is lost when the wait for its next object is given up.
        tokio::select! {
            biased;
            _ = &mut self.stopped => Err(abandoned()),
            next = enumeration.next() => Ok(next.map_or(Next::End, Next::Object)),
            () = sleep_until(until) => Ok(Next::Late),
        }
    }

    /// The properties wanted of each instance.
    pub(super) fn select(&self) -> Select {
        let held = self.held.as_ref();
        held.map(|held| held.select.clone()).unwrap_or_default()
    }

    /// Whether an object that cannot be given leaves the enumeration open.
    pub(super) fn continues(&self) -> bool {
        self.held
            .as_ref()
            .is_some_and(|held| held.continue_on_error)
    }

    /// Leaves the enumeration for a later pull, that first gives `ahead`, and gives its context.
    ///
    /// # Errors
    /// `PULL_HAS_BEEN_ABANDONED` when it was closed meanwhile.
    pub(super) fn park(mut self, ahead: Option<Result<PulledObject>>) -> Result<String> {
        let (id, enumerations) = (self.id, self.enumerations.clone());
        let Some(mut enumeration) = self.held.take() else {
            return Err(abandoned());
        };
        if let Some(ahead) = ahead {
            enumeration.put_back(ahead);
        }
        let mut table = enumerations.table();
        // A server that stops closes it now; the client is told when it asks for more.
        if table.stopped {
            let closed = table.remove(id);
            drop(table);
            drop((closed, enumeration));
            return Ok(id.text());
        }
        let Some(session) = table.sessions.get_mut(&id) else {
            drop(table);
            return Err(abandoned());
        };
        let until = Instant::now() + session.timeout;
        session.state = State::Parked(enumeration, until);
        table.deadlines.insert((until, id));
        let is_first = table.deadlines.first() == Some(&(until, id));
        drop(table);
        if is_first {
            enumerations.changed.notify_one();
        }
        Ok(id.text())
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        if self.held.is_some() {
            let closed = self.enumerations.table().remove(self.id);
            drop(closed);
        }
    }
}

fn abandoned() -> CimError {
    let text = "the enumeration was closed while it was pulled";
    CimError::new(Status::PullHasBeenAbandoned, text)
}
