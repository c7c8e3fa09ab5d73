//! Instances as text: a JSON object of the properties that have a value.
//!
//! The class says of which type a value is, so that numbers, texts and booleans are what they are in
//! JSON. Reals are texts, since JSON has no infinity. A reference is an object whose keys name their
//! types, because its class may be unknown here; an embedded instance is an object with its class.

use std::sync::Arc;

use serde_json::{Map, Value, json};

use crate::model::{CimName, CimType, CimValue, Class, Instance, ObjectPath};
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
    super::decoding::instance(text, class, schema).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Keys, Namespace};
    use crate::testing;

    const MOF: &str = "class JW_Part { string Words; uint8 Numbers[]; };
        class JW_Whole {
          [Key] string Id; boolean Flag; char16 Letter; uint8 U8; sint8 S8; uint16 U16; sint16 S16;
          uint32 U32; sint32 S32; uint64 U64; sint64 S64; real32 R32; real64 R64; datetime Time;
          string Texts[]; sint64 Many[];
          [EmbeddedInstance(\"JW_Part\")] string Part; [EmbeddedObject] string Parts[]; };
        [Association] class JW_Holds {
          [Key] JW_Whole REF Whole; [Key] JW_Part REF Part; };";

    fn schema() -> Arc<Schema> {
        testing::schema(MOF)
    }

    fn instance(schema: &Schema, class: &str, values: Vec<(&str, CimValue)>) -> Instance {
        let class = schema.class(class).expect("a class of the test");
        let mut instance = Instance::empty(class.clone());
        for (name, value) in values {
            instance.set(name, value).expect("a value of its type");
        }
        instance
    }

    fn part(schema: &Schema) -> CimValue {
        let numbers = CimValue::Array(vec![CimValue::Uint8(0), CimValue::Null]);
        let words = CimValue::string("\u{1F600} \"quoted\" \\ \n");
        let values = vec![("Words", words), ("Numbers", numbers)];
        CimValue::Instance(Box::new(instance(schema, "JW_Part", values)))
    }

    fn check_whole(schema: &Schema, name: &str, value: CimValue) {
        let id = ("Id", CimValue::string("1"));
        let whole = instance(schema, "JW_Whole", vec![id, (name, value)]);
        let text = encode(&whole);
        let read = decode(&text, &whole.class, schema);
        assert_eq!(read.as_ref(), Some(&whole), "{name} out of {text}");
    }

    #[test]
    fn every_value_reads_back() {
        let schema = schema();
        let check = |name: &str, value| check_whole(&schema, name, value);
        check("Id", CimValue::string(""));
        check("Flag", CimValue::Boolean(true));
        check("Letter", CimValue::Char16(0xd800));
        check("U8", CimValue::Uint8(u8::MAX));
        check("S8", CimValue::Sint8(i8::MIN));
        check("U16", CimValue::Uint16(u16::MAX));
        check("S16", CimValue::Sint16(i16::MIN));
        check("U32", CimValue::Uint32(u32::MAX));
        check("S32", CimValue::Sint32(i32::MIN));
        check("U64", CimValue::Uint64(u64::MAX));
        check("S64", CimValue::Sint64(i64::MIN));
        check("R32", CimValue::Real32(f32::MIN_POSITIVE));
        check("R64", CimValue::Real64(f64::NEG_INFINITY));
        let time = "20260210******.******+000".parse().expect("a datetime");
        check("Time", CimValue::DateTime(time));
        let texts = vec![CimValue::string("a"), CimValue::Null];
        check("Texts", CimValue::Array(texts));
        check("Texts", CimValue::Array(Vec::new()));
        check("Many", CimValue::Array(vec![CimValue::Sint64(-1)]));
        check("Part", part(&schema));
        check(
            "Parts",
            CimValue::Array(vec![part(&schema), CimValue::Null]),
        );
    }

    #[test]
    fn every_form_of_a_reference_reads_back() {
        let schema = schema();
        let namespace = || Namespace::new("root/cimv2").expect("a namespace");
        let id = (CimName::of("Id"), CimValue::string("1"));
        let number = (CimName::unnamed(), CimValue::Uint32(7));
        let class = CimName::of("JW_Whole");
        let inner = ObjectPath {
            host: None,
            namespace: None,
            class: class.clone(),
            keys: Some(Keys::from_iter([id.clone()])),
        };
        let path = (CimName::of("Path"), CimValue::Reference(Box::new(inner)));
        for keys in [None, Some(vec![id]), Some(vec![number]), Some(vec![path])] {
            for (host, namespace) in [
                (None, None),
                (None, Some(namespace())),
                (Some("host:5989".into()), Some(namespace())),
            ] {
                let keys = keys.clone().map(Keys::from_iter);
                let class = class.clone();
                let path = ObjectPath {
                    host,
                    namespace,
                    class,
                    keys,
                };
                let value = CimValue::Reference(Box::new(path));
                let holds = instance(&schema, "JW_Holds", vec![("Whole", value)]);
                let text = encode(&holds);
                let read = decode(&text, &holds.class, &schema);
                assert_eq!(read.as_ref(), Some(&holds), "{text}");
            }
        }
    }

    #[test]
    fn what_is_no_instance_of_the_class_is_none() {
        let schema = schema();
        let class = schema.class("JW_Whole").expect("a class of the test");
        assert!(decode(r#"{"Id":"1","U8":255}"#, class, &schema).is_some());
        for bad in [
            "",
            "[]",
            r#"{"Id":"1""#,
            r#"{"Id":"1"} {}"#,
            r#"{"Missing":"1"}"#,
            r#"{"Id":1}"#,
            r#"{"Id":["1"]}"#,
            r#"{"U8":256}"#,
            r#"{"U8":1.5}"#,
            r#"{"U8":"1x"}"#,
            r#"{"Flag":0}"#,
            r#"{"Letter":65536}"#,
            r#"{"Time":"yesterday"}"#,
            r#"{"Texts":"a"}"#,
            r#"{"Texts":[["a"]]}"#,
            r#"{"U8":{"class":"JW_Part","values":{}}}"#,
            r#"{"Part":{"class":"JW_None","values":{}}}"#,
            r#"{"Part":{"values":{},"class":"JW_Part"}}"#,
            r#"{"Part":{"class":"JW_Part"}}"#,
            r#"{"Part":{"class":"JW_Part","values":{},"more":1}}"#,
        ] {
            assert_eq!(decode(bad, class, &schema), None, "{bad} was read");
        }
    }
}
