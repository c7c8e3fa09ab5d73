//! What a job is to do: its settable properties, of which only correct sets can be held.

use std::sync::LazyLock;
use std::time::Duration;

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

use crate::model::datetime::CimDateTime;

use super::calendar::Calendar;
use super::depend::Dependency;
use super::fields::{JobFields, Kept, Setting};
use super::id::JobId;
use super::rules::{self, SpecError, has_calendar, length};
use super::schedule::ScheduleFields;

/// The priority of a job that names none.
pub const DEFAULT_PRIORITY: u32 = 65_535;
/// The queue of a job that names none.
pub const DEFAULT_QUEUE: &str = "default";

/// When a job begins by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StartRule {
    /// As soon as it is submitted (#19).
    Immediately,
    /// Once, at this instant.
    At(DateTime<Utc>),
    /// Never: `ScheduledStartTime` is infinite (#18).
    Never,
    /// At the occurrences of its `Run*` properties.
    Calendar,
}

/// `MissedRunPolicy`: what becomes of runs whose time passed while nobody could start them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Missed {
    /// Nothing.
    Skip,
    /// One run for all of them.
    RunOnce,
    /// A run for each, as far as they are recent and few.
    RunAll,
}

/// `OverlapPolicy`: what becomes of a run that is due while the one before it goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Overlap {
    /// It is passed over.
    Skip,
    /// It begins after that one.
    Queue,
    /// It begins after that one, which is ended.
    Replace,
}

/// What a run executes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Work<'a> {
    /// An argument vector, first the program; never empty.
    Command(&'a [String]),
    /// A text and the absolute path of its interpreter.
    Script {
        /// The text.
        text: &'a str,
        /// The interpreter.
        interpreter: &'a str,
    },
}

/// The settable properties of a job.
///
/// The invariant: they obey every [`Rule`](super::rules::Rule), `ScheduledStartTime` and `UntilTime` are timestamps.
/// What has its default value is not kept.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "JobFields", into = "JobFields")]
pub struct JobSpec {
    kept: Kept,
}

/// The job's own value of a property, else the default that it is shown with.
macro_rules! value {
    ($spec:expr, $property:ident) => {
        $spec.kept.$property().or(DEFAULTS.$property.as_ref())
    };
}

/// The default values.
static DEFAULTS: LazyLock<JobFields> = LazyLock::new(|| {
    let mut fields = JobFields::default();
    rules::fill_defaults(&mut fields);
    fields
});

impl JobSpec {
    /// The job that `fields` describe, submitted at `now`.
    pub fn new(mut fields: JobFields, now: DateTime<Utc>) -> Result<Self, SpecError> {
        rules::one_kind_of_start(&fields)?;
        rules::each_dependency_once(&fields)?;
        fields.scheduled_start_time = rules::absolute_start(fields.scheduled_start_time, now)?;
        fields.until_time = rules::absolute_until(fields.until_time, now)?;
        Self::try_from(fields)
    }

    /// This job with `settings` changed at `now`; settings that change nothing do not count.
    ///
    /// One request cannot set both kinds of start; between requests the last one wins (#11).
    pub fn with(&self, settings: Vec<Setting>, now: DateTime<Utc>) -> Result<Self, SpecError> {
        let (mut fields, mut written) = (self.fields(), JobFields::default());
        for mut setting in settings {
            if !fields.set(setting.clone()) {
                continue;
            }
            rules::modifiable(&setting)?;
            if let Setting::ScheduledStartTime(start) = &mut setting {
                fields.scheduled_start_time = rules::absolute_start(start.take(), now)?;
                written.scheduled_start_time = fields.scheduled_start_time;
            } else if let Setting::UntilTime(until) = &mut setting {
                fields.until_time = rules::absolute_until(until.take(), now)?;
            } else {
                written.set(setting);
            }
        }
        rules::one_kind_of_start(&written)?;
        if written.scheduled_start_time.is_some() {
            rules::clear_calendar(&mut fields);
        } else if has_calendar(&written) {
            fields.scheduled_start_time = None;
        }
        Self::try_from(fields)
    }

    /// The job that `fields` describe, which obey the rules.
    fn of(fields: JobFields) -> Self {
        Self {
            kept: fields.into_settings_beside(&DEFAULTS).into(),
        }
    }

