//! Indications made of changes: the class for each kind of change, with what is known of it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use chrono::{DateTime, Utc};

use crate::model::{CimDateTime, CimValue, Class, Instance, Namespace, Result};
use crate::provider::{CallPhase, Change, MethodCall};
use crate::schema::Schema;

/// Numbers and names indications. The numbers go on for as long as the server runs.
#[derive(Debug)]
pub struct Maker {
    /// `SourceInstanceHost`.
    host: String,
    /// The start of the server, which tells its numbers from those of other runs.
    start: String,
    made: AtomicU64,
}

impl Maker {
    /// A maker of indications of a server on `host`, which was started at a time that `start` names.
    pub fn new(host: &str, start: &str) -> Self {
        Self {
            host: host.to_owned(),
            start: start.to_owned(),
            made: AtomicU64::new(0),
        }
    }

    /// The indication of `change` in `namespace`; `None` when the schema lacks its class.
    ///
    /// # Errors
    /// When the schema has another class of that name, which cannot hold what it should.
    pub fn indication(
        &self,
        schema: &Schema,
        namespace: &Namespace,
        change: &Change,
        now: DateTime<Utc>,
    ) -> Option<Result<Instance>> {
        let mut indication = match change {
            Change::Alert(alert) => Instance::clone(alert),
            Change::Created(_)
            | Change::Modified { .. }
            | Change::Deleted(_)
            | Change::Called { .. }
            | Change::ClassCreated(_)
            | Change::ClassModified { .. }
            | Change::ClassDeleted(_) => {
                Instance::empty(schema.class(change.kind().class_name())?.clone())
            }
        };
        let filled = self.fill(&mut indication, namespace, change, now);
        Some(filled.map(|()| indication))
    }

    fn fill(
        &self,
        indication: &mut Instance,
        namespace: &Namespace,
        change: &Change,
        now: DateTime<Utc>,
    ) -> Result<()> {
        let number = self.made.fetch_add(1, Ordering::Relaxed);
        let id = format!("JW:{}.{number}", self.start);
        indication.set("IndicationIdentifier", CimValue::string(id))?;
        let time = CimValue::DateTime(CimDateTime::timestamp(now));
        indication.set("IndicationTime", time)?;
        let source = match change {
            Change::Alert(_) => return Ok(()),
            Change::ClassCreated(class) | Change::ClassDeleted(class) => {
                return indication.set("ClassDefinition", definition(class));
            }
            Change::ClassModified { before, after } => {
                indication.set("PreviousClassDefinition", definition(before))?;
                return indication.set("ClassDefinition", definition(after));
            }
            Change::Called { source, call } => {
                called(indication, call)?;
                source
            }
            Change::Created(source) | Change::Deleted(source) => source,
            Change::Modified { before, after } => {
                indication.set("PreviousInstance", embedded(before))?;
                let names = changed(before, after).map(CimValue::string);
                let names = CimValue::Array(names.collect());
                indication.set("ChangedPropertyNames", names)?;
                after
            }
        };
        let path = source.path(namespace).to_string();
        indication.set("SourceInstance", embedded(source))?;
        indication.set("SourceInstanceModelPath", CimValue::string(path))?;
        indication.set("SourceInstanceHost", CimValue::string(self.host.as_str()))
    }
}

fn definition(class: &Arc<Class>) -> CimValue {
    CimValue::Class(class.clone())
}

fn called(indication: &mut Instance, call: &MethodCall) -> Result<()> {
    let (is_before, returned) = match &call.phase {
        CallPhase::Before => (true, None),
        CallPhase::After(returned) => (false, returned.as_deref()),
    };
    let returned = returned.map_or(CimValue::Null, CimValue::string);
    indication.set("MethodName", CimValue::string(call.method.as_str()))?;
    indication.set("MethodParameters", embedded(&call.parameters))?;
    indication.set("ReturnValue", returned)?;
    indication.set("PreCall", CimValue::Boolean(is_before))
}

/// An instance as it is told: without what is never shown.
fn embedded(instance: &Instance) -> CimValue {
    let mut told = instance.clone();
    for slot in 0..told.class.properties.len() {
        let property = told.class.properties.at(slot);
        if property.is_some_and(|property| !property.read) {
            told.clear(slot);
        }
    }
    CimValue::Instance(Box::new(told))
}

