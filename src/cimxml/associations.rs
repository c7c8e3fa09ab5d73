//! The parameters of the association operations, both directions.

use bytes::BytesMut;

use crate::model::{CimError, ObjectPath};
use crate::ops::{self, AssociatorFilter, ReferenceFilter, Request, Select};

use super::argument::Arguments;
use super::call::{boolean, class_parameter, parameter, path, property_list, string};
use super::path_writer;
use super::writer::Written;

type Taken<T> = Result<T, CimError>;

pub(super) fn associators(given: &mut Arguments) -> Taken<Request> {
    Ok(Request::Associators(ops::Associators {
        object: given.object_name("ObjectName")?,
        filter: take_associator_filter(given)?,
        qualifiers: given.boolean("IncludeQualifiers", false)?,
        select: take_select(given)?,
    }))
}

pub(super) fn associator_names(given: &mut Arguments) -> Taken<Request> {
    Ok(Request::AssociatorNames(ops::AssociatorNames {
        object: given.object_name("ObjectName")?,
        filter: take_associator_filter(given)?,
    }))
}

pub(super) fn references(given: &mut Arguments) -> Taken<Request> {
    Ok(Request::References(ops::References {
        object: given.object_name("ObjectName")?,
        filter: take_reference_filter(given)?,
        qualifiers: given.boolean("IncludeQualifiers", false)?,
        select: take_select(given)?,
    }))
}

pub(super) fn reference_names(given: &mut Arguments) -> Taken<Request> {
    Ok(Request::ReferenceNames(ops::ReferenceNames {
        object: given.object_name("ObjectName")?,
        filter: take_reference_filter(given)?,
    }))
}

pub(super) fn take_associator_filter(given: &mut Arguments) -> Taken<AssociatorFilter> {
    Ok(AssociatorFilter {
        association: given.optional_class("AssocClass")?,
        result: given.optional_class("ResultClass")?,
        role: given.optional_name("Role")?,
        result_role: given.optional_name("ResultRole")?,
    })
}

pub(super) fn take_reference_filter(given: &mut Arguments) -> Taken<ReferenceFilter> {
    Ok(ReferenceFilter {
        result: given.optional_class("ResultClass")?,
        role: given.optional_name("Role")?,
    })
}

pub(super) fn take_select(given: &mut Arguments) -> Taken<Select> {
    Ok(Select {
        properties: given.property_list("PropertyList")?,
        class_origin: given.boolean("IncludeClassOrigin", false)?,
    })
}

pub(super) fn put_associators(out: &mut BytesMut, all: &ops::Associators) -> Written {
    object_name(out, &all.object)?;
    put_associator_filter(out, &all.filter)?;
    boolean(out, "IncludeQualifiers", all.qualifiers)?;
    put_select(out, &all.select)
}

pub(super) fn put_associator_names(out: &mut BytesMut, all: &ops::AssociatorNames) -> Written {
    object_name(out, &all.object)?;
    put_associator_filter(out, &all.filter)
}

pub(super) fn put_references(out: &mut BytesMut, all: &ops::References) -> Written {
    object_name(out, &all.object)?;
    put_reference_filter(out, &all.filter)?;
    boolean(out, "IncludeQualifiers", all.qualifiers)?;
    put_select(out, &all.select)
}

pub(super) fn put_reference_names(out: &mut BytesMut, all: &ops::ReferenceNames) -> Written {
    object_name(out, &all.object)?;
    put_reference_filter(out, &all.filter)
}

/// `ObjectName`: an instance's or a class's.
fn object_name(out: &mut BytesMut, object: &ObjectPath) -> Written {
    parameter(out, "ObjectName", |out| {
        if object.keys.is_some() {
            return path(out, object);
        }
        path_writer::class_name(out, &object.class);
        Ok(())
    })
}

pub(super) fn put_associator_filter(out: &mut BytesMut, filter: &AssociatorFilter) -> Written {
    class_parameter(out, "AssocClass", filter.association.as_ref())?;
    class_parameter(out, "ResultClass", filter.result.as_ref())?;
    if let Some(role) = &filter.role {
        string(out, "Role", role.as_str())?;
    }
    match &filter.result_role {
        Some(role) => string(out, "ResultRole", role.as_str()),
        None => Ok(()),
    }
}

pub(super) fn put_reference_filter(out: &mut BytesMut, filter: &ReferenceFilter) -> Written {
    class_parameter(out, "ResultClass", filter.result.as_ref())?;
    match &filter.role {
        Some(role) => string(out, "Role", role.as_str()),
        None => Ok(()),
    }
}

pub(super) fn put_select(out: &mut BytesMut, select: &Select) -> Written {
    boolean(out, "IncludeClassOrigin", select.class_origin)?;
    property_list(out, select.properties.as_deref())
}
