//! The job engine without its edges: no clock, no file, no process, no CIM class is known here.
//!
//! Values and events go in with the time, and actions come out as data; the driver performs them.

mod amend;
#[cfg(test)]
mod bench;
mod calendar;
mod call;
#[cfg(test)]
mod decisions;
mod depend;
mod dependents;
#[cfg(test)]
mod effects;
mod event;
mod fields;
mod id;
mod index;
pub(crate) mod instant;
mod plan;
mod queue;
mod queues;
mod rare;
mod record;
mod recovery;
mod reports;
mod requests;
#[cfg(test)]
mod retention;
mod rules;
mod runs;
mod schedule;
mod scheduler;
mod setting;
#[cfg(test)]
mod simulation;
mod spec;
pub mod state;
#[cfg(test)]
mod tests;
mod text;
mod view;
mod waiting;
#[cfg(test)]
mod world;

pub use calendar::{Calendar, DayRule};
pub use call::Call;
pub use depend::{Condition, Dependency, unknown_dependency};
pub use event::{
    Action, Amendment, Answer, Change, Event, Prior, Refusal, Repeated, RunEnd, RunNews, Signal,
    Submission, Ticket,
};
pub use fields::{JobFields, Kept, Settable, Setting};
pub use id::{ID_LIMIT_BYTES, JobId, Submitter};
pub use plan::Plan;
pub use queue::{QUEUE_LIMIT, QueueLimits, QueueOrder, QueueRecord, QueueRefusal, QueueState};
pub use queues::QueueView;
pub use rare::{Rare, Usual};
pub use record::{Ending, Exit, JobError, JobRecord, Now, Phase, Run, RunRow, Written, error_code};
pub use recovery::{Failed, Hooks, REPAIR_LIMIT, Recovery};
pub use rules::{
    ARGUMENT_LIMIT, ARGUMENT_LIMIT_BYTES, DEPENDENCY_LIMIT, PATH_LIMIT_BYTES, Rule, SpecError,
    WORK_LIMIT_BYTES,
};
pub use schedule::{SCHEDULE_LIMIT, ScheduleFields, ScheduleSpec, Schedules, Timetable};
pub use scheduler::{Policy, Scheduler, Wake};
pub use setting::{
    SETTING_LIMIT, SettingOrder, SettingRecord, SettingRefusal, SettingValues, Target,
};
pub use spec::{DEFAULT_PRIORITY, DEFAULT_QUEUE, JobSpec, Missed, Overlap, StartRule, Work};
pub use state::{Control, JobState, code};
pub(crate) use text::printable;
