//! The crate's own client, against the real server: what is pulled is what is given all at once.

use std::collections::BTreeSet;

use jobwright::client::{Client, ClientError, Pulled};
use jobwright::model::{
    CimName, CimType, InstanceDecl, Literal, ObjectPath, PropertyValue, Status,
};
use jobwright::ops::{AssociatorFilter, Opening, ReferenceFilter, Select, Terms};

use crate::support::admin::{Admin, cimv2};
use crate::support::{Server, state_dir};

const IDS: [&str; 7] = ["c:1", "c:2", "c:3", "c:4", "c:5", "c:6", "c:7"];

fn opening(max_objects: u32) -> Opening {
    Opening {
        terms: Terms {
            max_objects,
            ..Terms::default()
        },
        ..Opening::default()
    }
}

/// Only what does not change between two calls.
fn select() -> Select {
    Select {
        properties: Some(
            ["InstanceID", "Name", "Antecedent", "Dependent"]
                .map(CimName::of)
                .to_vec(),
        ),
        class_origin: false,
    }
}

/// A job that waits for all of [`IDS`].
async fn waiting(client: &Client) -> ObjectPath {
    let text = |text: &str| Literal::Text(text.into());
    let texts = |all: &[&str]| Literal::Array(all.iter().map(|entry| text(entry)).collect());
    let property = |name, is_array, value| PropertyValue {
        name: CimName::of(name),
        ty: Some(CimType::String),
        is_array,
        value,
    };
    let job = InstanceDecl {
        class: CimName::of("JW_Job"),
        properties: vec![
            property("InstanceID", false, text("c:last")),
            property("Name", false, text("waits")),
            property("Command", true, texts(&["/bin/true"])),
            property("DependsOn", true, texts(&IDS)),
        ],
    };
    client.create_instance(&cimv2(), job).await.expect("a job")
}

async fn world(server: &Server) -> (Client, ObjectPath) {
    let admin = Admin::of(server);
    for id in IDS {
        admin.hold(id).await.expect("a job");
    }
    let job = waiting(&admin.0).await;
    (admin.0, job)
}

/// What makes objects of either kind of operation comparable: the host is told by one alone.
fn shown<T: Shown>(all: &[T]) -> BTreeSet<String> {
    let shown: BTreeSet<String> = all.iter().map(Shown::shown).collect();
    assert_eq!(shown.len(), all.len(), "something was given twice");
    shown
}

trait Shown {
    fn shown(&self) -> String;
}

impl Shown for ObjectPath {
    fn shown(&self) -> String {
        let path = ObjectPath {
            host: None,
            namespace: None,
            ..self.clone()
        };
        path.to_string()
    }
}

impl Shown for (ObjectPath, InstanceDecl) {
    fn shown(&self) -> String {
        format!("{} {:?}", self.0.shown(), self.1)
    }
}

impl Shown for InstanceDecl {
    fn shown(&self) -> String {
        format!("{self:?}")
    }
}

/// The objects of an open enumeration to its end, pulled two by two.
async fn drained<T, F>(
    opened: Result<Pulled<T>, ClientError>,
    mut pull: impl FnMut(String) -> F,
) -> Vec<T>
where
    F: Future<Output = Result<Pulled<T>, ClientError>>,
{
    let Pulled {
        mut objects,
        mut context,
    } = opened.expect("an enumeration");
    assert!(objects.len() <= 2, "more than were asked for");
    while let Some(open) = context {
        let more = pull(open).await.expect("more of it");
        assert!(more.objects.len() <= 2, "more than were asked for");
        objects.extend(more.objects);
        context = more.context;
    }
    objects
}

#[tokio::test]
async fn instances_and_paths_of_classes() {
    let state = state_dir();
    let server = Server::start(state.path());
    let (client, _) = world(&server).await;
    let (root, class) = (cimv2(), || CimName::of("CIM_Job"));
    let all = client
        .enumerate_instances(&root, class(), select())
        .await
        .expect("all");
    let opened = client
        .open_instances(&root, class(), select(), opening(2))
        .await;
    let pulled = drained(opened, |context| {
        client.pull_instances_with_path(&root, context, 2)
    })
    .await;
    assert_eq!(shown(&pulled), shown(&all));
    assert_eq!(pulled.len(), IDS.len() + 1);
    let opened = client.open_paths(&root, class(), opening(0)).await;
    let pulled = drained(opened, |context| client.pull_paths(&root, context, 2)).await;
    let paths: Vec<ObjectPath> = all.into_iter().map(|(path, _)| path).collect();
    assert_eq!(shown(&pulled), shown(&paths));
}

