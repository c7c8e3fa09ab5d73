//! CIM_Error instances for jobs that did not end well.

use crate::model::{Instance, Namespace, Result};
use crate::provider::{Context, fill};

use super::super::core::{JobError, JobRecord, JobState, error_code};

/// `CIM_Error.ErrorType`: the fault lies in software.
const SOFTWARE_ERROR: u16 = 4;
/// `CIM_Error.CIMStatusCode`: a general failure.
const STATUS_FAILED: u32 = 1;
/// `CIM_Error.ErrorSourceFormat`: the text is an object path.
const SOURCE_IS_A_PATH: u16 = 2;

/// The errors of `job`: its own, and that it could not be recovered from; none when it went well or
/// has not ended.
pub(super) fn of(cx: &Context, job: &JobRecord) -> Result<Vec<Instance>> {
    if !job.state.is_final() {
        return Ok(Vec::new());
    }
    let not_recovered = job.recovery.trouble.clone().map(|description| JobError {
        code: error_code::NOT_RECOVERED,
        description,
    });
    let errors = job.error.iter().chain(&not_recovered);
    errors.map(|error| shown(cx, job, error)).collect()
}

fn shown(cx: &Context, job: &JobRecord, error: &JobError) -> Result<Instance> {
    fill::instance(
        fill::class(cx, "CIM_Error")?,
        [
            ("ErrorType", SOFTWARE_ERROR.into()),
            ("OwningEntity", "Jobwright".into()),
            ("MessageID", message_id(error).into()),
            ("Message", error.description.as_str().into()),
            ("PerceivedSeverity", severity(job.state).into()),
            ("ProbableCause", probable_cause(error.code).into()),
            ("ErrorSource", source(&cx.namespace, job).into()),
            ("ErrorSourceFormat", SOURCE_IS_A_PATH.into()),
            ("CIMStatusCode", STATUS_FAILED.into()),
        ],
    )
}

/// One id for each kind of end, so that a client can tell them apart by it.
pub(super) fn message_id(error: &JobError) -> String {
    match error.code {
        1..=255 => "JW0001".to_owned(),
        256..=1000 => "JW0256".to_owned(),
        code => format!("JW{code:04}"),
    }
}

/// What a client asked for is information; what happened unasked is a major fault.
pub(super) fn severity(state: JobState) -> u16 {
    match state {
        JobState::Terminated | JobState::Killed => 2,
        JobState::New
        | JobState::Starting
        | JobState::Running
        | JobState::Suspended
        | JobState::ShuttingDown
        | JobState::Completed
        | JobState::Exception => 5,
    }
}

/// `CIM_Error.ProbableCause`: 111 time-out expired, 48 program terminated abnormally, 47 software
/// error, 0 unknown.
pub(super) fn probable_cause(code: u16) -> u16 {
    match code {
        error_code::TIMED_OUT | error_code::EXPIRED => 111,
        error_code::UNKNOWN | 1..=1000 => 48,
        error_code::NOT_STARTED => 47,
        _ => 0,
    }
}

pub(super) fn source(namespace: &Namespace, job: &JobRecord) -> String {
    let id = job.id.as_str().replace('\\', "\\\\").replace('"', "\\\"");
    format!("{namespace}:JW_Job.InstanceID=\"{id}\"")
}
