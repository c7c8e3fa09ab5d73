//! What is written is read again as the same value; what is not ours never panics.

use std::sync::Arc;

use bytes::BytesMut;
use proptest::collection::vec;
use proptest::prelude::*;

use super::samples::{self, slot};
use crate::cimxml::{
    Agreement, Answer, CallHeaders, CimHeaders, DecodeError, Forms, Item, Limits, Method, decode,
    decode_response, encode_request, is_xml_char,
};
use crate::model::{
    CimName, CimType, CimValue, Class, Instance, InstanceDecl, Keys, Literal, Namespace,
    ObjectPath, PropertyValue,
};
use crate::ops::{self, Addressed, Object, Pulled, PulledObject, Reply, Request, Select};

pub(super) fn text() -> impl Strategy<Value = String> {
    let character = prop_oneof![
        any::<char>().prop_filter("XML can carry it", |c| is_xml_char(*c)),
        prop::sample::select(vec![
            '&', '<', '>', '"', '\'', ']', '\r', '\n', '\t', ' ', ';'
        ]),
    ];
    vec(character, 0..12).prop_map(String::from_iter)
}

pub(super) fn name() -> impl Strategy<Value = CimName> {
    "[A-Za-z_äЖ中][A-Za-z0-9_äЖ中]{0,8}".prop_map(|text| CimName::new(&text).expect("a name"))
}

/// Timestamps in any offset, intervals, and both with less than all of their digits.
fn datetime() -> impl Strategy<Value = CimValue> {
    let timestamp = (
        1u32..=9998,
        1u32..=12,
        1u32..=28,
        0u32..1_000_000,
        -720i32..=840,
    );
    let timestamp = timestamp.prop_map(|(year, month, day, micros, offset)| {
        format!("{year:04}{month:02}{day:02}235900.{micros:06}{offset:+04}")
    });
    let interval = (
        0u32..=99_999_998,
        0u32..24,
        0u32..60,
        0u32..60,
        0u32..1_000_000,
    );
    let interval = interval.prop_map(|(days, hours, minutes, seconds, micros)| {
        format!("{days:08}{hours:02}{minutes:02}{seconds:02}.{micros:06}:000")
    });
    // From there on to the dot and behind it; a digit of a field that is cut is one of all.
    let unknown = prop::sample::select(vec![4, 6, 8, 10, 12, 14, 21]);
    (prop_oneof![timestamp, interval], unknown).prop_map(|(text, from)| {
        let masked = text.char_indices().map(|(at, c)| {
            if (from..21).contains(&at) && c != '.' {
                '*'
            } else {
                c
            }
        });
        let masked: String = masked.collect();
        let value = masked.parse().or_else(|_| text.parse());
        CimValue::DateTime(value.expect("a datetime"))
    })
}

pub(super) fn simple(ty: CimType) -> BoxedStrategy<CimValue> {
    match ty {
        CimType::Boolean => any::<bool>().prop_map(CimValue::Boolean).boxed(),
        CimType::String => text().prop_map(CimValue::string).boxed(),
        CimType::Char16 => any::<u16>()
            .prop_filter("XML can carry it", |unit| {
                char::from_u32((*unit).into()).is_some_and(is_xml_char)
            })
            .prop_map(CimValue::Char16)
            .boxed(),
        CimType::Real32 => any::<f32>()
            .prop_filter("NaN equals nothing", |v| !v.is_nan())
            .prop_map(CimValue::Real32)
            .boxed(),
        CimType::Real64 => any::<f64>()
            .prop_filter("NaN equals nothing", |v| !v.is_nan())
            .prop_map(CimValue::Real64)
            .boxed(),
        CimType::DateTime => datetime().boxed(),
        CimType::Reference => path(1)
            .prop_map(|p| CimValue::Reference(Box::new(p)))
            .boxed(),
        integer => {
            let (low, high) = integer.integer_range().expect("an integer type");
            (low..=high)
                .prop_map(move |n| CimValue::integer(integer, n).expect("in range"))
                .boxed()
        }
    }
}

