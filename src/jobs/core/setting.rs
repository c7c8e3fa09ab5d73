//! Settings of jobs (`CIM_JobSettingData`): what holds for jobs that say nothing of their own.
//!
//! They are read once, when a job is submitted: what the client gave comes first, then the settings
//! that the job names, then those of its queue, then those of the service.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::model::datetime::CimDateTime;

use super::event::{Action, Answer, Change, Refusal, Ticket};
use super::fields::{JobFields, written};
use super::rules::{Rule, SpecError};
use super::scheduler::Scheduler;
use super::spec::JobSpec;

/// Most settings of one server.
pub const SETTING_LIMIT: usize = 256;

/// The values of settings; `None` is NULL and says nothing.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct SettingValues {
    /// A name for people.
    pub element_name: Option<String>,
    /// `DeleteOnCompletion`.
    pub delete_on_completion: Option<bool>,
    /// `TimeBeforeRemoval`.
    #[serde(with = "written")]
    pub time_before_removal: Option<CimDateTime>,
    /// `RecoveryAction`, which `OtherRecoveryAction` goes with.
    pub recovery_action: Option<u16>,
    /// `OtherRecoveryAction`.
    pub other_recovery_action: Option<String>,
    /// `MaxRetries`.
    pub max_retries: Option<u32>,
    /// `RetryDelay`.
    #[serde(with = "written")]
    pub retry_delay: Option<CimDateTime>,
}

/// What settings hold for beside the jobs that name them.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Target {
    /// Every job.
    Service,
    /// The jobs of this queue.
    Queue(String),
}

/// The whole durable state of settings.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SettingRecord {
    /// `InstanceID`.
    pub id: String,
    /// What they say.
    pub values: SettingValues,
    /// What they hold for.
    pub targets: BTreeSet<Target>,
}

/// What a client wants of settings.
#[derive(Debug, Clone, PartialEq)]
pub enum SettingOrder {
    /// New ones.
    Create(SettingValues),
    /// Other values, for jobs that are submitted from now on.
    Change(SettingValues),
    /// They hold for this too.
    Attach(Target),
    /// They no longer hold for this.
    Detach(Target),
    /// They are to be gone; jobs keep what they have read.
    Delete,
}

/// Why settings are not as asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SettingRefusal {
    /// No such settings.
    #[error("there are no settings {0}")]
    Missing(String),
    /// Settings of this id exist.
    #[error("there are settings {0} already")]
    Exists(String),
    /// The number of settings is at its limit.
    #[error("there are {SETTING_LIMIT} settings, and no more are possible")]
    TooMany,
    /// The element has settings already.
    #[error("the element has the settings {0}, and can have no others beside them")]
    Taken(String),
    /// The element does not have these settings.
    #[error("the element does not have the settings {0}")]
    NotAttached(String),
}

impl SettingValues {
    /// What the client says of it itself in `fields`.
    pub fn given(fields: &JobFields) -> Self {
        Self {
            element_name: None,
            delete_on_completion: fields.delete_on_completion,
            time_before_removal: fields.time_before_removal,
            recovery_action: fields.recovery_action,
            other_recovery_action: fields.other_recovery_action.clone(),
            max_retries: fields.max_retries,
            retry_delay: fields.retry_delay,
        }
    }

    /// These, and what `further` says where these say nothing.
    fn or(mut self, further: &Self) -> Self {
        if self.recovery_action.is_none() {
            self.recovery_action = further.recovery_action;
            self.other_recovery_action
                .clone_from(&further.other_recovery_action);
        }
        Self {
            delete_on_completion: self.delete_on_completion.or(further.delete_on_completion),
            time_before_removal: self.time_before_removal.or(further.time_before_removal),
            max_retries: self.max_retries.or(further.max_retries),
            retry_delay: self.retry_delay.or(further.retry_delay),
            ..self
        }
    }

    /// Lets `fields` say what these say.
    fn fill(self, fields: &mut JobFields) {
        fields.delete_on_completion = self.delete_on_completion.or(fields.delete_on_completion);
        fields.time_before_removal = self.time_before_removal.or(fields.time_before_removal);
        fields.recovery_action = self.recovery_action;
        fields.other_recovery_action = self.other_recovery_action;
        fields.max_retries = self.max_retries.or(fields.max_retries);
        fields.retry_delay = self.retry_delay.or(fields.retry_delay);
    }
}

impl SettingValues {
    /// Whether a job can have them: the rules are those of jobs.
    fn judged(&self) -> Result<(), SpecError> {
        let mut fields = JobFields {
            name: Some("settings".to_owned()),
            command: Some(vec!["true".to_owned()]),
            ..JobFields::default()
        };
        self.clone().fill(&mut fields);
        let orphan = self.other_recovery_action.is_some() && self.recovery_action != Some(1);
        if orphan {
            return Err(SpecError::new(
                "OtherRecoveryAction",
                Rule::OtherRecoveryOnly,
            ));
        }
        JobSpec::try_from(fields).map(|_| ())
    }
}

