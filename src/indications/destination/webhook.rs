//! Webhooks: indications as JSON, posted to a URL.

use bytes::Bytes;
use serde_json::json;

use crate::cimxml::{Limits, decode_indication};
use crate::json;

use crate::store::Queued;

use super::http::{Post, SendError};
use super::{BoxSend, Carrier};

/// Posts each indication as one JSON object.
pub(super) struct Webhook(pub(super) Post);

impl Carrier for Webhook {
    fn send<'a>(&'a mut self, queued: &'a Queued) -> BoxSend<'a> {
        Box::pin(async move {
            let body = body(queued)?;
            let headers = [("content-type", "application/json"), ("accept", "*/*")];
            self.0.post(body, &headers).await.map(drop)
        })
    }
}

fn body(queued: &Queued) -> Result<Bytes, SendError> {
    let indication = decode_indication(&queued.indication, &Limits::default());
    let indication = indication.map_err(|error| SendError::Damaged(error.to_string()))?;
    let mut shown = json::instance(&indication);
    if let Some(properties) = shown
        .pointer_mut("/properties")
        .and_then(|p| p.as_object_mut())
    {
        properties.insert("SequenceContext".to_owned(), json!(queued.context));
        properties.insert("SequenceNumber".to_owned(), json!(queued.number));
    }
    Ok(shown.to_string().into())
}
