//! The requests that real clients send, in `fixtures/wire`: each decodes, its headers agree with
//! its body, and sent by our own client it is the request in the `.expect` file.
//!
//! `JOBWRIGHT_BLESS=1` writes the `.expect` files anew; they are reviewed like code.

#![expect(clippy::disallowed_methods, reason = "fixtures are files")]

use std::fs;
use std::path::{Path, PathBuf};

use bytes::BytesMut;

use crate::cimxml::{
    Agreement, Answer, CimHeaders, Decoded, Limits, Method, Refusal, decode, encode_request,
};

fn requests() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/wire");
    let folders = fs::read_dir(root).expect("the folder of wire fixtures");
    let mut found: Vec<PathBuf> = folders
        .flatten()
        .flat_map(|folder| fs::read_dir(folder.path()).expect("a folder of an operation"))
        .flatten()
        .map(|file| file.path())
        .filter(|path| path.extension().is_some_and(|ending| ending == "http"))
        .collect();
    found.sort();
    found
}

/// The method, the headers and the body of a request written with bare line feeds.
fn split(request: &str) -> (Method, Vec<(&str, &[u8])>, &str) {
    let (head, body) = request
        .split_once("\n\n")
        .expect("an empty line after the headers");
    let mut lines = head.lines();
    let method = match lines.next().and_then(|line| line.split_once(' ')) {
        Some(("POST", _)) => Method::Post,
        Some(("M-POST", _)) => Method::MPost,
        other => panic!("{other:?} is not a request line of these fixtures"),
    };
    let headers = lines
        .map(|line| {
            let (name, value) = line.split_once(": ").expect("a header has a value");
            (name, value.as_bytes())
        })
        .collect();
    (method, headers, body)
}

fn outcome(request: &str) -> String {
    let (method, headers, body) = split(request);
    let headers = match CimHeaders::read(method, &headers, Agreement::Tolerant) {
        Ok(headers) => headers,
        Err(fault) => {
            return format!(
                "{} {:?}\n",
                fault.status,
                fault.cim_error.map(Refusal::as_str)
            );
        }
    };
    match decode(body.as_bytes(), &Limits::default()) {
        Ok(decoded) => match headers.agree(&decoded.envelope, Agreement::Strict) {
            Ok(()) => sent_again(&decoded),
            Err(fault) => format!(
                "{} {:?}\n",
                fault.status,
                fault.cim_error.map(Refusal::as_str)
            ),
        },
        Err(error) => match error.answer() {
            Answer::Http(fault) => format!(
                "{} {:?}\n",
                fault.status,
                fault.cim_error.map(Refusal::as_str)
            ),
            Answer::Cim(_, error) => format!("{error}\n"),
        },
    }
}

fn sent_again(decoded: &Decoded) -> String {
    let mut out = BytesMut::new();
    encode_request(&mut out, &decoded.envelope.head.message_id, &decoded.call)
        .expect("what was decoded can be encoded");
    let text = String::from_utf8(out.to_vec()).expect("we send UTF-8");
    let again = decode(text.as_bytes(), &Limits::default()).expect("we understand ourselves");
    assert_eq!(
        again.call, decoded.call,
        "the client sends another request than was decoded"
    );
    broken_into_lines(&text)
}

fn broken_into_lines(text: &str) -> String {
    [
        "<MESSAGE",
        "<PARAMVALUE",
        "<IPARAMVALUE",
        "<INSTANCE ",
        "<PROPERTY",
        "</SIMPLEREQ",
    ]
    .iter()
    .fold(text.to_owned(), |text, start| {
        text.replace(start, &format!("\n{start}"))
    })
}

#[test]
fn every_recorded_shape_of_request_is_understood() {
    let all = requests();
    assert!(
        all.len() > 30,
        "only {} wire fixtures were found",
        all.len()
    );
    let bless = std::env::var_os("JOBWRIGHT_BLESS").is_some();
    let mut faults = Vec::new();
    for path in all {
        let request = fs::read_to_string(&path).expect("a readable fixture");
        let actual = outcome(&request);
        let expect = path.with_extension("expect");
        if bless {
            fs::write(&expect, &actual).expect("a writable fixture");
        }
        let expected = fs::read_to_string(&expect).unwrap_or_default();
        if actual != expected {
            faults.push(format!("{}:\n{actual}", path.display()));
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}
