//! The processes of a run: all descendants of the supervisor, whatever session they moved to.
//!
//! The supervisor is their subreaper, so that a process whose parent ended becomes its child and
//! stays findable. A process is only signalled through a descriptor that was opened and then seen to
//! still be a descendant: a number alone may belong to somebody else by then.

use std::collections::{HashMap, HashSet};
use std::fs;
use std::time::{Duration, Instant};

use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};

use super::super::executor::identity::Stat;

/// Rounds of looking before the processes of a run are taken to be all found: each round finds
/// what those of the one before forked meanwhile.
const ROUNDS: usize = 64;
/// How long the processes of a run may take to stop: one that waits inside the kernel stops only
/// when it comes back from there.
const STOPPING: Duration = Duration::from_secs(1);
/// How often they are looked at meanwhile.
const LOOK: Duration = Duration::from_millis(1);

/// Sends `signal` to every process of the run; false when there is none.
pub(super) fn signal(signal: Signal) -> bool {
    let own = own_pid();
    let mut reached: HashSet<(i32, u64)> = HashSet::new();
    for _ in 0..ROUNDS {
        let fresh: Vec<(i32, u64)> = living(own)
            .into_iter()
            .map(|(pid, stat)| (pid, stat.started))
            .filter(|process| !reached.contains(process))
            .collect();
        if fresh.is_empty() {
            break;
        }
        for (pid, started) in fresh {
            deliver(pid, started, signal);
            reached.insert((pid, started));
        }
    }
    !reached.is_empty()
}

/// Stops every process of the run and waits until they have stopped; false when there is none.
///
/// A signal is only pending when it has been sent: whoever is told that the run is suspended may
/// count on nothing of it going on.
pub(super) fn stop() -> bool {
    let reached = signal(Signal::STOP);
    let deadline = Instant::now() + STOPPING;
    let is_stopped = |stat: &Stat| matches!(stat.state, 'T' | 't');
    while living(own_pid()).iter().any(|(_, stat)| !is_stopped(stat)) && Instant::now() < deadline {
        std::thread::sleep(LOOK);
    }
    reached
}

fn own_pid() -> i32 {
    rustix::process::getpid().as_raw_nonzero().get()
}

fn deliver(pid: i32, started: u64, signal: Signal) {
    let Some(number) = Pid::from_raw(pid) else {
        return;
    };
    let Ok(process) = pidfd_open(number, PidfdFlags::empty()) else {
        return;
    };
    if Stat::of(pid).is_ok_and(|stat| stat.started == started) {
        // It may have ended by itself.
        pidfd_send_signal(&process, signal).ok();
    }
}

/// The living descendants of `root`; zombies are nobody any more.
fn living(root: i32) -> Vec<(i32, Stat)> {
    let mut children: HashMap<i32, Vec<(i32, Stat)>> = HashMap::new();
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    for pid in entries.filter_map(|entry| entry.file_name().to_str()?.parse::<i32>().ok()) {
        if let Ok(stat) = Stat::of(pid) {
            children.entry(stat.parent).or_default().push((pid, stat));
        }
    }
    let mut found = Vec::new();
    let mut parents = vec![root];
    while let Some(parent) = parents.pop() {
        for (pid, stat) in children.remove(&parent).into_iter().flatten() {
            parents.push(pid);
            if stat.state != 'Z' {
                found.push((pid, stat));
            }
        }
    }
    found
}
