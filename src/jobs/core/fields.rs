//! The settable properties of a job as one table: the struct of their values, the enum of changes.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::model::datetime::CimDateTime;

/// When a property may be set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Settable {
    /// At creation alone.
    Create,
    /// At creation and by later modifications.
    Write,
}

macro_rules! settings {
    ($($(#[$attr:meta])* $field:ident / $variant:ident: $type:ty, $when:ident, $doc:literal;)+) => {
        /// What a client wrote for each settable property; `None` is NULL or not given.
        #[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
        #[serde(default)]
        pub struct JobFields {
            $(
                #[doc = $doc]
                #[serde(skip_serializing_if = "Option::is_none")]
                $(#[$attr])*
                pub $field: Option<$type>,
            )+
        }

        /// One property with its new value; `None` is NULL.
        #[derive(Debug, Clone, PartialEq)]
        pub enum Setting {
            $(#[doc = $doc] $variant(Option<$type>),)+
        }

        impl Setting {
            /// The name of the property, as the schema spells it.
            pub fn property(&self) -> &'static str {
                match self {
                    $(Self::$variant(_) => stringify!($variant),)+
                }
            }

            /// When the property may be set.
            pub fn settable(&self) -> Settable {
                match self {
                    $(Self::$variant(_) => Settable::$when,)+
                }
            }

            /// Whether the value is NULL.
            pub fn is_null(&self) -> bool {
                match self {
                    $(Self::$variant(value) => value.is_none(),)+
                }
            }
        }

        impl JobFields {
            /// Takes over one changed property; false when it had that value before.
            pub fn set(&mut self, setting: Setting) -> bool {
                match setting {
                    $(Setting::$variant(value) => {
                        let changed = self.$field != value;
                        self.$field = value;
                        changed
                    })+
                }
            }

            /// The properties that are not NULL, in the order of the table.
            pub fn into_settings(self) -> Vec<Setting> {
                self.into_settings_beside(&Self::default())
            }

            /// The properties that are neither NULL nor as in `usual`, in the order of the table.
            pub fn into_settings_beside(self, usual: &Self) -> Vec<Setting> {
                let mut settings = Vec::new();
                $(if self.$field.is_some() && self.$field != usual.$field {
                    settings.push(Setting::$variant(self.$field));
                })+
                settings
            }
        }

        impl Kept {
            $(
                #[doc = $doc]
                pub fn $field(&self) -> Option<&$type> {
                    self.0.iter().find_map(|setting| match setting {
                        Setting::$variant(value) => value.as_ref(),
                        _ => None,
                    })
                }
            )+
        }
    };
}

settings! {
    instance_id / InstanceID: String, Create, "The client's own id for the job.";
    name / Name: String, Create, "The name shown to people; required.";
    element_name / ElementName: String, Create, "Another name shown to people.";
    caption / Caption: String, Create, "A short text, at most 64 characters.";
    description / Description: String, Create, "A longer text.";
    command / Command: Vec<String>, Create, "The argument vector, first the program.";
    script / Script: String, Create, "Text to be run by the interpreter.";
    interpreter / Interpreter: String, Create, "One absolute path; `/bin/sh` when NULL.";
    environment / Environment: Vec<String>, Create, "`NAME=value` entries.";
    working_directory / WorkingDirectory: String, Create, "The directory to start in.";
    queue_name / QueueName: String, Create, "The queue that the job waits on.";
    setting_id / SettingID: String, Create, "Settings for what is not given, by their `InstanceID`.";
    hold / Hold: bool, Create, "Whether the job is born Suspended.";
    depends_on / DependsOn: Vec<String>, Create, "Jobs that must end first, with conditions.";
    recovery_action / RecoveryAction: u16, Create, "What to do when a run fails, 0 to 5.";
    other_recovery_action / OtherRecoveryAction: String, Create, "The hook of `RecoveryAction` 1.";
    #[serde(with = "written")]
    scheduled_start_time / ScheduledStartTime: CimDateTime, Write, "The one start, as an instant.";
    job_run_times / JobRunTimes: u32, Write, "How many runs; 0 is without limit.";
    run_month / RunMonth: u8, Write, "Month of the calendar, 0 to 11.";
    run_day / RunDay: i8, Write, "Day of the calendar, -31 to 31 without 0.";
    run_day_of_week / RunDayOfWeek: i8, Write, "Weekday of the calendar, -7 to 7.";
    #[serde(with = "written")]
    run_start_interval / RunStartInterval: CimDateTime, Write, "Time of day of the calendar.";
    local_or_utc_time / LocalOrUtcTime: u16, Write, "Clock of the calendar: 1 local, 2 UTC.";
    #[serde(with = "written")]
    until_time / UntilTime: CimDateTime, Write, "When the job expires, as an instant.";
    notify / Notify: String, Write, "Whom to tell about the end.";
    priority / Priority: u32, Write, "Place in the queue; lower is more urgent.";
    delete_on_completion / DeleteOnCompletion: bool, Write, "Whether the job removes itself.";
    #[serde(with = "written")]
    time_before_removal / TimeBeforeRemoval: CimDateTime, Write, "How long it stays after its end.";
    time_zone / TimeZone: String, Write, "IANA zone of `LocalOrUtcTime` 1.";
    #[serde(with = "written")]
    max_elapsed_time / MaxElapsedTime: CimDateTime, Write, "Time-out of a run.";
    #[serde(with = "written")]
    kill_grace_period / KillGracePeriod: CimDateTime, Write, "From SIGTERM to SIGKILL.";
    missed_run_policy / MissedRunPolicy: u16, Write, "2 Skip, 3 `RunOnce`, 4 `RunAll`.";
    overlap_policy / OverlapPolicy: u16, Write, "2 Skip, 3 Queue, 4 Parallel, 5 Replace.";
    max_retries / MaxRetries: u32, Write, "Bound of `RecoveryAction` 4.";
    #[serde(with = "written")]
    retry_delay / RetryDelay: CimDateTime, Write, "First delay of `RecoveryAction` 4.";
}

/// The properties of a job of which nothing is known but what they are: a few of many, so that those that are
/// NULL take no memory. A clone is the same list.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(from = "JobFields", into = "JobFields")]
pub struct Kept(Arc<[Setting]>);

impl Kept {
    /// Whether it is the same list as `other`, and not only an equal one.
    pub fn is_same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl From<Vec<Setting>> for Kept {
    fn from(settings: Vec<Setting>) -> Self {
        Self(settings.into())
    }
}

impl From<JobFields> for Kept {
    fn from(fields: JobFields) -> Self {
        fields.into_settings().into()
    }
}

impl From<Kept> for JobFields {
    fn from(kept: Kept) -> Self {
        let mut fields = Self::default();
        for setting in kept.0.iter() {
            fields.set(setting.clone());
        }
        fields
    }
}

/// A datetime in a stored record is its 25 characters as written.
pub(super) mod written {
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    use crate::model::datetime::CimDateTime;

    #[expect(
        clippy::ref_option,
        reason = "serde's `with` passes the field by reference"
    )]
    pub(in crate::jobs::core) fn serialize<S: Serializer>(
        value: &Option<CimDateTime>,
        out: S,
    ) -> Result<S::Ok, S::Error> {
        match value {
            Some(value) => out.serialize_some(value.as_str()),
            None => out.serialize_none(),
        }
    }

    pub(in crate::jobs::core) fn deserialize<'de, D: Deserializer<'de>>(
        input: D,
    ) -> Result<Option<CimDateTime>, D::Error> {
        let text = Option::<String>::deserialize(input)?;
        text.map(|text| text.parse().map_err(D::Error::custom))
            .transpose()
    }
}