fn key(depth: u32) -> BoxedStrategy<CimValue> {
    let scalars: Vec<BoxedStrategy<CimValue>> = CimType::ALL
        .into_iter()
        .filter(|ty| *ty != CimType::Reference)
        .map(simple)
        .collect();
    let scalar = proptest::strategy::Union::new(scalars);
    if depth == 0 {
        return scalar.boxed();
    }
    let reference = path(depth - 1).prop_map(|p| CimValue::Reference(Box::new(p)));
    prop_oneof![4 => scalar, 1 => reference].boxed()
}

pub(super) fn path(depth: u32) -> BoxedStrategy<ObjectPath> {
    let namespace = prop::option::of(prop::sample::select(vec![
        "root",
        "root/cimv2",
        "interop",
        "root/ä",
        "a%41/b",
    ]));
    let keys = prop::option::of(vec((name(), key(depth)), 0..3));
    (any::<bool>(), namespace, name(), keys)
        .prop_map(|(remote, namespace, class, keys)| {
            let mut bound = Keys::default();
            for (name, value) in keys.iter().flatten() {
                if bound.get(name.as_str()).is_none() {
                    bound.push(name.clone(), value.clone());
                }
            }
            ObjectPath {
                host: (remote && namespace.is_some()).then(|| Arc::from("host:5988")),
                namespace: namespace.map(|text| Namespace::new(text).expect("a namespace")),
                class,
                keys: keys.is_some().then_some(bound),
            }
        })
        .boxed()
}

const PROPERTIES: [(&str, &str); 15] = [
    ("P0", "A0"),
    ("P1", "A1"),
    ("P2", "A2"),
    ("P3", "A3"),
    ("P4", "A4"),
    ("P5", "A5"),
    ("P6", "A6"),
    ("P7", "A7"),
    ("P8", "A8"),
    ("P9", "A9"),
    ("P10", "A10"),
    ("P11", "A11"),
    ("P12", "A12"),
    ("P13", "A13"),
    ("P14", "A14"),
];

/// A class with a property and an array of each type (references are never in arrays).
fn class() -> Arc<Class> {
    let mut class = Class::clone(&samples::class());
    for ((scalar, array), ty) in PROPERTIES.into_iter().zip(CimType::ALL) {
        let mut add = |name, is_array| {
            let property = samples::property(name, slot(ty, is_array));
            class
                .properties
                .insert(property.name.clone(), Arc::new(property));
        };
        add(scalar, false);
        if ty != CimType::Reference {
            add(array, true);
        }
    }
    Arc::new(class)
}

pub(super) fn instance() -> impl Strategy<Value = Instance> {
    let scalars: Vec<_> = CimType::ALL.map(simple).map(prop::option::of).into();
    let array = |ty| prop::option::of(vec(prop::option::of(simple(ty)), 0..4));
    let arrays: Vec<_> = CimType::ALL.map(array).into();
    (scalars, arrays, text()).prop_map(|(scalars, arrays, id)| {
        let mut instance = Instance::empty(class());
        let inner = samples::instance(&id, &[("Priority", CimValue::Uint32(1))]);
        let embedded = CimValue::Instance(Box::new(inner));
        instance
            .set("Detail", embedded.clone())
            .expect("an embedded instance");
        instance
            .set("Details", CimValue::Array(vec![CimValue::Null, embedded]))
            .expect("an array");
        for ((scalar, array), (one, many)) in
            PROPERTIES.into_iter().zip(scalars.into_iter().zip(arrays))
        {
            instance
                .set(scalar, one.unwrap_or(CimValue::Null))
                .expect("a value of the type");
            let entries = |list: Vec<Option<CimValue>>| {
                CimValue::Array(
                    list.into_iter()
                        .map(|e| e.unwrap_or(CimValue::Null))
                        .collect(),
                )
            };
            if instance.get(array).is_some() {
                instance
                    .set(array, many.map_or(CimValue::Null, entries))
                    .expect("an array");
            }
        }
        instance
    })
}

