//! Instances that were read lately, so that reading them again waits for no other thread.
//!
//! An instance that is written is forgotten once the write is committed, before its writer is told. What
//! was read while something was committed is not remembered: it may be older than the commit.

use std::any::Any;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use arc_swap::ArcSwapOption;

use super::repository::{InstanceKey, InstanceRow};

/// Most instances remembered; then all are forgotten.
const LIMIT: usize = 4096;
/// Longest values remembered, in bytes: with [`LIMIT`] it bounds the memory of the rows.
const VALUES_LIMIT_BYTES: usize = 8 * 1024;

/// An instance as it was read, with what its reader has made of it: whoever finds it again need not make
/// that again.
#[derive(Debug)]
pub struct ReadRow {
    /// As it is kept.
    pub row: InstanceRow,
    /// What was made of it last. This module does not know what that is: whoever makes it keeps it
    /// small.
    pub made: ArcSwapOption<Box<dyn Any + Send + Sync>>,
}

impl From<InstanceRow> for ReadRow {
    fn from(row: InstanceRow) -> Self {
        let made = ArcSwapOption::empty();
        Self { row, made }
    }
}

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
    rows: HashMap<InstanceKey, Arc<ReadRow>>,
}

impl Recent {
    /// The instance under `key`, and the number of commits to give to [`Self::remember`].
    pub(super) fn get(&self, key: &InstanceKey) -> (Option<Arc<ReadRow>>, u64) {
        let held = self.held();
        (held.rows.get(key).cloned(), held.commits)
    }

    /// Remembers what was read when there had been so many commits.
    pub(super) fn remember(&self, key: &InstanceKey, read: &Arc<ReadRow>, commits: u64) {
        let mut held = self.held();
        if held.commits != commits || read.row.values.len() > VALUES_LIMIT_BYTES {
            return;
        }
        if held.rows.len() >= LIMIT {
            held.rows.clear();
        }
        held.rows.insert(key.clone(), read.clone());
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

    fn row(values: &str) -> Arc<ReadRow> {
        Arc::new(ReadRow::from(InstanceRow {
            id: 1,
            class: "c".to_owned(),
            format: 1,
            values: values.to_owned(),
        }))
    }

    fn remembered(recent: &Recent, name: &str) -> Option<String> {
        let (found, _) = recent.get(&key(name));
        found.map(|read| read.row.values.clone())
    }

    #[test]
    fn what_a_commit_touched_is_not_given_again() {
        let recent = Recent::default();
        let (none, before) = recent.get(&key("a"));
        assert!(none.is_none());
        recent.remember(&key("a"), &row("old"), before);
        assert_eq!(remembered(&recent, "a").as_deref(), Some("old"));
        let touched = Touched {
            keys: vec![key("a")],
            everything: false,
        };
        recent.forget(&touched);
        assert_eq!(remembered(&recent, "a"), None);
        recent.remember(&key("a"), &row("old"), before);
        assert_eq!(remembered(&recent, "a"), None, "read before the commit");
        let (_, now) = recent.get(&key("a"));
        recent.remember(&key("a"), &row("new"), now);
        assert_eq!(remembered(&recent, "a").as_deref(), Some("new"));
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
        assert_eq!(remembered(&recent, "long"), None);
    }
}
