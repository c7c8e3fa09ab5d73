//! The engine over a real store and a simulated executor: what is durable, and when.

use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use chrono::TimeDelta;
use futures_util::future::join_all;
use rusqlite::Connection;
use tempfile::TempDir;
use tokio::sync::mpsc;

use super::core::{
    Call, DEFAULT_QUEUE, Exit, JobFields, JobId, JobState, Phase, QueueOrder, QueueRecord,
    QueueRefusal, RunNews, Setting, SettingOrder, SettingValues, Submitter, Target,
};
use super::driver::STEP_LIMIT;
use super::engine::{Engine, EngineError, Submitted, Timeout};
use super::port::{News, Runs};
use super::pretender::Pretender;
use super::{Config, EngineTask};
use crate::model::datetime::CimDateTime;
use crate::store::{Options, StoreError, Writer, WriterThread};

struct Bench {
    engine: Engine,
    task: EngineTask,
    store: WriterThread,
    pretender: Arc<Pretender>,
}

async fn open(options: Options, fate: RunNews) -> Bench {
    let (news, receiver): (_, mpsc::Receiver<News>) = mpsc::channel(64);
    let pretender = Arc::new(Pretender {
        news,
        database: options.directory.join("jobwright.db"),
        commands: Mutex::default(),
        seen: Mutex::default(),
        fate,
    });
    let executor: Arc<dyn Runs> = pretender.clone();
    let (writer, store) = Writer::open(options).await.expect("opens");
    let (engine, task) = Engine::open(Config::default(), writer, executor, receiver)
        .await
        .expect("opens");
    Bench {
        engine,
        task,
        store,
        pretender,
    }
}

async fn fresh(directory: &Path) -> Bench {
    open(Options::new(directory.to_owned()), RunNews::Adopted).await
}

fn folder() -> TempDir {
    tempfile::tempdir().expect("a folder")
}

fn command(word: &str) -> JobFields {
    JobFields {
        name: Some("job".to_owned()),
        command: Some(vec![word.to_owned()]),
        ..JobFields::default()
    }
}

fn ann() -> Submitter {
    Submitter {
        name: "ann".to_owned(),
        uid: 1000,
    }
}

impl Bench {
    async fn close(self) -> Result<(), StoreError> {
        let closed = self.task.shutdown().await;
        self.store.close().await;
        closed
    }

    async fn let_run(&self, max_running: u32) -> Result<u32, EngineError> {
        let order = QueueOrder::Limit(QueueRecord::default_queue(max_running).limits);
        self.engine.order_queue(DEFAULT_QUEUE, order).await
    }

    fn queue(&self) -> (u32, u32) {
        let queue = &self.engine.snapshot().queues[DEFAULT_QUEUE];
        (queue.running, queue.waiting)
    }

    async fn submit(&self, word: &str) -> JobId {
        self.engine
            .submit(command(word), ann(), None)
            .await
            .expect("accepted")
            .id
    }

    fn state(&self, id: &JobId) -> Option<JobState> {
        self.engine.snapshot().jobs.get(id).map(|job| job.state)
    }

    /// Waits until committed changes have brought the job there; `None` is removed.
    async fn until(&self, id: &JobId, state: Option<JobState>) {
        let mut changes = self.engine.changes();
        let arrived = async {
            while self.state(id) != state {
                changes.recv().await.expect("the engine lives");
            }
        };
        let waited = tokio::time::timeout(Duration::from_secs(20), arrived).await;
        assert!(
            waited.is_ok(),
            "{id} is {:?} and not {state:?}",
            self.state(id)
        );
    }
}

#[tokio::test]
async fn everything_is_on_disk_before_it_is_done() {
    let folder = folder();
    let bench = fresh(folder.path()).await;
    let id = bench.submit("true").await;
    bench.until(&id, Some(JobState::Completed)).await;
    let job = bench.engine.snapshot().jobs[&id].clone();
    assert_eq!(
        (job.percent_complete(), job.error_code(), job.run_count),
        (100, Some(0), 1)
    );
    let runs = bench.engine.runs(id.clone()).await.expect("reads");
    assert_eq!(
        (runs.len(), runs[0].number, runs[0].error_code),
        (1, 1, Some(0))
    );
    let (engine, pretender) = (bench.engine.clone(), bench.pretender.clone());
    bench.close().await.expect("closes");
    let seen = pretender.seen.lock().expect("no panic").clone();
    let expected = [
        ("prepare", 3, Some(Phase::Preparing)),
        ("release", 3, Some(Phase::Released)),
        ("acknowledge", 7, Some(Phase::Over)),
    ];
    assert_eq!(seen, expected);
    let late = engine.submit(command("true"), ann(), None).await;
    assert_eq!(late, Err(EngineError::Stopped));
}

