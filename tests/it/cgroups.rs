//! The cgroup of a run: nothing gets out of it, and it goes with the run, whoever is killed.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use jobwright::jobs::core::{JobId, JobState};
use jobwright::jobs::engine::Timeout;
use jobwright::jobs::executor::Options;
use jobwright::jobs::executor::cgroups::Cgroups;
use jobwright::jobs::executor::identity::Holder;
use jobwright::jobs::executor::message;
use jobwright::jobs::port::Stream;
use jobwright::store;
use rustix::process::{Pid, Signal, kill_process};

use crate::support::engine::{Bench, open, open_configured, options, process_state, shell};
use crate::support::{Server, state_dir};

/// A shell line that reports progress, which tests wait for.
const READY: &str = r#"echo 50 >&"$JOBWRIGHT_PROGRESS_FD""#;

/// Where this machine allows cgroups; the reason why it does not is printed.
fn cgroups() -> Option<Cgroups> {
    match Cgroups::find(None) {
        Ok(found) => Some(found),
        Err(why) => {
            eprintln!("\n*** SKIPPED: runs cannot have cgroups here: {why}\n");
            None
        }
    }
}

/// A line for `sh` that starts a process which nothing but a cgroup gives away once its supervisor
/// is gone: a session of its own, a clean environment, and a parent that has ended. It writes its
/// number into `file`.
fn hidden(file: &Path) -> String {
    format!(
        "(setsid env -i /bin/sh -c '(echo $$ >/dev/null; exec /bin/sh -c \"echo \\$\\$ >>{}; \
         exec sleep 1000\") &' &)",
        file.display()
    )
}

/// Waits in `sh` until `file` has so many lines.
fn until(file: &Path, lines: usize) -> String {
    let file = file.display();
    format!("until [ \"$(cat {file} 2>/dev/null | wc -l)\" = {lines} ]; do sleep 0.05; done")
}

fn pids(file: &Path) -> Vec<u32> {
    let text = fs::read_to_string(file).expect("the job wrote it");
    let pids = text.lines().map(|line| line.parse().expect("a pid"));
    pids.collect()
}

fn is_living(pid: u32) -> bool {
    process_state(pid).is_some_and(|state| state != 'Z')
}

/// What the record says of the supervisor of the newest run.
fn holder(bench: &Bench, id: &JobId) -> Holder {
    let job = bench.job(id);
    let identity = job.run.as_ref().and_then(|run| run.identity.clone());
    let identity = identity.expect("the run is on record");
    message::parse(identity.as_bytes()).expect("a supervisor")
}

fn folder(bench: &Bench, id: &JobId) -> PathBuf {
    holder(bench, id).cgroup.expect("the run has a cgroup")
}

fn kill(pid: i32) {
    let pid = Pid::from_raw(pid).expect("a process id");
    kill_process(pid, Signal::KILL).expect("it lives");
}

#[tokio::test]
async fn a_run_is_in_its_cgroup_from_its_first_moment_and_leaves_none() {
    let Some(cgroups) = cgroups() else { return };
    let state = state_dir();
    let bench = open(state.path()).await;
    let id = bench
        .submit(shell("grep '^0::' /proc/self/cgroup; exit 3"))
        .await;
    assert_eq!(bench.end(&id).await.error_code(), Some(3));
    let shown = bench.output(&id, Stream::Stdout).await;
    let name = shown.trim().rsplit_once("/jobwright/");
    let (_, name) = name.unwrap_or_else(|| panic!("{shown} is none of ours"));
    let folder = cgroups.base.join(name);
    assert!(!folder.exists(), "{} is left", folder.display());
}

#[tokio::test]
async fn a_program_that_cannot_be_started_leaves_no_cgroup() {
    let Some(found) = cgroups() else { return };
    let state = state_dir();
    let base = found
        .home
        .join(format!("jobwright-test-{}-none", std::process::id()));
    let cgroups = Cgroups::find(Some(&base)).expect("may be made");
    let options = Options {
        cgroups: Some(cgroups),
        ..options(state.path())
    };
    let bench = open_configured(store::Options::new(state.path().to_owned()), options).await;
    let mut fields = shell("");
    fields.command = Some(vec!["/no/such/program".to_owned()]);
    let id = bench.submit(fields).await;
    assert_eq!(bench.end(&id).await.error_code(), Some(1001));
    fs::remove_dir(&base).expect("nothing is in it");
}

