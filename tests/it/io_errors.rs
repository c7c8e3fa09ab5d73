//! Every write of the server fails once, or from some moment on: what it had answered is there when
//! it is started again on a disk that works, and what it refused is not.
//!
//! The moment moves on until the whole scenario passes untouched. `JOBWRIGHT_IO_ERRORS=all` tries
//! every moment; otherwise the steps between them grow.

use std::collections::HashMap;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::crash_load::{lines, settled};
use crate::support::admin::{Admin, Failure};
use crate::support::{Server, state_dir};

/// What became of one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Said {
    Done,
    Refused,
    Nothing,
}

/// What a client was told in the course of the scenario.
#[derive(Debug)]
struct Told {
    submitted: Said,
    held: Said,
    changed: Said,
    terminated: Said,
}

impl Told {
    const NOTHING: Self = Self {
        submitted: Said::Nothing,
        held: Said::Nothing,
        changed: Said::Nothing,
        terminated: Said::Nothing,
    };

    fn all(&self) -> [Said; 4] {
        [self.submitted, self.held, self.changed, self.terminated]
    }

    fn is_all_done(&self) -> bool {
        self.all().iter().all(|said| *said == Said::Done)
    }

    fn has(&self, wanted: Said) -> bool {
        self.all().contains(&wanted)
    }
}

fn said<T>(outcome: &Result<T, Failure>) -> Said {
    match outcome {
        Ok(_) => Said::Done,
        // What a sync that failed was to make sure of may be there or not, and the client is told so.
        Err(Failure::Refused(why)) if why.contains("only the next start shows") => Said::Nothing,
        Err(Failure::Refused(_)) => Said::Refused,
        Err(Failure::Silent) => Said::Nothing,
    }
}

/// A job that runs, one that is held and changed, and one that is held and terminated.
async fn scenario(server: &Server, ledger: &Path) -> Told {
    let admin = Admin::of(server);
    let submitted = said(&admin.submit("ran", ledger).await);
    let held = said(&admin.hold("held").await);
    let changed = said(&admin.set_priority("held", 9).await);
    let terminated = match admin.hold("ended").await {
        Ok(id) => said(&admin.terminate(&id).await),
        other => said(&other),
    };
    Told {
        submitted,
        held,
        changed,
        terminated,
    }
}

/// Whether the failing server is the first one on its state directory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Store {
    /// It has to make everything.
    New,
    /// A sound server was there before, so that the first writes are those of clients.
    Used,
}

/// Runs the scenario on a server that `failing` starts, then looks at what a sound one finds.
async fn try_once(what: &str, store: Store, failing: &mut Command) -> Told {
    let (state, scratch) = (state_dir(), state_dir());
    if store == Store::Used {
        Server::start(state.path()).kill_9();
    }
    let ledger = scratch.path().join("ledger");
    failing.args(["serve", "--port", "0", "--state-dir"]);
    failing.arg(state.path()).stderr(Stdio::null());
    let told = match Server::try_start_by(state.path(), failing) {
        // A server that does not start has said nothing wrong.
        Err(_) => Told::NOTHING,
        Ok(server) => {
            let told = scenario(&server, &ledger).await;
            server.kill_9();
            told
        }
    };
    let server = Server::start(state.path());
    let jobs = settled(&Admin::of(&server).0).await;
    let of = |id: &str| jobs.get(id).copied();
    let (held, ended) = (of("held"), of("ended").map(|(state, _)| state));
    match told.held {
        Said::Done => assert_eq!(held.map(|(state, _)| state), Some(5), "{what}: {told:?}"),
        Said::Refused => assert_eq!(held, None, "{what}: {told:?}"),
        Said::Nothing => {}
    }
    match told.changed {
        Said::Done => assert_eq!(held, Some((5, 9)), "{what}: {told:?}"),
        Said::Refused => assert_ne!(held, Some((5, 9)), "{what}: {told:?}"),
        Said::Nothing => {}
    }
    match told.terminated {
        Said::Done => assert_eq!(ended, Some(8), "{what}: {told:?}"),
        Said::Refused => assert_ne!(ended, Some(8), "{what}: {told:?}"),
        Said::Nothing => {}
    }
    let ran = if ledger.exists() {
        lines(&ledger)
    } else {
        HashMap::new()
    };
    let times = ran.get("ran").copied().unwrap_or_default();
    let known = jobs.keys().any(|id| id.starts_with("JW:"));
    match told.submitted {
        Said::Done => assert!(known && times <= 1, "{what}: {told:?}, ran {times} times"),
        Said::Refused => assert_eq!((known, times), (false, 0), "{what}: {told:?}"),
        Said::Nothing => assert!(times <= 1, "{what}: {told:?}, ran {times} times"),
    }
    told
}

