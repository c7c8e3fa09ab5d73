//! Calling operations: one, or those of a batch one after the other, within their time.

#![expect(
    clippy::disallowed_methods,
    reason = "a request's clocks are read once, here"
)]

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Instant;

use bytes::BytesMut;
use chrono::Utc;
use futures_util::FutureExt;
use futures_util::stream::{self, StreamExt};

use crate::broker::Arrival;
use crate::cimxml::{
    Batch, Decoded, Envelope, Part, ResponseEncoder, ResponseHead, begin_batch, end_batch,
};
use crate::model::{CimError, Result};
use crate::ops::{Access, Addressed, Request as Operation};
use crate::provider::Principal;

use super::answer::Front;
use super::measure::Spent;
use super::stream::{Chunks, Pace, Text, coalesced, encode, too_long};

/// Who calls, and where the time goes that providers take.
#[derive(Clone)]
pub(super) struct Caller {
    pub(super) principal: Principal,
    /// The host that the client named: absolute paths of the answer have it.
    pub(super) host: Arc<str>,
    pub(super) spent: Spent,
}

impl Front {
    /// The answer to one call.
    pub(super) async fn single(&self, caller: &Caller, decoded: Box<Decoded>) -> Text {
        let Decoded { envelope, call } = *decoded;
        let encoder = self.encoder(envelope.head).with_host(caller.host.clone());
        let answered = self.operate(caller, call, encoder.clone()).await;
        answered.unwrap_or_else(|error| failed(&encoder, &error))
    }

    /// The answer to a batch. A part is called when what came before it has been written.
    ///
    /// # Errors
    /// When a part fails whose beginning has been written already.
    pub(super) async fn batch(self: &Arc<Self>, caller: Caller, batch: Batch) -> Result<Text> {
        let mut before = BytesMut::new();
        begin_batch(&mut before, &batch.message_id);
        let mut after = BytesMut::new();
        end_batch(&mut after);
        let front = self.clone();
        let parts = stream::iter(batch.parts).then(move |part| {
            let (front, caller) = (front.clone(), caller.clone());
            async move { front.part(&caller, part).await }
        });
        let chunks: Chunks = stream::iter([Ok(before.freeze())])
            .chain(parts.flatten())
            .chain(stream::iter([Ok(after.freeze())]))
            .boxed();
        let chunk_bytes = self.limits.chunk_bytes;
        let text = Text::gathered(chunks, chunk_bytes).await?;
        Ok(Text {
            rest: text.rest.map(|rest| coalesced(rest, chunk_bytes)),
            ..text
        })
    }

    async fn part(&self, caller: &Caller, part: Part) -> Chunks {
        let text = match part {
            Part::Refused(envelope, error) => {
                let error = self.first_fault(&caller.principal, &envelope, error);
                failed(&self.in_batch(envelope.head), &error)
            }
            Part::Call(decoded) => {
                let encoder = self
                    .in_batch(decoded.envelope.head)
                    .with_host(caller.host.clone());
                let answered = self.operate(caller, decoded.call, encoder.clone()).await;
                answered.unwrap_or_else(|error| failed(&encoder, &error))
            }
        };
        text.chunks()
    }

    /// The answer to a call that a wrong value refuses.
    pub(super) fn failed_call(&self, head: ResponseHead, error: &CimError) -> Text {
        failed(&self.encoder(head), error)
    }

    fn encoder(&self, head: ResponseHead) -> ResponseEncoder {
        self.configured(ResponseEncoder::new(head))
    }

    fn in_batch(&self, head: ResponseHead) -> ResponseEncoder {
        self.configured(ResponseEncoder::in_batch(head))
    }

    fn configured(&self, encoder: ResponseEncoder) -> ResponseEncoder {
        encoder
            .with_error_instances(self.error_instances)
            .with_known_forms(self.forms.clone())
    }

    /// What a call with a wrong value is answered: `error`, unless it would have been refused before
    /// its values were looked at.
    pub(super) fn first_fault(
        &self,
        principal: &Principal,
        envelope: &Envelope,
        error: CimError,
    ) -> CimError {
        let access = if envelope.head.intrinsic {
            Operation::access_of(&envelope.head.method)
        } else {
            Some(Access::Invoke)
        };
        let (Some(namespace), Some(access)) = (envelope.namespace(), access) else {
            return error;
        };
        let admitted = self.handler.admit(principal, namespace, access);
        admitted.err().unwrap_or(error)
    }

    async fn operate(
        &self,
        caller: &Caller,
        call: Addressed,
        encoder: ResponseEncoder,
    ) -> Result<Text> {
        let time = if call.request.is_enumeration() {
            self.limits.enumeration_time
        } else {
            self.limits.operation_time
        };
        let deadline = Instant::now() + time;
        let arrival = Arrival {
            now: Utc::now(),
            deadline,
        };
        let principal = caller.principal.clone();
        let work = async {
            let handled = self.handler.handle(principal, arrival, call);
            let reply = caller.spent.on(handled).await?;
            let pace = Pace {
                chunk_bytes: self.limits.chunk_bytes,
                chunk_time: time,
            };
            encode(encoder, reply, &self.texts, pace).await
        };
        match tokio::time::timeout_at(deadline.into(), AssertUnwindSafe(work).catch_unwind()).await
        {
            Ok(Ok(encoded)) => encoded,
            Ok(Err(_panic)) => {
                self.panics.fetch_add(1, Ordering::Relaxed);
                tracing::error!("an operation met a fault of the server");
                Err(CimError::failed("the server met a fault of its own"))
            }
            Err(_) => Err(too_long()),
        }
    }
}

fn failed(encoder: &ResponseEncoder, error: &CimError) -> Text {
    let mut bytes = BytesMut::new();
    encoder.error(&mut bytes, error);
    Text::whole(bytes.freeze())
}
