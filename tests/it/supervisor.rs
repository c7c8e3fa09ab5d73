//! Supervisors and what they hold: what a job inherits, what is left of it, who hears of its end.

use std::fs;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use jobwright::jobs::core::{
    DEFAULT_QUEUE, Exit, JobRecord, JobState, QueueOrder, QueueRecord, RunNews, Signal,
};
use jobwright::jobs::engine::Timeout;
use jobwright::jobs::executor::ProcessExecutor;
use jobwright::jobs::executor::message::{self, End, Outcome, Program, Spec};
use jobwright::jobs::port::{Runs, Stream};

use crate::support::engine::{open, open_with, options, process_state, shell, stands_still};
use crate::support::{Server, state_dir};

/// A shell line that reports progress, which tests wait for.
const READY: &str = r#"echo 50 >&"$JOBWRIGHT_PROGRESS_FD""#;

/// The signals that programs are sent; C libraries keep some of the others for themselves.
const STANDARD_SIGNALS: u64 = (1 << 31) - 1;

fn is_ready(job: &JobRecord) -> bool {
    job.percent_complete() == 50
}

/// The parent of a process.
fn parent(pid: u32) -> i32 {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).expect("the process lives");
    let (_, after) = stat.rsplit_once(") ").expect("a stat");
    let parent = after.split(' ').nth(1).and_then(|pid| pid.parse().ok());
    parent.expect("a parent")
}

fn kill(pid: i32) {
    let pid = rustix::process::Pid::from_raw(pid).expect("a process id");
    rustix::process::kill_process(pid, rustix::process::Signal::KILL).expect("it lives");
}

/// The numbers in the lines of a file.
fn pids(file: &Path) -> Vec<u32> {
    let text = fs::read_to_string(file).expect("the job wrote it");
    text.lines()
        .map(|line| line.parse().expect("a pid"))
        .collect()
}

#[tokio::test]
async fn a_supervisor_lost_before_its_program_is_told() {
    let folder = state_dir();
    let fake = folder.path().join("supervisor");
    // It takes the job and goes.
    fs::write(&fake, "#!/bin/sh\nread job\n").expect("writes");
    fs::set_permissions(&fake, fs::Permissions::from_mode(0o700)).expect("is ours");
    let bench = open_with(folder.path(), &fake).await;
    let id = bench.submit(shell("exit 0")).await;
    let job = bench.end(&id).await;
    // Whether it was seen to go before or after it was told to begin is chance.
    let code = job.error_code();
    assert_eq!(job.state, JobState::Exception, "{:?}", job.error);
    assert!(
        matches!(code, Some(1001 | 1003)),
        "expected not started, or outcome unknown: {:?}",
        job.error
    );
}

#[tokio::test]
async fn a_signal_before_the_program_began_reaches_nothing_and_spoils_nothing() {
    let folder = state_dir();
    let bench = open(folder.path()).await;
    let id = bench.submit(shell("exit 3")).await;
    let job = bench.end(&id).await;
    let (news, mut heard) = tokio::sync::mpsc::channel(8);
    let executor = ProcessExecutor::new(options(&folder.path().join("other")), news);
    let executor = executor.expect("an executor");
    let mut next = async || {
        let next = tokio::time::timeout(Duration::from_secs(30), heard.recv()).await;
        next.expect("news").expect("the executor lives").2
    };
    executor.prepare(&job);
    assert!(matches!(next().await, RunNews::Prepared(_)));
    executor.signal(&id, 1, Signal::Suspend);
    let undelivered = RunNews::Signalled {
        signal: Signal::Suspend,
        delivered: false,
    };
    assert_eq!(next().await, undelivered);
    executor.release(&id, 1);
    assert!(matches!(next().await, RunNews::Running(Some(_))));
    let RunNews::Ended(end) = next().await else {
        panic!("only the end is left to tell");
    };
    assert_eq!(end.exit, Exit::Code(3));
    executor.acknowledge(&id, 1);
}