#[tokio::test]
async fn nothing_escapes_a_lost_supervisor() {
    if cgroups().is_none() {
        return;
    }
    for server_too in [false, true] {
        let state = state_dir();
        let bench = open(state.path()).await;
        let file = state.path().join("pids");
        let script = format!(
            "{}; {}; {}; {READY}; exec sleep 1000",
            hidden(&file),
            hidden(&file),
            until(&file, 2)
        );
        let id = bench.submit(shell(&script)).await;
        let job = bench.until(&id, |job| job.percent_complete() == 50).await;
        let mut found = pids(&file);
        found.extend(job.process_id());
        assert_eq!(found.len(), 3);
        let holder = holder(&bench, &id);
        let bench = if server_too {
            bench.close().await.expect("closes");
            kill(holder.identity.pid);
            assert!(found.iter().any(|pid| is_living(*pid)), "nobody ended them");
            open(state.path()).await
        } else {
            kill(holder.identity.pid);
            bench
        };
        let job = bench.end(&id).await;
        assert_eq!(job.error_code(), Some(1003), "{:?}", job.error);
        for pid in found {
            assert!(!is_living(pid), "process {pid} of the run lives on");
        }
        let folder = holder.cgroup.expect("the run has a cgroup");
        assert!(!folder.exists(), "{} is left", folder.display());
    }
}

#[tokio::test]
async fn a_suspended_run_stands_still_without_seeing_it_and_is_killed_all_the_same() {
    if cgroups().is_none() {
        return;
    }
    let state = state_dir();
    let bench = open(state.path()).await;
    let file = state.path().join("pids");
    let script = format!(
        "trap 'touch {}/told' CONT; {}; {}; {READY}; \
         while :; do echo; sleep 0.01; done",
        state.path().display(),
        hidden(&file),
        until(&file, 1)
    );
    let id = bench.submit(shell(&script)).await;
    let job = bench.until(&id, |job| job.percent_complete() == 50).await;
    let leader = job.process_id().expect("it runs");
    let folder = folder(&bench, &id);
    let events = || fs::read_to_string(folder.join("cgroup.events")).expect("is there");
    let change = async |requested| {
        let change = bench
            .engine
            .request_state_change(id.clone(), requested, Timeout::None);
        change.await.expect("is answered")
    };
    for _ in 0..3 {
        assert_eq!(change(3).await, 0);
        assert!(events().contains("frozen 1"), "{}", events());
        assert_ne!(process_state(leader), Some('T'), "it was told");
        assert_eq!(change(2).await, 4096);
        bench.until(&id, |job| job.state == JobState::Running).await;
        assert!(events().contains("frozen 0"), "{}", events());
    }
    assert_eq!(change(3).await, 0);
    assert_eq!(bench.engine.kill(id.clone(), None).await, Ok(0));
    for pid in pids(&file) {
        assert!(!is_living(pid), "process {pid} lives on");
    }
    assert!(!folder.exists() && !state.path().join("told").exists());
}

#[tokio::test]
async fn a_suspended_run_that_is_terminated_hears_of_it() {
    if cgroups().is_none() {
        return;
    }
    let state = state_dir();
    let bench = open(state.path()).await;
    let script = format!("trap 'exit 9' TERM; {READY}; while :; do sleep 0.01; done");
    let id = bench.submit(shell(&script)).await;
    bench.until(&id, |job| job.percent_complete() == 50).await;
    for (requested, code) in [(3, 0), (4, 4096)] {
        let change = bench
            .engine
            .request_state_change(id.clone(), requested, Timeout::None);
        assert_eq!(change.await, Ok(code));
    }
    let job = bench.end(&id).await;
    assert_eq!(
        (job.state, job.exit_status()),
        (JobState::Terminated, Some(9))
    );
}

#[tokio::test]
async fn cgroups_that_a_run_makes_are_held_and_ended_with_its_own() {
    if cgroups().is_none() {
        return;
    }
    let state = state_dir();
    let bench = open(state.path()).await;
    let id = bench
        .submit(shell(&format!("{READY}; exec sleep 1000")))
        .await;
    let job = bench.until(&id, |job| job.percent_complete() == 50).await;
    let (leader, own) = (job.process_id().expect("it runs"), folder(&bench, &id));
    // As a container would: cgroups below its own, with processes in the lowest.
    let lowest = own.join("a/b");
    fs::create_dir_all(&lowest).expect("is made");
    fs::write(lowest.join("cgroup.procs"), leader.to_string()).expect("is moved");
    let change = bench
        .engine
        .request_state_change(id.clone(), 3, Timeout::None);
    assert_eq!(change.await, Ok(0));
    let events = fs::read_to_string(lowest.join("cgroup.events")).expect("is there");
    assert!(events.contains("frozen 1"), "{events}");
    assert_eq!(bench.engine.kill(id.clone(), None).await, Ok(0));
    assert!(!is_living(leader) && !own.exists());
}

