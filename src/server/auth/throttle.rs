//! Guessing passwords is slow: each failure beyond a few makes the next check wait longer.
//!
//! Nobody is locked out: the right password works, after the wait.

#![expect(clippy::disallowed_methods, reason = "authentication is an edge")]

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Failures that cost nothing.
const FREE: u32 = 5;
/// How long failures count.
const COUNTED: Duration = Duration::from_mins(1);
/// The longest wait, in seconds.
const LONGEST_SECONDS: u64 = 30;
/// Most users and addresses that are counted; beyond it the old ones are forgotten.
const LIMIT: usize = 10_000;

/// The failures of the last minute. The mutex is held for a look-up.
#[derive(Default)]
pub(super) struct Throttle {
    failures: Mutex<HashMap<(IpAddr, String), (Instant, u32)>>,
}

impl Throttle {
    /// How long the next check waits.
    pub(super) fn delay(&self, peer: IpAddr, user: &str) -> Duration {
        let failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        match failures.get(&(peer, user.to_owned())) {
            Some((last, count)) if last.elapsed() < COUNTED => wait(*count),
            Some(_) | None => Duration::ZERO,
        }
    }

    /// Counts a failure.
    pub(super) fn count(&self, peer: IpAddr, user: &str) {
        let mut failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        if failures.len() >= LIMIT {
            failures.retain(|_, (last, _)| last.elapsed() < COUNTED);
        }
        if failures.len() < LIMIT {
            let entry = failures
                .entry((peer, user.to_owned()))
                .or_insert((Instant::now(), 0));
            *entry = (Instant::now(), entry.1.saturating_add(1));
        }
    }

    /// Forgets the failures of somebody who knew the password after all.
    pub(super) fn forgive(&self, peer: IpAddr, user: &str) {
        let mut failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        failures.remove(&(peer, user.to_owned()));
    }
}

/// Nothing at first, then 1, 2, 4 seconds and so on.
fn wait(failures: u32) -> Duration {
    match failures.checked_sub(FREE) {
        Some(beyond) => Duration::from_secs((1_u64 << beyond.min(16)).min(LONGEST_SECONDS)),
        None => Duration::ZERO,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_and_are_bounded() {
        let seconds: Vec<u64> = (0..12).map(|failures| wait(failures).as_secs()).collect();
        assert_eq!(seconds, [0, 0, 0, 0, 0, 1, 2, 4, 8, 16, 30, 30]);
        assert_eq!(wait(u32::MAX).as_secs(), 30);
    }

    #[test]
    fn failures_are_counted_for_each_user_and_forgiven() {
        let (throttle, peer) = (Throttle::default(), IpAddr::from([127, 0, 0, 1]));
        for _ in 0..FREE {
            throttle.count(peer, "a");
        }
        assert_eq!(throttle.delay(peer, "a"), Duration::from_secs(1));
        assert_eq!(throttle.delay(peer, "b"), Duration::ZERO);
        throttle.forgive(peer, "a");
        assert_eq!(throttle.delay(peer, "a"), Duration::ZERO);
    }
}
