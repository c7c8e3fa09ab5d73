//! CIM_ObjectManager and CIM_Namespace: what clients read first to find their way.

use std::sync::Arc;

use crate::model::CimValue;
use crate::provider::Provider;

use super::fixed::{Fixed, Values};
use super::{Identity, system};

/// The class of the object manager.
const MANAGER: &str = "CIM_ObjectManager";
/// The class of namespaces.
const NAMESPACE: &str = "CIM_Namespace";

fn text(text: &str) -> CimValue {
    CimValue::string(text)
}

/// The provider of the one object manager.
pub(super) fn manager(identity: &Identity) -> Arc<dyn Provider> {
    let description = concat!("Jobwright WBEM server Version ", env!("CARGO_PKG_VERSION"));
    let values = vec![
        ("SystemCreationClassName", text(system::CLASS)),
        ("SystemName", text(&identity.host)),
        ("CreationClassName", text(MANAGER)),
        ("Name", text(&identity.manager)),
        ("ElementName", text("Jobwright")),
        ("Description", text(description)),
        ("GatherStatisticalData", CimValue::Boolean(false)),
        ("EnabledState", CimValue::Uint16(2)),
        (
            "OperationalStatus",
            CimValue::Array(vec![CimValue::Uint16(2)]),
        ),
        ("Started", CimValue::Boolean(true)),
    ];
    Arc::new(Fixed {
        class: MANAGER,
        instances: vec![values],
    })
}

/// The provider of the namespaces.
pub(super) fn namespaces(identity: &Identity) -> Arc<dyn Provider> {
    let instances = identity
        .namespaces
        .iter()
        .map(|name| namespace(identity, name.as_str()));
    Arc::new(Fixed {
        class: NAMESPACE,
        instances: instances.collect(),
    })
}

fn namespace(identity: &Identity, name: &str) -> Values {
    // ClassType 1 is Other, in words by DescriptionOfClassType; ClassInfo is its older form.
    vec![
        ("SystemCreationClassName", text(system::CLASS)),
        ("SystemName", text(&identity.host)),
        ("ObjectManagerCreationClassName", text(MANAGER)),
        ("ObjectManagerName", text(&identity.manager)),
        ("CreationClassName", text(NAMESPACE)),
        ("Name", text(name)),
        ("ClassInfo", CimValue::Uint16(1)),
        (
            "DescriptionOfClassInfo",
            text("CIM 2.49 with the classes of Jobwright"),
        ),
        ("ClassType", CimValue::Uint16(1)),
        (
            "DescriptionOfClassType",
            text("CIM 2.49 with the classes of Jobwright"),
        ),
    ]
}
