//! The command line: the map of the commands, their exit statuses.

mod args;
mod commands;
mod crontab;
mod error;
mod output;
mod target;
mod times;

use std::process::ExitCode;

use clap::Parser;

use crate::jobs::supervisor::{self, SUPERVISE};

use args::Arguments;
pub use error::CliError;

/// Runs the program with the arguments of the process.
///
/// Exit status 0 for success, 1 for an error of the server or of the machine, 2 for wrong
/// arguments, 78 for a configuration that the server refuses to start with; `job watch` ends with
/// the exit status of the job.
pub fn main() -> ExitCode {
    let mut own = std::env::args_os().skip(1).peekable();
    if own.peek().is_some_and(|first| first == SUPERVISE) {
        return supervisor::run(own);
    }
    let arguments = Arguments::parse();
    commands::run(arguments.command).unwrap_or_else(|error| {
        eprintln!("{}", error.shown());
        error.exit_code()
    })
}
