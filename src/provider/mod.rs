//! What a provider is and who serves what: the seam between the broker and everything that has instances.

mod api;
mod catalogue;
mod context;
mod events;
pub mod fill;
mod mirror;
mod namespaces;
mod query;
mod references;
mod registry;

pub use api::{
    Act, Arguments, Changes, Provider, matching, only_one, permit_administrators, permit_service,
};
#[cfg(test)]
pub(crate) use catalogue::tests::catalogue;
pub use catalogue::{Catalogue, NewInstance, Refused, SchemaChange, SchemaStore, Told};
pub use context::{Context, Principal, Role};
pub use events::{
    CallPhase, Change, ChangeKind, ChangeKinds, Interest, MethodCall, Notice, Notices, Observer,
    Occurrence, Pledge, StreamId, Unobserved,
};
pub use mirror::Mirror;
pub use namespaces::{Namespaces, Served};
pub use references::{leads_to, refers_to};
pub use registry::{Registration, Registry, RegistryError};
