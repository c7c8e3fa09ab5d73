//! Decoding of responses, as a client receives them.

use thiserror::Error;

use crate::model::{
    CimError, CimName, CimType, CimValue, ClassDecl, InstanceDecl, Literal, ObjectPath,
    PropertyValue, QualifierDecl, Status,
};

use super::error::{DecodeErrorKind, Result};
use super::instance::{self, NamedInstance};
use super::reader::{Reader, Tag};
use super::value::{self, Text};
use super::{Limits, class, envelope, path};

/// One item of an `IRETURNVALUE`.
#[derive(Debug, Clone, PartialEq)]
pub enum Item {
    /// `CLASSNAME`.
    ClassName(CimName),
    /// A path in any of its forms.
    Path(ObjectPath),
    /// `INSTANCE`.
    Instance(InstanceDecl),
    /// An instance with its path, in any of the forms.
    NamedInstance(NamedInstance),
    /// `CLASS`.
    Class(ClassDecl),
    /// `QUALIFIER.DECLARATION`.
    Qualifier(QualifierDecl),
    /// A value.
    Value(Literal),
}

/// What a successful operation or method gave back.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Returned {
    /// The items of `IRETURNVALUE`.
    pub items: Vec<Item>,
    /// `RETURNVALUE` with the type that the server named; `None` when there is none.
    pub value: Option<(Option<CimType>, Literal)>,
    /// The output parameters.
    pub outputs: Vec<PropertyValue>,
}

/// A response.
#[derive(Debug, Clone, PartialEq)]
pub struct Response {
    /// `MESSAGE/@ID`.
    pub message_id: String,
    /// The name of the method.
    pub method: String,
    /// What came back, or the `ERROR`. A status that DSP0200 does not define is `CIM_ERR_FAILED`
    /// with its number in the text.
    pub outcome: std::result::Result<Returned, CimError>,
}

