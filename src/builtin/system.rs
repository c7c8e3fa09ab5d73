//! CIM_ComputerSystem: the machine that the server runs on.

use std::sync::Arc;

use crate::model::CimValue;
use crate::provider::Provider;

use super::Identity;
use super::fixed::Fixed;

/// The class of the system.
pub(super) const CLASS: &str = "CIM_ComputerSystem";

/// The provider of the one system.
pub(super) fn provider(identity: &Identity) -> Arc<dyn Provider> {
    let text = |text: &str| CimValue::string(text);
    let values = vec![
        ("CreationClassName", text(CLASS)),
        ("Name", text(&identity.host)),
        ("ElementName", text(&identity.host)),
        ("NameFormat", text("IP")),
        ("EnabledState", CimValue::Uint16(2)),
        (
            "OperationalStatus",
            CimValue::Array(vec![CimValue::Uint16(2)]),
        ),
        ("HealthState", CimValue::Uint16(5)),
    ];
    Arc::new(Fixed {
        class: CLASS,
        instances: vec![values],
    })
}
