//! ModifyInstance: what a client may change, and what counts as no change.

use crate::model::{CimError, CimName, CimValue, Instance, InstancePath, NameMap, Result};
use crate::ops::{ModifyInstance, Reply};
use crate::provider::{Changes, Context, Provider};

use super::dispatch::Broker;

impl Broker {
    /// DSP0200 1.4 §5.4.2.8. All changes or none.
    pub(super) async fn modify_instance(
        &self,
        cx: &Context,
        request: ModifyInstance,
    ) -> Result<Reply> {
        let ModifyInstance {
            path,
            instance,
            properties,
        } = request;
        let (path, provider) = self.target(cx, &path)?;
        if instance.class != path.class {
            let text = format!("an instance of {} was given for {path}", instance.class);
            return Err(CimError::invalid_parameter(text));
        }
        let current = provider.get(cx, &path).await?;
        // Values are judged by the class the instance is of, not the one it was addressed by.
        let values = cx
            .schema
            .changes(&current.class, &instance, properties.as_deref())?;
        let changes = writable(&**provider, &path, &current, &values)?;
        if !changes.is_empty() {
            provider
                .modify(cx, &path, Changes { values: changes })
                .await?;
        }
        Ok(Reply::Void)
    }
}

/// What of `values` is a change of a writable property. A value of another property may be sent
/// when it is no change; any other one is refused, naming the property.
fn writable(
    provider: &dyn Provider,
    path: &InstancePath,
    current: &Instance,
    values: &NameMap<CimValue>,
) -> Result<NameMap<CimValue>> {
    let mut changes = NameMap::new();
    for (name, value) in values.iter() {
        let property = current.class.properties.get(name.as_str());
        if property.is_some_and(|property| property.write && !property.key) {
            if current.value(name.as_str()) != value {
                changes.insert(name.clone(), value.clone());
            }
        } else if !is_unchanged(provider, path, current, name, value) {
            let text = format!(
                "{}.{name}: clients cannot write this property",
                current.class.name
            );
            return Err(CimError::invalid_parameter(text));
        }
    }
    Ok(changes)
}

fn is_unchanged(
    provider: &dyn Provider,
    path: &InstancePath,
    current: &Instance,
    name: &CimName,
    value: &CimValue,
) -> bool {
    match path.keys.get(name.as_str()) {
        Some(key) => key == value,
        None => provider.is_unchanged(current, name, value),
    }
}
