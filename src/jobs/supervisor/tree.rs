//! The processes of a run: all descendants of the supervisor, whatever session they moved to.
//!
//! The supervisor is their subreaper, so that a process whose parent ended becomes its child and
//! stays findable.

use std::time::{Duration, Instant};

use rustix::process::Signal;

use super::super::executor::processes::{self, Seen};

/// How long the processes of a run may take to stop: one that waits inside the kernel stops only
/// when it comes back from there.
const STOPPING: Duration = Duration::from_secs(1);
/// How often they are looked at meanwhile.
const LOOK: Duration = Duration::from_millis(1);

/// Sends `signal` to every process of the run; false when there is none.
pub(super) fn signal(signal: Signal) -> bool {
    processes::signal(signal, living)
}

/// Stops every process of the run and waits until they have stopped; false when there is none.
///
/// A signal is only pending when it has been sent: whoever is told that the run is suspended may
/// count on nothing of it going on.
pub(super) fn stop() -> bool {
    let reached = signal(Signal::STOP);
    let deadline = Instant::now() + STOPPING;
    let is_stopped = |seen: &Seen| matches!(seen.stat.state, 'T' | 't');
    while !living().iter().all(is_stopped) && Instant::now() < deadline {
        std::thread::sleep(LOOK);
    }
    reached
}

fn living() -> Vec<Seen> {
    let own = rustix::process::getpid().as_raw_nonzero().get();
    processes::descendants(&processes::all(), [own])
}
