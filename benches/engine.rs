//! The job engine: memory and start with many jobs, the cost of a step, durable submissions by many
//! clients, lateness of starts, and runs of `true` against a bare fork, exec and wait.
//!
//! `JOBWRIGHT_BENCH_JOBS` says how many jobs are resident (1000000). What depends on the machine is
//! given beside what the machine itself does.

#![expect(
    clippy::disallowed_methods,
    reason = "a benchmark reads the clock, writes files and starts processes"
)]

use std::error::Error;
use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use chrono::{DateTime, TimeDelta, Utc};
use futures_util::future::{BoxFuture, join_all};
use jobwright::jobs::core::{
    Change, Event, JobFields, JobId, JobRecord, JobSpec, Now, Policy, QueueOrder, QueueRecord,
    RunNews, Scheduler, Setting, Signal, Submitter, Ticket,
};
use jobwright::jobs::engine::Engine;
use jobwright::jobs::executor::cgroups::Cgroups;
use jobwright::jobs::executor::{Options as ExecutorOptions, ProcessExecutor};
use jobwright::jobs::port::{LogChunk, LogError, News, NewsSender, Runs, Stream};
use jobwright::jobs::{Config, EngineTask};
use jobwright::model::CimDateTime;
use jobwright::store::{Forgotten, Options, Store, Writer, WriterThread};
use tokio::sync::mpsc;

/// That of the server.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

type Failed = Box<dyn Error>;

/// Changes of one transaction while the store is filled.
const SLICE: usize = 10_000;
const CLIENTS: usize = 64;
/// `MaxRunningJobs`: so many that while some wait for the disk others keep the processors busy.
const RUNNING: u32 = 16;

fn main() -> Result<(), Failed> {
    let count = std::env::var("JOBWRIGHT_BENCH_JOBS").ok();
    let count = count
        .and_then(|text| text.parse().ok())
        .unwrap_or(1_000_000);
    // `cargo bench --bench engine -- residents` measures that part alone; cargo adds arguments of its own.
    let wanted: Vec<String> = std::env::args()
        .skip(1)
        .filter(|argument| !argument.starts_with('-'))
        .collect();
    let is_wanted = |part: &str| wanted.is_empty() || wanted.iter().any(|one| one == part);
    if is_wanted("steps") {
        for jobs in [1000, count] {
            steps(jobs);
        }
    }
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        if is_wanted("residents") {
            residents(count).await?;
        }
        if is_wanted("submissions") {
            submissions().await?;
        }
        if is_wanted("lateness") {
            lateness().await?;
        }
        if is_wanted("programs") {
            programs().await?;
        }
        Ok(())
    })
}

fn fields() -> JobFields {
    JobFields {
        name: Some("bench".to_owned()),
        command: Some(vec!["true".to_owned()]),
        ..JobFields::default()
    }
}

fn submitter() -> Submitter {
    Submitter {
        name: "bench".to_owned(),
        uid: 1000,
    }
}

/// The `n`-th job, which recurs daily at a minute of its own.
fn daily(n: usize, now: DateTime<Utc>) -> JobRecord {
    let minute = i64::try_from(n % 1440).unwrap_or_default();
    let fields = JobFields {
        run_start_interval: Some(CimDateTime::interval(TimeDelta::minutes(minute))),
        job_run_times: Some(0),
        ..fields()
    };
    let spec = JobSpec::new(fields, now).expect("a job");
    let id = JobId::new(&format!("bench:{n}")).expect("an id");
    let seq = u64::try_from(n).unwrap_or_default() + 1;
    let mut job = JobRecord::new((id, seq), submitter(), spec, now);
    job.plan.next = job
        .next_runs(1, chrono_tz::Tz::UTC, at(now))
        .first()
        .copied();
    job
}

fn at(wall: DateTime<Utc>) -> Now {
    Now {
        wall,
        boot: Duration::from_secs(1000),
    }
}

/// What one step of the scheduler costs, with the question when to wake next.
fn steps(jobs: usize) {
    let now = Utc::now();
    let records = (0..jobs).map(|n| Arc::new(daily(n, now))).collect();
    let queue = Arc::new(QueueRecord::default_queue(4));
    let mut scheduler = Scheduler::new(Policy::default(), vec![queue], records);
    let rounds = 100_000_u64;
    let begun = Instant::now();
    for n in 0..rounds {
        let job = usize::try_from(n).unwrap_or_default() * 7919 % jobs;
        let event = Event::Modify {
            ticket: Ticket(n),
            id: JobId::new(&format!("bench:{job}")).expect("an id"),
            settings: vec![Setting::Priority(Some(u32::try_from(n).unwrap_or(0)))],
        };
        scheduler.begin();
        std::hint::black_box(scheduler.handle(event, at(now)));
        std::hint::black_box(scheduler.next_wake());
    }
    let each = begun.elapsed() / u32::try_from(rounds).unwrap_or(1);
    println!("a step with {jobs:>8} jobs       {each:>10.2?}");
}

