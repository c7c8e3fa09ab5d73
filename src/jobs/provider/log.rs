//! JW_Job.GetLog: a piece of what a job wrote.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::model::{CimType, CimValue, Result};
use crate::ops::MethodReply;
use crate::provider::Arguments;

use super::super::core::JobId;
use super::super::engine::Engine;
use super::super::port::Stream;
use super::failure;

/// Bytes returned when the client names no number.
const DEFAULT_BYTES: u32 = 65_536;

/// Reads from `Offset` on; 5 when `Stream` or `Offset` is NULL. The class bounds the numbers.
pub(super) async fn read(engine: &Engine, job: &JobId, given: &Arguments) -> Result<MethodReply> {
    let stream = match given.value("Stream").as_integer() {
        Some(1) => Stream::Stdout,
        Some(2) => Stream::Stderr,
        _ => return Ok(MethodReply::code(5)),
    };
    let offset = given
        .value("Offset")
        .as_integer()
        .and_then(|n| u64::try_from(n).ok());
    let Some(offset) = offset else {
        return Ok(MethodReply::code(5));
    };
    let asked = given
        .value("MaxBytes")
        .as_integer()
        .and_then(|n| u32::try_from(n).ok());
    let max = usize::try_from(asked.unwrap_or(DEFAULT_BYTES)).unwrap_or(usize::MAX);
    let chunk = engine.read_log(job, stream, offset, max).await;
    let chunk = chunk.map_err(|error| failure::cim(&error))?;
    let mut reply = MethodReply::code(0);
    reply.output(
        "Data",
        CimType::String,
        CimValue::string(STANDARD.encode(&chunk.data)),
    );
    reply.output(
        "NextOffset",
        CimType::Uint64,
        CimValue::Uint64(chunk.next_offset),
    );
    reply.output("End", CimType::Boolean, CimValue::Boolean(chunk.end));
    Ok(reply)
}
