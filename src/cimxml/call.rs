//! Encoding of requests, as a client sends them.

use bytes::BytesMut;
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};

use crate::model::{CimName, ObjectPath, Result};
use crate::ops::{
    Addressed, ClassSelect, EnumerateClasses, EnumerateInstances, GetClass, InvokeMethod,
    ModifyInstance, Request, Select, SetProperty,
};

use super::response::{PROLOGUE, atomically};
use super::writer::{EncodeError, Written, attribute, markup, text};
use super::{associations, class_decl, class_writer, decl_writer, path_writer, pulls};

/// What is escaped in `CIMObject` and `CIMMethod`: DSP0200 1.4 §6.3.7 leaves what is safe in a
/// header to the sender.
const UNSAFE: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'%')
    .add(b'<')
    .add(b'>')
    .add(b',');

/// The headers of a request that depend on its body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallHeaders {
    /// `CIMMethod`, escaped.
    pub method: String,
    /// `CIMObject`, escaped.
    pub object: String,
}

impl CallHeaders {
    /// The headers of `call`.
    pub fn of(call: &Addressed) -> Self {
        let object = match &call.request {
            Request::InvokeMethod(invoke) => target(call, invoke).to_string(),
            _ => call.namespace.to_string(),
        };
        Self {
            method: utf8_percent_encode(method_name(&call.request), UNSAFE).to_string(),
            object: utf8_percent_encode(&object, UNSAFE).to_string(),
        }
    }
}

/// The name that the request has on the wire.
pub fn method_name(request: &Request) -> &str {
    match request {
        Request::InvokeMethod(invoke) => invoke.method.as_str(),
        intrinsic => intrinsic.name(),
    }
}

/// Appends the body of a request.
///
/// # Errors
/// `CIM_ERR_FAILED` when a value has a character that XML 1.0 cannot carry; nothing has been
/// appended then.
pub fn encode(out: &mut BytesMut, message_id: &str, call: &Addressed) -> Result<()> {
    atomically(out, |out| {
        markup(out, PROLOGUE);
        attribute(out, "ID", message_id);
        markup(out, " PROTOCOLVERSION=\"1.0\"><SIMPLEREQ>");
        match &call.request {
            Request::InvokeMethod(invoke) => method_call(out, call, invoke)?,
            intrinsic => {
                markup(out, "<IMETHODCALL");
                attribute(out, "NAME", intrinsic.name());
                markup(out, ">");
                path_writer::local_namespace(out, &call.namespace);
                parameters(out, intrinsic)?;
                markup(out, "</IMETHODCALL>");
            }
        }
        markup(out, "</SIMPLEREQ></MESSAGE></CIM>\n");
        Ok(())
    })
}

/// The target within the namespace of the call, whatever host it was found on.
fn target(call: &Addressed, invoke: &InvokeMethod) -> ObjectPath {
    ObjectPath {
        host: None,
        namespace: Some(call.namespace.clone()),
        ..invoke.target.clone()
    }
}

fn method_call(out: &mut BytesMut, call: &Addressed, invoke: &InvokeMethod) -> Written {
    markup(out, "<METHODCALL");
    attribute(out, "NAME", invoke.method.as_str());
    markup(out, ">");
    path_writer::object_path(out, &target(call, invoke))?;
    for given in &invoke.parameters {
        decl_writer::parameter(out, given)?;
    }
    markup(out, "</METHODCALL>");
    Ok(())
}

fn parameters(out: &mut BytesMut, request: &Request) -> Written {
    match request {
        Request::GetInstance(get) => {
            parameter(out, "InstanceName", |out| path(out, &get.path))?;
            select(out, &get.select)
        }
        Request::EnumerateInstances(all) => enumerate_instances(out, all),
        Request::EnumerateInstanceNames(all) => class_name(out, Some(&all.class)),
        Request::CreateInstance(create) => parameter(out, "NewInstance", |out| {
            decl_writer::instance(out, &create.instance)
        }),
        Request::ModifyInstance(modify) => modify_instance(out, modify),
        Request::DeleteInstance(delete) => {
            parameter(out, "InstanceName", |out| path(out, &delete.path))
        }
        Request::Associators(all) => associations::put_associators(out, all),
        Request::AssociatorNames(all) => associations::put_associator_names(out, all),
        Request::References(all) => associations::put_references(out, all),
        Request::ReferenceNames(all) => associations::put_reference_names(out, all),
        Request::GetProperty(get) => {
            parameter(out, "InstanceName", |out| path(out, &get.path))?;
            string(out, "PropertyName", get.property.as_str())
        }
        Request::SetProperty(set) => set_property(out, set),
        Request::GetClass(get) => get_class(out, get),
        Request::EnumerateClasses(all) => enumerate_classes(out, all),
        Request::EnumerateClassNames(all) => {
            class_name(out, all.class.as_ref())?;
            boolean(out, "DeepInheritance", all.deep_inheritance)
        }
        Request::CreateClass(create) => parameter(out, "NewClass", |out| {
            class_decl::put_class(out, &create.class)
        }),
        Request::ModifyClass(modify) => parameter(out, "ModifiedClass", |out| {
            class_decl::put_class(out, &modify.class)
        }),
        Request::DeleteClass(delete) => class_name(out, Some(&delete.class)),
        Request::SetQualifier(set) => parameter(out, "QualifierDeclaration", |out| {
            class_writer::declaration(out, &set.qualifier)
        }),
        Request::DeleteQualifier(delete) => string(out, "QualifierName", delete.name.as_str()),
        Request::GetQualifier(get) => string(out, "QualifierName", get.name.as_str()),
        Request::ExecQuery(exec) => {
            string(out, "QueryLanguage", &exec.language)?;
            string(out, "Query", &exec.query)
        }
        Request::OpenEnumerateInstances(open) => pulls::put_open_instances(out, open),
        Request::OpenEnumerateInstancePaths(open) => pulls::put_open_paths(out, open),
        Request::OpenReferenceInstances(open) => pulls::put_open_references(out, open),
        Request::OpenReferenceInstancePaths(open) => pulls::put_open_reference_paths(out, open),
        Request::OpenAssociatorInstances(open) => pulls::put_open_associators(out, open),
        Request::OpenAssociatorInstancePaths(open) => pulls::put_open_associator_paths(out, open),
        Request::OpenQueryInstances(open) => pulls::put_open_query(out, open),
        Request::PullInstancesWithPath(pull) => {
            pulls::put_pull(out, &pull.context, pull.max_objects)
        }
        Request::PullInstancePaths(pull) => pulls::put_pull(out, &pull.context, pull.max_objects),
        Request::PullInstances(pull) => pulls::put_pull(out, &pull.context, pull.max_objects),
        Request::CloseEnumeration(close) => pulls::put_context(out, &close.context),
        Request::EnumerationCount(count) => pulls::put_context(out, &count.context),
        Request::EnumerateQualifiers(_) | Request::Unsupported(_) | Request::InvokeMethod(_) => {
            Ok(())
        }
    }
}