    /// The properties as they are to be shown.
    pub fn fields(&self) -> JobFields {
        let mut fields = self.kept.clone().into();
        rules::fill_defaults(&mut fields);
        fields
    }

    /// The id that the client chose, if any.
    pub fn chosen_id(&self) -> Option<JobId> {
        let text = self.kept.instance_id()?;
        Some(JobId::new(text).expect("the constructor checked the id"))
    }

    /// The name shown to people.
    pub fn name(&self) -> &str {
        self.kept.name().map_or("", |name| name)
    }

    /// What a run executes.
    pub fn work(&self) -> Work<'_> {
        match (self.kept.command(), self.kept.script()) {
            (Some(command), _) => Work::Command(command),
            (None, text) => Work::Script {
                text: text.map_or("", |text| text),
                interpreter: self.kept.interpreter().map_or("/bin/sh", |path| path),
            },
        }
    }

    /// Its argument vector, where it has one.
    pub(super) fn command(&self) -> Option<&Vec<String>> {
        self.kept.command()
    }

    /// Its script, where it has one.
    pub(super) fn script(&self) -> Option<&String> {
        self.kept.script()
    }

    /// `NAME=value` entries to add to the clean environment.
    pub fn environment(&self) -> &[String] {
        self.kept.environment().map_or(&[], |entries| entries)
    }

    /// The directory to start in, if the client chose one.
    pub fn working_directory(&self) -> Option<&str> {
        self.kept.working_directory().map(String::as_str)
    }

    /// The queue that the job waits on.
    pub fn queue(&self) -> &str {
        value!(self, queue_name).map_or(DEFAULT_QUEUE, |name| name)
    }

    /// The settings that it named, by their id.
    pub fn setting_id(&self) -> Option<&str> {
        self.kept.setting_id().map(String::as_str)
    }

    /// `Notify`: whom to tell about the end.
    pub fn notify(&self) -> Option<&str> {
        self.kept.notify().map(String::as_str)
    }

    /// The place in the queue; lower is more urgent (#31).
    pub fn priority(&self) -> u32 {
        self.kept.priority().copied().unwrap_or(DEFAULT_PRIORITY)
    }

    /// This job with a priority where it has none (#31).
    pub(super) fn with_default_priority(self, priority: u32) -> Self {
        if self.kept.priority().is_some() {
            return self;
        }
        Self::of(JobFields {
            priority: Some(priority),
            ..self.fields()
        })
    }

    /// Whether the job is born Suspended.
    pub fn hold(&self) -> bool {
        value!(self, hold).copied().unwrap_or_default()
    }

    /// The jobs that must end first.
    pub fn dependencies(&self) -> Vec<Dependency> {
        let entries = self.kept.depends_on().into_iter().flatten();
        let parse = |entry: &String| entry.parse().expect("the constructor parsed each entry");
        entries.map(parse).collect()
    }

    /// Whether it waits for the same jobs as `other`.
    pub fn shares_dependencies(&self, other: &Self) -> bool {
        self.kept.is_same(&other.kept) || self.kept.depends_on() == other.kept.depends_on()
    }

    /// This job with one more entry of `DependsOn`.
    pub(super) fn with_dependency(&self, entry: &Dependency) -> Self {
        let mut fields = self.fields();
        let entries = fields.depends_on.get_or_insert_default();
        entries.push(entry.to_string());
        Self::of(fields)
    }

    /// This job without the entry of `DependsOn` that names `other`.
    pub(super) fn without_dependency(&self, other: &JobId) -> Self {
        let mut fields = self.fields();
        let is_other = |entry: &String| entry.parse().is_ok_and(|it: Dependency| it.job == *other);
        let mut entries = fields.depends_on.take().unwrap_or_default();
        entries.retain(|entry| !is_other(entry));
        fields.depends_on = Some(entries).filter(|entries| !entries.is_empty());
        Self::of(fields)
    }

    /// When the job begins by itself.
    pub fn start(&self) -> StartRule {
        match self.kept.scheduled_start_time() {
            Some(start) if start.is_infinite() => StartRule::Never,
            Some(start) => start
                .as_instant()
                .map_or(StartRule::Immediately, StartRule::At),
            None if ScheduleFields::kept(&self.kept).has_calendar() => StartRule::Calendar,
            None => StartRule::Immediately,
        }
    }

    /// Whether it has a `ScheduledStartTime`.
    pub fn is_one_shot(&self) -> bool {
        self.kept.scheduled_start_time().is_some()
    }

    /// How many runs the job may have; `None` is without limit.
    pub fn run_limit(&self) -> Option<u32> {
        value!(self, job_run_times)
            .copied()
            .filter(|limit| *limit != 0)
    }

    /// When the job expires; `None` is never (#18).
    pub fn until(&self) -> Option<DateTime<Utc>> {
        let until = self.kept.until_time().filter(|until| !until.is_infinite());
        until.and_then(CimDateTime::as_instant)
    }

    /// Time-out of a run, suspended time not counted; `None` is none.
    pub fn max_elapsed(&self) -> Option<Duration> {
        let limit = self.kept.max_elapsed_time().copied();
        limit.filter(|limit| !limit.is_infinite()).and_then(length)
    }

    /// Time from SIGTERM to SIGKILL.
    pub fn grace(&self) -> Duration {
        let grace = value!(self, kill_grace_period);
        grace.copied().and_then(length).unwrap_or_default()
    }

    /// Whether the job removes itself after its end.
    pub fn deletes_itself(&self) -> bool {
        value!(self, delete_on_completion)
            .copied()
            .unwrap_or_default()
    }

    /// How long the job stays after its end when it removes itself, at least a second; `None` is
    /// for ever.
    pub fn time_before_removal(&self) -> Option<Duration> {
        let time = value!(self, time_before_removal);
        let time = time.copied().filter(|time| !time.is_infinite());
        time.and_then(length)
            .map(|time| time.max(Duration::from_secs(1)))
    }

    /// The calendar, on the wall clock of `host` where the job names no zone; `None` when it does
    /// not start by one.
    pub fn calendar(&self, host: Tz) -> Option<Calendar> {
        (self.start() == StartRule::Calendar)
            .then(|| ScheduleFields::kept(&self.kept).calendar(host))
    }

    /// `MissedRunPolicy`.
    pub fn missed_run_policy(&self) -> Missed {
        match value!(self, missed_run_policy) {
            Some(2) => Missed::Skip,
            Some(4) => Missed::RunAll,
            Some(_) | None => Missed::RunOnce,
        }
    }

    /// `OverlapPolicy`.
    pub fn overlap_policy(&self) -> Overlap {
        match value!(self, overlap_policy) {
            Some(2) => Overlap::Skip,
            Some(5) => Overlap::Replace,
            Some(_) | None => Overlap::Queue,
        }
    }

    /// How often a failed run is tried again with `RecoveryAction` 4.
    pub fn max_retries(&self) -> u32 {
        let retries = value!(self, max_retries);
        retries.copied().unwrap_or_default()
    }

    /// The time before a failed run is tried again for the first time.
    pub fn retry_delay(&self) -> Duration {
        let delay = self.kept.retry_delay().or(DEFAULTS.retry_delay.as_ref());
        delay.copied().and_then(length).unwrap_or_default()
    }

    /// `RecoveryAction`; 0 when NULL.
    pub fn recovery_action(&self) -> u16 {
        self.kept.recovery_action().copied().unwrap_or(0)
    }

    /// `OtherRecoveryAction`: the hook of `RecoveryAction` 1.
    pub fn hook(&self) -> Option<&str> {
        self.kept.other_recovery_action().map(String::as_str)
    }
}

/// The rules that need no clock, so that a stored job obeys them as well as a new one.
impl TryFrom<JobFields> for JobSpec {
    type Error = SpecError;

    fn try_from(mut fields: JobFields) -> Result<Self, SpecError> {
        rules::fill_defaults(&mut fields);
        rules::names(&fields)?;
        rules::work(&fields)?;
        rules::surroundings(&fields)?;
        rules::times(&fields)?;
        Ok(Self::of(fields))
    }
}

/// As it is stored. What has its default is not in it: whoever changes a default has to write the old one into
/// the stored jobs that go by it.
impl From<JobSpec> for JobFields {
    fn from(spec: JobSpec) -> Self {
        spec.kept.into()
    }
}