#[tokio::test]
async fn nothing_of_a_run_outlasts_its_supervisor() {
    let folder = state_dir();
    let bench = open(folder.path()).await;
    let file = folder.path().join("pids");
    // One in a session of its own; one whose parent ended; one without our environment.
    let script = format!(
        "exec 2>&1; f={}; setsid sh -c 'echo $$ >>'$f'; exec sleep 1000' & \
         (sh -c 'echo $$ >>'$f'; exec sleep 1000' &) ; \
         env -i sh -c 'echo $$ >>'$f'; exec sleep 1000' & \
         until [ \"$(wc -l < $f)\" = 3 ]; do sleep 0.05; done; {READY}; exec sleep 1000",
        file.display()
    );
    let id = bench.submit(shell(&script)).await;
    let leader = bench.until(&id, is_ready).await.process_id();
    let leader = leader.expect("it runs");
    kill(parent(leader));
    let job = bench.end(&id).await;
    assert_eq!(
        (job.state, job.error_code()),
        (JobState::Exception, Some(1003)),
        "{:?}",
        job.error
    );
    let mut found = pids(&file);
    found.push(leader);
    assert_eq!(found.len(), 4);
    for pid in found {
        let state = process_state(pid).filter(|state| *state != 'Z');
        assert_eq!(state, None, "process {pid} of the run lives on");
    }
}

#[tokio::test]
async fn suspend_and_kill_reach_every_descendant() {
    let folder = state_dir();
    let bench = open(folder.path()).await;
    let file = folder.path().join("pids");
    let script = format!(
        "f={}; setsid sh -c 'echo $$ >>'$f'; exec sleep 1000' & \
         (setsid env -i sh -c 'echo $$ >>'$f'; exec sleep 1000' &) ; \
         until [ \"$(wc -l < $f)\" = 2 ]; do sleep 0.05; done; {READY}; exec sleep 1000",
        file.display()
    );
    let id = bench.submit(shell(&script)).await;
    bench.until(&id, is_ready).await;
    let suspended = bench
        .engine
        .request_state_change(id.clone(), 3, Timeout::None)
        .await;
    assert_eq!(suspended, Ok(0));
    for pid in pids(&file) {
        assert!(stands_still(pid), "process {pid} goes on");
    }
    assert_eq!(bench.engine.kill(id, None).await, Ok(0));
    for pid in pids(&file) {
        let state = process_state(pid).filter(|state| *state != 'Z');
        assert_eq!(state, None, "process {pid} lives on");
    }
}

#[tokio::test]
async fn what_a_run_leaves_behind_is_ended_with_it() {
    let folder = state_dir();
    let bench = open(folder.path()).await;
    let file = folder.path().join("pids");
    let script = format!(
        "f={}; (setsid sh -c 'echo $$ >>'$f'; exec sleep 1000' &) ; \
         until [ -s $f ]; do sleep 0.05; done; exit 4",
        file.display()
    );
    let id = bench.submit(shell(&script)).await;
    assert_eq!(bench.end(&id).await.error_code(), Some(4));
    for pid in pids(&file) {
        assert_eq!(process_state(pid), None, "process {pid} lives on");
    }
}

#[tokio::test]
async fn orphans_are_reaped_while_the_run_goes_on() {
    let folder = state_dir();
    let bench = open(folder.path()).await;
    let script = format!(
        "for i in 1 2 3 4 5; do (true &); done
         zombies() {{
             for stat in /proc/[0-9]*/stat; do
                 read -r line < $stat && case $line in *\") Z $PPID \"*) return 0;; esac
             done 2> /dev/null
             return 1
         }}
         while zombies; do sleep 0.05; done
         {READY}; exec sleep 1000"
    );
    let id = bench.submit(shell(&script)).await;
    bench.until(&id, is_ready).await;
    assert_eq!(bench.engine.kill(id, None).await, Ok(0));
}

#[tokio::test]
async fn a_long_reason_for_not_starting_arrives() {
    let folder = state_dir();
    let bench = open(folder.path()).await;
    let mut fields = shell("");
    fields.command = Some(vec![format!("/{}", "missing/".repeat(500))]);
    let id = bench.submit(fields).await;
    let job = bench.end(&id).await;
    assert_eq!(job.error_code(), Some(1001), "{:?}", job.error);
    let description = job.error.as_ref().map(|error| error.description.as_str());
    let description = description.unwrap_or_default();
    assert!(
        description.starts_with("could not be started: /missing/missing/"),
        "{description}"
    );
}

#[tokio::test]
async fn what_a_job_is_told_of_itself_cannot_be_told_otherwise() {
    let folder = state_dir();
    let bench = open(folder.path()).await;
    let mut fields = shell("echo $JOBWRIGHT_JOB_ID $JOBWRIGHT_RUN");
    let lies = [
        "JOBWRIGHT_JOB_ID=other",
        "JOBWRIGHT_RUN=7",
        "JOBWRIGHT_PROGRESS_FD=0",
    ];
    fields.environment = Some(lies.map(str::to_owned).to_vec());
    let id = bench.submit(fields).await;
    bench.end(&id).await;
    let expected = format!("{} 1\n", id.as_str());
    assert_eq!(bench.output(&id, Stream::Stdout).await, expected);
}

