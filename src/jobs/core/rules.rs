//! The rules that span values or states of a job's properties.
//!
//! Types, ranges, value maps and writability of single properties are the schema's concern and are
//! not repeated here. The numbers in comments are those of the project's list of decisions on
//! points where the CIM schema is silent.

use std::collections::HashSet;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use thiserror::Error;

use crate::model::datetime::CimDateTime;

use super::depend::Dependency;
use super::fields::{JobFields, Settable, Setting};
use super::id::JobId;
use super::schedule::{DEFAULT_CLOCK, ScheduleFields};
use super::spec::DEFAULT_QUEUE;

/// Longest single argument or environment entry, in bytes.
pub const ARGUMENT_LIMIT_BYTES: usize = 128 * 1024;
/// Longest argument vector, script or environment in all, in bytes.
pub const WORK_LIMIT_BYTES: usize = 1024 * 1024;
/// Most arguments or environment entries.
pub const ARGUMENT_LIMIT: usize = 1024;
/// Most jobs that one job may depend on.
pub const DEPENDENCY_LIMIT: usize = 128;
/// Longest working directory or interpreter path, in bytes.
pub const PATH_LIMIT_BYTES: usize = 4095;

/// Why a set of property values is not a job: the property and the rule it breaks.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{property} {rule}")]
pub struct SpecError {
    /// The property, as the schema spells it.
    pub property: &'static str,
    /// The rule.
    pub rule: Rule,
}

impl SpecError {
    /// `property` breaks `rule`.
    pub fn new(property: &'static str, rule: Rule) -> Self {
        Self { property, rule }
    }
}

/// The rules that span values or states; each reads on after the name of a property.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Rule {
    /// An id is empty, too long, or has `;` or a control character.
    #[error("must be 1 to 256 bytes without a semicolon or a control character")]
    Id,
    /// A property without which there is no job.
    #[error("must have a value")]
    Required,
    /// A property that is fixed at creation.
    #[error("cannot be changed after the job was created")]
    Fixed,
    /// Both or neither of Command and Script.
    #[error("is wrong: exactly one of Command and Script must be given")]
    OneOfCommandAndScript,
    /// The program is empty, or relative with a `/`.
    #[error("must begin with an absolute path or with a program name without a slash")]
    Program,
    /// A text is longer, or an array has more elements, than the limit.
    #[error("is larger than the limit of {0}")]
    Limit(usize),
    /// A NUL character, which no argument of a process can hold.
    #[error("contains a NUL character")]
    Nul,
    /// A path does not begin with `/`.
    #[error("must be an absolute path")]
    AbsolutePath,
    /// Interpreter given with Command.
    #[error("applies to Script alone")]
    ScriptOnly,
    /// An environment entry without a usable name.
    #[error("must be NAME=value with a name of letters, digits and underscores: \"{0}\"")]
    EnvironmentEntry(String),
    /// A dependency whose condition is not known.
    #[error("must be an InstanceID, which ;succeeded, ;failed or ;ended may follow: \"{0}\"")]
    DependencySyntax(String),
    /// A dependency on a job that does not exist.
    #[error("names a job that does not exist: \"{0}\"")]
    UnknownDependency(String),
    /// Two conditions for one job, of which an association can show one.
    #[error("names a job twice: \"{0}\"")]
    DependencyTwice(String),
    /// A queue that does not exist.
    #[error("names a queue that does not exist: \"{0}\"")]
    UnknownQueue(String),
    /// Settings that do not exist.
    #[error("names settings that do not exist: \"{0}\"")]
    UnknownSetting(String),
    /// Day 0 is in no month.
    #[error("is 0, and there is no such day")]
    NoSuchDay,
    /// An interval where the schema wants one.
    #[error("must be an interval")]
    Interval,
    /// A datetime with asterisks.
    #[error("must not contain asterisks")]
    Wildcards,
    /// A time of day of 24 hours or more.
    #[error("must be shorter than 24 hours")]
    TimeOfDay,
    /// An interval that must end.
    #[error("must not be infinite")]
    Infinite,
    /// An interval of no length.
    #[error("must be longer than zero")]
    Zero,
    /// An instant in the past.
    #[error("has already passed")]
    Passed,
    /// A single start together with a calendar.
    #[error("cannot be set together with RunMonth, RunDay, RunDayOfWeek or RunStartInterval")]
    OneShotAndCalendar,
    /// A schedule without a time.
    #[error("is missing: one of RunMonth, RunDay, RunDayOfWeek and RunStartInterval must be set")]
    NoCalendar,
    /// A single start for a job that has schedules.
    #[error("cannot be set on a job that has a JW_JobSchedule")]
    OneShotAndSchedules,
    /// A zone that the IANA database does not have.
    #[error("is not a zone of the IANA database: \"{0}\"")]
    UnknownZone(String),
    /// `OverlapPolicy` 4: a job has one state, one start time and one progress, and so one run.
    #[error("is 4 (Parallel), and a job has one run at a time: submit a job for each")]
    Parallel,
    /// A text for another value of `RecoveryAction`.
    #[error("applies to RecoveryAction 1 alone")]
    OtherRecoveryOnly,
}

