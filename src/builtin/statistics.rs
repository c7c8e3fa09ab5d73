//! CIM_CIMOMStatisticalData: how often each operation was called, how long it took, how much was said.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use chrono::{DateTime, Utc};

use crate::model::Class;
use crate::ops::{InstanceStream, Request};
use crate::provider::fill::{self, Plain};
use crate::provider::{Context, Provider};

/// The class of the counters.
pub(super) const CLASS: &str = "CIM_CIMOMStatisticalData";
/// `OperationType` of what has no number of its own.
const OTHER: u16 = 1;
/// What the numbers from 2 on of `OperationType` mean, in their order.
const TYPES: &[&str] = &[
    "Batched",
    "GetClass",
    "GetInstance",
    "DeleteClass",
    "DeleteInstance",
    "CreateClass",
    "CreateInstance",
    "ModifyClass",
    "ModifyInstance",
    "EnumerateClasses",
    "EnumerateClassNames",
    "EnumerateInstances",
    "EnumerateInstanceNames",
    "ExecQuery",
    "Associators",
    "AssociatorNames",
    "References",
    "ReferenceNames",
    "GetProperty",
    "SetProperty",
    "GetQualifier",
    "SetQualifier",
    "DeleteQualifier",
    "EnumerateQualifiers",
];

/// What is counted as one: an operation, or a whole batch of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Kind(usize);

impl Kind {
    /// Several requests in one message.
    pub const BATCH: Self = Self(Request::NAMES.len());

    /// The operation of `request`; `None` for one that the server does not have.
    pub fn of(request: &Request) -> Option<Self> {
        let name = request.name();
        let at = Request::NAMES.iter().position(|other| *other == name);
        at.filter(|_| !matches!(request, Request::Unsupported(_)))
            .map(Self)
    }

    fn all() -> impl Iterator<Item = Self> {
        let counted = |kind: &Self| kind.name() != "Unsupported";
        (0..=Request::NAMES.len()).map(Self).filter(counted)
    }

    fn name(self) -> &'static str {
        Request::NAMES.get(self.0).copied().unwrap_or("Batched")
    }

    /// `OperationType` and `OtherOperationType`.
    fn typed(self) -> (u16, Option<&'static str>) {
        let at = TYPES.iter().position(|name| *name == self.name());
        match at.and_then(|at| u16::try_from(at).ok()) {
            Some(at) => (at + 2, None),
            None => (OTHER, Some(self.name())),
        }
    }
}

/// What one call cost.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Cost {
    /// Time spent by the server itself.
    pub server_time: Duration,
    /// Time spent by providers.
    pub provider_time: Duration,
    /// Bytes of the request, its headers among them.
    pub request_bytes: u64,
    /// Bytes of the response, its headers among them.
    pub response_bytes: u64,
}

/// The counters of one operation. They wrap around, as the class wants it.
#[derive(Debug, Default)]
struct Counters {
    operations: AtomicU64,
    server_micros: AtomicU64,
    provider_micros: AtomicU64,
    request_bytes: AtomicU64,
    response_bytes: AtomicU64,
}

impl Counters {
    fn all(&self) -> [&AtomicU64; 5] {
        [
            &self.operations,
            &self.server_micros,
            &self.provider_micros,
            &self.request_bytes,
            &self.response_bytes,
        ]
    }
}

/// The counters of the server.
#[derive(Debug)]
pub struct Statistics {
    gathered: AtomicBool,
    since: Mutex<DateTime<Utc>>,
    counters: Vec<Counters>,
}

impl Statistics {
    /// Counters that begin at `now`.
    pub fn new(now: DateTime<Utc>) -> Arc<Self> {
        Arc::new(Self {
            gathered: AtomicBool::new(true),
            since: Mutex::new(now),
            counters: (0..=Request::NAMES.len())
                .map(|_| Counters::default())
                .collect(),
        })
    }

    /// Whether anything is counted.
    pub fn are_gathered(&self) -> bool {
        self.gathered.load(Ordering::Relaxed)
    }

    /// Turns counting on or off. Turned on it begins anew.
    pub fn gather(&self, on: bool, now: DateTime<Utc>) {
        let mut since = self.since.lock().unwrap_or_else(PoisonError::into_inner);
        if on && !self.are_gathered() {
            let counters = self.counters.iter().flat_map(Counters::all);
            counters.for_each(|counter| counter.store(0, Ordering::Relaxed));
            *since = now;
        }
        self.gathered.store(on, Ordering::Relaxed);
    }

    /// Adds a call.
    pub fn add(&self, kind: Kind, cost: Cost) {
        let micros = |time: Duration| u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
        let Some(counters) = self.counters.get(kind.0).filter(|_| self.are_gathered()) else {
            return;
        };
        let added = [
            1,
            micros(cost.server_time),
            micros(cost.provider_time),
            cost.request_bytes,
            cost.response_bytes,
        ];
        for (counter, more) in counters.all().into_iter().zip(added) {
            counter.fetch_add(more, Ordering::Relaxed);
        }
    }

    fn values(&self, kind: Kind, now: DateTime<Utc>) -> Vec<(&'static str, Plain)> {
        let counters = self
            .counters
            .get(kind.0)
            .into_iter()
            .flat_map(Counters::all);
        let mut counted = counters.map(|counter| counter.load(Ordering::Relaxed));
        let mut next = || counted.next().unwrap_or_default();
        let (number, other) = kind.typed();
        let since = *self.since.lock().unwrap_or_else(PoisonError::into_inner);
        vec![
            ("InstanceID", format!("CIMJobwright:{}", kind.name()).into()),
            ("ElementName", kind.name().into()),
            ("StartStatisticTime", since.into()),
            ("StatisticTime", now.into()),
            ("OperationType", number.into()),
            ("OtherOperationType", other.into()),
            ("NumberOfOperations", next().into()),
            ("CimomElapsedTime", Duration::from_micros(next()).into()),
            ("ProviderElapsedTime", Duration::from_micros(next()).into()),
            ("RequestSize", next().into()),
            ("ResponseSize", next().into()),
        ]
    }
}

/// The provider of the counters.
pub(super) struct Counted(pub(super) Arc<Statistics>);

impl Provider for Counted {
    fn instances(&self, cx: &Context, class: &Arc<Class>) -> InstanceStream {
        fill::instances_of(cx, CLASS, class, |own| {
            let values = Kind::all().map(|kind| self.0.values(kind, cx.now));
            values.map(|values| fill::instance(own, values)).collect()
        })
    }
}
