//! The association operations on classes: what the declarations of the schema allow.

use std::sync::Arc;

use crate::model::{CimError, CimName, Class, ClassKind, Property, Result};
use crate::ops::{AssociatorFilter, ClassReply, ClassSelect, ReferenceFilter, Reply, Select};
use crate::provider::Context;
use crate::schema::Schema;

use super::associations::{fits, known};

/// The association classes that may refer to instances of `class`.
pub(super) fn references(
    schema: &Schema,
    class: &CimName,
    filter: &ReferenceFilter,
) -> Result<Vec<Arc<Class>>> {
    known(schema, filter.result.as_ref())?;
    let source = source(schema, class)?;
    let wanted = |class: &Class| {
        let result = filter.result.as_ref();
        class.kind == ClassKind::Association
            && result.is_none_or(|result| class.is_a(result.as_str()))
            && near(class, source, filter.role.as_ref()).next().is_some()
    };
    Ok(schema
        .classes()
        .filter(|class| wanted(class))
        .cloned()
        .collect())
}

/// The classes that the associations of instances of `class` may lead to.
pub(super) fn associators(
    schema: &Schema,
    class: &CimName,
    filter: &AssociatorFilter,
) -> Result<Vec<Arc<Class>>> {
    known(schema, filter.result.as_ref())?;
    let narrowed = ReferenceFilter {
        result: filter.association.clone(),
        role: filter.role.clone(),
    };
    let associations = references(schema, class, &narrowed)?;
    let source = source(schema, class)?;
    let mut found: Vec<Arc<Class>> = Vec::new();
    for association in &associations {
        for end in far(association, source, filter) {
            let class = end.slot.reference_class.as_ref();
            let class = class.and_then(|name| schema.class(name.as_str()));
            let result = filter.result.as_ref();
            found.extend(
                class
                    .filter(|class| result.is_none_or(|result| class.is_a(result.as_str())))
                    .filter(|class| found.iter().all(|known| known.name != class.name))
                    .cloned(),
            );
        }
    }
    Ok(found)
}

fn source<'a>(schema: &'a Schema, class: &CimName) -> Result<&'a Class> {
    let unknown = || CimError::invalid_parameter(format!("the class {class} does not exist"));
    schema
        .class(class.as_str())
        .map(AsRef::as_ref)
        .ok_or_else(unknown)
}

/// The references of `association` that may lead to instances of `source`.
fn near<'a>(
    association: &'a Class,
    source: &'a Class,
    role: Option<&'a CimName>,
) -> impl Iterator<Item = &'a Arc<Property>> {
    association.properties.values().filter(move |property| {
        let target = property.slot.reference_class.as_ref();
        fits(role, &property.name) && target.is_some_and(|target| source.is_a(target.as_str()))
    })
}

/// The references of `association` that stand beside one that may lead to `source`.
fn far<'a>(
    association: &'a Class,
    source: &'a Class,
    filter: &'a AssociatorFilter,
) -> impl Iterator<Item = &'a Arc<Property>> {
    association.properties.values().filter(move |property| {
        property.slot.reference_class.is_some()
            && fits(filter.result_role.as_ref(), &property.name)
            && near(association, source, filter.role.as_ref())
                .any(|near| near.name != property.name)
    })
}

/// The reply of Associators and References on a class.
pub(super) fn classes(
    cx: &Context,
    found: Vec<Arc<Class>>,
    qualifiers: bool,
    select: Select,
) -> Reply {
    let select = ClassSelect {
        local_only: false,
        qualifiers,
        class_origin: select.class_origin,
        properties: select.properties,
    };
    let reply = |class| ClassReply {
        class,
        select: select.clone(),
    };
    Reply::ClassObjects {
        namespace: cx.namespace.clone(),
        classes: found.into_iter().map(reply).collect(),
    }
}

/// The reply of AssociatorNames and ReferenceNames on a class.
pub(super) fn paths(cx: &Context, found: &[Arc<Class>]) -> Reply {
    Reply::ClassPaths {
        namespace: cx.namespace.clone(),
        classes: found.iter().map(|class| class.name.clone()).collect(),
    }
}
