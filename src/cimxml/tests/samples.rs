//! A class, an instance and requests that the tests of the codec share.

use std::sync::Arc;

use crate::cimxml::{ResponseEncoder, ResponseHead};
use crate::model::{
    CimName, CimType, CimValue, Class, ClassKind, Embedding, Flavor, Instance, Method, NameMap,
    Parameter, Property, Qualifier, Slot,
};

pub(super) fn slot(ty: CimType, is_array: bool) -> Slot {
    Slot {
        ty,
        is_array,
        array_kind: crate::model::ArrayKind::default(),
        array_size: None,
        reference_class: None,
        embedding: None,
        checks: Box::new([]),
    }
}

pub(super) fn property(name: &'static str, slot: Slot) -> Property {
    Property {
        name: CimName::of(name),
        slot,
        qualifiers: Arc::default(),
        default: CimValue::Null,
        origin: CimName::of("JW_Sample"),
        propagated: false,
        key: false,
        required: false,
        write: true,
        read: true,
    }
}

fn qualifier(name: &'static str, value: CimValue, overridable: bool) -> Qualifier {
    Qualifier {
        name: CimName::of(name),
        ty: value.ty().unwrap_or(CimType::String),
        is_array: false,
        value,
        flavor: Flavor {
            overridable,
            ..Flavor::default()
        },
        propagated: !overridable,
    }
}

fn references() -> Slot {
    Slot {
        reference_class: Some(CimName::of("CIM_Job")),
        ..slot(CimType::Reference, false)
    }
}

fn embedded(is_array: bool) -> Slot {
    Slot {
        embedding: Some(Embedding::Instance(CimName::of("JW_Sample"))),
        ..slot(CimType::String, is_array)
    }
}

/// A class with a property of every shape; the first is its key, the last cannot be read.
pub(super) fn class() -> Arc<Class> {
    let mut key = property("InstanceID", slot(CimType::String, false));
    key.key = true;
    let quals = [
        qualifier("Key", CimValue::Boolean(true), false),
        qualifier("MaxLen", CimValue::Uint32(64), true),
    ];
    let quals = quals.into_iter().map(|q| (q.name.clone(), q)).collect();
    key.qualifiers = Arc::new(quals);
    let mut priority = property("Priority", slot(CimType::Uint32, false));
    priority.default = CimValue::Uint32(5);
    priority.propagated = true;
    priority.origin = CimName::of("CIM_Job");
    let mut secret = property("Secret", slot(CimType::String, false));
    secret.read = false;
    let properties = [
        key,
        priority,
        property("Command", slot(CimType::String, true)),
        property("Started", slot(CimType::DateTime, false)),
        property("Letter", slot(CimType::Char16, false)),
        property("Partner", references()),
        property("Detail", embedded(false)),
        property("Details", embedded(true)),
        secret,
    ];
    Arc::new(Class {
        name: CimName::of("JW_Sample"),
        ancestors: Box::new([CimName::of("CIM_Job")]),
        qualifiers: NameMap::new(),
        properties: properties
            .into_iter()
            .map(|p| (p.name.clone(), Arc::new(p)))
            .collect(),
        methods: [(CimName::of("Run"), Arc::new(method()))]
            .into_iter()
            .collect(),
        keys: Box::new([0]),
        kind: ClassKind::Ordinary,
        is_abstract: false,
    })
}

fn method() -> Method {
    let parameter = |name, slot| Parameter {
        name: CimName::of(name),
        slot,
        qualifiers: NameMap::new(),
        input: true,
        output: false,
        required: false,
    };
    let all = [
        parameter("How", slot(CimType::Uint16, true)),
        parameter("Job", references()),
    ];
    Method {
        name: CimName::of("Run"),
        returns: Some(slot(CimType::Uint32, false)),
        qualifiers: Arc::default(),
        parameters: Arc::new(all.into_iter().map(|p| (p.name.clone(), p)).collect()),
        origin: CimName::of("JW_Sample"),
        propagated: false,
        is_static: false,
    }
}

/// An instance with that id and those values.
pub(super) fn instance(id: &str, values: &[(&str, CimValue)]) -> Instance {
    let mut instance = Instance::empty(class());
    instance
        .set("InstanceID", CimValue::string(id))
        .expect("the key is a string");
    for (name, value) in values {
        instance
            .set(name, value.clone())
            .expect("a value of the declared type");
    }
    instance
}

/// The encoder of the response to `method`.
pub(super) fn encoder(method: &str, intrinsic: bool) -> ResponseEncoder {
    ResponseEncoder::new(ResponseHead {
        message_id: "7".into(),
        method: method.into(),
        intrinsic,
    })
}

/// A request of one intrinsic call with those parameter elements.
pub(super) fn intrinsic(method: &str, parameters: &str) -> String {
    document(&format!(
        "<IMETHODCALL NAME=\"{method}\"><LOCALNAMESPACEPATH><NAMESPACE NAME=\"root\"/>\
         <NAMESPACE NAME=\"cimv2\"/></LOCALNAMESPACEPATH>{parameters}</IMETHODCALL>"
    ))
}

/// A request with that call.
pub(super) fn document(call: &str) -> String {
    format!(
        "<?xml version=\"1.0\" encoding=\"utf-8\" ?><CIM CIMVERSION=\"2.0\" DTDVERSION=\"2.0\">\
         <MESSAGE ID=\"7\" PROTOCOLVERSION=\"1.0\"><SIMPLEREQ>{call}</SIMPLEREQ></MESSAGE></CIM>"
    )
}

/// A parameter with that content.
pub(super) fn parameter(name: &str, content: &str) -> String {
    format!("<IPARAMVALUE NAME=\"{name}\">{content}</IPARAMVALUE>")
}