#[tokio::test]
async fn a_program_that_is_missing_makes_an_exception() {
    let folder = folder();
    let bench = fresh(folder.path()).await;
    let id = bench.submit("missing").await;
    bench.until(&id, Some(JobState::Exception)).await;
    let job = bench.engine.snapshot().jobs[&id].clone();
    assert_eq!(job.error_code(), Some(1001));
    assert_eq!(
        job.error_description().as_deref(),
        Some("could not be started: no such program")
    );
}

#[tokio::test]
async fn control_is_answered_when_it_is_done() {
    let folder = folder();
    let bench = fresh(folder.path()).await;
    let id = bench.submit("sleep").await;
    bench.until(&id, Some(JobState::Running)).await;
    let suspend = bench
        .engine
        .request_state_change(id.clone(), 3, Timeout::None)
        .await;
    assert_eq!(
        (suspend, bench.state(&id)),
        (Ok(0), Some(JobState::Suspended))
    );
    let start = bench
        .engine
        .request_state_change(id.clone(), 2, Timeout::None)
        .await;
    assert_eq!(start, Ok(4096));
    bench.until(&id, Some(JobState::Running)).await;
    let grace = Timeout::After(Duration::from_secs(1));
    let refused = bench
        .engine
        .request_state_change(id.clone(), 3, grace)
        .await;
    assert_eq!(refused, Ok(4098));
    assert_eq!(
        bench
            .engine
            .delete(id.clone())
            .await
            .err()
            .map(|e| e.to_string())
            .as_deref(),
        Some("the job has not ended; terminate it first")
    );
    assert_eq!(bench.engine.kill(id.clone(), None).await, Ok(0));
    assert_eq!(bench.state(&id), Some(JobState::Killed));
    assert_eq!(bench.engine.kill(id.clone(), None).await, Ok(4));
    assert_eq!(bench.engine.delete(id.clone()).await, Ok(()));
    assert_eq!(bench.state(&id), None);
    assert_eq!(
        bench.engine.kill(id.clone(), None).await,
        Err(EngineError::NotFound(id))
    );
}

#[tokio::test]
async fn a_request_id_makes_one_job_however_often_it_is_sent() {
    let folder = folder();
    let bench = fresh(folder.path()).await;
    let request = || Some("r1".to_owned());
    let send = |_| bench.engine.submit(command("true"), ann(), request());
    let answers = join_all((0..20).map(send)).await;
    let first: Vec<_> = answers
        .iter()
        .flatten()
        .filter(|answer| !answer.repeated)
        .collect();
    assert_eq!((answers.len(), first.len()), (20, 1));
    let id = first[0].id.clone();
    assert!(
        answers
            .iter()
            .all(|answer| answer.as_ref().is_ok_and(|answer| answer.id == id))
    );
    let bob = Submitter {
        name: "bob".to_owned(),
        uid: 1001,
    };
    let other = bench
        .engine
        .submit(command("true"), bob, request())
        .await
        .expect("accepted");
    assert!(
        !other.repeated && other.id != id,
        "request ids are each principal's own"
    );
    bench.until(&id, Some(JobState::Completed)).await;
    bench.engine.delete(id.clone()).await.expect("deleted");
    let again = bench.engine.submit(command("true"), ann(), request()).await;
    assert_eq!(again, Ok(Submitted { id, repeated: true }));
    let empty = bench
        .engine
        .submit(command("true"), ann(), Some(String::new()))
        .await;
    assert_eq!(empty, Err(EngineError::RequestId));
}

#[tokio::test]
async fn an_id_that_a_client_chose_is_never_used_again() {
    let folder = folder();
    let bench = fresh(folder.path()).await;
    let chosen = JobFields {
        instance_id: Some("mine".to_owned()),
        ..command("true")
    };
    let id = bench
        .engine
        .submit(chosen.clone(), ann(), None)
        .await
        .expect("accepted")
        .id;
    assert_eq!(id.as_str(), "mine");
    let used = Err(EngineError::IdUsed(id.clone()));
    assert_eq!(bench.engine.submit(chosen.clone(), ann(), None).await, used);
    bench.until(&id, Some(JobState::Completed)).await;
    bench.engine.delete(id).await.expect("deleted");
    assert_eq!(bench.engine.submit(chosen, ann(), None).await, used);
}