#[tokio::test]
async fn output_beyond_its_limit_drops_the_oldest() {
    let folder = state_dir();
    let bench = open(folder.path()).await;
    // 3 MiB in lines of 8 bytes, with a limit of 1 MiB.
    let id = bench.submit(shell("seq -f %07.0f 0 393215")).await;
    assert_eq!(bench.end(&id).await.state, JobState::Completed);
    let chunk = bench.engine.read_log(&id, Stream::Stdout, 0, 4 << 20).await;
    let chunk = chunk.expect("a log");
    assert!(
        chunk.end && chunk.next_offset == 3 << 20,
        "{}",
        chunk.next_offset
    );
    let length = chunk.data.len();
    assert!(
        (512 << 10..=1 << 20).contains(&length),
        "{length} bytes are kept"
    );
    assert!(chunk.data.ends_with(b"0393214\n0393215\n"));
}

#[tokio::test]
async fn a_backlog_runs_within_its_limit_and_whole() {
    const JOBS: usize = 200;
    const LIMIT: usize = 3;
    let folder = state_dir();
    let bench = open(folder.path()).await;
    let limit = u32::try_from(LIMIT).expect("small");
    let order = QueueOrder::Limit(QueueRecord::default_queue(limit).limits);
    let ordered = bench.engine.order_queue(DEFAULT_QUEUE, order).await;
    ordered.expect("is accepted");
    let mut changes = bench.engine.changes();
    let mut ids = Vec::new();
    for _ in 0..JOBS {
        ids.push(bench.submit(shell("exit 0")).await);
    }
    let mut most = 0;
    let all = async {
        loop {
            let jobs = bench.engine.snapshot().jobs.clone();
            most = most.max(jobs.values().filter(|job| job.has_process()).count());
            if jobs.values().all(|job| job.state.is_final()) {
                return;
            }
            // That some changes were missed is no matter: the newest state is looked at.
            changes.recv().await.ok();
        }
    };
    let waited = tokio::time::timeout(Duration::from_mins(2), all).await;
    assert!(waited.is_ok(), "the backlog does not end");
    assert!(
        (1..=LIMIT).contains(&most),
        "{most} ran at once, with a limit of {LIMIT}"
    );
    for id in ids {
        let job = bench.job(&id);
        assert_eq!((job.state, job.run_count), (JobState::Completed, 1));
    }
}

#[test]
fn a_supervisor_without_leave_runs_nothing() {
    // The small program, and the whole one where the small one is not there.
    for program in [
        env!("CARGO_BIN_EXE_jobwright-supervisor"),
        env!("CARGO_BIN_EXE_jobwright"),
    ] {
        runs_nothing_without_leave(program);
    }
}

fn runs_nothing_without_leave(program: &str) {
    let folder = state_dir();
    let run = folder.path();
    for fifo in ["control", "news"] {
        let mode = rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR;
        rustix::fs::mkfifoat(rustix::fs::CWD, run.join(fifo), mode).expect("a fifo");
    }
    let touched = run.join("touched");
    let spec = Spec {
        folder: run.to_owned(),
        program: Program::Command(vec!["/usr/bin/touch".into(), touched.display().to_string()]),
        environment: Vec::new(),
        working_directory: None,
        output_limit_bytes: 1000,
        cpu_limit_seconds: None,
    };
    let mut supervisor = Command::new(program)
        .arg("supervise-run")
        .stdin(Stdio::piped())
        .spawn()
        .expect("it starts");
    let mut input = supervisor.stdin.take().expect("is piped");
    input.write_all(&message::line(&spec)).expect("it reads");
    // The server is gone.
    drop(input);
    assert!(supervisor.wait().expect("ends").success());
    let end = fs::read(run.join("exit")).expect("it left a record");
    let end: End = message::parse(&end).expect("a record");
    assert_eq!(end.outcome, Outcome::NeverReleased);
    assert!(!touched.exists(), "the program ran without leave");
}

