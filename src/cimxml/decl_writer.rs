//! Writing of values and instances as a client gives them, before any class is known.

use bytes::BytesMut;

use crate::model::{CimType, CimValue, InstanceDecl, Literal, PropertyValue};

use super::writer::{EncodeError, Written, attribute, markup, plain, text};
use super::{path_writer, value_writer};

/// `INSTANCE` with every property that the declaration gives.
pub(super) fn instance(out: &mut BytesMut, instance: &InstanceDecl) -> Written {
    markup(out, "<INSTANCE");
    attribute(out, "CLASSNAME", instance.class.as_str());
    markup(out, ">");
    for given in &instance.properties {
        property(out, given).map_err(|error| error.within(&given.name))?;
    }
    markup(out, "</INSTANCE>");
    Ok(())
}

fn property(out: &mut BytesMut, given: &PropertyValue) -> Written {
    let element = match (type_of(given), given.is_array) {
        (Some(CimType::Reference), _) => "PROPERTY.REFERENCE",
        (_, true) => "PROPERTY.ARRAY",
        (_, false) => "PROPERTY",
    };
    markup(out, "<");
    markup(out, element);
    attribute(out, "NAME", given.name.as_str());
    if element != "PROPERTY.REFERENCE" {
        let ty = given.ty.unwrap_or(CimType::String);
        attribute(out, "TYPE", ty.as_str());
    }
    embedding(out, &given.value);
    markup(out, ">");
    value(out, &given.value)?;
    markup(out, "</");
    markup(out, element);
    markup(out, ">");
    Ok(())
}

/// `PARAMVALUE` of an input parameter.
pub(super) fn parameter(out: &mut BytesMut, given: &PropertyValue) -> Written {
    markup(out, "<PARAMVALUE");
    attribute(out, "NAME", given.name.as_str());
    if let Some(ty) = type_of(given) {
        attribute(out, "PARAMTYPE", ty.as_str());
    }
    embedding(out, &given.value);
    markup(out, ">");
    let written = match &given.value {
        Literal::Array(entries) => array(out, entries, given.ty == Some(CimType::Reference)),
        one => value(out, one),
    };
    written.map_err(|error| error.within(&given.name))?;
    markup(out, "</PARAMVALUE>");
    Ok(())
}

fn type_of(given: &PropertyValue) -> Option<CimType> {
    match (&given.value, given.ty) {
        (Literal::Reference(_), _) => Some(CimType::Reference),
        (_, ty) => ty,
    }
}

fn embedding(out: &mut BytesMut, value: &Literal) {
    let embeds = |literal: &Literal| matches!(literal, Literal::Instance(_));
    let found = match value {
        Literal::Array(entries) => entries.iter().any(embeds),
        scalar => embeds(scalar),
    };
    if found {
        attribute(out, "EmbeddedObject", "instance");
    }
}

/// The value with its element, or nothing for NULL.
pub(super) fn value(out: &mut BytesMut, value: &Literal) -> Written {
    match value {
        Literal::Null => Ok(()),
        Literal::Array(entries) => array(out, entries, false),
        one => scalar(out, one),
    }
}

/// `references` says what an array without any entry but NULL is one of.
fn array(out: &mut BytesMut, entries: &[Literal], references: bool) -> Written {
    let references = references
        || entries
            .iter()
            .any(|entry| matches!(entry, Literal::Reference(_)));
    let (open, close) = if references {
        ("<VALUE.REFARRAY>", "</VALUE.REFARRAY>")
    } else {
        ("<VALUE.ARRAY>", "</VALUE.ARRAY>")
    };
    markup(out, open);
    for entry in entries {
        match entry {
            Literal::Null => markup(out, "<VALUE.NULL></VALUE.NULL>"),
            one => scalar(out, one)?,
        }
    }
    markup(out, close);
    Ok(())
}

fn scalar(out: &mut BytesMut, value: &Literal) -> Written {
    if let Literal::Reference(path) = value {
        markup(out, "<VALUE.REFERENCE>");
        path_writer::object_path(out, path)?;
        markup(out, "</VALUE.REFERENCE>");
        return Ok(());
    }
    markup(out, "<VALUE>");
    content(out, value)?;
    markup(out, "</VALUE>");
    Ok(())
}

fn content(out: &mut BytesMut, value: &Literal) -> Written {
    match value {
        Literal::Text(string) | Literal::Quoted(string) => text(out, string.as_bytes()),
        Literal::Char(unit) => value_writer::content(out, &CimValue::Char16(*unit)),
        Literal::Boolean(flag) => value_writer::content(out, &CimValue::Boolean(*flag)),
        Literal::Integer(number) => {
            plain(out, number);
            Ok(())
        }
        Literal::Real(number) => value_writer::content(out, &CimValue::Real64(*number)),
        Literal::Instance(embedded) => {
            let mut object = BytesMut::new();
            instance(&mut object, embedded)?;
            text(out, &object)
        }
        Literal::Class(_) => Err(EncodeError::new("is a class, which no parameter takes")),
        Literal::Null | Literal::Reference(_) | Literal::Array(_) => {
            Err(EncodeError::new("is not one value"))
        }
    }
}
