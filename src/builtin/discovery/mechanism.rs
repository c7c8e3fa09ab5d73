//! CIM_CIMXMLCommunicationMechanism: how clients talk to the server.

use std::sync::Arc;

use crate::builtin::fixed::Fixed;
use crate::builtin::system;
use crate::model::InstancePath;
use crate::provider::Provider;

use super::Site;

/// The class of the mechanism.
pub(super) const CLASS: &str = "CIM_CIMXMLCommunicationMechanism";
const NAME: &str = "CIM-XML";

/// `FunctionalProfilesSupported`: everything from Basic Read to Pulled Read with counts and Pulled
/// Query.
const PROFILES: &[u16] = &[2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12];
/// `AuthenticationMechanismsSupported`: Basic.
const BASIC: &[u16] = &[3];
/// `AuthenticationMechanismsSupported`: None.
const NOBODY: &[u16] = &[2];
/// `AdvertiseTypes`: Not Advertised.
const NOT_ADVERTISED: &[u16] = &[2];
/// `AdvertiseTypes`: Other, which `AdvertiseTypeDescriptions` names.
const OTHERWISE: &[u16] = &[1];

pub(super) fn path(site: &Site) -> InstancePath {
    site.hosted(CLASS, NAME)
}

/// The provider of the one mechanism.
pub(super) fn provider(site: &Site) -> Arc<dyn Provider> {
    let (longest, shortest) = site.related.pull_timeouts;
    let authentication = if site.related.authenticates {
        BASIC
    } else {
        NOBODY
    };
    let (advertised, described) = if site.related.announced {
        (OTHERWISE, Some(vec!["DNS-SD".to_owned()]))
    } else {
        (NOT_ADVERTISED, None)
    };
    let values = vec![
        ("SystemCreationClassName", system::CLASS.into()),
        ("SystemName", (&*site.identity.host).into()),
        ("CreationClassName", CLASS.into()),
        ("Name", NAME.into()),
        ("ElementName", "CIM-XML over HTTP and HTTPS".into()),
        ("EnabledState", 2_u16.into()),
        ("OperationalStatus", system::OK.into()),
        ("CommunicationMechanism", 2_u16.into()),
        ("Version", "1.2".into()),
        ("CIMXMLProtocolVersion", 1_u16.into()),
        ("FunctionalProfilesSupported", PROFILES.into()),
        ("MultipleOperationsSupported", true.into()),
        ("AuthenticationMechanismsSupported", authentication.into()),
        ("CIMValidated", false.into()),
        ("AdvertiseTypes", advertised.into()),
        ("AdvertiseTypeDescriptions", described.into()),
        (
            "PulledEnumerationClosureOnExceedingServerLimitsSupported",
            false.into(),
        ),
        ("PulledEnumerationContinuationOnErrorSupported", true.into()),
        ("PulledEnumerationMaximumOperationTimeout", longest.into()),
        ("PulledEnumerationMinimumOperationTimeout", shortest.into()),
        ("PulledEnumerationNoOperationTimeoutSupported", false.into()),
    ];
    Arc::new(Fixed {
        class: CLASS,
        instances: vec![values],
    })
}
