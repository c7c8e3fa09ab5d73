//! Writing of typed values and of instances.
//!
//! NULL is the absence of a value element; `VALUE.NULL` stands for entries of arrays alone.

use bytes::BytesMut;

use crate::model::{CimName, CimType, CimValue, Class, Embedding, Instance, Property, Slot};
use crate::ops::{ClassReply, ClassSelect, Select};

use super::writer::{EncodeError, Written, attribute, markup, plain, text};
use super::{class_writer, path_writer};

/// The value with its element, or nothing for NULL.
pub(super) fn value(out: &mut BytesMut, value: &CimValue) -> Written {
    match value {
        CimValue::Null => Ok(()),
        CimValue::Array(entries) => array(out, entries, false),
        scalar_value => scalar(out, scalar_value),
    }
}

/// `references` says what an array without any entry but NULL is one of.
fn array(out: &mut BytesMut, entries: &[CimValue], references: bool) -> Written {
    let references = references
        || entries
            .iter()
            .any(|entry| matches!(entry, CimValue::Reference(_)));
    let (open, close) = if references {
        ("<VALUE.REFARRAY>", "</VALUE.REFARRAY>")
    } else {
        ("<VALUE.ARRAY>", "</VALUE.ARRAY>")
    };
    markup(out, open);
    for entry in entries {
        if entry.is_null() {
            markup(out, "<VALUE.NULL></VALUE.NULL>");
        } else {
            scalar(out, entry)?;
        }
    }
    markup(out, close);
    Ok(())
}

