//! Reading of `INSTANCE`, its properties and the elements that carry it with its path.

use std::collections::HashSet;

use crate::model::{CimType, InstanceDecl, Literal, ObjectPath, PropertyValue, Status};

use super::error::Result;
use super::reader::{Reader, Tag};
use super::value::{self, Text};
use super::{class, path};

/// An instance with the path it came with.
#[derive(Debug, Clone, PartialEq)]
pub struct NamedInstance {
    /// The path: without host and namespace in `VALUE.NAMEDINSTANCE`.
    pub path: ObjectPath,
    /// The instance.
    pub instance: InstanceDecl,
}

/// `INSTANCE`, whose start tag was read. Qualifiers are passed over.
pub(super) fn instance(reader: &mut Reader<'_>, tag: &Tag<'_>) -> Result<InstanceDecl> {
    let class = tag.require_name("CLASSNAME")?;
    let mut properties = Vec::new();
    let mut names = HashSet::new();
    while let Some(child) = reader.child()? {
        match child.name {
            "QUALIFIER" => reader.skip()?,
            "PROPERTY" | "PROPERTY.ARRAY" | "PROPERTY.REFERENCE" => {
                let value = property(reader, &child)?;
                if !names.insert(value.name.clone()) {
                    let what = format!("the property {} is given twice", value.name);
                    return Err(child.wrong(Status::InvalidParameter, what));
                }
                properties.push(value);
            }
            _ => reader.stray(&child)?,
        }
    }
    Ok(InstanceDecl { class, properties })
}

fn property(reader: &mut Reader<'_>, tag: &Tag<'_>) -> Result<PropertyValue> {
    let name = tag.require_name("NAME")?;
    let (ty, element) = match tag.name {
        "PROPERTY" => (None, "VALUE"),
        "PROPERTY.ARRAY" => (None, "VALUE.ARRAY"),
        _ => (Some(CimType::Reference), "VALUE.REFERENCE"),
    };
    let ty = match ty {
        Some(ty) => ty,
        None => value::type_of(tag, "TYPE")?
            .ok_or_else(|| tag.invalid(format!("{} without TYPE", tag.name)))?,
    };
    let text = Text::of(tag)?;
    let value = value::content(reader, &[element], text)?;
    Ok(PropertyValue {
        name,
        ty: Some(ty),
        is_array: element == "VALUE.ARRAY",
        value: value.unwrap_or(Literal::Null),
    })
}

/// An instance with its path, in any of the elements that hold both; the start tag was read.
pub(super) fn named_instance(reader: &mut Reader<'_>) -> Result<NamedInstance> {
    let mut path = None;
    while let Some(child) = reader.child()? {
        match (child.name, path) {
            ("INSTANCENAME" | "LOCALINSTANCEPATH" | "INSTANCEPATH", None) => {
                path = path::object_path(reader, &child)?;
            }
            ("INSTANCE", Some(path)) => {
                let instance = instance(reader, &child)?;
                reader.end()?;
                return Ok(NamedInstance { path, instance });
            }
            (_, other) => {
                path = other;
                reader.stray(&child)?;
            }
        }
    }
    Err(reader.invalid("an instance with its path lacks one of them"))
}

/// `PARAMVALUE` or `RETURNVALUE` content with the type that the sender named.
pub(super) fn parameter(
    reader: &mut Reader<'_>,
    tag: &Tag<'_>,
) -> Result<(Option<CimType>, bool, Literal)> {
    // `TYPE` is what some clients write for `PARAMTYPE`.
    let ty = value::type_of(tag, "PARAMTYPE")?.or(value::type_of(tag, "TYPE")?);
    let text = match (Text::of(tag)?, tag.get("PARAMTYPE")) {
        (Text::Plain, Some("object" | "instance")) => Text::Embedded,
        (text, _) => text,
    };
    let mut found: Option<(bool, Literal)> = None;
    while let Some(child) = reader.child()? {
        if found.is_some() {
            reader.stray(&child)?;
            continue;
        }
        let is_array = matches!(child.name, "VALUE.ARRAY" | "VALUE.REFARRAY");
        found = parameter_value(reader, &child, text)?.map(|value| (is_array, value));
        if found.is_none() {
            reader.stray(&child)?;
        }
    }
    let (is_array, value) = found.unwrap_or((false, Literal::Null));
    Ok((ty, is_array, value))
}

fn parameter_value(reader: &mut Reader<'_>, tag: &Tag<'_>, text: Text) -> Result<Option<Literal>> {
    Ok(match tag.name {
        "INSTANCE" => Some(Literal::Instance(Box::new(instance(reader, tag)?))),
        "VALUE.NAMEDINSTANCE" => Some(Literal::Instance(Box::new(
            named_instance(reader)?.instance,
        ))),
        "CLASS" => Some(Literal::Class(Box::new(class::class(reader, tag)?))),
        "CLASSNAME" => Some(Literal::Reference(Box::new(path::class_name(reader, tag)?))),
        "INSTANCENAME" => Some(Literal::Reference(Box::new(path::instance_name(
            reader, tag,
        )?))),
        "VALUE.NULL" => None,
        _ => value::value(reader, tag, text)?,
    })
}
