//! Changes of the account file, for the command line. A server that runs picks them up.

#![expect(clippy::disallowed_methods, reason = "accounts are kept in a file")]

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use rustix::fs::{FlockOperation, flock};
use thiserror::Error;

use super::super::StartError;
use super::super::state::{prepare, private, write_private};
use super::PASSWORD_LIMIT_BYTES;
use super::accounts::{FILE, hash, parse, role};

/// Fewest bytes of a password that somebody chooses.
const PASSWORD_LEAST_BYTES: usize = 8;

/// Why the account file was not changed.
#[derive(Debug, Error)]
pub enum AccountError {
    /// The name is taken.
    #[error("there is an account {0} already")]
    Exists(String),
    /// Nobody has the name.
    #[error("there is no account {0}")]
    Missing(String),
    /// The name cannot stand in the file.
    #[error(
        "\"{0}\" cannot be a name: it must be printable, without a colon, and must not begin with #"
    )]
    Name(String),
    /// There is no such role.
    #[error("there is no role {0}: it is admin, submitter or reader")]
    Role(String),
    /// The password is too short or too long.
    #[error("a password has {PASSWORD_LEAST_BYTES} to {PASSWORD_LIMIT_BYTES} bytes")]
    Password,
    /// Nobody could log in as an administrator any more.
    #[error("{0} is the last account with the role admin")]
    LastAdministrator(String),
    /// The file cannot be used.
    #[error(transparent)]
    File(#[from] StartError),
}

/// The account file of a state directory, locked against others who change it.
pub struct AccountFile {
    path: PathBuf,
    lines: Vec<String>,
    _lock: File,
}

impl AccountFile {
    /// Opens the file of `state`; one that is not there is empty.
    pub fn open(state: &Path) -> Result<Self, AccountError> {
        prepare(state)?;
        let path = state.join(FILE);
        let failed = |source| StartError::State {
            path: path.clone(),
            source,
        };
        let lock = File::open(state).map_err(failed)?;
        flock(&lock, FlockOperation::LockExclusive).map_err(|error| failed(error.into()))?;
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
            Err(error) => return Err(failed(error).into()),
        };
        if path.exists() {
            private(&path)?;
        }
        parse(&text).map_err(|line| StartError::Account {
            path: path.clone(),
            line,
        })?;
        Ok(Self {
            lines: text.lines().map(str::to_owned).collect(),
            path,
            _lock: lock,
        })
    }

    /// The accounts as name and role.
    pub fn list(&self) -> Vec<(String, String)> {
        let fields = self.lines.iter().filter_map(|line| fields(line));
        fields
            .map(|(name, role, _)| (name.to_owned(), role.to_owned()))
            .collect()
    }

    /// Adds an account.
    pub fn add(&mut self, name: &str, word: &str, password: &[u8]) -> Result<(), AccountError> {
        let is_name = !name.is_empty()
            && name.trim() == name
            && !name.starts_with('#')
            && !name.contains(|c: char| c == ':' || c.is_control());
        if !is_name {
            return Err(AccountError::Name(name.to_owned()));
        }
        if self.place(name).is_some() {
            return Err(AccountError::Exists(name.to_owned()));
        }
        role(word).ok_or_else(|| AccountError::Role(word.to_owned()))?;
        self.lines.push(self.line(name, word, password)?);
        self.write()
    }

    /// Gives an account another password.
    pub fn set_password(&mut self, name: &str, password: &[u8]) -> Result<(), AccountError> {
        let (at, word) = self.found(name)?;
        let line = self.line(name, &word, password)?;
        self.lines.splice(at..=at, [line]);
        self.write()
    }

    /// Removes an account.
    pub fn remove(&mut self, name: &str) -> Result<(), AccountError> {
        let (at, word) = self.found(name)?;
        let admins = self
            .list()
            .iter()
            .filter(|(_, role)| role == "admin")
            .count();
        if word == "admin" && admins == 1 {
            return Err(AccountError::LastAdministrator(name.to_owned()));
        }
        self.lines.remove(at);
        self.write()
    }

    fn place(&self, name: &str) -> Option<usize> {
        let is_it = |line: &String| fields(line).is_some_and(|(other, _, _)| other == name);
        self.lines.iter().position(is_it)
    }

    fn found(&self, name: &str) -> Result<(usize, String), AccountError> {
        let at = self.place(name);
        let word = at
            .and_then(|at| fields(&self.lines[at]))
            .map(|(_, word, _)| word.to_owned());
        at.zip(word)
            .ok_or_else(|| AccountError::Missing(name.to_owned()))
    }

    fn line(&self, name: &str, word: &str, password: &[u8]) -> Result<String, AccountError> {
        if !(PASSWORD_LEAST_BYTES..=PASSWORD_LIMIT_BYTES).contains(&password.len()) {
            return Err(AccountError::Password);
        }
        let hash = hash(password).map_err(|source| self.failed(source))?;
        Ok(format!("{name}:{word}:{hash}"))
    }

    fn write(&self) -> Result<(), AccountError> {
        let text = self.lines.join("\n") + "\n";
        let written = write_private(&self.path, text.as_bytes());
        Ok(written.map_err(|source| self.failed(source))?)
    }

    fn failed(&self, source: io::Error) -> StartError {
        let path = self.path.clone();
        StartError::State { path, source }
    }
}

/// Name, role and hash of a line that is an account.
fn fields(line: &str) -> Option<(&str, &str, &str)> {
    let line = line.trim();
    let mut fields = line.splitn(3, ':');
    let (name, word, hash) = (fields.next()?, fields.next()?, fields.next()?);
    (!line.starts_with('#')).then_some((name, word, hash))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::auth::Accounts;

    #[test]
    fn accounts_are_added_changed_and_removed() {
        let state = tempfile::tempdir().expect("a folder");
        let state = state.path().join("state");
        let verify = |name: &str, password: &[u8]| {
            Accounts::open(&state)
                .expect("a good file")
                .verify(name, password)
        };
        let mut file = AccountFile::open(&state).expect("a new file");
        file.add("root", "admin", b"first password").expect("added");
        file.add("ann", "submitter", b"second password")
            .expect("added");
        assert!(verify("ann", b"second password"));
        file.set_password("ann", b"third password")
            .expect("changed");
        assert!(verify("ann", b"third password") && !verify("ann", b"second password"));
        let listed = [("root", "admin"), ("ann", "submitter")];
        assert_eq!(
            file.list(),
            listed.map(|(a, b)| (a.to_owned(), b.to_owned()))
        );
        file.remove("ann").expect("removed");
        assert!(!verify("ann", b"third password"));
        assert!(verify("root", b"first password"));
    }

    #[test]
    fn mistakes_change_nothing() {
        let state = tempfile::tempdir().expect("a folder");
        let state = state.path().join("state");
        let mut file = AccountFile::open(&state).expect("a new file");
        file.add("root", "admin", b"password").expect("added");
        let refused = |result: Result<(), AccountError>| result.expect_err("a mistake").to_string();
        for (name, word, password) in [
            ("root", "reader", "password"),
            ("a:b", "reader", "password"),
            ("#a", "reader", "password"),
            ("", "reader", "password"),
            ("ann", "king", "password"),
            ("ann", "reader", "short"),
        ] {
            refused(file.add(name, word, password.as_bytes()));
        }
        refused(file.set_password("ann", b"password"));
        refused(file.remove("ann"));
        assert!(refused(file.remove("root")).contains("last"));
        drop(file);
        let file = AccountFile::open(&state).expect("a good file");
        assert_eq!(file.list().len(), 1);
    }
}
