//! What the service has by itself: its own instance, and filters of the life of jobs with the
//! collection that holds them.

use crate::model::{CimValue, Instance, ObjectPath, Result};

use super::key::{Kind, SYSTEM};
use super::ledger::{Edit, Held, Ledger};
use super::make::Workshop;
use super::settings::{CLASS, NAME};

/// The namespace of the jobs.
const JOBS: &str = "root/cimv2";
/// `InstanceID` and `CollectionName` of the collection.
const COLLECTION: &str = "JW:JobEvents";

const CREATED: &str = "SELECT * FROM CIM_InstCreation WHERE SourceInstance ISA CIM_ConcreteJob";
const DELETED: &str = "SELECT * FROM CIM_InstDeletion WHERE SourceInstance ISA CIM_ConcreteJob";
const STATE: &str = "SELECT * FROM CIM_InstModification WHERE SourceInstance ISA CIM_ConcreteJob \
    AND SourceInstance.CIM_ConcreteJob::JobState <> PreviousInstance.CIM_ConcreteJob::JobState";
const PERCENT: &str = "SELECT * FROM CIM_InstModification WHERE SourceInstance ISA CIM_ConcreteJob \
    AND SourceInstance.CIM_ConcreteJob::PercentComplete <> \
    PreviousInstance.CIM_ConcreteJob::PercentComplete";
const STATUS: &str = "ANY SourceInstance.CIM_ConcreteJob::OperationalStatus[*] =";

/// The filters: last part of the name, what it is for, the query.
fn filters() -> [(&'static str, &'static str, String); 6] {
    // 17 is Completed, 2 is OK and 6 is Error.
    let ended = |status: u16| format!("{STATE} AND {STATUS} 17 AND {STATUS} {status}");
    [
        ("JobCreated", "A job was submitted", CREATED.to_owned()),
        (
            "JobStateChanged",
            "JobState of a job changed",
            STATE.to_owned(),
        ),
        (
            "JobPercentChanged",
            "PercentComplete of a job changed",
            PERCENT.to_owned(),
        ),
        ("JobSucceeded", "A job ended well", ended(2)),
        ("JobFailed", "A job failed", ended(6)),
        ("JobDeleted", "A job was deleted", DELETED.to_owned()),
    ]
}

/// The ledger with what the service has by itself; the settings that `ledger` holds already stay.
pub fn furnished(workshop: &Workshop, mut ledger: Ledger) -> Result<Ledger> {
    if ledger.of_kind(Kind::Service).next().is_none() {
        ledger = added(workshop, &ledger, Kind::Service, service(workshop)?)?;
    }
    let mut collection = new(workshop, "CIM_FilterCollection")?;
    for (name, value) in [
        ("InstanceID", COLLECTION),
        ("CollectionName", COLLECTION),
        ("ElementName", "Events in the life of jobs"),
    ] {
        collection.set(name, CimValue::string(value))?;
    }
    let path: ObjectPath = collection.path(&workshop.home.name).into();
    ledger = added(workshop, &ledger, Kind::Collection, collection)?;
    for (name, caption, query) in filters() {
        let filter = filter(workshop, name, caption, &query)?;
        let mut member = new(workshop, "CIM_MemberOfCollection")?;
        let of = |path: ObjectPath| CimValue::Reference(Box::new(path));
        member.set("Collection", of(path.clone()))?;
        member.set("Member", of(filter.path(&workshop.home.name).into()))?;
        ledger = added(workshop, &ledger, Kind::Filter, filter)?;
        ledger = added(workshop, &ledger, Kind::Member, member)?;
    }
    Ok(ledger)
}

fn new(workshop: &Workshop, class: &str) -> Result<Instance> {
    let schema = workshop.schema()?;
    let missing = || {
        let text = format!("the schema has no class {class}");
        crate::model::CimError::invalid_class(text)
    };
    let class = schema.class(class).ok_or_else(missing)?;
    Ok(Instance::of_defaults(class.clone()))
}

fn named(workshop: &Workshop, class: &str, name: &str) -> Result<Instance> {
    let mut instance = new(workshop, class)?;
    for (key, value) in [
        ("SystemCreationClassName", SYSTEM),
        ("SystemName", &*workshop.host),
        ("CreationClassName", class),
        ("Name", name),
    ] {
        instance.set(key, CimValue::string(value))?;
    }
    Ok(instance)
}

fn service(workshop: &Workshop) -> Result<Instance> {
    let mut service = named(workshop, CLASS, NAME)?;
    service.set("ElementName", CimValue::string("Indication service"))?;
    service.set("EnabledState", CimValue::Uint16(2))?;
    service.set("Started", CimValue::Boolean(true))?;
    let status = CimValue::Array(vec![CimValue::Uint16(2)]);
    service.set("OperationalStatus", status)?;
    Ok(service)
}

fn filter(workshop: &Workshop, name: &str, caption: &str, query: &str) -> Result<Instance> {
    let name = format!("{COLLECTION}:{name}");
    let mut filter = named(workshop, "CIM_IndicationFilter", &name)?;
    filter.set("ElementName", CimValue::string(caption))?;
    filter.set("Query", CimValue::string(query))?;
    filter.set("QueryLanguage", CimValue::string("DMTF:CQL"))?;
    let sources = CimValue::Array(vec![CimValue::string(JOBS)]);
    filter.set("SourceNamespaces", sources)?;
    Ok(filter)
}

fn added(workshop: &Workshop, ledger: &Ledger, kind: Kind, instance: Instance) -> Result<Ledger> {
    let held = Held {
        key: workshop.key(&instance)?,
        made: workshop.made(ledger, kind, &instance, None)?,
        instance,
        owner: None,
    };
    Ok(ledger.with(vec![Edit::Put(held)]))
}