#[tokio::test]
async fn what_is_wrong_is_refused_and_leaves_nothing() {
    let folder = folder();
    let bench = fresh(folder.path()).await;
    let wrong = JobFields {
        run_day: Some(0),
        ..command("true")
    };
    let error = bench
        .engine
        .submit(wrong, ann(), None)
        .await
        .expect_err("refused");
    assert_eq!(error.to_string(), "RunDay is 0, and there is no such day");
    assert!(bench.engine.snapshot().jobs.is_empty());
    let id = bench.submit("sleep").await;
    let wrong = vec![Setting::Priority(Some(1)), Setting::RunDay(Some(0))];
    assert!(bench.engine.modify(id.clone(), wrong).await.is_err());
    assert_eq!(
        bench.engine.snapshot().jobs[&id].spec.priority(),
        65_535,
        "all or nothing"
    );
    assert_eq!(bench.let_run(0).await, Err(QueueRefusal::MaxRunning.into()));
}

#[tokio::test]
async fn marks_on_both_clocks_are_kept() {
    let folder = folder();
    let bench = fresh(folder.path()).await;
    let soon = |millis| Some(CimDateTime::interval(TimeDelta::milliseconds(millis)));
    let fields = JobFields {
        scheduled_start_time: soon(50),
        max_elapsed_time: soon(50),
        delete_on_completion: Some(true),
        time_before_removal: soon(0),
        ..command("sleep")
    };
    let id = bench
        .engine
        .submit(fields, ann(), None)
        .await
        .expect("accepted")
        .id;
    assert_eq!(bench.state(&id), Some(JobState::New));
    bench.until(&id, Some(JobState::Exception)).await;
    assert_eq!(bench.engine.snapshot().jobs[&id].error_code(), Some(1002));
    bench.until(&id, None).await;
}

#[tokio::test]
async fn after_a_restart_runs_are_found_again() {
    let fates = [
        (
            Pretender::ended(Exit::Code(7)),
            JobState::Exception,
            Some(7),
        ),
        (
            Pretender::ended(Exit::Code(0)),
            JobState::Completed,
            Some(0),
        ),
        (
            Pretender::ended(Exit::Unknown("lost".to_owned())),
            JobState::Exception,
            Some(1003),
        ),
        (RunNews::Adopted, JobState::Running, None),
    ];
    for (fate, state, code) in fates {
        let folder = folder();
        let bench = fresh(folder.path()).await;
        let id = bench.submit("sleep").await;
        bench.until(&id, Some(JobState::Running)).await;
        bench.close().await.expect("closes");
        let bench = open(Options::new(folder.path().to_owned()), fate).await;
        let job = bench.engine.snapshot().jobs[&id].clone();
        assert_eq!(
            (job.state, job.error_code()),
            (state, code),
            "known when open returns"
        );
        assert_eq!(
            job.run.as_ref().map(|run| run.number),
            Some(1),
            "never started twice"
        );
    }
}

#[tokio::test]
async fn what_was_only_prepared_is_queued_again() {
    let folder = folder();
    let bench = fresh(folder.path()).await;
    let id = bench.submit("stuck").await;
    assert_eq!(bench.state(&id), Some(JobState::Starting));
    bench.close().await.expect("closes");
    let bench = fresh(folder.path()).await;
    let job = bench.engine.snapshot().jobs[&id].clone();
    let run = job.run.as_ref().expect("started again");
    assert_eq!(
        (job.state, run.number, job.run_count),
        (JobState::Starting, 2, 0)
    );
}

#[tokio::test]
async fn settings_and_calls_are_as_durable_as_jobs() {
    let folder = folder();
    let bench = fresh(folder.path()).await;
    let retries = |number| SettingValues {
        max_retries: Some(number),
        ..SettingValues::default()
    };
    for (id, order) in [
        ("gone", SettingOrder::Create(retries(1))),
        ("kept", SettingOrder::Create(retries(2))),
        ("gone", SettingOrder::Attach(Target::Service)),
        ("gone", SettingOrder::Delete),
        ("kept", SettingOrder::Change(retries(7))),
        ("kept", SettingOrder::Attach(Target::Service)),
    ] {
        bench.engine.order_setting(id, order).await.expect("done");
    }
    let held = || JobFields {
        hold: Some(true),
        ..command("true")
    };
    let call = Call::new(command("true"), Some(held()), Some("r".to_owned()));
    let made = bench
        .engine
        .submit_called(held(), ann(), call.clone())
        .await;
    let id = made.expect("accepted").id;
    let known = bench.engine.snapshot().settings.clone();
    bench.close().await.expect("closes");
    let bench = fresh(folder.path()).await;
    let snapshot = bench.engine.snapshot();
    assert_eq!(snapshot.settings, known);
    let job = &snapshot.jobs[&id];
    assert_eq!(
        (job.call.as_ref(), job.spec.max_retries()),
        (Some(&call), 7)
    );
    let again = bench.engine.submit_called(held(), ann(), call).await;
    let again = again.expect("the first job");
    assert_eq!((again.id, again.repeated), (id, true));
    let other = bench
        .engine
        .submit(held(), ann(), None)
        .await
        .expect("accepted");
    let other = bench.engine.snapshot().jobs[&other.id].clone();
    assert_eq!((other.call.as_ref(), other.spec.max_retries()), (None, 7));
}

