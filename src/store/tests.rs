//! The store by example, its refusals and its failures included.

#![expect(
    clippy::disallowed_methods,
    reason = "damaged stores are made of files"
)]

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use rusqlite::Connection;
use tempfile::TempDir;

use super::*;
use crate::jobs::core::{
    Change, Exit, JobFields, JobId, JobRecord, JobSpec, JobState, Prior, QueueRecord, RunRow,
    Submitter, Written,
};
use crate::provider::Notices;

fn now() -> DateTime<Utc> {
    "2026-06-01T12:00:00Z".parse().expect("an instant")
}

fn options(directory: &Path) -> Options {
    Options::new(directory.to_owned())
}

fn folder() -> TempDir {
    tempfile::tempdir().expect("a folder")
}

fn open(directory: &Path) -> Store {
    let mut store = Store::open(&options(directory)).expect("opens");
    store.load("host", "boot").expect("loads");
    store
}

fn job(seq: u64, chosen: Option<&str>) -> Arc<JobRecord> {
    let fields = JobFields {
        name: Some("job".to_owned()),
        instance_id: chosen.map(str::to_owned),
        command: Some(vec!["true".to_owned()]),
        ..JobFields::default()
    };
    let id = chosen.map_or_else(|| format!("JW:{seq}"), str::to_owned);
    let owner = Submitter {
        name: "ann".to_owned(),
        uid: 1000,
    };
    let spec = JobSpec::new(fields, now()).expect("a job");
    let id = JobId::new(&id).expect("an id");
    let mut job = JobRecord::new((id, seq), owner, spec, now());
    job.ready = Some(now());
    Arc::new(job)
}

fn insert(job: &Arc<JobRecord>, request_id: Option<&str>) -> Change {
    Change::Insert {
        job: Arc::clone(job),
        request_id: request_id.map(str::to_owned),
    }
}

fn becomes(before: &Arc<JobRecord>, state: JobState) -> (Arc<JobRecord>, Change) {
    let mut after = JobRecord::clone(before);
    after.revision += 1;
    after.state = state;
    after.ended = state.is_final().then(now);
    let after = Arc::new(after);
    (
        Arc::clone(&after),
        Change::Update {
            before: Arc::clone(before),
            after,
        },
    )
}

#[test]
fn what_was_committed_is_there_after_reopening() {
    let folder = folder();
    let (a, b) = (job(1, None), job(2, Some("mine")));
    let (b_later, update) = becomes(&b, JobState::Suspended);
    let mut store = open(folder.path());
    store
        .commit(&[insert(&a, None), insert(&b, None)], &[], now())
        .expect("commits");
    let queue = QueueRecord::default_queue(7);
    let gone = Arc::new(QueueRecord::new("gone", queue.limits.clone()));
    let changes = [
        update,
        Change::Queue(Arc::new(queue.clone())),
        Change::Queue(Arc::clone(&gone)),
        Change::RemoveQueue(gone),
    ];
    store.commit(&changes, &[], now()).expect("commits");
    drop(store);
    let mut store = Store::open(&options(folder.path())).expect("opens");
    let loaded = store.load("another", "boot").expect("loads");
    assert_eq!(loaded.jobs, [a.clone(), b_later.clone()]);
    assert_eq!((loaded.queues, loaded.rebooted), (vec![queue], false));
    assert_eq!(loaded.host, "host", "the name of the first start");
    drop(store);
    let mut store = Store::open(&options(folder.path())).expect("opens");
    assert!(store.load("host", "next boot").expect("loads").rebooted);
}

#[test]
fn a_transaction_is_all_or_nothing_and_conflicts_are_seen() {
    let folder = folder();
    let a = job(1, None);
    let mut store = open(folder.path());
    store
        .commit(&[insert(&a, None)], &[], now())
        .expect("commits");
    let (_, stale) = becomes(&a, JobState::Suspended);
    let (_, fresh) = becomes(&a, JobState::Suspended);
    store.commit(&[fresh], &[], now()).expect("commits");
    let error = store
        .commit(&[insert(&job(2, None), None), stale], &[], now())
        .expect_err("stale");
    assert!(
        matches!(error, StoreError::Conflict(_)) && error.is_fatal(),
        "{error}"
    );
    assert_eq!(store.load("host", "boot").expect("loads").jobs.len(), 1);
}

