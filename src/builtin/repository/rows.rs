//! Rows of the store as instances of their classes.

use std::any::Any;
use std::sync::Arc;

use crate::model::{CimError, Instance, Result};
use crate::schema::Schema;
use crate::store::{InstanceView, ReadRow};

use super::encoding;

/// Of rows with longer values nothing is kept beside the row, in bytes.
const MADE_LIMIT_BYTES: usize = 2048;
/// Nor of instances with more properties, each of which takes its place, NULL or not.
const MADE_LIMIT_PROPERTIES: usize = 256;

pub(super) fn readable(row: InstanceView<'_>, schema: &Schema) -> Option<Instance> {
    let class = schema.class(row.class)?;
    let is_ours = row.format == encoding::FORMAT;
    is_ours.then(|| encoding::decode(row.values, class, schema))?
}

pub(super) fn decoded(row: InstanceView<'_>, schema: &Schema) -> Result<Instance> {
    readable(row, schema).ok_or_else(|| {
        tracing::error!(
            class = row.class,
            id = row.id,
            "a stored instance is not of its class"
        );
        CimError::failed(format!(
            "a stored instance of {} is not readable",
            row.class
        ))
    })
}

/// What was read as an instance. It is made again when its class has changed since; what is long, or has
/// objects of other classes in it, is made each time.
pub(super) fn made_once(read: &ReadRow, schema: &Schema) -> Result<Instance> {
    let made = read.made.load();
    let made = made.as_ref().and_then(|made| made.downcast_ref());
    if let Some(made) = made
        && is_current(made, schema)
    {
        return Ok(Instance::clone(made));
    }
    let instance = decoded(read.row.view(), schema)?;
    let is_small = read.row.values.len() <= MADE_LIMIT_BYTES
        && instance.class.properties.len() <= MADE_LIMIT_PROPERTIES;
    if is_small && !instance.iter().any(|(_, value)| value.embeds()) {
        let made: Box<dyn Any + Send + Sync> = Box::new(instance.clone());
        read.made.store(Some(Arc::new(made)));
    }
    Ok(instance)
}

fn is_current(instance: &Instance, schema: &Schema) -> bool {
    let class = schema.class_named(&instance.class.name);
    class.is_some_and(|class| Arc::ptr_eq(class, &instance.class))
}

pub(super) fn made(row: InstanceView<'_>, schema: &Schema) -> (i64, Result<Instance>) {
    (row.id, decoded(row, schema))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::CimValue;
    use crate::store::InstanceRow;
    use crate::testing;

    const MOF: &str = "class JW_Part { string Words; };
        class JW_Whole { [Key] string Id; string Words;
          [EmbeddedInstance(\"JW_Part\")] string Part; };";

    fn schema(mof: &str) -> Arc<Schema> {
        testing::schema(mof)
    }

    fn read(schema: &Schema, values: Vec<(&str, CimValue)>) -> ReadRow {
        let class = schema.class("JW_Whole").expect("a class of the test");
        let mut instance = Instance::empty(class.clone());
        for (name, value) in values {
            instance.set(name, value).expect("a value of its type");
        }
        ReadRow::from(InstanceRow {
            id: 1,
            class: "jw_whole".to_owned(),
            format: encoding::FORMAT,
            values: encoding::encode(&instance),
        })
    }

    fn words(text: impl Into<Arc<str>>) -> (&'static str, CimValue) {
        ("Words", CimValue::string(text))
    }

    fn is_kept(read: &ReadRow) -> bool {
        read.made.load().is_some()
    }

    #[test]
    fn what_was_made_is_given_until_the_class_is_another_one() {
        let (old, new) = (schema(MOF), schema(MOF));
        let read = read(&old, vec![words("a")]);
        for schema in [&old, &old, &new, &new, &old] {
            let made = made_once(&read, schema).expect("an instance");
            let class = schema.class("JW_Whole").expect("a class of the test");
            assert!(Arc::ptr_eq(&made.class, class), "made of another class");
            assert_eq!(made.value("Words"), &CimValue::string("a"));
            let kept = read.made.load();
            let kept = kept
                .as_ref()
                .and_then(|kept| kept.downcast_ref::<Instance>());
            let kept = kept.expect("an instance is kept");
            assert!(Arc::ptr_eq(&kept.class, class), "one of before is kept");
        }
    }

    #[test]
    fn what_is_long_or_has_objects_in_it_is_not_kept() {
        let schema = schema(MOF);
        let long = read(&schema, vec![words("x".repeat(MADE_LIMIT_BYTES))]);
        made_once(&long, &schema).expect("an instance");
        assert!(!is_kept(&long));
        let part = Instance::empty(schema.class("JW_Part").expect("a class").clone());
        let part = CimValue::Instance(Box::new(part));
        let whole = read(&schema, vec![("Part", part)]);
        made_once(&whole, &schema).expect("an instance");
        assert!(!is_kept(&whole));
    }

    #[test]
    fn an_instance_of_very_many_properties_is_not_kept() {
        let property = |at| format!("string P{at};");
        let properties: String = (0..MADE_LIMIT_PROPERTIES).map(property).collect();
        let schema = schema(&format!(
            "class JW_Whole {{ [Key] string Id; {properties} }};"
        ));
        let read = read(&schema, vec![("Id", CimValue::string("a"))]);
        made_once(&read, &schema).expect("an instance");
        assert!(!is_kept(&read));
    }
}
