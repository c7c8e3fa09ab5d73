//! JW_JobRun: one instance for each start of a job's process.

use std::sync::Arc;

use futures_util::stream::{self, StreamExt};

use crate::model::{Class, Instance, Result};
use crate::ops::{InstanceStream, stream_of};
use crate::provider::{Context, Provider, fill};

use super::super::core::{Exit, JobId, RunRow};
use super::super::engine::Engine;
use super::{failure, is_visible};

/// The class of runs.
const CLASS: &str = "JW_JobRun";

/// The provider of the history of runs.
pub(super) struct RunProvider {
    engine: Engine,
}

impl RunProvider {
    /// The runs of the jobs of `engine`.
    pub(super) fn new(engine: Engine) -> Self {
        Self { engine }
    }
}

impl Provider for RunProvider {
    fn instances(&self, cx: &Context, class: &Arc<Class>) -> InstanceStream {
        let Some(own) = cx
            .schema
            .class(CLASS)
            .filter(|own| own.is_a(class.name.as_str()))
            .cloned()
        else {
            return stream_of(Vec::new());
        };
        let snapshot = self.engine.snapshot();
        let visible = snapshot.jobs.values().filter(|job| is_visible(cx, job));
        let ids: Vec<JobId> = visible.map(|job| job.id.clone()).collect();
        let engine = self.engine.clone();
        let runs = move |id: JobId| {
            let (engine, own) = (engine.clone(), own.clone());
            async move { stream::iter(of_job(&engine, &own, id).await) }
        };
        stream::iter(ids).then(runs).flatten().boxed()
    }
}

async fn of_job(engine: &Engine, class: &Arc<Class>, id: JobId) -> Vec<Result<Instance>> {
    match engine.runs(id).await {
        Ok(rows) => rows.iter().map(|row| shown(class, row)).collect(),
        Err(error) => vec![Err(failure::cim(&error))],
    }
}

fn shown(class: &Arc<Class>, row: &RunRow) -> Result<Instance> {
    let (status, signal) = match &row.exit {
        Some(Exit::Code(status)) => (Some(*status), None),
        Some(Exit::Signal(signal)) => (None, Some(*signal)),
        Some(Exit::NotStarted(_) | Exit::Unknown(_)) | None => (None, None),
    };
    let millis = row
        .cpu
        .map(|cpu| u64::try_from(cpu.as_millis()).unwrap_or(u64::MAX));
    fill::instance(
        class,
        [
            ("InstanceID", format!("{}:{}", row.job, row.number).into()),
            (
                "ElementName",
                format!("Run {} of {}", row.number, row.job).into(),
            ),
            ("JobID", row.job.as_str().into()),
            ("RunNumber", row.number.into()),
            ("StartTime", row.started.into()),
            ("EndTime", row.ended.into()),
            ("ElapsedTime", row.elapsed.into()),
            ("ExitStatus", status.into()),
            ("ExitSignal", signal.into()),
            ("ErrorCode", row.error_code.into()),
            ("PercentComplete", u16::from(row.percent).into()),
            ("Priority", row.priority.into()),
            ("CPUTimeUsed", millis.into()),
            ("PeakMemory", row.max_rss_bytes.into()),
        ],
    )
}
