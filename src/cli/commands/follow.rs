//! `job watch` and `job logs`: following a job while it runs.

use std::io::{IsTerminal, Write};
use std::process::ExitCode;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::client::Client;
use crate::model::{CimName, CimType, CimValue, InstanceDecl};

use super::super::args::{Logs, Watch};
use super::super::output::{JobView, State};
use super::super::{CliError, target};
use super::job;

/// How often a job is looked at. Polling is what DSP1103 gives a client without indications.
const PACE: Duration = Duration::from_millis(100);

/// `job watch`: a bar on a terminal, a line for each change elsewhere.
pub async fn watch(arguments: Watch) -> Result<ExitCode, CliError> {
    let client = target::connect(&arguments.target)?;
    let mut display = Display::new(arguments.quiet);
    let job = until(&client, &arguments.id, |job| {
        display.show(job);
        reached(JobView(job).state(), &arguments.until)
    });
    let job = job.await?;
    display.finish(&job);
    if arguments.until != "ended" && !JobView(&job).state().is_final() {
        return Ok(ExitCode::SUCCESS);
    }
    Ok(exit_code(&job))
}

fn reached(state: State, until: &str) -> bool {
    state.is_final()
        || match until {
            "running" => state == State::RUNNING,
            "suspended" => state == State::SUSPENDED,
            _ => false,
        }
}

/// Looks at the job until `done` says so, and gives the last look.
pub async fn until(
    client: &Client,
    id: &str,
    mut done: impl FnMut(&InstanceDecl) -> bool,
) -> Result<InstanceDecl, CliError> {
    let mut pace = tokio::time::interval(PACE);
    loop {
        pace.tick().await;
        let job = job::read(client, id).await?;
        if done(&job) {
            return Ok(job);
        }
    }
}

/// The job's exit status; 128 and the signal as shells have it; 1 for any other bad end.
pub fn exit_code(job: &InstanceDecl) -> ExitCode {
    let view = JobView(job);
    let number = |name| view.number(name).and_then(|n| u8::try_from(n).ok());
    match (view.state(), number("ExitStatus"), number("ExitSignal")) {
        (State::COMPLETED, _, _) => ExitCode::SUCCESS,
        (_, Some(status @ 1..), _) => ExitCode::from(status),
        (_, _, Some(signal)) => ExitCode::from(128 | signal),
        (_, _, None) => ExitCode::FAILURE,
    }
}

/// What a watcher sees.
pub struct Display {
    bar: ProgressBar,
    lines: bool,
    last: String,
}

impl Display {
    /// A bar where standard error is a terminal, lines elsewhere, nothing when `quiet`.
    pub fn new(quiet: bool) -> Self {
        let terminal = std::io::stderr().is_terminal();
        let target = if quiet || !terminal {
            ProgressDrawTarget::hidden()
        } else {
            ProgressDrawTarget::stderr()
        };
        let bar = ProgressBar::with_draw_target(Some(100), target);
        let style = ProgressStyle::with_template("{prefix:13} [{bar:40}] {pos:>3}% {msg}");
        bar.set_style(
            style
                .unwrap_or_else(|_| ProgressStyle::default_bar())
                .progress_chars("=> "),
        );
        Self {
            bar,
            lines: !quiet && !terminal,
            last: String::new(),
        }
    }

    /// Shows the job as it is now.
    pub fn show(&mut self, job: &InstanceDecl) {
        let view = JobView(job);
        let (state, remark) = (view.state().name(), view.remark());
        self.bar.set_position(view.percent());
        self.bar.set_prefix(state.clone());
        self.bar.set_message(format!("{} {remark}", view.elapsed()));
        let line = format!("{state:13} {:3}% {remark}", view.percent());
        if self.lines && line != self.last {
            eprintln!("{line}");
        }
        self.last = line;
    }

    /// Leaves the last look standing.
    pub fn finish(&mut self, job: &InstanceDecl) {
        self.show(job);
        self.bar.abandon();
    }
}

/// `job logs`.
pub async fn logs(arguments: Logs) -> Result<ExitCode, CliError> {
    let client = target::connect(&arguments.target)?;
    let stream = if arguments.stderr { 2 } else { 1 };
    let mut offset = 0;
    let mut pace = tokio::time::interval(PACE);
    loop {
        let chunk = read_log(&client, &arguments.id, stream, offset).await?;
        let mut out = std::io::stdout().lock();
        let written = out.write_all(&chunk.data).and_then(|()| out.flush());
        written.map_err(|source| CliError::Io {
            doing: "write the log".to_owned(),
            source,
        })?;
        drop(out);
        let advanced = chunk.next_offset > offset;
        offset = chunk.next_offset;
        if chunk.end || (!advanced && !arguments.follow) {
            return Ok(ExitCode::SUCCESS);
        }
        if !advanced {
            pace.tick().await;
        }
    }
}

/// A piece of a job's output.
pub struct Chunk {
    /// The bytes.
    pub data: Vec<u8>,
    /// Where the next piece begins.
    pub next_offset: u64,
    /// Whether the job has ended and this was all.
    pub end: bool,
}

/// Reads a piece of what a job wrote, from `offset` on.
pub async fn read_log(
    client: &Client,
    id: &str,
    stream: u16,
    offset: u64,
) -> Result<Chunk, CliError> {
    let parameters = vec![
        job::value(
            CimName::of("Stream"),
            Some(CimType::Uint16),
            &stream.to_string(),
        ),
        job::value(
            CimName::of("Offset"),
            Some(CimType::Uint64),
            &offset.to_string(),
        ),
    ];
    let method = CimName::of("GetLog");
    let answer = client
        .invoke(&target::namespace(), job::path_of(id), method, parameters)
        .await?;
    let output = |name, ty| answer.output(name, ty).unwrap_or(CimValue::Null);
    let text = output("Data", CimType::String);
    let data = STANDARD.decode(text.as_str().unwrap_or_default());
    let next = output("NextOffset", CimType::Uint64).as_integer();
    Ok(Chunk {
        data: data.map_err(|_| CliError::Usage("the server's log is not base64".to_owned()))?,
        next_offset: next.and_then(|n| u64::try_from(n).ok()).unwrap_or(offset),
        end: output("End", CimType::Boolean).as_bool().unwrap_or(true),
    })
}