#[tokio::test]
async fn processor_time_counts_children_that_nobody_waited_for() {
    if cgroups().is_none() {
        return;
    }
    let state = state_dir();
    let bench = open(state.path()).await;
    // The kernel reaps children of a parent that ignores SIGCHLD, and tells nobody what they used.
    let script = "perl -e '$SIG{CHLD} = \"IGNORE\"; if (fork == 0) { while (times < 0.5) {} exit } \
                  while (wait != -1) {}'";
    let id = bench.submit(shell(script)).await;
    let job = bench.end(&id).await;
    assert_eq!(job.state, JobState::Completed, "{:?}", job.error);
    let runs = bench.engine.runs(id).await.expect("a history");
    let cpu = runs[0].cpu.expect("is known");
    assert!(
        (450..5000).contains(&cpu.as_millis()),
        "the run used {cpu:?}"
    );
}

#[tokio::test]
async fn without_cgroups_descendants_are_held_and_ended_too() {
    let state = state_dir();
    let options = Options {
        cgroups: None,
        ..options(state.path())
    };
    let bench = open_configured(store::Options::new(state.path().to_owned()), options).await;
    let file = state.path().join("pids");
    let script = format!(
        "{}; {}; {READY}; exec sleep 1000",
        hidden(&file),
        until(&file, 1)
    );
    let id = bench.submit(shell(&script)).await;
    bench.until(&id, |job| job.percent_complete() == 50).await;
    assert_eq!(holder(&bench, &id).cgroup, None);
    let change = bench
        .engine
        .request_state_change(id.clone(), 3, Timeout::None);
    assert_eq!(change.await, Ok(0));
    for pid in pids(&file) {
        assert_eq!(process_state(pid), Some('T'), "process {pid} goes on");
    }
    assert_eq!(bench.engine.kill(id, None).await, Ok(0));
    for pid in pids(&file) {
        assert!(!is_living(pid), "process {pid} lives on");
    }
}

#[tokio::test]
async fn a_run_that_cannot_have_its_cgroup_runs_all_the_same() {
    let state = state_dir();
    let nowhere = state.path().join("nowhere");
    let options = Options {
        cgroups: Some(Cgroups {
            base: nowhere.clone(),
            home: nowhere,
        }),
        ..options(state.path())
    };
    let bench = open_configured(store::Options::new(state.path().to_owned()), options).await;
    let id = bench.submit(shell("exit 5")).await;
    assert_eq!(bench.end(&id).await.error_code(), Some(5));
}

#[tokio::test]
async fn a_start_sweeps_what_a_crash_left_empty() {
    let Some(cgroups) = cgroups() else { return };
    // The name of a supervisor that is gone: this process started at another time.
    let own = std::process::id();
    let left = cgroups.base.join(format!("{own}-1"));
    fs::create_dir_all(left.join("below")).expect("is made");
    let state = state_dir();
    let bench = open(state.path()).await;
    let swept = async {
        while left.exists() {
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
    };
    let waited = tokio::time::timeout(std::time::Duration::from_secs(30), swept).await;
    assert!(waited.is_ok(), "{} is left", left.display());
    bench.close().await.expect("closes");
}

#[test]
fn the_configuration_says_where_cgroups_are_and_whether() {
    let serve = |state: &Path, cgroups: &str| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_jobwright"));
        command
            .args(["serve", "--port", "0", "--state-dir"])
            .arg(state)
            .env("JOBWRIGHT_CGROUPS", cgroups);
        command
    };
    let shown = |cgroups: &str| {
        let state = state_dir();
        let server = Server::start_by(state.path(), &mut serve(state.path(), cgroups));
        let job = |arguments: &[&str]| {
            let output = Command::new(env!("CARGO_BIN_EXE_jobwright"))
                .args(["job", arguments[0], "--url", &server.url, "--state-dir"])
                .arg(state.path())
                .args(&arguments[1..])
                .output();
            let output = output.expect("the job command starts").stdout;
            String::from_utf8(output).expect("text").trim().to_owned()
        };
        let id = job(&["submit", "--quiet", "--", "/bin/cat", "/proc/self/cgroup"]);
        job(&["watch", &id, "--quiet"]);
        job(&["logs", &id])
    };
    for wrong in ["some", "/no/such/folder"] {
        let state = state_dir();
        let output = serve(state.path(), wrong).output().expect("it starts");
        let told = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(78), "{told}");
        let expected = format!("cgroups cannot be \"{wrong}\": ");
        assert!(told.contains(&expected), "{told}");
    }
    assert!(!shown("off").contains("/jobwright"));
    let Some(cgroups) = cgroups() else { return };
    assert!(shown("auto").contains("/jobwright/"));
    let name = format!("jobwright-test-{}", std::process::id());
    let place = cgroups.home.join(&name);
    let found = shown(&place.display().to_string());
    assert!(found.contains(&format!("/{name}/")), "{found}");
    fs::remove_dir(&place).expect("its runs are gone");
}
