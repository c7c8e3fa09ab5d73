//! The providers of what describes the server itself: its system, its object manager, its namespaces.

mod discovery;
mod elsewhere;
mod fixed;
mod manager;
mod namespaces;
mod repository;
mod statistics;
mod system;

pub use discovery::{Profile, Related, hosted};
pub use elsewhere::Elsewhere;
pub use manager::gathers_statistics;
pub use namespaces::reserved;
pub use repository::{Audience, RepositoryProvider, Tally, check_cardinality, row_of};
pub use statistics::{Cost, Kind, Statistics};

use std::sync::Arc;

use crate::model::{CimName, Namespace};
use crate::provider::{Catalogue, Provider, Registration};
use crate::store::Writer;

/// What the providers are told of the server when it starts.
#[derive(Debug, Clone)]
pub struct Identity {
    /// The host name recorded at the first start.
    pub host: Arc<str>,
    /// The name of the object manager, the same for the life of the installation.
    pub manager: Arc<str>,
    /// The namespaces of the configuration by their own names.
    pub namespaces: Vec<Namespace>,
    /// The namespace that describes the server.
    pub interop: Namespace,
}

/// The registrations of the built-in providers.
pub fn registrations(
    identity: &Identity,
    related: Related,
    catalogue: &Arc<Catalogue>,
    (statistics, writer): (&Arc<Statistics>, &Writer),
) -> Vec<Registration> {
    let identity = Arc::new(identity.clone());
    let registration = |name, class, namespaces, provider: Arc<dyn Provider>| Registration {
        name,
        namespaces,
        classes: vec![CimName::of(class)],
        provider,
    };
    let interop = vec![identity.interop.clone()];
    let mut registrations = discovery::registrations(&identity, related, catalogue);
    registrations.extend([
        registration(
            "system",
            "CIM_ComputerSystem",
            identity.namespaces.clone(),
            system::provider(&identity),
        ),
        registration(
            "object manager",
            manager::CLASS,
            interop.clone(),
            manager::provider(&identity, statistics.clone(), writer.clone()),
        ),
        registration(
            "statistics",
            statistics::CLASS,
            interop.clone(),
            Arc::new(statistics::Counted(statistics.clone())),
        ),
        registration(
            "namespaces",
            namespaces::CLASS,
            interop,
            Arc::new(namespaces::Namespaces {
                identity: identity.clone(),
                catalogue: catalogue.clone(),
            }),
        ),
    ]);
    registrations
}

/// The classes that are served in every namespace.
pub fn everywhere(catalogue: &Arc<Catalogue>) -> (Vec<CimName>, Arc<dyn Provider>) {
    let catalogue = catalogue.clone();
    let classes = vec![CimName::of(namespaces::LEGACY_CLASS)];
    (classes, Arc::new(namespaces::Legacy { catalogue }))
}
