//! Names looked up, types compared: from what was written to what can be asked of instances.
//!
//! An unknown name is an error when the class of the object is known. Embedded objects of open
//! class (`EmbeddedObject`) may have any property, unless an `ISA` that must hold says their class.

mod condition;
mod operand;
mod path;
mod scope;
mod shape;

pub use scope::Classes;

pub(super) use scope::{Named, Object, Resolver, conjuncts};
