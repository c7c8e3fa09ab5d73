//! What is left of a run whose supervisor was lost: it is found and ended.
//!
//! Whatever is in the cgroup of the run is the run's. Where it has none, or a process has left it, a
//! process of the run carries the mark of its supervisor in its environment; as long as the leader
//! lives, whatever is in its session is the run's too, because the number of a session is not given
//! again while somebody is in it. Children of any of them belong with them.

#![expect(
    clippy::disallowed_methods,
    reason = "processes are looked for until they are gone"
)]

use std::fs;
use std::time::{Duration, Instant};

use rustix::process::Signal;

use super::cgroup::Cgroup;
use super::identity::{Holder, Identity, Stat};
use super::processes::{self, Seen};

/// The variable that marks every process of a run.
pub const MARK: &str = "JOBWRIGHT_SUPERVISOR";

/// How long killed processes are waited for. One that the kernel holds longer can be left behind:
/// it has been killed and does nothing more.
const PATIENCE: Duration = Duration::from_secs(5);
/// How often they are looked for meanwhile.
const LOOK: Duration = Duration::from_millis(10);

/// The value of [`MARK`] for runs under `supervisor`: no other process of this boot had it.
pub fn mark(supervisor: &Identity) -> String {
    format!("{}-{}", supervisor.pid, supervisor.started)
}

/// Ends what is left of the run of the lost supervisor `holder`; gives how many processes outlast it.
pub fn end(holder: &Holder, leader: Option<&Identity>) -> usize {
    let supervisor = &holder.identity;
    let cgroup = holder.cgroup.clone().map(Cgroup::new);
    let entry = format!("{MARK}={}", mark(supervisor));
    let session = leader
        .filter(|leader| leader.is_alive())
        .and_then(|leader| {
            let session = Stat::of(leader.pid).ok()?.session;
            // A session that the run did not make, its own or its supervisor's, is somebody else's.
            [supervisor.pid, leader.pid]
                .contains(&session)
                .then_some(session)
        });
    let find = || of_run(entry.as_bytes(), session, cgroup.as_ref());
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(cgroup) = &cgroup {
            // One that is not there, or an older kernel: what is found is signalled one by one.
            cgroup.kill().ok();
        }
        processes::signal(Signal::KILL, find);
        let left = find().len();
        if left == 0 || Instant::now() >= deadline {
            // One that is not empty stays, for a later start.
            cgroup.map(|cgroup| cgroup.remove().ok());
            return left;
        }
        std::thread::sleep(LOOK);
    }
}

fn of_run(entry: &[u8], session: Option<i32>, cgroup: Option<&Cgroup>) -> Vec<Seen> {
    let inside = cgroup.map(Cgroup::processes).unwrap_or_default();
    let all = processes::all();
    let own = i32::try_from(std::process::id()).ok();
    let belongs = |seen: &&Seen| {
        Some(seen.pid) != own
            && (inside.contains(&seen.pid)
                || Some(seen.stat.session) == session
                || has(seen.pid, entry))
    };
    let marked: Vec<Seen> = all.iter().filter(belongs).copied().collect();
    let mut found = processes::descendants(&all, marked.iter().map(|seen| seen.pid));
    found.extend(marked.into_iter().filter(processes::is_living));
    found
}

/// Whether the environment that `pid` was started with has `entry`; what cannot be read has not.
fn has(pid: i32, entry: &[u8]) -> bool {
    let environment = fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
    environment
        .split(|byte| *byte == 0)
        .any(|found| found == entry)
}
