//! Stores of every older format, as fixtures: each opens with everything that was in it.

#![expect(clippy::disallowed_methods, reason = "fixtures are files")]

use std::fs;
use std::path::{Path, PathBuf};

use chrono::DateTime;
use rusqlite::Connection;

use super::database::MIGRATIONS;
use super::{Options, Query, Store};
use crate::jobs::core::{Exit, JobId, JobState, Prior, QueueRecord};
use crate::provider::Notice;

fn fixture(format: usize) -> PathBuf {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/store");
    folder.join(format!("v{format}/jobwright.sql"))
}

/// Makes the store of the fixture in `folder`.
fn make(format: usize, folder: &Path) {
    let sql = fs::read_to_string(fixture(format)).expect("every older format has its fixture");
    let database = Connection::open(folder.join("jobwright.db")).expect("opens");
    database.execute_batch(&sql).expect("the fixture is SQL");
}

fn id(text: &str) -> JobId {
    JobId::new(text).expect("an id")
}

/// What the fixtures hold, whatever their format.
fn check(store: &mut Store) {
    let loaded = store.load("another host", "this boot").expect("loads");
    assert_eq!(loaded.queues, [QueueRecord::default_queue(3)]);
    assert_eq!(loaded.host, "host");
    let jobs: Vec<_> = loaded
        .jobs
        .iter()
        .map(|job| (job.id.as_str(), job.state))
        .collect();
    let (named, rest) = jobs.split_last().expect("there are jobs");
    let expected = [
        ("me:done", JobState::Completed),
        ("me:failed", JobState::Exception),
        ("me:held", JobState::Suspended),
        ("me:later", JobState::New),
        ("me:calendar", JobState::New),
        ("me:after", JobState::New),
    ];
    assert_eq!(rest, expected);
    let runs = store.history().runs(&id("me:failed")).expect("reads");
    let [run] = runs.as_slice() else {
        panic!("expected one run: {runs:?}")
    };
    assert_eq!(
        (run.exit.as_ref(), run.error_code),
        (Some(&Exit::Code(7)), Some(7))
    );
    assert_eq!(run.owner, "admin");
    let query = |chosen: Option<&str>, request: Option<&str>| Query {
        chosen: chosen.map(id),
        request: request.map(|request| ("admin".to_owned(), request.to_owned())),
    };
    let questions = [query(Some("me:held"), None), query(None, Some("request-1"))];
    let repeat = Prior::Repeat(id(named.0));
    let known = store.prior(&questions).expect("reads");
    assert_eq!(known, [Some(Prior::IdUsed), Some(repeat)]);
}

/// The format from which the fixtures hold an indication that waits.
const WITH_QUEUE: usize = 5;

/// What waited goes on waiting, and what comes is queued behind it.
fn check_queue(store: &mut Store, new: i64) {
    let streams = store.streams().expect("reads");
    let [stream] = streams.as_slice() else {
        panic!("expected one stream: {streams:?}")
    };
    let text = |number| match number {
        0 => r#"<INSTANCE CLASSNAME="CIM_InstCreation"/>"#.to_owned(),
        number => format!("{number}").repeat(1000),
    };
    let notice = Notice {
        stream: stream.id,
        indication: text(new).as_bytes().into(),
    };
    let queued = store.transact(|batch| batch.queue(&[notice], DateTime::UNIX_EPOCH));
    queued.expect("there is room");
    let waiting = store.waiting(stream.id, 0).expect("reads");
    let waiting = waiting
        .into_iter()
        .map(|queued| (queued.number, String::from_utf8(queued.indication)));
    let waiting: Vec<_> = waiting.collect();
    let expected: Vec<_> = (0..=new).map(|number| (number, Ok(text(number)))).collect();
    assert_eq!(waiting, expected);
}

#[test]
fn every_older_format_is_brought_up_to_date() {
    for format in 1..MIGRATIONS.len() {
        let folder = tempfile::tempdir().expect("a folder");
        make(format, folder.path());
        let options = Options::new(folder.path().to_owned());
        for time in 1..=2 {
            let mut store = Store::open(&options).expect("opens");
            check(&mut store);
            if format >= WITH_QUEUE {
                check_queue(&mut store, time);
            }
        }
        let copy = folder.path().join(format!("jobwright.db.format-{format}"));
        let copy = Connection::open(copy).expect("the copy opens");
        let found: i64 = copy
            .query_row("PRAGMA user_version", [], |row| row.get(0))
            .expect("reads");
        assert_eq!(
            usize::try_from(found),
            Ok(format),
            "the copy has the old format"
        );
    }
}
