//! What CIM-XML carries: values of every type in every place, and nothing that XML 1.0 has no characters for.

use bytes::BytesMut;
use proptest::collection::vec;
use proptest::prelude::*;

use super::roundtrip::{encoded, is_of, means, path, sent, simple, text};
use super::samples;
use crate::cimxml::{
    Agreement, CallHeaders, CimHeaders, Limits, Method, decode, decode_response, encode_request,
    is_xml_char,
};
use crate::model::{
    CimName, CimType, CimValue, InstanceDecl, Keys, Literal, ObjectPath, PropertyValue, key_of_type,
};
use crate::ops::{self, MethodReply, Reply, Request, Select};

/// A scalar and an array of `ty`; entries of the array may be NULL.
fn both(ty: CimType) -> impl Strategy<Value = (CimType, CimValue, CimValue)> {
    let entries = vec(prop::option::of(simple(ty)), 0..4);
    (prop::option::of(simple(ty)), entries).prop_map(move |(one, many)| {
        let entry = |entry: Option<CimValue>| entry.unwrap_or(CimValue::Null);
        let many = CimValue::Array(many.into_iter().map(entry).collect());
        (ty, entry(one), many)
    })
}

fn every_type() -> impl Strategy<Value = Vec<(CimType, CimValue, CimValue)>> {
    let all: Vec<_> = CimType::ALL.map(|ty| both(ty).boxed()).into();
    all
}

/// A value as a client writes it, before a class is known.
fn literal(value: &CimValue) -> Literal {
    match value {
        CimValue::Null => Literal::Null,
        CimValue::Array(entries) => Literal::Array(entries.iter().map(literal).collect()),
        CimValue::Reference(path) => Literal::Reference(path.clone()),
        CimValue::String(text) => Literal::Text(text.clone()),
        other => Literal::Text(other.to_string().into()),
    }
}

/// An instance inside an instance, so many levels deep, with text that needs escaping at each.
fn nested(texts: &[String]) -> CimValue {
    let (first, rest) = texts.split_first().expect("one text for each level");
    let mut values = vec![(
        "Command",
        CimValue::Array(vec![CimValue::string(first.as_str())]),
    )];
    if !rest.is_empty() {
        let inner = nested(rest);
        let entries = vec![CimValue::Null, inner.clone(), inner.clone()];
        values.push(("Detail", inner));
        values.push(("Details", CimValue::Array(entries)));
    }
    CimValue::Instance(Box::new(samples::instance(first, &values)))
}

/// The answer to a method call, read again.
fn answered(reply: MethodReply) -> crate::cimxml::Returned {
    let mut out = BytesMut::new();
    let encoder = samples::encoder("Run", false);
    assert!(encoder.begin(&mut out, Reply::Method(reply)).is_ok());
    let response = decode_response(&out, &Limits::default()).expect("we understand ourselves");
    response.outcome.expect("a success")
}

fn call(parameters: Vec<PropertyValue>) -> ops::Addressed {
    sent(Request::InvokeMethod(ops::InvokeMethod {
        target: "root/cimv2:JW_Sample.InstanceID=\"a\""
            .parse()
            .expect("a path"),
        method: CimName::of("Run"),
        parameters,
    }))
}

fn given(name: &str, ty: CimType, value: Literal, is_array: bool) -> PropertyValue {
    PropertyValue {
        name: CimName::new(name).expect("a name"),
        ty: Some(ty),
        is_array,
        value,
    }
}

