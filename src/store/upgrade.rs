//! Stores of every older format, as fixtures: each opens with everything that was in it.

#![expect(clippy::disallowed_methods, reason = "fixtures are files")]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use chrono::DateTime;
use rusqlite::{Connection, Row};
use serde_json::Value;

use super::database::MIGRATIONS;
use super::{Options, Query, Store};
use crate::jobs::core::{Exit, JobId, JobState, Prior, QueueRecord};
use crate::provider::Notice;

fn fixture(format: usize) -> PathBuf {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/store");
    folder.join(format!("v{format}/jobwright.sql"))
}

/// Makes the store of the fixture in `folder`; the records of its jobs by their ids.
fn make(format: usize, folder: &Path) -> BTreeMap<String, Value> {
    let sql = fs::read_to_string(fixture(format)).expect("every older format has its fixture");
    let database = Connection::open(folder.join("jobwright.db")).expect("opens");
    database.execute_batch(&sql).expect("the fixture is SQL");
    let mut jobs = (database.prepare("SELECT id, data FROM jobs")).expect("there are jobs");
    let record = |row: &Row<'_>| Ok((row.get(0)?, row.get::<_, String>(1)?));
    let jobs = jobs.query_map([], record).expect("reads");
    let jobs = jobs.map(|job| {
        let (id, data) = job.expect("reads");
        (id, serde_json::from_str(&data).expect("a record"))
    });
    jobs.collect()
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

/// The jobs say what they said, whatever is left out of their records now.
fn check_records(store: &mut Store, written: &BTreeMap<String, Value>) {
    let loaded = store.load("another host", "this boot").expect("loads");
    assert_eq!(loaded.jobs.len(), written.len());
    for job in loaded.jobs {
        let old = &written[job.id.as_str()];
        let mut new = serde_json::to_value(&*job).expect("it is data");
        new["spec"] = serde_json::to_value(job.spec.fields()).expect("it is data");
        assert!(agrees(old, &new), "{old}\nis now\n{new}");
    }
}

/// Whether `new` says all that `old` says, where nothing is what is left out.
fn agrees(old: &Value, new: &Value) -> bool {
    match old {
        Value::Null => new.is_null(),
        Value::Bool(false) if new.is_null() => true,
        Value::Number(number) if new.is_null() => number.as_u64() == Some(0),
        Value::Array(list) if new.is_null() => list.is_empty(),
        Value::Object(fields) => fields.iter().all(|(name, old)| {
            let new = new.get(name).unwrap_or(&Value::Null);
            agrees(old, new)
        }),
        Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => old == new,
    }
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
        let written = make(format, folder.path());
        let options = Options::new(folder.path().to_owned());
        for time in 1..=2 {
            let mut store = Store::open(&options).expect("opens");
            check(&mut store);
            check_records(&mut store, &written);
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
