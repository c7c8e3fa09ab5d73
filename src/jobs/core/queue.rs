//! A queue as it is stored: its limits, and what it does with jobs.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::spec::{DEFAULT_PRIORITY, DEFAULT_QUEUE};

/// Most queues of one server.
pub const QUEUE_LIMIT: usize = 256;
/// Longest name of a queue, in characters, as `CIM_JobDestination.Name` has it.
pub const QUEUE_NAME_LIMIT: usize = 256;

/// What a queue does with jobs; the numbers are those of `EnabledState`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum QueueState {
    /// It takes jobs and starts them.
    Enabled = 2,
    /// It takes none and starts none; what waits is held, and what runs goes on.
    Disabled = 3,
    /// It takes none and starts those that it has: it is being drained.
    Offline = 6,
    /// It takes jobs and starts none.
    Deferred = 8,
}

impl QueueState {
    const ALL: [Self; 4] = [Self::Enabled, Self::Disabled, Self::Offline, Self::Deferred];

    /// The state that `RequestedState` asks for, where queues have it: the numbers are the same.
    pub fn requested(number: u16) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.number() == number)
    }

    /// The number of `EnabledState`.
    pub fn number(self) -> u16 {
        self as u16
    }

    /// Whether jobs can be submitted to it.
    pub fn accepts(self) -> bool {
        matches!(self, Self::Enabled | Self::Deferred)
    }

    /// Whether it starts jobs.
    pub fn starts(self) -> bool {
        matches!(self, Self::Enabled | Self::Offline)
    }

    /// How it is called where people read it.
    pub fn label(self) -> &'static str {
        match self {
            Self::Enabled => "enabled",
            Self::Disabled => "disabled",
            Self::Offline => "offline",
            Self::Deferred => "deferred",
        }
    }
}

/// The limits of a queue, as clients set them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct QueueLimits {
    /// A name for people.
    pub element_name: Option<String>,
    /// `MaxRunningJobs`, at least 1.
    pub max_running: u32,
    /// `DefaultJobPriority`.
    pub default_priority: u32,
    /// `MaxTimeOnQueue`; zero is none.
    pub max_time: Duration,
    /// `MaxJobsOnQueue`: most jobs of the queue that have not ended; zero is none.
    pub max_jobs: u32,
    /// `MaxJobCPUTime`, in milliseconds, of each run; zero is none.
    pub max_cpu_millis: u32,
}

impl Default for QueueLimits {
    fn default() -> Self {
        Self {
            element_name: None,
            max_running: 1,
            default_priority: DEFAULT_PRIORITY,
            max_time: Duration::ZERO,
            max_jobs: 0,
            max_cpu_millis: 0,
        }
    }
}

/// The whole durable state of a queue.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct QueueRecord {
    /// `Name`.
    pub name: String,
    /// What it does with jobs.
    pub state: QueueState,
    /// Its limits.
    pub limits: QueueLimits,
}

impl QueueRecord {
    /// A queue that takes and starts jobs.
    pub fn new(name: &str, limits: QueueLimits) -> Self {
        Self {
            name: name.to_owned(),
            state: QueueState::Enabled,
            limits,
        }
    }

    /// The queue of jobs that name none, which is always there.
    pub fn default_queue(max_running: u32) -> Self {
        let limits = QueueLimits {
            max_running,
            ..QueueLimits::default()
        };
        Self::new(DEFAULT_QUEUE, limits)
    }

    /// The processor time that a run of this queue may use.
    pub(super) fn cpu_limit(&self) -> Option<Duration> {
        let limit = Duration::from_millis(self.limits.max_cpu_millis.into());
        (!limit.is_zero()).then_some(limit)
    }

    /// The time that a job may wait for a slot.
    pub(super) fn time_limit(&self) -> Option<Duration> {
        (!self.limits.max_time.is_zero()).then_some(self.limits.max_time)
    }
}

/// What a client wants of a queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum QueueOrder {
    /// A new queue.
    Create(QueueLimits),
    /// Other limits.
    Limit(QueueLimits),
    /// `RequestStateChange`; answered with its return value.
    Request(u16),
    /// It is to be gone; no job may be left on it.
    Delete,
}

/// Why a queue does not do what is asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum QueueRefusal {
    /// No such queue.
    #[error("there is no queue {0}")]
    Missing(String),
    /// A queue of this name exists.
    #[error("there is a queue {0} already")]
    Exists(String),
    /// The name is empty, too long, or has a control character.
    #[error("the name of a queue has 1 to {QUEUE_NAME_LIMIT} characters and no control characters")]
    Name,
    /// The number of queues is at its limit.
    #[error("there are {QUEUE_LIMIT} queues, and no more are possible")]
    TooMany,
    /// `MaxRunningJobs` of zero.
    #[error("MaxRunningJobs must be at least 1")]
    MaxRunning,
    /// The queue of jobs that name none.
    #[error("the queue {DEFAULT_QUEUE} is always there")]
    Default,
    /// Jobs are left on it.
    #[error("the queue {0} has {1} jobs that have not ended")]
    Busy(String, usize),
    /// It takes no jobs now.
    #[error("the queue {0} is {1} and takes no jobs")]
    Closed(String, &'static str),
    /// It has as many jobs as it may.
    #[error("the queue {0} is full: it has {1} jobs")]
    Full(String, u32),
}