/// Paths like `path` and of other objects: another class, another key, a key more and less, another
/// namespace.
fn others(path: &ObjectPath) -> Vec<ObjectPath> {
    let with = |keys: Keys| ObjectPath {
        keys: Some(keys),
        ..path.clone()
    };
    let class = format!("{}_", path.class);
    let mut all = vec![ObjectPath {
        class: CimName::new(&class).expect("a name"),
        ..path.clone()
    }];
    let keys = path.keys.clone().unwrap_or_default();
    let mut more = keys.clone();
    more.push(CimName::of("OneMoreKey"), CimValue::string(""));
    all.push(with(more));
    if let Some((_, last)) = keys.iter().last() {
        let without = |value: Option<CimValue>| {
            let mut changed = Keys::default();
            for (name, key) in keys.iter().take(keys.len() - 1) {
                changed.push(name.clone(), key.clone());
            }
            if let (Some(value), Some((name, _))) = (value, keys.iter().last()) {
                changed.push(name.clone(), value);
            }
            changed
        };
        if keys.len() > 1 {
            all.push(with(without(None)));
        }
        if let CimValue::String(text) = last {
            let changed = CimValue::string(format!("{text}\\"));
            all.push(with(without(Some(changed))));
        }
    }
    all
}

/// Whether `read`, which came from text and has no types of keys, is `path`.
fn same_path(read: &ObjectPath, path: &ObjectPath) -> bool {
    let same = |(read, key): (&CimValue, &CimValue)| {
        let ty = key.ty().expect("no key is NULL");
        match (key_of_type(read, ty), key) {
            (Ok(CimValue::Reference(read)), CimValue::Reference(path)) => same_path(&read, path),
            (typed, key) => typed.as_ref() == Ok(key),
        }
    };
    let keys = |path: &ObjectPath| path.keys.clone().unwrap_or_default();
    let (read_keys, path_keys) = (keys(read), keys(path));
    (&read.host, &read.namespace, &read.class) == (&path.host, &path.namespace, &path.class)
        && read_keys.len() == path_keys.len()
        && path_keys.iter().all(|(name, key)| {
            let read = read_keys.get(name.as_str());
            read.is_some_and(|read| same((read, key)))
        })
}

fn headers_agree(of: &ops::Addressed, body: &ops::Addressed) -> bool {
    let decoded = decode(&encoded(body), &Limits::default()).expect("we understand ourselves");
    let written = CallHeaders::of(of);
    let headers = [
        ("CIMOperation", "MethodCall"),
        ("CIMMethod", written.method.as_str()),
        ("CIMObject", written.object.as_str()),
    ];
    let headers = headers.map(|(name, value)| (name, value.as_bytes()));
    let read = CimHeaders::read(Method::Post, &headers, Agreement::Tolerant);
    let read = read.expect("headers that can be read");
    read.agree(&decoded.envelope, Agreement::Strict).is_ok()
}

/// Text of which some XML can carry and some not.
fn any_text() -> impl Strategy<Value = String> {
    let bad = prop::sample::select(vec![
        '\0', '\u{1}', '\u{b}', '\u{1f}', '\u{fffe}', '\u{ffff}',
    ]);
    prop_oneof![
        text(),
        (text(), bad, text()).prop_map(|(before, bad, after)| format!("{before}{bad}{after}")),
        any::<String>(),
    ]
}

fn of_text(text: &str) -> [CimValue; 5] {
    let one = CimValue::string(text);
    let path = ObjectPath {
        host: None,
        namespace: None,
        class: CimName::of("CIM_Job"),
        keys: Some(Keys::from_iter([(CimName::of("InstanceID"), one.clone())])),
    };
    let inner = samples::instance(text, &[]);
    [
        one.clone(),
        CimValue::Array(vec![CimValue::Null, one]),
        CimValue::Reference(Box::new(path.clone())),
        CimValue::Array(vec![CimValue::Reference(Box::new(path))]),
        CimValue::Instance(Box::new(inner)),
    ]
}

fn type_of(value: &CimValue) -> CimType {
    match value {
        CimValue::Array(entries) => entries.iter().find_map(CimValue::ty),
        one => one.ty(),
    }
    .unwrap_or(CimType::String)
}