/// The properties that differ, each once. Keys never do.
fn changed<'a>(before: &'a Instance, after: &'a Instance) -> impl Iterator<Item = &'a str> {
    let differs = |(property, value): &(&'a crate::model::Property, &'a CimValue)| {
        before.value(property.name.as_str()) != *value
    };
    after
        .iter()
        .filter(differs)
        .map(|(property, _)| property.name.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cimxml::{Limits, decode_indication, encode_indication};
    use crate::indications::tests::{job, schema};
    use crate::model::{CimName, Literal};
    use crate::schema::method_parameters;

    fn text(indication: &Instance, name: &str) -> String {
        indication.value(name).to_string()
    }

    #[test]
    fn each_change_has_its_class_and_its_source() {
        let schema = schema();
        let maker = Maker::new("host", "7");
        let namespace = Namespace::of("root/cimv2");
        let now = DateTime::from_timestamp(1_800_000_000, 0).expect("a time");
        let (before, after) = (job("a:1", 4), job("a:1", 7));
        let modified = Change::Modified {
            before: before.clone(),
            after: after.clone(),
        };
        let check = |change: &Change, source: &Instance, class: &str, id: &str| {
            let made = maker.indication(&schema, &namespace, change, now);
            let made = made
                .expect("the class is there")
                .expect("its properties are there");
            assert_eq!(made.class.name.as_str(), class);
            assert_eq!(text(&made, "IndicationIdentifier"), id);
            let path = "root/cimv2:JW_Job.InstanceID=\"a:1\"";
            assert_eq!(text(&made, "SourceInstanceModelPath"), path);
            assert_eq!(text(&made, "SourceInstanceHost"), "host");
            assert_eq!(made.value("SourceInstance"), &embedded(source));
            made
        };
        let created = Change::Created(after.clone());
        check(&created, &after, "CIM_InstCreation", "JW:7.0");
        let deleted = Change::Deleted(after.clone());
        check(&deleted, &after, "CIM_InstDeletion", "JW:7.1");
        let made = check(&modified, &after, "CIM_InstModification", "JW:7.2");
        assert_eq!(made.value("PreviousInstance"), &embedded(&before));
        let names = CimValue::Array(vec![CimValue::string("JobState")]);
        assert_eq!(made.value("ChangedPropertyNames"), &names);
    }

    fn made(change: &Change) -> Instance {
        let now = DateTime::from_timestamp(1_800_000_000, 0).expect("a time");
        let maker = Maker::new("host", "7");
        let made = maker.indication(&schema(), &Namespace::of("root/cimv2"), change, now);
        made.expect("the class is there")
            .expect("its properties are there")
    }

    #[test]
    fn a_call_has_two_sides() {
        let side = |phase: CallPhase| {
            let call = MethodCall {
                method: CimName::of("KillJob"),
                parameters: method_parameters(Vec::new()).expect("no values"),
                phase,
            };
            let source = job("a:1", 4);
            let made = made(&Change::Called { source, call });
            let shown = [
                "MethodName",
                "PreCall",
                "ReturnValue",
                "MethodParameters",
                "SourceInstanceModelPath",
            ];
            shown.map(|name| text(&made, name)).join(" ")
        };
        let rest = "instance of __MethodParameters root/cimv2:JW_Job.InstanceID=\"a:1\"";
        let before = format!("KillJob TRUE NULL {rest}");
        assert_eq!(side(CallPhase::Before), before);
        let after = |returned: Option<&str>| side(CallPhase::After(returned.map(str::to_owned)));
        assert_eq!(after(Some("0")), format!("KillJob FALSE 0 {rest}"));
        assert_eq!(after(None), format!("KillJob FALSE NULL {rest}"));
    }

    #[test]
    fn a_class_is_told_with_its_whole_definition() {
        let class = schema().class("CIM_InstCreation").expect("a class").clone();
        let modified = made(&Change::ClassModified {
            before: class.clone(),
            after: class.clone(),
        });
        for name in ["ClassDefinition", "PreviousClassDefinition"] {
            assert_eq!(modified.value(name), &CimValue::Class(class.clone()));
        }
        let deleted = made(&Change::ClassDeleted(class));
        assert_eq!(deleted.class.name.as_str(), "CIM_ClassDeletion");
        let encoded = encode_indication(&deleted).expect("an encoded indication");
        let sent = decode_indication(&encoded, &Limits::default()).expect("what was sent");
        let definition = &sent.get("ClassDefinition").expect("the property").value;
        let Literal::Class(definition) = definition else {
            panic!("{definition:?} is no class");
        };
        let superclass = Some(CimName::of("CIM_InstIndication"));
        assert_eq!(definition.superclass, superclass);
        let has = |name: &str| definition.properties.iter().any(|own| own.name.is(name));
        assert!(has("SourceInstance") && has("IndicationTime"));
        assert!(!definition.qualifiers.is_empty());
    }
}