/// `VALUE` or `VALUE.REFERENCE`.
pub(super) fn scalar(out: &mut BytesMut, value: &CimValue) -> Written {
    if let CimValue::Reference(path) = value {
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

/// What stands inside `VALUE` or `KEYVALUE`.
pub(super) fn content(out: &mut BytesMut, value: &CimValue) -> Written {
    match value {
        CimValue::String(string) => text(out, string.as_bytes()),
        CimValue::Char16(unit) => {
            let c =
                char::from_u32((*unit).into()).ok_or(EncodeError::new("is half of a character"))?;
            text(out, c.encode_utf8(&mut [0; 4]).as_bytes())
        }
        CimValue::Instance(embedded) => {
            let mut object = BytesMut::new();
            instance(&mut object, embedded, &Select::default())?;
            text(out, &object)
        }
        CimValue::Class(class) => {
            let mut object = BytesMut::new();
            let select = ClassSelect {
                local_only: false,
                ..ClassSelect::default()
            };
            let class = class.clone();
            class_writer::class(&mut object, &ClassReply { class, select })?;
            text(out, &object)
        }
        CimValue::Array(_) => Err(EncodeError::new("is an array inside an array")),
        CimValue::Null
        | CimValue::Boolean(_)
        | CimValue::Uint8(_)
        | CimValue::Sint8(_)
        | CimValue::Uint16(_)
        | CimValue::Sint16(_)
        | CimValue::Uint32(_)
        | CimValue::Sint32(_)
        | CimValue::Uint64(_)
        | CimValue::Sint64(_)
        | CimValue::Real32(_)
        | CimValue::Real64(_)
        | CimValue::DateTime(_)
        | CimValue::Reference(_) => {
            unescaped(out, value);
            Ok(())
        }
    }
}

/// A value whose text needs no escapes. What many instances have goes by the shortest way.
fn unescaped(out: &mut BytesMut, value: &CimValue) {
    match value {
        CimValue::Uint8(n) => integer(out, *n),
        CimValue::Sint8(n) => integer(out, *n),
        CimValue::Uint16(n) => integer(out, *n),
        CimValue::Sint16(n) => integer(out, *n),
        CimValue::Uint32(n) => integer(out, *n),
        CimValue::Sint32(n) => integer(out, *n),
        CimValue::Uint64(n) => integer(out, *n),
        CimValue::Sint64(n) => integer(out, *n),
        CimValue::DateTime(time) => markup(out, time.as_str()),
        other => plain(out, other),
    }
}

fn integer(out: &mut BytesMut, number: impl itoa::Integer) {
    markup(out, itoa::Buffer::new().format(number));
}

/// `INSTANCE` with the properties that `select` wants. What may not be read is shown as NULL.
pub(super) fn instance(out: &mut BytesMut, instance: &Instance, select: &Select) -> Written {
    open_instance(out, &instance.class);
    for (declared, held) in instance.iter() {
        if !select.wants(&declared.name) {
            continue;
        }
        let shown = if declared.read { held } else { &CimValue::Null };
        open_property(out, declared, select.class_origin, shown.is_null());
        value(out, shown).map_err(|error| error.within(&declared.name))?;
        close_property(out, declared);
    }
    markup(out, "</INSTANCE>");
    Ok(())
}

/// The start tag of `INSTANCE`.
pub(super) fn open_instance(out: &mut BytesMut, class: &Class) {
    markup(out, "<INSTANCE");
    attribute(out, "CLASSNAME", class.name.as_str());
    markup(out, ">");
}

/// The start tag of a property, whose value is NULL or is not.
pub(super) fn open_property(
    out: &mut BytesMut,
    declared: &Property,
    class_origin: bool,
    is_null: bool,
) {
    markup(out, "<");
    markup(out, property_element(&declared.slot));
    attribute(out, "NAME", declared.name.as_str());
    if declared.slot.ty != CimType::Reference {
        attribute(out, "TYPE", declared.slot.ty.as_str());
    }
    if class_origin {
        attribute(out, "CLASSORIGIN", declared.origin.as_str());
    }
    // wbemcli does not know the attribute on arrays: it is written there only when it is needed.
    if !(declared.slot.is_array && is_null) {
        embedding(out, declared.slot.embedding.as_ref());
    }
    markup(out, ">");
}

/// The end tag of a property.
pub(super) fn close_property(out: &mut BytesMut, declared: &Property) {
    markup(out, "</");
    markup(out, property_element(&declared.slot));
    markup(out, ">");
}

/// The name of the element that a property of this slot is written as.
pub(super) fn property_element(slot: &Slot) -> &'static str {
    match (slot.ty, slot.is_array) {
        (CimType::Reference, _) => "PROPERTY.REFERENCE",
        (_, true) => "PROPERTY.ARRAY",
        (_, false) => "PROPERTY",
    }
}

fn embedding(out: &mut BytesMut, embedding: Option<&Embedding>) {
    match embedding {
        None => {}
        Some(Embedding::Object) => attribute(out, "EmbeddedObject", "object"),
        Some(Embedding::Instance(_)) => attribute(out, "EmbeddedObject", "instance"),
    }
}

/// `EmbeddedObject` of an element whose declaration is not known: as its value is.
pub(super) fn embedded(out: &mut BytesMut, held: &CimValue) {
    let is_class = |value: &CimValue| matches!(value, CimValue::Class(_));
    let has_class = match held {
        CimValue::Array(entries) => entries.iter().any(is_class),
        one => is_class(one),
    };
    if has_class {
        attribute(out, "EmbeddedObject", "object");
    } else if held.embeds() {
        attribute(out, "EmbeddedObject", "instance");
    }
}

/// `PARAMVALUE` of an output parameter.
pub(super) fn output(out: &mut BytesMut, name: &CimName, ty: CimType, held: &CimValue) -> Written {
    markup(out, "<PARAMVALUE");
    attribute(out, "NAME", name.as_str());
    attribute(out, "PARAMTYPE", ty.as_str());
    embedded(out, held);
    markup(out, ">");
    let written = match held {
        CimValue::Array(entries) => array(out, entries, ty == CimType::Reference),
        one => value(out, one),
    };
    written.map_err(|error| error.within(name))?;
    markup(out, "</PARAMVALUE>");
    Ok(())
}
