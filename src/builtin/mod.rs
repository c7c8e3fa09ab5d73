//! The providers of what describes the server itself: its system, its object manager, its namespaces.

mod fixed;
mod interop;
mod manager;
mod statistics;
mod system;

pub use statistics::{Cost, Kind, Statistics};

use std::sync::Arc;

use crate::model::{CimName, Namespace};
use crate::provider::{Provider, Registration};

/// What the providers are told of the server when it starts.
#[derive(Debug, Clone)]
pub struct Identity {
    /// The host name recorded at the first start.
    pub host: Arc<str>,
    /// The name of the object manager, the same for the life of the installation.
    pub manager: Arc<str>,
    /// Every namespace by its own name.
    pub namespaces: Vec<Namespace>,
    /// The namespace that describes the server.
    pub interop: Namespace,
}

/// The registrations of the built-in providers.
pub fn registrations(identity: &Identity, statistics: &Arc<Statistics>) -> Vec<Registration> {
    let identity = Arc::new(identity.clone());
    let registration = |name, class, namespaces, provider: Arc<dyn Provider>| Registration {
        name,
        namespaces,
        classes: vec![CimName::of(class)],
        provider,
    };
    let interop = vec![identity.interop.clone()];
    vec![
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
            manager::provider(&identity, statistics.clone()),
        ),
        registration(
            "statistics",
            statistics::CLASS,
            interop.clone(),
            Arc::new(statistics::Counted(statistics.clone())),
        ),
        registration(
            "namespaces",
            "CIM_Namespace",
            interop,
            interop::namespaces(&identity),
        ),
    ]
}
