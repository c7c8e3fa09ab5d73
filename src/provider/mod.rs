//! What a provider is and who serves what: the seam between the broker and everything that has instances.

mod api;
mod context;
mod events;
pub mod fill;
mod query;
mod references;
mod registry;

pub use api::{Arguments, Changes, Provider, matching};
pub use context::{Context, Principal, Role};
pub use events::{Change, Notice, Observer, StreamId, Unobserved};
pub use references::{leads_to, refers_to};
pub use registry::{Registration, Registry, RegistryError};
