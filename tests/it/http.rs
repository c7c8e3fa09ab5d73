//! What HTTP says of requests, good and bad: `fixtures/http`, replayed over a socket.
//!
//! In a fixture `Authorization: *` stands for the administrator's and `Content-Length: *` for the right
//! length; a line `====` stands between requests that follow each other, and `{context}` for the
//! enumeration context of the answer before. In an answer `{host}` stands for the machine's name.
//! Every operation has the fixtures `operation-NAME-good` and `operation-NAME-bad`, every value of `CIMError`
//! `STATUS-VALUE` and `200-not-VALUE`. `JOBWRIGHT_BLESS=1` writes the `.expect` files anew; they are reviewed
//! like code.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jobwright::cimxml::Refusal;
use jobwright::ops::Request;
use rustix::system::uname;

use crate::support::{Server, state_dir};

/// Longer than any answer takes, on a machine busy with other tests.
const PATIENCE: Duration = Duration::from_mins(1);
/// Headers that differ from one answer to the next.
const CHANGING: [&str; 3] = [
    "date",
    "wbemserverresponsetime",
    "73-wbemserverresponsetime",
];

fn fixtures() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/http");
    let files = fs::read_dir(folder).expect("the folder of HTTP fixtures");
    let mut found: Vec<PathBuf> = files.flatten().map(|file| file.path()).collect();
    found.retain(|path| path.extension().is_some_and(|ending| ending == "http"));
    found.sort();
    found
}

/// A fixture as it goes over the wire.
pub fn request(fixture: &str, password: &str) -> Vec<u8> {
    let (head, body) = fixture
        .split_once("\n\n")
        .expect("an empty line after the headers");
    let credentials = STANDARD.encode(format!("admin:{password}"));
    let head = head
        .replace(
            "Authorization: *",
            &format!("Authorization: Basic {credentials}"),
        )
        .replace(
            "Content-Length: *",
            &format!("Content-Length: {}", body.len()),
        );
    let head = head.replace('\n', "\r\n");
    format!("{head}\r\nConnection: close\r\n\r\n{body}").into_bytes()
}

/// Everything that the server answers until it closes the connection.
pub fn exchange(port: u16, request: &[u8]) -> Vec<u8> {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).expect("the server listens");
    stream.set_read_timeout(Some(PATIENCE)).expect("a timeout");
    // A server that refuses early may close before all is written; its answer counts.
    drop(stream.write_all(request));
    let mut answer = Vec::new();
    let mut chunk = [0; 4096];
    while let Ok(read @ 1..) = stream.read(&mut chunk) {
        answer.extend_from_slice(&chunk[..read]);
    }
    answer
}

/// The enumeration context that an answer gives.
fn context(answer: &str) -> Option<&str> {
    let (_, rest) = answer
        .split_once("<PARAMVALUE NAME=\"EnumerationContext\" PARAMTYPE=\"string\"><VALUE>")?;
    rest.split('<').next()
}

/// A body without what differs from one machine and from one answer to the next.
fn masked(body: &str) -> String {
    let host = uname();
    let host = host.nodename().to_str().expect("a name of ASCII letters");
    let mut masked = body.to_owned();
    for (before, after) in [
        (">", "</KEYVALUE>"),
        (">Jobwright:", "</KEYVALUE>"),
        (">", "</VALUE>"),
    ] {
        masked = masked.replace(
            &format!("{before}{host}{after}"),
            &format!("{before}{{host}}{after}"),
        );
    }
    match context(body) {
        Some(context) => masked.replace(context, "{context}"),
        None => masked,
    }
}

/// An answer without what changes from one to the next.
fn stable(answer: &[u8]) -> String {
    let text = String::from_utf8_lossy(answer);
    let text = text.trim_start_matches("HTTP/1.1 100 Continue\r\n\r\n");
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or((text, ""));
    let whole = format!("content-length: {}", body.len());
    let body = masked(body);
    let length = format!("content-length: {}", body.len());
    let lines = head.lines().map(|line| {
        let is_length = line.starts_with("content-length:");
        assert!(!is_length || line == whole, "expected {whole} in:\n{text}");
        if is_length { &length } else { line }
    });
    let mut lines: Vec<&str> = lines.collect();
    lines.retain(|line| {
        let name = line.split(':').next().unwrap_or_default();
        !CHANGING
            .iter()
            .any(|changing| name.to_lowercase().ends_with(changing))
    });
    format!("{}\n\n{body}", lines.join("\n"))
}

