//! The account file as it is now: it is read again when it has changed.

#![expect(clippy::disallowed_methods, reason = "accounts are kept in a file")]

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use arc_swap::ArcSwap;

use super::super::StartError;
use super::Accounts;
use super::accounts::FILE;

/// How often the file is looked at.
const PERIOD: Duration = Duration::from_secs(1);

/// What tells one state of a file from another.
type Stamp = (u64, u64, i64, i64);

/// The accounts of a state directory.
pub(super) struct Watched {
    state: PathBuf,
    accounts: ArcSwap<Accounts>,
    looked: Mutex<(Instant, Option<Stamp>)>,
}

impl Watched {
    /// The accounts in `STATE/passwd`; at the first start one is made.
    pub(super) fn open(state: &Path) -> Result<Self, StartError> {
        let accounts = Accounts::open(state)?;
        Ok(Self {
            state: state.to_owned(),
            accounts: ArcSwap::from_pointee(accounts),
            looked: Mutex::new((Instant::now(), stamp(state))),
        })
    }

    /// The accounts, read anew when the file has changed.
    pub(super) fn current(&self) -> Arc<Accounts> {
        let mut looked = self.looked.lock().unwrap_or_else(PoisonError::into_inner);
        if looked.0.elapsed() >= PERIOD {
            let found = stamp(&self.state);
            if found != looked.1 {
                self.read();
            }
            *looked = (Instant::now(), found);
        }
        self.accounts.load_full()
    }

    /// Reads the file. One that cannot be used changes nothing.
    pub(super) fn read(&self) {
        match self.accounts.load().again(&self.state) {
            Ok(accounts) => {
                self.accounts.store(Arc::new(accounts));
                tracing::info!("the accounts were read anew");
            }
            Err(error) => {
                let error: &dyn std::error::Error = &error;
                tracing::error!(
                    error,
                    "the account file cannot be used; the old accounts stay"
                );
            }
        }
    }
}

fn stamp(state: &Path) -> Option<Stamp> {
    let found = fs::metadata(state.join(FILE)).ok()?;
    Some((found.ino(), found.size(), found.mtime(), found.mtime_nsec()))
}
