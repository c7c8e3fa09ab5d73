//! Opening the engine: the store is read, and what ran is found again, before anybody is served.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use chrono_tz::Tz;
use futures_util::future::join_all;
use imbl::OrdMap;
use rayon::iter::{IntoParallelIterator, ParallelIterator};
use rayon::slice::ParallelSliceMut;
use thiserror::Error;
use tokio::sync::{broadcast, mpsc};

use crate::store::{StoreError, Writer};

use super::alarm::Alarm;
use super::clock;
use super::core::{
    DEFAULT_QUEUE, Hooks, JobId, JobRecord, Phase, Policy, QueueRecord, RunNews, Scheduler,
};
use super::driver::{Batch, Desk, Driver, EngineTask, new_id, queue_views};
use super::engine::{Engine, Snapshot};
use super::executor::identity;
use super::links::Links;
use super::port::{News, Runs};
use super::provider::Teller;

/// Requests that may wait for the driver; more wait with their senders.
const REQUEST_LIMIT: usize = 1024;
/// Committed changes that a slow listener may fall behind.
const CHANGES_KEPT: usize = 4096;

/// How the engine is opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// `MaxRunningJobs` until a client sets it; at least 1.
    pub max_running: u32,
    /// Limits and times.
    pub policy: Policy,
    /// What `RecoveryAction` 1 may run.
    pub hooks: Hooks,
    /// Which boot of the machine this is, where that is not for the kernel to say.
    pub boot_id: Option<String>,
}

impl Default for Config {
    /// Two running jobs for each processor.
    fn default() -> Self {
        let processors = std::thread::available_parallelism().map_or(1, usize::from);
        Self {
            max_running: u32::try_from(2 * processors).unwrap_or(u32::MAX),
            policy: Policy::default(),
            hooks: Hooks::default(),
            boot_id: None,
        }
    }
}

/// Why the engine cannot be opened.
#[derive(Debug, Error)]
pub enum OpenError {
    /// The store cannot be read, or not be written.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The machine does not give us what the engine needs.
    #[error("{0}")]
    System(&'static str, #[source] io::Error),
}

impl Engine {
    /// Opens the engine over the store, an executor and the news that this executor sends.
    ///
    /// When this returns, every run of before a restart was adopted or has its true outcome.
    pub async fn open(
        config: Config,
        writer: Writer,
        executor: Arc<dyn Runs>,
        news: mpsc::Receiver<News>,
    ) -> Result<(Self, EngineTask), OpenError> {
        Self::open_told(config, writer, (executor, news), Teller::default()).await
    }

    /// The same, for an engine whose changes `teller` tells to others.
    pub async fn open_told(
        config: Config,
        writer: Writer,
        (executor, news): (Arc<dyn Runs>, mpsc::Receiver<News>),
        teller: Teller,
    ) -> Result<(Self, EngineTask), OpenError> {
        let boot_id = config.boot_id.map_or_else(identity::boot_id, Ok);
        let boot_id = boot_id.map_err(|error| OpenError::System("read the boot id", error))?;
        let host = rustix::system::uname()
            .nodename()
            .to_string_lossy()
            .into_owned();
        let history = writer.history();
        let loaded = writer.run(move |store| store.load(&host, &boot_id)).await?;
        let zone = config.policy.zone;
        let jobs = jobs_after_restart(loaded.jobs, loaded.rebooted, zone);
        let queues = queues(loaded.queues, config.max_running);
        let (scheduler, (shown, links)) = rayon::join(
            || Scheduler::new(config.policy, queues, jobs.clone()),
            || (by_id(&jobs), Links::of(jobs.iter())),
        );
        let scheduler = scheduler
            .with_hooks(config.hooks)
            .with_ids(new_id)
            .with_settings(loaded.settings);
        let (sender, requests) = mpsc::channel(REQUEST_LIMIT);
        let snapshot = Snapshot {
            jobs: shown,
            links,
            queues: queue_views(&scheduler),
            settings: scheduler.settings().clone(),
        };
        let mut driver = Driver {
            scheduler,
            writer,
            executor,
            alarm: Alarm::new().map_err(|error| OpenError::System("make timers", error))?,
            requests,
            news,
            published: Arc::new(ArcSwap::from_pointee(snapshot)),
            changes: broadcast::channel(CHANGES_KEPT).0,
            desk: Desk::default(),
            teller,
            held_news: Vec::new(),
            not_before: Duration::ZERO,
        };
        driver.recover(&jobs).await?;
        Ok(Self::launch(driver, sender, (history, loaded.host)))
    }
}

impl Driver {
    /// Learns what became of the runs that the store knows as living, and commits it.
    async fn recover(&mut self, jobs: &[Arc<JobRecord>]) -> Result<(), StoreError> {
        let living = jobs.iter().filter(|job| job.has_process());
        let news = join_all(living.map(|job| self.fate(job))).await;
        self.attempt(Batch {
            requests: Vec::new(),
            news,
        })
        .await
    }

    async fn fate(&self, job: &Arc<JobRecord>) -> News {
        let run = job.run.as_ref().map_or(0, |run| run.number);
        let preparing = job
            .run
            .as_ref()
            .is_some_and(|run| run.phase == Phase::Preparing);
        let news = if preparing {
            // No identity on record: the supervisor never got leave to begin.
            self.executor.abandon(&job.id, run);
            RunNews::NeverRan
        } else {
            self.executor.adopt(job).await
        };
        (job.id.clone(), run, news)
    }
}

/// The queues of the store, with the default one even if it was never changed.
fn queues(mut stored: Vec<QueueRecord>, max_running: u32) -> Vec<Arc<QueueRecord>> {
    if !stored.iter().any(|queue| queue.name == DEFAULT_QUEUE) {
        stored.push(QueueRecord::default_queue(max_running.max(1)));
    }
    stored.into_iter().map(Arc::new).collect()
}

fn jobs_after_restart(jobs: Vec<Arc<JobRecord>>, rebooted: bool, zone: Tz) -> Vec<Arc<JobRecord>> {
    let now = clock::now();
    let settle = |mut shared: Arc<JobRecord>| {
        let job = Arc::make_mut(&mut shared);
        if rebooted {
            job.forget_boot_clock();
        }
        job.look_ahead_again(zone, now);
        shared
    };
    jobs.into_par_iter().map(settle).collect()
}

/// The jobs as readers find them.
fn by_id(jobs: &[Arc<JobRecord>]) -> OrdMap<JobId, Arc<JobRecord>> {
    // What is entered in order is entered beside what was entered last.
    let mut sorted: Vec<&Arc<JobRecord>> = jobs.iter().collect();
    sorted.par_sort_unstable_by(|a, b| a.id.cmp(&b.id));
    let entry = |job: &Arc<JobRecord>| (job.id.clone(), Arc::clone(job));
    sorted.into_iter().map(entry).collect()
}
