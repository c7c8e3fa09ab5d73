//! The server is killed at random moments while clients submit, change and control jobs.
//!
//! The oracle is outside of the server: what clients were answered, and a ledger that each job
//! writes a line into by itself. The server's word is never taken for what ran.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use jobwright::client::Client;
use jobwright::model::{CimName, CimType, InstanceDecl};
use jobwright::ops::Select;

use crate::support::admin::{Admin, Failure, cimv2, id_in};
use crate::support::{Server, state_dir};

/// Clients at a time.
const CLIENTS: usize = 4;

/// Random numbers that a printed seed gives again.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: u64) -> u64 {
        // Knuth's multiplier for 64 bits; the high bits are the good ones.
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        (self.0 >> 33) % limit
    }
}

/// What one client did and what it was told.
#[derive(Default)]
struct Book {
    /// Label of a job that runs by itself, with its id.
    ran: HashMap<String, String>,
    /// Held jobs: the priorities that they may have, the last one that was answered first.
    priorities: HashMap<String, Vec<u32>>,
    /// Held jobs whose ending was asked for, and whether that was answered.
    ended: HashMap<String, bool>,
    /// What is to be asked again: the label of a submission.
    unanswered: Vec<String>,
}

/// A client that goes on until its server does not answer.
struct Worker {
    admin: Admin,
    label: String,
    ledger: PathBuf,
    random: Random,
}

impl Worker {
    fn new(server: &Server, name: &str, ledger: &Path, seed: u64) -> Self {
        Self {
            admin: Admin::of(server),
            label: name.to_owned(),
            ledger: ledger.to_owned(),
            random: Random(seed),
        }
    }

    /// Asks again for what was not answered: whether that was done or not, it is now done once.
    async fn catch_up(&self, book: &mut Book) -> Result<(), Failure> {
        while let Some(label) = book.unanswered.last().cloned() {
            let id = self.admin.submit(&label, &self.ledger).await?;
            book.ran.insert(label, id);
            book.unanswered.pop();
        }
        Ok(())
    }

    async fn work(&mut self, book: &mut Book) -> Result<(), Failure> {
        self.catch_up(book).await?;
        for n in 0.. {
            let label = format!("{}.{n}", self.label);
            match self.random.below(4) {
                0 | 1 => {
                    book.unanswered.push(label);
                    self.catch_up(book).await?;
                }
                2 => {
                    let id = self.admin.hold(&label).await?;
                    book.priorities.insert(id.clone(), vec![0]);
                    for priority in 1..4 {
                        let may = book.priorities.get_mut(&id).expect("it was inserted");
                        may.push(priority);
                        self.admin.set_priority(&id, priority).await?;
                        *may = vec![priority];
                    }
                }
                _ => {
                    let id = self.admin.hold(&label).await?;
                    book.ended.insert(id.clone(), false);
                    self.admin.terminate(&id).await?;
                    book.ended.insert(id, true);
                }
            }
        }
        Ok(())
    }
}

/// Starts a server and kills it before it can have said that it is ready, or just then.
fn kill_while_starting(state: &Path, after: Duration) {
    let mut starting = Command::new(env!("CARGO_BIN_EXE_jobwright"))
        .args(["serve", "--port", "0", "--state-dir"])
        .arg(state)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("the server binary starts");
    std::thread::sleep(after);
    starting.kill().expect("it is a child");
    starting.wait().expect("it is a child");
}

/// How many times the server is killed; `JOBWRIGHT_CRASH_ROUNDS` asks for a long run.
fn rounds() -> u64 {
    let asked = std::env::var("JOBWRIGHT_CRASH_ROUNDS").ok();
    asked.and_then(|n| n.parse().ok()).unwrap_or(8)
}

/// `JOBWRIGHT_CRASH_SEED` repeats the choices of an earlier run, as far as time allows.
fn seed() -> u64 {
    let asked = std::env::var("JOBWRIGHT_CRASH_SEED").ok();
    asked.and_then(|n| n.parse().ok()).unwrap_or_else(|| {
        let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        since.map_or(1, |since| u64::from(since.subsec_nanos()))
    })
}

