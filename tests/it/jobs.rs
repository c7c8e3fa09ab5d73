//! The job engine with real processes: what runs, what is controlled, what survives the server.

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use chrono::TimeDelta;
use jobwright::jobs::core::{JobFields, JobId, JobRecord, JobState, Submitter};
use jobwright::jobs::engine::{Engine, Timeout};
use jobwright::jobs::executor::{Options, ProcessExecutor};
use jobwright::jobs::port::Stream;
use jobwright::jobs::{Config, EngineTask};
use jobwright::model::CimDateTime;
use tempfile::TempDir;
use tokio::sync::mpsc;

struct Bench {
    engine: Engine,
    task: EngineTask,
}

async fn open(state: &Path) -> Bench {
    let (news, receiver) = mpsc::channel(64);
    let options = Options {
        program: env!("CARGO_BIN_EXE_jobwright").into(),
        folder: state.join("runs"),
        environment: vec![("PATH".to_owned(), "/usr/bin:/bin".to_owned())],
        output_limit_bytes: 1 << 20,
    };
    let executor = ProcessExecutor::new(options, news).expect("an executor");
    let config = Config::new(state.to_owned());
    let (engine, task) = Engine::open(config, Arc::new(executor), receiver)
        .await
        .expect("opens");
    Bench { engine, task }
}

fn folder() -> TempDir {
    tempfile::tempdir().expect("a folder")
}

fn shell(script: &str) -> JobFields {
    JobFields {
        name: Some("job".to_owned()),
        command: Some(["sh", "-c", script].map(str::to_owned).to_vec()),
        ..JobFields::default()
    }
}

impl Bench {
    async fn submit(&self, fields: JobFields) -> JobId {
        let by = Submitter {
            name: "ann".to_owned(),
            uid: 1000,
        };
        let submitted = self.engine.submit(fields, by, None).await;
        submitted.expect("accepted").id
    }

    fn job(&self, id: &JobId) -> Arc<JobRecord> {
        self.engine.snapshot().jobs[id].clone()
    }

    /// Waits until committed changes have made the job fit.
    async fn until(&self, id: &JobId, fits: impl Fn(&JobRecord) -> bool) -> Arc<JobRecord> {
        let mut changes = self.engine.changes();
        let arrived = async {
            while !fits(&self.job(id)) {
                changes.recv().await.expect("the engine lives");
            }
        };
        let waited = tokio::time::timeout(Duration::from_secs(30), arrived).await;
        assert!(waited.is_ok(), "{:?}", self.job(id));
        self.job(id)
    }

    async fn end(&self, id: &JobId) -> Arc<JobRecord> {
        self.until(id, |job| job.state.is_final()).await
    }

    async fn output(&self, id: &JobId, stream: Stream) -> String {
        let chunk = self.engine.read_log(id, stream, 0, 1 << 20).await;
        String::from_utf8(chunk.expect("a log").data).expect("text")
    }
}

/// The state letter of a process, `None` when it is gone.
fn process_state(pid: u32) -> Option<char> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    stat.rsplit_once(") ")?.1.chars().next()
}

#[tokio::test]
async fn a_command_runs_and_its_output_is_kept() {
    let folder = folder();
    let bench = open(folder.path()).await;
    let mut fields = shell("echo to $WHOM; echo oops >&2");
    fields.environment = Some(vec!["WHOM=you".to_owned()]);
    let id = bench.submit(fields).await;
    let job = bench.end(&id).await;
    assert_eq!(
        (job.state, job.exit_status()),
        (JobState::Completed, Some(0))
    );
    assert_eq!(bench.output(&id, Stream::Stdout).await, "to you\n");
    assert_eq!(bench.output(&id, Stream::Stderr).await, "oops\n");
    let runs = bench.engine.runs(id).await.expect("a history");
    assert_eq!((runs.len(), runs[0].error_code), (1, Some(0)));
    bench.task.shutdown().await.expect("closes");
}

