//! Instances: a class and a value for each of its properties, every value within its rules.

use std::sync::Arc;

use super::{CimError, CimValue, Class, InstancePath, Keys, Namespace, Result, Status};

/// An instance of a class. What it holds is of declared type and keeps the rules of the MOF.
#[derive(Debug, Clone)]
pub struct Instance {
    /// The class the instance was made of; a later change of the schema does not touch it.
    pub class: Arc<Class>,
    /// Slot `i` belongs to property `i` of the class.
    values: Box<[CimValue]>,
}

/// Instances are equal when their classes have the same name and their values are equal.
impl PartialEq for Instance {
    fn eq(&self, other: &Self) -> bool {
        self.class.name == other.class.name && self.values == other.values
    }
}

impl Instance {
    /// An instance in which every property is NULL.
    pub fn empty(class: Arc<Class>) -> Self {
        let nulls = std::iter::repeat_with(|| CimValue::Null);
        let values = nulls.take(class.properties.len()).collect();
        Self { class, values }
    }

    /// An instance in which every property has the default of its class, or NULL.
    pub fn of_defaults(class: Arc<Class>) -> Self {
        let values = class
            .properties
            .values()
            .map(|property| property.default.clone())
            .collect();
        Self { class, values }
    }

    /// Gives `name` the value `value`.
    ///
    /// # Errors
    /// `NO_SUCH_PROPERTY` when the class has no such property, `INVALID_PARAMETER` when the value
    /// is of another type or breaks a rule; the text names property, rule, limit and value.
    pub fn set(&mut self, name: &str, value: CimValue) -> Result<()> {
        let class = &self.class;
        let missing = || {
            CimError::new(
                Status::NoSuchProperty,
                format!("{} has no property {name}", class.name),
            )
        };
        let slot = class.properties.slot(name).ok_or_else(missing)?;
        self.set_at(slot, value)
    }

    /// Gives the property in slot `slot` of the class the value `value`.
    ///
    /// # Errors
    /// As [`Self::set`]; `NO_SUCH_PROPERTY` where the class has no such slot.
    pub fn set_at(&mut self, slot: usize, value: CimValue) -> Result<()> {
        let class = &self.class;
        let (Some(property), Some(place)) = (class.properties.at(slot), self.values.get_mut(slot))
        else {
            return Err(CimError::new(
                Status::NoSuchProperty,
                format!("{} has no property {slot}", class.name),
            ));
        };
        property.slot.accepts(&value).map_err(|violation| {
            CimError::invalid_parameter(format!("{}: {violation}", property.name))
        })?;
        *place = value;
        Ok(())
    }

    /// The value of `name`, in any case; `None` when the class has no such property.
    pub fn get(&self, name: &str) -> Option<&CimValue> {
        self.class
            .properties
            .slot(name)
            .and_then(|slot| self.values.get(slot))
    }

    /// The value of `name`, NULL when the class has no such property.
    pub fn value(&self, name: &str) -> &CimValue {
        self.get(name).unwrap_or(&CimValue::Null)
    }

    /// The value in slot `slot` of the class.
    pub fn at(&self, slot: usize) -> Option<&CimValue> {
        self.values.get(slot)
    }

    /// Makes the value in slot `slot` NULL: it is not shown.
    pub fn clear(&mut self, slot: usize) {
        if let Some(place) = self.values.get_mut(slot) {
            *place = CimValue::Null;
        }
    }

    /// The embedded instance in slot `slot`.
    pub fn embedded_mut(&mut self, slot: usize) -> Option<&mut Self> {
        match self.values.get_mut(slot) {
            Some(CimValue::Instance(embedded)) => Some(embedded),
            Some(_) | None => None,
        }
    }

    /// The properties with their values, in declaration order.
    pub fn iter(&self) -> impl Iterator<Item = (&super::Property, &CimValue)> {
        let properties = self.class.properties.values().map(AsRef::as_ref);
        properties.zip(&self.values)
    }

    /// The values of the key properties.
    pub fn keys(&self) -> Keys {
        let value = |slot: &usize| {
            let property = self.class.properties.at(*slot)?;
            Some((property.name.clone(), self.values.get(*slot)?.clone()))
        };
        self.class.keys.iter().filter_map(value).collect()
    }

    /// The path of this instance in `namespace`.
    pub fn path(&self, namespace: &Namespace) -> InstancePath {
        InstancePath {
            namespace: namespace.clone(),
            class: self.class.name.clone(),
            keys: self.keys(),
        }
    }
}
