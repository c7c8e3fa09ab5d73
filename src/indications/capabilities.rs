//! CIM_IndicationServiceCapabilities: what of the service can be changed, and how much it serves.

use std::sync::Arc;

use crate::model::{CimName, CimValue, Class, InstancePath, Namespace};
use crate::ops::InstanceStream;
use crate::provider::{Context, Provider, fill};

use super::provider::{DESTINATION_LIMIT, SUBSCRIPTION_LIMIT};

/// The class of the capabilities.
pub const CLASS: &str = "CIM_IndicationServiceCapabilities";
const ID: &str = "JW:IndicationService";

/// The provider of the one instance.
pub struct Capabilities;

/// Its path.
pub fn path(namespace: &Namespace) -> InstancePath {
    let id = (CimName::of("InstanceID"), CimValue::string(ID));
    InstancePath {
        namespace: namespace.clone(),
        class: CimName::of(CLASS),
        keys: [id].into_iter().collect(),
    }
}

impl Provider for Capabilities {
    fn instances(&self, cx: &Context, class: &Arc<Class>) -> InstanceStream {
        fill::instances_of(cx, CLASS, class, |own| {
            let values = [
                ("InstanceID", ID.into()),
                ("ElementName", "Indication service".into()),
                ("FilterCreationEnabledIsSettable", true.into()),
                ("DeliveryRetryAttemptsIsSettable", true.into()),
                ("DeliveryRetryIntervalIsSettable", true.into()),
                ("SubscriptionRemovalActionIsSettable", true.into()),
                ("SubscriptionRemovalTimeIntervalIsSettable", true.into()),
                ("MaxListenerDestinations", DESTINATION_LIMIT.into()),
                ("MaxActiveSubscriptions", SUBSCRIPTION_LIMIT.into()),
                ("SubscriptionsPersisted", true.into()),
            ];
            Ok(vec![fill::instance(own, values)?])
        })
    }
}
