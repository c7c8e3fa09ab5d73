//! GetLog of JW_Job and of JW_JobRun: a piece of what a run wrote.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::model::{CimType, CimValue, Result};
use crate::ops::MethodReply;
use crate::provider::Arguments;

use super::super::core::{JobId, RunRow};
use super::super::engine::{Engine, EngineError};
use super::super::port::{LogChunk, Stream};
use super::failure;

/// Bytes returned when the client names no number.
const DEFAULT_BYTES: u32 = 65_536;
/// Return value 5 of `GetLog`.
const INVALID_PARAMETER: u32 = 5;

/// What a caller asks for.
struct Wanted {
    stream: Stream,
    offset: u64,
    max: usize,
}

/// The output of the newest run of a job; 5 when `Stream` or `Offset` is NULL. The class bounds the
/// numbers.
pub(super) async fn read(engine: &Engine, job: &JobId, given: &Arguments) -> Result<MethodReply> {
    let Some(Wanted {
        stream,
        offset,
        max,
    }) = wanted(given)
    else {
        return Ok(MethodReply::code(INVALID_PARAMETER));
    };
    reply(engine.read_log(job, stream, offset, max).await)
}

/// The same of any run that is on record.
pub(super) async fn read_run(
    engine: &Engine,
    run: &RunRow,
    given: &Arguments,
) -> Result<MethodReply> {
    let Some(Wanted {
        stream,
        offset,
        max,
    }) = wanted(given)
    else {
        return Ok(MethodReply::code(INVALID_PARAMETER));
    };
    reply(engine.read_log_of(run, stream, offset, max).await)
}

fn wanted(given: &Arguments) -> Option<Wanted> {
    let stream = match given.value("Stream").as_integer()? {
        1 => Stream::Stdout,
        2 => Stream::Stderr,
        _ => return None,
    };
    let offset = u64::try_from(given.value("Offset").as_integer()?).ok()?;
    let asked = given.value("MaxBytes").as_integer();
    let asked = asked.and_then(|n| u32::try_from(n).ok());
    let max = usize::try_from(asked.unwrap_or(DEFAULT_BYTES)).unwrap_or(usize::MAX);
    Some(Wanted {
        stream,
        offset,
        max,
    })
}

fn reply(chunk: std::result::Result<LogChunk, EngineError>) -> Result<MethodReply> {
    let chunk = chunk.map_err(|error| failure::cim(&error))?;
    let mut reply = MethodReply::code(0);
    let data = CimValue::string(STANDARD.encode(&chunk.data));
    reply.output("Data", CimType::String, data);
    let next = CimValue::Uint64(chunk.next_offset);
    reply.output("NextOffset", CimType::Uint64, next);
    reply.output("End", CimType::Boolean, CimValue::Boolean(chunk.end));
    Ok(reply)
}
