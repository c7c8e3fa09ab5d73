//! Batches: what is understood, what costs one request of them and what costs all.

use super::samples::{encoder, intrinsic, parameter};
use crate::cimxml::{
    Answer, Limits, Part, Refusal, ResponseEncoder, begin_batch, decode_batch, end_batch,
};
use crate::model::CimError;
use bytes::BytesMut;

const GOOD: &str = "<CLASSNAME NAME=\"CIM_Job\"/>";

/// A single request without the document around it.
fn simple(parameters: &str) -> String {
    let document = intrinsic("EnumerateInstanceNames", parameters);
    let start = document.find("<SIMPLEREQ>").expect("a request");
    let end = document.find("</SIMPLEREQ>").expect("its end");
    format!("{}</SIMPLEREQ>", &document[start..end])
}

fn good() -> String {
    simple(&parameter("ClassName", GOOD))
}

fn batch(parts: &[String]) -> String {
    let document = intrinsic("X", "");
    let (before, rest) = document.split_once("<SIMPLEREQ>").expect("a request");
    let (_, after) = rest.split_once("</SIMPLEREQ>").expect("its end");
    format!("{before}<MULTIREQ>{}</MULTIREQ>{after}", parts.concat())
}

fn check(parts: &[String], expected: &str) {
    let body = batch(parts);
    let answer = match decode_batch(body.as_bytes(), &Limits::default()) {
        Ok(batch) => batch.parts.iter().map(shown).collect(),
        Err(error) => match error.answer() {
            Answer::Http(fault) => format!(
                "{} {}",
                fault.status,
                fault.cim_error.map_or("-", Refusal::as_str)
            ),
            Answer::Cim(_, error) => panic!("{error} is answered for the whole of {body}"),
        },
    };
    assert_eq!(answer, expected, "{body}");
}

fn shown(part: &Part) -> String {
    match part {
        Part::Call(decoded) => format!("{};", decoded.call.request.name()),
        Part::Refused(envelope, error) => {
            format!("{} {};", envelope.head.method, error.status.code())
        }
    }
}

#[test]
fn a_wrong_value_costs_one_request() {
    let names = "EnumerateInstanceNames;";
    check(&[good(), good()], &names.repeat(2));
    let wrong = simple(&parameter(
        "ClassName",
        "<CLASSNAME NAME=\"1 Job\"/><CLASSNAME NAME=\"x\"/>",
    ));
    let expected = format!("{names}EnumerateInstanceNames 4;{names}");
    check(&[good(), wrong, good()], &expected);
    let unknown = good().replace("EnumerateInstanceNames", "FlyToTheMoon");
    check(&[unknown, good()], &format!("FlyToTheMoon;{names}"));
}

#[test]
fn what_is_wrong_with_the_document_costs_the_batch() {
    check(&[good()], "400 request-not-loosely-valid");
    check(
        &[good(), simple("<CLASS/>")],
        "400 request-not-loosely-valid",
    );
    check(&[good(), good() + "<"], "400 request-not-well-formed");
    check(
        &[good(), "<SIMPLEREQ/>".to_owned()],
        "400 request-not-loosely-valid",
    );
    let wrong = simple(&parameter("ClassName", "<CLASSNAME NAME=\"1\"/>"));
    check(&[wrong + "</X>", good()], "400 request-not-well-formed");
}

#[test]
fn a_batch_has_a_limit() {
    let limit = Limits::default().batch;
    assert_eq!(limit, 100);
    check(
        &vec![good(); limit],
        &"EnumerateInstanceNames;".repeat(limit),
    );
    check(
        &vec![good(); limit + 1],
        "501 multiple-requests-unsupported",
    );
}

#[test]
fn a_single_request_is_no_batch() {
    let single = intrinsic("EnumerateInstanceNames", &parameter("ClassName", GOOD));
    let refused = decode_batch(single.as_bytes(), &Limits::default()).expect_err("no batch");
    let Answer::Http(fault) = refused.answer() else {
        panic!("{refused} is no HTTP error");
    };
    assert_eq!(
        (fault.status, fault.cim_error),
        (400, Some(Refusal::HeaderMismatch))
    );
}

#[test]
fn answers_stand_in_one_message() {
    let mut alone = BytesMut::new();
    encoder("A", true).error(&mut alone, &CimError::failed("x"));
    let alone = String::from_utf8(alone.to_vec()).expect("text");
    let (before, rest) = alone.split_once("<SIMPLERSP>").expect("a response");
    let (response, after) = rest.split_once("</SIMPLERSP>").expect("its end");
    let mut batch = BytesMut::new();
    let head = crate::cimxml::ResponseHead {
        message_id: "7".to_owned(),
        method: "A".to_owned(),
        intrinsic: true,
    };
    begin_batch(&mut batch, &head.message_id);
    for _ in 0..2 {
        ResponseEncoder::in_batch(head.clone()).error(&mut batch, &CimError::failed("x"));
    }
    end_batch(&mut batch);
    let part = format!("<SIMPLERSP>{response}</SIMPLERSP>");
    assert_eq!(
        batch,
        format!("{before}<MULTIRSP>{part}{part}</MULTIRSP>{after}")
    );
}
