//! ModifyInstance: what a client may change, and what counts as no change.

use crate::model::{CimError, CimName, CimValue, Instance, InstancePath, NameMap, Result};
use crate::ops::{ModifyInstance, Reply};
use crate::provider::{Act, Changes, Context, Provider};

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
        self.permit(cx, &path.class, Act::Modify)?;
        if instance.class != path.class {
            let text = format!("an instance of {} was given for {path}", instance.class);
            return Err(CimError::invalid_parameter(text));
        }
        let (path, provider) = self.target(cx, &path)?;
        let judged = |class| cx.schema.changes(class, &instance, properties.as_deref());
        let current = match provider.get(cx, &path).await {
            Ok(current) => current,
            // That a value is wrong comes before that there is no such instance.
            Err(missing) => {
                let class = cx.schema.known_class(&path.class)?;
                return Err(judged(class).err().unwrap_or(missing));
            }
        };
        // Values are judged by the class the instance is of, not the one it was addressed by.
        let values = judged(&current.class)?;
        let changes = writable(&**provider, &path, &current, &values)?;
        if !changes.is_empty() {
            self.deprecations
                .properties(&current.class, changes.names());
            let (at, changes) = ((&*current.class, path), Changes { values: changes });
            self.modified(cx, provider, at, changes).await?;
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
        if let Some(property) = property.filter(|property| property.write && !property.key) {
            if !property.slot.same(current.value(name.as_str()), value) {
                changes.insert(name.clone(), value.clone());
            }
        } else if !is_unchanged(provider, path, current, (name, value)) {
            let text = format!(
                "{}.{name}: clients cannot write this property",
                current.class.name
            );
            return Err(CimError::invalid_parameter(text));
        }
    }
    Ok(changes)
}

/// A property that is not read is shown as NULL: any other value would be a guess, and the answer
/// would say whether it is right.
fn is_unchanged(
    provider: &dyn Provider,
    path: &InstancePath,
    current: &Instance,
    (name, value): (&CimName, &CimValue),
) -> bool {
    let property = current.class.properties.get(name.as_str());
    match (path.keys.get(name.as_str()), property) {
        (Some(key), _) => key == value,
        (None, Some(property)) if !property.read => value.is_null(),
        (None, Some(_) | None) => provider.is_unchanged(current, name, value),
    }
}
