//! The words of CIM: names, values, paths, declarations, classes, instances and status codes.
//!
//! Nothing here reads a clock, a file or a socket, and nothing here imports another module of
//! the crate.

mod check;
mod class;
pub mod datetime;
mod decl;
mod error;
mod instance;
mod literal;
mod name;
mod name_map;
mod path;
mod similar;
mod status;
mod value;
mod value_map;
mod violation;

pub use check::Check;
pub use class::{
    ArrayKind, Class, ClassKind, Embedding, Method, Parameter, Property, Qualifier, Slot,
};
pub use datetime::{CimDateTime, DateTimeError};
pub use decl::{
    ClassDecl, Element, Flavor, FlavorUse, InstanceDecl, MethodDecl, ParameterDecl, PropertyDecl,
    PropertyValue, QualifierDecl, QualifierUse, Scope, TypeDecl,
};
pub use error::{CimError, Result};
pub use instance::Instance;
pub use literal::{Literal, ValueError};
pub use name::{CimName, NAME_LIMIT_BYTES, NameError, Namespace};
pub use name_map::NameMap;
pub use path::{InstancePath, Keys, NESTING_LIMIT, ObjectPath, PathError, key_of_type};
pub use similar::nearest;
pub use status::Status;
pub use value::{CimType, CimValue};
pub use value_map::{BitMap, Span, ValueMap};
pub use violation::Violation;