/// The answers to the requests of a fixture, one after the other.
fn replayed(server: &Server, fixture: &str) -> String {
    let mut answers: Vec<String> = Vec::new();
    let mut open = String::new();
    for text in fixture.split("====\n") {
        let text = text.replace("{context}", &open);
        let answer = exchange(server.port(), &request(&text, &server.password()));
        if let Some(context) = context(&String::from_utf8_lossy(&answer)) {
            context.clone_into(&mut open);
        }
        answers.push(stable(&answer));
    }
    answers.join("====\n")
}

#[test]
fn every_operation_has_a_good_and_a_bad_fixture() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/http");
    let mut faults = Vec::new();
    for operation in Request::NAMES.iter().filter(|name| **name != "Unsupported") {
        for kind in ["good", "bad"] {
            let name = format!("operation-{operation}-{kind}");
            let read = |ending| fs::read_to_string(folder.join(format!("{name}.{ending}")));
            let (Ok(request), Ok(answer)) = (read("http"), read("expect")) else {
                faults.push(format!("{name}: there is no such fixture"));
                continue;
            };
            let (requests, answers) = (request.split("====\n"), answer.split("====\n"));
            let call = match *operation {
                "InvokeMethod" => "<METHODCALL NAME=".to_owned(),
                intrinsic => format!("<IMETHODCALL NAME=\"{intrinsic}\""),
            };
            // The answer to the last request of that operation.
            let last = requests
                .zip(answers)
                .filter(|(request, _)| request.contains(&call))
                .last();
            let Some((_, answer)) = last else {
                faults.push(format!("{name}: it does not ask for {operation}"));
                continue;
            };
            let is_answer = answer.starts_with("HTTP/1.1 200 OK");
            if !is_answer || answer.contains("<ERROR CODE=") != (kind == "bad") {
                faults.push(format!("{name}: {answer}"));
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

/// The names of the fixtures of which `is_one` says so of name and expected answer.
fn expected(is_one: impl Fn(&str, &str) -> bool) -> Vec<String> {
    let found = fixtures().into_iter().filter_map(|path| {
        let answer = fs::read_to_string(path.with_extension("expect")).unwrap_or_default();
        let name = path.file_stem()?.to_str()?.to_owned();
        is_one(&name, &answer).then_some(name)
    });
    found.collect()
}

/// The twin of a refused request is like it but for what it is refused for, and at the limit of that.
#[test]
fn every_value_of_cimerror_has_a_bad_and_a_good_fixture() {
    let mut faults = Vec::new();
    for refusal in Refusal::ALL {
        let (value, status) = (refusal.as_str(), refusal.status());
        let bad = expected(|name, answer| {
            name.starts_with(&format!("{status}-{value}"))
                && answer.starts_with(&format!("HTTP/1.1 {status} "))
                && answer
                    .lines()
                    .any(|line| line == format!("cimerror: {value}"))
        });
        let good = expected(|name, answer| {
            name == format!("200-not-{value}")
                && answer.starts_with("HTTP/1.1 200 OK")
                && answer.contains("<QUALIFIER.DECLARATION")
                && !answer.contains("<ERROR")
        });
        for (kind, found) in [("bad", bad), ("good", good)] {
            if found.is_empty() {
                faults.push(format!("{value} has no {kind} fixture"));
            }
        }
    }
    // No fixture expects a value that the server does not have.
    let all = Refusal::ALL.map(Refusal::as_str);
    let unlisted = expected(|_, answer| {
        let mut values = answer
            .lines()
            .filter_map(|line| line.strip_prefix("cimerror: "));
        values.any(|value| !all.contains(&value))
    });
    faults.extend(
        unlisted
            .iter()
            .map(|name| format!("{name} expects a value that there is not")),
    );
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn every_fixture_is_answered_as_expected() {
    let state = state_dir();
    let server = Server::start(state.path());
    let bless = std::env::var_os("JOBWRIGHT_BLESS").is_some();
    let mut faults = Vec::new();
    let all = fixtures();
    assert!(all.len() > 40, "only {} fixtures were found", all.len());
    for path in all {
        let fixture = fs::read_to_string(&path).expect("a readable fixture");
        let actual = replayed(&server, &fixture);
        let expect = path.with_extension("expect");
        if bless {
            fs::write(&expect, &actual).expect("a writable fixture");
        }
        if actual != fs::read_to_string(&expect).unwrap_or_default() {
            faults.push(format!("{}:\n{actual}", path.display()));
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    assert!(
        server.stop().success(),
        "the server is sound after all of them"
    );
}
