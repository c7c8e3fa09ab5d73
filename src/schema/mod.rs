//! The schema: declarations become checked classes, and what clients write becomes instances.
//!
//! It knows neither MOF nor CIM-XML: both arrive as declarations of the model, and errors name the
//! element they are about.

mod advice;
mod error;

mod builder;
mod declaration;
mod edit;
mod parent;
mod qualifiers;
mod resolve;
mod slot;
mod structure;

pub mod rules;

mod snapshot;

mod arguments;
mod input;
mod instance;
mod path;

pub use builder::{Builder, INHERITANCE_LIMIT};
pub use edit::{Edit, Edited};
pub use error::{DeclError, DeclErrorKind};
pub use input::EMBEDDING_LIMIT;
pub use snapshot::Schema;
