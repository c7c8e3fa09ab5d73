//! JW_JobSettingData: what holds for jobs that say nothing of their own.

use std::sync::Arc;

use uuid::Uuid;

use crate::model::{CimError, CimValue, Class, Instance, InstancePath, Result};
use crate::ops::{BoxFuture, InstanceStream};
use crate::provider::{Act, Changes, Context, Provider, fill};

use super::super::core::{SettingOrder, SettingRecord, SettingValues};
use super::super::engine::Engine;
use super::elements::Ground;
use super::failure;
use super::queue::{administrators_only, only};
use super::settings::{flag, number, text, time};

/// The class of settings.
pub(super) const CLASS: &str = "JW_JobSettingData";
/// Longest `InstanceID`, in characters.
const ID_LIMIT: usize = 256;

/// The provider of settings.
pub(super) struct SettingDataProvider {
    engine: Engine,
}

impl SettingDataProvider {
    /// The settings of the jobs of `engine`.
    pub(super) fn new(engine: Engine) -> Self {
        Self { engine }
    }

    fn find(&self, path: &InstancePath) -> Result<Arc<SettingRecord>> {
        let id = path.keys.get("InstanceID").and_then(CimValue::as_str);
        let found = id.and_then(|id| self.engine.snapshot().settings.get(id).cloned());
        found.ok_or_else(|| CimError::not_found(format!("there are no settings {path}")))
    }

    async fn order(&self, id: &str, order: SettingOrder) -> Result<()> {
        let done = self.engine.order_setting(id, order).await;
        done.map_err(|error| failure::cim(&error))
    }
}

pub(super) fn shown(class: &Arc<Class>, settings: &SettingRecord) -> Result<Instance> {
    let values = settings.values.clone();
    let name = values.element_name.unwrap_or_else(|| settings.id.clone());
    fill::instance(
        class,
        [
            ("InstanceID", settings.id.as_str().into()),
            ("ElementName", name.into()),
            // Changeable - Persistent.
            ("ChangeableType", 2_u16.into()),
            ("DeleteOnCompletion", values.delete_on_completion.into()),
            ("TimeBeforeRemoval", values.time_before_removal.into()),
            ("RecoveryAction", values.recovery_action.into()),
            ("OtherRecoveryAction", values.other_recovery_action.into()),
            ("MaxRetries", values.max_retries.into()),
            ("RetryDelay", values.retry_delay.into()),
        ],
    )
}

/// Sets what the property `name` is; false for one that only the server sets.
fn set(values: &mut SettingValues, name: &str, value: &CimValue) -> bool {
    match name {
        "ElementName" => values.element_name = text(value),
        "DeleteOnCompletion" => values.delete_on_completion = flag(value),
        "TimeBeforeRemoval" => values.time_before_removal = time(value),
        "RecoveryAction" => values.recovery_action = number(value),
        "OtherRecoveryAction" => values.other_recovery_action = text(value),
        "MaxRetries" => values.max_retries = number(value),
        "RetryDelay" => values.retry_delay = time(value),
        _ => return false,
    }
    true
}

impl Provider for SettingDataProvider {
    fn tells(&self) -> bool {
        true
    }

    fn instances(&self, cx: &Context, class: &Arc<Class>) -> InstanceStream {
        fill::instances_of(cx, CLASS, class, |own| {
            let snapshot = self.engine.snapshot();
            let settings = snapshot.settings.values();
            settings.map(|settings| shown(own, settings)).collect()
        })
    }

    fn get<'a>(
        &'a self,
        cx: &'a Context,
        path: &'a InstancePath,
    ) -> BoxFuture<'a, Result<Instance>> {
        Box::pin(async move { shown(fill::class(cx, CLASS)?, &*self.find(path)?) })
    }

    fn permit(&self, cx: &Context, class: &Class, act: Act<'_>) -> Result<()> {
        match act {
            Act::Invoke(_) => Ok(()),
            Act::Modify | Act::Delete => administrators_only(cx),
            Act::Create => administrators_only(cx).and_then(|()| only(CLASS, class)),
        }
    }

    fn create<'a>(
        &'a self,
        cx: &'a Context,
        instance: Instance,
    ) -> BoxFuture<'a, Result<InstancePath>> {
        Box::pin(async move {
            let id = text(instance.value("InstanceID"));
            let id = id.unwrap_or_else(|| format!("JW:{}", Uuid::now_v7()));
            let length = id.chars().count();
            if length == 0 || length > ID_LIMIT || id.chars().any(char::is_control) {
                let text = format!("InstanceID: 1 to {ID_LIMIT} characters, none of control");
                return Err(CimError::invalid_parameter(text));
            }
            let mut values = SettingValues::default();
            for (property, value) in instance.iter().filter(|(_, value)| !value.is_null()) {
                let name = property.name.as_str();
                let known =
                    property.key || *value == property.default || set(&mut values, name, value);
                if !known {
                    let text = format!("{name}: settings of this server do not have it");
                    return Err(CimError::invalid_parameter(text));
                }
            }
            self.order(&id, SettingOrder::Create(values)).await?;
            Ground::from(cx).by_id(CLASS, &id)
        })
    }

    fn modify<'a>(
        &'a self,
        _cx: &'a Context,
        path: &'a InstancePath,
        changes: Changes,
    ) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move {
            let known = self.find(path)?;
            let mut values = known.values.clone();
            for (name, value) in changes.values.iter() {
                if !set(&mut values, name.as_str(), value) {
                    let text = format!("{name}: only the server sets this property");
                    return Err(CimError::invalid_parameter(text));
                }
            }
            self.order(&known.id, SettingOrder::Change(values)).await
        })
    }

    fn delete<'a>(&'a self, _cx: &'a Context, path: &'a InstancePath) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move {
            let known = self.find(path)?;
            self.order(&known.id, SettingOrder::Delete).await
        })
    }
}
