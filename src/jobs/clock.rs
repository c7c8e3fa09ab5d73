//! The only place of the job engine that reads clocks.
#![expect(clippy::disallowed_methods, reason = "this is the driver's clock")]

use std::time::Duration;

use chrono::Utc;
use rustix::time::{ClockId, clock_gettime};

use super::core::Now;

/// Both clocks, now.
pub(super) fn now() -> Now {
    let boot = clock_gettime(ClockId::Boottime);
    let seconds = u64::try_from(boot.tv_sec).unwrap_or_default();
    let nanos = u32::try_from(boot.tv_nsec).unwrap_or_default();
    Now {
        wall: Utc::now(),
        boot: Duration::new(seconds, nanos),
    }
}
