//! Jobs as processes of this machine, each under a supervisor of its own.

#![expect(clippy::disallowed_methods, reason = "the executor starts processes")]

use std::collections::HashMap;
use std::fs::DirBuilder;
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::{Arc, Mutex, PoisonError};

use futures_util::future::BoxFuture;
use rustix::fs::{CWD, Mode, mkfifoat};
use tokio::io::AsyncWriteExt;
use tokio::process::{Child, ChildStdin, Command};
use tokio::sync::mpsc;

use super::super::core::{Exit, JobId, JobRecord, RunNews, Signal, Work};
use super::super::port::{LogChunk, LogError, NewsSender, Runs, Stream};
use super::super::supervisor::SUPERVISE;
use super::attached::{Attached, Order, recorded, settled, unknown};
use super::cgroups::Cgroups;
use super::identity::{Holder, Identity, boot_id};
use super::layout::{self, Layout};
use super::log;
use super::message::{self, Program, Spec};
use crate::store::Forgotten;

/// How the executor is set up.
#[derive(Debug, Clone)]
pub struct Options {
    /// The program that is started as supervisor; see [`supervisor::run`](super::super::supervisor::run).
    pub program: PathBuf,
    /// The folder of all runs; made with mode 0700 when it is not there.
    pub folder: PathBuf,
    /// What every job's environment begins with.
    pub environment: Vec<(String, String)>,
    /// Most bytes kept of each output of a run.
    pub output_limit_bytes: u64,
    /// Where each run has a cgroup of its own; `None` where it cannot.
    pub cgroups: Option<Cgroups>,
    /// Which boot of the machine this is, where that is not for the kernel to say.
    pub boot_id: Option<String>,
}

/// Whether a prepared supervisor was allowed to begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Leave {
    /// It was told to.
    Given,
    /// It was told not to.
    Refused,
    /// It was gone by then.
    TooLate,
}

/// Runs jobs as processes.
pub struct ProcessExecutor {
    shared: Arc<Shared>,
}

struct Shared {
    options: Options,
    layout: Layout,
    news: NewsSender,
    /// The runs that a task follows. Held for a look-up only, never across an await.
    followed: Mutex<HashMap<(JobId, u32), mpsc::UnboundedSender<Order>>>,
}

impl ProcessExecutor {
    /// An executor that reports to `news`.
    pub fn new(options: Options, news: NewsSender) -> io::Result<Self> {
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&options.folder)?;
        let layout = Layout::new(options.folder.clone());
        let followed = Mutex::default();
        Ok(Self {
            shared: Arc::new(Shared {
                options,
                layout,
                news,
                followed,
            }),
        })
    }
}

impl Shared {
    fn order(&self, id: &JobId, run: u32, order: Order) -> bool {
        let followed = self.followed.lock().unwrap_or_else(PoisonError::into_inner);
        followed
            .get(&(id.clone(), run))
            .is_some_and(|orders| orders.send(order).is_ok())
    }

    fn enlist(&self, id: &JobId, run: u32) -> mpsc::UnboundedReceiver<Order> {
        // One step of the driver gives a limited number of orders, and whoever takes them waits for
        // nobody but that driver: the queue is never longer than what one step gives.
        let (orders, received) = mpsc::unbounded_channel();
        let mut followed = self.followed.lock().unwrap_or_else(PoisonError::into_inner);
        followed.insert((id.clone(), run), orders);
        received
    }

    fn dismiss(&self, id: &JobId, run: u32) {
        let mut followed = self.followed.lock().unwrap_or_else(PoisonError::into_inner);
        followed.remove(&(id.clone(), run));
    }

    fn spec(&self, job: &JobRecord, run: u32, folder: PathBuf) -> Spec {
        let program = match job.spec.work() {
            Work::Command(command) => Program::Command(command.to_vec()),
            Work::Script { text, interpreter } => Program::Script {
                text: text.to_owned(),
                interpreter: interpreter.to_owned(),
            },
        };
        let mut environment = self.options.environment.clone();
        let own = job
            .spec
            .environment()
            .iter()
            .filter_map(|entry| entry.split_once('='));
        environment.extend(own.map(|(name, value)| (name.to_owned(), value.to_owned())));
        // The last of a name counts: what a job is told of itself cannot be told otherwise.
        environment.push(("JOBWRIGHT_JOB_ID".to_owned(), job.id.as_str().to_owned()));
        environment.push(("JOBWRIGHT_RUN".to_owned(), run.to_string()));
        if let Some(failed) = job.repairs() {
            let of_failed = [
                ("JOBWRIGHT_FAILED_JOB_ID", failed.job.to_string()),
                ("JOBWRIGHT_FAILED_RUN", failed.run.to_string()),
                ("JOBWRIGHT_FAILED_CODE", failed.code.to_string()),
            ];
            environment.extend(of_failed.map(|(name, value)| (name.to_owned(), value)));
        }
        Spec {
            folder,
            program,
            environment,
            working_directory: job.spec.working_directory().map(str::to_owned),
            output_limit_bytes: self.options.output_limit_bytes,
            cpu_limit_seconds: job.run.as_ref().and_then(|run| run.cpu_limit).map(|limit| {
                // The kernel counts whole seconds.
                limit.as_secs() + u64::from(limit.subsec_nanos() > 0)
            }),
        }
    }

