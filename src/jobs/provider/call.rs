//! What a job shows of the call of `SubmitJob` that made it: its parameters, before and after.
//!
//! What the job runs is left out for those who may not see it in the job either.

use std::sync::{Arc, OnceLock};

use crate::model::{CimName, CimValue, Class, Instance, Method, Namespace, Result};
use crate::provider::fill;
use crate::provider::fill::Plain;
use crate::schema::{Schema, parameter_object};

use super::super::core::{Call, JobFields, JobRecord, JobState};
use super::elements::Ground;
use super::{job, service, shown};

/// The method that makes jobs.
pub(super) const METHOD: &str = "SubmitJob";
/// The property of `JobOutParameters` beside the outputs.
const RETURN_VALUE: &str = "__ReturnValue";

/// Which parameters an object holds, and of which class it says it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    /// `JobInParameters`: the inputs.
    In,
    /// `JobOutParameters`: the outputs and the return value.
    Out,
    /// The inputs in an indication.
    ToldBefore,
    /// The outputs in an indication.
    ToldAfter,
}

impl Side {
    fn class(self) -> &'static str {
        match self {
            Self::In => "__JobInParameters",
            Self::Out => "__JobOutParameters",
            Self::ToldBefore | Self::ToldAfter => "__MethodParameters",
        }
    }
}

/// The method as the schema of a request declares it, and empty objects for its parameters.
pub(super) struct Shape {
    namespace: Namespace,
    schema: Arc<Schema>,
    method: Arc<Method>,
    empty: [OnceLock<Instance>; 4],
}

impl Shape {
    /// The shape in `schema`, which is that of `namespace`; `None` where that has no such method.
    pub(super) fn of(namespace: &Namespace, schema: &Arc<Schema>) -> Option<Arc<Self>> {
        let method = schema.class(service::CLASS)?.methods.get(METHOD)?;
        Some(Arc::new(Self {
            namespace: namespace.clone(),
            schema: schema.clone(),
            method: method.clone(),
            empty: [const { OnceLock::new() }; 4],
        }))
    }

    /// An object for one side of a call, everything in it NULL. Each is made once: many jobs may be
    /// shown.
    fn empty(&self, side: Side) -> Instance {
        let (place, inputs) = match side {
            Side::In => (0, true),
            Side::Out => (1, false),
            Side::ToldBefore => (2, true),
            Side::ToldAfter => (3, false),
        };
        let make = || {
            let parameters = self.method.parameters.values();
            let parameters = parameters.filter(|parameter| {
                if inputs {
                    parameter.input
                } else {
                    parameter.output
                }
            });
            let slots = parameters.map(|parameter| (parameter.name.clone(), &parameter.slot));
            let returned = self.method.returns.as_ref().filter(|_| side == Side::Out);
            let returned = returned.map(|slot| (CimName::of(RETURN_VALUE), slot));
            parameter_object(CimName::of(side.class()), slots.chain(returned))
        };
        self.empty[place].get_or_init(make).clone()
    }

    /// One side of the call that made `job`, with what the job runs where `commands` says so.
    pub(super) fn parameters(
        &self,
        side: Side,
        (job, call): (&JobRecord, &Call),
        commands: bool,
    ) -> Result<Instance> {
        let mut object = self.empty(side);
        match side {
            Side::In | Side::ToldBefore => {
                let mut given = call.parameters(&job.spec);
                if !commands {
                    given = without_work(given);
                }
                set(&mut object, "Name", given.name)?;
                set(&mut object, "Command", given.command)?;
                set(&mut object, "Script", given.script)?;
                set(&mut object, "RequestID", call.request_id())?;
                if let Some(settings) = call.settings(&job.spec) {
                    let class: &Arc<Class> = fill::declared(&self.schema, job::CLASS)?;
                    let settings = shown::given(class, &settings, commands)?;
                    object.set("JobSettings", CimValue::Instance(Box::new(settings)))?;
                }
            }
            Side::Out | Side::ToldAfter => {
                let ground = Ground {
                    namespace: &self.namespace,
                    schema: &self.schema,
                };
                let path = ground.by_id(job::CLASS, job.id.as_str())?;
                set(&mut object, "Job", path.to_string())?;
                if side == Side::Out {
                    set(&mut object, RETURN_VALUE, service::STARTED)?;
                }
            }
        }
        Ok(object)
    }

    /// Gives `shown`, which shows `job`, what it says of the call that made it.
    pub(super) fn give(&self, shown: &mut Instance, job: &JobRecord, commands: bool) -> Result<()> {
        let Some(call) = &job.call else {
            return Ok(());
        };
        let mut give = |name, side| {
            if shown.get(name).is_none() {
                return Ok(());
            }
            let object = self.parameters(side, (job, call), commands)?;
            shown.set(name, CimValue::Instance(Box::new(object)))
        };
        give("JobInParameters", Side::In)?;
        if job.state == JobState::Completed {
            give("JobOutParameters", Side::Out)?;
        }
        Ok(())
    }
}

fn without_work(fields: JobFields) -> JobFields {
    JobFields {
        command: None,
        script: None,
        ..fields
    }
}

/// A property that an older class of that name lacks is left out.
fn set(object: &mut Instance, name: &str, value: impl Into<Plain>) -> Result<()> {
    let class = object.class.clone();
    match class.properties.get(name) {
        Some(property) => object.set(name, value.into().typed(&property.slot)?),
        None => Ok(()),
    }
}
