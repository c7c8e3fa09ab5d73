//! The history of runs with their output: what is kept of it, what goes, and how it is read.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use jobwright::jobs::core::{JobFields, JobId, JobState, Written};
use jobwright::jobs::engine::Timeout;
use jobwright::jobs::port::Stream;
use jobwright::model::datetime::CimDateTime;
use jobwright::store::Options;

use crate::support::engine::{Bench, open, open_configured, options, shell};
use crate::support::state_dir;

/// A job that can be started by hand again and again.
fn recurring(script: &str) -> JobFields {
    JobFields {
        instance_id: Some("again".to_owned()),
        job_run_times: Some(0),
        run_month: Some(1),
        run_day: Some(29),
        run_start_interval: Some(CimDateTime::interval(chrono::TimeDelta::zero())),
        ..shell(script)
    }
}

async fn run_once(bench: &Bench, id: &JobId, number: u32) {
    let start = bench
        .engine
        .request_state_change(id.clone(), 2, Timeout::None);
    start.await.expect("it can be started");
    let over = |job: &jobwright::jobs::core::JobRecord| {
        let run = job.run.as_ref();
        job.state == JobState::New && run.is_some_and(|run| run.number == number)
    };
    bench.until(id, over).await;
}

fn folder_of_run(state: &Path, number: u32) -> PathBuf {
    state.join("runs/i-again").join(number.to_string())
}

/// Waits until a folder has gone, which happens beside everything else.
async fn until_gone(folder: &Path) {
    let gone = async {
        while folder.exists() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    let gone = tokio::time::timeout(Duration::from_secs(30), gone).await;
    assert!(gone.is_ok(), "{} is still there", folder.display());
}

#[tokio::test]
async fn each_run_keeps_its_output_until_it_is_one_too_many() {
    let folder = state_dir();
    let mut store = Options::new(folder.path().to_owned());
    store.keep.runs = 2;
    let bench = open_configured(store, options(folder.path())).await;
    let script = "echo run $JOBWRIGHT_RUN; echo bad >&2";
    let id = bench.submit(recurring(script)).await;
    for number in 1..=3 {
        run_once(&bench, &id, number).await;
    }
    let runs = bench.engine.runs(id.clone()).await.expect("the history");
    let numbers: Vec<u32> = runs.iter().map(|run| run.number).collect();
    assert_eq!(numbers, [2, 3], "the two newest");
    for run in &runs {
        let written = Written {
            stdout: 6,
            stderr: 4,
        };
        assert_eq!(run.written, Some(written), "{run:?}");
        let read = bench.engine.read_log_of(run, Stream::Stdout, 0, 100);
        let chunk = read.await.expect("its output");
        let text = format!("run {}\n", run.number);
        assert_eq!((chunk.data, chunk.end), (text.into_bytes(), true));
    }
    until_gone(&folder_of_run(folder.path(), 1)).await;
    assert!(folder_of_run(folder.path(), 2).exists());
}

#[tokio::test]
async fn history_that_outlives_its_job_keeps_its_output() {
    let folder = state_dir();
    let mut store = Options::new(folder.path().to_owned());
    store.keep.outlives_job = true;
    let bench = open_configured(store, options(folder.path())).await;
    let id = bench.submit(shell("echo kept")).await;
    bench.end(&id).await;
    bench.engine.delete(id.clone()).await.expect("it has ended");
    let run = bench.engine.run(id, 1).await.expect("the history");
    let run = run.expect("the run outlives its job");
    let read = bench.engine.read_log_of(&run, Stream::Stdout, 0, 100);
    assert_eq!(read.await.expect("its output").data, b"kept\n");
}

#[tokio::test]
async fn what_a_crash_left_of_forgotten_runs_goes_at_the_next_start() {
    let folder = state_dir();
    let bench = open(folder.path()).await;
    let id = bench.submit(recurring("echo run")).await;
    run_once(&bench, &id, 1).await;
    run_once(&bench, &id, 2).await;
    bench.close().await.expect("it stops");
    // A crash between forgetting and deleting leaves this.
    let stray = folder.path().join("runs/i-removed/1");
    fs::create_dir_all(&stray).expect("the folder is ours");
    fs::write(stray.join("stdout.0"), "old").expect("the folder is ours");
    let bench = open(folder.path()).await;
    until_gone(&folder.path().join("runs/i-removed")).await;
    for number in 1..=2 {
        assert!(folder_of_run(folder.path(), number).exists());
    }
    bench.close().await.expect("it stops");
}
