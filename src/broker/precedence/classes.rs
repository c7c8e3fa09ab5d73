//! Classes and qualifiers.

use crate::model::{
    CimName, CimType, CimValue, ClassDecl, Flavor, PropertyDecl, QualifierDecl, Scope, TypeDecl,
};
use crate::ops::{
    ClassSelect, CreateClass, DeleteClass, DeleteQualifier, EnumerateClassNames, EnumerateClasses,
    EnumerateQualifiers, GetClass, GetQualifier, ModifyClass, Request, SetQualifier,
};

use super::{ADMIN, LOST_ADMIN, LOST_READER, LOST_STRANGER, READER, check};

#[tokio::test]
async fn of_reading_classes() {
    let get = |class: &'static str| {
        Request::GetClass(GetClass {
            class: CimName::of(class),
            select: ClassSelect::default(),
        })
    };
    let qualifier = |name: &'static str| {
        Request::GetQualifier(GetQualifier {
            name: CimName::of(name),
        })
    };
    let qualifiers = || Request::EnumerateQualifiers(EnumerateQualifiers {});
    check(vec![
        (3, LOST_READER, get("T_None")),
        (6, READER, get("T_None")),
        (0, READER, get("T_Item")),
        (3, LOST_READER, qualifier("None")),
        (6, READER, qualifier("None")),
        (0, READER, qualifier("Key")),
        (3, LOST_READER, qualifiers()),
        (0, READER, qualifiers()),
    ])
    .await;
    let classes = |class: &'static str| {
        Request::EnumerateClasses(EnumerateClasses {
            class: Some(CimName::of(class)),
            deep_inheritance: true,
            select: ClassSelect::default(),
        })
    };
    let names = |class: &'static str| {
        Request::EnumerateClassNames(EnumerateClassNames {
            class: Some(CimName::of(class)),
            deep_inheritance: true,
        })
    };
    for one in [classes as fn(&'static str) -> Request, names] {
        check(vec![
            (3, LOST_READER, one("T_None")),
            (5, READER, one("T_None")),
            (0, READER, one("T_Item")),
        ])
        .await;
    }
}

/// A class with one property, whose qualifiers are nothing that anybody declared where it `is_wrong`.
fn class(name: &'static str, superclass: Option<&'static str>, is_wrong: bool) -> ClassDecl {
    let twice = if is_wrong { 2 } else { 1 };
    let property = PropertyDecl {
        name: CimName::of("New"),
        ty: TypeDecl::scalar(CimType::Uint32),
        qualifiers: Vec::new(),
        default: None,
        origin: None,
        propagated: false,
    };
    ClassDecl {
        name: CimName::of(name),
        superclass: superclass.map(CimName::of),
        qualifiers: Vec::new(),
        properties: vec![property; twice],
        methods: Vec::new(),
    }
}

#[tokio::test]
async fn of_writing_classes() {
    let create = |class| Request::CreateClass(CreateClass { class });
    let modify = |class| Request::ModifyClass(ModifyClass { class });
    let delete = |name| {
        Request::DeleteClass(DeleteClass {
            class: CimName::of(name),
        })
    };
    let (none, wrong) = (Some("T_None"), true);
    check(vec![
        (2, LOST_STRANGER, create(class("T_Item", none, wrong))),
        (3, LOST_ADMIN, create(class("T_Item", none, wrong))),
        (11, ADMIN, create(class("T_Item", none, false))),
        (10, ADMIN, create(class("T_New", none, false))),
        (4, ADMIN, create(class("T_New", None, wrong))),
        (0, ADMIN, create(class("T_New", None, false))),
        (2, LOST_STRANGER, modify(class("T_None", none, wrong))),
        (3, LOST_ADMIN, modify(class("T_None", none, wrong))),
        (6, ADMIN, modify(class("T_None", none, false))),
        (10, ADMIN, modify(class("T_Above", none, false))),
        (8, ADMIN, modify(class("T_Above", None, false))),
        (9, ADMIN, modify(class("T_Used", None, false))),
        (0, ADMIN, modify(class("T_Alone", None, false))),
        (2, LOST_STRANGER, delete("T_None")),
        (3, LOST_ADMIN, delete("T_None")),
        (6, ADMIN, delete("T_None")),
        (8, ADMIN, delete("T_Above")),
        (9, ADMIN, delete("T_Used")),
        (0, ADMIN, delete("T_Alone")),
    ])
    .await;
}

#[tokio::test]
async fn of_writing_qualifiers() {
    let set = |name, ty| {
        Request::SetQualifier(SetQualifier {
            qualifier: QualifierDecl {
                name: CimName::of(name),
                ty,
                is_array: false,
                array_size: None,
                default: CimValue::Null,
                scope: Scope::PROPERTY,
                flavor: Flavor::default(),
            },
        })
    };
    let delete = |name| {
        Request::DeleteQualifier(DeleteQualifier {
            name: CimName::of(name),
        })
    };
    check(vec![
        (2, LOST_STRANGER, set("Key", CimType::String)),
        (3, LOST_ADMIN, set("Key", CimType::String)),
        (1, ADMIN, set("Key", CimType::String)),
        (0, ADMIN, set("T_New", CimType::String)),
        (2, LOST_STRANGER, delete("None")),
        (3, LOST_ADMIN, delete("None")),
        (6, ADMIN, delete("None")),
        (1, ADMIN, delete("Key")),
    ])
    .await;
}
