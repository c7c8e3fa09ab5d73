//! The machine is started again under jobs that run: each is an Exception, and recovers as its
//! `RecoveryAction` says.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use chrono::TimeDelta;
use jobwright::jobs::Config;
use jobwright::jobs::core::{Amendment, JobFields, JobId, JobRecord, JobState};
use jobwright::jobs::engine::Timeout;
use jobwright::jobs::executor::Options;
use jobwright::jobs::executor::identity::Holder;
use jobwright::jobs::executor::message;
use jobwright::jobs::port::Stream;
use jobwright::model::CimDateTime;
use jobwright::store;
use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::Errno;
use rustix::process::{Pid, PidfdFlags, Signal, kill_process, pidfd_open, pidfd_send_signal};

use crate::support::engine::{Bench, open_all, options, shell};
use crate::support::state_dir;

/// Its first run goes on until somebody ends it; the next one completes.
const ONCE: &str = r#"[ "$JOBWRIGHT_RUN" != 1 ] || exec sleep 1000"#;
/// What was told to run for a failed run says for which.
const TELLS: &str = r#"echo "$JOBWRIGHT_FAILED_RUN of $JOBWRIGHT_FAILED_JOB_ID failed with $JOBWRIGHT_FAILED_CODE""#;
/// "Outcome unknown".
const UNKNOWN: u16 = 1003;

/// The server on `state`, in the boot of this name, or in the present one.
async fn open_in(state: &Path, boot: Option<&str>) -> Bench {
    let boot_id = boot.map(str::to_owned);
    let options = Options {
        boot_id: boot_id.clone(),
        ..options(state)
    };
    let hook = ["/bin/sh", "-c", TELLS].map(str::to_owned).to_vec();
    let config = Config {
        hooks: Arc::new(BTreeMap::from([("tell".to_owned(), hook)])),
        boot_id,
        max_running: 8,
        ..Config::default()
    };
    open_all(store::Options::new(state.to_owned()), options, config).await
}

/// What a power cut leaves of the processes of `jobs`: nothing, and no record of any end.
async fn power_cut(bench: Bench, jobs: &[JobId]) {
    let running = |id| bench.until(id, |job| job.process_id().is_some());
    let mut ended = Vec::new();
    for id in jobs {
        let job = running(id).await;
        let text = job.run.as_ref().and_then(|run| run.identity.clone());
        let text = text.expect("the run is on record");
        let holder: Holder = message::parse(text.as_bytes()).expect("a supervisor");
        let leader = i32::try_from(job.process_id().expect("it runs")).expect("a pid");
        ended.push((holder.identity.pid, leader));
    }
    bench.close().await.expect("closes");
    for (supervisor, leader) in ended {
        // The supervisor first, so that nobody writes down how the program ended.
        let pid = Pid::from_raw(supervisor).expect("a pid");
        kill_process(pid, Signal::KILL).expect("it lives");
        let leader = Pid::from_raw(leader).expect("a pid");
        let leader = pidfd_open(leader, PidfdFlags::empty()).expect("it lives");
        pidfd_send_signal(&leader, Signal::KILL).expect("it lives");
        let mut events = [PollFd::new(&leader, PollFlags::IN)];
        while let Err(error) = poll(&mut events, None) {
            assert_eq!(error, Errno::INTR, "waiting for its end");
        }
    }
}

fn acts(action: Option<u16>) -> JobFields {
    JobFields {
        recovery_action: action,
        retry_delay: Some(CimDateTime::interval(TimeDelta::milliseconds(1))),
        ..shell(ONCE)
    }
}

fn is_cut_off(job: &JobRecord) {
    let error = job.error.as_ref();
    let found = (job.state, job.error_code(), job.run_count);
    assert_eq!(
        found,
        (JobState::Exception, Some(UNKNOWN), 1),
        "{:?}",
        job.error
    );
    let description = error.map(|error| error.description.as_str());
    let description = description.unwrap_or_default();
    assert!(
        description.contains("the machine was restarted while it ran"),
        "{description}"
    );
}

/// The history says of the first run that nobody knows how it ended.
async fn is_on_record(bench: &Bench, id: &JobId) {
    let runs = bench.engine.runs(id.clone()).await.expect("a history");
    let first = runs.first().expect("the run that was cut off");
    assert_eq!((first.number, first.error_code), (1, Some(UNKNOWN)));
    assert!(first.ended.is_some());
}

#[tokio::test]
async fn a_job_that_is_not_to_go_on_stays_an_exception() {
    let state = state_dir();
    let bench = open_in(state.path(), None).await;
    let mut jobs = Vec::new();
    for action in [None, Some(0), Some(2)] {
        jobs.push(bench.submit(acts(action)).await);
    }
    power_cut(bench, &jobs).await;
    let bench = open_in(state.path(), Some("next")).await;
    for id in &jobs {
        is_cut_off(&bench.job(id));
        is_on_record(&bench, id).await;
    }
    bench.close().await.expect("closes");
    // The same once more: nothing is left to recover.
    let bench = open_in(state.path(), Some("another")).await;
    for id in &jobs {
        is_cut_off(&bench.job(id));
    }
}

