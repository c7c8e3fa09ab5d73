//! CIM_JobCapabilities: what jobs of this server can do, the same for its service and its queues.

use std::sync::Arc;
use std::time::Duration;

use crate::model::{CimDateTime, Class};
use crate::ops::InstanceStream;
use crate::provider::{Context, Provider, fill};

use super::super::engine::Engine;
use super::elements::Element;
use super::link::{Link, Pair};

/// The class of the one instance.
pub(super) const CLASS: &str = "CIM_JobCapabilities";
/// Its `InstanceID`.
pub(super) const ID: &str = "JW:job-capabilities";

/// `RequestedStatesSupported`: Start, Suspend, Terminate, Kill.
const STATES: &[u16] = &[2, 3, 4, 5];

/// The provider of the one instance.
pub(super) struct CapabilitiesProvider {
    engine: Engine,
}

impl CapabilitiesProvider {
    /// What jobs of `engine` can do.
    pub(super) fn new(engine: Engine) -> Self {
        Self { engine }
    }
}

impl Provider for CapabilitiesProvider {
    fn instances(&self, cx: &Context, class: &Arc<Class>) -> InstanceStream {
        fill::instances_of(cx, CLASS, class, |own| {
            let made = fill::instance(
                own,
                [
                    ("InstanceID", ID.into()),
                    ("ElementName", "Jobs of Jobwright".into()),
                    ("DeleteJobSupported", true.into()),
                    ("RequestedStatesSupported", STATES.into()),
                    ("CleanupInterval", self.engine.finished_keep().into()),
                    ("DefaultValuesSupported", false.into()),
                    ("SilentModeSupported", true.into()),
                    ("ClientRetriesMax", 0_u32.into()),
                    ("TimeBeforeRemovalMin", Duration::ZERO.into()),
                    (
                        "TimeBeforeRemovalMax",
                        CimDateTime::infinite_interval().into(),
                    ),
                ],
            );
            Ok(vec![made?])
        })
    }
}

/// `CIM_ElementCapabilities`: of the service, and of each queue.
pub(super) struct ElementCapabilities;

/// `Characteristics` 3, Current.
const CURRENT: &[u16] = &[3];

fn has_them(element: Element) -> Pair {
    Pair {
        ends: [element, Element::Capabilities],
        values: vec![("Characteristics", CURRENT.into())],
    }
}

impl Link for ElementCapabilities {
    fn class(&self) -> &'static str {
        "CIM_ElementCapabilities"
    }

    fn roles(&self) -> [&'static str; 2] {
        ["ManagedElement", "Capabilities"]
    }

    fn of_queue(&self, name: &str) -> Vec<Pair> {
        vec![has_them(Element::Queue(name.to_owned()))]
    }

    fn always(&self) -> Vec<Pair> {
        vec![has_them(Element::Service)]
    }
}
