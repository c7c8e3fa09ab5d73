//! CIM_ComputerSystem: the machine that the server runs on.

use std::sync::Arc;

use crate::provider::Provider;

use super::Identity;
use super::fixed::Fixed;

/// The class of the system.
pub(super) const CLASS: &str = "CIM_ComputerSystem";

/// `OperationalStatus` of what works.
pub(super) const OK: &[u16] = &[2];

/// The provider of the one system.
pub(super) fn provider(identity: &Identity) -> Arc<dyn Provider> {
    let values = vec![
        ("CreationClassName", CLASS.into()),
        ("Name", (&*identity.host).into()),
        ("ElementName", (&*identity.host).into()),
        ("NameFormat", "IP".into()),
        ("EnabledState", 2_u16.into()),
        ("OperationalStatus", OK.into()),
        ("HealthState", 5_u16.into()),
    ];
    Arc::new(Fixed {
        class: CLASS,
        instances: vec![values],
    })
}
