//! The body of a request: read by an authenticated client only, within limits of bytes and time.

use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt;
use hyper::body::Incoming;
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

/// A body in memory, with its share of the memory for bodies.
pub(super) struct Held {
    pub(super) bytes: Bytes,
    _share: Vec<OwnedSemaphorePermit>,
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
            bytes.extend_from_slice(&data);
        }
        Ok((
            self.principal,
            Held {
                bytes: bytes.freeze(),
                _share: share,
            },
        ))
    }
}

fn allowed(limits: &Limits, read: usize) -> Duration {
    let (base, more) = limits.body_time;
    base + more * u32::try_from(read / (64 * 1024)).unwrap_or(u32::MAX)
}
