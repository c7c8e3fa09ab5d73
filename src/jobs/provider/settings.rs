//! From values of the schema to the settings of the engine: one table of settable properties.

use crate::model::{CimDateTime, CimError, CimValue, Instance, Result};

use super::super::core::{JobFields, Setting};

/// The setting of the property `name`, or `None` for a property that only the server sets.
pub(super) fn setting(name: &str, value: &CimValue) -> Option<Setting> {
    macro_rules! table {
        ($($property:ident: $read:ident,)*) => {
            match name {
                $(stringify!($property) => Some(Setting::$property($read(value))),)*
                _ => None,
            }
        };
    }
    table! {
        InstanceID: text, Name: text, ElementName: text, Caption: text, Description: text,
        Command: texts, Script: text, Interpreter: text, Environment: texts,
        WorkingDirectory: text, QueueName: text, SettingID: text, Hold: flag, DependsOn: texts,
        RecoveryAction: number, OtherRecoveryAction: text, ScheduledStartTime: time,
        JobRunTimes: number, RunMonth: number, RunDay: number, RunDayOfWeek: number,
        RunStartInterval: time, LocalOrUtcTime: number, UntilTime: time, Notify: text,
        Priority: number, DeleteOnCompletion: flag, TimeBeforeRemoval: time, TimeZone: text,
        MaxElapsedTime: time, KillGracePeriod: time, MissedRunPolicy: number,
        OverlapPolicy: number, MaxRetries: number, RetryDelay: time,
    }
}

/// Properties with a default that `JW_JobSettingData` may override.
const OPEN: [&str; 3] = ["TimeBeforeRemoval", "MaxRetries", "RetryDelay"];

/// The fields of a new job that `instance` describes.
///
/// # Errors
/// `INVALID_PARAMETER` when a property that only the server sets has a value other than its
/// default: nothing a client says is dropped in silence.
pub(super) fn fields(instance: &Instance) -> Result<JobFields> {
    let mut fields = JobFields::default();
    for (property, value) in instance.iter().filter(|(_, value)| !value.is_null()) {
        // The schema has filled in the default of what was not given; settings may say otherwise.
        let name = property.name.as_str();
        if OPEN.contains(&name) && *value == property.default {
            continue;
        }
        match setting(property.name.as_str(), value) {
            Some(setting) => {
                fields.set(setting);
            }
            None if *value == property.default => {}
            None => {
                let name = &property.name;
                let text = format!("{name}: only the server sets this property");
                return Err(CimError::invalid_parameter(text));
            }
        }
    }
    Ok(fields)
}

pub(super) fn text(value: &CimValue) -> Option<String> {
    value.as_str().map(str::to_owned)
}

/// NULL entries of an array of texts are empty texts: arguments of a process have no NULL.
fn texts(value: &CimValue) -> Option<Vec<String>> {
    let entries = value.as_array()?;
    Some(
        entries
            .iter()
            .map(|entry| text(entry).unwrap_or_default())
            .collect(),
    )
}

pub(super) fn flag(value: &CimValue) -> Option<bool> {
    value.as_bool()
}

pub(super) fn time(value: &CimValue) -> Option<CimDateTime> {
    value.as_datetime()
}

/// The schema has checked the width before.
pub(super) fn number<T: TryFrom<i128>>(value: &CimValue) -> Option<T> {
    value
        .as_integer()
        .and_then(|number| T::try_from(number).ok())
}
