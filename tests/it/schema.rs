//! The schema of the embedded MOF: what clients may write is what the declarations say.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use jobwright::model::{
    CimName, CimType, CimValue, ClassDecl, InstanceDecl, Literal, Namespace, PropertyValue,
    QualifierDecl, Status,
};
use jobwright::mof::{Embedded, Limits, ROOTS, compile};
use jobwright::schema::rules::STANDING;
use jobwright::schema::{Builder, Schema};

fn declarations(root: &str) -> (Vec<QualifierDecl>, Vec<ClassDecl>) {
    let compilation = compile(&[root], &Embedded, Limits::default());
    assert!(
        compilation.diagnostics.is_empty(),
        "{root}: {:?}",
        compilation.diagnostics
    );
    let (mut qualifiers, mut classes) = (Vec::new(), Vec::new());
    for batch in compilation.batches {
        qualifiers.extend(batch.qualifiers);
        classes.extend(batch.classes);
    }
    (qualifiers, classes)
}

fn built(root: &str) -> Schema {
    let (qualifiers, classes) = declarations(root);
    let mut builder = Builder::new();
    builder.declare(qualifiers, classes);
    builder.build().unwrap_or_else(|errors| {
        let shown: Vec<String> = errors.iter().map(ToString::to_string).collect();
        panic!("{root}: {}", shown.join("\n"))
    })
}

fn schema() -> &'static Schema {
    static SCHEMA: OnceLock<Schema> = OnceLock::new();
    SCHEMA.get_or_init(|| built("cimv2.mof"))
}

fn property(name: &str, ty: Option<CimType>, text: &str) -> PropertyValue {
    PropertyValue {
        name: CimName::new(name).expect("a name"),
        ty,
        is_array: false,
        value: Literal::Text(text.into()),
    }
}

fn job(properties: Vec<PropertyValue>) -> InstanceDecl {
    InstanceDecl {
        class: CimName::of("JW_Job"),
        properties,
    }
}

#[test]
fn every_root_builds() {
    for root in ROOTS {
        assert!(built(root).classes().len() > 20, "{root} has its classes");
    }
}

#[test]
fn every_declared_qualifier_has_its_standing() {
    let (qualifiers, _) = declarations("cimv2.mof");
    for decl in qualifiers {
        let known = STANDING.iter().any(|(name, _)| decl.name.is(name));
        assert!(known, "{} has no row in the table of standings", decl.name);
    }
}

#[test]
fn a_job_is_flattened_over_its_ancestors() {
    let class = schema().class("jw_job").expect("the class");
    let ancestors: Vec<&str> = class.ancestors.iter().map(CimName::as_str).collect();
    assert_eq!(
        ancestors,
        [
            "CIM_ConcreteJob",
            "CIM_Job",
            "CIM_LogicalElement",
            "CIM_ManagedSystemElement",
            "CIM_ManagedElement"
        ]
    );
    let property = |name: &str| class.properties.get(name).expect("a property");
    assert!(property("InstanceID").key, "the key is inherited");
    assert_eq!(property("InstanceID").origin.as_str(), "CIM_ManagedElement");
    assert!(property("RunDay").write && property("RunDay").propagated);
    assert!(!property("JobState").write);
    assert!(property("Name").required);
    assert_eq!(property("JobRunTimes").default, CimValue::Uint32(1));
    let keys: Vec<&str> = class
        .key_properties()
        .map(|key| key.name.as_str())
        .collect();
    assert_eq!(keys, ["InstanceID"]);
    assert!(class.methods.contains("killjob") && class.methods.contains("GetLog"));
    assert!(
        !class.qualifiers.contains("Abstract"),
        "Abstract is Restricted"
    );
    assert!(schema().class("CIM_Job").is_some_and(|job| job.is_abstract));
}

