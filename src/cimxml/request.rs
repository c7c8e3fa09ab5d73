//! Decoding of requests: bytes to a typed call, in the order of checks of DSP0200 1.4 §7.3.

use std::collections::HashSet;

use crate::model::{CimError, CimName, Namespace, ObjectPath, PropertyValue, Status};
use crate::ops::{self, Addressed, ClassSelect, Request, Select};

use super::argument::Arguments;
use super::error::{DecodeError, DecodeErrorKind, Envelope, ResponseHead, Result, Target};
use super::reader::{Reader, Tag};
use super::{Limits, associations, envelope, instance, path, pulls};

/// A request that was understood.
#[derive(Debug, Clone, PartialEq)]
pub struct Decoded {
    /// What the response repeats and the headers must agree with.
    pub envelope: Envelope,
    /// What is asked for, and of which namespace.
    pub call: Addressed,
}

/// Decodes the body of a request.
///
/// # Errors
/// [`DecodeError::answer`] says what the client is answered. An error after the method's name was
/// read knows the [`Envelope`], so that the headers can be compared before it is answered.
pub fn decode(body: &[u8], limits: &Limits) -> Result<Decoded> {
    let mut reader = Reader::new(body, limits)?;
    let mut known = None;
    let decoded = message(&mut reader, &mut known);
    complete(&mut reader, decoded)
        .and_then(|call| {
            let envelope = known.take().ok_or_else(|| reader.invalid("no call"))?;
            Ok(Decoded { envelope, call })
        })
        .map_err(|error| DecodeError {
            envelope: known.map(Box::new),
            ..error
        })
}

/// A document is well formed to its end or not at all, whatever else is wrong with it.
pub(super) fn complete<T>(reader: &mut Reader<'_>, decoded: Result<T>) -> Result<T> {
    match &decoded {
        Err(error) if !error.is_well_formed() => {}
        Ok(_) | Err(_) => reader.finish()?,
    }
    decoded
}

fn message(reader: &mut Reader<'_>, known: &mut Option<Envelope>) -> Result<Addressed> {
    let message = envelope::open(reader)?;
    let Some(body) = reader.child()? else {
        return Err(reader.invalid("MESSAGE without content"));
    };
    match body.name {
        "SIMPLEREQ" => {
            let call = simple_request(reader, &message, known)?;
            // The ends of MESSAGE and of CIM.
            reader.end()?;
            reader.end()?;
            Ok(call)
        }
        "MULTIREQ" => {
            let what = "several requests without CIMBatch";
            Err(reader.error(DecodeErrorKind::Mismatch(what)))
        }
        other => Err(reader.error(DecodeErrorKind::NotValid(format!(
            "{other} where SIMPLEREQ is expected"
        )))),
    }
}

pub(super) fn simple_request(
    reader: &mut Reader<'_>,
    message: &envelope::Message,
    known: &mut Option<Envelope>,
) -> Result<Addressed> {
    while let Some(child) = reader.child()? {
        let intrinsic = match child.name {
            "IMETHODCALL" => true,
            "METHODCALL" => false,
            "CORRELATOR" => {
                reader.skip()?;
                continue;
            }
            _ => {
                reader.stray(&child)?;
                continue;
            }
        };
        let head = ResponseHead {
            message_id: message.id.clone(),
            method: child.require("NAME")?.to_owned(),
            intrinsic,
        };
        let call = known.insert(Envelope {
            head,
            protocol_version: message.protocol_version.clone(),
            target: None,
        });
        let addressed = if intrinsic {
            intrinsic_call(reader, call)?
        } else {
            method_call(reader, &child, call)?
        };
        reader.end()?;
        return Ok(addressed);
    }
    Err(reader.invalid("SIMPLEREQ without a call"))
}

