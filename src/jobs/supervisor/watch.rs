//! Watching a run: one loop over its pipes, its end, and what servers say.

use std::io;
use std::ops::RangeInclusive;
use std::os::fd::AsFd;
use std::time::{Duration, Instant};

use nix::sys::wait::WaitStatus::{Exited, Signaled};
use nix::sys::wait::{Id, WaitPidFlag, waitid};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::process::{Pid, PidfdFlags, WaitOptions, WaitStatus, pidfd_open, wait};

use super::super::core::{Signal as Asked, Written};
use super::super::executor::message::{End, Outcome, Report, Told};
use super::fifo::Fifos;
use super::inside::Inside;
use super::launch::Started;
use super::output::Output;
use super::progress::Progress;
use super::signals::Children;
use super::tree::Tree;

/// How long killed processes of a run may take to go before they are looked for again: at first,
/// and at last, for the kernel may hold one as long as a disk does not answer.
const REAPING: RangeInclusive<Duration> = Duration::from_millis(2)..=Duration::from_secs(1);

/// A run and those who ask after it.
pub(super) struct Watch {
    fifos: Fifos,
    children: Children,
    /// The newest state, for a server that comes later.
    running: Option<Report>,
    progress: Option<Report>,
}

impl Watch {
    /// Nothing runs yet.
    pub(super) fn new(fifos: Fifos, children: Children) -> Self {
        Self {
            fifos,
            children,
            running: None,
            progress: None,
        }
    }