#[test]
fn an_overriding_property_has_its_own_default_or_none() {
    const TEXT: &str = "Qualifier Override : string = NULL, Scope(property);
        class T_A { uint8 P = 1; uint8 Q = 2; uint8 R = 3; };
        class T_B : T_A { [Override(\"P\")] uint8 P; [Override(\"Q\")] uint8 Q = 7; };";
    let texts = BTreeMap::from([("t.mof".to_owned(), TEXT.as_bytes().to_vec())]);
    let compilation = compile(&["t.mof"], &texts, Limits::default());
    let mut builder = Builder::new();
    for batch in compilation.batches {
        builder.declare(batch.qualifiers, batch.classes);
    }
    let schema = builder.build().expect("two sound classes");
    let class = schema.class("T_B").expect("the second of them");
    let defaults = class
        .properties
        .values()
        .map(|property| property.default.clone());
    let expected = [CimValue::Null, CimValue::Uint8(7), CimValue::Uint8(3)];
    assert_eq!(defaults.collect::<Vec<_>>(), expected);
}

#[test]
fn descendants_come_after_their_superclasses() {
    let root = CimName::of("CIM_Job");
    let names: Vec<&str> = schema()
        .descendants(Some(&root))
        .iter()
        .map(|class| class.name.as_str())
        .collect();
    assert_eq!(names.len(), 4, "{names:?}");
    let at = |name| {
        names
            .iter()
            .position(|n| *n == name)
            .expect("a subclass of CIM_Job")
    };
    assert!(at("CIM_ConcreteJob") < at("JW_Job") && at("CIM_PrintJob") < at("JW_PrintJob"));
}

#[test]
fn an_instance_takes_defaults_and_checks_what_is_given() {
    let name = || property("Name", Some(CimType::String), "x");
    let made = schema()
        .instance(&job(vec![name()]))
        .expect("a name is enough");
    assert_eq!(made.value("QueueName"), &CimValue::string("default"));
    assert_eq!(made.value("MissedRunPolicy"), &CimValue::Uint16(3));
    assert!(
        made.value("InstanceID").is_null(),
        "the server assigns the key"
    );
    let cases = [
        (vec![], Status::InvalidParameter, "JW_Job.Name: Required"),
        (
            vec![name(), name()],
            Status::InvalidParameter,
            "Name was given twice",
        ),
        (
            vec![name(), property("No", None, "1")],
            Status::InvalidParameter,
            "JW_Job.No",
        ),
        (
            vec![name(), property("RunDay", Some(CimType::Sint8), "32")],
            Status::InvalidParameter,
            "JW_Job.RunDay: 32 is above MaxValue 31",
        ),
        (
            vec![name(), property("RunDay", Some(CimType::Sint8), "200")],
            Status::InvalidParameter,
            "out of the range of type sint8",
        ),
        (
            vec![name(), property("RunMonth", Some(CimType::Uint8), "12")],
            Status::InvalidParameter,
            "12 is not in ValueMap",
        ),
        (
            vec![name(), property("Priority", Some(CimType::String), "1")],
            Status::InvalidParameter,
            "string was given where uint32 is declared",
        ),
        (
            vec![name(), property("Caption", None, &"c".repeat(65))],
            Status::InvalidParameter,
            "longer than MaxLen 64",
        ),
    ];
    for (properties, status, text) in cases {
        let error = schema().instance(&job(properties)).expect_err(text);
        assert_eq!(error.status, status, "{error}");
        assert!(
            error.description.contains(text),
            "expected {text:?} in {error}"
        );
    }
}

#[test]
fn classes_without_instances_are_not_created() {
    for class in ["CIM_Job", "CIM_Error", "CIM_InstMethodCall"] {
        let decl = InstanceDecl {
            class: CimName::new(class).expect("a name"),
            properties: vec![],
        };
        let error = schema().instance(&decl).expect_err("it has no instances");
        assert_eq!(error.status, Status::NotSupported, "{class}: {error}");
    }
    let unknown = InstanceDecl {
        class: CimName::of("CIM_None"),
        properties: vec![],
    };
    assert_eq!(
        schema().instance(&unknown).expect_err("unknown").status,
        Status::InvalidClass
    );
}

#[test]
fn changes_follow_the_property_list() {
    let class = schema().class("JW_Job").expect("the class");
    let decl = job(vec![property("Priority", Some(CimType::Uint32), "3")]);
    let names = |list: Option<&[CimName]>| {
        let changes = schema().changes(class, &decl, list).expect("good changes");
        changes
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect::<Vec<_>>()
    };
    assert_eq!(names(None), ["Priority=3"]);
    assert_eq!(names(Some(&[])), Vec::<String>::new());
    let both = [CimName::of("jobruntimes"), CimName::of("PRIORITY")];
    assert_eq!(names(Some(&both)), ["Priority=3", "JobRunTimes=1"]);
    let unknown = schema().changes(class, &decl, Some(&[CimName::of("No")]));
    assert_eq!(
        unknown.expect_err("unknown").status,
        Status::InvalidParameter
    );
    let cleared = schema().changes(class, &decl, Some(&[CimName::of("Name")]));
    assert!(
        cleared
            .expect_err("Name is Required")
            .description
            .contains("Required")
    );
}

#[test]
fn arguments_are_typed_by_the_method() {
    let class = schema().class("JW_Job").expect("the class");
    let method = class.methods.get("RequestStateChange").expect("the method");
    let state = |ty, text: &str| vec![property("RequestedState", ty, text)];
    for ty in [None, Some(CimType::Uint16), Some(CimType::Uint32)] {
        let given = schema()
            .arguments(method, &state(ty, "4"))
            .expect("a known state");
        assert_eq!(given.get("requestedstate"), Some(&CimValue::Uint16(4)));
    }
    for (given, text) in [
        (state(None, "99"), "reserved in ValueMap"),
        (state(None, "x"), "not a value of type uint16"),
        (state(Some(CimType::String), "4"), "string was given"),
        (vec![property("No", None, "4")], "no such parameter"),
    ] {
        let error = schema().arguments(method, &given).expect_err(text);
        assert_eq!(error.status, Status::InvalidParameter);
        assert!(
            error.description.contains(text),
            "expected {text:?} in {error}"
        );
    }
}

#[test]
fn paths_have_each_key_once_and_typed() {
    let namespace = Namespace::of("root/cimv2");
    let path = |text: &str| {
        let path = text
            .parse()
            .unwrap_or_else(|error| panic!("{text}: {error}"));
        schema().instance_path(&namespace, &path)
    };
    let good = path("jw_job.instanceid=\"JW:1\"").expect("a good path");
    assert_eq!(good.to_string(), "root/cimv2:JW_Job.InstanceID=\"JW:1\"");
    assert_eq!(path("JW_Job=\"JW:1\""), Ok(good));
    for (text, status) in [
        ("JW_Job", Status::InvalidParameter),
        ("JW_Job.Name=\"x\"", Status::InvalidParameter),
        (
            "JW_Job.InstanceID=\"x\",Name=\"y\"",
            Status::InvalidParameter,
        ),
        ("CIM_None.InstanceID=\"x\"", Status::InvalidClass),
    ] {
        assert_eq!(path(text).expect_err(text).status, status, "{text}");
    }
}