fn intrinsic_call(reader: &mut Reader<'_>, envelope: &mut Envelope) -> Result<Addressed> {
    reader.expect("LOCALNAMESPACEPATH")?;
    let namespace = path::namespace(reader, Status::InvalidNamespace)?;
    envelope.target = Some(Target::Namespace(namespace.clone()));
    let mut arguments = Arguments::read(reader)?;
    let status_4 = |error| reader.error(DecodeErrorKind::Cim(error));
    let request = operation(&envelope.head.method, &mut arguments).map_err(status_4)?;
    if !matches!(request, Request::Unsupported(_)) {
        arguments.finish().map_err(status_4)?;
    }
    Ok(Addressed { namespace, request })
}

/// The operation `method` with its parameters; names compare without case.
fn operation(method: &str, given: &mut Arguments) -> Result<Request, CimError> {
    let folded = method.to_ascii_lowercase();
    if let Some(request) = pulls::operation(&folded, given)? {
        return Ok(request);
    }
    if let Some(request) = schema_change(&folded, given)? {
        return Ok(request);
    }
    Ok(match folded.as_str() {
        "getinstance" => get_instance(given)?,
        "enumerateinstances" => enumerate_instances(given)?,
        "enumerateinstancenames" => Request::EnumerateInstanceNames(ops::EnumerateInstanceNames {
            class: given.class("ClassName")?,
        }),
        "createinstance" => Request::CreateInstance(ops::CreateInstance {
            instance: given.instance("NewInstance")?,
        }),
        "modifyinstance" => modify_instance(given)?,
        "deleteinstance" => Request::DeleteInstance(ops::DeleteInstance {
            path: given.instance_name("InstanceName")?,
        }),
        "associators" => associations::associators(given)?,
        "associatornames" => associations::associator_names(given)?,
        "references" => associations::references(given)?,
        "referencenames" => associations::reference_names(given)?,
        "getproperty" => Request::GetProperty(ops::GetProperty {
            path: given.instance_name("InstanceName")?,
            property: given.cim_name("PropertyName")?,
        }),
        "setproperty" => Request::SetProperty(ops::SetProperty {
            path: given.instance_name("InstanceName")?,
            property: given.cim_name("PropertyName")?,
            value: given.literal("NewValue")?,
        }),
        "getclass" => Request::GetClass(ops::GetClass {
            class: given.class("ClassName")?,
            select: class_select(given, true)?,
        }),
        "enumerateclasses" => Request::EnumerateClasses(ops::EnumerateClasses {
            class: given.optional_class("ClassName")?,
            deep_inheritance: given.boolean("DeepInheritance", false)?,
            select: class_select(given, false)?,
        }),
        "enumerateclassnames" => Request::EnumerateClassNames(ops::EnumerateClassNames {
            class: given.optional_class("ClassName")?,
            deep_inheritance: given.boolean("DeepInheritance", false)?,
        }),
        "getqualifier" => Request::GetQualifier(ops::GetQualifier {
            name: given.cim_name("QualifierName")?,
        }),
        "enumeratequalifiers" => Request::EnumerateQualifiers(ops::EnumerateQualifiers {}),
        "execquery" => Request::ExecQuery(ops::ExecQuery {
            language: given.string("QueryLanguage")?,
            query: given.string("Query")?,
        }),
        _ => Request::Unsupported(ops::Unsupported {
            method: method.to_owned(),
        }),
    })
}

/// The operations that change classes and qualifier declarations; `None` for any other one.
fn schema_change(method: &str, given: &mut Arguments) -> Result<Option<Request>, CimError> {
    Ok(Some(match method {
        "createclass" => Request::CreateClass(ops::CreateClass {
            class: given.class_decl("NewClass")?,
        }),
        "modifyclass" => Request::ModifyClass(ops::ModifyClass {
            class: given.class_decl("ModifiedClass")?,
        }),
        "deleteclass" => Request::DeleteClass(ops::DeleteClass {
            class: given.class("ClassName")?,
        }),
        "setqualifier" => Request::SetQualifier(ops::SetQualifier {
            qualifier: given.qualifier_decl("QualifierDeclaration")?,
        }),
        "deletequalifier" => Request::DeleteQualifier(ops::DeleteQualifier {
            name: given.cim_name("QualifierName")?,
        }),
        _ => return Ok(None),
    }))
}

