//! JW_JobQueue: the queue that jobs wait on.

use std::sync::Arc;

use crate::model::{CimError, CimName, CimValue, Class, Instance, InstancePath, Result};
use crate::ops::{BoxFuture, InstanceStream};
use crate::provider::{Changes, Context, Provider, fill};

use super::super::core::{DEFAULT_PRIORITY, DEFAULT_QUEUE};
use super::super::engine::Engine;
use super::{Host, failure};

/// The class of queues of this engine.
const CLASS: &str = "JW_JobQueue";

/// The provider of the one queue.
pub(super) struct QueueProvider {
    engine: Engine,
    host: Host,
}

impl QueueProvider {
    /// The queue of `engine`.
    pub(super) fn new(engine: Engine, host: Host) -> Self {
        Self { engine, host }
    }

    fn queue(&self, class: &Arc<Class>) -> Result<Instance> {
        let queue = self.engine.snapshot().queue;
        let running: &'static [u16] = &[2];
        fill::instance(
            class,
            [
                ("SystemCreationClassName", "CIM_ComputerSystem".into()),
                ("SystemName", (&*self.host.name).into()),
                ("CreationClassName", CLASS.into()),
                ("Name", DEFAULT_QUEUE.into()),
                ("ElementName", "Jobwright default queue".into()),
                ("OperationalStatus", running.into()),
                ("HealthState", 5_u16.into()),
                ("EnabledState", 2_u16.into()),
                ("QueueStatus", 2_u16.into()),
                ("DefaultJobPriority", DEFAULT_PRIORITY.into()),
                ("MaxJobsOnQueue", 0_u32.into()),
                ("MaxRunningJobs", queue.max_running.into()),
                ("NumberOnQueue", queue.waiting.into()),
                ("NumberRunning", queue.running.into()),
            ],
        )
    }
}

impl Provider for QueueProvider {
    fn instances(&self, cx: &Context, class: &Arc<Class>) -> InstanceStream {
        fill::instances_of(cx, CLASS, class, |own| Ok(vec![self.queue(own)?]))
    }

    fn modify<'a>(
        &'a self,
        cx: &'a Context,
        path: &'a InstancePath,
        changes: Changes,
    ) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move {
            let current = self.get(cx, path).await?;
            let mut limit = None;
            for (name, value) in changes.values.iter() {
                if name.is("MaxRunningJobs") {
                    limit = Some(max_running(value)?);
                } else if current.value(name.as_str()) != value {
                    return Err(unsupported(name));
                }
            }
            match limit {
                Some(limit) => {
                    let set = self.engine.set_max_running(limit).await;
                    set.map_err(|error| failure::cim(&error))
                }
                None => Ok(()),
            }
        })
    }
}

fn max_running(value: &CimValue) -> Result<u32> {
    let number = value
        .as_integer()
        .and_then(|number| u32::try_from(number).ok());
    number.ok_or_else(|| CimError::invalid_parameter("MaxRunningJobs: must have a value"))
}

fn unsupported(name: &CimName) -> CimError {
    CimError::failed(format!(
        "{name}: of this queue only MaxRunningJobs can be changed"
    ))
}
