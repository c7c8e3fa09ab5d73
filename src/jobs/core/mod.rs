//! The job engine without its edges: no clock, no file, no process, no CIM class is known here.
//!
//! Values and events go in with the time, and actions come out as data; the driver performs them.

mod depend;
mod fields;
mod id;
mod instant;
mod record;
mod spec;
pub mod state;
mod view;

pub use depend::{Condition, Dependency};
pub use fields::{JobFields, Settable, Setting};
pub use id::{ID_LIMIT_BYTES, JobId, Submitter};
pub use record::{Ending, Exit, JobError, JobRecord, Now, Phase, Run, RunRow, error_code};
pub use spec::{
    ARGUMENT_LIMIT, ARGUMENT_LIMIT_BYTES, DEFAULT_PRIORITY, DEFAULT_QUEUE, DEPENDENCY_LIMIT,
    JobSpec, PATH_LIMIT_BYTES, Rule, SpecError, StartRule, WORK_LIMIT_BYTES, Work,
};
pub use state::{Control, JobState, code};