fn get_instance(given: &mut Arguments) -> Result<Request, CimError> {
    Ok(Request::GetInstance(ops::GetInstance {
        path: given.instance_name("InstanceName")?,
        select: select(given)?,
    }))
}

fn enumerate_instances(given: &mut Arguments) -> Result<Request, CimError> {
    Ok(Request::EnumerateInstances(ops::EnumerateInstances {
        class: given.class("ClassName")?,
        deep_inheritance: given.boolean("DeepInheritance", true)?,
        select: select(given)?,
    }))
}

fn modify_instance(given: &mut Arguments) -> Result<Request, CimError> {
    let named = given.named_instance("ModifiedInstance")?;
    given.ignored(&["IncludeQualifiers"])?;
    if named.path.class != named.instance.class {
        return Err(CimError::invalid_parameter(format!(
            "ModifiedInstance: an instance of {} under a path of {}",
            named.instance.class, named.path.class
        )));
    }
    Ok(Request::ModifyInstance(ops::ModifyInstance {
        path: named.path,
        instance: named.instance,
        properties: given.property_list("PropertyList")?,
    }))
}

/// `LocalOnly` and `IncludeQualifiers` are taken and have no effect on instances.
fn select(given: &mut Arguments) -> Result<Select, CimError> {
    given.ignored(&["LocalOnly", "IncludeQualifiers"])?;
    Ok(Select {
        properties: given.property_list("PropertyList")?,
        class_origin: given.boolean("IncludeClassOrigin", false)?,
    })
}

fn class_select(given: &mut Arguments, lists: bool) -> Result<ClassSelect, CimError> {
    let usual = ClassSelect::default();
    Ok(ClassSelect {
        local_only: given.boolean("LocalOnly", usual.local_only)?,
        qualifiers: given.boolean("IncludeQualifiers", usual.qualifiers)?,
        class_origin: given.boolean("IncludeClassOrigin", usual.class_origin)?,
        properties: if lists {
            given.property_list("PropertyList")?
        } else {
            None
        },
    })
}

fn method_call(
    reader: &mut Reader<'_>,
    tag: &Tag<'_>,
    envelope: &mut Envelope,
) -> Result<Addressed> {
    let target = target(reader)?;
    let namespace: Option<Namespace> = target.namespace.clone();
    let namespace = namespace.ok_or_else(|| reader.invalid("METHODCALL without a namespace"))?;
    envelope.target = Some(Target::Object(target.clone()));
    let parameters = parameters(reader)?;
    let method = CimName::new(&envelope.head.method)
        .map_err(|error| tag.wrong(Status::MethodNotFound, format!("method: {error}")))?;
    let request = Request::InvokeMethod(ops::InvokeMethod {
        target,
        method,
        parameters,
    });
    Ok(Addressed { namespace, request })
}

fn target(reader: &mut Reader<'_>) -> Result<ObjectPath> {
    while let Some(child) = reader.child()? {
        match path::method_target(reader, &child)? {
            Some(path) => return Ok(path),
            None => reader.stray(&child)?,
        }
    }
    Err(reader.invalid("METHODCALL without a path"))
}

fn parameters(reader: &mut Reader<'_>) -> Result<Vec<PropertyValue>> {
    let mut found: Vec<PropertyValue> = Vec::new();
    let mut names = HashSet::new();
    while let Some(child) = reader.child()? {
        if child.name != "PARAMVALUE" {
            reader.stray(&child)?;
            continue;
        }
        if found.len() >= reader.limits.parameters {
            return Err(child.wrong(Status::InvalidParameter, "too many parameters"));
        }
        let name = child.require_name("NAME")?;
        if !names.insert(name.clone()) {
            let what = format!("{name}: the parameter is given twice");
            return Err(child.wrong(Status::InvalidParameter, what));
        }
        let (ty, is_array, value) = instance::parameter(reader, &child)?;
        found.push(PropertyValue {
            name,
            ty,
            is_array,
            value,
        });
    }
    Ok(found)
}
