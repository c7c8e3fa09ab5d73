//! The parameters of the pulled enumerations, both directions (DSP0200 1.4 §5.4.2.24).

use bytes::BytesMut;

use crate::model::CimError;
use crate::ops::{self, Opening, Request, Terms};

use super::argument::Arguments;
use super::associations::{
    put_associator_filter, put_reference_filter, put_select, take_associator_filter,
    take_reference_filter, take_select,
};
use super::call::{boolean, class_parameter, parameter, path, string};
use super::writer::Written;

type Taken<T> = Result<T, CimError>;

/// The operation `method` (in lower case) when it is one of these.
pub(super) fn operation(method: &str, given: &mut Arguments) -> Taken<Option<Request>> {
    Ok(Some(match method {
        "openenumerateinstances" => Request::OpenEnumerateInstances(ops::OpenEnumerateInstances {
            class: given.class("ClassName")?,
            deep_inheritance: given.boolean("DeepInheritance", true)?,
            select: take_select(given)?,
            opening: take_opening(given)?,
        }),
        "openenumerateinstancepaths" => {
            Request::OpenEnumerateInstancePaths(ops::OpenEnumerateInstancePaths {
                class: given.class("ClassName")?,
                opening: take_opening(given)?,
            })
        }
        "openreferenceinstances" => Request::OpenReferenceInstances(ops::OpenReferenceInstances {
            path: given.instance_name("InstanceName")?,
            filter: take_reference_filter(given)?,
            select: take_select(given)?,
            opening: take_opening(given)?,
        }),
        "openreferenceinstancepaths" => {
            Request::OpenReferenceInstancePaths(ops::OpenReferenceInstancePaths {
                path: given.instance_name("InstanceName")?,
                filter: take_reference_filter(given)?,
                opening: take_opening(given)?,
            })
        }
        "openassociatorinstances" => {
            Request::OpenAssociatorInstances(ops::OpenAssociatorInstances {
                path: given.instance_name("InstanceName")?,
                filter: take_associator_filter(given)?,
                select: take_select(given)?,
                opening: take_opening(given)?,
            })
        }
        "openassociatorinstancepaths" => {
            Request::OpenAssociatorInstancePaths(ops::OpenAssociatorInstancePaths {
                path: given.instance_name("InstanceName")?,
                filter: take_associator_filter(given)?,
                opening: take_opening(given)?,
            })
        }
        "openqueryinstances" => Request::OpenQueryInstances(ops::OpenQueryInstances {
            language: given.string("FilterQueryLanguage")?,
            query: given.string("FilterQuery")?,
            return_class: given.boolean("ReturnQueryResultClass", false)?,
            terms: take_terms(given)?,
        }),
        "pullinstanceswithpath" => Request::PullInstancesWithPath(ops::PullInstancesWithPath {
            context: given.string("EnumerationContext")?,
            max_objects: given.number("MaxObjectCount")?,
        }),
        "pullinstancepaths" => Request::PullInstancePaths(ops::PullInstancePaths {
            context: given.string("EnumerationContext")?,
            max_objects: given.number("MaxObjectCount")?,
        }),
        "pullinstances" => Request::PullInstances(ops::PullInstances {
            context: given.string("EnumerationContext")?,
            max_objects: given.number("MaxObjectCount")?,
        }),
        "closeenumeration" => Request::CloseEnumeration(ops::CloseEnumeration {
            context: given.string("EnumerationContext")?,
        }),
        "enumerationcount" => Request::EnumerationCount(ops::EnumerationCount {
            context: given.string("EnumerationContext")?,
        }),
        _ => return Ok(None),
    }))
}

fn take_opening(given: &mut Arguments) -> Taken<Opening> {
    Ok(Opening {
        filter_language: given.optional_string("FilterQueryLanguage")?,
        filter: given.optional_string("FilterQuery")?,
        terms: take_terms(given)?,
    })
}

fn take_terms(given: &mut Arguments) -> Taken<Terms> {
    Ok(Terms {
        timeout_seconds: given.optional_number("OperationTimeout")?,
        continue_on_error: given.boolean("ContinueOnError", false)?,
        max_objects: given.number_or("MaxObjectCount", 0)?,
    })
}

pub(super) fn put_open_instances(
    out: &mut BytesMut,
    open: &ops::OpenEnumerateInstances,
) -> Written {
    class_parameter(out, "ClassName", Some(&open.class))?;
    boolean(out, "DeepInheritance", open.deep_inheritance)?;
    put_select(out, &open.select)?;
    put_opening(out, &open.opening)
}

pub(super) fn put_open_paths(
    out: &mut BytesMut,
    open: &ops::OpenEnumerateInstancePaths,
) -> Written {
    class_parameter(out, "ClassName", Some(&open.class))?;
    put_opening(out, &open.opening)
}

pub(super) fn put_open_references(
    out: &mut BytesMut,
    open: &ops::OpenReferenceInstances,
) -> Written {
    parameter(out, "InstanceName", |out| path(out, &open.path))?;
    put_reference_filter(out, &open.filter)?;
    put_select(out, &open.select)?;
    put_opening(out, &open.opening)
}

pub(super) fn put_open_reference_paths(
    out: &mut BytesMut,
    open: &ops::OpenReferenceInstancePaths,
) -> Written {
    parameter(out, "InstanceName", |out| path(out, &open.path))?;
    put_reference_filter(out, &open.filter)?;
    put_opening(out, &open.opening)
}

pub(super) fn put_open_associators(
    out: &mut BytesMut,
    open: &ops::OpenAssociatorInstances,
) -> Written {
    parameter(out, "InstanceName", |out| path(out, &open.path))?;
    put_associator_filter(out, &open.filter)?;
    put_select(out, &open.select)?;
    put_opening(out, &open.opening)
}

pub(super) fn put_open_associator_paths(
    out: &mut BytesMut,
    open: &ops::OpenAssociatorInstancePaths,
) -> Written {
    parameter(out, "InstanceName", |out| path(out, &open.path))?;
    put_associator_filter(out, &open.filter)?;
    put_opening(out, &open.opening)
}

pub(super) fn put_open_query(out: &mut BytesMut, open: &ops::OpenQueryInstances) -> Written {
    string(out, "FilterQueryLanguage", &open.language)?;
    string(out, "FilterQuery", &open.query)?;
    boolean(out, "ReturnQueryResultClass", open.return_class)?;
    put_terms(out, open.terms)
}

pub(super) fn put_pull(out: &mut BytesMut, context: &str, max_objects: u32) -> Written {
    put_context(out, context)?;
    string(out, "MaxObjectCount", &max_objects.to_string())
}

pub(super) fn put_context(out: &mut BytesMut, context: &str) -> Written {
    string(out, "EnumerationContext", context)
}

fn put_opening(out: &mut BytesMut, opening: &Opening) -> Written {
    if let Some(language) = &opening.filter_language {
        string(out, "FilterQueryLanguage", language)?;
    }
    if let Some(filter) = &opening.filter {
        string(out, "FilterQuery", filter)?;
    }
    put_terms(out, opening.terms)
}

fn put_terms(out: &mut BytesMut, terms: Terms) -> Written {
    if let Some(seconds) = terms.timeout_seconds {
        string(out, "OperationTimeout", &seconds.to_string())?;
    }
    boolean(out, "ContinueOnError", terms.continue_on_error)?;
    string(out, "MaxObjectCount", &terms.max_objects.to_string())
}