    /// The life of a run from its preparation: a supervisor that waits, then one that runs.
    async fn run(
        self: Arc<Self>,
        job: Arc<JobRecord>,
        run: u32,
        mut orders: mpsc::UnboundedReceiver<Order>,
    ) {
        let folder = self.layout.run(&job.id, run);
        let send = async |news| drop(self.news.send((job.id.clone(), run, news)).await);
        let (attached, mut child, mut input, holder) =
            match self.start(&job, run, folder.clone()).await {
                Ok(started) => started,
                Err(error) => {
                    let exit = Exit::NotStarted(format!("the supervisor of the run: {error}"));
                    return send(RunNews::Ended(exit.into())).await;
                }
            };
        send(RunNews::Prepared(holder)).await;
        let leave = loop {
            tokio::select! {
                order = orders.recv() => match order {
                    Some(Order::Release) if input.write_all(b"go\n").await.is_ok() => {
                        break Leave::Given;
                    }
                    Some(Order::Release) => break Leave::TooLate,
                    // There is nothing yet that a signal could reach.
                    Some(Order::Signal(signal)) => {
                        send(RunNews::Signalled { signal, delivered: false }).await;
                    }
                    Some(Order::Abandon | Order::Acknowledge) | None => break Leave::Refused,
                },
                // It goes by itself only when it is made to.
                _ = child.wait() => break Leave::TooLate,
            }
        };
        // The end of its input lets a supervisor without leave go.
        drop(input);
        match leave {
            Leave::Given => attached.follow(orders, self.news.clone()).await,
            Leave::TooLate => {
                let why = "its supervisor ended before the program could begin";
                send(RunNews::Ended(Exit::NotStarted(why.to_owned()).into())).await;
            }
            Leave::Refused => {}
        }
        // The supervisor is reaped; it may outlive the acknowledgement by a moment.
        drop(child.wait().await);
        if leave == Leave::Refused {
            drop(tokio::task::spawn_blocking(move || std::fs::remove_dir_all(folder)).await);
        }
    }

    async fn start(
        &self,
        job: &JobRecord,
        run: u32,
        folder: PathBuf,
    ) -> io::Result<(Attached, Child, ChildStdin, String)> {
        let made = folder.clone();
        let make = tokio::task::spawn_blocking(move || make_folder(&made));
        make.await.map_err(io::Error::other)??;
        let cgroups = self.options.cgroups.as_ref();
        let mut command = Command::new(&self.options.program);
        command.arg(SUPERVISE).envs(SMALL);
        if let Some(cgroups) = cgroups {
            command.args([&cgroups.base, &cgroups.home]);
        }
        let mut child = command
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()?;
        let pid = child.id().and_then(|pid| i32::try_from(pid).ok());
        let identity = Identity::of(pid.ok_or_else(|| io::Error::other("it ended at once"))?)?;
        let holder = Holder {
            cgroup: cgroups.map(|cgroups| cgroups.of(&identity).folder().to_owned()),
            identity,
        };
        let attached = Attached::open(job.id.clone(), run, folder.clone(), holder.clone())?;
        let mut input = child
            .stdin
            .take()
            .ok_or_else(|| io::Error::other("it has no input"))?;
        input
            .write_all(&message::line(&self.spec(job, run, folder)))
            .await?;
        Ok((attached, child, input, message::text(&holder)))
    }

    async fn adopt(self: &Arc<Self>, job: &JobRecord, run: u32, identity: &str) -> RunNews {
        let folder = self.layout.run(&job.id, run);
        let holder = match message::parse::<Holder>(identity.as_bytes()) {
            Ok(holder) => holder,
            Err(error) => return unknown(&format!("the record of its supervisor is {error}")),
        };
        let identity = &holder.identity;
        let boot = self.options.boot_id.clone().map_or_else(boot_id, Ok);
        if boot.is_ok_and(|boot| boot != identity.boot_id) {
            let cut_off = || unknown("the machine was restarted while it ran");
            return recorded(&folder).unwrap_or_else(cut_off);
        }
        if !identity.is_alive() {
            return settled(folder, holder).await;
        }
        match Attached::adopt(job.id.clone(), run, folder.clone(), holder.clone()) {
            // One that ended just now has left its exit file; the number is checked again now that
            // a descriptor holds whatever process has it.
            Ok(attached) if identity.is_alive() => {
                let orders = self.enlist(&job.id, run);
                let (shared, id) = (self.clone(), job.id.clone());
                tokio::spawn(async move {
                    attached.follow(orders, shared.news.clone()).await;
                    shared.dismiss(&id, run);
                });
                RunNews::Adopted
            }
            Ok(_) | Err(_) => settled(folder, holder).await,
        }
    }
}