#[tokio::test]
async fn every_way_to_fail_is_told_apart() {
    let folder = folder();
    let bench = open(folder.path()).await;
    let missing = JobFields {
        command: Some(vec!["no-such-program-anywhere".to_owned()]),
        ..shell("")
    };
    let cases = [
        (shell("exit 3"), 3),
        (shell("kill -9 $$"), 265),
        (missing, 1001),
    ];
    for (fields, code) in cases {
        let id = bench.submit(fields).await;
        let job = bench.end(&id).await;
        let found = (job.state, job.error_code());
        assert_eq!(found, (JobState::Exception, Some(code)), "{:?}", job.error);
    }
}

#[tokio::test]
async fn progress_is_seen_while_it_runs() {
    let folder = folder();
    let bench = open(folder.path()).await;
    let script = r#"echo "42 copying files" >&"$JOBWRIGHT_PROGRESS_FD"; exec sleep 1000"#;
    let id = bench.submit(shell(script)).await;
    let job = bench.until(&id, |job| job.percent_complete() == 42).await;
    assert_eq!(job.job_status(bench.engine.now()), "copying files");
    assert_eq!(bench.engine.kill(id, None).await, Ok(0));
}

#[tokio::test]
async fn suspend_stops_the_process_and_kill_ends_it() {
    let folder = folder();
    let bench = open(folder.path()).await;
    let id = bench.submit(shell("exec sleep 1000")).await;
    let running = |job: &JobRecord| job.state == JobState::Running && job.process_id().is_some();
    let pid = bench.until(&id, running).await.process_id().expect("runs");
    let suspended = bench
        .engine
        .request_state_change(id.clone(), 3, Timeout::None)
        .await;
    assert_eq!((suspended, process_state(pid)), (Ok(0), Some('T')));
    let started = bench
        .engine
        .request_state_change(id.clone(), 2, Timeout::None)
        .await;
    assert_eq!(started, Ok(4096));
    bench.until(&id, running).await;
    assert_ne!(process_state(pid), Some('T'));
    assert_eq!(bench.engine.kill(id.clone(), Some(true)).await, Ok(0));
    assert_eq!(process_state(pid), None);
    assert!(bench.engine.snapshot().jobs.is_empty(), "DeleteOnKill");
}

#[tokio::test]
async fn a_job_that_ignores_sigterm_is_killed_after_its_grace() {
    let folder = folder();
    let bench = open(folder.path()).await;
    let millis = |n| Some(CimDateTime::interval(TimeDelta::milliseconds(n)));
    let fields = JobFields {
        max_elapsed_time: millis(300),
        kill_grace_period: millis(200),
        ..shell("trap '' TERM; while true; do sleep 0.05; done")
    };
    let id = bench.submit(fields).await;
    let job = bench.end(&id).await;
    assert_eq!(
        (job.state, job.error_code()),
        (JobState::Exception, Some(1002))
    );
    assert_eq!(job.exit_signal(), Some(9));
}

#[tokio::test]
async fn a_run_outlives_its_server_and_its_true_end_is_learned() {
    for while_down in [false, true] {
        let folder = folder();
        let bench = open(folder.path()).await;
        let go = folder.path().join("go");
        let script = format!("until [ -e {} ]; do sleep 0.05; done; exit 7", go.display());
        let id = bench.submit(shell(&script)).await;
        let running = |job: &JobRecord| job.process_id().is_some();
        let pid = bench.until(&id, running).await.process_id();
        bench.task.shutdown().await.expect("closes");
        drop(bench.engine);
        if while_down {
            fs::write(&go, "").expect("writes");
        }
        let bench = open(folder.path()).await;
        if !while_down {
            assert_eq!(
                bench.job(&id).process_id(),
                pid,
                "the same process, adopted"
            );
            fs::write(&go, "").expect("writes");
        }
        let job = bench.end(&id).await;
        let run = job.run.as_ref().map(|run| run.number);
        assert_eq!(
            (job.error_code(), run),
            (Some(7), Some(1)),
            "{:?}",
            job.error
        );
    }
}
