//! JW_JobRun: one instance for each start of a job's process.

use std::sync::Arc;

use futures_util::stream::{self, Stream, StreamExt};

use crate::model::{CimError, CimValue, Class, Instance, InstancePath, Method, Result};
use crate::ops::{BoxFuture, InstanceStream, MethodReply, stream_of};
use crate::provider::{Arguments, Context, Provider, fill};

use super::super::core::{Exit, JobId, RunRow};
use super::super::engine::{Engine, EngineError};
use super::{failure, log, sees_jobs_of};

/// The class of runs.
pub(super) const CLASS: &str = "JW_JobRun";
/// Runs read at a time; no reading of the store outlasts a page.
const PAGE: u32 = 256;

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

impl RunProvider {
    /// The run at `path`, where the principal may see it.
    async fn visible(&self, cx: &Context, path: &InstancePath) -> Result<RunRow> {
        let missing = || CimError::not_found(format!("there is no run {path}"));
        let id = path.keys.get("InstanceID").and_then(CimValue::as_str);
        let (job, number) = id.and_then(parts).ok_or_else(missing)?;
        let found = self.engine.run(job, number).await;
        let found = found.map_err(|error| failure::cim(&error))?;
        found
            .filter(|row| sees_jobs_of(cx, &row.owner))
            .ok_or_else(missing)
    }
}

/// The job and the number that an `InstanceID` is made of.
pub(super) fn parts(id: &str) -> Option<(JobId, u32)> {
    let (job, number) = id.rsplit_once(':')?;
    let parsed: u32 = number.parse().ok()?;
    // One run has one id: no sign, no leading zeros.
    let is_plain = parsed.to_string() == number;
    Some((JobId::new(job).ok()?, parsed)).filter(|_| is_plain)
}

impl Provider for RunProvider {
    fn tells(&self) -> bool {
        true
    }

    fn instances(&self, cx: &Context, class: &Arc<Class>) -> InstanceStream {
        let Some(own) = cx
            .schema
            .class(CLASS)
            .filter(|own| own.is_a(class.name.as_str()))
            .cloned()
        else {
            return stream_of(Vec::new());
        };
        let (cx, runs) = (cx.clone(), all(self.engine.clone()));
        let shown = runs.filter_map(move |row| {
            let instance = match row {
                Ok(row) => sees_jobs_of(&cx, &row.owner).then(|| shown(&own, &row)),
                Err(error) => Some(Err(failure::cim(&error))),
            };
            std::future::ready(instance)
        });
        shown.boxed()
    }

    fn get<'a>(
        &'a self,
        cx: &'a Context,
        path: &'a InstancePath,
    ) -> BoxFuture<'a, Result<Instance>> {
        Box::pin(async move {
            let row = self.visible(cx, path).await?;
            shown(fill::class(cx, CLASS)?, &row)
        })
    }

    fn told<'a>(
        &'a self,
        cx: &'a Context,
        path: &'a InstancePath,
    ) -> BoxFuture<'a, Result<(Instance, Option<Arc<str>>)>> {
        Box::pin(async move {
            let row = self.visible(cx, path).await?;
            let shown = shown(fill::class(cx, CLASS)?, &row)?;
            Ok((shown, Some(row.owner.as_str().into())))
        })
    }

    fn invoke<'a>(
        &'a self,
        cx: &'a Context,
        _class: &'a Arc<Class>,
        path: Option<&'a InstancePath>,
        (method, given): (&'a Method, Arguments),
    ) -> BoxFuture<'a, Result<MethodReply>> {
        Box::pin(async move {
            let name = &method.name;
            let on_class = || CimError::invalid_parameter(format!("{name} is called on a run"));
            let row = self.visible(cx, path.ok_or_else(on_class)?).await?;
            match name.folded().as_str() {
                "getlog" => log::read_run(&self.engine, &row, &given).await,
                _ => Err(CimError::method_not_available(format!(
                    "{name} is not implemented"
                ))),
            }
        })
    }
}

/// What [`parts`] takes apart.
pub(super) fn instance_id(job: &JobId, number: u32) -> String {
    format!("{job}:{number}")
}

/// Every run, page by page.
pub(super) fn all(
    engine: Engine,
) -> impl Stream<Item = std::result::Result<RunRow, EngineError>> + Send {
    let next = move |last: Option<Option<(JobId, u32)>>| {
        let engine = engine.clone();
        async move {
            let rows = match engine.page_of_runs(last?, PAGE).await {
                Ok(rows) => rows,
                Err(error) => return Some((vec![Err(error)], None)),
            };
            let last = rows.last().map(|row| (row.job.clone(), row.number))?;
            let page = rows.into_iter().map(Ok).collect::<Vec<_>>();
            Some((page, Some(Some(last))))
        }
    };
    stream::unfold(Some(None), next).flat_map(stream::iter)
}

/// A run as an instance of `class`.
pub(super) fn shown(class: &Arc<Class>, row: &RunRow) -> Result<Instance> {
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
            ("InstanceID", instance_id(&row.job, row.number).into()),
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
            ("OutputBytes", row.written.map(|it| it.stdout).into()),
            ("ErrorBytes", row.written.map(|it| it.stderr).into()),
            ("Owner", row.owner.as_str().into()),
        ],
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_the_jobs_and_the_number() {
        let check = |text: &str, expected: Option<(&str, u32)>| {
            let found = parts(text).map(|(job, number)| (job.to_string(), number));
            let expected = expected.map(|(job, number)| (job.to_owned(), number));
            assert_eq!(found, expected, "{text}");
        };
        check("JW:1:2", Some(("JW:1", 2)));
        check("a:b:12", Some(("a:b", 12)));
        check("a:01", None);
        check("a:+1", None);
        check("a:", None);
        check(":1", None);
        check("a", None);
        check("a:4294967296", None);
    }
}
