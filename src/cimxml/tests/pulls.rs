//! The pulled enumerations on the wire: what we send as clients we understand as a server, and what
//! we answer has the form that DSP0200 1.4 §5.4.2.24 gives it.

use bytes::BytesMut;

use super::samples;
use crate::cimxml::{
    Agreement, DecodeErrorKind, Limits, Rest, decode, decode_response, encode_request,
};
use crate::model::{
    CimName, CimValue, Keys, Literal, Namespace, ObjectPath, PropertyValue, Status,
};
use crate::ops::{
    self, Addressed, AssociatorFilter, ClassReply, ClassSelect, Object, Opening, PullReply,
    PullShape, Pulled, PulledObject, ReferenceFilter, Reply, Request, Select, Terms, stream_of,
};

fn opening() -> Opening {
    Opening {
        filter_language: Some("DMTF:FQL".to_owned()),
        filter: Some("Name = 'a<b'".to_owned()),
        terms: Terms {
            timeout_seconds: Some(40),
            continue_on_error: true,
            max_objects: u32::MAX,
        },
    }
}

fn select() -> Select {
    Select {
        properties: Some(vec![CimName::of("Name"), CimName::of("JobState")]),
        class_origin: true,
    }
}

fn path() -> ObjectPath {
    let mut keys = Keys::default();
    keys.push(CimName::of("InstanceID"), CimValue::string("a:1"));
    ObjectPath {
        host: None,
        namespace: None,
        class: CimName::of("JW_Job"),
        keys: Some(keys),
    }
}

fn references() -> ReferenceFilter {
    ReferenceFilter {
        result: Some(CimName::of("CIM_Dependency")),
        role: Some(CimName::of("Antecedent")),
    }
}

fn associators() -> AssociatorFilter {
    AssociatorFilter {
        association: Some(CimName::of("CIM_Dependency")),
        result: Some(CimName::of("CIM_Job")),
        role: Some(CimName::of("Antecedent")),
        result_role: Some(CimName::of("Dependent")),
    }
}

fn opens(opening: &Opening) -> Vec<Request> {
    let (class, opening) = (CimName::of("JW_Job"), || opening.clone());
    vec![
        Request::OpenEnumerateInstances(ops::OpenEnumerateInstances {
            class: class.clone(),
            deep_inheritance: false,
            select: select(),
            opening: opening(),
        }),
        Request::OpenEnumerateInstancePaths(ops::OpenEnumerateInstancePaths {
            class,
            opening: opening(),
        }),
        Request::OpenReferenceInstances(ops::OpenReferenceInstances {
            path: path(),
            filter: references(),
            select: select(),
            opening: opening(),
        }),
        Request::OpenReferenceInstancePaths(ops::OpenReferenceInstancePaths {
            path: path(),
            filter: references(),
            opening: opening(),
        }),
        Request::OpenAssociatorInstances(ops::OpenAssociatorInstances {
            path: path(),
            filter: associators(),
            select: select(),
            opening: opening(),
        }),
        Request::OpenAssociatorInstancePaths(ops::OpenAssociatorInstancePaths {
            path: path(),
            filter: associators(),
            opening: opening(),
        }),
        Request::OpenQueryInstances(ops::OpenQueryInstances {
            language: "WQL".to_owned(),
            query: "SELECT * FROM JW_Job".to_owned(),
            return_class: true,
            terms: opening().terms,
        }),
    ]
}

fn others() -> Vec<Request> {
    let context = || "0a".to_owned();
    vec![
        Request::PullInstancesWithPath(ops::PullInstancesWithPath {
            context: context(),
            max_objects: 0,
        }),
        Request::PullInstancePaths(ops::PullInstancePaths {
            context: context(),
            max_objects: 7,
        }),
        Request::PullInstances(ops::PullInstances {
            context: context(),
            max_objects: u32::MAX,
        }),
        Request::CloseEnumeration(ops::CloseEnumeration { context: context() }),
        Request::EnumerationCount(ops::EnumerationCount { context: context() }),
    ]
}

