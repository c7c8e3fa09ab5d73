//! A provider of instances that do not change while the server runs.

use std::sync::Arc;

use crate::model::Class;
use crate::ops::InstanceStream;
use crate::provider::fill::{self, Plain};
use crate::provider::{Context, Provider};

/// The values of one instance.
pub(super) type Values = Vec<(&'static str, Plain)>;

/// Instances of one class.
pub(super) struct Fixed {
    /// The class.
    pub(super) class: &'static str,
    /// The values of each instance; what is not named is NULL.
    pub(super) instances: Vec<Values>,
}

impl Provider for Fixed {
    fn instances(&self, cx: &Context, class: &Arc<Class>) -> InstanceStream {
        fill::instances_of(cx, self.class, class, |own| {
            let made = self.instances.iter().cloned();
            made.map(|values| fill::instance(own, values)).collect()
        })
    }
}
