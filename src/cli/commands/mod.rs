//! The commands: one file for each family, one arm for each command.

mod arrivals;
mod crontab;
mod demo;
mod follow;
mod job;
mod listen;
mod mof_check;
mod mof_compile;
mod mof_print;
mod schedule;
mod serve;
mod submit;
mod subscribe;
mod user;

use std::future::Future;
use std::process::ExitCode;

use super::args::{Command, Job};
use super::{CliError, args};

/// Runs `command` and gives the exit status of the program.
pub fn run(command: Command) -> Result<ExitCode, CliError> {
    match command {
        Command::Serve(arguments) => serve::run(&arguments),
        Command::Demo => demo::run(),
        Command::Listen(arguments) => client(listen::run(arguments)),
        Command::Subscribe(arguments) => client(subscribe::run(*arguments)),
        Command::Job(job) => client(run_job(*job)),
        Command::User(command) => user::run(&command),
        Command::Mof(args::Mof::Check(arguments)) => mof_check::run(&arguments),
        Command::Mof(args::Mof::Print(arguments)) => client(mof_print::run(arguments)),
        Command::Mof(args::Mof::Compile(arguments)) => client(mof_compile::run(arguments)),
    }
}

async fn run_job(job: Job) -> Result<ExitCode, CliError> {
    match job {
        Job::Submit(arguments) => submit::run(arguments).await,
        Job::ImportCrontab(arguments) => crontab::run(arguments).await,
        Job::List(arguments) => job::list(arguments).await,
        Job::Show(arguments) => job::show(arguments).await,
        Job::Schedule(arguments) => schedule::run(arguments).await,
        Job::Watch(arguments) => follow::watch(arguments).await,
        Job::Logs(arguments) => follow::logs(arguments).await,
        Job::Start(one) | Job::Resume(one) => job::request(one, job::START).await,
        Job::Suspend(one) => job::request(one, job::SUSPEND).await,
        Job::Terminate(one) => job::request(one, job::TERMINATE).await,
        Job::Kill(one) => job::request(one, job::KILL).await,
        Job::Delete(one) => job::delete(one).await,
        Job::Set(arguments) => job::set(arguments).await,
    }
}

/// Runs a client command on a runtime of one thread.
fn client<T>(command: impl Future<Output = Result<T, CliError>>) -> Result<T, CliError> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let source = |source| CliError::Io {
        doing: "start the runtime".to_owned(),
        source,
    };
    runtime.map_err(source)?.block_on(command)
}

/// `NAME=VALUE` taken apart.
fn pair(text: &str) -> Result<(&str, &str), CliError> {
    let malformed = || CliError::Usage(format!("\"{text}\" is not of the form NAME=VALUE"));
    text.split_once('=')
        .filter(|(name, _)| !name.is_empty())
        .ok_or_else(malformed)
}

/// The arguments of a command that names one job.
type One = args::One;
