//! One run as the server sees it: a task that tells the supervisor what to do and hears what happens.

#![expect(
    clippy::disallowed_methods,
    reason = "supervisors leave what they know in files"
)]

use std::io;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::fs::{Mode, OFlags};
use rustix::process::{Pid, PidfdFlags, pidfd_open};
use tokio::io::unix::AsyncFd;
use tokio::sync::mpsc;

use super::super::core::{Exit, JobId, RunEnd, RunNews, Signal};
use super::super::port::NewsSender;
use super::identity::Holder;
use super::message::{self, End, LINE_LIMIT_BYTES, Lines, Outcome, Report, Told};
use super::{layout, leftovers};

/// What the driver wants of a run.
#[derive(Debug)]
pub(super) enum Order {
    Release,
    Abandon,
    Signal(Signal),
    Acknowledge,
}

/// How soon a supervisor is greeted again that could not be told of this server.
const GREETING_INTERVAL: Duration = Duration::from_millis(100);

/// A run and the two fifos of its supervisor.
pub(super) struct Attached {
    job: JobId,
    run: u32,
    folder: PathBuf,
    holder: Holder,
    /// The supervisor must still be told that this server is there.
    greets: bool,
    reports: AsyncFd<OwnedFd>,
    /// The supervisor itself: it is readable once the supervisor has gone.
    supervisor: AsyncFd<OwnedFd>,
    lines: Lines,
}

/// What comes next from a supervisor.
enum Heard {
    Report(Report),
    /// The supervisor is gone.
    Silence,
}

impl Attached {
    /// Opens the reports of the run in `folder`, whose supervisor this server starts.
    pub(super) fn open(job: JobId, run: u32, folder: PathBuf, holder: Holder) -> io::Result<Self> {
        let pid =
            Pid::from_raw(holder.identity.pid).ok_or_else(|| io::Error::other("no process id"))?;
        let supervisor = pidfd_open(pid, PidfdFlags::NONBLOCK)?;
        // Open for writing too, so that it does not end when a supervisor that believed itself
        // alone closes its side; the supervisor takes whoever has it open for a reader.
        let flags = OFlags::RDWR | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let fifo = rustix::fs::open(layout::news(&folder), flags, Mode::empty())?;
        Ok(Self {
            job,
            run,
            folder,
            holder,
            greets: false,
            reports: watched(fifo)?,
            supervisor: watched(supervisor)?,
            lines: Lines::default(),
        })
    }

    /// The same for a supervisor that another server started: it is told of this one.
    pub(super) fn adopt(job: JobId, run: u32, folder: PathBuf, holder: Holder) -> io::Result<Self> {
        let mut adopted = Self::open(job, run, folder, holder)?;
        adopted.greet();
        Ok(adopted)
    }

    fn greet(&mut self) {
        self.greets = !self.tell(Told::Hello);
    }

    /// Tells the supervisor; false when nobody listens.
    fn tell(&self, told: Told) -> bool {
        let flags = OFlags::WRONLY | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let fifo = rustix::fs::open(layout::control(&self.folder), flags, Mode::empty());
        // A line is shorter than what a pipe takes in one piece, so it is written whole or not.
        fifo.is_ok_and(|fifo| rustix::io::write(&fifo, &message::line(&told)).is_ok())
    }

    /// Follows the run to its end, which is reported, and until that is acknowledged.
    pub(super) async fn follow(
        mut self,
        mut orders: mpsc::UnboundedReceiver<Order>,
        news: NewsSender,
    ) {
        let mut heard = Vec::new();
        loop {
            tokio::select! {
                order = orders.recv() => match order {
                    Some(Order::Signal(signal)) => self.signal(signal, &news).await,
                    Some(Order::Acknowledge | Order::Abandon) | None => return,
                    Some(Order::Release) => {}
                },
                more = self.hear() => heard = more,
                // One that has not opened its fifo yet, or whose fifo is full, hears it later.
                () = tokio::time::sleep(GREETING_INTERVAL), if self.greets => self.greet(),
            }
            for heard in heard.drain(..) {
                let end = match heard {
                    Heard::Report(Report::Ended(end)) => ended(end),
                    Heard::Report(report) => {
                        self.warn(&report);
                        self.send(&news, news_of(report)).await;
                        continue;
                    }
                    Heard::Silence => self.fate().await,
                };
                self.send(&news, end).await;
                return self.wait_for_record(orders, &news).await;
            }
        }
    }

    /// The end was reported: the supervisor may go once it is on record.
    async fn wait_for_record(self, mut orders: mpsc::UnboundedReceiver<Order>, news: &NewsSender) {
        while let Some(order) = orders.recv().await {
            match order {
                Order::Acknowledge | Order::Abandon => {
                    self.tell(Told::Acknowledge);
                    return;
                }
                // It ended before the signal came.
                Order::Signal(signal) => {
                    self.send(
                        news,
                        RunNews::Signalled {
                            signal,
                            delivered: false,
                        },
                    )
                    .await;
                }
                Order::Release => {}
            }
        }
    }

