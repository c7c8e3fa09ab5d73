//! JW_Job.NextRuns: when a job will begin by itself.

use crate::model::{CimDateTime, CimType, CimValue};
use crate::ops::MethodReply;
use crate::provider::Arguments;

use super::super::core::JobRecord;
use super::super::engine::Engine;

/// Times returned when the client names no number.
const DEFAULT_TIMES: usize = 10;

/// The next `Count` times; the class bounds the number.
pub(super) fn answer(engine: &Engine, job: &JobRecord, given: &Arguments) -> MethodReply {
    let asked = given.value("Count").as_integer();
    let count = asked.and_then(|count| usize::try_from(count).ok());
    let times = engine.next_runs(job, count.unwrap_or(DEFAULT_TIMES));
    let shown = |time| CimValue::DateTime(CimDateTime::timestamp(time));
    let mut reply = MethodReply::code(0);
    reply.output(
        "Times",
        CimType::DateTime,
        CimValue::Array(times.into_iter().map(shown).collect()),
    );
    reply
}