pub(super) fn fill_defaults(fields: &mut JobFields) {
    let seconds = |n| CimDateTime::interval(TimeDelta::seconds(n));
    fields
        .queue_name
        .get_or_insert_with(|| DEFAULT_QUEUE.to_owned());
    fields.hold.get_or_insert(false);
    fields.job_run_times.get_or_insert(1);
    fields.local_or_utc_time.get_or_insert(DEFAULT_CLOCK);
    fields.delete_on_completion.get_or_insert(false);
    fields
        .time_before_removal
        .get_or_insert_with(|| seconds(300));
    fields.kill_grace_period.get_or_insert_with(|| seconds(10));
    fields.missed_run_policy.get_or_insert(3);
    fields.overlap_policy.get_or_insert(3);
    fields.max_retries.get_or_insert(3);
    fields.retry_delay.get_or_insert_with(|| seconds(10));
}

pub(super) fn modifiable(setting: &Setting) -> Result<(), SpecError> {
    match (setting.settable(), setting) {
        (Settable::Create, _) => Err(SpecError::new(setting.property(), Rule::Fixed)),
        (Settable::Write, Setting::TimeBeforeRemoval(None)) => {
            Err(SpecError::new(setting.property(), Rule::Required))
        }
        (Settable::Write, _) => Ok(()),
    }
}

pub(super) fn has_calendar(fields: &JobFields) -> bool {
    ScheduleFields::of(fields).has_calendar()
}

pub(super) fn clear_calendar(fields: &mut JobFields) {
    fields.run_month = None;
    fields.run_day = None;
    fields.run_day_of_week = None;
    fields.run_start_interval = None;
}

/// #11: `ScheduledStartTime` and Run* in one request contradict each other.
pub(super) fn one_kind_of_start(written: &JobFields) -> Result<(), SpecError> {
    if written.scheduled_start_time.is_some() && has_calendar(written) {
        return Err(SpecError::new(
            "ScheduledStartTime",
            Rule::OneShotAndCalendar,
        ));
    }
    Ok(())
}

/// #12: an interval counts from now; an instant in the past is accepted and means now.
pub(super) fn absolute_start(
    written: Option<CimDateTime>,
    now: DateTime<Utc>,
) -> Result<Option<CimDateTime>, SpecError> {
    written
        .map(|time| absolute("ScheduledStartTime", time, now))
        .transpose()
}

/// #13, #17: an interval counts from now; an instant in the past is refused.
pub(super) fn absolute_until(
    written: Option<CimDateTime>,
    now: DateTime<Utc>,
) -> Result<Option<CimDateTime>, SpecError> {
    let until = written
        .map(|time| absolute("UntilTime", time, now))
        .transpose()?;
    let passed = until
        .filter(|until| !until.is_infinite())
        .and_then(|until| until.as_instant());
    if passed.is_some_and(|until| until <= now) {
        return Err(SpecError::new("UntilTime", Rule::Passed));
    }
    Ok(until)
}

