//! SIGKILL at the worst moment: nothing acknowledged is lost, nothing runs twice.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::mpsc;
use std::time::Duration;

use crate::support::{Server, state_dir};

/// Runs `jobwright job …` against `server` and gives its output.
fn job(server: &Server, arguments: &[&str]) -> Output {
    job_at(&server.url, &server.state, arguments)
}

fn job_at(url: &str, state: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_jobwright"))
        .args(["job", arguments[0], "--url", url, "--state-dir"])
        .arg(state)
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

/// One submission of the crash test.
struct Submission {
    /// What its job writes into the ledger.
    label: String,
    /// The id that the server answered with; `None` when it was killed before it answered.
    id: Option<String>,
}

/// Submits jobs, one after the other, until the server is gone.
fn submit_until_it_dies(
    server: &Target,
    label: &str,
    acknowledged: &mpsc::Sender<()>,
) -> Vec<Submission> {
    let mut made = Vec::new();
    for n in 0.. {
        let label = format!("{label}.{n}");
        // Every other job is under way long enough for the server to be killed around it.
        let pause = if n % 2 == 0 { "true" } else { "sleep 0.3" };
        let script = format!("echo {label} >> {}; {pause}", server.ledger.display());
        let arguments = ["submit", "--quiet", "--", "/bin/sh", "-c", &script];
        let output = job_at(&server.url, &server.state, &arguments);
        let id = output.status.success().then(|| told(&output));
        let is_alive = id.is_some();
        made.push(Submission { label, id });
        if !is_alive {
            break;
        }
        acknowledged.send(()).ok();
    }
    made
}

/// Where submissions go.
#[derive(Clone)]
struct Target {
    url: String,
    state: PathBuf,
    ledger: PathBuf,
}

#[test]
fn what_was_answered_before_a_kill_runs_once_and_nothing_runs_twice() {
    let (state, scratch) = (state_dir(), state_dir());
    let ledger = scratch.path().join("ledger");
    let mut submissions = Vec::new();
    for round in 0..rounds() {
        let server = Server::start(state.path());
        let target = Target {
            url: server.url.clone(),
            state: server.state.clone(),
            ledger: ledger.clone(),
        };
        let (acknowledged, heard) = mpsc::channel();
        let clients: Vec<_> = (0..3)
            .map(|client| {
                let (target, acknowledged) = (target.clone(), acknowledged.clone());
                let label = format!("{round}.{client}");
                std::thread::spawn(move || submit_until_it_dies(&target, &label, &acknowledged))
            })
            .collect();
        // The others are in the middle of something when this many have been answered.
        for _ in 0..=round % 7 {
            let heard = heard.recv_timeout(Duration::from_mins(1));
            heard.expect("the server answers");
        }
        server.kill_9();
        if round % 2 == 1 {
            // Again, while it finds its runs.
            Server::start(state.path()).kill_9();
        }
        for client in clients {
            submissions.extend(client.join().expect("the client ended"));
        }
    }
    let server = Server::start(state.path());
    for id in submissions.iter().filter_map(|made| made.id.as_ref()) {
        let end = job(&server, &["watch", id, "--quiet"]);
        let error = String::from_utf8_lossy(&end.stderr);
        assert_eq!(end.status.code(), Some(0), "{id}: {error}");
    }
    let text = fs::read_to_string(&ledger).expect("the jobs wrote");
    let mut ran: HashMap<&str, usize> = HashMap::new();
    for label in text.lines() {
        *ran.entry(label).or_default() += 1;
    }
    for Submission { label, id } in &submissions {
        let times = ran.remove(label.as_str()).unwrap_or_default();
        match id {
            Some(id) => assert_eq!(times, 1, "{id} was accepted and ran {times} times"),
            None => assert!(times <= 1, "{label} ran {times} times"),
        }
    }
    assert!(ran.is_empty(), "nobody submitted {ran:?}");
}

/// How many times the server is killed; `JOBWRIGHT_CRASH_ROUNDS` asks for a long run.
fn rounds() -> usize {
    let asked = std::env::var("JOBWRIGHT_CRASH_ROUNDS")
        .ok()
        .and_then(|n| n.parse().ok());
    asked.unwrap_or(4)
}
