//! The job engine with real processes: what runs, what is controlled, what survives the server.

use std::fs;

use chrono::TimeDelta;
use jobwright::jobs::core::{JobFields, JobRecord, JobState, Setting};
use jobwright::jobs::engine::Timeout;
use jobwright::jobs::port::Stream;
use jobwright::model::CimDateTime;

use crate::support::engine::{open, process_state, shell, stands_still};
use crate::support::state_dir;

#[tokio::test]
async fn a_command_runs_and_its_output_is_kept() {
    let folder = state_dir();
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
    bench.close().await.expect("closes");
}

#[tokio::test]
async fn every_way_to_fail_is_told_apart() {
    let folder = state_dir();
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
    let folder = state_dir();
    let bench = open(folder.path()).await;
    let script = r#"echo "42 copying files" >&"$JOBWRIGHT_PROGRESS_FD"; exec sleep 1000"#;
    let id = bench.submit(shell(script)).await;
    let job = bench.until(&id, |job| job.percent_complete() == 42).await;
    assert_eq!(job.job_status(bench.engine.now()), "copying files");
    assert_eq!(bench.engine.kill(id, None).await, Ok(0));
}

#[tokio::test]
async fn suspend_stops_the_process_and_kill_ends_it() {
    let folder = state_dir();
    let bench = open(folder.path()).await;
    let id = bench.submit(shell("exec sleep 1000")).await;
    let running = |job: &JobRecord| job.state == JobState::Running && job.process_id().is_some();
    let pid = bench.until(&id, running).await.process_id().expect("runs");
    let suspended = bench
        .engine
        .request_state_change(id.clone(), 3, Timeout::None)
        .await;
    assert_eq!((suspended, stands_still(pid)), (Ok(0), true));
    let started = bench
        .engine
        .request_state_change(id.clone(), 2, Timeout::None)
        .await;
    assert_eq!(started, Ok(4096));
    bench.until(&id, running).await;
    assert!(!stands_still(pid));
    assert_eq!(bench.engine.kill(id.clone(), Some(true)).await, Ok(0));
    assert_eq!(process_state(pid), None);
    assert!(bench.engine.snapshot().jobs.is_empty(), "DeleteOnKill");
}

#[tokio::test]
async fn a_job_that_ignores_sigterm_is_killed_after_its_grace() {
    let folder = state_dir();
    let bench = open(folder.path()).await;
    let millis = |n| Some(CimDateTime::interval(TimeDelta::milliseconds(n)));
    let script = r#"trap '' TERM; echo 1 >&"$JOBWRIGHT_PROGRESS_FD"; while :; do sleep 1; done"#;
    let fields = JobFields {
        kill_grace_period: millis(200),
        ..shell(script)
    };
    let id = bench.submit(fields).await;
    bench.until(&id, |job| job.percent_complete() == 1).await;
    let limit = Setting::MaxElapsedTime(millis(1));
    bench
        .engine
        .modify(id.clone(), vec![limit])
        .await
        .expect("is writable while it runs");
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
        let folder = state_dir();
        let bench = open(folder.path()).await;
        let go = folder.path().join("go");
        let script = format!("until [ -e {} ]; do sleep 0.05; done; exit 7", go.display());
        let id = bench.submit(shell(&script)).await;
        let running = |job: &JobRecord| job.process_id().is_some();
        let pid = bench.until(&id, running).await.process_id();
        bench.close().await.expect("closes");
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
