//! Classes whose instances are at home in one namespace: in all others there are none, and none can be
//! made, so that no job lies in a repository and never runs.

use std::sync::Arc;

use crate::model::{CimError, Class, Namespace, Result};
use crate::ops::{InstanceStream, stream_of};
use crate::provider::{Context, Provider};

/// The provider of what is elsewhere.
pub struct Elsewhere {
    /// Where it is.
    pub home: Namespace,
}

impl Provider for Elsewhere {
    fn instances(&self, _cx: &Context, _class: &Arc<Class>) -> InstanceStream {
        stream_of(Vec::new())
    }

    fn may_create(&self, class: &Class) -> Result<()> {
        let (name, home) = (&class.name, &self.home);
        Err(CimError::not_supported(format!(
            "instances of {name} are made in the namespace {home} alone"
        )))
    }
}
