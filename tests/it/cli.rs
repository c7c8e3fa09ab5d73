//! The command line against a real server: what it prints, and with which exit status it ends.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Output};

use crate::support::{Server, state_dir};

/// Runs `jobwright` with nothing in its environment that could lead it elsewhere.
pub fn jobwright(state: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_jobwright"))
        .args(arguments)
        .env_clear()
        .env("PATH", "/usr/bin:/bin")
        .env("JOBWRIGHT_STATE_DIR", state)
        .output()
        .expect("the program starts")
}

pub fn out(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

pub fn err(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).trim().to_owned()
}

/// Runs a command that must succeed and gives what it printed.
pub fn told(state: &Path, arguments: &[&str]) -> String {
    let output = jobwright(state, arguments);
    assert!(
        output.status.success(),
        "{arguments:?} failed: {}",
        err(&output)
    );
    out(&output)
}

/// Runs a command that must fail with `code` and say `text`.
pub fn refused(state: &Path, arguments: &[&str], code: i32, text: &str) {
    let output = jobwright(state, arguments);
    let told = err(&output);
    assert_eq!(output.status.code(), Some(code), "{arguments:?}: {told}");
    assert!(
        told.contains(text),
        "{arguments:?}: expected {text:?} in {told:?}"
    );
}

#[test]
fn the_commands_on_jobs_do_what_they_say() {
    let state = state_dir();
    let (_server, state) = (Server::start(state.path()), state.path());
    let id = told(
        state,
        &[
            "job",
            "submit",
            "--hold",
            "-p",
            "7",
            "-e",
            "A=b",
            "--",
            "/bin/echo",
            "hi",
        ],
    );
    let shown = told(state, &["job", "show", &id]);
    for line in [
        "Priority                 7",
        "JobState                 5 (Suspended)",
        "{A=b}",
    ] {
        assert!(shown.contains(line), "expected {line:?} in:\n{shown}");
    }
    let list = told(state, &["job", "list", "--active"]);
    assert!(list.contains(&id) && list.contains("Suspended"), "{list}");
    assert_eq!(
        told(state, &["job", "set", &id, "Priority=9", "RunDay=-1"]),
        format!("{id}: changed")
    );
    assert!(told(state, &["job", "show", &id]).contains("RunDay                   -1"));
    told(state, &["job", "set", &id, "RunDay="]);
    assert!(
        !told(state, &["job", "show", &id]).contains("RunDay"),
        "an empty value clears it"
    );
    refused(
        state,
        &["job", "set", &id, "RunDay=32"],
        1,
        "CIMError: 4 (CIM_ERR_INVALID_PARAMETER)",
    );
    refused(state, &["job", "set", &id, "NoSuch=1"], 2, "NoSuch");
    told(state, &["job", "start", &id]);
    assert_eq!(
        jobwright(state, &["job", "watch", &id, "-q"]).status.code(),
        Some(0)
    );
    assert_eq!(told(state, &["job", "logs", &id]), "hi");
    refused(
        state,
        &["job", "suspend", &id],
        1,
        "present state does not allow",
    );
    assert_eq!(
        told(state, &["job", "delete", &id]),
        format!("{id}: deleted")
    );
    refused(
        state,
        &["job", "show", &id],
        1,
        "CIMError: 6 (CIM_ERR_NOT_FOUND)",
    );
}

#[test]
fn a_job_is_suspended_resumed_terminated_and_killed() {
    let state = state_dir();
    let (_server, state) = (Server::start(state.path()), state.path());
    let sleeper = || {
        let id = told(state, &["job", "submit", "-q", "--", "/bin/sleep", "1000"]);
        told(state, &["job", "watch", &id, "-q", "--until", "running"]);
        id
    };
    let id = sleeper();
    told(state, &["job", "suspend", &id]);
    told(state, &["job", "watch", &id, "-q", "--until", "suspended"]);
    told(state, &["job", "resume", &id]);
    told(state, &["job", "watch", &id, "-q", "--until", "running"]);
    told(state, &["job", "terminate", &id]);
    let watched = jobwright(state, &["job", "watch", &id]);
    assert_eq!(
        watched.status.code(),
        Some(128 + 15),
        "ended by SIGTERM: {}",
        err(&watched)
    );
    assert!(err(&watched).contains("Terminated"), "{}", err(&watched));
    let id = sleeper();
    told(state, &["job", "kill", &id]);
    assert_eq!(
        jobwright(state, &["job", "watch", &id, "-q"]).status.code(),
        Some(128 + 9)
    );
}

