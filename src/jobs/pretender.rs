//! An executor that runs nothing: what tests of the engine put in the place of processes.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use futures_util::future::BoxFuture;
use rusqlite::{Connection, OpenFlags, OptionalExtension};

use super::core::{Exit, JobId, JobRecord, Phase, RunNews, Signal, Work};
use super::port::{LogChunk, LogError, NewsSender, Runs, Stream};
use crate::store::Forgotten;

/// Runs nothing: the command's first word says how the run behaves.
pub(super) struct Pretender {
    pub(super) news: NewsSender,
    pub(super) database: PathBuf,
    pub(super) commands: Mutex<HashMap<JobId, String>>,
    /// What the disk said at the moment of each call.
    pub(super) seen: Mutex<Vec<(&'static str, i64, Option<Phase>)>>,
    pub(super) fate: RunNews,
}

impl Pretender {
    pub(super) fn tell(&self, id: &JobId, run: u32, news: Vec<RunNews>) {
        let (sender, id) = (self.news.clone(), id.clone());
        tokio::spawn(async move {
            for news in news {
                if sender.send((id.clone(), run, news)).await.is_err() {
                    return;
                }
            }
        });
    }

    fn look(&self, call: &'static str, id: &JobId) {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY;
        let connection = Connection::open_with_flags(&self.database, flags).expect("opens");
        let row = connection
            .query_row(
                "SELECT state, data FROM jobs WHERE id = ?",
                [id.as_str()],
                |row| Ok((row.get(0)?, row.get::<_, String>(1)?)),
            )
            .optional()
            .expect("reads");
        let Some((state, data)) = row else { return };
        let stored: JobRecord = serde_json::from_str(&data).expect("decodes");
        let phase = stored.run.map(|run| run.phase);
        self.seen
            .lock()
            .expect("no panic")
            .push((call, state, phase));
    }

    pub(super) fn ended(exit: Exit) -> RunNews {
        RunNews::Ended(exit.into())
    }
}

impl Runs for Pretender {
    fn prepare(&self, job: &Arc<JobRecord>) {
        self.look("prepare", &job.id);
        let Work::Command(command) = job.spec.work() else {
            panic!("commands only")
        };
        let number = job.run.as_ref().expect("has a run").number;
        self.commands
            .lock()
            .expect("no panic")
            .insert(job.id.clone(), command[0].clone());
        let news = match command[0].as_str() {
            "missing" => Self::ended(Exit::NotStarted("no such program".to_owned())),
            "stuck" => return,
            _ => RunNews::Prepared("identity".to_owned()),
        };
        self.tell(&job.id, number, vec![news]);
    }

    fn release(&self, id: &JobId, run: u32) {
        self.look("release", id);
        let mut news = vec![RunNews::Running(Some(77))];
        if self.commands.lock().expect("no panic")[id] == "true" {
            news.push(RunNews::Progress {
                percent: Some(50),
                text: Some("half".to_owned()),
            });
            news.push(Self::ended(Exit::Code(0)));
        }
        self.tell(id, run, news);
    }

    fn abandon(&self, _: &JobId, _: u32) {}

    fn signal(&self, id: &JobId, run: u32, signal: Signal) {
        self.look("signal", id);
        let mut news = vec![RunNews::Signalled {
            signal,
            delivered: true,
        }];
        match signal {
            Signal::Terminate => news.push(Self::ended(Exit::Signal(15))),
            Signal::Kill => news.push(Self::ended(Exit::Signal(9))),
            Signal::Suspend | Signal::Continue => {}
        }
        self.tell(id, run, news);
    }

    fn acknowledge(&self, id: &JobId, _: u32) {
        self.look("acknowledge", id);
    }

    fn discard(&self, _: Forgotten) {}

    fn survey(&self) -> BoxFuture<'_, Vec<(JobId, u32)>> {
        Box::pin(async { Vec::new() })
    }

    fn adopt<'a>(&'a self, _: &'a Arc<JobRecord>) -> BoxFuture<'a, RunNews> {
        let fate = self.fate.clone();
        Box::pin(async move { fate })
    }

    fn read_log<'a>(
        &'a self,
        _: (&'a JobId, u32),
        _: Stream,
        offset: u64,
        _: usize,
    ) -> BoxFuture<'a, Result<LogChunk, LogError>> {
        Box::pin(async move {
            Ok(LogChunk {
                data: Vec::new(),
                next_offset: offset,
                end: true,
            })
        })
    }
}