#[tokio::test]
async fn a_full_disk_loses_no_accepted_job() {
    let folder = folder();
    let mut options = Options::new(folder.path().to_owned());
    options.page_limit = Some(60);
    let bench = open(options, RunNews::Adopted).await;
    let hold = || JobFields {
        hold: Some(true),
        ..command("true")
    };
    let mut accepted = Vec::new();
    let error = loop {
        match bench.engine.submit(hold(), ann(), None).await {
            Ok(submitted) => accepted.push(submitted.id),
            Err(error) => break error,
        }
    };
    assert!(matches!(error, EngineError::Store(_)), "{error}");
    let reads = |engine: &Engine| engine.snapshot().jobs.keys().cloned().collect::<Vec<_>>();
    accepted.sort();
    assert_eq!(
        reads(&bench.engine),
        accepted,
        "reads go on, and show what was accepted"
    );
    bench.close().await.expect("closes");
    let bench = fresh(folder.path()).await;
    assert_eq!(reads(&bench.engine), accepted);
}

#[tokio::test]
async fn what_the_store_would_not_take_is_tried_again() {
    let folder = folder();
    let mut options = Options::new(folder.path().to_owned());
    options.busy_timeout = Duration::from_millis(20);
    let bench = open(options, RunNews::Adopted).await;
    let id = bench.submit("sleep").await;
    bench.until(&id, Some(JobState::Running)).await;
    let intruder = Connection::open(&bench.pretender.database).expect("opens");
    intruder.execute_batch("BEGIN IMMEDIATE").expect("locks");
    let run = RunNews::Progress {
        percent: Some(9),
        text: None,
    };
    bench
        .pretender
        .tell(&id, 1, vec![run, Pretender::ended(Exit::Code(4))]);
    let refused = bench.engine.submit(command("true"), ann(), None).await;
    assert!(matches!(refused, Err(EngineError::Store(_))), "{refused:?}");
    assert_eq!(bench.engine.snapshot().jobs.len(), 1, "nothing happened");
    intruder.execute_batch("ROLLBACK").expect("unlocks");
    bench.until(&id, Some(JobState::Exception)).await;
    assert_eq!(bench.engine.snapshot().jobs[&id].exit_status(), Some(4));
    bench.submit("true").await;
}

#[tokio::test]
async fn a_store_that_takes_nothing_makes_no_heap_of_news() {
    let folder = folder();
    let mut options = Options::new(folder.path().to_owned());
    options.busy_timeout = Duration::from_millis(1);
    let bench = open(options, RunNews::Adopted).await;
    let id = bench.submit("sleep").await;
    bench.until(&id, Some(JobState::Running)).await;
    let intruder = Connection::open(&bench.pretender.database).expect("opens");
    intruder.execute_batch("BEGIN IMMEDIATE").expect("locks");
    let sender = &bench.pretender.news;
    let (percent, text) = (Some(9), None);
    let progress = RunNews::Progress { percent, text };
    let mut taken = 0;
    loop {
        let before = taken;
        while sender.try_send((id.clone(), 1, progress.clone())).is_ok() {
            taken += 1;
        }
        if taken == before {
            break;
        }
        assert!(taken <= 4 * STEP_LIMIT, "{taken} news were taken");
        // When this is answered the engine has looked for news.
        let refused = bench.engine.submit(command("true"), ann(), None).await;
        assert!(matches!(refused, Err(EngineError::Store(_))), "{refused:?}");
    }
    intruder.execute_batch("ROLLBACK").expect("unlocks");
    let end = (id.clone(), 1, Pretender::ended(Exit::Code(0)));
    sender.send(end).await.expect("the engine lives");
    bench.until(&id, Some(JobState::Completed)).await;
}

#[tokio::test]
async fn the_limit_of_running_jobs_holds_and_can_be_changed() {
    let folder = folder();
    let bench = fresh(folder.path()).await;
    bench.let_run(2).await.expect("set");
    join_all((0..5).map(|_| bench.submit("sleep"))).await;
    assert_eq!(bench.queue(), (2, 3));
    bench.let_run(4).await.expect("set");
    assert_eq!(bench.queue(), (4, 1));
}