#[test]
fn a_script_is_submitted_from_a_file_and_watched_to_its_end() {
    let state = state_dir();
    let (_server, state) = (Server::start(state.path()), state.path());
    let script = state.join("script.sh");
    fs::write(&script, "echo out; echo err >&2; exit 4\n").expect("a writable folder");
    let script = script.display().to_string();
    let output = jobwright(state, &["job", "submit", "--watch", "--script", &script]);
    assert_eq!(
        output.status.code(),
        Some(4),
        "the job's exit status: {}",
        err(&output)
    );
    assert!(
        err(&output).contains("ended with exit status 4"),
        "{}",
        err(&output)
    );
    let list = told(state, &["job", "list"]);
    let id = list
        .lines()
        .nth(1)
        .and_then(|row| row.split_whitespace().next())
        .expect("a row");
    assert_eq!(told(state, &["job", "logs", id]), "out");
    assert_eq!(told(state, &["job", "logs", "--stderr", id]), "err");
}

#[test]
fn mistakes_are_told_with_what_can_be_done() {
    let state = state_dir();
    let state = state.path();
    refused(state, &["job", "list"], 1, "jobwright serve");
    refused(state, &["job", "submit"], 1, "find a local server");
    refused(
        state,
        &["job", "list", "--url", "ftp://x"],
        1,
        "http://HOST:PORT",
    );
    refused(
        state,
        &["job", "list", "--url", "http://127.0.0.1:1"],
        1,
        "failed to reach",
    );
    refused(state, &["job"], 2, "Usage");
    let (_server, wrong) = (Server::start(state), state.join("wrong"));
    fs::write(&wrong, "not the password\n").expect("a writable folder");
    let wrong = wrong.display().to_string();
    refused(
        state,
        &["job", "list", "--password-file", &wrong],
        1,
        "user or the password",
    );
    refused(state, &["job", "submit"], 2, "give a command");
    refused(
        state,
        &["job", "submit", "--at", "soon", "--", "x"],
        2,
        "\"soon\"",
    );
}

/// Runs `serve` with these arguments where it must not start.
fn does_not_start(arguments: &[&str], text: &str) {
    let output = Command::new(env!("CARGO_BIN_EXE_jobwright"))
        .args(["serve", "--port", "0"])
        .args(arguments)
        .output()
        .expect("the program starts");
    let told = err(&output);
    assert_eq!(output.status.code(), Some(78), "{arguments:?}: {told}");
    assert!(
        told.contains(text),
        "{arguments:?}: expected {text:?} in {told:?}"
    );
    assert_eq!(
        out(&output),
        "",
        "a server that does not start announces nothing"
    );
}

#[test]
fn a_server_that_cannot_start_says_why() {
    let state = state_dir();
    let path = |name: &str| state.path().join(name).display().to_string();
    fs::write(state.path().join("file"), "port = 1\nprot = 2\n").expect("a writable folder");
    does_not_start(&["--state-dir", &path("file")], "cannot use");
    does_not_start(&["--state-dir", "/proc/nowhere"], "cannot use");
    does_not_start(
        &["--state-dir", &path("a"), "--config", &path("file")],
        "prot",
    );
    fs::write(
        state.path().join("bad.mof"),
        "class X : Y {};\nclass Z { sint8 a = 300; };\n",
    )
    .expect("a writable folder");
    does_not_start(
        &["--state-dir", &path("b"), "--schema", &path("bad.mof")],
        "bad.mof:2",
    );
    let open = state.path().join("open");
    fs::create_dir(&open).expect("a writable folder");
    fs::set_permissions(&open, fs::Permissions::from_mode(0o755)).expect("own folder");
    does_not_start(&["--state-dir", &path("open")], "open to other users");
    let _server = Server::start(&{
        let used = state.path().join("used");
        fs::create_dir(&used).expect("a writable folder");
        fs::set_permissions(&used, fs::Permissions::from_mode(0o700)).expect("own folder");
        used
    });
    does_not_start(&["--state-dir", &path("used")], "another");
}

#[test]
fn a_port_in_use_is_the_only_complaint() {
    let (state, other) = (state_dir(), state_dir());
    let server = Server::start(state.path());
    let output = Command::new(env!("CARGO_BIN_EXE_jobwright"))
        .args(["serve", "--port", &server.port().to_string(), "--state-dir"])
        .arg(other.path())
        .output()
        .expect("the program starts");
    let complaint = err(&output);
    assert_eq!(output.status.code(), Some(78), "{complaint}");
    assert!(complaint.contains("cannot listen on"), "{complaint}");
    assert_eq!(complaint.lines().count(), 1, "nothing else: {complaint}");
    let store = other.path().join("jobwright.db");
    assert!(!store.exists(), "a server that nobody reaches runs no jobs");
}

