//! The requests of `fixtures/wire`, which real clients sent, replayed over a socket: each is answered in
//! CIM-XML, with success or with the status in `fixtures/wire-answers.txt`.
//!
//! `JOBWRIGHT_BLESS=1` writes that file anew; it is reviewed like code.

use std::fs;
use std::path::{Path, PathBuf};

use crate::http::{exchange, request};
use crate::support::{Server, state_dir};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/wire")
}

/// The requests, by operation and name.
fn requests() -> Vec<(String, String)> {
    let folders = fs::read_dir(root())
        .expect("the folder of wire fixtures")
        .flatten();
    let files = folders
        .filter_map(|folder| fs::read_dir(folder.path()).ok())
        .flatten();
    let mut found: Vec<(String, String)> = files
        .flatten()
        .map(|file| file.path())
        .filter(|path| path.extension().is_some_and(|ending| ending == "http"))
        .map(|path| {
            let name = path
                .strip_prefix(root())
                .unwrap_or(&path)
                .with_extension("");
            let text = fs::read_to_string(&path).expect("a readable fixture");
            (name.display().to_string(), text)
        })
        .collect();
    found.sort();
    found
}

/// What an answer comes to: its HTTP status, then the CIM status where it is an error.
fn outcome(answer: &[u8]) -> String {
    let text = String::from_utf8_lossy(answer);
    let status = text.split(' ').nth(1).unwrap_or("none").to_owned();
    let code = text.split("<ERROR CODE=\"").nth(1);
    let code = code.and_then(|rest| rest.split('"').next());
    match code {
        Some(code) => format!("{status} status {code}"),
        None if text.contains("RESPONSE NAME=") => format!("{status} ok"),
        None => status,
    }
}

#[test]
fn what_clients_send_is_answered_over_a_socket() {
    let state = state_dir();
    let server = Server::start(state.path());
    let password = server.password();
    let all = requests();
    assert!(all.len() > 30, "only {} fixtures were found", all.len());
    let answers: Vec<String> = all
        .iter()
        .map(|(name, text)| {
            let (first, rest) = text.split_once('\n').expect("more than one line");
            // The credentials of the recordings are not those of this server.
            let kept = rest
                .lines()
                .filter(|line| !line.starts_with("Authorization:"));
            let kept: Vec<&str> = kept.collect();
            let text = format!("{first}\nAuthorization: *\n{}\n", kept.join("\n"));
            let answer = exchange(server.port(), &request(&text, &password));
            format!("{name}: {}\n", outcome(&answer))
        })
        .collect();
    let answers = answers.concat();
    let golden = root().with_file_name("wire-answers.txt");
    if std::env::var_os("JOBWRIGHT_BLESS").is_some() {
        fs::write(&golden, &answers).expect("a writable fixture");
    }
    let expected = fs::read_to_string(&golden).unwrap_or_default();
    assert_eq!(answers, expected, "see {}", golden.display());
    assert!(
        server.stop().success(),
        "the server is sound after all of them"
    );
}
