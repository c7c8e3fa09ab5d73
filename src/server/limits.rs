//! How much a client may ask of the server. None of these can be switched off.

use std::time::Duration;

/// The limits of connections and requests.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Connections at a time.
    pub connections: usize,
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
    /// From the readiness of a connection to the end of a request's headers: also how long an
    /// unused connection stays.
    pub header_time: Duration,
    /// For a body, and once more for each 64 KiB of it.
    pub body_time: (Duration, Duration),
    /// How long a client may leave a written answer untaken.
    pub stall_time: Duration,
    /// For an operation, until its answer begins.
    pub operation_time: Duration,
    /// For the whole of an enumeration.
    pub enumeration_time: Duration,
    /// Bytes of an answer that are held back so that an error can still replace them.
    pub chunk_bytes: usize,
    /// Bodies above this are decoded away from the threads that serve connections.
    pub inline_bytes: usize,
    /// How long running requests may take when the server stops.
    pub drain_time: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 4096,
            header_bytes: 64 * 1024,
            headers: 100,
            uri_bytes: 8 * 1024,
            body_bytes: 16 << 20,
            bodies_bytes: 512 << 20,
            header_time: Duration::from_secs(30),
            body_time: (Duration::from_mins(1), Duration::from_secs(1)),
            stall_time: Duration::from_secs(30),
            operation_time: Duration::from_mins(1),
            enumeration_time: Duration::from_mins(5),
            chunk_bytes: 32 * 1024,
            inline_bytes: 256 * 1024,
            drain_time: Duration::from_secs(10),
        }
    }
}