/// The next moment to try.
fn next(n: u32) -> u32 {
    let all = std::env::var("JOBWRIGHT_IO_ERRORS").is_ok_and(|which| which == "all");
    if all { n + 1 } else { n + 1 + n / 2 }
}

/// Moves the moment on until nothing fails any more. Something has to fail before, and in the midst of
/// the work: a fault that never comes would try nothing.
async fn until_untouched(first: u32, what: &str, command: impl Fn(u32) -> Command) {
    let mut in_the_midst = false;
    for store in [Store::New, Store::Used] {
        let mut n = first;
        loop {
            let what = format!("{what} {n} on a store that is {store:?}");
            let told = try_once(&what, store, &mut command(n)).await;
            if told.is_all_done() {
                break;
            }
            println!("{what}: {told:?}");
            in_the_midst |= told.has(Said::Refused) || told.has(Said::Done);
            n = next(n);
            assert!(n < 1_000_000, "{what}: something fails without our doing");
        }
        assert!(n > first, "{what}: nothing has failed");
    }
    assert!(in_the_midst, "{what}: it failed for no client");
}

/// Whether `strace` can be used here; it says so loudly where it cannot.
fn can_trace() -> bool {
    let traced = Command::new("strace")
        .args(["-qq", "-o", "/dev/null", "true"])
        .stderr(Stdio::null())
        .status();
    let can = traced.is_ok_and(|status| status.success());
    if !can {
        eprintln!("SKIPPED: strace cannot be used here, so that no system call fails");
    }
    can
}

/// The server under a tracer that is nobody's parent, so that killing it kills the server. Its `calls`
/// fail with `error` at the times that `when` says. What is not traced cannot be made to fail.
fn traced(calls: &str, error: &str, when: &str) -> Command {
    let mut command = Command::new("strace");
    command.args(["-D", "-f", "-qq", "-o", "/dev/null"]);
    command.args(["-e", &format!("trace={calls}")]);
    command.args(["-e", &format!("inject={calls}:error={error}:when={when}")]);
    command.arg(env!("CARGO_BIN_EXE_jobwright"));
    command
}

#[tokio::test]
async fn a_sync_that_fails_loses_nothing() {
    if can_trace() {
        let inject = |n: u32| traced("fdatasync,fsync", "EIO", &n.to_string());
        until_untouched(1, "sync", inject).await;
    }
}

#[tokio::test]
async fn a_full_disk_loses_nothing() {
    if can_trace() {
        let inject = |n| traced("pwrite64,fallocate", "ENOSPC", &format!("{n}+"));
        until_untouched(1, "write", inject).await;
    }
}

/// What a kernel does when it finds a fault in a file system: it goes on with it read-only.
#[tokio::test]
async fn a_disk_that_becomes_read_only_loses_nothing() {
    if can_trace() {
        let calls = "pwrite64,fallocate,ftruncate,rename,unlink,mkdir";
        let inject = |n| traced(calls, "EROFS", &format!("{n}+"));
        until_untouched(1, "read-only", inject).await;
    }
}

#[tokio::test]
async fn a_limit_of_file_sizes_loses_nothing() {
    // In blocks of 512 bytes.
    let limited = |n: u32| {
        let mut command = Command::new("sh");
        let script = format!("ulimit -f {n}; exec \"$0\" \"$@\"");
        command.args(["-c", &script, env!("CARGO_BIN_EXE_jobwright")]);
        command
    };
    until_untouched(8, "file size", limited).await;
}

#[test]
fn a_store_that_cannot_be_opened_is_named() {
    let state = state_dir();
    fs::create_dir(state.path().join("jobwright.db")).expect("the folder is ours");
    let mut command = Command::new(env!("CARGO_BIN_EXE_jobwright"));
    command.args(["serve", "--port", "0", "--state-dir"]);
    let output = command.arg(state.path()).output().expect("it starts");
    let told = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(78), "{told}");
    assert!(told.contains("jobwright.db"), "{told}");
}
