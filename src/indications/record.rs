//! Instances as the store keeps them: the class, and each value that is not NULL as text.

use serde_json::{Map, Value};
use thiserror::Error;

use crate::model::{CimValue, Instance, Literal};
use crate::schema::Schema;

/// Why a stored instance is none of the present schema.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{0}")]
pub struct RecordError(String);

/// `instance` as text. Embedded instances have no place in it: no class that is kept so has any.
pub fn written(instance: &Instance) -> String {
    let values = instance
        .iter()
        .filter(|(_, value)| !value.is_null())
        .map(|(property, value)| (property.name.as_str().to_owned(), text(value)));
    let mut record = Map::new();
    record.insert("class".to_owned(), instance.class.name.as_str().into());
    record.insert("values".to_owned(), Value::Object(values.collect()));
    Value::Object(record).to_string()
}

fn text(value: &CimValue) -> Value {
    match value {
        CimValue::Null => Value::Null,
        CimValue::Array(entries) => entries.iter().map(text).collect(),
        scalar => scalar.to_string().into(),
    }
}

/// The instance that [`written`] made `record` of.
///
/// # Errors
/// When `schema` has no such class, or the class cannot hold a value.
pub fn read(schema: &Schema, record: &str) -> Result<Instance, RecordError> {
    let wrong = |what: &str| RecordError(what.to_owned());
    let record: Value = serde_json::from_str(record).map_err(|e| RecordError(e.to_string()))?;
    let class = record.get("class").and_then(Value::as_str);
    let class = class.ok_or_else(|| wrong("the record names no class"))?;
    let missing = || RecordError(format!("the class {class} does not exist"));
    let class = schema.class(class).ok_or_else(missing)?;
    let values = record.get("values").and_then(Value::as_object);
    let mut instance = Instance::empty(class.clone());
    for (name, value) in values.ok_or_else(|| wrong("the record has no values"))? {
        let unknown = || RecordError(format!("{} has no property {name}", class.name));
        let property = class.properties.get(name).ok_or_else(unknown)?;
        let value = literal(value).resolve(property.slot.ty, property.slot.is_array);
        let value = value.map_err(|error| RecordError(format!("{name}: {error}")))?;
        let set = instance.set(name, value);
        set.map_err(|error| RecordError(error.description))?;
    }
    Ok(instance)
}

fn literal(value: &Value) -> Literal {
    match value {
        Value::String(text) => Literal::Text(text.as_str().into()),
        Value::Array(entries) => Literal::Array(entries.iter().map(literal).collect()),
        Value::Null => Literal::Null,
        other => Literal::Text(other.to_string().into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::indications::tests::schema;

    #[test]
    fn instances_come_back_as_they_were() {
        let class = |name: &str| schema().class(name).expect("ours").clone();
        let mut filter = Instance::of_defaults(class("CIM_IndicationFilter"));
        let namespaces = ["root/cimv2", "a \"b\" <c>"].map(CimValue::string).to_vec();
        filter
            .set("SourceNamespaces", CimValue::Array(namespaces))
            .expect("strings");
        let keys = [
            "SystemCreationClassName",
            "SystemName",
            "CreationClassName",
            "Name",
        ];
        for key in keys {
            let value = CimValue::string("ü\n\"\\");
            filter.set(key, value).expect("a string");
        }
        let mut subscription = Instance::empty(class("CIM_IndicationSubscription"));
        let path = filter.path(&crate::model::Namespace::of("interop"));
        let reference = CimValue::Reference(Box::new(path.into()));
        subscription.set("Filter", reference).expect("a reference");
        let number = CimValue::Uint64(u64::MAX);
        subscription
            .set("SubscriptionDuration", number)
            .expect("a number");
        for instance in [filter, subscription] {
            let record = written(&instance);
            assert_eq!(read(&schema(), &record), Ok(instance), "{record}");
        }
    }

    #[test]
    fn what_the_schema_has_not_is_told() {
        let check = |record: &str, expected: &str| {
            let error = read(&schema(), record).expect_err(record).to_string();
            assert!(error.contains(expected), "{record}: {error}");
        };
        check("{", "EOF");
        check("{}", "no class");
        check("{\"class\":\"X_Y\",\"values\":{}}", "X_Y does not exist");
        check("{\"class\":\"CIM_Job\"}", "no values");
        let record = "{\"class\":\"CIM_IndicationFilter\",\"values\":{\"Nume\":\"x\"}}";
        check(record, "Nume");
        let record =
            "{\"class\":\"CIM_IndicationSubscription\",\"values\":{\"SubscriptionState\":\"x\"}}";
        check(record, "SubscriptionState");
    }
}
