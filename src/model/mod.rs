//! The words of CIM: names, values, paths, declarations, classes, instances and status codes.
//!
//! Nothing here reads a clock, a file or a socket, and nothing here imports another module of
//! the crate.

mod check;
mod class;
mod datetime;
mod decl;
mod error;
mod instance;
mod literal;
mod name;
mod path;
mod status;
mod value;

pub use check::{Check, Span, ValueMap, Violation};
pub use class::{Class, Embedding, Method, Parameter, Property, Qualifier};
pub use datetime::{CimDateTime, DateTimeError};
pub use decl::{
    ClassDecl, Element, FlavorUse, InstanceDecl, MethodDecl, ParameterDecl, PropertyDecl,
    PropertyValue, QualifierDecl, QualifierUse, Scope, TypeDecl,
};
pub use error::{CimError, Result};
pub use instance::Instance;
pub use literal::{Literal, ValueError};
pub use name::{CimName, NameError, NameMap, Namespace};
pub use path::{Keys, ObjectPath};
pub use status::Status;
pub use value::{CimType, CimValue};