#[test]
fn what_we_send_is_what_we_understand() {
    let all = [opens(&opening()), opens(&Opening::default()), others()];
    for request in all.concat() {
        let call = Addressed {
            namespace: Namespace::of("root/cimv2"),
            request,
        };
        let mut out = BytesMut::new();
        encode_request(&mut out, "7", &call).expect("a call that XML can carry");
        let decoded = decode(&out, &Limits::default()).expect("we understand ourselves");
        assert_eq!(decoded.call, call);
    }
}

/// The request of a call with those parameters, or the status and text of its refusal.
fn understood(method: &str, parameters: &str) -> Result<Request, (Status, String)> {
    understood_by(Agreement::Tolerant, method, parameters)
}

fn understood_by(
    agreement: Agreement,
    method: &str,
    parameters: &str,
) -> Result<Request, (Status, String)> {
    let text = samples::intrinsic(method, parameters);
    let limits = Limits {
        agreement,
        ..Limits::default()
    };
    match decode(text.as_bytes(), &limits) {
        Ok(decoded) => Ok(decoded.call.request),
        Err(error) => match error.kind {
            DecodeErrorKind::Cim(error) => Err((error.status, error.description)),
            other => panic!("{other}"),
        },
    }
}

fn value(name: &str, text: &str) -> String {
    samples::parameter(name, &format!("<VALUE>{text}</VALUE>"))
}

#[test]
fn what_is_left_out_has_its_default() {
    let class = samples::parameter("ClassName", "<CLASSNAME NAME=\"JW_Job\"/>");
    let expected = Request::OpenEnumerateInstances(ops::OpenEnumerateInstances {
        class: CimName::of("JW_Job"),
        deep_inheritance: true,
        select: Select::default(),
        opening: Opening::default(),
    });
    let nulls = [
        "FilterQuery",
        "OperationTimeout",
        "ContinueOnError",
        "MaxObjectCount",
    ];
    let nulls: String = nulls
        .iter()
        .map(|name| samples::parameter(name, ""))
        .collect();
    for parameters in [class.clone(), format!("{nulls}{class}")] {
        assert_eq!(
            understood("openenumerateinstances", &parameters),
            Ok(expected.clone())
        );
    }
}

/// NULL is a value of a parameter only where the standard says so; else a strict server refuses it.
#[test]
fn null_is_a_default_unless_the_server_is_strict() {
    let class = samples::parameter("ClassName", "<CLASSNAME NAME=\"JW_Job\"/>");
    for (name, is_allowed) in [
        ("DeepInheritance", false),
        ("IncludeClassOrigin", false),
        ("PropertyList", true),
        ("FilterQueryLanguage", true),
        ("FilterQuery", true),
        ("OperationTimeout", true),
        ("ContinueOnError", false),
        ("MaxObjectCount", false),
    ] {
        let parameters = format!("{class}{}", samples::parameter(name, ""));
        let by = |agreement| understood_by(agreement, "OpenEnumerateInstances", &parameters);
        let left_out = understood("OpenEnumerateInstances", &class);
        assert_eq!(by(Agreement::Tolerant), left_out, "{name}");
        match by(Agreement::Strict) {
            Ok(request) => assert!(is_allowed && Ok(request) == left_out, "{name}"),
            Err((status, text)) => {
                assert_eq!((status, is_allowed), (Status::InvalidParameter, false));
                assert!(text.starts_with(name), "{text}");
            }
        }
    }
}

/// An instance's path without keys is what some clients write for a class; no instance of this server is
/// without keys, so that a strict one takes it for neither.
#[test]
fn a_path_without_keys_is_a_class_unless_the_server_is_strict() {
    let object = |inner: &str| samples::parameter("ObjectName", inner);
    let keyless = object("<INSTANCENAME CLASSNAME=\"JW_Job\"/>");
    let class = object("<CLASSNAME NAME=\"JW_Job\"/>");
    let key =
        "<KEYBINDING NAME=\"InstanceID\"><KEYVALUE VALUETYPE=\"string\">a</KEYVALUE></KEYBINDING>";
    let keyed = object(&format!(
        "<INSTANCENAME CLASSNAME=\"JW_Job\">{key}</INSTANCENAME>"
    ));
    for method in [
        "Associators",
        "AssociatorNames",
        "References",
        "ReferenceNames",
    ] {
        for sound in [&class, &keyed] {
            let tolerated = understood(method, sound);
            assert!(tolerated.is_ok(), "{method}: {tolerated:?}");
            assert_eq!(understood_by(Agreement::Strict, method, sound), tolerated);
        }
        let tolerated = understood(method, &keyless);
        assert!(tolerated.is_ok(), "{method}: {tolerated:?}");
        let refused = understood_by(Agreement::Strict, method, &keyless);
        let (status, text) = refused.expect_err(method);
        assert_eq!(status, Status::InvalidParameter);
        assert!(text.starts_with("ObjectName: "), "{text}");
    }
}