/// Items of another kind, or another number of them, than the operation gives.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("the response has no {0} where the operation gives one")]
pub struct UnexpectedItem(pub &'static str);

macro_rules! lists {
    ($( $(#[doc = $doc:literal])* $many:ident, $one:ident: $variant:ident => $ty:ty, $what:literal; )*) => {
        impl Returned { $(
            $(#[doc = $doc])*
            pub fn $many(self) -> std::result::Result<Vec<$ty>, UnexpectedItem> {
                let pick = |item| match item {
                    Item::$variant(found) => Ok(found),
                    _ => Err(UnexpectedItem($what)),
                };
                self.items.into_iter().map(pick).collect()
            }

            /// As the list of the same kind, of which there must be exactly one item.
            pub fn $one(self) -> std::result::Result<$ty, UnexpectedItem> {
                let mut all = self.$many()?;
                match (all.pop(), all.is_empty()) {
                    (Some(one), true) => Ok(one),
                    (_, _) => Err(UnexpectedItem($what)),
                }
            }
        )* }
    };
}

lists! {
    /// The class names of `EnumerateClassNames`.
    class_names, class_name: ClassName => CimName, "class name";
    /// The paths of `EnumerateInstanceNames` and the like.
    paths, path: Path => ObjectPath, "path";
    /// Instances without their paths.
    instances, instance: Instance => InstanceDecl, "instance";
    /// The instances of `EnumerateInstances` and the like.
    named_instances, named_instance: NamedInstance => NamedInstance, "instance with its path";
    /// Classes.
    classes, class: Class => ClassDecl, "class";
    /// Qualifier declarations.
    qualifiers, qualifier: Qualifier => QualifierDecl, "qualifier declaration";
    /// Values.
    values, value: Value => Literal, "value";
}

impl Returned {
    /// The output parameter `name`.
    pub fn output(&self, name: &str) -> Option<&Literal> {
        let output = self.outputs.iter().find(|output| output.name.is(name))?;
        Some(&output.value)
    }

    /// By which context to go on with an enumeration; `None` at the end of its sequence.
    ///
    /// # Errors
    /// When the server says neither that it is the end nor how to go on.
    pub fn enumeration(&self) -> std::result::Result<Option<String>, UnexpectedItem> {
        let ended = self.output("EndOfSequence");
        let ended = ended.and_then(|ended| ended.resolve(CimType::Boolean, false).ok());
        match (ended, self.output("EnumerationContext")) {
            (Some(CimValue::Boolean(true)), _) => Ok(None),
            (_, Some(Literal::Text(context))) if !context.is_empty() => {
                Ok(Some(context.to_string()))
            }
            (_, _) => Err(UnexpectedItem("EnumerationContext")),
        }
    }
}

/// Decodes the body of a response.
///
/// # Errors
/// When it is not a well-formed, loosely valid CIM-XML response.
pub fn decode(body: &[u8], limits: &Limits) -> Result<Response> {
    let mut reader = Reader::new(body, limits)?;
    let message = envelope::open(&mut reader)?;
    reader.expect("SIMPLERSP")?;
    let Some(tag) = reader.child()? else {
        return Err(reader.invalid("SIMPLERSP without content"));
    };
    if !matches!(tag.name, "IMETHODRESPONSE" | "METHODRESPONSE") {
        let what = format!("{} where a method response is expected", tag.name);
        return Err(reader.error(DecodeErrorKind::NotValid(what)));
    }
    let method = tag.require("NAME")?.to_owned();
    let outcome = outcome(&mut reader)?;
    reader.finish()?;
    Ok(Response {
        message_id: message.id,
        method,
        outcome,
    })
}

fn outcome(reader: &mut Reader<'_>) -> Result<std::result::Result<Returned, CimError>> {
    let mut returned = Returned::default();
    while let Some(child) = reader.child()? {
        match child.name {
            "ERROR" => return Ok(Err(error(reader, &child)?)),
            "IRETURNVALUE" => returned.items = items(reader)?,
            "RETURNVALUE" => {
                let (ty, _, value) = instance::parameter(reader, &child)?;
                returned.value = Some((ty, value));
            }
            "PARAMVALUE" => returned.outputs.push(output(reader, &child)?),
            _ => reader.stray(&child)?,
        }
    }
    Ok(Ok(returned))
}

/// `ERROR`, whose start tag was read.
pub(super) fn error(reader: &mut Reader<'_>, tag: &Tag<'_>) -> Result<CimError> {
    let code: u32 = tag
        .require("CODE")?
        .trim()
        .parse()
        .map_err(|_| tag.invalid("ERROR/@CODE is not a number"))?;
    let description = tag.get("DESCRIPTION").unwrap_or("").to_owned();
    reader.skip()?;
    Ok(match Status::from_code(code) {
        Some(status) => CimError::new(status, description),
        None => CimError::failed(format!("(status {code}) {description}")),
    })
}

fn output(reader: &mut Reader<'_>, tag: &Tag<'_>) -> Result<PropertyValue> {
    let name = tag.require_name("NAME")?;
    let (ty, is_array, value) = instance::parameter(reader, tag)?;
    Ok(PropertyValue {
        name,
        ty,
        is_array,
        value,
    })
}

fn items(reader: &mut Reader<'_>) -> Result<Vec<Item>> {
    let mut found = Vec::new();
    while let Some(child) = reader.child()? {
        match item(reader, &child)? {
            Some(item) => found.push(item),
            None => reader.stray(&child)?,
        }
    }
    Ok(found)
}

fn item(reader: &mut Reader<'_>, tag: &Tag<'_>) -> Result<Option<Item>> {
    Ok(Some(match tag.name {
        "CLASSNAME" => Item::ClassName(path::class_name(reader, tag)?.class),
        "INSTANCE" => Item::Instance(instance::instance(reader, tag)?),
        "VALUE.OBJECT" => {
            let Some(inner) = reader.child()? else {
                return Err(reader.invalid("VALUE.OBJECT without content"));
            };
            let object = match inner.name {
                "INSTANCE" => Item::Instance(instance::instance(reader, &inner)?),
                "CLASS" => Item::Class(class::class(reader, &inner)?),
                _ => return Err(reader.invalid("VALUE.OBJECT without INSTANCE or CLASS")),
            };
            reader.end()?;
            object
        }
        "CLASS" => Item::Class(class::class(reader, tag)?),
        "QUALIFIER.DECLARATION" => Item::Qualifier(class::declaration(reader, tag)?),
        "OBJECTPATH" => Item::Path(object_path(reader)?),
        "VALUE.NAMEDINSTANCE"
        | "VALUE.INSTANCEWITHPATH"
        | "VALUE.OBJECTWITHPATH"
        | "VALUE.OBJECTWITHLOCALPATH"
        | "VALUE.NAMEDOBJECT" => Item::NamedInstance(instance::named_instance(reader)?),
        _ => {
            return Ok(match path::object_path(reader, tag)? {
                Some(path) => Some(Item::Path(path)),
                None => value::value(reader, tag, Text::Plain)?.map(Item::Value),
            });
        }
    }))
}

fn object_path(reader: &mut Reader<'_>) -> Result<ObjectPath> {
    while let Some(child) = reader.child()? {
        match path::object_path(reader, &child)? {
            Some(path) => {
                reader.end()?;
                return Ok(path);
            }
            None => reader.stray(&child)?,
        }
    }
    Err(reader.invalid("OBJECTPATH without a path"))
}