/// Whether `written` means `value`, which stands in a slot of type `ty`.
pub(super) fn means(written: &Literal, value: &CimValue, ty: CimType) -> bool {
    match (written, value) {
        (Literal::Instance(decl), CimValue::Instance(instance)) => is_of(decl, instance),
        (Literal::Array(entries), CimValue::Array(values)) => {
            entries.len() == values.len()
                && entries
                    .iter()
                    .zip(values)
                    .all(|(entry, value)| means(entry, value, ty))
        }
        (literal, value) => literal.resolve(ty, false).as_ref() == Ok(value),
    }
}

pub(super) fn is_of(decl: &InstanceDecl, instance: &Instance) -> bool {
    decl.class == instance.class.name
        && decl.properties.len() == instance.class.properties.len()
        && instance.iter().all(|(property, value)| {
            decl.get(property.name.as_str()).is_some_and(|given| {
                given.ty == Some(property.slot.ty)
                    && given.is_array == property.slot.is_array
                    && means(&given.value, value, property.slot.ty)
            })
        })
}

pub(super) fn encoded(call: &Addressed) -> BytesMut {
    let mut out = BytesMut::new();
    encode_request(&mut out, "a<&>\"\n", call).expect("a call that XML can carry");
    out
}

pub(super) fn sent(request: Request) -> Addressed {
    Addressed {
        namespace: Namespace::of("root/cimv2"),
        request,
    }
}

fn a_request() -> impl Strategy<Value = Vec<u8>> {
    let parameters = vec((name(), text(), any::<bool>()), 0..3);
    (path(1), parameters).prop_map(|(target, parameters)| {
        let parameter = |(name, text, is_array): (CimName, String, bool)| {
            let value = Literal::Text(text.into());
            PropertyValue {
                name,
                ty: Some(CimType::String),
                is_array,
                value: if is_array {
                    Literal::Array(vec![value])
                } else {
                    value
                },
            }
        };
        let call = sent(Request::InvokeMethod(ops::InvokeMethod {
            target,
            method: CimName::of("Run"),
            parameters: parameters.into_iter().map(parameter).collect(),
        }));
        encoded(&call).to_vec()
    })
}

fn is_answerable(error: &DecodeError) -> bool {
    match error.answer() {
        Answer::Http(fault) => matches!(fault.status, 400 | 501) && fault.cim_error.is_some(),
        Answer::Cim(_, _) => error.envelope.is_some(),
    }
}

