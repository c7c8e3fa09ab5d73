//! Which program is started as supervisor: the small one beside this one, or this one itself.

#![expect(
    clippy::disallowed_methods,
    reason = "whether a program may be used is asked of the program"
)]

use std::error::Error as _;
use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitStatus;
use std::time::Duration;

use thiserror::Error;
use tokio::process::Command;

use super::super::supervisor::VERSION;

/// The name of the small program.
const NAME: &str = "jobwright-supervisor";
/// How long it may take to say its version.
const PATIENCE: Duration = Duration::from_secs(5);

/// Why the small program is not used.
#[derive(Debug, Error)]
enum Unusable {
    /// It cannot be run.
    #[error("it cannot be run")]
    Start(#[source] io::Error),
    /// It did not say its version in time.
    #[error("it said no version within {} s", PATIENCE.as_secs())]
    Silent,
    /// It failed.
    #[error("it ended with {0}")]
    Failed(ExitStatus),
    /// It is of another version.
    #[error("it is {0:?} and not {VERSION:?}")]
    Version(String),
}

/// The program to start as supervisor, where `own` is the program that runs now and could be it as well: a
/// process of the small one begins in half the time. It is asked for its version once, and not used where it
/// is of another.
pub async fn supervisor(own: PathBuf) -> PathBuf {
    let small = own.with_file_name(NAME);
    let program = small.display();
    match check(&small).await {
        Ok(()) => return small,
        // One that is there, and whose loader is missing, is not found either.
        Err(Unusable::Start(error))
            if error.kind() == io::ErrorKind::NotFound && !small.exists() =>
        {
            tracing::info!(
                %program,
                "there is no supervisor beside this program, which does its work itself"
            );
        }
        Err(error) => {
            let cause = error.source().map(ToString::to_string);
            tracing::warn!(
                %program, %error, cause,
                "the supervisor beside this program is not used, which does its work itself"
            );
        }
    }
    own
}

async fn check(program: &Path) -> Result<(), Unusable> {
    let mut command = Command::new(program);
    command.arg("--version").kill_on_drop(true);
    let output = tokio::time::timeout(PATIENCE, command.output()).await;
    let output = output.map_err(|_| Unusable::Silent)?;
    let output = output.map_err(Unusable::Start)?;
    if !output.status.success() {
        return Err(Unusable::Failed(output.status));
    }
    let found = String::from_utf8_lossy(&output.stdout);
    let found = found.trim_end();
    if found == VERSION {
        Ok(())
    } else {
        Err(Unusable::Version(found.chars().take(100).collect()))
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[tokio::test]
    async fn the_small_program_is_used_where_it_is_there_and_of_this_version() {
        let folder = tempfile::tempdir().expect("a folder");
        let (own, small) = (folder.path().join("jobwright"), folder.path().join(NAME));
        assert_eq!(supervisor(own.clone()).await, own, "it is not there");
        for (says, exit, mode, why) in [
            (VERSION, 0, 0o700, ""),
            (VERSION, 1, 0o700, "it ended with exit status: 1"),
            (VERSION, 0, 0o600, "it cannot be run"),
            ("supervisor 0", 0, 0o700, "it is \"supervisor 0\" and not"),
        ] {
            fs::write(&small, format!("#!/bin/sh\necho '{says}'\nexit {exit}\n")).expect("written");
            fs::set_permissions(&small, fs::Permissions::from_mode(mode)).expect("set");
            let expected = if why.is_empty() { &small } else { &own };
            assert_eq!(supervisor(own.clone()).await, *expected, "{says} {exit}");
            let found = check(&small).await.err();
            let found = found.map_or_else(String::new, |error| error.to_string());
            assert!(found.starts_with(why), "{found:?} is not {why:?}");
        }
    }
}
