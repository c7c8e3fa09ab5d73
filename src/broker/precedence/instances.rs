//! Reading, writing and calling instances.

use crate::model::{CimName, Literal};
use crate::ops::{
    CreateInstance, DeleteInstance, EnumerateInstanceNames, EnumerateInstances, GetInstance,
    GetProperty, InvokeMethod, ModifyInstance, Request, Select, SetProperty,
};

use super::{ADMIN, LOST_ADMIN, LOST_READER, READER, STRANGER, check, path, value, written};

#[tokio::test]
async fn of_reading_instances() {
    let get = |text: &str| {
        Request::GetInstance(GetInstance {
            path: path(text),
            select: Select::default(),
        })
    };
    let property = |text: &str, name: &'static str| {
        Request::GetProperty(GetProperty {
            path: path(text),
            property: CimName::of(name),
        })
    };
    check(vec![
        (3, LOST_READER, get("T_None.X=1")),
        (5, READER, get("T_None.X=1")),
        (4, READER, get("T_Item.X=1")),
        (6, READER, get("T_Item.Number=9")),
        (6, READER, get("T_Alone.Number=1")),
        (0, READER, get("T_Item.Number=1")),
        (3, LOST_READER, property("T_None.X=1", "No")),
        (5, READER, property("T_None.X=1", "No")),
        (4, READER, property("T_Item.X=1", "No")),
        (6, READER, property("T_Item.Number=9", "No")),
        (12, READER, property("T_Item.Number=1", "No")),
        (0, READER, property("T_Item.Number=1", "Word")),
    ])
    .await;
    let all = |class: &'static str| {
        Request::EnumerateInstances(EnumerateInstances {
            class: CimName::of(class),
            deep_inheritance: true,
            select: Select::default(),
        })
    };
    let names = |class: &'static str| {
        Request::EnumerateInstanceNames(EnumerateInstanceNames {
            class: CimName::of(class),
        })
    };
    for one in [all as fn(&'static str) -> Request, names] {
        check(vec![
            (3, LOST_READER, one("T_None")),
            (5, READER, one("T_None")),
            (0, READER, one("T_Item")),
        ])
        .await;
    }
}

#[tokio::test]
async fn of_creating_an_instance() {
    let create = |class: &'static str, properties: &[(&'static str, &str)]| {
        Request::CreateInstance(CreateInstance {
            instance: written(class, properties),
        })
    };
    let wrong: &[_] = &[("Number", "1"), ("None", "1")];
    check(vec![
        (2, LOST_READER, create("T_None", wrong)),
        (3, LOST_ADMIN, create("T_None", wrong)),
        (2, STRANGER, create("T_Closed", wrong)),
        (7, ADMIN, create("T_Closed", wrong)),
        (7, ADMIN, create("T_Alone", wrong)),
        (5, ADMIN, create("T_None", wrong)),
        (4, ADMIN, create("T_Item", wrong)),
        (
            4,
            ADMIN,
            create("T_Item", &[("Number", "1"), ("Word", "long")]),
        ),
        (11, ADMIN, create("T_Item", &[("Number", "1")])),
        (0, ADMIN, create("T_Item", &[("Number", "2")])),
    ])
    .await;
}

#[tokio::test]
async fn of_changing_an_instance() {
    let modify = |text: &str, class: &'static str, properties: &[(&'static str, &str)]| {
        Request::ModifyInstance(ModifyInstance {
            path: path(text),
            instance: written(class, properties),
            properties: None,
        })
    };
    let (wrong, good): (&[_], &[_]) = (&[("Word", "long")], &[("Word", "new")]);
    check(vec![
        (2, LOST_READER, modify("T_Closed.X=1", "T_None", wrong)),
        (3, LOST_ADMIN, modify("T_Closed.X=1", "T_None", wrong)),
        (2, STRANGER, modify("T_Closed.X=1", "T_None", wrong)),
        (7, ADMIN, modify("T_Closed.X=1", "T_None", wrong)),
        (7, ADMIN, modify("T_Alone.X=1", "T_None", wrong)),
        (4, ADMIN, modify("T_None.X=1", "T_Item", wrong)),
        (5, ADMIN, modify("T_None.X=1", "T_None", wrong)),
        (4, ADMIN, modify("T_Item.X=1", "T_Item", wrong)),
        (4, ADMIN, modify("T_Item.Number=9", "T_Item", wrong)),
        (6, ADMIN, modify("T_Item.Number=9", "T_Item", good)),
        (0, ADMIN, modify("T_Item.Number=1", "T_Item", good)),
    ])
    .await;
}

