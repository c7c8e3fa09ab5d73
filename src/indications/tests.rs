//! What the tests of indications share: the embedded schema, and jobs.

use std::sync::{Arc, OnceLock};

use crate::model::{CimValue, Instance};
use crate::mof::{Embedded, Limits, compile};
use crate::schema::{Builder, Schema};

/// The schema of the embedded MOF.
pub(super) fn schema() -> Arc<Schema> {
    static SCHEMA: OnceLock<Arc<Schema>> = OnceLock::new();
    SCHEMA.get_or_init(|| Arc::new(built())).clone()
}

fn built() -> Schema {
    let compilation = compile(&["cimv2.mof", "interop.mof"], &Embedded, Limits::default());
    let mut builder = Builder::new();
    for batch in compilation.batches {
        batch
            .qualifiers
            .into_iter()
            .for_each(|decl| builder.qualifier(decl));
        batch
            .classes
            .into_iter()
            .for_each(|decl| builder.class(decl));
    }
    builder.build().expect("the embedded MOF is sound")
}

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
