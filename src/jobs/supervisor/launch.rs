//! Starting the program of a run: its environment, its folder, its descriptors.

use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use nix::sys::resource::{RLIM_INFINITY, Resource, setrlimit};
use rustix::io::FdFlags;

use super::super::executor::identity::Identity;
use super::super::executor::message::{self, Program, Spec};
use super::super::executor::{layout, leftovers, log};
use super::progress::Pipe;

/// A program that runs.
pub(super) struct Started {
    /// The process that leads the run.
    pub(super) pid: i32,
    /// Its standard output.
    pub(super) stdout: OwnedFd,
    /// Its standard error.
    pub(super) stderr: OwnedFd,
    /// What it reports as progress.
    pub(super) progress: OwnedFd,
    /// Where its output goes.
    pub(super) logs: (log::Writer, log::Writer),
}

/// Starts the program; the error is a sentence for the job's `ErrorDescription`.
pub(super) fn launch(spec: &Spec, progress: Pipe) -> Result<Started, String> {
    let failed = |what: &str| {
        let what = what.to_owned();
        move |error: std::io::Error| format!("{what}: {error}")
    };
    let limit = spec.output_limit_bytes;
    let open = |stream| log::Writer::create(&spec.folder, stream, limit);
    let logs = (
        open(log::STDOUT).map_err(failed("the file for its output"))?,
        open(log::STDERR).map_err(failed("the file for its errors"))?,
    );
    let directory = directory(spec)?;
    let arguments = arguments(spec)?;
    let (first, rest) = arguments.split_first().ok_or("the command is empty")?;
    let program = find(first, &spec.environment)?;
    let Pipe {
        read: progress,
        write: job_end,
    } = progress;
    // Only this one child is ever started, so that nobody else inherits the descriptor.
    rustix::io::fcntl_setfd(&job_end, FdFlags::empty())
        .map_err(|error| format!("the progress pipe: {error}"))?;
    let limited = CpuLimit::set(spec.cpu_limit_seconds)?;
    let mut child = Command::new(&program)
        .arg0(first)
        .args(rest)
        .env_clear()
        .envs(spec.environment.iter().map(|(name, value)| (name, value)))
        .env(leftovers::MARK, own_mark()?)
        .env("JOBWRIGHT_PROGRESS_FD", job_end.as_raw_fd().to_string())
        .current_dir(&directory)
        .process_group(0)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|error| format!("{} could not be started: {error}", program.display()))?;
    drop((job_end, limited));
    let pid = i32::try_from(child.id()).map_err(|_| "its process id is out of range")?;
    remember(&spec.folder, pid);
    let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
    let pipe = "its output is not connected";
    Ok(Started {
        pid,
        stdout: stdout.ok_or(pipe)?.into(),
        stderr: stderr.ok_or(pipe)?.into(),
        progress,
        logs,
    })
}

/// A limit of processor time that a child inherits from its first moment, and that this process is
/// rid of when the value is dropped: it is the soft one, which may be raised again.
struct CpuLimit;

impl CpuLimit {
    fn set(seconds: Option<u64>) -> Result<Option<Self>, String> {
        let Some(seconds) = seconds else {
            return Ok(None);
        };
        setrlimit(Resource::RLIMIT_CPU, seconds.max(1), RLIM_INFINITY)
            .map_err(|error| format!("the limit of its processor time: {error}"))?;
        Ok(Some(Self))
    }
}

impl Drop for CpuLimit {
    fn drop(&mut self) {
        // Raising one's own soft limit to the hard one is always allowed.
        setrlimit(Resource::RLIMIT_CPU, RLIM_INFINITY, RLIM_INFINITY).ok();
    }
}

/// What every process of the run can be known by, should this supervisor be lost.
fn own_mark() -> Result<String, String> {
    let own = rustix::process::getpid().as_raw_nonzero().get();
    let own = Identity::of(own).map_err(|error| format!("the supervisor's identity: {error}"))?;
    Ok(leftovers::mark(&own))
}

/// Names the leader, so that a server can end it should this supervisor be lost. Without the file
/// that cannot be done, and nothing else is wrong.
fn remember(folder: &Path, pid: i32) {
    if let Ok(identity) = Identity::of(pid) {
        fs::write(layout::leader(folder), message::line(&identity)).ok();
    }
}

fn directory(spec: &Spec) -> Result<PathBuf, String> {
    let home = spec
        .environment
        .iter()
        .find(|(name, _)| name == "HOME")
        .map(|(_, home)| home);
    let directory = match (&spec.working_directory, home) {
        (Some(directory), _) => PathBuf::from(directory),
        (None, Some(home)) if Path::new(home).is_dir() => PathBuf::from(home),
        (None, _) => PathBuf::from("/"),
    };
    match fs::metadata(&directory) {
        Ok(found) if found.is_dir() => Ok(directory),
        Ok(_) => Err(format!(
            "the working directory {} is no directory",
            directory.display()
        )),
        Err(error) => Err(format!(
            "the working directory {}: {error}",
            directory.display()
        )),
    }
}

/// The argument vector; a script is stored as a file that only its user can read.
fn arguments(spec: &Spec) -> Result<Vec<String>, String> {
    match &spec.program {
        Program::Command(command) => Ok(command.clone()),
        Program::Script { text, interpreter } => {
            let path = spec.folder.join("script");
            let mut options = OpenOptions::new();
            let file = options.write(true).create_new(true).mode(0o700).open(&path);
            let written = file.and_then(|mut file: File| file.write_all(text.as_bytes()));
            written.map_err(|error| format!("the file of the script: {error}"))?;
            Ok(vec![interpreter.clone(), path.display().to_string()])
        }
    }
}

/// Finds the program as the job's own PATH has it, with an error that says what is wrong.
fn find(program: &str, environment: &[(String, String)]) -> Result<PathBuf, String> {
    if program.contains('/') {
        return match fs::metadata(program) {
            Ok(found) if is_executable(&found) => Ok(PathBuf::from(program)),
            Ok(_) => Err(format!("{program} is not an executable file")),
            Err(error) => Err(format!("{program}: {error}")),
        };
    }
    let path = environment
        .iter()
        .rev()
        .find(|(name, _)| name == "PATH")
        .map(|(_, path)| path);
    let path = path.map(String::as_str).unwrap_or_default();
    path.split(':')
        .filter(|folder| folder.starts_with('/'))
        .map(|folder| Path::new(folder).join(program))
        .find(|file| fs::metadata(file).is_ok_and(|found| is_executable(&found)))
        .ok_or_else(|| format!("{program} was not found in PATH={path}"))
}

fn is_executable(found: &fs::Metadata) -> bool {
    found.is_file() && found.permissions().mode() & 0o111 != 0
}