fn check_refused(method: &str, parameters: &[&str], named: &str) {
    let (status, text) = understood(method, &parameters.concat()).expect_err(method);
    assert_eq!(status, Status::InvalidParameter, "{method}");
    assert!(
        text.starts_with(named),
        "{method}: expected {named} in: {text}"
    );
}

#[test]
fn wrong_parameters_of_an_open_are_named() {
    let class = &*samples::parameter("ClassName", "<CLASSNAME NAME=\"JW_Job\"/>");
    let instance = &*samples::parameter("InstanceName", "<INSTANCENAME CLASSNAME=\"JW_Job\"/>");
    let given = |name, text| value(name, text);
    let check = check_refused;
    check("OpenEnumerateInstances", &[], "ClassName");
    let wrong = given("MaxObjectCount", "-1");
    check("OpenEnumerateInstances", &[class, &wrong], "MaxObjectCount");
    let wrong = given("LocalOnly", "TRUE");
    check("OpenEnumerateInstances", &[class, &wrong], "LocalOnly");
    let wrong = given("OperationTimeout", "4294967296");
    check(
        "OpenEnumerateInstancePaths",
        &[class, &wrong],
        "OperationTimeout",
    );
    let wrong = given("DeepInheritance", "TRUE");
    check(
        "OpenEnumerateInstancePaths",
        &[class, &wrong],
        "DeepInheritance",
    );
    check("OpenReferenceInstances", &[class], "InstanceName");
    check(
        "OpenReferenceInstancePaths",
        &[instance, instance],
        "InstanceName",
    );
    let wrong = given("ContinueOnError", "maybe");
    check(
        "OpenAssociatorInstances",
        &[instance, &wrong],
        "ContinueOnError",
    );
    let wrong = samples::parameter("FilterQuery", "<VALUE.ARRAY></VALUE.ARRAY>");
    check(
        "OpenAssociatorInstancePaths",
        &[instance, &wrong],
        "FilterQuery",
    );
    let wrong = given("FilterQueryLanguage", "WQL");
    check("OpenQueryInstances", &[&wrong], "FilterQuery");
}

#[test]
fn wrong_parameters_of_a_pull_are_named() {
    let context = &*value("EnumerationContext", "0a");
    let (count, null) = (
        value("MaxObjectCount", "1"),
        samples::parameter("MaxObjectCount", ""),
    );
    let check = check_refused;
    check("PullInstancesWithPath", &[context], "MaxObjectCount");
    check("PullInstancePaths", &[context, &null], "MaxObjectCount");
    check("PullInstances", &[&count], "EnumerationContext");
    check("CloseEnumeration", &[context, &count], "MaxObjectCount");
    let null = samples::parameter("EnumerationContext", "");
    check("EnumerationCount", &[&null], "EnumerationContext");
}

const OBJECT: &str = "<INSTANCE CLASSNAME=\"JW_Sample\"><PROPERTY NAME=\"InstanceID\" TYPE=\"string\">\
    <VALUE>a</VALUE></PROPERTY></INSTANCE>";
const PATH: &str = "<INSTANCEPATH><NAMESPACEPATH><HOST>h:5988</HOST><LOCALNAMESPACEPATH>\
    <NAMESPACE NAME=\"root\"/><NAMESPACE NAME=\"cimv2\"/></LOCALNAMESPACEPATH></NAMESPACEPATH>\
    <INSTANCENAME CLASSNAME=\"JW_Sample\"><KEYBINDING NAME=\"InstanceID\">\
    <KEYVALUE VALUETYPE=\"string\" TYPE=\"string\">a</KEYVALUE></KEYBINDING></INSTANCENAME></INSTANCEPATH>";

