//! The sleep until the scheduler's next wake, on both clocks.
//!
//! tokio's timers know neither the wall clock nor time spent suspended: a timerfd does, and wakes
//! as well when an administrator sets the clock.

use std::io;
use std::os::fd::OwnedFd;
use std::time::Duration;

use rustix::io::Errno;
use rustix::time::{
    Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec, timerfd_create,
    timerfd_settime,
};
use tokio::io::unix::AsyncFd;

use super::core::Wake;

/// Two timers, armed by `set` and awaited by `ring`.
#[derive(Debug)]
pub(super) struct Alarm {
    wall: AsyncFd<OwnedFd>,
    boot: AsyncFd<OwnedFd>,
}

impl Alarm {
    /// An alarm that does not ring yet; needs the runtime.
    pub(super) fn new() -> io::Result<Self> {
        Ok(Self {
            wall: timer(TimerfdClockId::Realtime)?,
            boot: timer(TimerfdClockId::Boottime)?,
        })
    }

    /// Rings at `wake`, at once when it has passed, and never for a mark that is `None`.
    pub(super) fn set(&self, wake: Wake) -> io::Result<()> {
        let wall = wake.wall.map(|time| {
            let micros = u64::try_from(time.timestamp_micros()).unwrap_or_default();
            Duration::from_micros(micros)
        });
        let stepped = TimerfdTimerFlags::ABSTIME | TimerfdTimerFlags::CANCEL_ON_SET;
        arm(&self.wall, wall, stepped)?;
        arm(&self.boot, wake.boot, TimerfdTimerFlags::ABSTIME)
    }

    /// Returns when a mark has come or the wall clock was set; cancelling it loses nothing.
    pub(super) async fn ring(&self) -> io::Result<()> {
        tokio::select! {
            rung = expired(&self.wall) => rung,
            rung = expired(&self.boot) => rung,
        }
    }
}

#[expect(
    deprecated,
    reason = "the replacement is unsafe for descriptors that may change; an OwnedFd does not"
)]
fn timer(clock: TimerfdClockId) -> io::Result<AsyncFd<OwnedFd>> {
    let flags = TimerfdFlags::NONBLOCK | TimerfdFlags::CLOEXEC;
    AsyncFd::new(timerfd_create(clock, flags)?)
}

/// Zero disarms a timer, hence the mark is never zero.
fn arm(
    timer: &AsyncFd<OwnedFd>,
    mark: Option<Duration>,
    flags: TimerfdTimerFlags,
) -> io::Result<()> {
    let at = mark
        .map(|mark| mark.max(Duration::from_nanos(1)))
        .unwrap_or_default();
    let value = Timespec {
        tv_sec: i64::try_from(at.as_secs()).unwrap_or(i64::MAX),
        tv_nsec: i64::from(at.subsec_nanos()),
    };
    let never = Timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    let timing = Itimerspec {
        it_interval: never,
        it_value: value,
    };
    timerfd_settime(timer.get_ref(), flags, &timing)?;
    Ok(())
}

async fn expired(timer: &AsyncFd<OwnedFd>) -> io::Result<()> {
    loop {
        let mut ready = timer.readable().await?;
        let mut count = [0; 8];
        match rustix::io::read(timer.get_ref(), &mut count) {
            // ECANCELED: the clock was set, and marks on it must be looked at again.
            Ok(_) | Err(Errno::CANCELED) => return Ok(()),
            Err(Errno::WOULDBLOCK) => ready.clear_ready(),
            Err(error) => return Err(error.into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::jobs::clock;
    use chrono::TimeDelta;

    #[tokio::test]
    async fn marks_on_either_clock_ring() {
        let alarm = Alarm::new().expect("timers");
        let now = clock::now();
        let wall = now.wall + TimeDelta::milliseconds(20);
        alarm
            .set(Wake {
                wall: Some(wall),
                boot: None,
            })
            .expect("set");
        alarm.ring().await.expect("ring");
        assert!(clock::now().wall >= wall - TimeDelta::milliseconds(1));
        let boot = now.boot + Duration::from_millis(60);
        alarm
            .set(Wake {
                wall: None,
                boot: Some(boot),
            })
            .expect("set");
        alarm.ring().await.expect("ring");
        assert!(clock::now().boot >= boot);
        alarm
            .set(Wake {
                wall: Some(now.wall),
                boot: None,
            })
            .expect("set");
        alarm
            .ring()
            .await
            .expect("a mark that has passed rings at once");
    }
}
