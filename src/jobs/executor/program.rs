//! Which program is started as supervisor: the small one beside this one, or this one itself.

#![expect(
    clippy::disallowed_methods,
    reason = "whether a program may be used is asked of the program"
)]

use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::process::Command;

use super::super::supervisor::VERSION;

/// The name of the small program.
const NAME: &str = "jobwright-supervisor";
/// How long it may take to say its version.
const PATIENCE: Duration = Duration::from_secs(5);

/// The program to start as supervisor, where `own` is the program that runs now and could be it as well: a
/// process of the small one begins in half the time. It is not used where it is of another version.
pub async fn supervisor(own: PathBuf) -> PathBuf {
    let small = own.with_file_name(NAME);
    match version(&small).await {
        Some(found) if found == VERSION => small,
        Some(found) => {
            tracing::warn!(
                program = %small.display(), found, expected = VERSION,
                "the supervisor beside this program is of another version and is not used"
            );
            own
        }
        None => {
            tracing::info!(
                program = %small.display(),
                "there is no supervisor beside this program, which does its work itself"
            );
            own
        }
    }
}

async fn version(program: &Path) -> Option<String> {
    let mut command = Command::new(program);
    command.arg("--version").kill_on_drop(true);
    let output = tokio::time::timeout(PATIENCE, command.output())
        .await
        .ok()?
        .ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    output.status.success().then(|| text.trim_end().to_owned())
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
        for (says, exit, expected) in [
            (VERSION, 0, &small),
            (VERSION, 1, &own),
            ("jobwright-supervisor 0.0.1", 0, &own),
        ] {
            fs::write(&small, format!("#!/bin/sh\necho '{says}'\nexit {exit}\n")).expect("written");
            fs::set_permissions(&small, fs::Permissions::from_mode(0o700)).expect("set");
            assert_eq!(supervisor(own.clone()).await, *expected, "{says} {exit}");
        }
    }
}
