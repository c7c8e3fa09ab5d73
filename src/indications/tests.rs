//! What the tests of indications share: the embedded schema and jobs.

use crate::model::{CimValue, Instance};
pub(super) use crate::testing::embedded as schema;

/// A job in that state.
pub(super) fn job(id: &str, state: u16) -> Instance {
    let class = schema().class("JW_Job").expect("our class").clone();
    let mut job = Instance::empty(class);
    job.set("InstanceID", CimValue::string(id))
        .expect("a string");
    job.set("JobState", CimValue::Uint16(state))
        .expect("a state");
    job
}
