//! How clients find out what the server is and what it can do: the server and its namespaces, the
//! ways to talk to it, the profiles it follows, and what connects these.

mod links;
mod mechanism;
mod mirror;
mod profiles;
mod server;

use std::sync::Arc;

use crate::model::{CimName, CimValue, InstancePath, Namespace};
use crate::provider::{Catalogue, Provider, Registration};

use super::{Identity, system};

/// Which profile an instance is a central one of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Profile {
    /// Profile Registration (DSP1033).
    Registration,
    /// WBEM Server (DSP1092).
    Server,
    /// Indications (DSP1054).
    Indications,
    /// Job Control (DSP1103).
    JobControl,
}

/// What other parts of the server have that clients are to find.
#[derive(Debug, Clone, Default)]
pub struct Related {
    /// Services of the system.
    pub services: Vec<InstancePath>,
    /// Elements, each with its capabilities.
    pub capable: Vec<[InstancePath; 2]>,
    /// Instances that stand for what a profile is about.
    pub central: Vec<(Profile, InstancePath)>,
    /// The longest and the shortest time that enumerations stay open, in seconds.
    pub pull_timeouts: (u32, u32),
    /// Whether clients must say who they are.
    pub authenticates: bool,
    /// Whether the server is announced by DNS-SD.
    pub announced: bool,
}

/// What the providers of this folder know.
struct Site {
    identity: Arc<Identity>,
    related: Related,
}

impl Site {
    fn interop(&self) -> &Namespace {
        &self.identity.interop
    }

    fn system(&self) -> InstancePath {
        let keys = [
            ("CreationClassName", system::CLASS),
            ("Name", &self.identity.host),
        ];
        path(self.interop(), system::CLASS, &keys)
    }

    /// The path of something that the system hosts.
    fn hosted(&self, class: &'static str, name: &str) -> InstancePath {
        hosted(self.interop(), class, (&self.identity.host, name))
    }
}

/// The path of something of that class and name that the system `host` has.
pub fn hosted(
    namespace: &Namespace,
    class: &'static str,
    (host, name): (&str, &str),
) -> InstancePath {
    let keys = [
        ("SystemCreationClassName", system::CLASS),
        ("SystemName", host),
        ("CreationClassName", class),
        ("Name", name),
    ];
    path(namespace, class, &keys)
}

fn path(namespace: &Namespace, class: &'static str, keys: &[(&'static str, &str)]) -> InstancePath {
    let key = |(name, value): &(&'static str, &str)| (CimName::of(name), CimValue::string(*value));
    InstancePath {
        namespace: namespace.clone(),
        class: CimName::of(class),
        keys: keys.iter().map(key).collect(),
    }
}

/// The registrations of the providers of discovery; `catalogue` shows namespaces as they do.
pub(super) fn registrations(
    identity: &Arc<Identity>,
    related: Related,
    catalogue: &Arc<Catalogue>,
) -> Vec<Registration> {
    let site = Arc::new(Site {
        identity: identity.clone(),
        related,
    });
    catalogue.show(Arc::new(mirror::Shown(site.clone())));
    let registration = |name, class, provider: Arc<dyn Provider>| Registration {
        name,
        namespaces: vec![site.interop().clone()],
        classes: vec![CimName::of(class)],
        provider,
    };
    let mut registrations = vec![
        registration(
            "WBEM server",
            server::CLASS,
            server::provider(&site, catalogue),
        ),
        registration(
            "WBEM server capabilities",
            server::CAPABILITIES,
            server::capabilities(),
        ),
        registration(
            "WBEM server namespaces",
            server::NAMESPACE,
            Arc::new(server::Namespaces(catalogue.clone())),
        ),
        registration(
            "communication mechanism",
            mechanism::CLASS,
            mechanism::provider(&site),
        ),
        registration(
            "profiles",
            profiles::CLASS,
            Arc::new(profiles::Profiles(site.clone())),
        ),
    ];
    let links = links::LINKS.iter();
    registrations.extend(links.map(|link| {
        registration(
            link.class,
            link.class,
            Arc::new(links::Links {
                site: site.clone(),
                catalogue: catalogue.clone(),
                link,
            }),
        )
    }));
    registrations
}
