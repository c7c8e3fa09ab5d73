//! Classes and instances that the tests of queries share.

use std::sync::Arc;

use chrono::{DateTime, Utc};

use crate::model::{
    ArrayKind, CimName, CimType, CimValue, Class, ClassKind, Embedding, Flavor, Instance, NameMap,
    Namespace, Property, Qualifier, Slot,
};
use crate::query::{Circumstances, Classes};

/// The classes of these tests; the names are DMTF's, the properties are few.
pub(super) struct Sample(Vec<Arc<Class>>);

impl Classes for Sample {
    fn class(&self, name: &CimName) -> Option<Arc<Class>> {
        self.0.iter().find(|class| class.name == *name).cloned()
    }

    fn subclasses(&self, name: &CimName) -> Vec<Arc<Class>> {
        let below = |class: &&Arc<Class>| class.ancestors.contains(name);
        self.0.iter().filter(below).cloned().collect()
    }
}

impl Sample {
    pub(super) fn named(&self, name: &str) -> Arc<Class> {
        let name = CimName::new(name).expect("a name");
        self.class(&name)
            .unwrap_or_else(|| panic!("no class {name}"))
    }
}

fn property(name: &'static str, ty: CimType, is_array: bool) -> Property {
    Property {
        name: CimName::of(name),
        slot: Slot {
            ty,
            is_array,
            array_kind: ArrayKind::Bag,
            array_size: None,
            reference_class: None,
            embedding: None,
            checks: Box::new([]),
        },
        qualifiers: Arc::default(),
        default: CimValue::Null,
        origin: CimName::of("CIM_Job"),
        propagated: false,
        key: false,
        required: false,
        write: true,
        read: true,
    }
}

fn texts(list: &[&str]) -> CimValue {
    CimValue::Array(list.iter().map(|text| CimValue::string(*text)).collect())
}

fn qualified(mut property: Property, name: &'static str, value: CimValue) -> Property {
    let qualifier = Qualifier {
        name: CimName::of(name),
        ty: CimType::String,
        is_array: value.as_array().is_some(),
        value,
        flavor: Flavor::default(),
        propagated: false,
    };
    Arc::make_mut(&mut property.qualifiers).insert(CimName::of(name), qualifier);
    property
}

fn embedded(name: &'static str, embedding: Embedding, is_array: bool) -> Property {
    let mut property = property(name, CimType::String, is_array);
    property.slot.embedding = Some(embedding);
    property
}

fn indexed(mut property: Property) -> Property {
    property.slot.array_kind = ArrayKind::Indexed;
    property
}

fn class(name: &'static str, above: &[&Arc<Class>], own: Vec<Property>) -> Arc<Class> {
    let inherited = above.first().map(|class| class.properties.clone());
    let mut properties = inherited.unwrap_or_default();
    for property in own {
        properties.insert(property.name.clone(), Arc::new(property));
    }
    let keys = properties.values().enumerate().filter(|(_, p)| p.key);
    Arc::new(Class {
        name: CimName::of(name),
        ancestors: above.iter().map(|class| class.name.clone()).collect(),
        qualifiers: NameMap::new(),
        keys: keys.map(|(slot, _)| slot).collect(),
        properties,
        methods: NameMap::new(),
        kind: ClassKind::Ordinary,
        is_abstract: false,
    })
}

fn indication() -> Arc<Class> {
    class(
        "CIM_InstModification",
        &[],
        vec![
            embedded("SourceInstance", Embedding::Object, false),
            embedded("PreviousInstance", Embedding::Object, false),
            property("IndicationTime", CimType::DateTime, false),
        ],
    )
}