/// A supervisor needs little memory and is one of many: the allocator shall take no huge pages for it,
/// which the kernel clears before it may begin. The job has an environment of its own.
const SMALL: [(&str, &str); 2] = [
    ("MIMALLOC_ALLOW_THP", "0"),
    ("MIMALLOC_ARENA_RESERVE", "4MiB"),
];

fn make_folder(folder: &Path) -> io::Result<()> {
    if folder.exists() {
        std::fs::remove_dir_all(folder)?;
    }
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(folder)?;
    for fifo in [layout::control(folder), layout::news(folder)] {
        mkfifoat(CWD, fifo, Mode::RUSR | Mode::WUSR)?;
    }
    Ok(())
}

fn number_of_run(job: &JobRecord) -> u32 {
    job.run.as_ref().map_or(0, |run| run.number)
}

impl Runs for ProcessExecutor {
    fn prepare(&self, job: &Arc<JobRecord>) {
        let (shared, job, run) = (self.shared.clone(), job.clone(), number_of_run(job));
        let orders = shared.enlist(&job.id, run);
        tokio::spawn(async move {
            let id = job.id.clone();
            shared.clone().run(job, run, orders).await;
            shared.dismiss(&id, run);
        });
    }

    fn release(&self, id: &JobId, run: u32) {
        self.shared.order(id, run, Order::Release);
    }

    fn abandon(&self, id: &JobId, run: u32) {
        self.shared.order(id, run, Order::Abandon);
    }

    fn signal(&self, id: &JobId, run: u32, signal: Signal) {
        if !self.shared.order(id, run, Order::Signal(signal)) {
            let (news, id) = (self.shared.news.clone(), id.clone());
            tokio::spawn(async move {
                let undelivered = RunNews::Signalled {
                    signal,
                    delivered: false,
                };
                drop(news.send((id, run, undelivered)).await);
            });
        }
    }

    fn acknowledge(&self, id: &JobId, run: u32) {
        self.shared.order(id, run, Order::Acknowledge);
    }

    fn discard(&self, forgotten: Forgotten) {
        let layout = self.shared.layout.clone();
        tokio::task::spawn_blocking(move || {
            let removed = match &forgotten {
                Forgotten::Job(id) => std::fs::remove_dir_all(layout.job(id)),
                Forgotten::Run(id, number) => layout.remove_run(id, *number),
            };
            match removed {
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    tracing::warn!(?forgotten, %error, "files of runs stay behind");
                }
                Ok(()) | Err(_) => {}
            }
        });
    }

    fn survey(&self) -> BoxFuture<'_, Vec<(JobId, u32)>> {
        let layout = self.shared.layout.clone();
        let cgroups = self.shared.options.cgroups.clone();
        let look = tokio::task::spawn_blocking(move || {
            if let Some(cgroups) = cgroups {
                cgroups.sweep();
            }
            layout.survey()
        });
        Box::pin(async move { look.await.unwrap_or_default() })
    }

    fn adopt<'a>(&'a self, job: &'a Arc<JobRecord>) -> BoxFuture<'a, RunNews> {
        Box::pin(async move {
            let identity = job.run.as_ref().and_then(|run| run.identity.clone());
            match identity {
                Some(identity) => {
                    let number = number_of_run(job);
                    self.shared.adopt(job, number, &identity).await
                }
                None => RunNews::NeverRan,
            }
        })
    }

    fn read_log<'a>(
        &'a self,
        (id, run): (&'a JobId, u32),
        stream: Stream,
        offset: u64,
        max: usize,
    ) -> BoxFuture<'a, Result<LogChunk, LogError>> {
        Box::pin(async move {
            let folder = self.shared.layout.run(id, run);
            let name = match stream {
                Stream::Stdout => log::STDOUT,
                Stream::Stderr => log::STDERR,
            };
            let read = tokio::task::spawn_blocking(move || log::read(&folder, name, offset, max));
            let piece = read.await.map_err(io::Error::other).and_then(|read| read);
            let piece = piece.map_err(|error| LogError(error.to_string()))?;
            Ok(LogChunk {
                data: piece.data,
                next_offset: piece.next_offset,
                end: piece.at_end,
            })
        })
    }
}
