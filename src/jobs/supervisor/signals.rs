//! Signals to the supervisor: it outlives those that end other processes, and hears of children.

use std::io::{self, Read};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use signal_hook::consts::signal;

/// The signals that a server may have been started with as ignored, as `nohup` and many shells do
/// it. An ignored one would stay ignored in the job; one with a handler is reset when the job is
/// executed. It also lets the supervisor outlive them: it has to tell how the job took them.
const HANDLED: [i32; 15] = [
    signal::SIGHUP,
    signal::SIGINT,
    signal::SIGQUIT,
    signal::SIGTERM,
    signal::SIGUSR1,
    signal::SIGUSR2,
    signal::SIGALRM,
    signal::SIGVTALRM,
    signal::SIGPROF,
    signal::SIGIO,
    signal::SIGTSTP,
    signal::SIGTTIN,
    signal::SIGTTOU,
    signal::SIGXCPU,
    signal::SIGXFSZ,
];

/// Readable when the state of a child has changed.
pub(super) struct Children(UnixStream);

/// Handles the signals of this process.
pub(super) fn handle() -> io::Result<Children> {
    for signal in HANDLED {
        signal_hook::flag::register(signal, Arc::new(AtomicBool::new(false)))?;
    }
    let (heard, told) = UnixStream::pair()?;
    heard.set_nonblocking(true)?;
    signal_hook::low_level::pipe::register(signal::SIGCHLD, told)?;
    Ok(Children(heard))
}

impl Children {
    /// Forgets what was heard, so that only what is new is heard of.
    pub(super) fn forget(&mut self) {
        let mut buffer = [0; 64];
        while matches!(self.0.read(&mut buffer), Ok(1..)) {}
    }

    /// Waits for news of a child, at most for `patience`.
    pub(super) fn wait(&mut self, patience: Duration) {
        let timeout = Timespec::try_from(patience).ok();
        let mut events = [PollFd::new(&self.0, PollFlags::IN)];
        // An interrupted wait is a short one.
        poll(&mut events, timeout.as_ref()).ok();
        self.forget();
    }
}

impl AsFd for Children {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}
