//! CIM_Namespace: what clients read first to find their way.

use std::sync::Arc;

use crate::provider::Provider;

use super::fixed::{Fixed, Values};
use super::{Identity, manager, system};

/// The class of namespaces.
const NAMESPACE: &str = "CIM_Namespace";

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
        ("SystemCreationClassName", system::CLASS.into()),
        ("SystemName", (&*identity.host).into()),
        ("ObjectManagerCreationClassName", manager::CLASS.into()),
        ("ObjectManagerName", (&*identity.manager).into()),
        ("CreationClassName", NAMESPACE.into()),
        ("Name", name.into()),
        ("ClassInfo", 1_u16.into()),
        (
            "DescriptionOfClassInfo",
            "CIM 2.49 with the classes of Jobwright".into(),
        ),
        ("ClassType", 1_u16.into()),
        (
            "DescriptionOfClassType",
            "CIM 2.49 with the classes of Jobwright".into(),
        ),
    ]
}
