//! Instances that were read lately, so that reading them again waits for no other thread.
//!
//! An instance that is written is forgotten once the write is committed, before its writer is told. What
//! was read while something was committed is not remembered: it may be older than the commit.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::repository::{InstanceKey, InstanceRow};

/// Most instances remembered; then all are forgotten.
const LIMIT: usize = 4096;
/// Longest values remembered, in bytes: with [`LIMIT`] it bounds the memory.
const VALUES_LIMIT_BYTES: usize = 8 * 1024;

/// Remembered instances; clones share them.
#[derive(Debug, Clone, Default)]
pub(super) struct Recent {
    // Locked only to look one up, to remember one or to forget.
    held: Arc<Mutex<Held>>,
}

#[derive(Debug, Default)]
struct Held {
    /// Grows with each commit that touched an instance.
    commits: u64,
    rows: HashMap<InstanceKey, InstanceRow>,
}

impl Recent {
    /// The instance under `key`, and the number of commits to give to [`Self::remember`].
    pub(super) fn get(&self, key: &InstanceKey) -> (Option<InstanceRow>, u64) {
        let held = self.held();
        (held.rows.get(key).cloned(), held.commits)
    }

    /// Remembers what was read when there had been so many commits.
    pub(super) fn remember(&self, key: &InstanceKey, row: &InstanceRow, commits: u64) {
        let mut held = self.held();
        if held.commits != commits || row.values.len() > VALUES_LIMIT_BYTES {
            return;
        }
        if held.rows.len() >= LIMIT {
            held.rows.clear();
        }
        held.rows.insert(key.clone(), row.clone());
    }

    /// Forgets what a commit has touched.
    pub(super) fn forget(&self, touched: &Touched) {
        if touched.is_empty() {
            return;
        }
        let mut held = self.held();
        held.commits += 1;
        if touched.everything {
            held.rows.clear();
        }
        for key in &touched.keys {
            held.rows.remove(key);
        }
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The instances that a transaction has written.
#[derive(Debug, Default)]
pub(super) struct Touched {
    pub(super) keys: Vec<InstanceKey>,
    pub(super) everything: bool,
}

impl Touched {
    fn is_empty(&self) -> bool {
        self.keys.is_empty() && !self.everything
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(keys: &str) -> InstanceKey {
        InstanceKey {
            namespace: "n".to_owned(),
            class: "c".to_owned(),
            keys: keys.to_owned(),
        }
    }

    fn row(values: &str) -> InstanceRow {
        InstanceRow {
            id: 1,
            class: "c".to_owned(),
            format: 1,
            values: values.to_owned(),
        }
    }

    #[test]
    fn what_a_commit_touched_is_not_given_again() {
        let recent = Recent::default();
        let (none, before) = recent.get(&key("a"));
        assert_eq!(none, None);
        recent.remember(&key("a"), &row("old"), before);
        assert_eq!(recent.get(&key("a")).0, Some(row("old")));
        let touched = Touched {
            keys: vec![key("a")],
            everything: false,
        };
        recent.forget(&touched);
        assert_eq!(recent.get(&key("a")).0, None);
        recent.remember(&key("a"), &row("old"), before);
        assert_eq!(recent.get(&key("a")).0, None, "read before the commit");
        let (_, now) = recent.get(&key("a"));
        recent.remember(&key("a"), &row("new"), now);
        assert_eq!(recent.get(&key("a")).0, Some(row("new")));
    }

    #[test]
    fn memory_is_bounded() {
        let recent = Recent::default();
        for number in 0..=LIMIT {
            recent.remember(&key(&number.to_string()), &row("v"), 0);
        }
        assert!(recent.held().rows.len() <= LIMIT);
        let long = "x".repeat(VALUES_LIMIT_BYTES + 1);
        recent.remember(&key("long"), &row(&long), 0);
        assert_eq!(recent.get(&key("long")).0, None);
    }
}