#[test]
fn added_mof_is_served() {
    let state = state_dir();
    fs::write(
        state.path().join("own.mof"),
        "class OWN_Job : JW_Job { string Mark; };\n",
    )
    .expect("a writable folder");
    let own = state.path().join("own.mof").display().to_string();
    let server = Server::start_with(state.path(), &["--schema", &own]);
    let Some(python) = crate::support::python() else {
        return;
    };
    let script = "import os, pywbem\n\
        conn = pywbem.WBEMConnection(os.environ['URL'], ('admin', os.environ['PW']))\n\
        print(sorted(conn.GetClass('OWN_Job').properties))\n\
        print(len(conn.EnumerateClassNames(ClassName='JW_Job')))\n";
    let output = Command::new(python)
        .args(["-c", script])
        .envs([("URL", server.url.clone()), ("PW", server.password())])
        .output()
        .expect("the prepared Python starts");
    assert_eq!(out(&output), "['Mark']\n1", "{}", err(&output));
}

#[test]
fn without_authentication_everybody_reads_and_nobody_acts() {
    let state = state_dir();
    let server = Server::start(state.path());
    let id = told(
        state.path(),
        &[
            "job",
            "submit",
            "-q",
            "--hold",
            "-n",
            "seen",
            "--",
            "/bin/echo",
            "secret",
        ],
    );
    assert!(server.stop().success());
    let _server = Server::start_with(state.path(), &["--no-auth"]);
    let shown = told(state.path(), &["job", "show", &id]);
    assert!(shown.contains("seen"), "{shown}");
    let command = shown.lines().find(|line| line.starts_with("Command"));
    assert_eq!(command, None, "what a job runs stays hidden");
    refused(
        state.path(),
        &["job", "submit", "--", "/bin/true"],
        1,
        "CIM_ERR_ACCESS_DENIED",
    );
    refused(
        state.path(),
        &["job", "kill", &id],
        1,
        "CIM_ERR_ACCESS_DENIED",
    );
}

#[test]
fn the_demo_shows_a_job_from_submission_to_end() {
    let state = state_dir();
    let output = jobwright(state.path(), &["demo"]);
    let text = out(&output);
    assert!(output.status.success(), "{}", err(&output));
    for part in [
        "listening on http://127.0.0.1:",
        "The job is JW:",
        "part 10 is done",
        "Completed",
    ] {
        assert!(text.contains(part), "expected {part:?} in:\n{text}");
    }
}

#[test]
fn mof_is_checked_with_every_place_that_belongs_to_a_fault() {
    let state = state_dir();
    let state = state.path();
    let write = |name: &str, text: &str| {
        let path = state.join(name);
        fs::write(&path, text).expect("a writable file");
        path.display().to_string()
    };
    let good = write(
        "good.mof",
        "class X_A : CIM_ManagedElement { [MaxLen(9)] string P; };",
    );
    assert_eq!(told(state, &["mof", "check", &good]), "");
    let bad = write(
        "bad.mof",
        "class X_A : CIM_ManagedElement { [In] string P; string Caption; };\n\
         class X_B : X_None { };\n",
    );
    let output = jobwright(state, &["mof", "check", &bad]);
    assert_eq!(output.status.code(), Some(1), "{}", err(&output));
    for text in [
        "error[qualifier-scope]",
        "the qualifier is declared here",
        "qualifiers.mof",
        "error[missing-override]",
        "the inherited element",
        "CIM_ManagedElement.mof",
        "add the qualifier Override",
        "error[unknown-superclass]",
    ] {
        assert!(
            out(&output).contains(text),
            "no {text:?} in {}",
            out(&output)
        );
    }
    let output = jobwright(state, &["mof", "check", "--format", "json", &bad]);
    assert_eq!(output.status.code(), Some(1));
    let lines = out(&output);
    let found: Vec<serde_json::Value> = lines
        .lines()
        .map(|line| serde_json::from_str(line).expect("an object on each line"))
        .collect();
    assert_eq!(found.len(), 3, "{lines}");
    let superclass = found.iter().find(|one| one["code"] == "unknown-superclass");
    assert_eq!(superclass.expect("that fault")["place"]["line"], 2);
    let alone = jobwright(state, &["mof", "check", "--alone", &good]);
    assert_eq!(
        alone.status.code(),
        Some(1),
        "nothing is declared: {}",
        out(&alone)
    );
    refused(
        state,
        &["mof", "check", "/nonexistent.mof"],
        1,
        "failed to read MOF",
    );
}

#[test]
fn a_reader_that_goes_away_is_told_as_an_error() {
    let folder = state_dir();
    let file = folder.path().join("wrong.mof");
    fs::write(&file, "class X_A : X_B { };\n".repeat(100)).expect("a file of ours");
    let mut child = Command::new(env!("CARGO_BIN_EXE_jobwright"))
        .args(["mof", "check"])
        .arg(&file)
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .expect("the program starts");
    drop(child.stdout.take());
    let output = child.wait_with_output().expect("the program ends");
    let told = err(&output);
    assert_eq!(output.status.code(), Some(1), "{told}");
    assert!(!told.contains("panicked"), "{told}");
}
