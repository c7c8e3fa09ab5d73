//! Classes whose instances are at home in one namespace: in all others there are none, and none can be
//! made, so that no job lies in a repository and never runs.

use std::sync::Arc;

use crate::model::{CimError, Class, Namespace, Result};
use crate::ops::{InstanceStream, stream_of};
use crate::provider::{Act, Context, Provider};

/// The provider of what is elsewhere.
pub struct Elsewhere {
    /// Where it is.
    pub home: Namespace,
}

impl Provider for Elsewhere {
    fn instances(&self, _cx: &Context, _class: &Arc<Class>) -> InstanceStream {
        stream_of(Vec::new())
    }

    fn permit(&self, _cx: &Context, class: &Class, act: Act<'_>) -> Result<()> {
        let (name, home) = (&class.name, &self.home);
        match act {
            Act::Create => Err(CimError::not_supported(format!(
                "instances of {name} are made in the namespace {home} alone"
            ))),
            Act::Modify | Act::Delete | Act::Invoke(_) => Ok(()),
        }
    }
}
