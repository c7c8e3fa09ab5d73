//! What clients change of the schema is there after the server was killed, whole or not at all.

use jobwright::client::ClientError;
use jobwright::model::{
    CimName, CimType, CimValue, ClassDecl, InstanceDecl, Literal, Namespace, PropertyDecl,
    PropertyValue, QualifierUse, TypeDecl,
};
use jobwright::ops::{
    ClassSelect, CreateClass, DeleteClass, EnumerateClassNames, GetClass, ModifyClass, Request,
    Select,
};

use crate::support::admin::{Admin, cimv2};
use crate::support::{Server, state_dir};

/// Longer than any answer takes, on a machine busy with other tests.
const PATIENCE: std::time::Duration = std::time::Duration::from_mins(1);

fn class(name: &str, properties: &[&str]) -> ClassDecl {
    let property = |(at, name): (usize, &&str)| PropertyDecl {
        name: CimName::new(name).expect("a name"),
        ty: TypeDecl::scalar(CimType::String),
        qualifiers: Vec::from_iter((at == 0).then(|| QualifierUse {
            name: CimName::of("Key"),
            value: Some(Literal::Boolean(true)),
            ty: Some(CimType::Boolean),
            flavor: jobwright::model::FlavorUse::default(),
            propagated: false,
        })),
        default: None,
        origin: None,
        propagated: false,
    };
    ClassDecl {
        name: CimName::new(name).expect("a name"),
        superclass: None,
        qualifiers: Vec::new(),
        properties: properties.iter().enumerate().map(property).collect(),
        methods: Vec::new(),
    }
}

fn text(name: &'static str, value: &str) -> PropertyValue {
    PropertyValue {
        name: CimName::of(name),
        ty: Some(CimType::String),
        is_array: false,
        value: Literal::Text(value.into()),
    }
}

fn instance(class: &'static str, properties: Vec<PropertyValue>) -> InstanceDecl {
    InstanceDecl {
        class: CimName::of(class),
        properties,
    }
}

impl Admin {
    async fn done(&self, namespace: &Namespace, request: Request) -> Result<(), ClientError> {
        self.0.call(namespace, request).await.map(|_| ())
    }

    async fn properties(&self, name: &'static str) -> Vec<String> {
        let class = CimName::of(name);
        let select = ClassSelect::default();
        let request = Request::GetClass(GetClass { class, select });
        let got = self.0.call(&cimv2(), request).await.expect("the class");
        let class = got.class().expect("a class");
        class
            .properties
            .iter()
            .map(|p| p.name.to_string())
            .collect()
    }
}

#[tokio::test]
async fn what_was_acknowledged_is_there_after_kill_9() {
    let state = state_dir();
    let server = Server::start(state.path());
    let admin = Admin::of(&server);
    let interop = Namespace::of("interop");
    let own = Namespace::of("root/own");
    let create = |class| Request::CreateClass(CreateClass { class });
    let cimv2 = cimv2();
    admin
        .done(&cimv2, create(class("TST_A", &["Id", "One"])))
        .await
        .expect("created");
    admin
        .done(&cimv2, create(class("TST_B", &["Id"])))
        .await
        .expect("created");
    let modified = class("TST_A", &["Id", "One", "Two"]);
    let modify = Request::ModifyClass(ModifyClass { class: modified });
    admin.done(&cimv2, modify).await.expect("modified");
    let delete = |name| {
        let class = CimName::of(name);
        Request::DeleteClass(DeleteClass { class })
    };
    admin.done(&cimv2, delete("TST_B")).await.expect("deleted");
    // A class of the embedded MOF that nothing needs.
    admin
        .done(&cimv2, delete("CIM_OwningPrintQueue"))
        .await
        .expect("deleted");
    let new = instance("CIM_Namespace", vec![text("Name", "root/own")]);
    admin.0.create_instance(&interop, new).await.expect("made");
    let kept = instance("TST_A", vec![text("Id", "1"), text("Two", "2")]);
    let path = admin.0.create_instance(&cimv2, kept).await.expect("made");
    server.kill_9();

    let server = Server::start(state.path());
    let admin = Admin::of(&server);
    assert_eq!(admin.properties("TST_A").await, ["Id", "One", "Two"]);
    for gone in ["TST_B", "CIM_OwningPrintQueue"] {
        let class = CimName::new(gone).expect("a name");
        let select = ClassSelect::default();
        let get = Request::GetClass(GetClass { class, select });
        assert!(admin.done(&cimv2, get).await.is_err(), "{gone} is back");
    }
    let names = EnumerateClassNames {
        class: None,
        deep_inheritance: true,
    };
    let none = admin
        .0
        .call(&own, Request::EnumerateClassNames(names))
        .await;
    assert!(none.is_ok(), "the namespace is gone: {none:?}");
    let got = admin
        .0
        .get_instance(&cimv2, path, Select::default())
        .await
        .expect("the instance");
    let two = got
        .get("Two")
        .expect("given")
        .value
        .resolve(CimType::String, false);
    assert_eq!(two, Ok(CimValue::string("2")));
}

