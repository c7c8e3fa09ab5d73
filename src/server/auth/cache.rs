//! Passwords that were right a moment ago: a hash under a key that lives as long as the process.

#![expect(clippy::disallowed_methods, reason = "authentication is an edge")]

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use blake2::Blake2sMac256;
use blake2::digest::{KeyInit, Mac};
use subtle::ConstantTimeEq;

use super::Account;

/// How long a checked password is remembered.
const REMEMBERED: Duration = Duration::from_mins(1);

/// The passwords checked lately; at most one for each account. The mutex is held for a look-up.
pub(super) struct Cache {
    /// The hash that has taken its key in.
    keyed: Blake2sMac256,
    checked: Mutex<HashMap<String, Checked>>,
}

/// A password that was right.
struct Checked {
    when: Instant,
    /// What the account stored then: a password that was changed since is not known.
    hash: String,
    digest: [u8; 32],
}

impl Cache {
    /// An empty cache with a key of its own.
    pub(super) fn new() -> Self {
        let mut key = [0; 32];
        getrandom::fill(&mut key).expect("the system gives random bytes once it has booted");
        let keyed = <Blake2sMac256 as KeyInit>::new_from_slice(&key);
        Self {
            keyed: keyed.expect("a key of 32 bytes fits"),
            checked: Mutex::default(),
        }
    }

    /// Whether this password of `account` was right within the last minute.
    pub(super) fn knows(&self, account: &Account, password: &[u8]) -> bool {
        let digest = self.digest(password);
        let checked = self.checked.lock().unwrap_or_else(PoisonError::into_inner);
        checked.get(&account.name).is_some_and(|known| {
            known.when.elapsed() < REMEMBERED
                && known.hash == account.hash
                && bool::from(known.digest.as_slice().ct_eq(&digest))
        })
    }

    /// Remembers that this password of `account` is right.
    pub(super) fn remember(&self, account: &Account, password: &[u8]) {
        let known = Checked {
            when: Instant::now(),
            hash: account.hash.clone(),
            digest: self.digest(password),
        };
        let mut checked = self.checked.lock().unwrap_or_else(PoisonError::into_inner);
        checked.insert(account.name.clone(), known);
    }

    fn digest(&self, password: &[u8]) -> [u8; 32] {
        let mut mac = self.keyed.clone();
        Mac::update(&mut mac, password);
        mac.finalize().into_bytes().into()
    }
}
