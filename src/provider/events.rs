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

/// Whoever makes indications of changes.
pub trait Observer: Send + Sync + 'static {
    /// Whether anybody may want to hear of changes of instances of `class` in `namespace`. This is
    /// asked before instances are made for [`Self::notices`], and is cheap.
    fn is_interested(&self, namespace: &Namespace, class: &Class) -> bool;

    /// The notices that `changes` in `namespace` lead to, in their order. They are to be committed
    /// with the changes, or not at all.
    fn notices(&self, namespace: &Namespace, changes: &[Change], now: DateTime<Utc>)
    -> Vec<Notice>;

    /// `notices` were committed.
    fn committed(&self, notices: &[Notice]);
}

/// Nobody listens.
#[derive(Debug, Clone, Copy, Default)]
pub struct Unobserved;

impl Observer for Unobserved {
    fn is_interested(&self, _namespace: &Namespace, _class: &Class) -> bool {
        false
    }

    fn notices(&self, _: &Namespace, _: &[Change], _: DateTime<Utc>) -> Vec<Notice> {
        Vec::new()
    }

    fn committed(&self, _notices: &[Notice]) {}
}
