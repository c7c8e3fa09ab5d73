//! Whoever is told of changes of stored instances. Nobody is until somebody attaches.

use std::sync::{Arc, OnceLock};

use chrono::{DateTime, Utc};

use crate::model::Namespace;
use crate::provider::{Change, Notices, Observer, Occurrence};

/// Who is told; clones share it.
#[derive(Clone, Default)]
pub struct Audience(Arc<OnceLock<Arc<dyn Observer>>>);

impl Audience {
    /// Tells `observer` from now on; whoever was attached first stays.
    pub fn attach(&self, observer: Arc<dyn Observer>) {
        drop(self.0.set(observer));
    }

    /// The notices that a change leads to, to be committed with it.
    pub fn notices(
        &self,
        namespace: &Namespace,
        now: DateTime<Utc>,
        change: impl FnOnce() -> Change,
        class: &str,
    ) -> Notices {
        let Some(observer) = self.0.get() else {
            return Notices::default();
        };
        if observer.interest(namespace, class).is_none() {
            return Notices::default();
        }
        let change = change();
        observer.notices(
            namespace,
            &[Occurrence {
                change,
                owner: None,
            }],
            now,
        )
    }

    /// `notices` were committed.
    pub fn committed(&self, notices: Notices) {
        if let Some(observer) = self.0.get().filter(|_| !notices.is_empty()) {
            observer.committed(notices);
        }
    }
}
