//! How many requests without a right password one address may send in a second.

#![expect(clippy::disallowed_methods, reason = "authentication is an edge")]

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// The period that is counted.
const PERIOD: Duration = Duration::from_secs(1);
/// Most addresses that are counted; beyond it the old ones are forgotten, and then nobody new counted.
const ADDRESSES: usize = 10_000;

/// The refused requests of the present second of each address. The mutex is held for a look-up.
pub(super) struct Rate {
    limit: u32,
    denied: Mutex<HashMap<IpAddr, (Instant, u32)>>,
}

impl Rate {
    /// At most `limit` a second.
    pub(super) fn new(limit: u32) -> Self {
        Self {
            limit,
            denied: Mutex::default(),
        }
    }

    /// Whether `peer` has used up this second.
    pub(super) fn is_used_up(&self, peer: IpAddr) -> bool {
        let denied = self.denied.lock().unwrap_or_else(PoisonError::into_inner);
        let entry = denied.get(&peer);
        entry.is_some_and(|(since, count)| since.elapsed() < PERIOD && *count >= self.limit)
    }

    /// Counts a refused request.
    pub(super) fn count(&self, peer: IpAddr) {
        let now = Instant::now();
        let is_old = |since: &Instant| now.duration_since(*since) >= PERIOD;
        let mut denied = self.denied.lock().unwrap_or_else(PoisonError::into_inner);
        if denied.len() >= ADDRESSES {
            denied.retain(|_, (since, _)| !is_old(since));
        }
        if denied.len() >= ADDRESSES && !denied.contains_key(&peer) {
            return;
        }
        let entry = denied.entry(peer).or_insert((now, 0));
        if is_old(&entry.0) {
            *entry = (now, 0);
        }
        entry.1 = entry.1.saturating_add(1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_address_has_its_own_second() {
        let (rate, a, b) = (
            Rate::new(3),
            IpAddr::from([192, 0, 2, 1]),
            IpAddr::from([192, 0, 2, 2]),
        );
        for _ in 0..3 {
            assert!(!rate.is_used_up(a));
            rate.count(a);
        }
        // A slow machine may have needed longer than the second for this; then nothing is used up.
        let started = rate.denied.lock().expect("no thread panicked")[&a].0;
        let used_up = rate.is_used_up(a);
        assert!(used_up || started.elapsed() >= PERIOD);
        assert!(!rate.is_used_up(b));
    }
}
