//! GetClass, EnumerateClasses, EnumerateClassNames, GetQualifier, EnumerateQualifiers.

use std::sync::Arc;

use crate::model::{CimError, CimName, Class, Result};
use crate::ops::{
    ClassReply, EnumerateClassNames, EnumerateClasses, GetClass, GetQualifier, Reply,
};
use crate::schema::Schema;

/// An unknown class is `NOT_FOUND` here: the class itself is what was asked for.
pub(super) fn get(schema: &Schema, request: GetClass) -> Result<Reply> {
    let GetClass { class, select } = request;
    let unknown = || CimError::not_found(format!("the class {class} does not exist"));
    let class = schema.class(class.as_str()).ok_or_else(unknown)?.clone();
    Ok(Reply::Class(ClassReply { class, select }))
}

pub(super) fn enumerate(schema: &Schema, request: &EnumerateClasses) -> Result<Reply> {
    let below = below(schema, request.class.as_ref(), request.deep_inheritance)?;
    let reply = |class: &Arc<Class>| ClassReply {
        class: class.clone(),
        select: request.select.clone(),
    };
    Ok(Reply::Classes(below.into_iter().map(reply).collect()))
}

pub(super) fn names(schema: &Schema, request: &EnumerateClassNames) -> Result<Reply> {
    let below = below(schema, request.class.as_ref(), request.deep_inheritance)?;
    Ok(Reply::ClassNames(
        below.into_iter().map(|class| class.name.clone()).collect(),
    ))
}

/// The subclasses of `class`, which is context here: an unknown one is `INVALID_CLASS`.
fn below<'a>(
    schema: &'a Schema,
    class: Option<&CimName>,
    deep: bool,
) -> Result<Vec<&'a Arc<Class>>> {
    let class = class
        .map(|name| schema.known_class(name))
        .transpose()?
        .map(|class| &class.name);
    Ok(if deep {
        schema.descendants(class)
    } else {
        schema.children(class).collect()
    })
}

pub(super) fn qualifier(schema: &Schema, request: &GetQualifier) -> Result<Reply> {
    let name = &request.name;
    let unknown = || CimError::not_found(format!("the qualifier {name} is not declared"));
    let found = schema.qualifier(name.as_str()).ok_or_else(unknown)?;
    Ok(Reply::Qualifier(Box::new(found.clone())))
}

pub(super) fn qualifiers(schema: &Schema) -> Reply {
    Reply::Qualifiers(schema.qualifiers().cloned().collect())
}