    /// Watches `started` until its leader has ended and nothing of it is left; gives how the leader
    /// ended, how much was written, and the processor time that its cgroup knows of. `outside` says
    /// why it has none that it should have.
    pub(super) fn follow(
        &mut self,
        started: Started,
        inside: Option<Inside>,
        outside: Option<String>,
    ) -> io::Result<(Outcome, Written, Option<Duration>)> {
        let leader = Pid::from_raw(started.pid).ok_or_else(|| io::Error::other("no process id"))?;
        let ended = pidfd_open(leader, PidfdFlags::empty())?;
        self.say_running(started.pid, outside);
        let tree = Tree::of(inside);
        let (stdout, stderr) = started.logs;
        let mut outputs = [
            Output::new(started.stdout, stdout),
            Output::new(started.stderr, stderr),
        ];
        rustix::io::ioctl_fionbio(&started.progress, true)?;
        let (mut pipe, mut progress) = (Some(started.progress), Progress::default());
        let mut buffer = Vec::new();
        loop {
            let mut events: Vec<PollFd<'_>> = vec![
                PollFd::new(&ended, PollFlags::IN),
                PollFd::new(&self.children, PollFlags::IN),
            ];
            events.extend(self.fifos.polled());
            let pipes = outputs
                .iter()
                .filter_map(|output| output.pipe.as_ref())
                .chain(&pipe);
            events.extend(pipes.map(|pipe| PollFd::from_borrowed_fd(pipe.as_fd(), PollFlags::IN)));
            match poll(&mut events, None) {
                Ok(_) | Err(Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
            let is_over = events
                .first()
                .is_some_and(|event| !event.revents().is_empty());
            for output in &mut outputs {
                output.pump(&mut buffer);
            }
            self.read_progress(&mut pipe, &mut progress);
            self.fifos.send();
            self.obey(&tree);
            if is_over {
                break;
            }
            self.children.forget();
            reap_orphans(leader);
        }
        let outcome = self.clear(leader, &tree)?;
        for output in &mut outputs {
            output.drain(&mut buffer);
        }
        self.read_progress(&mut pipe, &mut progress);
        let [stdout, stderr] = outputs.map(|output| output.bytes);
        let cpu = tree.cpu();
        tree.close();
        Ok((outcome, Written { stdout, stderr }, cpu))
    }

    fn say_running(&mut self, pid: i32, outside: Option<String>) {
        let report = Report::Running { pid, outside };
        self.fifos.report(&report);
        self.running = Some(report);
    }

    fn read_progress(&mut self, pipe: &mut Option<std::os::fd::OwnedFd>, progress: &mut Progress) {
        let mut buffer = [0; 4096];
        let Some(open) = pipe else { return };
        match rustix::io::read(open, &mut buffer[..]) {
            Ok(0) => *pipe = None,
            Ok(read) => {
                if let Some(report) = progress.take(buffer.get(..read).unwrap_or_default()) {
                    self.fifos.report(&report);
                    self.progress = Some(report);
                }
            }
            Err(Errno::AGAIN | Errno::INTR) => {}
            Err(_) => *pipe = None,
        }
    }

    /// Does what servers ask while the run goes on.
    fn obey(&mut self, tree: &Tree) {
        for told in self.fifos.orders() {
            match (told, told.signal()) {
                (_, Some(asked)) => {
                    let delivered = send(asked, tree);
                    self.fifos.report(&Report::Signalled {
                        signal: told,
                        delivered,
                    });
                }
                (Told::Hello, None) => self.introduce(),
                (_, None) => {}
            }
        }
    }

    /// A server has come: it is told the present state.
    fn introduce(&mut self) {
        for report in [self.running.clone(), self.progress.clone()]
            .into_iter()
            .flatten()
        {
            self.fifos.report(&report);
        }
    }

    /// Ends what the leader left behind and reaps everything; gives how the leader ended.
    fn clear(&mut self, leader: Pid, tree: &Tree) -> io::Result<Outcome> {
        let mut outcome = None;
        let mut patience = *REAPING.start();
        loop {
            match wait(WaitOptions::NOHANG) {
                Ok(Some((pid, status))) if pid == leader => outcome = Some(status),
                Ok(Some(_)) | Err(Errno::INTR) => {}
                Ok(None) => {
                    // Only what is left of the run is still there: its leader has ended.
                    tree.kill();
                    self.children.wait(patience);
                    patience = (patience * 2).min(*REAPING.end());
                }
                Err(Errno::CHILD) => break,
                Err(error) => return Err(error.into()),
            }
        }
        outcome
            .map(of_status)
            .ok_or_else(|| io::Error::other("the end of the leader was not seen"))
    }

    /// Reports the end and waits until a server has it on record; false when none does in time, or
    /// none is there.
    pub(super) fn acknowledged(&mut self, end: &End, patience: Duration) -> io::Result<bool> {
        let report = Report::Ended(end.clone());
        self.fifos.report(&report);
        let deadline = Instant::now() + patience;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() || !self.fifos.has_reader() {
                return Ok(false);
            }
            let mut events: Vec<PollFd<'_>> = self.fifos.polled().collect();
            let timeout = Timespec::try_from(left).map_err(io::Error::other)?;
            match poll(&mut events, Some(&timeout)) {
                Ok(_) | Err(Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
            self.fifos.send();
            for told in self.fifos.orders() {
                match (told, told.signal()) {
                    (Told::Acknowledge, _) => return Ok(true),
                    (Told::Hello, _) => self.fifos.report(&report),
                    (_, Some(_)) => {
                        self.fifos.report(&Report::Signalled {
                            signal: told,
                            delivered: false,
                        });
                    }
                    (_, None) => {}
                }
            }
        }
    }
}

fn send(asked: Asked, tree: &Tree) -> bool {
    match asked {
        Asked::Suspend => tree.suspend(),
        Asked::Continue => tree.resume(),
        Asked::Terminate => tree.terminate(),
        Asked::Kill => tree.kill(),
    }
}

/// Reaps what the run left orphaned; the leader's status is kept for the end.
fn reap_orphans(leader: Pid) {
    let look = WaitPidFlag::WEXITED | WaitPidFlag::WNOHANG | WaitPidFlag::WNOWAIT;
    while let Ok(Exited(orphan, _) | Signaled(orphan, _, _)) = waitid(Id::All, look) {
        // Once the leader has ended everything else is ended and reaped too.
        if orphan.as_raw() == leader.as_raw_nonzero().get() {
            return;
        }
        waitid(Id::Pid(orphan), WaitPidFlag::WEXITED).ok();
    }
}

fn of_status(status: WaitStatus) -> Outcome {
    let byte = |number: i32| u8::try_from(number).unwrap_or(u8::MAX);
    match (status.exit_status(), status.terminating_signal()) {
        (_, Some(signal)) => Outcome::Signalled(byte(signal)),
        (Some(code), None) => Outcome::Exited(byte(code)),
        (None, None) => Outcome::Signalled(0),
    }
}
