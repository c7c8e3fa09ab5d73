//! The schema: declarations become checked classes, and what clients write becomes instances.
//!
//! It knows neither MOF nor CIM-XML: both arrive as declarations of the model, and errors name the
//! element they are about.

mod advice;
mod error;

mod builder;
mod declaration;
mod edit;
mod known;
mod parent;
mod qualifiers;
mod resolve;
mod slot;
mod structure;

pub mod rules;

mod snapshot;

mod arguments;
mod declared;
mod input;
mod instance;
mod instances;
mod path;

pub use arguments::{method_parameters, parameter_object};
pub use builder::{Builder, INHERITANCE_LIMIT};
pub use declared::{Declared, Embed, InstanceFault, InstanceFaultKind, Reference};
pub use edit::{Edit, Edited};
pub use error::{DeclError, DeclErrorKind};
pub use input::EMBEDDING_LIMIT;
pub use instances::declared_instances;
pub use snapshot::Schema;
