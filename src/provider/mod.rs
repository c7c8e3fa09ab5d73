//! What a provider is and who serves what: the seam between the broker and everything that has instances.

mod api;
mod context;
pub mod fill;
mod registry;

pub use api::{Arguments, Changes, Provider, matching};
pub use context::{Context, Principal, Role};
pub use registry::{Registration, Registry, RegistryError};
