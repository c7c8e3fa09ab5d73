//! Whoever is told of changes of stored instances. Nobody is until somebody attaches.

use std::sync::{Arc, OnceLock};

use chrono::{DateTime, Utc};

use crate::model::Namespace;
use crate::provider::{Change, ChangeKind, Notices, Observer, Occurrence};

/// Who is told; clones share it.
#[derive(Clone, Default)]
pub struct Audience(Arc<OnceLock<Arc<dyn Observer>>>);

impl Audience {
    /// Tells `observer` from now on; whoever was attached first stays.
    pub fn attach(&self, observer: Arc<dyn Observer>) {
        drop(self.0.set(observer));
    }

    /// The notices that a change of that kind of an instance of `class` leads to, to be committed
    /// with it.
    pub fn notices(
        &self,
        (namespace, class): (&Namespace, &str),
        now: DateTime<Utc>,
        kind: ChangeKind,
        change: impl FnOnce() -> Change,
    ) -> Notices {
        let Some(observer) = self.0.get() else {
            return Notices::default();
        };
        let interest = observer.interest(namespace, class);
        if !interest.is_some_and(|interest| interest.kinds.has(kind)) {
            return Notices::default();
        }
        self.all(namespace, [change()], now)
    }

    /// The notices of `changes` that are everybody's.
    pub fn all(
        &self,
        namespace: &Namespace,
        changes: impl IntoIterator<Item = Change>,
        now: DateTime<Utc>,
    ) -> Notices {
        let occurrence = |change| Occurrence {
            change,
            owner: None,
        };
        let occurrences: Vec<_> = changes.into_iter().map(occurrence).collect();
        let observer = self.0.get();
        observer.map_or_else(Notices::default, |observer| {
            observer.notices(namespace, &occurrences, now)
        })
    }

    /// `notices` were committed.
    pub fn committed(&self, notices: Notices) {
        if let Some(observer) = self.0.get().filter(|_| !notices.is_empty()) {
            observer.committed(notices);
        }
    }
}
