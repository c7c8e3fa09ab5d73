//! Decoding of batches (DSP0200 1.4 §5.5): `MULTIREQ` to its calls, in their order.
//!
//! A wrong value costs the one call in which it stands; a fault against the DTD costs the batch.

use crate::model::CimError;

use super::Limits;
use super::envelope;
use super::error::{DecodeError, DecodeErrorKind, Envelope, Result};
use super::reader::Reader;
use super::request::{Decoded, complete, simple_request};

/// A batch that was understood.
#[derive(Debug, Clone, PartialEq)]
pub struct Batch {
    /// `MESSAGE/@ID`, as the client wrote it.
    pub message_id: String,
    /// `MESSAGE/@PROTOCOLVERSION`.
    pub protocol_version: String,
    /// Its requests.
    pub parts: Vec<Part>,
}

/// One request of a batch.
#[derive(Debug, Clone, PartialEq)]
pub enum Part {
    /// A call.
    Call(Box<Decoded>),
    /// A call with a wrong value, and what it is answered.
    Refused(Box<Envelope>, CimError),
}

/// Decodes the body of a request that came with `CIMBatch`.
///
/// # Errors
/// As [`super::decode`]; no error is one of a single call.
pub fn decode_batch(body: &[u8], limits: &Limits) -> Result<Batch> {
    let mut reader = Reader::new(body, limits)?;
    let batch = batch(&mut reader);
    complete(&mut reader, batch)
}

fn batch(reader: &mut Reader<'_>) -> Result<Batch> {
    let message = envelope::open(reader)?;
    let Some(body) = reader.child()? else {
        return Err(reader.invalid("MESSAGE without content"));
    };
    match body.name {
        "MULTIREQ" => {}
        "SIMPLEREQ" => {
            let what = "a single request with CIMBatch";
            return Err(reader.error(DecodeErrorKind::Mismatch(what)));
        }
        other => {
            let what = format!("{other} where MULTIREQ is expected");
            return Err(reader.error(DecodeErrorKind::NotValid(what)));
        }
    }
    let mut parts = Vec::new();
    while let Some(child) = reader.child()? {
        if child.name != "SIMPLEREQ" {
            reader.stray(&child)?;
            continue;
        }
        if parts.len() >= reader.limits.batch {
            return Err(reader.error(DecodeErrorKind::LongBatch(reader.limits.batch)));
        }
        parts.push(part(reader, &message)?);
    }
    if parts.len() < 2 {
        return Err(reader.invalid("MULTIREQ with fewer than two requests"));
    }
    // The ends of MESSAGE and of CIM.
    reader.end()?;
    reader.end()?;
    Ok(Batch {
        message_id: message.id,
        protocol_version: message.protocol_version,
        parts,
    })
}

fn part(reader: &mut Reader<'_>, message: &envelope::Message) -> Result<Part> {
    let depth = reader.depth();
    let mut known: Option<Envelope> = None;
    match (simple_request(reader, message, &mut known), known) {
        (Ok(call), Some(envelope)) => Ok(Part::Call(Box::new(Decoded { envelope, call }))),
        (Ok(_), None) => Err(reader.invalid("no call")),
        (
            Err(DecodeError {
                kind: DecodeErrorKind::Cim(error),
                ..
            }),
            Some(envelope),
        ) => {
            reader.leave(depth)?;
            Ok(Part::Refused(Box::new(envelope), error))
        }
        (Err(error), _) => Err(error),
    }
}