proptest! {
    #[test]
    fn outputs_of_methods_return_as_they_were(values in every_type(), texts in vec(text(), 1..4)) {
        let mut reply = MethodReply::code(7);
        let mut put = |name: String, ty, value: &CimValue| {
            reply.outputs.push((CimName::new(&name).expect("a name"), ty, value.clone()));
        };
        for (ty, one, many) in &values {
            put(format!("One_{ty}"), *ty, one);
            put(format!("Many_{ty}"), *ty, many);
        }
        let embedded = nested(&texts);
        put("Embedded".into(), CimType::String, &embedded);
        let embedded_array = CimValue::Array(vec![embedded.clone(), CimValue::Null]);
        put("Embeddeds".into(), CimType::String, &embedded_array);
        let returned = answered(reply);
        prop_assert_eq!(&returned.value, &Some((Some(CimType::Uint32), Literal::Text("7".into()))));
        let is = |name: String, ty, value: &CimValue| {
            let written = returned.outputs.iter().find(|output| output.name.is(&name));
            let written = written.map_or(&Literal::Null, |output| &output.value);
            prop_assert!(means(written, value, ty), "{name}: {written:?} is not {value:?}");
            Ok(())
        };
        for (ty, one, many) in &values {
            is(format!("One_{ty}"), *ty, one)?;
            is(format!("Many_{ty}"), *ty, many)?;
        }
        is("Embedded".into(), CimType::String, &embedded)?;
        is("Embeddeds".into(), CimType::String, &embedded_array)?;
    }

    #[test]
    fn inputs_of_methods_return_as_they_were(values in every_type()) {
        let both = values.iter().flat_map(|(ty, one, many)| [
            given(&format!("One_{ty}"), *ty, literal(one), false),
            given(&format!("Many_{ty}"), *ty, literal(many), true),
        ]);
        // NULL has no element that says whether it is an array.
        let call = call(both.filter(|given| given.value != Literal::Null).collect());
        let decoded = decode(&encoded(&call), &Limits::default()).expect("we understand ourselves");
        prop_assert_eq!(decoded.call, call);
    }

    #[test]
    fn instances_inside_instances_return_as_they_were(texts in vec(text(), 1..6)) {
        let CimValue::Instance(instance) = nested(&texts) else { panic!("an instance") };
        let mut out = BytesMut::new();
        let reply = Reply::Instance { instance: instance.clone(), select: Select::default() };
        prop_assert!(samples::encoder("GetInstance", true).begin(&mut out, reply).is_ok());
        let response = decode_response(&out, &Limits::default()).expect("we understand ourselves");
        let decl = response.outcome.expect("a success").instance().expect("one instance");
        prop_assert!(is_of(&decl, &instance), "{decl:?}");
        // And back, as a client sends what it was given.
        let created = sent(Request::CreateInstance(ops::CreateInstance { instance: decl }));
        let decoded = decode(&encoded(&created), &Limits::default()).expect("we understand ourselves");
        prop_assert_eq!(decoded.call, created);
    }

    #[test]
    fn headers_name_one_object_alone(target in path(2)) {
        let of = |target: &ObjectPath| sent(Request::InvokeMethod(ops::InvokeMethod {
            target: target.clone(),
            method: CimName::of("Run"),
            parameters: Vec::new(),
        }));
        let call = of(&target);
        prop_assert!(headers_agree(&call, &call), "{target}");
        for other in others(&target) {
            prop_assert!(!headers_agree(&of(&other), &call), "{other} is taken for {target}");
            prop_assert!(!headers_agree(&call, &of(&other)), "{target} is taken for {other}");
        }
        // A key whose name was left out, as the only one.
        if let Some((_, value)) = target.keys.iter().flat_map(Keys::iter).next() {
            let mut unnamed = Keys::default();
            unnamed.push(CimName::unnamed(), value.clone());
            let unnamed = of(&ObjectPath { keys: Some(unnamed), ..target.clone() });
            prop_assert!(headers_agree(&unnamed, &unnamed), "{target}");
        }
    }

    #[test]
    fn paths_are_read_again_from_their_text(path in path(2)) {
        let text = path.to_string();
        let again: ObjectPath = text.parse().unwrap_or_else(|error| panic!("{text}: {error}"));
        prop_assert!(same_path(&again, &path), "{text} was read as {again:?}");
    }

    #[test]
    fn what_xml_cannot_carry_is_refused(text in any_text()) {
        let carried = text.chars().all(is_xml_char);
        for value in of_text(&text) {
            let mut reply = MethodReply::code(0);
            let ty = type_of(&value);
            reply.output("Out", ty, value.clone());
            let mut out = BytesMut::from("before");
            let written = samples::encoder("Run", false).begin(&mut out, Reply::Method(reply.clone()));
            prop_assert_eq!(written.is_ok(), carried, "{:?}", value);
            if carried {
                let returned = answered(reply);
                let found = returned.output("Out").expect("it was sent");
                prop_assert!(means(found, &value, ty), "{found:?} is not {value:?}");
            }
        }
        let mut requests = vec![call(vec![given("In", CimType::String, Literal::Text(text.as_str().into()), false)])];
        requests.push(sent(Request::CreateInstance(ops::CreateInstance {
            instance: InstanceDecl {
                class: CimName::of("JW_Sample"),
                properties: vec![given("Name", CimType::String, Literal::Array(vec![Literal::Text(text.as_str().into())]), true)],
            },
        })));
        for call in requests {
            let mut out = BytesMut::from("before");
            prop_assert_eq!(encode_request(&mut out, "7", &call).is_ok(), carried);
            if carried {
                let decoded = decode(&encoded(&call), &Limits::default()).expect("we understand ourselves");
                prop_assert_eq!(decoded.call, call);
            } else {
                prop_assert_eq!(&out[..], b"before", "nothing of it was written");
            }
        }
    }

    #[test]
    fn halves_of_characters_are_refused(unit in any::<u16>()) {
        let carried = char::from_u32(unit.into()).is_some_and(is_xml_char);
        let mut reply = MethodReply::code(0);
        reply.output("Out", CimType::Char16, CimValue::Char16(unit));
        let mut out = BytesMut::new();
        let written = samples::encoder("Run", false).begin(&mut out, Reply::Method(reply));
        prop_assert_eq!(written.is_ok(), carried);
    }
}