/// When a job was due, and when it was begun.
type Begun = (Option<DateTime<Utc>>, DateTime<Utc>);

/// An executor that runs nothing, and remembers when it was asked to.
struct Idle {
    asked: Mutex<Vec<Begun>>,
    news: NewsSender,
}

impl Idle {
    fn new(news: NewsSender) -> Self {
        let asked = Mutex::default();
        Self { asked, news }
    }
}

impl Runs for Idle {
    fn prepare(&self, job: &Arc<JobRecord>) {
        let due = job.spec.fields().scheduled_start_time;
        let due = due.and_then(|due| due.as_instant());
        let mut asked = self
            .asked
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        asked.push((due, Utc::now()));
    }
    fn release(&self, _id: &JobId, _run: u32) {}
    fn abandon(&self, _id: &JobId, _run: u32) {}
    fn signal(&self, id: &JobId, run: u32, signal: Signal) {
        let delivered = false;
        let news = RunNews::Signalled { signal, delivered };
        drop(self.news.try_send((id.clone(), run, news)));
    }
    fn acknowledge(&self, _id: &JobId, _run: u32) {}
    fn discard(&self, _forgotten: Forgotten) {}
    fn survey(&self) -> BoxFuture<'_, Vec<(JobId, u32)>> {
        Box::pin(std::future::ready(Vec::new()))
    }
    fn adopt<'a>(&'a self, _job: &'a Arc<JobRecord>) -> BoxFuture<'a, RunNews> {
        Box::pin(std::future::ready(RunNews::NeverRan))
    }
    fn read_log<'a>(
        &'a self,
        _run: (&'a JobId, u32),
        _stream: Stream,
        _offset: u64,
        _max: usize,
    ) -> BoxFuture<'a, Result<LogChunk, LogError>> {
        Box::pin(std::future::ready(Err(LogError(
            "there is none".to_owned(),
        ))))
    }
}

struct Bench {
    engine: Engine,
    task: EngineTask,
    store: WriterThread,
}

impl Bench {
    async fn close(self) -> Result<(), Failed> {
        self.task.shutdown().await?;
        self.store.close().await;
        Ok(())
    }
}

async fn idle(folder: &Path) -> Result<(Bench, Arc<Idle>), Failed> {
    let (sender, news) = mpsc::channel::<News>(1024);
    let idle = Arc::new(Idle::new(sender));
    Ok((open(folder, idle.clone(), news).await?, idle))
}

async fn open(
    folder: &Path,
    executor: Arc<dyn Runs>,
    news: mpsc::Receiver<News>,
) -> Result<Bench, Failed> {
    let (writer, store) = Writer::open(Options::new(folder.to_owned())).await?;
    let config = Config {
        max_running: RUNNING,
        ..Config::default()
    };
    let (engine, task) = Engine::open(config, writer, executor, news).await?;
    Ok(Bench {
        engine,
        task,
        store,
    })
}

/// Memory and the time to start with many scheduled jobs in the store.
async fn residents(count: usize) -> Result<(), Failed> {
    let folder = tempfile::tempdir()?;
    fill(folder.path(), count)?;
    let before = resident_bytes()?;
    let begun = Instant::now();
    let (bench, _) = idle(folder.path()).await?;
    let took = begun.elapsed();
    let each = (resident_bytes()? - before) / count as u64;
    println!("{count} jobs: started in  {took:>14.2?}");
    println!("memory for each job            {each:>8} B");
    bench.close().await
}

fn fill(folder: &Path, count: usize) -> Result<(), Failed> {
    let now = Utc::now();
    let mut store = Store::open(&Options::new(folder.to_owned()))?;
    store.load("bench", "no boot")?;
    for first in (0..count).step_by(SLICE) {
        let last = count.min(first + SLICE);
        let insert = |n| Change::Insert {
            job: Arc::new(daily(n, now)),
            request_id: None,
        };
        let changes: Vec<Change> = (first..last).map(insert).collect();
        store.commit(&changes, &[], now)?;
    }
    store.tidy()?;
    Ok(())
}

fn resident_bytes() -> Result<u64, Failed> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib: u64 = line
        .and_then(|line| line.trim().trim_end_matches(" kB").parse().ok())
        .ok_or("the kernel does not say VmRSS")?;
    Ok(kib * 1024)
}