    /// A run is none the worse for it, but what was asked for is not done.
    fn warn(&self, report: &Report) {
        if let Report::Running {
            outside: Some(why), ..
        } = report
        {
            tracing::warn!(job = %self.job, run = self.run, why, "a run has no cgroup of its own");
        }
    }

    async fn signal(&self, signal: Signal, news: &NewsSender) {
        if !self.tell(signal.into()) {
            self.send(
                news,
                RunNews::Signalled {
                    signal,
                    delivered: false,
                },
            )
            .await;
        }
    }

    async fn send(&self, news: &NewsSender, what: RunNews) {
        // The driver has gone when nobody receives; the next server will hear it.
        drop(news.send((self.job.clone(), self.run, what)).await);
    }

    /// Waits for reports, or for the supervisor to go.
    async fn hear(&mut self) -> Vec<Heard> {
        let mut buffer = [0; LINE_LIMIT_BYTES];
        let read = tokio::select! {
            // What it wrote before it went is read first.
            biased;
            read = self.read(&mut buffer) => read,
            // An empty fifo is an error here, for it never ends.
            _ = self.supervisor.readable() => {
                rustix::io::read(&self.reports, &mut buffer[..]).unwrap_or(0)
            }
        };
        if read == 0 {
            return vec![Heard::Silence];
        }
        let lines = self
            .lines
            .take(buffer.get(..read).unwrap_or_default(), LINE_LIMIT_BYTES);
        let report = |line: Vec<u8>| match message::parse(&line) {
            Ok(report) => Some(Heard::Report(report)),
            Err(error) => {
                tracing::warn!(job = %self.job, %error, "a supervisor's report is not understood");
                None
            }
        };
        lines.into_iter().filter_map(report).collect()
    }

    async fn read(&self, buffer: &mut [u8]) -> usize {
        loop {
            let Ok(mut ready) = self.reports.readable().await else {
                return 0;
            };
            match ready.try_io(|fifo| Ok(rustix::io::read(fifo, &mut *buffer)?)) {
                Ok(Ok(read)) => return read,
                Ok(Err(error)) if error.kind() == io::ErrorKind::Interrupted => {}
                Ok(Err(_)) => return 0,
                Err(_would_block) => {}
            }
        }
    }

    /// The supervisor is gone: its exit file knows, or nobody does.
    async fn fate(&self) -> RunNews {
        let (folder, holder) = (self.folder.clone(), self.holder.clone());
        settled(folder, holder).await
    }
}

#[expect(
    deprecated,
    reason = "its successor is unsafe; the descriptor is owned here and nowhere else"
)]
fn watched(descriptor: OwnedFd) -> io::Result<AsyncFd<OwnedFd>> {
    AsyncFd::new(descriptor)
}

fn news_of(report: Report) -> RunNews {
    match report {
        Report::Running { pid, .. } => RunNews::Running(u32::try_from(pid).ok()),
        Report::Progress { percent, text } => RunNews::Progress { percent, text },
        Report::Signalled { signal, delivered } => RunNews::Signalled {
            signal: signal.signal().unwrap_or(Signal::Kill),
            delivered,
        },
        Report::Ended(end) => ended(end),
    }
}

/// The end of a run as news.
pub(super) fn ended(end: End) -> RunNews {
    let exit = match end.outcome {
        Outcome::Exited(status) => Exit::Code(status),
        Outcome::Signalled(signal) => Exit::Signal(signal),
        Outcome::NotStarted(reason) => Exit::NotStarted(reason),
        Outcome::NeverReleased => return RunNews::NeverRan,
    };
    RunNews::Ended(RunEnd {
        exit,
        at: Some(end.at),
        cpu: end.cpu,
        max_rss_bytes: end.max_rss_bytes,
        written: end.written,
    })
}

/// Nobody knows how the run ended.
pub(super) fn unknown(reason: &str) -> RunNews {
    RunNews::Ended(Exit::Unknown(reason.to_owned()).into())
}

/// How the run in `folder` ended, as its supervisor has recorded it; `None` without a record.
pub(super) fn recorded(folder: &Path) -> Option<RunNews> {
    let text = std::fs::read(layout::exit(folder)).ok()?;
    Some(match message::parse(&text) {
        Ok(end) => ended(end),
        Err(error) => unknown(&format!("the record of its end is {error}")),
    })
}

/// How the run in `folder` ended, its `supervisor` being gone. What is left of it is ended: a run
/// that nobody watches must not go on unknown.
pub(super) async fn settled(folder: PathBuf, holder: Holder) -> RunNews {
    let settle = move || {
        if let Some(news) = recorded(&folder) {
            return news;
        }
        let leader = std::fs::read(layout::leader(&folder)).ok();
        let leader = leader.and_then(|text| message::parse(&text).ok());
        let left = leftovers::end(&holder, leader.as_ref());
        if left > 0 {
            tracing::warn!(folder = %folder.display(), left, "killed processes do not go away");
        }
        unknown("its supervisor was lost, and with it the outcome")
    };
    let settled = tokio::task::spawn_blocking(settle).await;
    settled.unwrap_or_else(|_| unknown("its outcome could not be read"))
}