/// One life of the server: clients work until it is killed.
async fn round(state: &Path, ledger: &Path, number: u64, random: &mut Random, books: &mut [Book]) {
    let server = Server::start(state);
    let mut clients = Vec::new();
    for (n, book) in books.iter_mut().enumerate() {
        let name = format!("{number}.{n}");
        let mut worker = Worker::new(&server, &name, ledger, random.below(u64::MAX));
        let mut mine = std::mem::take(book);
        clients.push(tokio::spawn(async move {
            let end = worker.work(&mut mine).await;
            let end = end.expect_err("it goes on until the server is killed");
            if let Failure::Refused(why) = end {
                panic!("the server refused: {why}");
            }
            mine
        }));
    }
    tokio::time::sleep(Duration::from_millis(random.below(400))).await;
    server.kill_9();
    for (client, book) in clients.into_iter().zip(books) {
        *book = client.await.expect("the client saw nothing wrong");
    }
    for _ in 0..random.below(3) {
        kill_while_starting(state, Duration::from_millis(random.below(150)));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_acknowledged_is_lost_and_nothing_runs_twice() {
    let (state, scratch) = (state_dir(), state_dir());
    let ledger = scratch.path().join("ledger");
    let seed = seed();
    // Shown when the test fails.
    println!("JOBWRIGHT_CRASH_SEED={seed}");
    let mut random = Random(seed);
    let mut books: Vec<Book> = (0..CLIENTS).map(|_| Book::default()).collect();
    for number in 0..rounds() {
        round(state.path(), &ledger, number, &mut random, &mut books).await;
    }
    let server = Server::start(state.path());
    let worker = Worker::new(&server, "last", &ledger, 1);
    for book in &mut books {
        worker.catch_up(book).await.expect("nobody kills this one");
    }
    let jobs = settled(&worker.admin.0).await;
    let mut ran = lines(&ledger);
    for book in &books {
        check(book, &jobs, &mut ran);
    }
    assert!(ran.is_empty(), "nobody submitted {ran:?}");
    nothing_is_left(state.path(), server.pid()).await;
}

/// State and priority of every job, once none is under way.
pub async fn settled(client: &Client) -> HashMap<String, (u16, u32)> {
    let wanted = ["InstanceID", "JobState", "Priority"].map(CimName::of);
    let select = Select {
        properties: Some(wanted.to_vec()),
        class_origin: false,
    };
    for _ in 0..1200 {
        let found = client
            .enumerate_instances(&cimv2(), CimName::of("JW_Job"), select.clone())
            .await
            .expect("nobody kills this one");
        let jobs: HashMap<String, (u16, u32)> = found
            .iter()
            .map(|(path, job)| {
                let state = u16::try_from(number(job, "JobState")).expect("a state");
                (id_in(path), (state, number(job, "Priority")))
            })
            .collect();
        // Suspended, or final: everything else goes on by itself.
        if jobs.values().all(|(state, _)| matches!(state, 5 | 7..=10)) {
            return jobs;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("jobs do not end");
}

fn number(job: &InstanceDecl, name: &str) -> u32 {
    let value = &job.get(name).expect("it was asked for").value;
    let value = value.resolve(CimType::Uint32, false).expect("a number");
    let number = value.as_integer().expect("a number");
    u32::try_from(number).expect("in range")
}

pub fn lines(ledger: &Path) -> HashMap<String, usize> {
    let text = fs::read_to_string(ledger).expect("the jobs wrote");
    let mut ran = HashMap::new();
    for line in text.lines() {
        *ran.entry(line.to_owned()).or_default() += 1;
    }
    ran
}

/// Compares what a client was told with what there is.
fn check(book: &Book, jobs: &HashMap<String, (u16, u32)>, ran: &mut HashMap<String, usize>) {
    for (label, id) in &book.ran {
        let times = ran.remove(label).unwrap_or_default();
        assert_eq!(
            times, 1,
            "{label} was accepted as {id} and ran {times} times"
        );
        let state = jobs.get(id).map(|(state, _)| *state);
        assert_eq!(state, Some(7), "{label} was accepted as {id}");
    }
    for (id, may) in &book.priorities {
        let (state, priority) = jobs.get(id).expect("an accepted job is there");
        assert_eq!(*state, 5, "{id} is held");
        assert!(
            may.contains(priority),
            "{id} has priority {priority}, not one of {may:?}"
        );
    }
    for (id, answered) in &book.ended {
        let (state, _) = jobs.get(id).expect("an accepted job is there");
        let fits = *state == 8 || (!answered && *state == 5);
        assert!(
            fits,
            "{id} was terminated (answered: {answered}) and is in state {state}"
        );
    }
}

/// Waits until no process but the server has a file of the state directory open: supervisors have
/// their fifos, and what they hold has their pipes.
async fn nothing_is_left(state: &Path, server: u32) {
    for _ in 0..200 {
        if users_of(state).iter().all(|pid| *pid == server) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("these are left: {:?}", users_of(state));
}

fn users_of(state: &Path) -> Vec<u32> {
    let processes = fs::read_dir("/proc").expect("processes").flatten();
    let pids = processes.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    let uses = |pid: &u32| {
        let files = fs::read_dir(format!("/proc/{pid}/fd"))
            .into_iter()
            .flatten()
            .flatten();
        let mut targets = files.filter_map(|file| fs::read_link(file.path()).ok());
        targets.any(|target| target.starts_with(state))
    };
    pids.filter(uses).collect()
}