/// A timestamp stays as written; an interval is added to `now`, beyond year 9999 it is infinite.
fn absolute(
    property: &'static str,
    time: CimDateTime,
    now: DateTime<Utc>,
) -> Result<CimDateTime, SpecError> {
    if time.has_wildcards() {
        return Err(SpecError::new(property, Rule::Wildcards));
    }
    let Some(length) = time.as_length() else {
        return Ok(time);
    };
    let instant = now
        .checked_add_signed(length)
        .filter(|_| !time.is_infinite());
    Ok(instant.map_or_else(CimDateTime::infinite_future, CimDateTime::timestamp))
}

pub(super) fn length(interval: CimDateTime) -> Option<Duration> {
    interval.as_length().and_then(|length| length.to_std().ok())
}

pub(super) fn names(fields: &JobFields) -> Result<(), SpecError> {
    if let Some(id) = &fields.instance_id {
        JobId::new(id)?;
    }
    if fields.name.as_deref().unwrap_or_default().is_empty() {
        return Err(SpecError::new("Name", Rule::Required));
    }
    if fields.other_recovery_action.is_some() && fields.recovery_action != Some(1) {
        return Err(SpecError::new(
            "OtherRecoveryAction",
            Rule::OtherRecoveryOnly,
        ));
    }
    Ok(())
}

pub(super) fn work(fields: &JobFields) -> Result<(), SpecError> {
    match (&fields.command, &fields.script) {
        (Some(command), None) => {
            if fields.interpreter.is_some() {
                return Err(SpecError::new("Interpreter", Rule::ScriptOnly));
            }
            strings("Command", command)?;
            program(command)
        }
        (None, Some(script)) => {
            text("Script", script, WORK_LIMIT_BYTES)?;
            path("Interpreter", fields.interpreter.as_deref())
        }
        (Some(_), Some(_)) => Err(SpecError::new("Script", Rule::OneOfCommandAndScript)),
        (None, None) => Err(SpecError::new("Command", Rule::OneOfCommandAndScript)),
    }
}

fn program(command: &[String]) -> Result<(), SpecError> {
    let program = command.first().map(String::as_str).unwrap_or_default();
    if program.is_empty() || (program.contains('/') && !program.starts_with('/')) {
        return Err(SpecError::new("Command", Rule::Program));
    }
    Ok(())
}

pub(super) fn surroundings(fields: &JobFields) -> Result<(), SpecError> {
    path("WorkingDirectory", fields.working_directory.as_deref())?;
    let environment = fields.environment.as_deref().unwrap_or_default();
    strings("Environment", environment)?;
    for entry in environment {
        environment_entry(entry)?;
    }
    let dependencies = fields.depends_on.as_deref().unwrap_or_default();
    if dependencies.len() > DEPENDENCY_LIMIT {
        return Err(SpecError::new("DependsOn", Rule::Limit(DEPENDENCY_LIMIT)));
    }
    for entry in dependencies {
        entry.parse::<Dependency>()?;
    }
    Ok(())
}

/// A job stands in `DependsOn` once: the two jobs are the keys of `JW_JobDependency`.
pub(super) fn each_dependency_once(fields: &JobFields) -> Result<(), SpecError> {
    let mut seen = HashSet::new();
    for entry in fields.depends_on.iter().flatten().take(DEPENDENCY_LIMIT) {
        let job = entry.parse::<Dependency>()?.job;
        if !seen.insert(job.clone()) {
            let name = job.to_string();
            return Err(SpecError::new("DependsOn", Rule::DependencyTwice(name)));
        }
    }
    Ok(())
}

fn environment_entry(entry: &str) -> Result<(), SpecError> {
    let name = entry.split_once('=').map_or("", |(name, _)| name);
    let shape = name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    if name.is_empty() || !shape || name.as_bytes()[0].is_ascii_digit() {
        // The value may be a secret, so that only the name is repeated.
        let shown = entry.split('=').next().unwrap_or_default();
        let shown = shown.chars().take(64).collect();
        return Err(SpecError::new("Environment", Rule::EnvironmentEntry(shown)));
    }
    Ok(())
}