#[test]
fn a_final_state_has_no_way_out_even_by_hand() {
    let folder = folder();
    let a = job(1, None);
    let (ended, end) = becomes(&a, JobState::Killed);
    let (_, revive) = becomes(&ended, JobState::New);
    let mut store = open(folder.path());
    store
        .commit(&[insert(&a, None), end], &[], now())
        .expect("commits");
    let error = store
        .commit(&[revive], &[], now())
        .expect_err("a final state");
    let cause = std::error::Error::source(&error)
        .expect("has a cause")
        .to_string();
    assert!(cause.contains("final"), "{cause}");
}

fn prior(store: &Store, chosen: Option<&str>, request: Option<&str>) -> Option<Prior> {
    let query = Query {
        chosen: chosen.map(|id| JobId::new(id).expect("an id")),
        request: request.map(|id| ("ann".to_owned(), id.to_owned())),
    };
    store.prior(&[query]).expect("answers").remove(0)
}

#[test]
fn ids_are_remembered_after_the_job_is_gone() {
    let folder = folder();
    let (a, b) = (job(1, Some("mine")), job(2, None));
    let (a_ended, end) = becomes(&a, JobState::Completed);
    let mut store = open(folder.path());
    let changes = [
        insert(&a, Some("r1")),
        insert(&b, None),
        end,
        Change::Remove(a_ended),
    ];
    store.commit(&changes, &[], now()).expect("commits");
    assert_eq!(prior(&store, Some("mine"), None), Some(Prior::IdUsed));
    assert_eq!(
        prior(&store, None, Some("r1")),
        Some(Prior::Repeat(a.id.clone()))
    );
    assert_eq!(prior(&store, Some("other"), Some("r2")), None);
    let (b_ended, end) = becomes(&b, JobState::Completed);
    let week = now() + TimeDelta::days(7) + TimeDelta::seconds(1);
    store
        .commit(&[end, Change::Remove(b_ended)], &[], week)
        .expect("commits");
    assert_eq!(
        prior(&store, None, Some("r1")),
        None,
        "request ids are forgotten after a week"
    );
    assert_eq!(
        prior(&store, Some("mine"), None),
        Some(Prior::IdUsed),
        "chosen ids never"
    );
}

fn run(job: &JobRecord, number: u32, ended: Option<DateTime<Utc>>) -> RunRow {
    RunRow {
        job: job.id.clone(),
        number,
        owner: job.owner.name.clone(),
        started: now(),
        ended,
        elapsed: Duration::from_millis(1500),
        error_code: ended.map(|_| 3),
        exit: ended.map(|_| Exit::Code(3)),
        percent: 42,
        priority: 5,
        cpu: Some(Duration::from_micros(7)),
        max_rss_bytes: Some(4096),
        written: ended.map(|_| Written {
            stdout: 1 << 40,
            stderr: 0,
        }),
    }
}

#[test]
fn runs_are_read_beside_the_writer_and_go_with_their_job() {
    let folder = folder();
    let (a, b) = (job(1, None), job(2, None));
    let mut store = open(folder.path());
    let history = store.history();
    let changes = [
        insert(&a, None),
        insert(&b, None),
        Change::Run(run(&a, 1, None)),
        Change::Run(run(&a, 2, None)),
        Change::Run(run(&b, 1, None)),
    ];
    store.commit(&changes, &[], now()).expect("commits");
    let ended = run(&a, 1, Some(now()));
    store
        .commit(&[Change::Run(ended.clone())], &[], now())
        .expect("commits");
    let expected = [ended.clone(), run(&a, 2, None)];
    assert_eq!(history.runs(&a.id).expect("reads"), expected);
    assert_eq!(history.run(&a.id, 1).expect("reads"), Some(ended.clone()));
    assert_eq!(history.run(&a.id, 3).expect("reads"), None);
    let page = |last: Option<(JobId, u32)>, limit| {
        let rows = history.page(last.as_ref(), limit).expect("reads");
        rows.into_iter()
            .map(|row| (row.job.to_string(), row.number))
            .collect::<Vec<_>>()
    };
    let named = |id: &str, number| (id.to_owned(), number);
    assert_eq!(page(None, 2), [named("JW:1", 1), named("JW:1", 2)]);
    assert_eq!(page(Some((a.id.clone(), 2)), 2), [named("JW:2", 1)]);
    let (end, update) = becomes(&a, JobState::Completed);
    let forgotten = store.commit(&[update, Change::Remove(end)], &[], now());
    assert_eq!(forgotten.expect("commits"), [Forgotten::Job(a.id.clone())]);
    assert_eq!(history.runs(&a.id).expect("reads"), []);
}

