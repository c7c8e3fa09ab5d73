//! Paths of instances from what clients wrote: the class exists, the keys are complete and typed.

use crate::model::{
    CimError, CimName, CimValue, Class, InstancePath, Keys, Namespace, ObjectPath, Result,
    key_of_type,
};

use super::Schema;

impl Schema {
    /// The instance path that `path` means in `namespace`.
    ///
    /// # Errors
    /// `INVALID_CLASS` for an unknown class; `INVALID_PARAMETER` when a key is missing, not a key
    /// of the class, given twice or of another type.
    pub fn instance_path(&self, namespace: &Namespace, path: &ObjectPath) -> Result<InstancePath> {
        let class = self.known_class(&path.class)?;
        let none = Keys::default();
        let given = path.keys.as_ref().unwrap_or(&none);
        let wrong = |text: String| CimError::invalid_parameter(format!("{}: {text}", class.name));
        let mut keys = Keys::default();
        for (name, value) in given.iter() {
            let property = key_property(class, name, given.len());
            let property = property.ok_or_else(|| wrong(format!("{name} is not a key")))?;
            if keys.get(property.name.as_str()).is_some() {
                return Err(wrong(format!("the key {name} was given twice")));
            }
            let value = match value {
                CimValue::Null => return Err(wrong(format!("the key {name} has no value"))),
                value => key_of_type(value, property.slot.ty),
            };
            keys.push(
                property.name.clone(),
                value.map_err(|error| wrong(format!("the key {name}: {error}")))?,
            );
        }
        match class
            .key_properties()
            .find(|key| keys.get(key.name.as_str()).is_none())
        {
            Some(missing) => Err(wrong(format!("the key {} is missing", missing.name))),
            None => Ok(InstancePath {
                namespace: namespace.clone(),
                class: class.name.clone(),
                keys,
            }),
        }
    }
}

/// A key without a name is the only key of its class.
fn key_property<'a>(
    class: &'a Class,
    name: &CimName,
    given: usize,
) -> Option<&'a crate::model::Property> {
    if name.is_unnamed() {
        let mut keys = class.key_properties();
        return keys.next().filter(|_| given == 1 && keys.next().is_none());
    }
    class
        .properties
        .get(name.as_str())
        .map(AsRef::as_ref)
        .filter(|property: &&crate::model::Property| property.key)
}