#[tokio::test]
async fn a_suspended_run_and_one_on_its_way_out_are_cut_off_too() {
    let state = state_dir();
    let bench = open_in(state.path(), None).await;
    let deaf = JobFields {
        kill_grace_period: Some(CimDateTime::interval(TimeDelta::hours(1))),
        ..shell("trap '' TERM; echo 50 >&\"$JOBWRIGHT_PROGRESS_FD\"; while :; do sleep 1; done")
    };
    let jobs = [bench.submit(acts(None)).await, bench.submit(deaf).await];
    bench
        .until(&jobs[0], |job| job.process_id().is_some())
        .await;
    bench
        .until(&jobs[1], |job| job.percent_complete() == 50)
        .await;
    for (id, requested, code) in [(&jobs[0], 3, 0), (&jobs[1], 4, 4096)] {
        let change = bench
            .engine
            .request_state_change(id.clone(), requested, Timeout::None);
        assert_eq!(change.await, Ok(code));
    }
    power_cut(bench, &jobs).await;
    let bench = open_in(state.path(), Some("next")).await;
    is_cut_off(&bench.job(&jobs[0]));
    // It was told to end, and it has ended.
    assert_eq!(bench.job(&jobs[1]).state, JobState::Terminated);
    is_on_record(&bench, &jobs[0]).await;
}

#[tokio::test]
async fn a_recurring_job_waits_for_its_next_time() {
    let state = state_dir();
    let bench = open_in(state.path(), None).await;
    let id = bench
        .submit(JobFields {
            run_start_interval: Some(CimDateTime::interval(TimeDelta::zero())),
            job_run_times: Some(0),
            ..acts(None)
        })
        .await;
    let start = bench
        .engine
        .request_state_change(id.clone(), 2, Timeout::None);
    assert_eq!(start.await, Ok(4096));
    power_cut(bench, std::slice::from_ref(&id)).await;
    let bench = open_in(state.path(), Some("next")).await;
    let job = bench.job(&id);
    assert_eq!((job.state, job.run_count), (JobState::New, 1));
    assert!(job.plan.next.is_some());
    is_on_record(&bench, &id).await;
}

#[tokio::test]
async fn a_hook_runs_for_what_was_cut_off() {
    let state = state_dir();
    let bench = open_in(state.path(), None).await;
    let id = bench
        .submit(JobFields {
            other_recovery_action: Some("tell".to_owned()),
            ..acts(Some(1))
        })
        .await;
    power_cut(bench, std::slice::from_ref(&id)).await;
    let bench = open_in(state.path(), Some("next")).await;
    is_cut_off(&bench.job(&id));
    let jobs = bench.engine.snapshot().jobs.clone();
    let hook = jobs.keys().find(|other| **other != id);
    let hook = hook.expect("the hook is a job").clone();
    assert_eq!(bench.end(&hook).await.state, JobState::Completed);
    let expected = format!("1 of {id} failed with {UNKNOWN}\n");
    assert_eq!(bench.output(&hook, Stream::Stdout).await, expected);
}

#[tokio::test]
async fn the_next_job_begins_where_the_failed_one_lets_it() {
    let state = state_dir();
    let bench = open_in(state.path(), None).await;
    let id = bench.submit(acts(Some(3))).await;
    let next = bench
        .submit(JobFields {
            depends_on: Some(vec![id.as_str().to_owned()]),
            ..shell("exit 0")
        })
        .await;
    power_cut(bench, std::slice::from_ref(&id)).await;
    let bench = open_in(state.path(), Some("next")).await;
    is_cut_off(&bench.job(&id));
    assert_eq!(bench.end(&next).await.state, JobState::Completed);
}

#[tokio::test]
async fn a_job_that_is_run_again_completes() {
    let state = state_dir();
    let bench = open_in(state.path(), None).await;
    let id = bench.submit(acts(Some(4))).await;
    power_cut(bench, std::slice::from_ref(&id)).await;
    let bench = open_in(state.path(), Some("next")).await;
    let job = bench.end(&id).await;
    let run = job.run.as_ref().map(|run| run.number);
    assert_eq!((job.state, run), (JobState::Completed, Some(2)));
    is_on_record(&bench, &id).await;
    let runs = bench.engine.runs(id).await.expect("a history");
    assert_eq!(runs.get(1).and_then(|run| run.error_code), Some(0));
}

#[tokio::test]
async fn a_recovery_job_runs_for_what_was_cut_off_and_is_held_again() {
    let state = state_dir();
    let bench = open_in(state.path(), None).await;
    let by = bench
        .submit(JobFields {
            hold: Some(true),
            ..shell(TELLS)
        })
        .await;
    let id = bench
        .submit(JobFields {
            hold: Some(true),
            ..acts(Some(5))
        })
        .await;
    let amendment = Amendment::SetRecoveryJob(by.clone());
    let amended = bench.engine.amend(id.clone(), amendment).await;
    amended.expect("is accepted");
    let start = bench
        .engine
        .request_state_change(id.clone(), 2, Timeout::None);
    assert_eq!(start.await, Ok(4096));
    power_cut(bench, std::slice::from_ref(&id)).await;
    let bench = open_in(state.path(), Some("next")).await;
    is_cut_off(&bench.job(&id));
    let held = |job: &JobRecord| job.state == JobState::Suspended && job.run_count == 0;
    let ran = |job: &JobRecord| held(job) && job.run.is_some() && !job.has_process();
    bench.until(&by, ran).await;
    let expected = format!("1 of {id} failed with {UNKNOWN}\n");
    assert_eq!(bench.output(&by, Stream::Stdout).await, expected);
}
