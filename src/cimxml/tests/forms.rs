//! An instance of a list is written as it is written alone.

use std::sync::Arc;

use bytes::BytesMut;
use proptest::prelude::*;

use super::roundtrip::instance;
use super::samples::{self, property, slot};
use crate::cimxml::{EncodeError, Forms, KnownForms, forms, path_writer, value_writer};
use crate::model::{CimName, CimType, CimValue, Class, Instance, Namespace, ObjectPath};
use crate::ops::{Object, Select};

type Text = Result<Vec<u8>, EncodeError>;

fn text(write: impl FnOnce(&mut BytesMut) -> Result<(), EncodeError>) -> Text {
    let mut out = BytesMut::new();
    write(&mut out)?;
    Ok(out.to_vec())
}

/// That `forms` write `instance` and its paths as whoever writes one alone.
fn check(forms: &mut Forms, instance: &Instance, select: &Select) {
    let alone = text(|out| value_writer::instance(out, instance, select));
    assert_eq!(text(|out| forms.instance(out, instance)), alone);
    let class = &instance.class.name;
    let alone = text(|out| path_writer::instance_name(out, class, &instance.keys()));
    assert_eq!(text(|out| forms.name(out, instance)), alone);
    for namespace in ["root/cimv2", "interop", "root/cimv2"] {
        let object = Object {
            namespace: Namespace::of(namespace),
            instance: instance.clone(),
        };
        let alone = text(|out| path_writer::absolute_instance(out, "here:5988", &object.path()));
        assert_eq!(text(|out| forms.path(out, "here:5988", &object)), alone);
    }
}

/// Instances of `class` with nothing and with these values of the property `Key`.
fn check_keys(ty: CimType, values: &[CimValue]) {
    let mut key = property("Key", slot(ty, false));
    key.key = true;
    let class = class("JW_Keyed", vec![key]);
    let mut forms = Forms::new(Select::default());
    for value in values.iter().chain([&CimValue::Null]) {
        let mut instance = Instance::empty(class.clone());
        let set = instance.set("Key", value.clone());
        set.expect("a value of the type");
        check(&mut forms, &instance, &Select::default());
    }
}

fn class(name: &str, properties: Vec<crate::model::Property>) -> Arc<Class> {
    let properties = properties.into_iter();
    Arc::new(Class {
        name: CimName::new(name).expect("a name"),
        properties: properties
            .map(|property| (property.name.clone(), Arc::new(property)))
            .collect(),
        ..Class::clone(&samples::class())
    })
}

proptest! {
    #[test]
    fn instances_of_a_list_are_written_as_one_alone(first in instance(), second in instance()) {
        for class_origin in [false, true] {
            let lists = [None, Some(vec![]), Some(vec!["DETAILS", "U8", "Missing"])];
            for list in lists {
                let properties = list.map(|names| names.into_iter().map(CimName::of).collect());
                let select = Select { properties, class_origin };
                let mut forms = Forms::new(select.clone());
                check(&mut forms, &first, &select);
                check(&mut forms, &second, &select);
            }
        }
    }
}

#[test]
fn every_property_of_the_sample_is_written_as_alone() {
    let select = Select::default();
    let mut forms = Forms::new(select.clone());
    let partner = ObjectPath {
        host: None,
        namespace: None,
        class: CimName::of("JW_Sample"),
        keys: None,
    };
    let entry = samples::instance("inner", &[]);
    for values in [
        vec![],
        vec![("Secret", CimValue::string("hidden"))],
        vec![("Command", CimValue::Array(vec![CimValue::string("<&>")]))],
        vec![("Partner", CimValue::Reference(Box::new(partner)))],
        vec![("Detail", CimValue::Instance(Box::new(entry)))],
        vec![("Letter", CimValue::Char16(0xd800))],
    ] {
        check(&mut forms, &samples::instance("a", &values), &select);
    }
    check(&mut forms, &samples::instance("\u{fffe}", &[]), &select);
}

#[test]
fn keys_of_every_type_are_written_as_alone() {
    let time = "20260210120000.000000+060".parse().expect("a datetime");
    check_keys(CimType::String, &[CimValue::string("a\r<")]);
    check_keys(CimType::Boolean, &[CimValue::Boolean(false)]);
    check_keys(CimType::Sint64, &[CimValue::Sint64(i64::MIN)]);
    check_keys(CimType::Real32, &[CimValue::Real32(0.5)]);
    check_keys(CimType::Char16, &[CimValue::Char16(0x20ac)]);
    check_keys(CimType::DateTime, &[CimValue::DateTime(time)]);
    let path = samples::instance("a", &[]).path(&Namespace::of("root"));
    let path = CimValue::Reference(Box::new(path.into()));
    check_keys(CimType::Reference, &[path]);
}

#[test]
fn classes_follow_each_other_and_may_change() {
    let select = Select::default();
    let mut forms = Forms::new(select.clone());
    let text = || property("Text", slot(CimType::String, false));
    let number = || property("Number", slot(CimType::Uint32, false));
    let mut classes: Vec<_> = (0..40)
        .map(|at| class(&format!("JW_Class{at}"), vec![text(), number()]))
        .collect();
    // The same name with other slots.
    classes.push(class("JW_Class0", vec![number(), text()]));
    for class in classes.iter().chain(&classes) {
        let mut instance = Instance::empty(class.clone());
        let set = instance.set("Number", CimValue::Uint32(7));
        set.expect("a number");
        check(&mut forms, &instance, &select);
    }
}

#[test]
fn what_other_answers_have_made_serves_again_and_is_forgotten_in_time() {
    let known = KnownForms::default();
    let select = Select::default();
    let classes: Vec<_> = (0..300)
        .map(|at| {
            let text = property("Text", slot(CimType::String, at % 2 == 0));
            class(&format!("JW_Class{}", at % 100), vec![text])
        })
        .collect();
    for class in classes.iter().chain(&classes) {
        let instance = Instance::empty(class.clone());
        let alone = text(|out| value_writer::instance(out, &instance, &select));
        for _ in 0..2 {
            let written = text(|out| forms::instance(out, &instance, &select, Some(&known)));
            assert_eq!(written, alone);
        }
        let mut listed = Forms::with_known(select.clone(), Some(&known));
        assert_eq!(text(|out| listed.instance(out, &instance)), alone);
    }
}

#[test]
fn a_list_of_some_properties_is_not_written_with_all() {
    let known = KnownForms::default();
    let instance = samples::instance("a", &[]);
    let some = Select {
        properties: Some(vec![]),
        class_origin: false,
    };
    for select in [Select::default(), some, Select::default()] {
        let alone = text(|out| value_writer::instance(out, &instance, &select));
        let written = text(|out| forms::instance(out, &instance, &select, Some(&known)));
        assert_eq!(written, alone);
    }
}
