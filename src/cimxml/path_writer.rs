//! Writing of object paths in the element forms that clients understand.

use bytes::BytesMut;

use crate::model::{CimName, CimType, CimValue, InstancePath, Keys, Namespace, ObjectPath};

use super::value_writer;
use super::writer::{EncodeError, Written, attribute, markup, text};

/// `INSTANCENAME` of a path.
pub(super) fn instance_name(out: &mut BytesMut, class: &CimName, keys: &Keys) -> Written {
    open_instance_name(out, class);
    for (name, value) in keys.iter() {
        if name.is_unnamed() {
            key_value(out, value)?;
            continue;
        }
        open_key_binding(out, name);
        key_value(out, value).map_err(|error| error.within(name))?;
        markup(out, "</KEYBINDING>");
    }
    markup(out, "</INSTANCENAME>");
    Ok(())
}

/// The start tag of `INSTANCENAME`.
pub(super) fn open_instance_name(out: &mut BytesMut, class: &CimName) {
    markup(out, "<INSTANCENAME");
    attribute(out, "CLASSNAME", class.as_str());
    markup(out, ">");
}

/// The start tag of `KEYBINDING`.
pub(super) fn open_key_binding(out: &mut BytesMut, name: &CimName) {
    markup(out, "<KEYBINDING");
    attribute(out, "NAME", name.as_str());
    markup(out, ">");
}

/// `INSTANCENAME` of the path of an instance.
pub(super) fn instance_path(out: &mut BytesMut, path: &InstancePath) -> Written {
    instance_name(out, &path.class, &path.keys)
}

fn key_value(out: &mut BytesMut, value: &CimValue) -> Written {
    match value.ty().ok_or_else(missing_key)? {
        CimType::Reference => return value_writer::scalar(out, value),
        ty => open_key_value(out, ty),
    }
    value_writer::content(out, value)?;
    markup(out, "</KEYVALUE>");
    Ok(())
}

/// A path without the value of a key leads nowhere.
pub(super) fn missing_key() -> EncodeError {
    EncodeError::new("of a key is missing")
}

/// The start tag of `KEYVALUE` for a value of type `ty`, which is no reference.
pub(super) fn open_key_value(out: &mut BytesMut, ty: CimType) {
    let value_type = match ty {
        CimType::Boolean => "boolean",
        CimType::String | CimType::Char16 | CimType::DateTime | CimType::Reference => "string",
        CimType::Uint8
        | CimType::Sint8
        | CimType::Uint16
        | CimType::Sint16
        | CimType::Uint32
        | CimType::Sint32
        | CimType::Uint64
        | CimType::Sint64
        | CimType::Real32
        | CimType::Real64 => "numeric",
    };
    markup(out, "<KEYVALUE");
    attribute(out, "VALUETYPE", value_type);
    attribute(out, "TYPE", ty.as_str());
    markup(out, ">");
}

/// The element that says of `path` as much as it knows: `INSTANCEPATH` with a host,
/// `LOCALINSTANCEPATH` with a namespace, else `INSTANCENAME`, and likewise for classes.
pub(super) fn object_path(out: &mut BytesMut, path: &ObjectPath) -> Written {
    let form = match (&path.host, &path.namespace) {
        (Some(host), Some(namespace)) => Some((Some(&**host), namespace)),
        (None, Some(namespace)) => Some((None, namespace)),
        (_, None) => None,
    };
    let Some((host, namespace)) = form else {
        return object_name(out, path);
    };
    let element = match (host, &path.keys) {
        (Some(_), Some(_)) => "INSTANCEPATH",
        (Some(_), None) => "CLASSPATH",
        (None, Some(_)) => "LOCALINSTANCEPATH",
        (None, None) => "LOCALCLASSPATH",
    };
    markup(out, "<");
    markup(out, element);
    markup(out, ">");
    match host {
        Some(host) => namespace_path(out, host, namespace)?,
        None => local_namespace(out, namespace),
    }
    object_name(out, path)?;
    markup(out, "</");
    markup(out, element);
    markup(out, ">");
    Ok(())
}

fn object_name(out: &mut BytesMut, path: &ObjectPath) -> Written {
    if let Some(keys) = &path.keys {
        return instance_name(out, &path.class, keys);
    }
    class_name(out, &path.class);
    Ok(())
}

/// `CLASSNAME`.
pub(super) fn class_name(out: &mut BytesMut, class: &CimName) {
    markup(out, "<CLASSNAME");
    attribute(out, "NAME", class.as_str());
    markup(out, "/>");
}

/// `INSTANCEPATH` of an instance of this server.
pub(super) fn absolute_instance(out: &mut BytesMut, host: &str, path: &InstancePath) -> Written {
    markup(out, "<INSTANCEPATH>");
    namespace_path(out, host, &path.namespace)?;
    instance_path(out, path)?;
    markup(out, "</INSTANCEPATH>");
    Ok(())
}

/// `CLASSPATH` of a class of this server.
pub(super) fn absolute_class(
    out: &mut BytesMut,
    host: &str,
    namespace: &Namespace,
    class: &CimName,
) -> Written {
    markup(out, "<CLASSPATH>");
    namespace_path(out, host, namespace)?;
    class_name(out, class);
    markup(out, "</CLASSPATH>");
    Ok(())
}

/// `NAMESPACEPATH`.
pub(super) fn namespace_path(out: &mut BytesMut, host: &str, namespace: &Namespace) -> Written {
    markup(out, "<NAMESPACEPATH><HOST>");
    text(out, host.as_bytes())?;
    markup(out, "</HOST>");
    local_namespace(out, namespace);
    markup(out, "</NAMESPACEPATH>");
    Ok(())
}

/// `LOCALNAMESPACEPATH`.
pub(super) fn local_namespace(out: &mut BytesMut, namespace: &Namespace) {
    markup(out, "<LOCALNAMESPACEPATH>");
    for component in namespace.components() {
        markup(out, "<NAMESPACE");
        attribute(out, "NAME", component);
        markup(out, "/>");
    }
    markup(out, "</LOCALNAMESPACEPATH>");
}