fn strings(property: &'static str, strings: &[String]) -> Result<(), SpecError> {
    if strings.len() > ARGUMENT_LIMIT {
        return Err(SpecError::new(property, Rule::Limit(ARGUMENT_LIMIT)));
    }
    for string in strings {
        text(property, string, ARGUMENT_LIMIT_BYTES)?;
    }
    if strings.iter().map(String::len).sum::<usize>() > WORK_LIMIT_BYTES {
        return Err(SpecError::new(property, Rule::Limit(WORK_LIMIT_BYTES)));
    }
    Ok(())
}

fn text(property: &'static str, text: &str, limit: usize) -> Result<(), SpecError> {
    if text.len() > limit {
        return Err(SpecError::new(property, Rule::Limit(limit)));
    }
    if text.contains('\0') {
        return Err(SpecError::new(property, Rule::Nul));
    }
    Ok(())
}

fn path(property: &'static str, path: Option<&str>) -> Result<(), SpecError> {
    let Some(path) = path else { return Ok(()) };
    text(property, path, PATH_LIMIT_BYTES)?;
    if !path.starts_with('/') {
        return Err(SpecError::new(property, Rule::AbsolutePath));
    }
    Ok(())
}

pub(super) fn times(fields: &JobFields) -> Result<(), SpecError> {
    calendar(&ScheduleFields::of(fields))?;
    interval("TimeBeforeRemoval", fields.time_before_removal)?;
    if interval("MaxElapsedTime", fields.max_elapsed_time)? == Some(Duration::ZERO) {
        return Err(SpecError::new("MaxElapsedTime", Rule::Zero));
    }
    finite("KillGracePeriod", fields.kill_grace_period)?;
    finite("RetryDelay", fields.retry_delay)?;
    if fields.overlap_policy == Some(4) {
        return Err(SpecError::new("OverlapPolicy", Rule::Parallel));
    }
    Ok(())
}

/// The rules of the `Run*` properties, wherever they stand.
pub(super) fn calendar(fields: &ScheduleFields) -> Result<(), SpecError> {
    if fields.run_day == Some(0) {
        return Err(SpecError::new("RunDay", Rule::NoSuchDay)); // #6
    }
    let of_day = interval("RunStartInterval", fields.run_start_interval)?; // #9
    if of_day.is_some_and(|time| time >= Duration::from_hours(24)) {
        return Err(SpecError::new("RunStartInterval", Rule::TimeOfDay)); // #9
    }
    let zone = fields.time_zone.as_deref();
    match zone.filter(|zone| zone.parse::<chrono_tz::Tz>().is_err()) {
        Some(zone) => Err(SpecError::new(
            "TimeZone",
            Rule::UnknownZone(zone.to_owned()),
        )),
        None => Ok(()),
    }
}

fn interval(
    property: &'static str,
    written: Option<CimDateTime>,
) -> Result<Option<Duration>, SpecError> {
    let Some(time) = written else { return Ok(None) };
    if !time.is_interval() {
        return Err(SpecError::new(property, Rule::Interval));
    }
    if time.has_wildcards() {
        return Err(SpecError::new(property, Rule::Wildcards));
    }
    Ok(length(time))
}

