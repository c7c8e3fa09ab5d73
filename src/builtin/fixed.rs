//! A provider of instances that do not change while the server runs.

use std::sync::Arc;

use futures_util::stream;

use crate::model::{CimError, CimValue, Class, Instance, Result};
use crate::ops::{InstanceStream, stream_of};
use crate::provider::{Context, Provider};

/// The values of one instance.
pub(super) type Values = Vec<(&'static str, CimValue)>;

/// Instances of one class.
pub(super) struct Fixed {
    /// The class.
    pub(super) class: &'static str,
    /// The values of each instance; what is not named is NULL.
    pub(super) instances: Vec<Values>,
}

impl Fixed {
    fn made(&self, class: &Arc<Class>) -> Result<Vec<Instance>> {
        self.instances
            .iter()
            .map(|values| make(class, values))
            .collect()
    }
}

/// A property that the class lacks is left out: an administrator may serve an older class.
fn make(class: &Arc<Class>, values: &Values) -> Result<Instance> {
    let mut instance = Instance::empty(class.clone());
    for (name, value) in values {
        if class.properties.contains(name) {
            let set = instance.set(name, value.clone());
            set.map_err(|error| CimError::failed(error.description))?;
        }
    }
    Ok(instance)
}

impl Provider for Fixed {
    fn instances(&self, cx: &Context, class: &Arc<Class>) -> InstanceStream {
        let own = cx
            .schema
            .class(self.class)
            .filter(|own| own.is_a(class.name.as_str()));
        match own.map_or(Ok(Vec::new()), |own| self.made(own)) {
            Ok(instances) => stream_of(instances),
            Err(error) => Box::pin(stream::iter([Err(error)])),
        }
    }
}
