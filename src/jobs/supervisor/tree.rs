//! The processes of a run: all descendants of the supervisor, whatever session they moved to, and
//! whatever is in the cgroup of the run.
//!
//! The supervisor is their subreaper, so that a process whose parent ended becomes its child and
//! stays findable, also where there are no cgroups, or a process has left its own.

use std::collections::HashSet;
use std::time::{Duration, Instant};

use rustix::process::Signal;

use super::super::executor::processes::{self, Seen};
use super::inside::{Inside, Run};

/// How long the processes of a run may take to stop: one that waits inside the kernel stops only
/// when it comes back from there.
const STOPPING: Duration = Duration::from_secs(1);
/// How long what others put into the cgroup of a run may take to go once it is killed.
const GOING: Duration = Duration::from_secs(5);
/// How often they are looked at meanwhile.
const LOOK: Duration = Duration::from_millis(1);

/// The processes of the run that this supervisor holds.
pub(super) struct Tree {
    run: Option<Run>,
}

impl Tree {
    /// Those that were started by now; this process must not be in their cgroup any more.
    pub(super) fn of(inside: Option<Inside>) -> Self {
        let run = inside.and_then(Inside::leave);
        Self { run }
    }

    /// Stops everything and waits until it has stopped; false when there is nothing.
    ///
    /// A signal is only pending when it has been sent: whoever is told that the run is suspended may
    /// count on nothing of it going on. What is in the cgroup stands still without being told, so
    /// that it cannot see that it did; the rest is stopped by a signal.
    pub(super) fn suspend(&self) -> bool {
        let frozen = self.freeze(true);
        let loose = || self.outside(frozen);
        let reached = processes::signal(Signal::STOP, loose) || frozen && !self.living().is_empty();
        let deadline = Instant::now() + STOPPING;
        let is_stopped = |seen: &Seen| matches!(seen.stat.state, 'T' | 't');
        let is_still = || {
            let held = self.run.as_ref().filter(|_| frozen);
            held.is_none_or(|run| run.cgroup.is_frozen()) && loose().iter().all(is_stopped)
        };
        while !is_still() && Instant::now() < deadline {
            std::thread::sleep(LOOK);
        }
        reached
    }

    /// Has everything go on that [`Self::suspend`] stopped; false when there is nothing.
    pub(super) fn resume(&self) -> bool {
        let thawed = self.freeze(false);
        let loose = processes::signal(Signal::CONT, || self.outside(thawed));
        loose || thawed && !self.living().is_empty()
    }

    /// Asks everything to end; false when there is nothing.
    pub(super) fn terminate(&self) -> bool {
        let reached = processes::signal(Signal::TERM, || self.living());
        // One that stands still acts on it only once it goes on.
        self.freeze(false);
        processes::signal(Signal::CONT, || self.living());
        reached
    }

    /// Kills everything; false when there is nothing.
    pub(super) fn kill(&self) -> bool {
        let living = !self.living().is_empty();
        if let Some(run) = &self.run {
            // An older kernel cannot do it at once.
            run.cgroup.kill().ok();
        }
        processes::signal(Signal::KILL, || self.living()) || living
    }

    /// Processor time of the run, where its cgroup tells.
    pub(super) fn cpu(&self) -> Option<Duration> {
        self.run.as_ref().and_then(Run::cpu)
    }

    /// Nothing is left of what the run started: what others put into its cgroup is ended too, and
    /// the cgroup goes.
    pub(super) fn close(self) {
        let Some(run) = &self.run else { return };
        let deadline = Instant::now() + GOING;
        while run.cgroup.is_populated() && Instant::now() < deadline {
            self.kill();
            std::thread::sleep(LOOK);
        }
        // What cannot be removed now is removed by a server that starts later.
        run.cgroup.remove().ok();
    }

    fn freeze(&self, still: bool) -> bool {
        let run = self.run.as_ref();
        run.is_some_and(|run| run.cgroup.freeze(still).is_ok())
    }

    /// Every process of the run.
    fn living(&self) -> Vec<Seen> {
        let all = processes::all();
        let mut found = descendants(&all);
        let inside: HashSet<i32> = self.inside();
        let known: HashSet<i32> = found.iter().map(|seen| seen.pid).collect();
        let more = all.iter().filter(|seen| inside.contains(&seen.pid));
        let more = more.filter(|seen| !known.contains(&seen.pid) && processes::is_living(seen));
        found.extend(more);
        found
    }

    /// Those that a cgroup which `stands` still does not hold.
    fn outside(&self, stands: bool) -> Vec<Seen> {
        let mut found = descendants(&processes::all());
        if stands {
            let inside = self.inside();
            found.retain(|seen| !inside.contains(&seen.pid));
        }
        found
    }

    fn inside(&self) -> HashSet<i32> {
        let processes = self.run.as_ref().map(|run| run.cgroup.processes());
        processes.unwrap_or_default().into_iter().collect()
    }
}

fn descendants(all: &[Seen]) -> Vec<Seen> {
    let own = rustix::process::getpid().as_raw_nonzero().get();
    processes::descendants(all, [own])
}
