//! JW_JobSchedule: the schedules of a job beside its own Run properties.

use std::sync::Arc;

use crate::model::{CimError, CimValue, Class, Instance, InstancePath, Result};
use crate::ops::{BoxFuture, InstanceStream};
use crate::provider::{Act, Context, Provider, fill};

use super::super::core::{JobId, JobRecord, ScheduleFields, ScheduleSpec};
use super::super::engine::Engine;
use super::elements::Ground;
use super::settings::{number, text, time};
use super::{failure, is_visible};

/// The class of schedules.
pub(super) const CLASS: &str = "JW_JobSchedule";
/// Stands between the job's id, which never holds it, and the number of the schedule.
const SEPARATOR: char = ';';

/// The provider of the schedules of all jobs.
pub(super) struct ScheduleProvider {
    engine: Engine,
}

impl ScheduleProvider {
    /// The schedules of the jobs of `engine`.
    pub(super) fn new(engine: Engine) -> Self {
        Self { engine }
    }

    /// The job with the number of its schedule that `path` names, where the principal may see it.
    fn find(&self, cx: &Context, path: &InstancePath) -> Result<(Arc<JobRecord>, u32)> {
        let found = path.keys.get("InstanceID").and_then(CimValue::as_str);
        let known = found.and_then(parts).and_then(|(job, number)| {
            let job = visible(&self.engine, cx, job.as_str())?;
            job.schedules.get(number)?;
            Some((job, number))
        });
        known.ok_or_else(|| CimError::not_found(format!("there is no schedule {path}")))
    }
}

impl Provider for ScheduleProvider {
    fn tells(&self) -> bool {
        true
    }

    fn instances(&self, cx: &Context, class: &Arc<Class>) -> InstanceStream {
        fill::instances_of(cx, CLASS, class, |own| {
            let snapshot = self.engine.snapshot();
            let visible = snapshot.jobs.values().filter(|job| is_visible(cx, job));
            visible.flat_map(|job| of_job(own, job)).collect()
        })
    }

    fn get<'a>(
        &'a self,
        cx: &'a Context,
        path: &'a InstancePath,
    ) -> BoxFuture<'a, Result<Instance>> {
        Box::pin(async move {
            let (job, number) = self.find(cx, path)?;
            let schedule = job
                .schedules
                .get(number)
                .expect("it was found by its number");
            shown(fill::class(cx, CLASS)?, &job, number, schedule)
        })
    }

    fn permit(&self, _cx: &Context, _class: &Class, _act: Act<'_>) -> Result<()> {
        Ok(())
    }

    fn create<'a>(
        &'a self,
        cx: &'a Context,
        instance: Instance,
    ) -> BoxFuture<'a, Result<InstancePath>> {
        Box::pin(async move {
            if !instance.value("InstanceID").is_null() {
                let text = "InstanceID: only the server sets this property";
                return Err(CimError::invalid_parameter(text));
            }
            let id = instance.value("JobID").as_str().unwrap_or_default();
            let missing = || CimError::invalid_parameter(format!("JobID: there is no job {id}"));
            let job = visible(&self.engine, cx, id).ok_or_else(missing)?;
            let schedule = ScheduleSpec::try_from(fields(&instance));
            let schedule = schedule.map_err(|error| failure::cim(&error.into()))?;
            let added = self.engine.add_schedule(job.id.clone(), schedule).await;
            let number = added.map_err(|error| failure::cim(&error))?;
            Ground::from(cx).by_id(CLASS, &instance_id(job.id.as_str(), number))
        })
    }

    fn delete<'a>(&'a self, cx: &'a Context, path: &'a InstancePath) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move {
            let (job, number) = self.find(cx, path)?;
            let removed = self.engine.remove_schedule(job.id.clone(), number).await;
            removed.map_err(|error| failure::cim(&error))
        })
    }
}

/// The job of this id, where the principal may see it.
fn visible(engine: &Engine, cx: &Context, id: &str) -> Option<Arc<JobRecord>> {
    let job = engine.snapshot().jobs.get(id).cloned();
    job.filter(|job| is_visible(cx, job))
}

/// The job and the number that an `InstanceID` is made of.
pub(super) fn parts(id: &str) -> Option<(JobId, u32)> {
    let (job, number) = id.rsplit_once(SEPARATOR)?;
    let number = number.parse().ok()?;
    // Another spelling of the number is another id.
    let is_plain = id == instance_id(job, number);
    Some((JobId::new(job).ok()?, number)).filter(|_| is_plain)
}

/// The `InstanceID` of a schedule.
pub(super) fn instance_id(job: &str, number: u32) -> String {
    format!("{job}{SEPARATOR}{number}")
}

/// The schedules of `job` as instances of `class`.
fn of_job(class: &Arc<Class>, job: &JobRecord) -> Vec<Result<Instance>> {
    let each = job.schedules.iter();
    each.map(|(number, schedule)| shown(class, job, *number, schedule))
        .collect()
}

/// A schedule as an instance of `class`.
pub(super) fn shown(
    class: &Arc<Class>,
    job: &JobRecord,
    number: u32,
    schedule: &ScheduleSpec,
) -> Result<Instance> {
    let fields = schedule.fields().clone();
    fill::instance(
        class,
        [
            ("InstanceID", instance_id(job.id.as_str(), number).into()),
            ("ElementName", fields.element_name.into()),
            // Not Changeable - Persistent.
            ("ChangeableType", 0_u16.into()),
            ("JobID", job.id.as_str().into()),
            ("RunMonth", fields.run_month.into()),
            ("RunDay", fields.run_day.into()),
            ("RunDayOfWeek", fields.run_day_of_week.into()),
            ("RunStartInterval", fields.run_start_interval.into()),
            ("LocalOrUtcTime", fields.local_or_utc_time.into()),
            ("TimeZone", fields.time_zone.into()),
        ],
    )
}

fn fields(instance: &Instance) -> ScheduleFields {
    ScheduleFields {
        element_name: text(instance.value("ElementName")),
        run_month: number(instance.value("RunMonth")),
        run_day: number(instance.value("RunDay")),
        run_day_of_week: number(instance.value("RunDayOfWeek")),
        run_start_interval: time(instance.value("RunStartInterval")),
        local_or_utc_time: number(instance.value("LocalOrUtcTime")),
        time_zone: text(instance.value("TimeZone")),
    }
}
