//! Which process it is: a number alone may have been given to another one since.

#![expect(
    clippy::disallowed_methods,
    reason = "the kernel tells of processes in files"
)]

use std::fs;
use std::io;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// A process of this machine since its boot.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    /// The process id.
    pub pid: i32,
    /// When it started, in clock ticks since boot (field 22 of its `stat`).
    pub started: u64,
    /// The boot it belongs to.
    pub boot_id: String,
}

impl Identity {
    /// The identity of the living process `pid`.
    pub fn of(pid: i32) -> io::Result<Self> {
        let stat = Stat::of(pid)?;
        Ok(Self {
            pid,
            started: stat.started,
            boot_id: boot_id()?,
        })
    }

    /// Whether that very process still lives.
    pub fn is_alive(&self) -> bool {
        let same_boot = boot_id().is_ok_and(|boot| boot == self.boot_id);
        same_boot
            && Stat::of(self.pid)
                .is_ok_and(|stat| stat.started == self.started && stat.state != 'Z')
    }
}

/// A supervisor as the store remembers it, with what it holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holder {
    /// Which process it is.
    #[serde(flatten)]
    pub identity: Identity,
    /// Where the cgroup of the run is, if it was to have one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cgroup: Option<PathBuf>,
}

/// The id of this boot of the machine.
pub fn boot_id() -> io::Result<String> {
    Ok(fs::read_to_string("/proc/sys/kernel/random/boot_id")?
        .trim()
        .to_owned())
}

/// What `/proc/PID/stat` says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stat {
    /// `Z` for a zombie, `T` for stopped, and so on.
    pub state: char,
    /// The parent.
    pub parent: i32,
    /// The session.
    pub session: i32,
    /// Clock ticks since boot.
    pub started: u64,
}

impl Stat {
    /// The `stat` of `pid`.
    pub fn of(pid: i32) -> io::Result<Self> {
        let text = fs::read(format!("/proc/{pid}/stat"))?;
        let text = String::from_utf8_lossy(&text);
        Self::parse(&text).ok_or_else(|| io::Error::other("a malformed /proc/PID/stat"))
    }

    /// The program's name stands in parentheses and may hold anything, also parentheses.
    fn parse(text: &str) -> Option<Self> {
        let (_, after) = text.rsplit_once(')')?;
        let fields: Vec<&str> = after.split_ascii_whitespace().collect();
        Some(Self {
            state: fields.first()?.chars().next()?,
            parent: fields.get(1)?.parse().ok()?,
            session: fields.get(3)?.parse().ok()?,
            started: fields.get(19)?.parse().ok()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_full_of_parentheses_is_read() {
        let fields = (0..30).map(|n| n.to_string()).collect::<Vec<_>>().join(" ");
        let stat = Stat::parse(&format!("7 (a) b) S 1 {fields}")).expect("a stat");
        let found = (stat.state, stat.parent, stat.session, stat.started);
        assert_eq!(found, ('S', 1, 1, 17));
    }

    #[test]
    fn this_process_is_alive_and_another_start_is_not() {
        let pid = i32::try_from(std::process::id()).expect("a pid");
        let mut identity = Identity::of(pid).expect("own stat");
        assert!(identity.is_alive());
        identity.started += 1;
        assert!(
            !identity.is_alive(),
            "a reused pid was taken for the process"
        );
    }
}