#[tokio::test]
async fn associations_and_what_they_lead_to() {
    let state = state_dir();
    let server = Server::start(state.path());
    let (client, job) = world(&server).await;
    let (root, place) = (cimv2(), || job.clone());
    let near = || ReferenceFilter {
        result: Some(CimName::of("JW_JobDependency")),
        role: Some(CimName::of("Dependent")),
    };
    let all = client
        .references(&root, place(), near(), select())
        .await
        .expect("all");
    assert_eq!(all.len(), IDS.len());
    let opened = client
        .open_references(&root, place(), near(), select(), opening(1))
        .await;
    let pulled = drained(opened, |context| {
        client.pull_instances_with_path(&root, context, 2)
    })
    .await;
    assert_eq!(shown(&pulled), shown(&all));
    let all = client
        .reference_names(&root, place(), near())
        .await
        .expect("all");
    let opened = client
        .open_reference_paths(&root, place(), near(), opening(1))
        .await;
    let pulled = drained(opened, |context| client.pull_paths(&root, context, 2)).await;
    assert_eq!(shown(&pulled), shown(&all));
    let far = || AssociatorFilter {
        association: Some(CimName::of("JW_JobDependency")),
        ..AssociatorFilter::default()
    };
    let all = client
        .associators(&root, place(), far(), select())
        .await
        .expect("all");
    assert_eq!(all.len(), IDS.len());
    let opened = client
        .open_associators(&root, place(), far(), select(), opening(1))
        .await;
    let pulled = drained(opened, |context| {
        client.pull_instances_with_path(&root, context, 2)
    })
    .await;
    assert_eq!(shown(&pulled), shown(&all));
    let all = client
        .associator_names(&root, place(), far())
        .await
        .expect("all");
    let opened = client
        .open_associator_paths(&root, place(), far(), opening(1))
        .await;
    let pulled = drained(opened, |context| client.pull_paths(&root, context, 2)).await;
    assert_eq!(shown(&pulled), shown(&all));
}

#[tokio::test]
async fn rows_their_class_and_the_end() {
    let state = state_dir();
    let server = Server::start(state.path());
    let (client, _) = world(&server).await;
    let root = cimv2();
    let query = "SELECT InstanceID FROM JW_Job WHERE Priority = 0";
    let opened = client
        .open_query(&root, "WQL", query, opening(2).terms)
        .await;
    let (opened, class) = opened.expect("an enumeration");
    assert_eq!(class.name, CimName::of("JW_Job"));
    let context = opened.context.clone().expect("more is left");
    let count = client
        .enumeration_count(&root, context)
        .await
        .expect("it is open");
    assert_eq!(
        count, None,
        "a query does not know how many rows it will have"
    );
    let rows = drained(Ok(opened), |context| {
        client.pull_instances(&root, context, 2)
    })
    .await;
    let ids = rows.iter().filter_map(|row| row.get("InstanceID"));
    let ids: BTreeSet<String> = ids.map(|id| format!("{:?}", id.value)).collect();
    assert_eq!(ids.len(), IDS.len(), "{ids:?}");
    assert_eq!(shown(&rows).len(), IDS.len());
    let (left, _) = client
        .open_query(&root, "WQL", query, opening(1).terms)
        .await
        .expect("an enumeration");
    let context = left.context.expect("more is left");
    client
        .close_enumeration(&root, context.clone())
        .await
        .expect("it is open");
    match client.close_enumeration(&root, context).await {
        Err(ClientError::Cim(error)) => {
            assert_eq!(error.status, Status::InvalidEnumerationContext);
        }
        other => panic!("expected status 21, got {other:?}"),
    }
}
