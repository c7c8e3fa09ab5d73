//! The supervisor: a small process that holds one run of one job and outlives the server.
//!
//! It is single-threaded and has no runtime. It reads what to run from its standard input, waits
//! for leave, runs it, keeps its output, and reports; how the run ended is on disk before it goes,
//! unless a server has said that it is on record.

#![expect(
    clippy::disallowed_methods,
    reason = "the supervisor is an edge: it waits by the clock and runs a process"
)]

mod fifo;
mod inside;
mod launch;
mod output;
mod progress;
mod signals;
mod tree;
mod watch;

use std::ffi::OsString;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::os::fd::RawFd;
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use chrono::Utc;
use nix::sys::resource::{Resource, Usage, UsageWho, getrusage, setrlimit};

use super::core::{Written, printable};
use super::executor::cgroups::Cgroups;
use super::executor::layout;
use super::executor::message::{self, End, Outcome, Spec};
use inside::Inside;

/// Longest description of a run, in bytes: a script or its arguments, with the environment.
const SPEC_LIMIT_BYTES: u64 = 16 << 20;
/// Longest reason for not starting, in characters: it has to fit into a line of a report.
const REASON_LIMIT: usize = 512;
/// How long a server has to say that an end is on record.
const ACKNOWLEDGEMENT: Duration = Duration::from_secs(5);

/// The first argument of a supervisor.
pub const SUPERVISE: &str = "supervise-run";
/// What the program says that is nothing else than a supervisor when it is asked for its version.
pub const VERSION: &str = concat!("jobwright-supervisor ", env!("CARGO_PKG_VERSION"));

/// Runs the program with its arguments.
///
/// `supervise-run` holds the run that standard input describes; with `FOLDER HOME` behind it, in a cgroup of its
/// own in `FOLDER`, from which it goes back to that of the folder `HOME`. `--version` prints [`VERSION`]. The exit
/// status is 2 for anything else.
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let arguments: Vec<OsString> = arguments.into_iter().collect();
    match arguments.as_slice() {
        [what] if what == SUPERVISE => main(None),
        [what, base, home] if what == SUPERVISE => main(Some(&Cgroups {
            base: base.into(),
            home: home.into(),
        })),
        [what] if what == "--version" => {
            let told = writeln!(io::stdout(), "{VERSION}");
            told.map_or(ExitCode::FAILURE, |()| ExitCode::SUCCESS)
        }
        _ => {
            eprintln!("{VERSION}: the server starts this, nobody else");
            ExitCode::from(2)
        }
    }
}

fn main(cgroups: Option<&Cgroups>) -> ExitCode {
    match hold(cgroups) {
        Ok(()) => ExitCode::SUCCESS,
        // Nobody reads standard error; the server sees the silence and tells of it.
        Err(_) => ExitCode::FAILURE,
    }
}

fn hold(cgroups: Option<&Cgroups>) -> io::Result<()> {
    close_inherited()?;
    let progress = progress::Pipe::new()?;
    let children = signals::handle()?;
    detach()?;
    // Done before the run is known, while the server is busy with putting it on record: the first
    // to move a process after a while waits for the kernel.
    let (inside, outside) = match cgroups.map(Inside::enter) {
        Some(Ok(inside)) => (Some(inside), None),
        Some(Err(error)) => (None, Some(error.to_string())),
        None => (None, None),
    };
    let mut input = BufReader::new(io::stdin().lock());
    let mut line = Vec::new();
    input
        .by_ref()
        .take(SPEC_LIMIT_BYTES)
        .read_until(b'\n', &mut line)?;
    let spec: Spec = message::parse(&line).map_err(io::Error::other)?;
    let fifos = fifo::Fifos::open(&spec.folder)?;
    let mut leave = [0; 3];
    let released = input.read_exact(&mut leave).is_ok() && leave == *b"go\n";
    drop(input);
    if !released {
        return record(&spec.folder, &end(Outcome::NeverReleased, None));
    }
    let mut watch = watch::Watch::new(fifos, children);
    let end = match launch::launch(&spec, progress) {
        Ok(started) => {
            let (outcome, written, cpu) = watch.follow(started, inside, outside)?;
            let mut end = end(outcome, Some(written));
            // The cgroup knows of processes too whose parents did not wait for them; what left it
            // is known here alone.
            end.cpu = end.cpu.max(cpu);
            end
        }
        Err(reason) => {
            drop(inside);
            let reason = printable(&reason).chars().take(REASON_LIMIT).collect();
            end(Outcome::NotStarted(reason), None)
        }
    };
    match watch.acknowledged(&end, ACKNOWLEDGEMENT) {
        Ok(true) => Ok(()),
        // Whatever went wrong with the telling, the end must be known.
        Ok(false) | Err(_) => record(&spec.folder, &end),
    }
}

/// Closes whatever the server was started with beyond the standard streams: it would reach the job.
/// What the server itself opens closes by itself.
fn close_inherited() -> io::Result<()> {
    let open = std::fs::read_dir("/proc/self/fd")?;
    let open: Vec<RawFd> = open
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
        .filter(|descriptor| *descriptor > 2)
        .collect();
    for descriptor in open {
        // The one that read the folder is closed by now.
        nix::unistd::close(descriptor).ok();
    }
    Ok(())
}

/// Leaves the server's session, so that neither its terminal nor its end reaches the run; adopts
/// what the run leaves orphaned; keeps no core file, which might hold secrets.
fn detach() -> io::Result<()> {
    // Fails only for the leader of a group, which is as detached as it can be.
    rustix::process::setsid().ok();
    rustix::process::set_child_subreaper(Some(rustix::process::getpid()))?;
    rustix::process::umask(rustix::fs::Mode::WGRP | rustix::fs::Mode::WOTH);
    setrlimit(Resource::RLIMIT_CORE, 0, 0)?;
    Ok(())
}

/// The end of the run, with what its processes used; all of them have been reaped.
fn end(outcome: Outcome, written: Option<Written>) -> End {
    let usage = getrusage(UsageWho::RUSAGE_CHILDREN).ok();
    let cpu = used(usage.as_ref());
    let kilobytes = usage.and_then(|usage| u64::try_from(usage.max_rss()).ok());
    End {
        outcome,
        at: Utc::now(),
        cpu,
        max_rss_bytes: kilobytes.map(|k| k * 1024),
        written,
    }
}

/// Processor time.
fn used(usage: Option<&Usage>) -> Option<Duration> {
    let time = |seconds: i64, micros: i64| {
        let micros = seconds.saturating_mul(1_000_000).saturating_add(micros);
        Duration::from_micros(u64::try_from(micros).unwrap_or_default())
    };
    usage.map(|usage| {
        let (user, system) = (usage.user_time(), usage.system_time());
        time(user.tv_sec(), user.tv_usec()) + time(system.tv_sec(), system.tv_usec())
    })
}

/// Writes the exit file so that it is there whole, or not at all.
fn record(folder: &Path, end: &End) -> io::Result<()> {
    let (path, new) = (layout::exit(folder), folder.join("exit.new"));
    let mut file = File::create(&new)?;
    file.write_all(&message::line(end))?;
    file.sync_all()?;
    std::fs::rename(new, path)?;
    File::open(folder)?.sync_all()
}
