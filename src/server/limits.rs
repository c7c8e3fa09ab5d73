//! How much a client may ask of the server. None of these can be switched off.

use std::time::Duration;

/// The limits of connections and requests.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Connections at a time; beyond it the one that is idle the longest makes room.
    pub connections: usize,
    /// The same for one address that is not loopback.
    pub peer_connections: usize,
    /// The same for those on which nobody has shown a password yet.
    pub unknown_connections: usize,
    /// Requests on one connection.
    pub connection_requests: u64,
    /// Bytes of the request line and all headers.
    pub header_bytes: usize,
    /// Number of headers.
    pub headers: usize,
    /// Bytes of the request target.
    pub uri_bytes: usize,
    /// Bytes of a request's body.
    pub body_bytes: usize,
    /// Bytes of all bodies that are in memory at a time.
    pub bodies_bytes: usize,
    /// For the handshake of TLS.
    pub handshake_time: Duration,
    /// From the first byte of a request to the end of its headers.
    pub header_time: Duration,
    /// How long an unused connection stays.
    pub idle_time: Duration,
    /// For a body, and once more for each 64 KiB of it.
    pub body_time: (Duration, Duration),
    /// Bytes that come each second at least, once a body is under way this long.
    pub body_pace: (usize, Duration),
    /// How long a client may leave a written answer untaken.
    pub stall_time: Duration,
    /// For an operation, until its answer begins.
    pub operation_time: Duration,
    /// The same for an enumeration, and then for each part of its answer that is sent on its own.
    pub enumeration_time: Duration,
    /// Requests without a right password that one address may send in a second.
    pub denied_requests: u32,
    /// Bytes of an answer that are held back so that an error can still replace them.
    pub chunk_bytes: usize,
    /// Bytes of an answer below which it is not compressed.
    pub compressed_bytes: usize,
    /// Bodies above this are decoded away from the threads that serve connections.
    pub inline_bytes: usize,
    /// How long running requests may take when the server stops.
    pub drain_time: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 4096,
            peer_connections: 256,
            unknown_connections: 1024,
            connection_requests: 1_000_000,
            header_bytes: 64 * 1024,
            headers: 100,
            uri_bytes: 8 * 1024,
            body_bytes: 16 << 20,
            bodies_bytes: 512 << 20,
            handshake_time: Duration::from_secs(10),
            header_time: Duration::from_secs(10),
            idle_time: Duration::from_secs(30),
            body_time: (Duration::from_mins(1), Duration::from_secs(1)),
            body_pace: (1024, Duration::from_secs(10)),
            stall_time: Duration::from_secs(30),
            operation_time: Duration::from_mins(1),
            enumeration_time: Duration::from_mins(5),
            denied_requests: 20,
            chunk_bytes: 32 * 1024,
            compressed_bytes: 1024,
            inline_bytes: 256 * 1024,
            drain_time: Duration::from_secs(10),
        }
    }
}