impl Scheduler {
    /// The settings, by id.
    pub fn settings(&self) -> &imbl::OrdMap<String, Arc<SettingRecord>> {
        &self.settings
    }

    /// The job with what settings say where its client gave nothing.
    pub(super) fn settled(&self, spec: JobSpec, given: SettingValues) -> Result<JobSpec, Refusal> {
        let mut said = given;
        if let Some(id) = spec.setting_id() {
            let own = self.settings.get(id);
            let unknown = || SpecError::new("SettingID", Rule::UnknownSetting(id.to_owned()));
            said = said.or(&own.ok_or_else(unknown)?.values);
        }
        for target in [Target::Queue(spec.queue().to_owned()), Target::Service] {
            if let Some(settings) = self.settings_of(&target) {
                said = said.or(&settings.values);
            }
        }
        let known = spec.fields();
        let mut fields = known.clone();
        said.fill(&mut fields);
        if fields == known {
            return Ok(spec);
        }
        Ok(JobSpec::try_from(fields)?)
    }

    fn settings_of(&self, target: &Target) -> Option<&Arc<SettingRecord>> {
        let mut all = self.settings.values();
        all.find(|settings| settings.targets.contains(target))
    }

    pub(super) fn order_setting(&mut self, ticket: Ticket, id: &str, order: SettingOrder) {
        let done = match order {
            SettingOrder::Create(values) => self.create_setting(id, values),
            SettingOrder::Change(values) => self.change_setting(id, values),
            SettingOrder::Attach(target) => self.attach(id, target),
            SettingOrder::Detach(target) => self.detach(id, &target),
            SettingOrder::Delete => self.delete_setting(id),
        };
        let answer = done.map_or_else(Answer::Refused, |()| Answer::Done);
        self.reply(ticket, answer);
    }

    fn create_setting(&mut self, id: &str, values: SettingValues) -> Result<(), Refusal> {
        if self.settings.contains_key(id) {
            return Err(SettingRefusal::Exists(id.to_owned()).into());
        }
        if self.settings.len() >= SETTING_LIMIT {
            return Err(SettingRefusal::TooMany.into());
        }
        values.judged()?;
        self.put_setting(SettingRecord {
            id: id.to_owned(),
            values,
            targets: BTreeSet::new(),
        });
        Ok(())
    }

    fn change_setting(&mut self, id: &str, values: SettingValues) -> Result<(), Refusal> {
        let known = self.setting(id)?;
        values.judged()?;
        self.put_setting(SettingRecord {
            values,
            ..SettingRecord::clone(&known)
        });
        Ok(())
    }

    fn attach(&mut self, id: &str, target: Target) -> Result<(), Refusal> {
        let known = self.setting(id)?;
        if let Some(other) = self.settings_of(&target) {
            return Err(SettingRefusal::Taken(other.id.clone()).into());
        }
        if let Target::Queue(name) = &target
            && !self.queues.contains_key(name)
        {
            let missing = super::queue::QueueRefusal::Missing(name.clone());
            return Err(missing.into());
        }
        let mut settings = SettingRecord::clone(&known);
        settings.targets.insert(target);
        self.put_setting(settings);
        Ok(())
    }

    fn detach(&mut self, id: &str, target: &Target) -> Result<(), Refusal> {
        let mut settings = SettingRecord::clone(&*self.setting(id)?);
        if !settings.targets.remove(target) {
            return Err(SettingRefusal::NotAttached(id.to_owned()).into());
        }
        self.put_setting(settings);
        Ok(())
    }

    fn delete_setting(&mut self, id: &str) -> Result<(), Refusal> {
        let known = self.setting(id)?;
        self.settings.remove(id);
        self.actions
            .push(Action::Persist(Change::RemoveSetting(known)));
        Ok(())
    }

    /// The queue is gone: one of the same name later has no settings from it.
    pub(super) fn forget_target(&mut self, target: &Target) {
        if let Some(settings) = self.settings_of(target).cloned() {
            let mut settings = SettingRecord::clone(&settings);
            settings.targets.remove(target);
            self.put_setting(settings);
        }
    }

    fn put_setting(&mut self, settings: SettingRecord) {
        let settings = Arc::new(settings);
        self.settings
            .insert(settings.id.clone(), Arc::clone(&settings));
        self.actions
            .push(Action::Persist(Change::Setting(settings)));
    }

    fn setting(&self, id: &str) -> Result<Arc<SettingRecord>, SettingRefusal> {
        let known = self.settings.get(id).cloned();
        known.ok_or_else(|| SettingRefusal::Missing(id.to_owned()))
    }
}

#[cfg(test)]
mod tests;
