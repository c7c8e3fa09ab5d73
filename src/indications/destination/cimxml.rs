//! CIM-XML listeners: indications as export messages (DSP0200 1.4 §5.5).

use bytes::BytesMut;

use crate::cimxml::{EXPORT_METHOD, Limits, Sequence, decode_export_response, encode_export};

use crate::store::Queued;

use super::http::{Post, SendError};
use super::{BoxSend, Carrier};

/// Sends indications as export messages.
pub(super) struct CimXml(pub(super) Post);

impl Carrier for CimXml {
    fn send<'a>(&'a mut self, queued: &'a Queued) -> BoxSend<'a> {
        Box::pin(async move {
            let mut message = BytesMut::new();
            let sequence = Sequence {
                context: &queued.context,
                number: queued.number,
            };
            let id = queued.position.to_string();
            encode_export(&mut message, &id, &queued.indication, sequence)
                .map_err(|error| SendError::Damaged(error.description))?;
            let headers = [
                ("content-type", "application/xml; charset=\"utf-8\""),
                // Listeners made with pywbem compare the whole value with single types.
                ("accept", "application/xml"),
                ("cimprotocolversion", "1.0"),
                ("cimexport", "MethodRequest"),
                ("cimexportmethod", EXPORT_METHOD),
            ];
            let answer = self.0.post(message.freeze(), &headers).await?;
            let outcome = decode_export_response(&answer, &Limits::default());
            let outcome = outcome.map_err(|error| SendError::Refused(error.to_string()))?;
            outcome.map_err(|error| SendError::Refused(error.to_string()))
        })
    }
}