proptest! {
    #[test]
    fn instances_return_as_they_were(instance in instance()) {
        let mut out = BytesMut::new();
        let encoder = samples::encoder("GetInstance", true);
        let reply = Reply::Instance { instance: Box::new(instance.clone()), select: Select::default() };
        prop_assert!(encoder.begin(&mut out, reply).is_ok());
        let response = decode_response(&out, &Limits::default()).expect("we understand ourselves");
        let returned = response.outcome.expect("a success");
        let decl = returned.instance().expect("one instance");
        prop_assert!(is_of(&decl, &instance), "{decl:?}");
    }

    #[test]
    fn paths_return_as_they_were(path in path(2)) {
        let inside = ObjectPath { host: None, namespace: None, keys: Some(path.keys.clone().unwrap_or_default()), class: path.class.clone() };
        let call = sent(Request::DeleteInstance(ops::DeleteInstance { path: inside }));
        let decoded = decode(&encoded(&call), &Limits::default()).expect("we understand ourselves");
        prop_assert_eq!(decoded.call, call);
        prop_assert_eq!(decoded.envelope.head.message_id, "a<&>\"\n");
    }

    #[test]
    fn headers_say_what_the_body_says(target in path(2), other in path(2)) {
        let of = |target: &ObjectPath| sent(Request::InvokeMethod(ops::InvokeMethod {
            target: target.clone(),
            method: CimName::of("Run"),
            parameters: Vec::new(),
        }));
        let call = of(&target);
        let decoded = decode(&encoded(&call), &Limits::default()).expect("we understand ourselves");
        let keys = |path: &ObjectPath| path.keys.as_ref().map_or(0, |keys| keys.iter().count());
        let others = (target.class != other.class || keys(&target) != keys(&other)).then(|| of(&other));
        let same = std::iter::once((&call, true));
        for (call, agrees) in same.chain(others.as_ref().map(|call| (call, false))) {
            let written = CallHeaders::of(call);
            let headers = [
                ("CIMOperation", "MethodCall"),
                ("CIMMethod", written.method.as_str()),
                ("CIMObject", written.object.as_str()),
            ];
            prop_assert!(written.object.bytes().all(|byte| (b' '..0x7f).contains(&byte)), "{}", written.object);
            let headers = headers.map(|(name, value)| (name, value.as_bytes()));
            let read = CimHeaders::read(Method::Post, &headers, Agreement::Tolerant).expect("headers that can be read");
            let agreed = read.agree(&decoded.envelope, Agreement::Strict);
            prop_assert_eq!(agreed.is_ok(), agrees, "{}", written.object);
        }
    }

    #[test]
    fn pulled_objects_return_as_they_were(mut instance in instance(), key in text(), context in "[0-9a-f]{1,32}") {
        instance.set("InstanceID", CimValue::string(key)).expect("the key is a string");
        let object = Object { namespace: Namespace::of("root/cimv2"), instance: instance.clone() };
        let encoder = samples::encoder("PullInstancesWithPath", true).with_host("h".into());
        let mut out = BytesMut::new();
        let pieces = [
            Pulled::Object(PulledObject::Instance(object.clone())),
            Pulled::End { context: Some(context.clone()) },
        ];
        encoder.start(&mut out);
        let mut forms = Forms::new(Select::default());
        for piece in &pieces {
            prop_assert!(encoder.pulled(&mut out, piece, &mut forms, None).is_ok());
        }
        encoder.finish(&mut out);
        let response = decode_response(&out, &Limits::default()).expect("we understand ourselves");
        let returned = response.outcome.expect("a success");
        prop_assert_eq!(returned.enumeration(), Ok(Some(context)));
        let found = returned.named_instance().expect("one instance");
        prop_assert!(is_of(&found.instance, &instance), "{found:?}");
        prop_assert_eq!(found.path.keys, Some(object.path().keys));
        prop_assert_eq!(found.path.namespace, Some(object.namespace));
    }

    #[test]
    fn references_return_as_they_were(path in path(2)) {
        let mut out = BytesMut::new();
        let instance = samples::instance("a", &[("Partner", CimValue::Reference(Box::new(path.clone())))]);
        let reply = Reply::Instance { instance: Box::new(instance), select: Select::default() };
        prop_assert!(samples::encoder("Get", true).begin(&mut out, reply).is_ok());
        let response = decode_response(&out, &Limits::default()).expect("we understand ourselves");
        let Ok([Item::Instance(decl)]) = response.outcome.as_ref().map(|r| &*r.items) else {
            panic!("one instance was sent");
        };
        let given = decl.get("Partner").map(|given| given.value.clone());
        prop_assert_eq!(given, Some(Literal::Reference(Box::new(path))));
    }

    #[test]
    fn arbitrary_bytes_never_panic(bytes in vec(any::<u8>(), 0..200)) {
        prop_assert!(decode(&bytes, &Limits::default()).is_err());
        prop_assert!(decode_response(&bytes, &Limits::default()).is_err());
    }

    #[test]
    fn arbitrary_markup_never_panics(text in "([<>/&;'\"= a-c!?-]|CIM|<!--|-->|<!\\[CDATA\\[|\\]\\]>|<\\?|\\?>|&#x?[0-9a-f]*;|<!DOCTYPE ){0,40}") {
        prop_assert!(decode(text.as_bytes(), &Limits::default()).is_err());
    }

    #[test]
    fn mutated_requests_never_panic(request in a_request(), changes in vec((any::<prop::sample::Index>(), any::<u8>()), 1..4), cut in any::<prop::sample::Index>()) {
        let mut mutated = request.clone();
        for (at, byte) in changes {
            let at = at.index(mutated.len());
            mutated[at] = byte;
        }
        // Whatever comes of it, an error can be answered and names a place in the body.
        if let Err(error) = decode(&mutated, &Limits::default()) {
            prop_assert!(error.offset <= mutated.len());
            prop_assert!(is_answerable(&error));
        }
        let cut = cut.index(request.len() - 1);
        prop_assert!(decode(&request[..cut], &Limits::default()).is_err());
    }
}
