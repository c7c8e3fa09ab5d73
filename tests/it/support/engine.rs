//! The job engine in this process, over real supervisors and a store of its own.

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use jobwright::jobs::core::{JobFields, JobId, JobRecord, Submitter};
use jobwright::jobs::engine::Engine;
use jobwright::jobs::executor::cgroups::Cgroups;
use jobwright::jobs::executor::{Options, ProcessExecutor};
use jobwright::jobs::port::Stream;
use jobwright::jobs::{Config, EngineTask};
use jobwright::store::{self, StoreError, Writer, WriterThread};
use tokio::sync::mpsc;

/// An engine and the task that drives it.
pub struct Bench {
    pub engine: Engine,
    pub task: EngineTask,
    pub store: WriterThread,
}

/// An executor with real supervisors, and runs below `state`.
pub fn options(state: &Path) -> Options {
    Options {
        program: env!("CARGO_BIN_EXE_jobwright-supervisor").into(),
        folder: state.join("runs"),
        environment: vec![("PATH".to_owned(), "/usr/bin:/bin".to_owned())],
        output_limit_bytes: 1 << 20,
        cgroups: Cgroups::find(None).ok(),
        boot_id: None,
    }
}

/// Opens the engine on `state`.
pub async fn open(state: &Path) -> Bench {
    open_with(state, &options(state).program).await
}

/// The same with another program as supervisor.
pub async fn open_with(state: &Path, supervisor: &Path) -> Bench {
    let options = Options {
        program: supervisor.to_owned(),
        ..options(state)
    };
    open_configured(store::Options::new(state.to_owned()), options).await
}

/// The same with everything configured.
pub async fn open_configured(store: store::Options, options: Options) -> Bench {
    open_all(store, options, Config::default()).await
}

/// The same with the engine configured too.
pub async fn open_all(store: store::Options, options: Options, config: Config) -> Bench {
    let (news, receiver) = mpsc::channel(64);
    let executor = ProcessExecutor::new(options, news).expect("an executor");
    let (writer, store) = Writer::open(store).await.expect("opens");
    let (engine, task) = Engine::open(config, writer, Arc::new(executor), receiver)
        .await
        .expect("opens");
    Bench {
        engine,
        task,
        store,
    }
}

/// A job that runs `script` with `sh -c`.
pub fn shell(script: &str) -> JobFields {
    JobFields {
        name: Some("job".to_owned()),
        command: Some(["sh", "-c", script].map(str::to_owned).to_vec()),
        ..JobFields::default()
    }
}

impl Bench {
    /// Stops the engine and closes its store.
    pub async fn close(self) -> Result<(), StoreError> {
        let closed = self.task.shutdown().await;
        self.store.close().await;
        closed
    }

    /// Submits for a user.
    pub async fn submit(&self, fields: JobFields) -> JobId {
        let by = Submitter {
            name: "ann".to_owned(),
            uid: 1000,
        };
        let submitted = self.engine.submit(fields, by, None).await;
        submitted.expect("accepted").id
    }

    /// The job at the last commit.
    pub fn job(&self, id: &JobId) -> Arc<JobRecord> {
        self.engine.snapshot().jobs[id].clone()
    }

    /// Waits until committed changes have made the job fit.
    pub async fn until(&self, id: &JobId, fits: impl Fn(&JobRecord) -> bool) -> Arc<JobRecord> {
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

    /// Waits for a final state.
    pub async fn end(&self, id: &JobId) -> Arc<JobRecord> {
        self.until(id, |job| job.state.is_final()).await
    }

    /// Everything of an output that is kept.
    pub async fn output(&self, id: &JobId, stream: Stream) -> String {
        let chunk = self.engine.read_log(id, stream, 0, 1 << 20).await;
        String::from_utf8(chunk.expect("a log").data).expect("text")
    }
}

/// Whether a process has been stopped, or stands still in its cgroup.
pub fn stands_still(pid: u32) -> bool {
    let cgroup = fs::read_to_string(format!("/proc/{pid}/cgroup")).unwrap_or_default();
    let name = cgroup.lines().find_map(|line| line.strip_prefix("0::"));
    let name = name.and_then(|path| path.rsplit('/').next());
    let frozen = Cgroups::find(None)
        .ok()
        .zip(name)
        .is_some_and(|(cgroups, name)| {
            let events = fs::read_to_string(cgroups.base.join(name).join("cgroup.events"));
            events.is_ok_and(|events| events.contains("frozen 1"))
        });
    frozen || process_state(pid) == Some('T')
}

/// The state letter of a process, `None` when it is gone.
pub fn process_state(pid: u32) -> Option<char> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    stat.rsplit_once(") ")?.1.chars().next()
}
