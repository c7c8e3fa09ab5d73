//! The state directory: made private, locked for one server, refused on network file systems.

#![expect(
    clippy::disallowed_methods,
    reason = "the store is a directory of files"
)]

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::fs::{FlockOperation, flock, fstatfs};
use rustix::io::Errno;

use super::error::StoreError;

/// `f_type` of NFS, CIFS, SMB and SMB2.
const NETWORK: [u64; 4] = [0x6969, 0xFF53_4D42, 0x517B, 0xFE53_4D42];

/// How often the lock is tried for. A process that the last server was about to start when it ended
/// holds the lock until its program begins.
const ATTEMPTS: u32 = 100;
/// The time between two attempts.
const PAUSE: Duration = Duration::from_millis(10);

/// A directory that this process alone uses as long as the value lives.
#[derive(Debug)]
pub(super) struct Directory {
    path: PathBuf,
    _lock: File,
}

impl Directory {
    /// Makes the directory if need be and locks it.
    pub(super) fn lock(path: &Path) -> Result<Self, StoreError> {
        let mut builder = DirBuilder::new();
        let made = builder.recursive(true).mode(0o700).create(path);
        made.map_err(|error| StoreError::directory(path, error))?;
        refuse_network(path)?;
        let file = path.join("lock");
        let lock = private_file(&file).map_err(|error| StoreError::directory(&file, error))?;
        for _ in 0..ATTEMPTS {
            match flock(&lock, FlockOperation::NonBlockingLockExclusive) {
                Ok(()) => {
                    return Ok(Self {
                        path: path.to_owned(),
                        _lock: lock,
                    });
                }
                Err(Errno::WOULDBLOCK) => std::thread::sleep(PAUSE),
                Err(error) => return Err(StoreError::directory(&file, error)),
            }
        }
        Err(StoreError::Locked(path.to_owned()))
    }

    /// The path of a file in the directory, made 0600 and durable by name if it was not there.
    pub(super) fn file(&self, name: &str) -> Result<PathBuf, StoreError> {
        let path = self.path.join(name);
        let made = private_file(&path).and_then(|file| file.sync_all());
        made.map_err(|error| StoreError::directory(&path, error))?;
        self.sync()?;
        Ok(path)
    }

    /// The path of a file in the directory that is 0600 and empty now.
    pub(super) fn empty_file(&self, name: &str) -> Result<PathBuf, StoreError> {
        let path = self.path.join(name);
        let emptied = private_file(&path).and_then(|file| file.set_len(0));
        emptied.map_err(|error| StoreError::directory(&path, error))?;
        Ok(path)
    }

    /// Makes the names in the directory durable.
    pub(super) fn sync(&self) -> Result<(), StoreError> {
        let synced = File::open(&self.path).and_then(|directory| directory.sync_all());
        synced.map_err(|error| StoreError::directory(&self.path, error))
    }
}

fn private_file(path: &Path) -> io::Result<File> {
    OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(path)
}

fn refuse_network(path: &Path) -> Result<(), StoreError> {
    let failed = |error: io::Error| StoreError::directory(path, error);
    let real = fs::canonicalize(path).map_err(failed)?;
    let directory = File::open(real).map_err(failed)?;
    let kind = fstatfs(&directory)
        .map_err(|error| failed(error.into()))?
        .f_type;
    // The field's type differs between machines; the magic numbers have 32 bits.
    #[expect(
        clippy::cast_sign_loss,
        reason = "magic numbers are compared as bit patterns"
    )]
    let kind = kind as u64 & 0xFFFF_FFFF;
    if NETWORK.contains(&kind) {
        return Err(StoreError::Network(path.to_owned()));
    }
    Ok(())
}
