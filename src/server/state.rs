//! The state directory: made for the server alone, or refused.

#![expect(
    clippy::disallowed_methods,
    reason = "the state directory is made of files"
)]

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::Path;

use super::StartError;

/// Makes `folder` when it is not there, and refuses one that others can look into.
pub(super) fn prepare(folder: &Path) -> Result<(), StartError> {
    let failed = |source| StartError::State {
        path: folder.to_owned(),
        source,
    };
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(folder)
        .map_err(failed)?;
    private(folder)
}

/// Refuses a file or folder that others than its owner can read or change.
pub(super) fn private(path: &Path) -> Result<(), StartError> {
    let found = fs::metadata(path);
    let found = found.map_err(|source| StartError::State {
        path: path.to_owned(),
        source,
    })?;
    let mode = found.permissions().mode() & 0o777;
    let others = mode & 0o077;
    if others == 0 {
        return Ok(());
    }
    Err(StartError::Exposed {
        path: path.to_owned(),
        mode,
    })
}

/// Writes a file of mode 0600 so that it is there whole, and durable, or not at all.
pub(super) fn write_private(path: &Path, text: &[u8]) -> io::Result<()> {
    let new = path.with_extension("new");
    match fs::remove_file(&new) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        Ok(()) | Err(_) => {}
    }
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&new)?;
    file.write_all(text)?;
    file.sync_all()?;
    fs::rename(&new, path)?;
    File::open(path.parent().unwrap_or(Path::new(".")))?.sync_all()
}
