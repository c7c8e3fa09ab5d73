//! What clients send that the standards leave open or do not allow: `doc/clients.md` lists it, and each row
//! has its request in `fixtures/quirks`, which a tolerant server answers and a strict one judges.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use crate::http::{exchange, request};
use crate::support::{Server, state_dir};

/// What a strict server says to a request that it does not refuse.
const ACCEPTED: &str = "accepted";
/// The job that the requests speak of.
const JOB: &str = "<INSTANCE CLASSNAME=\"JW_Job\">\
    <PROPERTY NAME=\"InstanceID\" TYPE=\"string\"><VALUE>fixture:quirk</VALUE></PROPERTY>\
    <PROPERTY NAME=\"Name\" TYPE=\"string\"><VALUE>fixture</VALUE></PROPERTY>\
    <PROPERTY.ARRAY NAME=\"Command\" TYPE=\"string\"><VALUE.ARRAY><VALUE>/bin/true</VALUE></VALUE.ARRAY></PROPERTY.ARRAY>\
    <PROPERTY NAME=\"Hold\" TYPE=\"boolean\"><VALUE>TRUE</VALUE></PROPERTY></INSTANCE>";

struct Row {
    name: String,
    strict: String,
}

fn file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

/// The rows of the document's one table.
fn rows() -> Vec<Row> {
    let text = fs::read_to_string(file("doc/clients.md")).expect("the list of what clients send");
    let rows = text.lines().filter_map(|line| {
        let cells: Vec<&str> = line.split(" | ").collect();
        let name = cells.first()?.strip_prefix("| `")?.strip_suffix('`')?;
        let strict = cells.last()?.strip_suffix(" |")?;
        Some(Row {
            name: name.to_owned(),
            strict: strict.to_owned(),
        })
    });
    rows.collect()
}

fn fixture(name: &str) -> String {
    let path = file("fixtures/quirks").join(format!("{name}.http"));
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// What the last of a fixture's requests is answered, in the words of the table.
fn outcome(server: &Server, fixture: &str) -> String {
    let answers = fixture.split("\n====\n").map(|text| {
        let answer = exchange(server.port(), &request(text, &server.password()));
        String::from_utf8_lossy(&answer).into_owned()
    });
    let answer = answers.last().expect("a request");
    let status = answer.split(' ').nth(1).unwrap_or("no answer");
    let code = answer.split("<ERROR CODE=\"").nth(1);
    match code.and_then(|rest| rest.split('"').next()) {
        Some(code) => return format!("status {code}"),
        None if status == "200" && answer.contains("RESPONSE NAME=") => return ACCEPTED.to_owned(),
        None => {}
    }
    let mut headers = answer.lines().take_while(|line| !line.is_empty());
    let error = headers.find_map(|line| line.strip_prefix("cimerror: "));
    match error {
        Some(error) => format!("{status} {error}"),
        None => status.to_owned(),
    }
}

fn with_job(server: &Server) {
    let body = format!(
        "<CIM CIMVERSION=\"2.0\" DTDVERSION=\"2.0\"><MESSAGE ID=\"7\" PROTOCOLVERSION=\"1.0\"><SIMPLEREQ>\
         <IMETHODCALL NAME=\"CreateInstance\"><LOCALNAMESPACEPATH><NAMESPACE NAME=\"root\"/><NAMESPACE NAME=\"cimv2\"/></LOCALNAMESPACEPATH>\
         <IPARAMVALUE NAME=\"NewInstance\">{JOB}</IPARAMVALUE></IMETHODCALL></SIMPLEREQ></MESSAGE></CIM>"
    );
    let head = "POST /cimom HTTP/1.1\nHost: localhost\nAuthorization: *\nContent-Type: text/xml\n\
                CIMOperation: MethodCall\nCIMMethod: CreateInstance\nCIMObject: root/cimv2\nContent-Length: *";
    assert_eq!(outcome(server, &format!("{head}\n\n{body}")), ACCEPTED);
}

#[test]
fn every_row_has_its_request_and_every_request_its_row() {
    let rows: Vec<String> = rows().into_iter().map(|row| row.name).collect();
    let listed: BTreeSet<String> = rows.iter().cloned().collect();
    assert_eq!(
        rows.len(),
        listed.len(),
        "a row of doc/clients.md stands twice"
    );
    let files = fs::read_dir(file("fixtures/quirks")).expect("the folder of requests");
    let found: BTreeSet<String> = files
        .flatten()
        .filter_map(|file| Some(file.path().file_stem()?.to_str()?.to_owned()))
        .collect();
    assert_eq!(found, listed, "fixtures/quirks and doc/clients.md differ");
}

#[test]
fn what_clients_send_is_taken_unless_the_server_is_strict() {
    let (usual, strict) = (state_dir(), state_dir());
    let usual = Server::start(usual.path());
    let file = strict.path().join("jobwright.toml");
    fs::write(&file, "strict = true\n").expect("a configuration");
    let file = file.to_str().expect("a path of UTF-8").to_owned();
    let strict = Server::start_with(strict.path(), &["--config", &file]);
    with_job(&usual);
    with_job(&strict);
    let rows = rows();
    assert!(
        rows.iter().any(|row| row.strict != ACCEPTED),
        "no row is refused"
    );
    let mut faults = Vec::new();
    for row in rows {
        let text = fixture(&row.name);
        for (server, kind, expected) in [
            (&usual, "by default", ACCEPTED),
            (&strict, "when strict", row.strict.as_str()),
        ] {
            let outcome = outcome(server, &text);
            if outcome != expected {
                faults.push(format!(
                    "{} {kind}: {outcome}, expected {expected}",
                    row.name
                ));
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    assert!(usual.stop().success() && strict.stop().success());
}