/// CIM_Job, JW_Job below it, CIM_Setting apart, and an indication about instances.
pub(super) fn sample() -> Sample {
    use CimType::{
        Boolean, Char16, DateTime, Real32, Real64, Reference, Sint64, String, Uint16, Uint32,
        Uint64,
    };
    let mut key = property("InstanceID", String, false);
    key.key = true;
    let mut secret = property("Secret", String, false);
    secret.read = false;
    let state = property("JobState", Uint16, false);
    let state = qualified(state, "ValueMap", texts(&["2", "4", "7", "8..10"]));
    let state = qualified(
        state,
        "Values",
        texts(&["New", "Running", "Completed", "Failing"]),
    );
    let setting = class(
        "CIM_Setting",
        &[],
        vec![
            property("Label", String, false),
            property("Level", Uint16, false),
        ],
    );
    let job = class(
        "CIM_Job",
        &[],
        vec![
            key,
            property("Name", String, false),
            state,
            property("Priority", Uint32, false),
            property("Size", Uint64, false),
            property("Balance", Sint64, false),
            property("Ratio", Real64, false),
            property("Share", Real32, false),
            property("Started", Boolean, false),
            property("Mark", Char16, false),
            property("TimeSubmitted", DateTime, false),
            property("Owner", Reference, false),
            property("OperationalStatus", Uint16, true),
            indexed(property("StatusDescriptions", String, true)),
            embedded(
                "Setting",
                Embedding::Instance(CimName::of("CIM_Setting")),
                false,
            ),
            embedded(
                "Settings",
                Embedding::Instance(CimName::of("CIM_Setting")),
                true,
            ),
            secret,
            qualified(
                property("Kind", Uint16, false),
                "Values",
                texts(&["Zero", "One"]),
            ),
        ],
    );
    let own = class("JW_Job", &[&job], vec![property("Command", String, true)]);
    Sample(vec![setting, job, own, indication()])
}

/// An instance of `class` with these values.
pub(super) fn instance(class: &Arc<Class>, values: Vec<(&str, CimValue)>) -> Instance {
    let mut instance = Instance::empty(class.clone());
    for (name, value) in values {
        instance
            .set(name, value)
            .expect("a value of the declared type");
    }
    instance
}

fn numbers(list: &[u16]) -> CimValue {
    CimValue::Array(
        list.iter()
            .map(|number| CimValue::Uint16(*number))
            .collect(),
    )
}

/// The job that the tables of these tests ask about. `Balance`, `Kind` and `Mark` stay NULL.
pub(super) fn job(sample: &Sample) -> Instance {
    let setting = |label: &str, level| {
        let class = sample.named("CIM_Setting");
        let values = vec![
            ("Label", CimValue::string(label)),
            ("Level", CimValue::Uint16(level)),
        ];
        CimValue::Instance(Box::new(instance(&class, values)))
    };
    let owner = "root/cimv2:CIM_Setting.Label=\"o\"";
    let reference = owner.parse().expect("a path");
    let at = "20260110120000.000000+000".parse().expect("a datetime");
    instance(
        &sample.named("JW_Job"),
        vec![
            ("InstanceID", CimValue::string("JW:1")),
            ("Name", CimValue::string("backup's")),
            ("JobState", CimValue::Uint16(4)),
            ("Priority", CimValue::Uint32(5)),
            ("Size", CimValue::Uint64(u64::MAX)),
            ("Ratio", CimValue::Real64(0.5)),
            ("Share", CimValue::Real32(2.0)),
            ("Started", CimValue::Boolean(true)),
            ("TimeSubmitted", CimValue::DateTime(at)),
            ("Owner", CimValue::Reference(Box::new(reference))),
            ("OperationalStatus", numbers(&[17, 6])),
            ("StatusDescriptions", texts(&["Completed", "fine"])),
            ("Setting", setting("main", 3)),
            (
                "Settings",
                CimValue::Array(vec![setting("a", 1), setting("b", 2)]),
            ),
            ("Secret", CimValue::string("hidden")),
            ("Command", texts(&[])),
        ],
    )
}

/// A change of `JobState` from 4 to 7.
pub(super) fn change(sample: &Sample) -> Instance {
    let before = job(sample);
    let mut after = before.clone();
    after.set("JobState", CimValue::Uint16(7)).expect("a state");
    let embedded = |instance| CimValue::Instance(Box::new(instance));
    instance(
        &sample.named("CIM_InstModification"),
        vec![
            ("SourceInstance", embedded(after)),
            ("PreviousInstance", embedded(before)),
        ],
    )
}

pub(super) fn now() -> DateTime<Utc> {
    "2026-01-11T00:00:00Z".parse().expect("an instant")
}

/// The circumstances of every test.
pub(super) fn circumstances(namespace: &Namespace) -> Circumstances<'_> {
    Circumstances {
        now: now(),
        namespace,
    }
}
