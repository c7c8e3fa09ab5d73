//! Instances as text: a JSON object of the properties that have a value.
//!
//! The class says of which type a value is, so that numbers, texts and booleans are what they are in
//! JSON. Reals are texts, since JSON has no infinity. A reference is an object whose keys name their
//! types, because its class may be unknown here; an embedded instance is an object with its class.

use std::sync::Arc;

use serde_json::{Map, Value, json};

use crate::model::{
    CimName, CimType, CimValue, Class, Instance, Keys, Literal, Namespace, ObjectPath, Slot,
};
use crate::schema::Schema;

/// The version of this form.
pub(super) const FORMAT: i64 = 1;

/// The values of `instance`.
pub(super) fn encode(instance: &Instance) -> String {
    Value::Object(values(instance)).to_string()
}

fn values(instance: &Instance) -> Map<String, Value> {
    let given = instance.iter().filter(|(_, value)| !value.is_null());
    given
        .map(|(property, value)| (property.name.to_string(), encoded(value)))
        .collect()
}

fn encoded(value: &CimValue) -> Value {
    match value {
        // No client can give a class, so none is ever kept.
        CimValue::Null | CimValue::Class(_) => Value::Null,
        CimValue::Boolean(value) => (*value).into(),
        CimValue::String(text) => (**text).into(),
        CimValue::Char16(unit) => (*unit).into(),
        CimValue::Uint8(number) => (*number).into(),
        CimValue::Sint8(number) => (*number).into(),
        CimValue::Uint16(number) => (*number).into(),
        CimValue::Sint16(number) => (*number).into(),
        CimValue::Uint32(number) => (*number).into(),
        CimValue::Sint32(number) => (*number).into(),
        CimValue::Uint64(number) => (*number).into(),
        CimValue::Sint64(number) => (*number).into(),
        CimValue::Real32(_) | CimValue::Real64(_) => value.to_string().into(),
        CimValue::DateTime(time) => time.as_str().into(),
        CimValue::Reference(path) => reference(path),
        CimValue::Instance(embedded) => {
            json!({ "class": embedded.class.name.as_str(), "values": values(embedded) })
        }
        CimValue::Array(entries) => entries.iter().map(encoded).collect(),
    }
}

fn reference(path: &ObjectPath) -> Value {
    let mut object = Map::new();
    if let Some(host) = &path.host {
        object.insert("host".into(), (**host).into());
    }
    if let Some(namespace) = &path.namespace {
        object.insert("namespace".into(), namespace.as_str().into());
    }
    object.insert("class".into(), path.class.as_str().into());
    if let Some(keys) = &path.keys {
        let key = |(name, value): (&CimName, &CimValue)| {
            let ty = value.ty().unwrap_or(CimType::String).as_str();
            json!([name.as_str(), ty, encoded(value)])
        };
        object.insert("keys".into(), keys.iter().map(key).collect());
    }
    Value::Object(object)
}

/// The instance of `class` whose values are `text`; what it does not give is NULL. `None` for a text
/// that is no such instance.
pub(super) fn decode(text: &str, class: &Arc<Class>, schema: &Schema) -> Option<Instance> {
    let Value::Object(values) = serde_json::from_str(text).ok()? else {
        return None;
    };
    instance(values, class, schema)
}

fn instance(values: Map<String, Value>, class: &Arc<Class>, schema: &Schema) -> Option<Instance> {
    let mut instance = Instance::empty(class.clone());
    for (name, value) in values {
        let property = class.properties.get(&name)?;
        let value = decoded(value, &property.slot, schema)?;
        instance.set(&name, value).ok()?;
    }
    Some(instance)
}

fn decoded(value: Value, slot: &Slot, schema: &Schema) -> Option<CimValue> {
    match value {
        Value::Array(entries) => {
            let entries = entries.into_iter();
            let entries = entries.map(|entry| scalar(entry, slot.ty, schema));
            entries.collect::<Option<_>>().map(CimValue::Array)
        }
        one => scalar(one, slot.ty, schema),
    }
}

fn scalar(value: Value, ty: CimType, schema: &Schema) -> Option<CimValue> {
    match (value, ty) {
        (Value::Null, _) => Some(CimValue::Null),
        (Value::Bool(value), CimType::Boolean) => Some(CimValue::Boolean(value)),
        (Value::String(text), CimType::String) => Some(CimValue::string(text)),
        (Value::String(text), _) => Literal::Text(text.into()).resolve(ty, false).ok(),
        (Value::Number(number), CimType::Char16) => {
            let unit = number.as_u64().and_then(|unit| u16::try_from(unit).ok());
            unit.map(CimValue::Char16)
        }
        (Value::Number(number), _) => {
            let unsigned = number.as_u64().map(i128::from);
            let number = unsigned.or_else(|| number.as_i64().map(i128::from))?;
            CimValue::integer(ty, number).ok()
        }
        (Value::Object(mut object), CimType::String) => {
            let class = schema.class(object.get("class")?.as_str()?)?;
            let Value::Object(values) = object.remove("values")? else {
                return None;
            };
            let embedded = instance(values, class, schema)?;
            Some(CimValue::Instance(Box::new(embedded)))
        }
        (Value::Object(object), CimType::Reference) => {
            let path = path(&object, schema)?;
            Some(CimValue::Reference(Box::new(path)))
        }
        (Value::Bool(_) | Value::Array(_) | Value::Object(_), _) => None,
    }
}

fn path(object: &Map<String, Value>, schema: &Schema) -> Option<ObjectPath> {
    let text = |name: &str| object.get(name).and_then(Value::as_str);
    let keys = match object.get("keys") {
        None => None,
        Some(Value::Array(keys)) => {
            let keys = keys.iter().map(|key| bound(key, schema));
            Some(keys.collect::<Option<Keys>>()?)
        }
        Some(_) => return None,
    };
    Some(ObjectPath {
        host: text("host").map(Into::into),
        namespace: text("namespace").and_then(|text| Namespace::new(text).ok()),
        class: CimName::new(text("class")?).ok()?,
        keys,
    })
}

fn bound(key: &Value, schema: &Schema) -> Option<(CimName, CimValue)> {
    let [name, ty, value] = key.as_array()?.as_slice() else {
        return None;
    };
    let name = match name.as_str()? {
        "" => CimName::unnamed(),
        name => CimName::new(name).ok()?,
    };
    let ty = CimType::from_name(ty.as_str()?)?;
    Some((name, scalar(value.clone(), ty, schema)?))
}