/// Commits an ended run on `day` and gives what that made too much.
fn end_run(store: &mut Store, job: &JobRecord, number: u32, day: i64) -> Vec<Forgotten> {
    let then = now() + TimeDelta::days(day);
    let row = Change::Run(run(job, number, Some(then)));
    store.commit(&[row], &[], then).expect("commits")
}

#[test]
fn history_goes_by_number_and_age() {
    let folder = folder();
    let (often, seldom) = (job(1, None), job(2, None));
    let keep = Keep {
        runs: 2,
        age: Duration::from_hours(24 * 10),
        outlives_job: false,
    };
    let mut store = Store::open(&Options {
        keep,
        ..options(folder.path())
    })
    .expect("opens");
    store.load("host", "boot").expect("loads");
    let changes = [insert(&often, None), insert(&seldom, None)];
    store.commit(&changes, &[], now()).expect("commits");
    let gone = |job: &JobRecord, number| [Forgotten::Run(job.id.clone(), number)];
    assert_eq!(end_run(&mut store, &seldom, 1, 0), []);
    assert_eq!(end_run(&mut store, &often, 1, 0), []);
    assert_eq!(end_run(&mut store, &often, 2, 0), []);
    assert_eq!(
        end_run(&mut store, &often, 3, 0),
        gone(&often, 1),
        "too many"
    );
    assert_eq!(
        end_run(&mut store, &often, 4, 11),
        [gone(&often, 2), gone(&often, 3)].concat(),
        "one too many and one too old; the newest of the other job stays"
    );
    assert_eq!(
        end_run(&mut store, &seldom, 2, 12),
        gone(&seldom, 1),
        "it is not the newest any more"
    );
}

#[test]
fn history_outlives_its_job_where_it_is_wanted_until_it_is_old() {
    let folder = folder();
    let (a, b) = (job(1, None), job(2, None));
    let keep = Keep {
        outlives_job: true,
        ..Keep::default()
    };
    let mut store = Store::open(&Options {
        keep,
        ..options(folder.path())
    })
    .expect("opens");
    store.load("host", "boot").expect("loads");
    let changes = [insert(&a, None), insert(&b, None)];
    store.commit(&changes, &[], now()).expect("commits");
    assert_eq!(end_run(&mut store, &a, 1, 0), []);
    let (end, update) = becomes(&a, JobState::Completed);
    let forgotten = store.commit(&[update, Change::Remove(end)], &[], now());
    assert_eq!(forgotten.expect("commits"), []);
    let row = store.history().run(&a.id, 1).expect("reads");
    assert_eq!(row.map(|row| row.owner).as_deref(), Some("ann"));
    assert_eq!(
        end_run(&mut store, &b, 1, 31),
        [Forgotten::Run(a.id.clone(), 1)]
    );
}

#[test]
fn a_run_that_loses_its_job_and_is_old_is_told_of_once() {
    let folder = folder();
    let (a, b) = (job(1, None), job(2, None));
    let keep = Keep {
        outlives_job: true,
        age: Duration::ZERO,
        ..Keep::default()
    };
    let mut store = Store::open(&Options {
        keep,
        ..options(folder.path())
    })
    .expect("opens");
    store.load("host", "boot").expect("loads");
    let changes = [insert(&a, None), insert(&b, None)];
    store.commit(&changes, &[], now()).expect("commits");
    assert_eq!(end_run(&mut store, &a, 1, 0), []);
    let (end, update) = becomes(&a, JobState::Completed);
    let then = now() + TimeDelta::days(1);
    let another = Change::Run(run(&b, 1, Some(then)));
    let mut told = None;
    let changes = [update, Change::Remove(end), another];
    let committed = store.commit_told(&changes, &[], then, |gone| {
        let named = |rows: &[RunRow]| -> Vec<_> {
            rows.iter()
                .map(|row| (row.job.to_string(), row.number))
                .collect()
        };
        told = Some((named(&gone.runs), named(&gone.orphans)));
        Notices::default()
    });
    committed.expect("commits");
    let expected = (vec![("JW:1".to_owned(), 1)], Vec::new());
    assert_eq!(
        told,
        Some(expected),
        "what is gone, and what only lost its job"
    );
}