fn enumerate_instances(out: &mut BytesMut, all: &EnumerateInstances) -> Written {
    class_name(out, Some(&all.class))?;
    boolean(out, "DeepInheritance", all.deep_inheritance)?;
    select(out, &all.select)
}

fn set_property(out: &mut BytesMut, set: &SetProperty) -> Written {
    parameter(out, "InstanceName", |out| path(out, &set.path))?;
    string(out, "PropertyName", set.property.as_str())?;
    parameter(out, "NewValue", |out| decl_writer::value(out, &set.value))
}

fn get_class(out: &mut BytesMut, get: &GetClass) -> Written {
    class_name(out, Some(&get.class))?;
    class_select(out, &get.select)?;
    property_list(out, get.select.properties.as_deref())
}

fn enumerate_classes(out: &mut BytesMut, all: &EnumerateClasses) -> Written {
    class_name(out, all.class.as_ref())?;
    boolean(out, "DeepInheritance", all.deep_inheritance)?;
    class_select(out, &all.select)
}

fn modify_instance(out: &mut BytesMut, modify: &ModifyInstance) -> Written {
    parameter(out, "ModifiedInstance", |out| {
        markup(out, "<VALUE.NAMEDINSTANCE>");
        path(out, &modify.path)?;
        decl_writer::instance(out, &modify.instance)?;
        markup(out, "</VALUE.NAMEDINSTANCE>");
        Ok(())
    })?;
    property_list(out, modify.properties.as_deref())
}

pub(super) fn parameter(
    out: &mut BytesMut,
    name: &str,
    write: impl FnOnce(&mut BytesMut) -> Written,
) -> Written {
    markup(out, "<IPARAMVALUE");
    attribute(out, "NAME", name);
    markup(out, ">");
    write(out).map_err(|error: EncodeError| error.within(&name))?;
    markup(out, "</IPARAMVALUE>");
    Ok(())
}

pub(super) fn path(out: &mut BytesMut, path: &ObjectPath) -> Written {
    let keys = path.keys.clone().unwrap_or_default();
    path_writer::instance_name(out, &path.class, &keys)
}

fn class_name(out: &mut BytesMut, class: Option<&CimName>) -> Written {
    class_parameter(out, "ClassName", class)
}

/// A class name, when there is one.
pub(super) fn class_parameter(out: &mut BytesMut, name: &str, class: Option<&CimName>) -> Written {
    let Some(class) = class else { return Ok(()) };
    parameter(out, name, |out| {
        path_writer::class_name(out, class);
        Ok(())
    })
}

pub(super) fn boolean(out: &mut BytesMut, name: &str, value: bool) -> Written {
    string(out, name, if value { "TRUE" } else { "FALSE" })
}

pub(super) fn string(out: &mut BytesMut, name: &str, value: &str) -> Written {
    parameter(out, name, |out| {
        markup(out, "<VALUE>");
        text(out, value.as_bytes())?;
        markup(out, "</VALUE>");
        Ok(())
    })
}

/// `LocalOnly` is sent too: servers of old take it for true when it is left out.
fn select(out: &mut BytesMut, select: &Select) -> Written {
    boolean(out, "LocalOnly", false)?;
    boolean(out, "IncludeClassOrigin", select.class_origin)?;
    property_list(out, select.properties.as_deref())
}

fn class_select(out: &mut BytesMut, select: &ClassSelect) -> Written {
    boolean(out, "LocalOnly", select.local_only)?;
    boolean(out, "IncludeQualifiers", select.qualifiers)?;
    boolean(out, "IncludeClassOrigin", select.class_origin)
}

pub(super) fn property_list(out: &mut BytesMut, names: Option<&[CimName]>) -> Written {
    let Some(names) = names else { return Ok(()) };
    parameter(out, "PropertyList", |out| {
        markup(out, "<VALUE.ARRAY>");
        for name in names {
            markup(out, "<VALUE>");
            text(out, name.as_str().as_bytes())?;
            markup(out, "</VALUE>");
        }
        markup(out, "</VALUE.ARRAY>");
        Ok(())
    })
}