/// Runs `jobwright job …` against `server` and gives what it printed.
fn job(server: &Server, arguments: &[&str]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_jobwright"))
        .args(["job", arguments[0], "--url", &server.url, "--state-dir"])
        .arg(&server.state)
        .args(&arguments[1..])
        .output()
        .expect("the job command starts");
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

#[test]
fn an_end_that_nobody_hears_is_recorded_at_once() {
    let (state, scratch) = (state_dir(), state_dir());
    let gate = scratch.path().join("gate");
    let mode = rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR;
    rustix::fs::mkfifoat(rustix::fs::CWD, &gate, mode).expect("a fifo");
    let server = Server::start(state.path());
    let script = format!("echo $$; read x < {}; exit 6", gate.display());
    let id = job(
        &server,
        &["submit", "--quiet", "--", "/bin/sh", "-c", &script],
    );
    job(&server, &["watch", &id, "--until", "running", "--quiet"]);
    let file = state.path().join("runs").join(format!("i-{id}")).join("1");
    server.kill_9();
    let leader = fs::read(file.join("leader")).expect("the leader is named");
    let leader: jobwright::jobs::executor::identity::Identity =
        message::parse(&leader).expect("an identity");
    let supervisor = parent(u32::try_from(leader.pid).expect("a pid"));
    let program = fs::read_link(format!("/proc/{supervisor}/exe")).expect("it lives");
    assert!(program.ends_with("jobwright-supervisor"), "{program:?}");
    let supervisor = rustix::process::Pid::from_raw(supervisor).expect("a process id");
    let flags = rustix::process::PidfdFlags::empty();
    let supervisor = rustix::process::pidfd_open(supervisor, flags).expect("it lives");
    fs::write(&gate, "go\n").expect("the job still reads its gate");
    let mut events = [rustix::event::PollFd::new(
        &supervisor,
        rustix::event::PollFlags::IN,
    )];
    let limit = rustix::event::Timespec {
        tv_sec: 30,
        tv_nsec: 0,
    };
    let ready = rustix::event::poll(&mut events, Some(&limit)).expect("polls");
    assert_eq!(ready, 1, "the supervisor does not go");
    let end: End =
        message::parse(&fs::read(file.join("exit")).expect("an exit file")).expect("an end");
    assert_eq!(end.outcome, Outcome::Exited(6));
    let written = fs::metadata(file.join("exit")).and_then(|file| file.modified());
    let written: chrono::DateTime<chrono::Utc> = written.expect("a time").into();
    let late = written - end.at;
    assert!(
        late < chrono::TimeDelta::seconds(4),
        "the supervisor waited {late} for a server that was not there"
    );
}

#[test]
fn a_job_starts_clean_whatever_the_server_was_started_with() {
    let (state, scratch) = (state_dir(), state_dir());
    let out = scratch.path().join("out");
    // A server as a careless script starts it: signals ignored, a file open, a wide umask.
    let script = format!(
        "trap '' HUP INT QUIT USR1 TSTP XFSZ; umask 0; exec 9> {}; ulimit -c unlimited; \
         exec {} serve --port 0 --state-dir {}",
        scratch.path().join("leak").display(),
        env!("CARGO_BIN_EXE_jobwright"),
        state.path().display()
    );
    let server = Server::start_by(state.path(), Command::new("sh").args(["-c", &script]));
    let report = "grep -E '^Sig(Blk|Ign):' /proc/self/status | cut -f2; umask; ulimit -c; \
                  ls /proc/$$/fd | tr '\\n' ' '; echo; echo $JOBWRIGHT_PROGRESS_FD";
    let id = job(
        &server,
        &[
            "submit",
            "--quiet",
            "--",
            "/bin/sh",
            "-c",
            &format!("({report}) > {} 2>&1", out.display()),
        ],
    );
    job(&server, &["watch", &id, "--quiet"]);
    let found = fs::read_to_string(&out).expect("the job wrote");
    let lines: Vec<&str> = found.lines().collect();
    let signals: Vec<u64> = lines
        .iter()
        .take(2)
        .map(|mask| u64::from_str_radix(mask, 16).expect("a mask") & STANDARD_SIGNALS)
        .collect();
    assert_eq!(signals, [0, 0], "blocked and ignored signals:\n{found}");
    assert_eq!(
        lines.get(2..4),
        Some(["0022", "0"].as_slice()),
        "umask, core:\n{found}"
    );
    let progress = lines.get(5).expect("the number of the progress descriptor");
    let expected = format!("0 1 2 {progress}");
    let mut open: Vec<&str> = lines.get(4).unwrap_or(&"").split_whitespace().collect();
    // The shell keeps what it redirected at ten and above.
    open.retain(|descriptor| descriptor.len() == 1);
    assert_eq!(open.join(" "), expected, "descriptors:\n{found}");
}
