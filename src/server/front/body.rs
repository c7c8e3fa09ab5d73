//! The body of a request: read by an authenticated client only, within limits of bytes and time.

use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt;
use hyper::body::{Body as _, Incoming};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, timeout_at};

use crate::cimxml::HttpFault;
use crate::provider::Principal;

use super::super::Limits;
use super::super::http::refuse;

/// A request whose sender is known: only it gives out its body.
pub(super) struct Authenticated {
    pub(super) principal: Principal,
    body: Incoming,
}

/// A body in memory, with its share of the memory for bodies. One that came in a single frame is a part of
/// what was read from the connection, whose buffer it keeps until it is decoded.
pub(super) struct Held {
    pub(super) bytes: Bytes,
    _share: Vec<OwnedSemaphorePermit>,
}

impl Held {
    fn new(bytes: Bytes, share: Vec<OwnedSemaphorePermit>) -> Self {
        Self {
            bytes,
            _share: share,
        }
    }
}

impl Authenticated {
    /// `principal` sent a request with `body`.
    pub(super) fn new(principal: Principal, body: Incoming) -> Self {
        Self { principal, body }
    }

    /// Reads the body.
    ///
    /// # Errors
    /// 413 for too many bytes, 408 for too few in time, 503 when all bodies together are too many,
    /// 400 when it breaks off.
    pub(super) async fn read(
        mut self,
        limits: &Limits,
        memory: &Arc<Semaphore>,
    ) -> Result<(Principal, Held), HttpFault> {
        let (start, mut bytes, mut share) = (Instant::now(), BytesMut::new(), Vec::new());
        loop {
            let deadline = start + allowed(limits, bytes.len());
            let frame = timeout_at(deadline, self.body.frame()).await;
            let frame = match frame.map_err(|_| refuse(408, "the body came too slowly"))? {
                None => break,
                Some(Err(_)) => return Err(refuse(400, "the body broke off")),
                Some(Ok(frame)) => frame,
            };
            // Trailers of a request mean nothing here.
            let Ok(data) = frame.into_data() else {
                continue;
            };
            if bytes.len() + data.len() > limits.body_bytes {
                return Err(refuse(413, "the body is too long"));
            }
            let size = u32::try_from(data.len()).unwrap_or(u32::MAX);
            let permit = memory.clone().try_acquire_many_owned(size);
            share
                .push(permit.map_err(|_| refuse(503, "the server has too many requests to read"))?);
            if bytes.is_empty() && self.body.is_end_stream() {
                return Ok((self.principal, Held::new(data, share)));
            }
            bytes.extend_from_slice(&data);
        }
        Ok((self.principal, Held::new(bytes.freeze(), share)))
    }
}

/// How long after its beginning the next part of a body may come when `read` bytes have come.
fn allowed(limits: &Limits, read: usize) -> Duration {
    let (base, more) = limits.body_time;
    let whole = base + more * u32::try_from(read / (64 * 1024)).unwrap_or(u32::MAX);
    let (bytes, warm_up) = limits.body_pace;
    let seconds = read / bytes.max(1);
    whole.min(warm_up + Duration::from_secs(seconds as u64 + 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_must_keep_pace_and_end() {
        let seconds = |read| allowed(&Limits::default(), read).as_secs();
        assert_eq!(seconds(0), 11, "the first bytes");
        assert_eq!(seconds(1024), 12, "one KiB is good for a second");
        assert_eq!(seconds(40 * 1024), 51);
        assert_eq!(seconds(64 * 1024), 61, "no pace makes up for the whole");
        assert_eq!(seconds(1 << 20), 76);
    }
}
