//! `CIM_Error` inside `ERROR` (DSP0201 2.4 §5.2.6.4): the same error again, for clients that can read an
//! `ERROR` with children.

use bytes::BytesMut;

use crate::model::{CimError, CimName, CimType, InstanceDecl, Literal, PropertyValue};

use super::decl_writer;
use super::writer::Written;

/// `OwningEntity` of our errors.
const OWNER: &str = "Jobwright";
/// `ErrorType` and `PerceivedSeverity` of an operation that was refused: 1 is Other, in words by
/// `OtherErrorType`; 4 is Minor, since nothing is lost.
const TYPE: (&str, &str) = ("1", "CIM operation");
const SEVERITY: &str = "4";

/// Appends the instance.
pub(super) fn put(out: &mut BytesMut, error: &CimError) -> Written {
    let status = error.status;
    let code = status.code().to_string();
    let id = format!("JW{code:0>4}");
    let property = |name, ty, value: &str| PropertyValue {
        name: CimName::of(name),
        ty: Some(ty),
        is_array: false,
        value: Literal::Text(value.into()),
    };
    let instance = InstanceDecl {
        class: CimName::of("CIM_Error"),
        properties: vec![
            property("ErrorType", CimType::Uint16, TYPE.0),
            property("OtherErrorType", CimType::String, TYPE.1),
            property("OwningEntity", CimType::String, OWNER),
            property("MessageID", CimType::String, &id),
            property("Message", CimType::String, &error.description),
            property("PerceivedSeverity", CimType::Uint16, SEVERITY),
            property("CIMStatusCode", CimType::Uint32, &code),
            property("CIMStatusCodeDescription", CimType::String, status.symbol()),
        ],
    };
    decl_writer::instance(out, &instance)
}