/// Submissions that are durable when they are answered, by one client and by many.
async fn submissions() -> Result<(), Failed> {
    let folder = tempfile::tempdir()?;
    let syncs = syncs(folder.path())?;
    println!("fdatasync of the disk          {syncs:>8.0} /s");
    for clients in [1, CLIENTS] {
        let (bench, _) = idle(folder.path()).await?;
        let until = Instant::now() + Duration::from_secs(5);
        let client = || submit_until(bench.engine.clone(), until);
        let done = join_all((0..clients).map(|_| client())).await;
        let all: usize = done
            .into_iter()
            .collect::<Result<Vec<_>, _>>()?
            .iter()
            .sum();
        let rate = f64::from(u32::try_from(all)?) / 5.0;
        let times = rate / syncs;
        println!(
            "submissions, {clients:>2} clients        {rate:>8.0} /s  ({times:.1} for each sync)"
        );
        bench.close().await?;
    }
    Ok(())
}

async fn submit_until(engine: Engine, until: Instant) -> Result<usize, Failed> {
    let held = JobFields {
        hold: Some(true),
        ..fields()
    };
    let mut done = 0;
    while Instant::now() < until {
        engine.submit(held.clone(), submitter(), None).await?;
        done += 1;
    }
    Ok(done)
}

/// How often the disk makes 4 KiB durable.
fn syncs(folder: &Path) -> Result<f64, Failed> {
    let mut file = File::create(folder.join("sync"))?;
    let (mut count, begun) = (0_u32, Instant::now());
    while begun.elapsed() < Duration::from_secs(2) {
        file.write_all(&[0; 4096])?;
        file.sync_data()?;
        count += 1;
    }
    Ok(f64::from(count) / begun.elapsed().as_secs_f64())
}

/// How late jobs are begun that are due one after the other.
async fn lateness() -> Result<(), Failed> {
    let folder = tempfile::tempdir()?;
    let (bench, idle) = idle(folder.path()).await?;
    let mut limits = QueueRecord::default_queue(1_000_000).limits;
    limits.max_jobs = 0;
    bench
        .engine
        .order_queue("default", QueueOrder::Limit(limits))
        .await?;
    let first = Utc::now() + TimeDelta::seconds(2);
    let count = 500;
    for n in 0..count {
        let due = first + TimeDelta::milliseconds(10 * n);
        let fields = JobFields {
            scheduled_start_time: Some(CimDateTime::timestamp(due)),
            ..fields()
        };
        bench.engine.submit(fields, submitter(), None).await?;
    }
    let over = first + TimeDelta::milliseconds(10 * count + 1000) - Utc::now();
    tokio::time::sleep(over.to_std().unwrap_or_default()).await;
    let asked = idle
        .asked
        .lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner)
        .clone();
    let late = asked
        .iter()
        .filter_map(|(due, begun)| (*begun - (*due)?).to_std().ok());
    let mut late: Vec<Duration> = late.collect();
    late.sort();
    let of = |part: usize| {
        late.get(late.len() * part / 100)
            .copied()
            .unwrap_or_default()
    };
    let begun = late.len();
    println!(
        "{begun} of {count} due jobs: median {:?}, 99 % {:?} late",
        of(50),
        of(99)
    );
    bench.close().await
}

/// `true` as a job, supervised and on record, against a bare fork, exec and wait.
async fn programs() -> Result<(), Failed> {
    let bare = bare()?;
    let folder = tempfile::tempdir()?;
    let (sender, news) = mpsc::channel::<News>(1024);
    let options = ExecutorOptions {
        program: env!("CARGO_BIN_EXE_jobwright-supervisor").into(),
        folder: folder.path().join("runs"),
        environment: vec![("PATH".to_owned(), "/usr/bin:/bin".to_owned())],
        output_limit_bytes: 1 << 20,
        cgroups: Cgroups::find(None).ok(),
        boot_id: None,
    };
    let executor = Arc::new(ProcessExecutor::new(options, sender)?);
    let bench = open(folder.path(), executor, news).await?;
    let mut changes = bench.engine.changes();
    let (count, begun) = (500, Instant::now());
    let submitted = (0..count).map(|_| bench.engine.submit(fields(), submitter(), None));
    for submitted in join_all(submitted).await {
        submitted?;
    }
    let mut ended = 0;
    while ended < count {
        let change = changes.recv().await?;
        let is_final =
            |job: &Option<Arc<JobRecord>>| job.as_ref().is_some_and(|job| job.state.is_final());
        ended += u32::from(is_final(&change.after) && !is_final(&change.before));
    }
    let rate = f64::from(count) / begun.elapsed().as_secs_f64();
    println!("bare fork, exec, wait          {bare:>8.0} /s");
    println!(
        "jobs that run true             {rate:>8.0} /s  (1/{:.1})",
        bare / rate
    );
    bench.close().await
}

fn bare() -> Result<f64, Failed> {
    let (count, begun) = (500_u32, Instant::now());
    for _ in 0..count {
        let mut child = Command::new("/bin/true")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()?;
        child.wait()?;
    }
    Ok(f64::from(count) / begun.elapsed().as_secs_f64())
}
