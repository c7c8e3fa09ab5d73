//! Reading of object paths in their six element forms (DSP0201 2.4 §5.2.5).

use std::sync::Arc;

use crate::model::{CimName, CimType, CimValue, Keys, Literal, Namespace, ObjectPath, Status};

use super::error::Result;
use super::reader::{Reader, Tag};

/// The path that `tag` begins; `None` when `tag` is no path element.
pub(super) fn object_path(reader: &mut Reader<'_>, tag: &Tag<'_>) -> Result<Option<ObjectPath>> {
    Ok(Some(match tag.name {
        "CLASSNAME" => class_name(reader, tag)?,
        "INSTANCENAME" => instance_name(reader, tag)?,
        "LOCALCLASSPATH" => local(reader, "CLASSNAME", Status::InvalidParameter)?,
        "LOCALINSTANCEPATH" => local(reader, "INSTANCENAME", Status::InvalidParameter)?,
        "CLASSPATH" => absolute(reader, "CLASSNAME")?,
        "INSTANCEPATH" => absolute(reader, "INSTANCENAME")?,
        _ => return Ok(None),
    }))
}

/// The path that a method is called on, whose namespace may be refused as one.
pub(super) fn method_target(reader: &mut Reader<'_>, tag: &Tag<'_>) -> Result<Option<ObjectPath>> {
    Ok(match tag.name {
        "LOCALCLASSPATH" => Some(local(reader, "CLASSNAME", Status::InvalidNamespace)?),
        "LOCALINSTANCEPATH" => {
            let mut path = local(reader, "INSTANCENAME", Status::InvalidNamespace)?;
            if reader.is_strict() && path.keys.as_ref().is_none_or(Keys::is_empty) {
                let what = "an INSTANCENAME without keys, where a CLASSNAME is meant";
                return Err(tag.wrong(Status::InvalidParameter, what));
            }
            // sfcc and the Java clients address a class as an instance without keys.
            path.keys = path.keys.filter(|keys| !keys.is_empty());
            Some(path)
        }
        _ => None,
    })
}

/// `CLASSNAME`, whose start tag was read.
pub(super) fn class_name(reader: &mut Reader<'_>, tag: &Tag<'_>) -> Result<ObjectPath> {
    let class = tag.require_name("NAME")?;
    reader.end()?;
    Ok(of_class(class, None))
}

fn of_class(class: CimName, keys: Option<Keys>) -> ObjectPath {
    ObjectPath {
        host: None,
        namespace: None,
        class,
        keys,
    }
}

/// `INSTANCENAME`, whose start tag was read.
pub(super) fn instance_name(reader: &mut Reader<'_>, tag: &Tag<'_>) -> Result<ObjectPath> {
    let class = tag.require_name("CLASSNAME")?;
    let mut keys = Keys::default();
    while let Some(child) = reader.child()? {
        let binding = match child.name {
            "KEYBINDING" => Some(key_binding(reader, &child)?),
            "KEYVALUE" => Some((CimName::unnamed(), key_value(reader, &child)?)),
            "VALUE.REFERENCE" => Some((CimName::unnamed(), key_reference(reader)?)),
            _ => None,
        };
        match binding {
            Some((name, _)) if keys.get(name.as_str()).is_some() => {
                let what = format!("the key \"{name}\" is given twice");
                return Err(child.wrong(Status::InvalidParameter, what));
            }
            Some(_) if keys.get("").is_some() => {
                return Err(child.invalid("a key without a name is not alone"));
            }
            Some(_) if keys.len() >= reader.limits.keys => {
                return Err(child.wrong(Status::InvalidParameter, "too many keys"));
            }
            Some((name, value)) => keys.push(name, value),
            None => reader.stray(&child)?,
        }
    }
    Ok(of_class(class, Some(keys)))
}

fn key_binding(reader: &mut Reader<'_>, tag: &Tag<'_>) -> Result<(CimName, CimValue)> {
    let name = tag.require_name("NAME")?;
    let mut value = None;
    while let Some(child) = reader.child()? {
        match child.name {
            "KEYVALUE" if value.is_none() => value = Some(key_value(reader, &child)?),
            "VALUE.REFERENCE" if value.is_none() => value = Some(key_reference(reader)?),
            _ => reader.stray(&child)?,
        }
    }
    let value = value.ok_or_else(|| tag.invalid("KEYBINDING without a value"))?;
    Ok((name, value))
}

