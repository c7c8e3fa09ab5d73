//! The supervisor's stay in the cgroup of its run: what it starts there is born there.

use std::io;
use std::time::Duration;

use nix::sys::resource::{UsageWho, getrusage};

use super::super::executor::cgroup::Cgroup;
use super::super::executor::cgroups::Cgroups;
use super::super::executor::identity::Identity;
use super::used;

/// This process is in the cgroup of its run. However that ends, the process leaves; a cgroup that
/// nobody has run anything in goes too.
pub(super) struct Inside {
    /// `None` once it was left.
    cgroup: Option<Cgroup>,
    home: Cgroup,
    /// Processor time of this process before it went in.
    before: Duration,
}

/// The cgroup of the run, which this process has left.
pub(super) struct Run {
    pub(super) cgroup: Cgroup,
    /// Processor time in it that was this process's own.
    own: Duration,
}

impl Inside {
    /// Makes the cgroup of the run and goes in.
    pub(super) fn enter(cgroups: &Cgroups) -> io::Result<Self> {
        let own = rustix::process::getpid().as_raw_nonzero().get();
        let cgroup = cgroups.of(&Identity::of(own)?);
        let before = used(getrusage(UsageWho::RUSAGE_SELF).ok().as_ref());
        cgroup.make()?;
        let entered = cgroup.enter();
        let inside = Self {
            cgroup: Some(cgroup),
            home: Cgroup::new(cgroups.home.clone()),
            before: before.unwrap_or_default(),
        };
        entered.map(|()| inside)
    }

    /// Leaves; `None` when that fails, for what cannot be left cannot be held or ended.
    pub(super) fn leave(mut self) -> Option<Run> {
        self.home.enter().ok()?;
        let now = used(getrusage(UsageWho::RUSAGE_SELF).ok().as_ref());
        Some(Run {
            cgroup: self.cgroup.take()?,
            own: now.unwrap_or_default().saturating_sub(self.before),
        })
    }
}

impl Drop for Inside {
    fn drop(&mut self) {
        if let Some(cgroup) = &self.cgroup {
            self.home.enter().ok();
            cgroup.remove().ok();
        }
    }
}

impl Run {
    /// Processor time of all that was in it but this process.
    pub(super) fn cpu(&self) -> Option<Duration> {
        Some(self.cgroup.cpu()?.saturating_sub(self.own))
    }
}
