//! The call of `SubmitJob` that made a job, as far as the job itself does not say it.
//!
//! Of what never changes, and may be long, it keeps only whether it was given: the job has the value.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::fields::{JobFields, Kept};
use super::spec::JobSpec;

/// What `SubmitJob` was called with; a clone is the same call.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Call(Arc<Given>);

/// The parameters.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Given {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    request_id: Option<String>,
    /// Whether `Command` and `Script` were parameters of their own.
    #[serde(default)]
    parameters: Long,
    /// `JobSettings`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    settings: Option<Settings>,
}

/// The properties of `JobSettings`, and which long ones were among them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Settings {
    fields: Kept,
    #[serde(default)]
    long: Long,
}

/// Which of the long properties were given. A job keeps them as they were submitted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
struct Long {
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    command: bool,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    script: bool,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    environment: bool,
}

impl Long {
    /// Takes them out of `fields`.
    fn taken(fields: &mut JobFields) -> Self {
        Self {
            command: fields.command.take().is_some(),
            script: fields.script.take().is_some(),
            environment: fields.environment.take().is_some(),
        }
    }

    /// Gives them back as the job has them.
    fn give(self, fields: &mut JobFields, job: &JobSpec) {
        fields.command = job.command().filter(|_| self.command).cloned();
        fields.script = job.script().filter(|_| self.script).cloned();
        let environment = Some(job.environment()).filter(|_| self.environment);
        fields.environment = environment.map(<[String]>::to_vec);
    }
}

impl Call {
    /// The call with `parameters` of their own, `JobSettings` and `RequestID`, as they were written.
    ///
    /// Its job is to have been made of them: what both say, they say alike.
    pub fn new(
        mut parameters: JobFields,
        settings: Option<JobFields>,
        request_id: Option<String>,
    ) -> Self {
        let settings = settings.map(|mut fields| Settings {
            long: Long::taken(&mut fields),
            fields: fields.into(),
        });
        Self(Arc::new(Given {
            request_id,
            parameters: Long::taken(&mut parameters),
            settings,
        }))
    }

    /// `RequestID`.
    pub fn request_id(&self) -> Option<&str> {
        self.0.request_id.as_deref()
    }

    /// `Name`, `Command` and `Script` of the call that made `job`; everything else is `None`.
    pub fn parameters(&self, job: &JobSpec) -> JobFields {
        let mut fields = JobFields {
            name: Some(job.name().to_owned()),
            ..JobFields::default()
        };
        self.0.parameters.give(&mut fields, job);
        fields
    }

    /// `JobSettings` of the call that made `job`, whatever was changed in the job since.
    pub fn settings(&self, job: &JobSpec) -> Option<JobFields> {
        let Settings { fields, long } = self.0.settings.as_ref()?;
        let mut fields = fields.clone().into();
        long.give(&mut fields, job);
        Some(fields)
    }
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;

    use super::super::fields::Setting;
    use super::*;

    fn words(text: &str) -> Vec<String> {
        text.split(' ').map(str::to_owned).collect()
    }

    /// The call comes back as it was made, from the store too and when the job was changed.
    #[track_caller]
    fn check(parameters: &JobFields, settings: Option<&JobFields>, request_id: Option<&str>) {
        let (now, later) = (DateTime::UNIX_EPOCH, 9);
        let mut all = settings.cloned().unwrap_or_default();
        for setting in parameters.clone().into_settings() {
            all.set(setting);
        }
        let job = JobSpec::new(all, now).expect("a job");
        let request_id = request_id.map(str::to_owned);
        let call = Call::new(parameters.clone(), settings.cloned(), request_id.clone());
        let job = job.with(vec![Setting::Priority(Some(later))], now);
        let job = job.expect("a change");
        let stored = serde_json::to_string(&call).expect("it is data");
        let read: Call = serde_json::from_str(&stored).expect("it was written");
        for call in [call, read] {
            assert_eq!(call.parameters(&job), *parameters);
            assert_eq!(call.settings(&job).as_ref(), settings);
            assert_eq!(call.request_id(), request_id.as_deref());
        }
        assert!(!stored.contains("secret"), "kept twice: {stored}");
    }

    #[test]
    fn a_call_is_known_as_it_was_made() {
        let name = JobFields {
            name: Some("name".to_owned()),
            ..JobFields::default()
        };
        let command = JobFields {
            command: Some(words("/bin/echo secret")),
            ..name.clone()
        };
        let script = JobFields {
            script: Some("echo secret".to_owned()),
            ..name.clone()
        };
        let settings = JobFields {
            priority: Some(3),
            until_time: Some("00000001000000.000000:000".parse().expect("an interval")),
            environment: Some(words("A=secret B=secret")),
            ..JobFields::default()
        };
        check(&command, None, None);
        check(&script, None, Some("request"));
        check(&command, Some(&JobFields::default()), None);
        check(&command, Some(&settings), Some("request"));
        check(&command, Some(&command), None);
        check(&name, Some(&command), None);
        check(&name, Some(&script), None);
    }
}