#[tokio::test]
async fn of_changing_a_property() {
    let set = |text: &str, name: &'static str, literal: Literal| {
        Request::SetProperty(SetProperty {
            path: path(text),
            property: CimName::of(name),
            value: literal,
        })
    };
    let text = |text: &str| Literal::Text(text.into());
    let array = || Literal::Array(vec![Literal::Text("long".into())]);
    check(vec![
        (2, LOST_READER, set("T_Closed.X=1", "No", array())),
        (3, LOST_ADMIN, set("T_Closed.X=1", "No", array())),
        (2, STRANGER, set("T_Closed.X=1", "No", array())),
        (7, ADMIN, set("T_Closed.X=1", "No", array())),
        (5, ADMIN, set("T_None.X=1", "No", array())),
        (4, ADMIN, set("T_Item.X=1", "No", array())),
        (6, ADMIN, set("T_Item.Number=9", "No", array())),
        (12, ADMIN, set("T_Item.Number=1", "No", array())),
        (13, ADMIN, set("T_Item.Number=1", "Word", array())),
        (4, ADMIN, set("T_Item.Number=1", "Word", text("long"))),
        (0, ADMIN, set("T_Item.Number=1", "Word", text("new"))),
    ])
    .await;
}

#[tokio::test]
async fn of_deleting_an_instance() {
    let delete = |text: &str| Request::DeleteInstance(DeleteInstance { path: path(text) });
    check(vec![
        (2, LOST_READER, delete("T_Closed.X=1")),
        (3, LOST_ADMIN, delete("T_Closed.X=1")),
        (2, STRANGER, delete("T_Closed.X=1")),
        (7, ADMIN, delete("T_Closed.X=1")),
        (7, ADMIN, delete("T_Alone.X=1")),
        (5, ADMIN, delete("T_None.X=1")),
        (4, ADMIN, delete("T_Item.X=1")),
        (6, ADMIN, delete("T_Item.Number=9")),
        (0, ADMIN, delete("T_Item.Number=1")),
    ])
    .await;
}

#[tokio::test]
async fn of_calling_a_method() {
    let call = |text: &str, method: &'static str, much: &str| {
        Request::InvokeMethod(InvokeMethod {
            target: path(text),
            method: CimName::of(method),
            parameters: vec![value("Much", much)],
        })
    };
    check(vec![
        (2, LOST_READER, call("T_None.X=1", "Do", "-1")),
        (3, LOST_ADMIN, call("T_None.X=1", "Do", "-1")),
        (2, STRANGER, call("T_Item.X=1", "Do", "-1")),
        (5, ADMIN, call("T_None.X=1", "Do", "-1")),
        (4, ADMIN, call("T_Item.X=1", "No", "-1")),
        (17, ADMIN, call("T_Item.Number=9", "No", "-1")),
        (4, ADMIN, call("T_Item.Number=9", "Do", "-1")),
        (6, ADMIN, call("T_Item.Number=9", "Do", "1")),
        (4, ADMIN, call("T_Item", "Do", "1")),
        (0, ADMIN, call("T_Item.Number=1", "Do", "1")),
    ])
    .await;
    let alone = Request::InvokeMethod(InvokeMethod {
        target: path("T_Alone.Number=1"),
        method: CimName::of("Do"),
        parameters: Vec::new(),
    });
    check(vec![(16, ADMIN, alone)]).await;
}
