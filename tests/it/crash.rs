//! The server is stopped or killed under a job, which goes on and whose true end is told.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use crate::support::{Server, state_dir};

/// Runs `jobwright job …` against `server` and gives its output.
fn job(server: &Server, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_jobwright"))
        .args(["job", arguments[0], "--url", &server.url, "--state-dir"])
        .arg(&server.state)
        .args(&arguments[1..])
        .output()
        .expect("the job command starts")
}

fn told(output: &Output) -> String {
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "the command failed: {error}");
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

fn submit(server: &Server, script: &str) -> String {
    told(&job(
        server,
        &["submit", "--quiet", "--", "/bin/sh", "-c", script],
    ))
}

/// A fifo that a job reads: opening it for writing waits until the job is there.
fn fifo(folder: &Path, name: &str) -> String {
    let path = folder.join(name);
    rustix::fs::mkfifoat(
        rustix::fs::CWD,
        &path,
        rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR,
    )
    .expect("a fifo in the scratch folder");
    path.display().to_string()
}

#[test]
fn a_running_job_outlives_the_server_and_its_true_exit_status_is_told() {
    let (state, scratch) = (state_dir(), state_dir());
    let server = Server::start(state.path());
    let gate = fifo(scratch.path(), "gate");
    let runs = scratch.path().join("runs");
    let script = format!("echo run >> {}; read x < {gate}; exit 7", runs.display());
    let id = submit(&server, &script);
    told(&job(
        &server,
        &["watch", &id, "--until", "running", "--quiet"],
    ));
    server.kill_9();

    let server = Server::start(state.path());
    let shown = told(&job(&server, &["show", &id]));
    assert!(
        shown.contains("Running"),
        "the adopted job is running, expected Running in:\n{shown}"
    );
    fs::write(&gate, "go\n").expect("the job still reads its gate");
    let end = job(&server, &["watch", &id, "--quiet"]);
    assert_eq!(
        end.status.code(),
        Some(7),
        "watch ends with the job's exit status"
    );
    let shown = told(&job(&server, &["show", &id]));
    assert!(
        shown.contains("Exception"),
        "expected Exception in:\n{shown}"
    );
    assert_eq!(
        fs::read_to_string(&runs).expect("the job wrote"),
        "run\n",
        "the job ran once"
    );
}

#[test]
fn a_job_that_ends_while_no_server_runs_is_told_its_true_end() {
    let (state, scratch) = (state_dir(), state_dir());
    let server = Server::start(state.path());
    let (gate, done) = (fifo(scratch.path(), "gate"), fifo(scratch.path(), "done"));
    let id = submit(&server, &format!("read x < {gate}; exec 9> {done}; exit 9"));
    told(&job(
        &server,
        &["watch", &id, "--until", "running", "--quiet"],
    ));
    server.kill_9();
    fs::write(&gate, "go\n").expect("the job still reads its gate");
    let end = fs::read(&done).expect("the job opens and closes the second fifo as it ends");
    assert!(end.is_empty());

    let server = Server::start(state.path());
    let end = job(&server, &["watch", &id, "--quiet"]);
    assert_eq!(
        end.status.code(),
        Some(9),
        "watch ends with the job's exit status"
    );
}

#[test]
fn a_stopped_server_leaves_jobs_running() {
    let (state, scratch) = (state_dir(), state_dir());
    let server = Server::start(state.path());
    let gate = fifo(scratch.path(), "gate");
    let id = submit(&server, &format!("read x < {gate}; exit 5"));
    told(&job(
        &server,
        &["watch", &id, "--until", "running", "--quiet"],
    ));
    assert!(server.stop().success(), "SIGTERM ends the server in order");

    let server = Server::start(state.path());
    fs::write(&gate, "go\n").expect("the job still reads its gate");
    let end = job(&server, &["watch", &id, "--quiet"]);
    assert_eq!(
        end.status.code(),
        Some(5),
        "watch ends with the job's exit status"
    );
}
