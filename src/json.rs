//! Instances as JSON, for receivers that speak no CIM-XML.
//!
//! An instance is `{"class": NAME, "properties": {NAME: VALUE, …}}`. Numbers and booleans are what
//! they are in JSON; strings, datetimes and object paths are strings; an embedded instance is an
//! object of the same form. What CIM calls NULL is null.

use serde_json::{Map, Value, json};

use crate::model::{CimType, CimValue, InstanceDecl, Literal, PropertyValue};

/// The instance as JSON.
pub fn instance(instance: &InstanceDecl) -> Value {
    let property = |property: &PropertyValue| (property.name.to_string(), value(property));
    let properties: Map<String, Value> = instance.properties.iter().map(property).collect();
    json!({ "class": instance.class.to_string(), "properties": properties })
}

fn value(property: &PropertyValue) -> Value {
    let ty = property.ty.unwrap_or(CimType::String);
    literal(&property.value, ty)
}

fn literal(literal_value: &Literal, ty: CimType) -> Value {
    match literal_value {
        Literal::Null => Value::Null,
        Literal::Instance(embedded) => instance(embedded),
        Literal::Class(class) => json!({ "class": class.name.to_string() }),
        Literal::Array(entries) => entries.iter().map(|entry| literal(entry, ty)).collect(),
        Literal::Reference(path) => path.to_string().into(),
        Literal::Boolean(value) => (*value).into(),
        Literal::Text(_)
        | Literal::Quoted(_)
        | Literal::Char(_)
        | Literal::Integer(_)
        | Literal::Real(_) => match literal_value.resolve(ty, false) {
            Ok(value) => scalar(&value),
            // What is not of its type is shown as it came.
            Err(_) => text(literal_value),
        },
    }
}

fn text(literal: &Literal) -> Value {
    match literal {
        Literal::Text(text) | Literal::Quoted(text) => (**text).into(),
        Literal::Char(_)
        | Literal::Integer(_)
        | Literal::Real(_)
        | Literal::Null
        | Literal::Boolean(_)
        | Literal::Reference(_)
        | Literal::Instance(_)
        | Literal::Class(_)
        | Literal::Array(_) => Value::Null,
    }
}

fn scalar(value: &CimValue) -> Value {
    match value {
        CimValue::Null | CimValue::Instance(_) | CimValue::Class(_) | CimValue::Array(_) => {
            Value::Null
        }
        CimValue::Boolean(value) => (*value).into(),
        CimValue::Uint8(number) => (*number).into(),
        CimValue::Sint8(number) => (*number).into(),
        CimValue::Uint16(number) => (*number).into(),
        CimValue::Sint16(number) => (*number).into(),
        CimValue::Uint32(number) => (*number).into(),
        CimValue::Sint32(number) => (*number).into(),
        CimValue::Uint64(number) => (*number).into(),
        CimValue::Sint64(number) => (*number).into(),
        // JSON has no infinity and no NaN.
        CimValue::Real32(number) => finite(f64::from(*number)),
        CimValue::Real64(number) => finite(*number),
        CimValue::Char16(unit) => match char::from_u32((*unit).into()) {
            Some(c) => c.to_string().into(),
            None => (*unit).into(),
        },
        CimValue::String(text) => (**text).into(),
        CimValue::DateTime(time) => time.to_string().into(),
        CimValue::Reference(path) => path.to_string().into(),
    }
}

fn finite(number: f64) -> Value {
    if number.is_finite() {
        number.into()
    } else {
        number.to_string().into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::CimName;

    fn property(name: &'static str, ty: Option<CimType>, value: Literal) -> PropertyValue {
        PropertyValue {
            name: CimName::of(name),
            ty,
            is_array: matches!(value, Literal::Array(_)),
            value,
        }
    }

    #[test]
    fn each_value_has_its_form() {
        let check = |ty, value: Literal, expected: Value| {
            let shown = super::value(&property("P", ty, value.clone()));
            assert_eq!(shown, expected, "{value:?} as {ty:?}");
        };
        let text = |text: &str| Literal::Text(text.into());
        check(None, text("a"), json!("a"));
        check(
            Some(CimType::Uint64),
            text("18446744073709551615"),
            json!(u64::MAX),
        );
        check(Some(CimType::Sint8), text("-7"), json!(-7));
        check(Some(CimType::Boolean), text("TRUE"), json!(true));
        check(Some(CimType::Real64), text("1.5"), json!(1.5));
        check(Some(CimType::Uint8), text("many"), json!("many"));
        check(Some(CimType::Uint8), Literal::Null, Value::Null);
        check(Some(CimType::Char16), text("x"), json!("x"));
        let array = Literal::Array(vec![text("1"), Literal::Null]);
        check(Some(CimType::Uint16), array, json!([1, null]));
    }

    #[test]
    fn an_embedded_instance_is_an_object() {
        let inner = InstanceDecl {
            class: CimName::of("JW_Job"),
            properties: vec![property("Name", None, Literal::Text("n".into()))],
        };
        let outer = InstanceDecl {
            class: CimName::of("CIM_InstCreation"),
            properties: vec![property(
                "SourceInstance",
                Some(CimType::String),
                Literal::Instance(Box::new(inner)),
            )],
        };
        let expected = json!({
            "class": "CIM_InstCreation",
            "properties": {
                "SourceInstance": { "class": "JW_Job", "properties": { "Name": "n" } },
            },
        });
        assert_eq!(instance(&outer), expected);
    }
}