#[tokio::test]
async fn whether_operations_are_counted_is_remembered() {
    let state = state_dir();
    let interop = Namespace::of("interop");
    let gathers = async |server: &Server| {
        let admin = Admin::of(server);
        let (class, select) = (CimName::of("CIM_ObjectManager"), Select::default());
        let found = admin.0.enumerate_instances(&interop, class, select);
        let (path, manager) = found.await.expect("answered").remove(0);
        let value = manager
            .get("GatherStatisticalData")
            .expect("given")
            .value
            .clone();
        (admin, path, value.resolve(CimType::Boolean, false))
    };
    let server = Server::start(state.path());
    let (admin, path, before) = gathers(&server).await;
    assert_eq!(before, Ok(CimValue::Boolean(true)));
    let off = PropertyValue {
        name: CimName::of("GatherStatisticalData"),
        ty: Some(CimType::Boolean),
        is_array: false,
        value: Literal::Text("FALSE".into()),
    };
    let change = instance("CIM_ObjectManager", vec![off]);
    let only = Some(vec![CimName::of("GatherStatisticalData")]);
    let modified = admin.0.modify_instance(&interop, path, change, only).await;
    modified.expect("modified");
    server.kill_9();
    let server = Server::start(state.path());
    let (_, _, after) = gathers(&server).await;
    assert_eq!(after, Ok(CimValue::Boolean(false)));
}

/// Each change is one transaction: killed at any moment the server has all of it or nothing.
#[tokio::test]
async fn a_kill_in_the_middle_leaves_whole_batches() {
    let (state, cimv2) = (state_dir(), cimv2());
    let mut acknowledged = 0;
    for round in 0..3 {
        let server = Server::start(state.path());
        let admin = Admin::of(&server);
        let target = jobwright::model::ObjectPath {
            host: None,
            namespace: None,
            class: CimName::of("JW_SchemaService"),
            keys: None,
        };
        let compile = |text: &str| {
            let array = |name, text: &str| PropertyValue {
                name: CimName::of(name),
                ty: Some(CimType::String),
                is_array: true,
                value: Literal::Array(vec![Literal::Text(text.into())]),
            };
            vec![array("Names", "a.mof"), array("Texts", text)]
        };
        // The time of the kill is counted from the first answer: the machine may be slow.
        let mut started: Option<std::time::Instant> = None;
        let kill = std::time::Duration::from_millis(40 + 60 * round);
        let mut running = Some(server);
        for number in acknowledged + 1.. {
            let text = format!(
                "class TST_A{number} {{ [Key] string Id; }}; class TST_B{number} : TST_A{number} {{ }};"
            );
            let method = CimName::of("CompileMOF");
            let parameters = compile(&text);
            let call = admin.0.invoke(&cimv2, target.clone(), method, parameters);
            let left = started.map(|started| kill.saturating_sub(started.elapsed()));
            let done = tokio::select! {
                done = call => done.is_ok(),
                () = tokio::time::sleep(left.unwrap_or(PATIENCE)) => false,
            };
            started.get_or_insert_with(std::time::Instant::now);
            if !done {
                running.take().expect("one server").kill_9();
                break;
            }
            acknowledged = number;
        }
        let server = Server::start(state.path());
        let admin = Admin::of(&server);
        let names = EnumerateClassNames {
            class: None,
            deep_inheritance: true,
        };
        let request = Request::EnumerateClassNames(names);
        let all = admin.0.call(&cimv2, request).await.expect("answered");
        let all = all.class_names().expect("names");
        let count = |prefix: &str| {
            let ours = all.iter().filter(|name| name.as_str().starts_with(prefix));
            ours.count()
        };
        let (above, below) = (count("TST_A"), count("TST_B"));
        assert_eq!(above, below, "half a batch is there");
        assert!(
            above == acknowledged || above == acknowledged + 1,
            "{acknowledged} batches were acknowledged and {above} are there"
        );
        acknowledged = above;
        server.kill_9();
    }
    assert!(acknowledged > 0, "nothing was ever compiled");
}