#[test]
fn a_full_disk_refuses_writes_and_keeps_reads() {
    let folder = folder();
    let limited = Options {
        page_limit: Some(40),
        ..options(folder.path())
    };
    let mut store = Store::open(&limited).expect("opens");
    store.load("host", "boot").expect("loads");
    let stored =
        (1..1000).find(
            |seq| match store.commit(&[insert(&job(*seq, None), None)], &[], now()) {
                Ok(_) => false,
                Err(StoreError::Full) => true,
                Err(error) => panic!("{error}"),
            },
        );
    let stored = stored.expect("the disk becomes full") - 1;
    assert_eq!(
        store.load("host", "boot").expect("reads").jobs.len() as u64,
        stored
    );
    assert!(!StoreError::Full.is_fatal());
}

#[test]
fn no_room_for_the_shared_file_is_a_full_disk() {
    let error = |code| rusqlite::Error::SqliteFailure(rusqlite::ffi::Error::new(code), None);
    assert!(matches!(StoreError::from(error(4874)), StoreError::Full));
    assert!(matches!(
        StoreError::from(error(266)),
        StoreError::Sqlite(_)
    ));
}

#[test]
fn two_servers_never_share_a_directory() {
    let folder = folder();
    let first = open(folder.path());
    let error = Store::open(&options(folder.path())).expect_err("locked");
    assert!(matches!(error, StoreError::Locked(_)), "{error}");
    assert!(error.to_string().contains("another server"));
    drop(first);
    open(folder.path());
}

#[test]
fn nobody_else_may_look_in() {
    let folder = folder();
    let state = folder.path().join("a/state");
    open(&state);
    let mode = |path: &Path| fs::metadata(path).expect("is there").permissions().mode() & 0o777;
    assert_eq!(mode(&state), 0o700);
    assert_eq!(mode(&state.join("jobwright.db")), 0o600);
}

#[test]
fn what_is_not_our_database_is_refused() {
    let database = |folder: &TempDir| folder.path().join("jobwright.db");
    let refused = |folder: &TempDir| Store::open(&options(folder.path())).expect_err("refused");

    let garbage = folder();
    fs::write(database(&garbage), "garbage ".repeat(1000)).expect("writes");
    assert!(matches!(refused(&garbage), StoreError::Corrupt(_)));

    let foreign = folder();
    let other = Connection::open(database(&foreign)).expect("opens");
    other.execute_batch("CREATE TABLE t (x)").expect("creates");
    drop(other);
    assert!(matches!(refused(&foreign), StoreError::Foreign));

    let newer = folder();
    drop(open(newer.path()));
    let later = Connection::open(database(&newer)).expect("opens");
    later
        .execute_batch("PRAGMA user_version = 99")
        .expect("writes");
    drop(later);
    assert!(matches!(
        refused(&newer),
        StoreError::Newer { found: 99, .. }
    ));

    let file = folder();
    fs::write(file.path().join("state"), "").expect("writes");
    let error = Store::open(&options(&file.path().join("state"))).expect_err("a file");
    assert!(matches!(error, StoreError::Directory { .. }), "{error}");
}

#[test]
fn a_damaged_record_is_named() {
    let folder = folder();
    let mut store = open(folder.path());
    store
        .commit(&[insert(&job(1, None), None)], &[], now())
        .expect("commits");
    store
        .connection
        .execute("UPDATE jobs SET data = '{}'", [])
        .expect("writes");
    let error = store.load("host", "boot").expect_err("damaged");
    assert_eq!(error.to_string(), "read the stored job JW:1");
}

