//! What a call costs, taken while it is answered and added to the statistics when its answer is gone.

#![expect(clippy::disallowed_methods, reason = "elapsed times are measured here")]

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use hyper::header::HeaderMap;

use crate::builtin::{Cost, Kind, Statistics};

/// Bytes of a header besides its name and value.
const HEADER_OVERHEAD: usize = 4;
/// Bytes of a request line or status line, about.
const LINE: usize = 30;

/// Time that providers have spent, in nanoseconds.
#[derive(Debug, Clone, Default)]
pub(super) struct Spent(Arc<AtomicU64>);

impl Spent {
    /// Awaits what providers do, and adds how long it took.
    pub(super) async fn on<T>(&self, work: impl Future<Output = T>) -> T {
        let start = Instant::now();
        let done = work.await;
        let nanos = u64::try_from(start.elapsed().as_nanos()).unwrap_or(u64::MAX);
        self.0.fetch_add(nanos, Ordering::Relaxed);
        done
    }

    fn total(&self) -> Duration {
        Duration::from_nanos(self.0.load(Ordering::Relaxed))
    }
}

/// The cost of one call, which its end adds to the statistics.
pub(super) struct Measure {
    pub(super) statistics: Arc<Statistics>,
    pub(super) kind: Kind,
    /// Time until the answer began.
    pub(super) begun: Duration,
    /// Of it, what providers spent then.
    provided: Duration,
    pub(super) spent: Spent,
    pub(super) request_bytes: u64,
    pub(super) response_bytes: u64,
}

impl Measure {
    /// A measure of a call of this kind whose answer begins after `begun`.
    pub(super) fn new(
        statistics: &Arc<Statistics>,
        kind: Kind,
        (begun, spent): (Duration, Spent),
        request_bytes: u64,
    ) -> Self {
        Self {
            statistics: statistics.clone(),
            kind,
            begun,
            provided: spent.total(),
            spent,
            request_bytes,
            response_bytes: 0,
        }
    }

    /// The microseconds until the answer began, at least one.
    pub(super) fn begun_micros(&self) -> u64 {
        u64::try_from(self.begun.as_micros())
            .unwrap_or(u64::MAX)
            .max(1)
    }

    /// So many bytes more go to the client.
    pub(super) fn sent(&mut self, bytes: usize) {
        self.response_bytes += bytes as u64;
    }
}

impl Drop for Measure {
    fn drop(&mut self) {
        let cost = Cost {
            server_time: self.begun.saturating_sub(self.provided),
            provider_time: self.spent.total(),
            request_bytes: self.request_bytes,
            response_bytes: self.response_bytes,
        };
        self.statistics.add(self.kind, cost);
    }
}

/// The bytes of a head with these headers, about.
pub(super) fn head_bytes(headers: &HeaderMap) -> usize {
    let bytes = headers
        .iter()
        .map(|(name, value)| name.as_str().len() + value.len() + HEADER_OVERHEAD);
    bytes.sum::<usize>() + LINE
}
