//! The open connections: how many there may be, and which one makes room for another.

use std::collections::HashMap;
use std::hash::Hash;
use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use tokio::sync::Notify;

use super::Limits;

/// One connection, as everything that serves it sees it.
#[derive(Debug)]
pub struct Connection {
    /// Who is at the other end.
    pub(super) peer: SocketAddr,
    /// Requests under way.
    working: AtomicUsize,
    /// Requests so far.
    served: AtomicU64,
    /// Somebody with a password has sent a request.
    known: AtomicBool,
    /// Since when no request has been under way.
    idle_since: Mutex<Instant>,
    /// Told when the connection has to make room.
    pub(super) leave: Notify,
}

/// A request under way; its end leaves the connection idle.
pub(super) struct Working {
    connection: Arc<Connection>,
    now: fn() -> Instant,
}

impl Connection {
    /// A connection with `peer` that begins now.
    pub(super) fn new(peer: SocketAddr, now: Instant) -> Arc<Self> {
        Arc::new(Self {
            peer,
            working: AtomicUsize::new(0),
            served: AtomicU64::new(0),
            known: AtomicBool::new(false),
            idle_since: Mutex::new(now),
            leave: Notify::new(),
        })
    }

    /// A request begins; `now` reads the clock when it has ended.
    pub(super) fn begin(self: &Arc<Self>, now: fn() -> Instant) -> Working {
        self.working.fetch_add(1, Ordering::AcqRel);
        self.served.fetch_add(1, Ordering::Relaxed);
        Working {
            connection: self.clone(),
            now,
        }
    }

    /// Whether a request is under way.
    pub(super) fn is_working(&self) -> bool {
        self.working.load(Ordering::Acquire) > 0
    }

    /// How many requests have begun.
    pub(super) fn served(&self) -> u64 {
        self.served.load(Ordering::Relaxed)
    }

    /// The sender of a request was established.
    pub(super) fn know(&self) {
        self.known.store(true, Ordering::Relaxed);
    }

    fn idle_since(&self) -> Option<Instant> {
        let since = *self
            .idle_since
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        (!self.is_working()).then_some(since)
    }
}

impl Drop for Working {
    fn drop(&mut self) {
        let now = (self.now)();
        let mut since = self
            .connection
            .idle_since
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        *since = now;
        self.connection.working.fetch_sub(1, Ordering::AcqRel);
    }
}

/// All connections, by what names their tasks.
pub(super) struct Connections<K> {
    open: HashMap<K, Arc<Connection>>,
}

impl<K: Hash + Eq + Copy> Connections<K> {
    /// None yet.
    pub(super) fn new() -> Self {
        Self {
            open: HashMap::new(),
        }
    }

    /// Makes room for a connection from `peer`, if need be by telling the one that has been idle the
    /// longest to leave. False when all that could leave are at work.
    pub(super) fn make_room(&mut self, peer: IpAddr, limits: &Limits) -> bool {
        let counted = !peer.is_loopback();
        let from_peer = |connection: &Connection| counted && connection.peer.ip() == peer;
        let unknown = |connection: &Connection| !connection.known.load(Ordering::Relaxed);
        self.within(limits.peer_connections, from_peer)
            && self.within(limits.unknown_connections, unknown)
            && self.within(limits.connections, |_| true)
    }

    /// Whether one more of those that `belong` stays within `limit`, or one of them could leave.
    fn within(&mut self, limit: usize, belongs: impl Fn(&Connection) -> bool) -> bool {
        let among = self
            .open
            .iter()
            .filter(|(_, connection)| belongs(connection));
        if among.clone().count() < limit {
            return true;
        }
        let idle = among.filter_map(|(key, connection)| Some((connection.idle_since()?, *key)));
        let Some((_, key)) = idle.min_by_key(|(since, _)| *since) else {
            return false;
        };
        self.open
            .remove(&key)
            .inspect(|connection| connection.leave.notify_one());
        true
    }

    /// `connection` is served by the task `key`.
    pub(super) fn insert(&mut self, key: K, connection: Arc<Connection>) {
        self.open.insert(key, connection);
    }

    /// The task `key` has ended.
    pub(super) fn remove(&mut self, key: K) {
        self.open.remove(&key);
    }
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "instants begin somewhere")]
mod tests {
    use super::*;
    use std::time::Duration;

    fn limits(connections: usize, peer: usize, unknown: usize) -> Limits {
        Limits {
            connections,
            peer_connections: peer,
            unknown_connections: unknown,
            ..Limits::default()
        }
    }

    /// Connections from these addresses, the first idle the longest.
    fn table(peers: &[[u8; 4]]) -> (Connections<usize>, Vec<Arc<Connection>>) {
        let start = Instant::now();
        let made = |(at, peer): (usize, &[u8; 4])| {
            let seconds = Duration::from_secs(at as u64);
            Connection::new(SocketAddr::from((*peer, 1)), start + seconds)
        };
        let all: Vec<_> = peers.iter().enumerate().map(made).collect();
        let mut table = Connections::new();
        for (key, connection) in all.iter().enumerate() {
            table.insert(key, connection.clone());
        }
        (table, all)
    }

    fn left(table: &Connections<usize>) -> Vec<usize> {
        let mut keys: Vec<usize> = table.open.keys().copied().collect();
        keys.sort_unstable();
        keys
    }

    const LOCAL: [u8; 4] = [127, 0, 0, 1];
    const A: [u8; 4] = [192, 0, 2, 1];
    const B: [u8; 4] = [192, 0, 2, 2];

    #[test]
    fn the_one_that_is_idle_the_longest_makes_room() {
        let (mut table, all) = table(&[LOCAL, A, B]);
        let _working = all[0].begin(Instant::now);
        assert!(table.make_room(B.into(), &limits(4, 9, 9)), "there is room");
        assert_eq!(left(&table), [0, 1, 2]);
        assert!(table.make_room(B.into(), &limits(3, 9, 9)));
        assert_eq!(left(&table), [0, 2], "0 is at work");
    }

    #[test]
    fn who_is_at_work_stays() {
        let (mut table, all) = table(&[A, A]);
        let working: Vec<_> = all.iter().map(|one| one.begin(Instant::now)).collect();
        assert!(!table.make_room(B.into(), &limits(2, 9, 9)));
        drop(working);
        assert!(table.make_room(B.into(), &limits(2, 9, 9)));
    }

    #[test]
    fn one_address_crowds_out_itself_alone_and_loopback_nobody() {
        let (mut table, _all) = table(&[B, A, A, LOCAL, LOCAL]);
        assert!(table.make_room(A.into(), &limits(9, 2, 9)));
        assert_eq!(left(&table), [0, 2, 3, 4]);
        assert!(table.make_room(LOCAL.into(), &limits(9, 2, 9)));
        assert_eq!(left(&table), [0, 2, 3, 4]);
    }

    #[test]
    fn those_that_nobody_knows_crowd_out_each_other() {
        let (mut table, all) = table(&[A, A, B]);
        all[0].know();
        assert!(table.make_room(B.into(), &limits(9, 9, 2)));
        assert_eq!(left(&table), [0, 2]);
    }
}
