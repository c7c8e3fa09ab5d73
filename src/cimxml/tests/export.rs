//! Export messages, both directions.

use bytes::BytesMut;

use super::samples;
use crate::cimxml::{
    DecodeErrorKind, Limits, Sequence, decode_export, decode_export_response, decode_indication,
    encode_export, encode_export_response, encode_indication,
};
use crate::model::{CimError, CimValue, Status};

const SEQUENCE: Sequence<'static> = Sequence {
    context: "service#1#<2>",
    number: 41,
};

fn exported(body: &str) -> Result<Result<String, Status>, DecodeErrorKind> {
    let decoded = decode_export(body.as_bytes(), &Limits::default());
    let decoded = decoded.map_err(|error| error.kind)?;
    Ok(decoded
        .indication
        .map(|decl| decl.class.to_string())
        .map_err(|error| error.status))
}

fn message(call: &str) -> String {
    format!(
        "<CIM CIMVERSION=\"2.0\" DTDVERSION=\"2.0\"><MESSAGE ID=\"7\" PROTOCOLVERSION=\"1.0\">\
         {call}</MESSAGE></CIM>"
    )
}

#[test]
fn an_indication_arrives_as_it_was_sent_with_its_place_in_the_sequence() {
    let sample = samples::instance(
        "JW:1",
        &[(
            "Command",
            CimValue::Array(vec![CimValue::string("a <b> &"), CimValue::Null]),
        )],
    );
    let encoded = encode_indication(&sample).expect("values that XML can carry");
    let mut out = BytesMut::new();
    encode_export(&mut out, "id-9", &encoded, SEQUENCE).expect("an encoded indication");
    let received = decode_export(&out, &Limits::default()).expect("an export request");
    assert_eq!(received.message_id, "id-9");
    let decl = received.indication.expect("an indication");
    let own = decode_indication(&encoded, &Limits::default()).expect("an encoded indication");
    assert_eq!(decl.class, own.class);
    let (sent, added) = decl.properties.split_at(own.properties.len());
    assert_eq!(sent, own.properties);
    let added: Vec<String> = added
        .iter()
        .map(|property| format!("{}={:?}", property.name, property.value))
        .collect();
    assert_eq!(
        added.len(),
        2,
        "the two properties of the sequence: {added:?}"
    );
    assert!(added[0].contains("service#1#<2>"), "{added:?}");
    assert!(added[1].contains("41"), "{added:?}");
}

#[test]
fn what_is_no_encoded_indication_is_not_sent() {
    let mut out = BytesMut::new();
    for bad in ["", "<INSTANCE>", "{}"] {
        let error = encode_export(&mut out, "1", bad.as_bytes(), SEQUENCE);
        assert_eq!(
            error.map_err(|error| error.status),
            Err(Status::Failed),
            "{bad:?}"
        );
        assert!(out.is_empty(), "nothing of {bad:?} was written");
    }
}

#[test]
fn a_value_that_xml_cannot_carry_is_no_indication() {
    let mut sample = samples::instance(
        "JW:1",
        &[(
            "Command",
            CimValue::Array(vec![CimValue::string("a <b> &"), CimValue::Null]),
        )],
    );
    let name = "InstanceID";
    sample
        .set(name, CimValue::string("a\u{1}b"))
        .expect("a string");
    let error = encode_indication(&sample).expect_err("a control character");
    assert!(error.description.contains(name), "{error:?}");
}

#[test]
fn a_listener_tells_wrong_requests_apart() {
    let check = |call: &str, expected: Result<Result<&str, Status>, &str>| {
        let found = exported(&message(call));
        let found = found.map_err(|kind| format!("{kind:?}"));
        match (&found, &expected) {
            (Ok(found), Ok(expected)) => {
                let found = found.as_ref().map(String::as_str).map_err(|status| *status);
                assert_eq!(found, *expected, "{call}");
            }
            (Err(found), Err(expected)) => assert!(found.starts_with(expected), "{call}: {found}"),
            (_, _) => panic!("{call}: {found:?} where {expected:?} was expected"),
        }
    };
    let call = |name: &str, inner: &str| {
        format!(
            "<SIMPLEEXPREQ><EXPMETHODCALL NAME=\"{name}\">{inner}</EXPMETHODCALL></SIMPLEEXPREQ>"
        )
    };
    let instance = "<INSTANCE CLASSNAME=\"CIM_InstCreation\"></INSTANCE>";
    let parameter = format!("<EXPPARAMVALUE NAME=\"NewIndication\">{instance}</EXPPARAMVALUE>");
    check(
        &call("ExportIndication", &parameter),
        Ok(Ok("CIM_InstCreation")),
    );
    check(
        &call("exportindication", &parameter),
        Ok(Ok("CIM_InstCreation")),
    );
    check(
        &call("ExportOther", &parameter),
        Ok(Err(Status::NotSupported)),
    );
    check(
        &call("ExportIndication", ""),
        Ok(Err(Status::InvalidParameter)),
    );
    let nameless = format!("<EXPPARAMVALUE NAME=\"Other\">{instance}</EXPPARAMVALUE>");
    check(&call("ExportIndication", &nameless), Err("NotLooselyValid"));
    check("<MULTIEXPREQ></MULTIEXPREQ>", Err("MultipleRequests"));
    check("<SIMPLEREQ></SIMPLEREQ>", Err("NotValid"));
    check("<SIMPLEEXPREQ></SIMPLEEXPREQ>", Err("NotLooselyValid"));
    let after = format!("{}<SIMPLEEXPREQ/>", call("ExportIndication", &parameter));
    check(&after, Err("NotLooselyValid"));
}

#[test]
fn an_answer_is_taken_or_refused() {
    let mut out = BytesMut::new();
    encode_export_response(&mut out, "3", None);
    let limits = Limits::default();
    assert_eq!(decode_export_response(&out, &limits), Ok(Ok(())));
    let refusal = CimError::failed("the queue is full");
    out.clear();
    encode_export_response(&mut out, "3", Some(&refusal));
    assert_eq!(decode_export_response(&out, &limits), Ok(Err(refusal)));
    let returning = message(
        "<SIMPLEEXPRSP><EXPMETHODRESPONSE NAME=\"ExportIndication\"><IRETURNVALUE/>\
         </EXPMETHODRESPONSE></SIMPLEEXPRSP>",
    );
    assert_eq!(
        decode_export_response(returning.as_bytes(), &limits),
        Ok(Ok(()))
    );
    let other = message("<SIMPLERSP></SIMPLERSP>");
    assert!(
        decode_export_response(other.as_bytes(), &limits).is_err(),
        "no export response"
    );
}
