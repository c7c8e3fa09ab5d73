//! `user`: the accounts of the local server.

#![expect(
    clippy::disallowed_methods,
    reason = "passwords come from files and the terminal"
)]

use std::fs;
use std::io::{self, BufRead, IsTerminal};
use std::path::PathBuf;
use std::process::ExitCode;

use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};
use zeroize::Zeroizing;

use crate::config;
use crate::server::auth::AccountFile;

use super::super::CliError;
use super::super::args::{AddUser, RemoveUser, State, User, UserPassword};
use super::super::output;

/// Runs a command on accounts.
pub fn run(command: &User) -> Result<ExitCode, CliError> {
    match command {
        User::Add(arguments) => add(arguments)?,
        User::Passwd(arguments) => passwd(arguments)?,
        User::Remove(arguments) => remove(arguments)?,
        User::List(state) => {
            for (name, role) in open(state)?.list() {
                output::line(format_args!("{name}\t{role}"))?;
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn open(state: &State) -> Result<AccountFile, CliError> {
    let folder: PathBuf = state
        .state_dir
        .clone()
        .map_or_else(config::default_state_dir, Ok)?;
    Ok(AccountFile::open(&folder)?)
}

fn add(AddUser { role, user }: &AddUser) -> Result<(), CliError> {
    let password = password(user)?;
    open(&user.state)?.add(&user.name, role, password.as_bytes())?;
    println!("{}: added", user.name);
    Ok(())
}

fn passwd(user: &UserPassword) -> Result<(), CliError> {
    let password = password(user)?;
    open(&user.state)?.set_password(&user.name, password.as_bytes())?;
    println!("{}: changed", user.name);
    Ok(())
}

fn remove(user: &RemoveUser) -> Result<(), CliError> {
    open(&user.state)?.remove(&user.name)?;
    println!("{}: removed", user.name);
    Ok(())
}

/// The first line of the file or of standard input; a terminal does not show what is typed.
fn password(user: &UserPassword) -> Result<Zeroizing<String>, CliError> {
    let text = match &user.password_file {
        Some(file) => fs::read_to_string(file).map_err(|source| CliError::Io {
            doing: format!("read the password in {}", file.display()),
            source,
        })?,
        None => typed().map_err(|source| CliError::Io {
            doing: "read the password".to_owned(),
            source,
        })?,
    };
    let text = Zeroizing::new(text);
    Ok(Zeroizing::new(
        text.lines().next().unwrap_or_default().to_owned(),
    ))
}

fn typed() -> io::Result<String> {
    let mut line = String::new();
    let input = io::stdin();
    if !input.is_terminal() {
        input.lock().read_line(&mut line)?;
        return Ok(line);
    }
    eprint!("Password: ");
    let shown: Termios = tcgetattr(&input)?;
    let mut hidden = shown.clone();
    hidden.local_modes.remove(LocalModes::ECHO);
    tcsetattr(&input, OptionalActions::Flush, &hidden)?;
    let read = input.lock().read_line(&mut line);
    tcsetattr(&input, OptionalActions::Flush, &shown)?;
    eprintln!();
    read.map(|_| line)
}
