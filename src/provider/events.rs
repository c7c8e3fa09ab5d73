//! What providers tell of their changes, before these are committed.
//!
//! A change and the indications that tell of it are one transaction: whoever is about to commit
//! changes asks for the notices they lead to and writes both. So nothing is told that did not happen,
//! and nothing that happened is lost on the way to a listener. It costs nothing while nobody listens.

use std::sync::Arc;

use chrono::{DateTime, Utc};

use crate::model::{Class, Instance, Namespace};

/// Names the queue of a destination as long as the destination is there; never used twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StreamId(pub i64);

/// An indication for one destination.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// The queue of the destination.
    pub stream: StreamId,
    /// The indication, encoded.
    pub indication: Arc<[u8]>,
}

/// Something that is about to be committed, or to be said.
#[derive(Debug, Clone, PartialEq)]
pub enum Change {
    /// A new instance.
    Created(Instance),
    /// An instance with other values than before.
    Modified {
        /// All its values before.
        before: Instance,
        /// All its values after.
        after: Instance,
    },
    /// An instance with the last values it had.
    Deleted(Instance),
    /// Something somebody should know of: an instance of a subclass of `CIM_ProcessIndication`.
    Alert(Instance),
}

impl Change {
    /// The instance that the change is about, with its present values.
    pub fn source(&self) -> &Instance {
        match self {
            Self::Created(instance) | Self::Deleted(instance) | Self::Alert(instance) => instance,
            Self::Modified { after, .. } => after,
        }
    }
}

/// A change with whom it concerns.
#[derive(Debug, Clone, PartialEq)]
pub struct Occurrence {
    /// The change.
    pub change: Change,
    /// Whose it is: besides its owner only those hear of it who may see everything. `None` when it is
    /// everybody's.
    pub owner: Option<Arc<str>>,
}

/// Whoever makes indications of changes.
pub trait Observer: Send + Sync + 'static {
    /// The class `class` of `namespace`, where anybody may want to hear of changes of its instances.
    /// This is asked before instances are made for [`Self::notices`], and is cheap.
    fn interest(&self, namespace: &Namespace, class: &str) -> Option<Arc<Class>>;

    /// The notices that `occurrences` in `namespace` lead to, in their order. They are to be committed
    /// with the changes, or not at all.
    fn notices(
        &self,
        namespace: &Namespace,
        occurrences: &[Occurrence],
        now: DateTime<Utc>,
    ) -> Vec<Notice>;

    /// `notices` were committed.
    fn committed(&self, notices: &[Notice]);
}

/// Nobody listens.
#[derive(Debug, Clone, Copy, Default)]
pub struct Unobserved;

impl Observer for Unobserved {
    fn interest(&self, _namespace: &Namespace, _class: &str) -> Option<Arc<Class>> {
        None
    }

    fn notices(&self, _: &Namespace, _: &[Occurrence], _: DateTime<Utc>) -> Vec<Notice> {
        Vec::new()
    }

    fn committed(&self, _notices: &[Notice]) {}
}
