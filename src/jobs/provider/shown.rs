//! What a job shows: the value of each property of JW_Job, computed from its record.

use std::borrow::Cow;
use std::sync::Arc;

use crate::model::{Class, Instance, Result};
use crate::provider::fill::{self, Plain};

use super::super::core::{JobFields, JobRecord, Now};
use super::super::engine::Snapshot;
use super::call::Shape;

/// What is shown of a job depends on when and to whom.
#[derive(Clone)]
pub(super) struct View {
    /// The clocks.
    pub(super) now: Now,
    /// The queues and what they do.
    pub(super) snapshot: Arc<Snapshot>,
    /// Whether what jobs run is shown.
    pub(super) commands: bool,
    /// How the call that made a job is shown, where it is.
    pub(super) call: Option<Arc<Shape>>,
}

/// `job` as an instance of `class`.
pub(super) fn job(class: &Arc<Class>, job: &JobRecord, view: &View) -> Result<Instance> {
    let queue = view.snapshot.queues.get(job.spec.queue());
    let queue = queue.map(|queue| &*queue.record);
    let waits = job.wait_reason(view.now, queue);
    let values = said(job.spec.fields(), view.commands)
        .into_iter()
        .chain(live(job, view.now))
        .chain([("WaitReason", waits.into())]);
    let mut shown = fill::instance(class, values)?;
    if let Some(shape) = &view.call {
        shape.give(&mut shown, job, view.commands)?;
    }
    Ok(shown)
}

/// What a client said of a job, as an instance of `class` that says nothing else.
pub(super) fn given(class: &Arc<Class>, fields: &JobFields, commands: bool) -> Result<Instance> {
    let id = ("InstanceID", fields.instance_id.clone().into());
    fill::instance(
        class,
        said(fields.clone(), commands).into_iter().chain([id]),
    )
}

/// Names with values, in the order in which the class declares them: so they are soonest found.
type Values = Vec<(&'static str, Plain)>;

/// What a client said the job is, when it is to run, and what it runs; the last may hold secrets.
fn said(fields: JobFields, commands: bool) -> Values {
    let mut said: Values = vec![
        ("Caption", fields.caption.into()),
        ("Description", fields.description.into()),
        ("ElementName", fields.element_name.into()),
        ("Name", fields.name.into()),
        ("ScheduledStartTime", fields.scheduled_start_time.into()),
        ("JobRunTimes", fields.job_run_times.into()),
        ("RunMonth", fields.run_month.into()),
        ("RunDay", fields.run_day.into()),
        ("RunDayOfWeek", fields.run_day_of_week.into()),
        ("RunStartInterval", fields.run_start_interval.into()),
        ("LocalOrUtcTime", fields.local_or_utc_time.into()),
        ("UntilTime", fields.until_time.into()),
        ("Notify", fields.notify.into()),
        ("Priority", fields.priority.into()),
        ("DeleteOnCompletion", fields.delete_on_completion.into()),
        ("RecoveryAction", fields.recovery_action.into()),
        ("OtherRecoveryAction", fields.other_recovery_action.into()),
        ("TimeBeforeRemoval", fields.time_before_removal.into()),
        ("QueueName", fields.queue_name.into()),
        ("SettingID", fields.setting_id.into()),
        ("Hold", fields.hold.into()),
        ("DependsOn", fields.depends_on.into()),
        ("TimeZone", fields.time_zone.into()),
        ("MaxElapsedTime", fields.max_elapsed_time.into()),
        ("KillGracePeriod", fields.kill_grace_period.into()),
        ("MissedRunPolicy", fields.missed_run_policy.into()),
        ("OverlapPolicy", fields.overlap_policy.into()),
        ("MaxRetries", fields.max_retries.into()),
        ("RetryDelay", fields.retry_delay.into()),
    ];
    if commands {
        said.extend([
            ("Command", Plain::from(fields.command)),
            ("Script", fields.script.into()),
            ("Interpreter", fields.interpreter.into()),
            ("Environment", fields.environment.into()),
            ("WorkingDirectory", fields.working_directory.into()),
        ]);
    }
    said
}

/// Where it is.
fn live(job: &JobRecord, now: Now) -> Values {
    let state = job.state;
    let status = job.job_status(now);
    let descriptions = state
        .operational_status()
        .iter()
        .map(|_| status.clone())
        .collect();
    vec![
        ("InstanceID", job.id.as_str().into()),
        ("Generation", job.revision.into()),
        ("OperationalStatus", state.operational_status().into()),
        ("StatusDescriptions", Plain::Texts(descriptions)),
        ("HealthState", state.health_state().into()),
        ("JobStatus", status.into()),
        ("TimeSubmitted", job.submitted.into()),
        ("StartTime", job.start_time().into()),
        ("ElapsedTime", job.elapsed(now).into()),
        ("Owner", job.owner.name.as_str().into()),
        ("PercentComplete", job.percent_complete().into()),
        ("ErrorCode", job.error_code().into()),
        (
            "ErrorDescription",
            job.error_description().map(Cow::into_owned).into(),
        ),
        ("JobState", state.number().into()),
        ("TimeOfLastStateChange", last_change(job)),
        ("ExitStatus", job.exit_status().into()),
        ("ExitSignal", job.exit_signal().into()),
        ("RunCount", job.run_count.into()),
        ("NextRunTime", job.next_run_time().into()),
        ("MissedRunCount", job.plan.missed.into()),
        ("ProcessID", job.process_id().into()),
    ]
}

/// The schema wants the zero interval while the state never changed.
fn last_change(job: &JobRecord) -> Plain {
    job.state_changed
        .map_or_else(|| std::time::Duration::ZERO.into(), Plain::from)
}