fn finite(property: &'static str, written: Option<CimDateTime>) -> Result<(), SpecError> {
    interval(property, written)?;
    if written.is_some_and(|time| time.is_infinite()) {
        return Err(SpecError::new(property, Rule::Infinite));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::spec::{DEFAULT_PRIORITY, JobSpec, StartRule, Work};
    use super::*;
    use Setting::{
        Priority, RunDay, RunStartInterval, ScheduledStartTime, TimeBeforeRemoval, UntilTime,
    };

    fn now() -> DateTime<Utc> {
        "2026-06-01T12:00:00Z".parse().expect("an instant")
    }

    fn time(text: &str) -> CimDateTime {
        text.parse().expect("a datetime")
    }

    fn base() -> JobFields {
        JobFields {
            name: Some("job".to_owned()),
            command: Some(vec!["true".to_owned()]),
            ..JobFields::default()
        }
    }

    #[expect(clippy::unnecessary_wraps, reason = "the fields it fills are optional")]
    fn strings(items: &[&str]) -> Option<Vec<String>> {
        Some(items.iter().map(|item| (*item).to_owned()).collect())
    }

    /// `change` makes a job that is refused with this text.
    fn refused(change: impl FnOnce(&mut JobFields), expected: &str) {
        let mut fields = base();
        change(&mut fields);
        let error = JobSpec::new(fields, now()).expect_err(expected).to_string();
        assert!(error.starts_with(expected), "{error:?} is not {expected:?}");
    }

    fn accepted(change: impl FnOnce(&mut JobFields)) -> JobSpec {
        let mut fields = base();
        change(&mut fields);
        JobSpec::new(fields, now()).expect("a job")
    }

    #[test]
    fn what_is_not_a_job() {
        let one_of = "exactly one of Command and Script must be given";
        refused(|f| f.name = None, "Name must have a value");
        refused(|f| f.command = None, &format!("Command is wrong: {one_of}"));
        refused(
            |f| f.script = Some("a".into()),
            &format!("Script is wrong: {one_of}"),
        );
        refused(|f| f.command = strings(&[]), "Command must begin with");
        refused(|f| f.command = strings(&[""]), "Command must begin with");
        refused(
            |f| f.command = strings(&["bin/true"]),
            "Command must begin with",
        );
        refused(
            |f| f.command = strings(&["a", "b\0"]),
            "Command contains a NUL",
        );
        refused(
            |f| f.interpreter = Some("/bin/sh".into()),
            "Interpreter applies to Script",
        );
    }

    #[test]
    fn surroundings_that_cannot_be() {
        refused(
            |f| f.environment = strings(&["A"]),
            "Environment must be NAME=value",
        );
        refused(
            |f| f.environment = strings(&["=v"]),
            "Environment must be NAME=value",
        );
        refused(
            |f| f.environment = strings(&["1A=v"]),
            "Environment must be NAME=value",
        );
        refused(
            |f| f.working_directory = Some("tmp".into()),
            "WorkingDirectory must be an abs",
        );
        refused(|f| f.instance_id = Some("a;b".into()), "InstanceID must be");
        refused(
            |f| f.instance_id = Some(String::new()),
            "InstanceID must be",
        );
        refused(
            |f| f.depends_on = strings(&["a;soon"]),
            "DependsOn must be an InstanceID",
        );
        refused(
            |f| f.depends_on = strings(&[";ended"]),
            "DependsOn must be an InstanceID",
        );
        refused(
            |f| f.time_zone = Some("Mars/Base".into()),
            "TimeZone is not a zone",
        );
        refused(
            |f| f.other_recovery_action = Some("x".into()),
            "OtherRecoveryAction applies",
        );
        refused(
            |f| {
                f.command = None;
                f.script = Some("a".into());
                f.interpreter = Some("sh".into());
            },
            "Interpreter must be an absolute path",
        );
    }

    #[test]
    fn a_secret_in_the_environment_is_not_repeated() {
        let mut fields = base();
        fields.environment = strings(&["bad-name=secret"]);
        let error = JobSpec::new(fields, now())
            .expect_err("a bad name")
            .to_string();
        assert!(!error.contains("secret"), "{error}");
    }

    #[test]
    fn limits_hold_at_the_limit_and_not_beyond() {
        let long = |n: usize| Some(vec!["true".to_owned(), "x".repeat(n)]);
        accepted(|f| f.command = long(ARGUMENT_LIMIT_BYTES));
        refused(
            |f| f.command = long(ARGUMENT_LIMIT_BYTES + 1),
            "Command is larger",
        );
        let many = |n: usize| Some(vec!["a".to_owned(); n]);
        accepted(|f| f.command = many(ARGUMENT_LIMIT));
        refused(
            |f| f.command = many(ARGUMENT_LIMIT + 1),
            "Command is larger",
        );
        let whole = |n: usize| Some(vec!["x".repeat(WORK_LIMIT_BYTES / 8); n]);
        accepted(|f| f.command = whole(8));
        refused(|f| f.command = whole(9), "Command is larger");
        let script = |f: &mut JobFields, n| {
            f.command = None;
            f.script = Some("x".repeat(n));
        };
        accepted(|f| script(f, WORK_LIMIT_BYTES));
        refused(|f| script(f, WORK_LIMIT_BYTES + 1), "Script is larger");
        let deps = |n: usize| Some((0..n).map(|n| format!("job-{n}")).collect());
        accepted(|f| f.depends_on = deps(DEPENDENCY_LIMIT));
        refused(
            |f| f.depends_on = deps(DEPENDENCY_LIMIT + 1),
            "DependsOn is larger",
        );
    }

    #[test]
    fn times_that_make_no_sense() {
        let stamp = "20260602000000.000000+000";
        refused(|f| f.run_day = Some(0), "RunDay is 0");
        let of_day =
            |text: &'static str| move |f: &mut JobFields| f.run_start_interval = Some(time(text));
        refused(
            of_day("00000001000000.000000:000"),
            "RunStartInterval must be shorter than 24",
        );
        refused(of_day(stamp), "RunStartInterval must be an interval");
        refused(
            of_day("000000000200**.******:000"),
            "RunStartInterval must not contain asterisks",
        );
        accepted(of_day("00000000235959.999999:000"));
        refused(
            |f| f.time_before_removal = Some(time(stamp)),
            "TimeBeforeRemoval must be an int",
        );
        refused(
            |f| f.max_elapsed_time = Some(time(stamp)),
            "MaxElapsedTime must be an interval",
        );
        refused(
            |f| f.max_elapsed_time = Some(time("00000000000000.000000:000")),
            "MaxElapsedTime must be longer",
        );
        refused(
            |f| f.kill_grace_period = Some(time("99999999235959.000000:000")),
            "KillGracePeriod must not be infinite",
        );
        refused(
            |f| f.until_time = Some(time("20260601115959.000000+000")),
            "UntilTime has already passed",
        );
        // The offset of the timestamp wins: 12:30 in +060 is 11:30 UTC (#14).
        refused(
            |f| f.until_time = Some(time("20260601123000.000000+060")),
            "UntilTime has alr",
        );
        refused(
            |f| {
                f.scheduled_start_time = Some(time(stamp));
                f.run_day = Some(1);
            },
            "ScheduledStartTime cannot be set together",
        );
    }

    #[test]
    fn intervals_become_instants_and_infinity_is_no_limit() {
        let hour = time("00000000010000.000000:000");
        let spec = accepted(|f| {
            f.scheduled_start_time = Some(hour);
            f.until_time = Some(hour);
        });
        let later = now() + TimeDelta::hours(1);
        assert_eq!(spec.start(), StartRule::At(later));
        assert_eq!(spec.until(), Some(later));
        let shown = spec.fields().until_time.map(|until| until.to_string());
        assert_eq!(shown.as_deref(), Some("20260601130000.000000+000"));
        for infinite in ["99999999235959.000000:000", "99991231115959.999999-720"] {
            let spec = accepted(|f| f.until_time = Some(time(infinite)));
            assert_eq!(spec.until(), None, "{infinite}");
        }
        let never = time("99991231115959.999999-720");
        let spec = accepted(|f| f.scheduled_start_time = Some(never));
        assert_eq!(spec.start(), StartRule::Never);
        // #12: a start in the past is accepted and means now.
        let past = accepted(|f| f.scheduled_start_time = Some(time("20200101000000.000000+000")));
        assert!(matches!(past.start(), StartRule::At(start) if start < now()));
    }

    #[test]
    fn defaults_are_shown() {
        let spec = accepted(|_| {});
        let fields = spec.fields();
        assert_eq!(spec.priority(), 65_535);
        assert_eq!(fields.local_or_utc_time, Some(2));
        assert_eq!(fields.job_run_times, Some(1));
        assert_eq!(fields.delete_on_completion, Some(false));
        let removal = fields.time_before_removal.map(|time| time.to_string());
        assert_eq!(removal.as_deref(), Some("00000000000500.000000:000"));
        assert_eq!(spec.start(), StartRule::Immediately);
        assert_eq!(spec.work(), Work::Command(&["true".to_owned()]));
        let zero = time("00000000000000.000000:000");
        let spec = accepted(|f| f.time_before_removal = Some(zero));
        assert_eq!(spec.time_before_removal(), Some(Duration::from_secs(1)));
    }

    #[test]
    fn what_stored_jobs_leave_out_stays_what_it_is() {
        let stored = r#"{"name":"a","command":["true"]}"#;
        let spec: JobSpec = serde_json::from_str(stored).expect("a job");
        assert_eq!(serde_json::to_string(&spec).expect("it is data"), stored);
        let shown = serde_json::to_value(spec.fields()).expect("it is data");
        let expected = serde_json::json!({
            "name": "a",
            "command": ["true"],
            "queue_name": "default",
            "hold": false,
            "job_run_times": 1,
            "local_or_utc_time": 2,
            "delete_on_completion": false,
            "time_before_removal": "00000000000500.000000:000",
            "kill_grace_period": "00000000000010.000000:000",
            "missed_run_policy": 3,
            "overlap_policy": 3,
            "max_retries": 3,
            "retry_delay": "00000000000010.000000:000",
        });
        assert_eq!(
            shown, expected,
            "stored jobs need what they went by until now"
        );
    }

    fn changed(spec: &JobSpec, settings: Vec<Setting>) -> Result<JobSpec, String> {
        spec.with(settings, now())
            .map_err(|error| error.to_string())
    }

    #[test]
    fn modifications_obey_the_same_rules() {
        let spec = accepted(|_| {});
        let fixed = changed(&spec, vec![Setting::Hold(Some(true))]);
        assert_eq!(
            fixed,
            Err("Hold cannot be changed after the job was created".to_owned())
        );
        let unchanged = changed(&spec, vec![Setting::Hold(Some(false))]);
        assert_eq!(
            unchanged.as_ref(),
            Ok(&spec),
            "an unchanged value is no change"
        );
        let required = changed(&spec, vec![TimeBeforeRemoval(None)]);
        assert_eq!(
            required,
            Err("TimeBeforeRemoval must have a value".to_owned())
        );
        let day = changed(&spec, vec![RunDay(Some(0))]);
        assert_eq!(day, Err("RunDay is 0, and there is no such day".to_owned()));
        let spec = changed(&spec, vec![Priority(Some(3))]).expect("allowed");
        assert_eq!(spec.priority(), 3);
        let spec = changed(&spec, vec![Priority(None)]).expect("NULL is the default again");
        assert_eq!(spec.priority(), DEFAULT_PRIORITY);
    }

    #[test]
    fn between_requests_the_last_kind_of_start_wins() {
        let start = || ScheduledStartTime(Some(time("20260701000000.000000+000")));
        let two = || RunStartInterval(Some(time("00000000020000.000000:000")));
        let calendar = changed(&accepted(|_| {}), vec![two()]).expect("a calendar");
        assert_eq!(calendar.start(), StartRule::Calendar);
        let one_shot = changed(&calendar, vec![start()]).expect("one start");
        assert!(matches!(one_shot.start(), StartRule::At(_)));
        assert_eq!(one_shot.fields().run_start_interval, None);
        let again = changed(&one_shot, vec![two()]).expect("a calendar");
        assert_eq!(
            (again.start(), again.fields().scheduled_start_time),
            (StartRule::Calendar, None)
        );
        assert!(changed(&accepted(|_| {}), vec![start(), two()]).is_err());
    }

    #[test]
    fn an_until_time_that_was_accepted_stays_acceptable() {
        let until = time("20260601120100.000000+000");
        let spec = accepted(|f| f.until_time = Some(until));
        let later = now() + TimeDelta::hours(1);
        assert!(spec.with(vec![Priority(Some(1))], later).is_ok());
        assert!(
            spec.with(vec![UntilTime(Some(until))], later).is_ok(),
            "written back unchanged"
        );
        let stored = serde_json::to_string(&spec).expect("encodes");
        assert_eq!(
            serde_json::from_str::<JobSpec>(&stored).expect("decodes"),
            spec
        );
    }
}