/// The type counts when it is there; else `VALUETYPE` tells strings, booleans and numbers apart,
/// and the class decides later.
fn key_value(reader: &mut Reader<'_>, tag: &Tag<'_>) -> Result<CimValue> {
    let candidates: &[CimType] = match tag.get("TYPE").filter(|name| !name.is_empty()) {
        Some(name) => {
            let ty = CimType::from_name(name)
                .ok_or_else(|| tag.invalid(format!("KEYVALUE/@TYPE is \"{name}\"")))?;
            &[ty]
        }
        None => match tag.get("VALUETYPE").unwrap_or("string") {
            "string" => &[CimType::String],
            "boolean" => &[CimType::Boolean],
            "numeric" => &[CimType::Uint64, CimType::Sint64, CimType::Real64],
            other => return Err(tag.invalid(format!("KEYVALUE/@VALUETYPE is \"{other}\""))),
        },
    };
    let literal = Literal::Text(reader.text()?.into());
    candidates
        .iter()
        .find_map(|ty| literal.resolve(*ty, false).ok())
        .ok_or_else(|| {
            let what = format!("the key value {} is not of its type", literal.shown());
            tag.wrong(Status::InvalidParameter, what)
        })
}

fn key_reference(reader: &mut Reader<'_>) -> Result<CimValue> {
    Ok(CimValue::Reference(Box::new(reference(reader)?)))
}

/// `VALUE.REFERENCE`, whose start tag was read.
pub(super) fn reference(reader: &mut Reader<'_>) -> Result<ObjectPath> {
    if reader.references >= reader.limits.reference_nesting {
        return Err(reader.wrong(
            Status::InvalidParameter,
            "too many references inside each other",
        ));
    }
    reader.references += 1;
    let mut path = None;
    while let Some(child) = reader.child()? {
        match path {
            None => match object_path(reader, &child)? {
                Some(found) => path = Some(found),
                None => reader.stray(&child)?,
            },
            Some(_) => reader.stray(&child)?,
        }
    }
    reader.references -= 1;
    path.ok_or_else(|| reader.invalid("VALUE.REFERENCE without a path"))
}

/// `LOCALNAMESPACEPATH`, whose start tag was read. A whole path in one `NAMESPACE` is taken too.
pub(super) fn namespace(reader: &mut Reader<'_>, refusal: Status) -> Result<Namespace> {
    let mut text = String::with_capacity(64);
    while let Some(child) = reader.child()? {
        if child.name == "NAMESPACE" {
            if !text.is_empty() {
                text.push('/');
            }
            let name = child.require("NAME")?;
            if reader.is_strict() && name.contains('/') {
                return Err(child.wrong(refusal, "a NAMESPACE of several components"));
            }
            text.push_str(name.trim_matches('/'));
            reader.end()?;
        } else {
            reader.stray(&child)?;
        }
    }
    Namespace::new(&text).map_err(|error| reader.wrong(refusal, format!("namespace: {error}")))
}

fn local(reader: &mut Reader<'_>, object: &str, refusal: Status) -> Result<ObjectPath> {
    reader.expect("LOCALNAMESPACEPATH")?;
    let namespace = namespace(reader, refusal)?;
    let mut path = named(reader, object)?;
    path.namespace = Some(namespace);
    Ok(path)
}

fn absolute(reader: &mut Reader<'_>, object: &str) -> Result<ObjectPath> {
    reader.expect("NAMESPACEPATH")?;
    reader.expect("HOST")?;
    let host: Arc<str> = reader.text()?.trim().into();
    reader.expect("LOCALNAMESPACEPATH")?;
    let namespace = namespace(reader, Status::InvalidParameter)?;
    reader.end()?;
    let mut path = named(reader, object)?;
    path.namespace = Some(namespace);
    path.host = Some(host);
    Ok(path)
}

fn named(reader: &mut Reader<'_>, object: &str) -> Result<ObjectPath> {
    let tag = reader.expect(object)?;
    let path = if object == "CLASSNAME" {
        class_name(reader, &tag)?
    } else {
        instance_name(reader, &tag)?
    };
    reader.end()?;
    Ok(path)
}
