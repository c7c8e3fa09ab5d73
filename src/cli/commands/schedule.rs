//! `job schedule`: the next times at which a job begins by itself.

use std::process::ExitCode;

use chrono::SecondsFormat;

use crate::model::{CimName, CimType, CimValue};

use super::super::args::Schedule;
use super::super::output;
use super::super::{CliError, target};
use super::job;

/// Prints one time on a line, in UTC.
pub async fn run(arguments: Schedule) -> Result<ExitCode, CliError> {
    let client = target::connect(&arguments.target)?;
    let count = job::value(
        CimName::of("Count"),
        Some(CimType::Uint32),
        &arguments.count.to_string(),
    );
    let method = CimName::of("NextRuns");
    let path = job::path_of(&arguments.id);
    let answer = client
        .invoke(&target::namespace(), path, method, vec![count])
        .await?;
    let times = answer.output("Times", CimType::DateTime);
    let times = times.as_ref().and_then(CimValue::as_array);
    for time in times.unwrap_or_default() {
        let instant = time.as_datetime().and_then(|time| time.as_instant());
        if let Some(instant) = instant {
            output::line(instant.to_rfc3339_opts(SecondsFormat::AutoSi, true))?;
        }
    }
    if times.is_none_or(<[_]>::is_empty) {
        eprintln!("jobwright: {}: nothing is scheduled", arguments.id);
    }
    Ok(ExitCode::SUCCESS)
}
