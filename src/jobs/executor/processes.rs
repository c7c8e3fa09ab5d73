//! The processes of this machine, as far as finding those of a run takes.
//!
//! A process is only signalled through a descriptor that was opened and then seen to still be the
//! one that was meant: a number alone may belong to somebody else by then.

use std::collections::{HashMap, HashSet};
use std::fs;

use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};

use super::identity::Stat;

/// Rounds of looking before the processes of a run are taken to be all found: each round finds
/// what those of the one before forked meanwhile.
const ROUNDS: usize = 64;

/// A process that was seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seen {
    /// Its number.
    pub pid: i32,
    /// What was said of it.
    pub stat: Stat,
}

/// Every process that can be seen now, zombies too.
pub fn all() -> Vec<Seen> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    let pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse::<i32>().ok());
    pids.filter_map(|pid| {
        let stat = Stat::of(pid).ok()?;
        Some(Seen { pid, stat })
    })
    .collect()
}

/// Those of `all` that descend from one of `roots`, living ones only: zombies are nobody any more.
pub fn descendants(all: &[Seen], roots: impl IntoIterator<Item = i32>) -> Vec<Seen> {
    let mut children: HashMap<i32, Vec<Seen>> = HashMap::new();
    for seen in all {
        children.entry(seen.stat.parent).or_default().push(*seen);
    }
    let mut found = Vec::new();
    let mut parents: Vec<i32> = roots.into_iter().collect();
    while let Some(parent) = parents.pop() {
        // Taken out, so that what is in two trees is found once.
        for seen in children.remove(&parent).into_iter().flatten() {
            parents.push(seen.pid);
            found.extend(is_living(&seen).then_some(seen));
        }
    }
    found
}

/// Whether it is more than an exit status that waits to be fetched.
pub fn is_living(seen: &Seen) -> bool {
    !matches!(seen.stat.state, 'Z' | 'X')
}

/// Sends `signal` to every process that `find` finds, also to those that they start meanwhile;
/// false when there was none.
pub fn signal(signal: Signal, find: impl Fn() -> Vec<Seen>) -> bool {
    let mut reached: HashSet<(i32, u64)> = HashSet::new();
    for _ in 0..ROUNDS {
        let mut fresh = find();
        fresh.retain(|seen| reached.insert((seen.pid, seen.stat.started)));
        if fresh.is_empty() {
            break;
        }
        for seen in fresh {
            deliver(seen, signal);
        }
    }
    !reached.is_empty()
}

fn deliver(seen: Seen, signal: Signal) {
    let Some(number) = Pid::from_raw(seen.pid) else {
        return;
    };
    let Ok(process) = pidfd_open(number, PidfdFlags::empty()) else {
        return;
    };
    if Stat::of(seen.pid).is_ok_and(|stat| stat.started == seen.stat.started) {
        // It may have ended by itself.
        pidfd_send_signal(&process, signal).ok();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(pid: i32, parent: i32, state: char) -> Seen {
        let (session, started) = (1, 1);
        let stat = Stat {
            state,
            parent,
            session,
            started,
        };
        Seen { pid, stat }
    }

    #[test]
    fn descendants_are_found_through_zombies_and_once() {
        let all = [
            seen(2, 1, 'S'),
            seen(3, 2, 'Z'),
            seen(4, 3, 'R'),
            seen(5, 1, 'S'),
        ];
        let pids = |roots: &[i32]| -> Vec<i32> {
            let found = descendants(&all, roots.iter().copied());
            found.iter().map(|seen| seen.pid).collect()
        };
        assert_eq!(pids(&[2]), [4]);
        assert_eq!(pids(&[2, 3]), [4]);
        assert_eq!(pids(&[5]), [0; 0]);
    }
}