#[test]
fn what_is_no_number_and_what_has_no_end_are_carried() {
    let reals = [
        CimValue::Real32(f32::INFINITY),
        CimValue::Real32(f32::NEG_INFINITY),
        CimValue::Real32(f32::NAN),
        CimValue::Real32(-0.0),
        CimValue::Real32(f32::MIN_POSITIVE / 2.0),
        CimValue::Real64(f64::INFINITY),
        CimValue::Real64(f64::NEG_INFINITY),
        CimValue::Real64(f64::NAN),
        CimValue::Real64(-0.0),
        CimValue::Real64(f64::MIN_POSITIVE / 2.0),
        CimValue::Real64(f64::MAX),
    ];
    let bits = |value: &CimValue| match value {
        CimValue::Real32(real) if real.is_nan() => None,
        CimValue::Real64(real) if real.is_nan() => None,
        CimValue::Real32(real) => Some(u64::from(real.to_bits())),
        CimValue::Real64(real) => Some(real.to_bits()),
        other => panic!("{other:?} is no real"),
    };
    for value in reals {
        let ty = value.ty().expect("a type");
        let mut reply = MethodReply::code(0);
        reply.output("One", ty, value.clone());
        reply.output(
            "Many",
            ty,
            CimValue::Array(vec![value.clone(), CimValue::Null]),
        );
        let returned = answered(reply);
        let one = returned
            .output("One")
            .expect("it was sent")
            .resolve(ty, false);
        assert_eq!(bits(&one.expect("a real")), bits(&value), "{value}");
        let many = returned
            .output("Many")
            .expect("it was sent")
            .resolve(ty, true);
        match many.expect("an array") {
            CimValue::Array(entries) => {
                assert_eq!(bits(&entries[0]), bits(&value), "{value}");
                assert!(entries[1].is_null());
            }
            other => panic!("{other:?} is no array"),
        }
    }
}