fn answered(pieces: &[Pulled], shape: PullShape) -> String {
    let encoder = samples::encoder("Pull", true).with_host("h:5988".into());
    let mut out = BytesMut::new();
    let reply = Reply::Pulled(PullReply {
        stream: stream_of(Vec::new()),
        shape,
    });
    let Ok(Rest::Pulled {
        mut forms,
        result_class,
        ..
    }) = encoder.begin(&mut out, reply)
    else {
        panic!("a pull is streamed");
    };
    for piece in pieces {
        encoder
            .pulled(&mut out, piece, &mut forms, result_class.as_ref())
            .expect("XML can carry it");
    }
    encoder.finish(&mut out);
    String::from_utf8(out.to_vec()).expect("we send UTF-8")
}

fn check(piece: PulledObject, context: Option<&str>, inner: &str) {
    let shape = PullShape {
        select: Select {
            properties: Some(vec![CimName::of("InstanceID")]),
            class_origin: false,
        },
        result_class: None,
    };
    let end = Pulled::End {
        context: context.map(str::to_owned),
    };
    let text = answered(&[Pulled::Object(piece), end], shape);
    let (_, body) = text
        .split_once("<IMETHODRESPONSE NAME=\"Pull\">")
        .expect("a response");
    assert_eq!(
        body,
        format!("{inner}</IMETHODRESPONSE></SIMPLERSP></MESSAGE></CIM>\n")
    );
}

#[test]
fn each_kind_has_its_element_and_the_end_says_how_to_go_on() {
    let object = Object {
        namespace: Namespace::of("root/cimv2"),
        instance: samples::instance("a", &[]),
    };
    let more = "<PARAMVALUE NAME=\"EndOfSequence\" PARAMTYPE=\"boolean\"><VALUE>FALSE</VALUE></PARAMVALUE>\
        <PARAMVALUE NAME=\"EnumerationContext\" PARAMTYPE=\"string\"><VALUE>0a</VALUE></PARAMVALUE>";
    let over =
        "<PARAMVALUE NAME=\"EndOfSequence\" PARAMTYPE=\"boolean\"><VALUE>TRUE</VALUE></PARAMVALUE>";
    let path = PulledObject::Path(object.path());
    check(
        path.clone(),
        Some("0a"),
        &format!("<IRETURNVALUE>{PATH}</IRETURNVALUE>{more}"),
    );
    check(
        path,
        None,
        &format!("<IRETURNVALUE>{PATH}</IRETURNVALUE>{over}"),
    );
    let row = PulledObject::Row(object.instance.clone());
    check(
        row,
        None,
        &format!("<IRETURNVALUE>{OBJECT}</IRETURNVALUE>{over}"),
    );
    let inner = format!("<VALUE.INSTANCEWITHPATH>{PATH}{OBJECT}</VALUE.INSTANCEWITHPATH>");
    let inner = format!("<IRETURNVALUE>{inner}</IRETURNVALUE>{more}");
    check(PulledObject::Instance(object), Some("0a"), &inner);
}

#[test]
fn a_client_reads_objects_context_and_class() {
    let shape = PullShape {
        select: Select::default(),
        result_class: Some(ClassReply {
            class: samples::class(),
            select: ClassSelect::default(),
        }),
    };
    let row = Pulled::Object(PulledObject::Row(samples::instance("a", &[])));
    let end = Pulled::End {
        context: Some("0a".to_owned()),
    };
    let text = answered(&[row, end], shape);
    let response =
        decode_response(text.as_bytes(), &Limits::default()).expect("we understand ourselves");
    let returned = response.outcome.expect("a success");
    assert_eq!(returned.items.len(), 1);
    let output = |name: &str| -> Option<&PropertyValue> {
        returned.outputs.iter().find(|output| output.name.is(name))
    };
    let context = output("EnumerationContext").map(|output| output.value.clone());
    assert_eq!(context, Some(Literal::Text("0a".into())));
    let class = output("QueryResultClass").map(|output| &output.value);
    assert!(
        matches!(class, Some(Literal::Class(class)) if class.name.is("JW_Sample")),
        "{class:?}"
    );
}