#[test]
fn the_log_is_moved_into_the_database() {
    let folder = folder();
    let mut store = open(folder.path());
    for seq in 1..=5 {
        store
            .commit(&[insert(&job(seq, None), None)], &[], now())
            .expect("commits");
    }
    let wal = folder.path().join("jobwright.db-wal");
    assert!(fs::metadata(&wal).expect("a log").len() > 0);
    store.tidy().expect("tidies");
    assert_eq!(fs::metadata(&wal).expect("a log").len(), 0);
}

#[tokio::test]
async fn work_is_done_wholly_or_not_at_all() {
    let folder = folder();
    let (writer, thread) = Writer::open(options(folder.path())).await.expect("opens");
    let host = |writer: Writer, name: &'static str| async move {
        writer.run(move |store| store.load(name, "boot")).await
    };
    let refused: Result<(), StoreError> = writer
        .transact(|batch| {
            let insert = "INSERT INTO meta (key, value) VALUES ('host', 'half')";
            batch.transaction.execute(insert, [])?;
            Err(StoreError::Conflict("on purpose".to_owned()))
        })
        .await;
    assert!(
        matches!(refused, Err(StoreError::Conflict(_))),
        "{refused:?}"
    );
    let loaded = host(writer.clone(), "whole").await.expect("loads");
    assert_eq!(loaded.host, "whole", "the half that was written is undone");
    thread.close().await;
    let late = host(writer, "late").await;
    assert!(matches!(late, Err(StoreError::Stopped)), "{late:?}");
    assert_eq!(
        open(folder.path()).load("x", "boot").expect("loads").host,
        "whole"
    );
}

#[tokio::test]
async fn after_a_failed_sync_nothing_is_written_any_more() {
    let folder = folder();
    let (writer, mut thread) = Writer::open(options(folder.path())).await.expect("opens");
    let failed: Result<(), StoreError> = writer
        .run(|store| {
            let code = rusqlite::ffi::Error::new(1034);
            store.watch(Err(rusqlite::Error::SqliteFailure(code, None).into()))
        })
        .await;
    assert!(matches!(failed, Err(StoreError::Sync(_))), "{failed:?}");
    assert!(thread.stopped().await.is_fatal());
    let late = writer.run(|store| store.load("host", "boot")).await;
    assert!(matches!(late, Err(StoreError::Stopped)), "{late:?}");
}

#[tokio::test]
async fn work_that_waits_together_shares_a_commit_and_not_its_faults() {
    let folder = folder();
    let (writer, thread) = Writer::open(options(folder.path())).await.expect("opens");
    // Whatever comes while this piece holds the thread waits together behind it.
    let (go, wait) = std::sync::mpsc::channel::<()>();
    let held = tokio::spawn({
        let writer = writer.clone();
        async move {
            let hold = move |_: &mut Store| -> Result<(), StoreError> {
                wait.recv().unwrap_or_default();
                Ok(())
            };
            writer.run(hold).await
        }
    });
    let insert = |number: u32| {
        let writer = writer.clone();
        let work = move |batch: &super::Batch<'_>| {
            let row = (format!("part {number}"), "x");
            let added = batch
                .transaction
                .execute("INSERT INTO meta (key, value) VALUES (?, ?)", row);
            added.map_err(StoreError::from)?;
            if number.is_multiple_of(5) {
                return Err(StoreError::Conflict(number.to_string()));
            }
            let all = "SELECT count(*) FROM meta WHERE key LIKE 'part %'";
            let seen: u32 = batch.transaction.query_row(all, [], |row| row.get(0))?;
            Ok(seen)
        };
        tokio::spawn(async move { writer.transact(work).await })
    };
    let parts: Vec<_> = (1..=20).map(insert).collect();
    tokio::task::yield_now().await;
    drop(go);
    held.await.expect("no panic").expect("held");
    let mut seen = Vec::new();
    for (number, part) in (1..=20).zip(parts) {
        match part.await.expect("no panic") {
            Ok(count) => seen.push(count),
            Err(StoreError::Conflict(told)) => assert_eq!(told, number.to_string()),
            Err(error) => panic!("part {number}: {error}"),
        }
    }
    assert_eq!(
        seen,
        (1..=16).collect::<Vec<_>>(),
        "what fails leaves nothing"
    );
    thread.close().await;
}
