//! What providers tell of their changes, before these are committed.
//!
//! A change and the indications that tell of it are one transaction: whoever is about to commit
//! changes asks for the notices they lead to and writes both. So nothing is told that did not happen,
//! and nothing that happened is lost on the way to a listener. It costs nothing while nobody listens.

use std::sync::Arc;

use chrono::{DateTime, Utc};

use crate::model::{CimName, Class, Instance, Namespace};
use crate::ops::BoxFuture;
use crate::schema::Schema;

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

/// The notices of changes that are committed together, in their order, with what their observer
/// remembers because of them: that is undone when they are dropped and were not committed.
#[derive(Default)]
pub struct Notices {
    list: Vec<Notice>,
    pledges: Vec<Box<dyn Pledge>>,
}

/// What an observer remembered when it made notices.
pub trait Pledge: Send {
    /// The change was committed, or was not and never happened.
    fn settle(self: Box<Self>, committed: bool);
}

impl Notices {
    /// Notices of one change.
    pub fn new(list: Vec<Notice>, pledges: Vec<Box<dyn Pledge>>) -> Self {
        Self { list, pledges }
    }

    /// Adds the notices of a later change.
    pub fn append(&mut self, mut later: Self) {
        self.list.append(&mut later.list);
        self.pledges.append(&mut later.pledges);
    }

    /// They were committed: what was remembered because of them stays.
    pub fn keep(mut self) -> Vec<Notice> {
        for pledge in self.pledges.drain(..) {
            pledge.settle(true);
        }
        std::mem::take(&mut self.list)
    }
}

impl std::ops::Deref for Notices {
    type Target = [Notice];

    fn deref(&self) -> &[Notice] {
        &self.list
    }
}

impl std::fmt::Debug for Notices {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.list.fmt(f)
    }
}

impl Drop for Notices {
    /// The newest goes first, so that each finds what it left.
    fn drop(&mut self) {
        while let Some(pledge) = self.pledges.pop() {
            pledge.settle(false);
        }
    }
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
    /// A method of an instance is about to be called, or has returned.
    Called {
        /// The instance, as it is then.
        source: Instance,
        /// The call.
        call: MethodCall,
    },
    /// A new class.
    ClassCreated(Arc<Class>),
    /// A class that is declared otherwise than before.
    ClassModified {
        /// As it was.
        before: Arc<Class>,
        /// As it is.
        after: Arc<Class>,
    },
    /// A class with the last declaration it had.
    ClassDeleted(Arc<Class>),
    /// Something somebody should know of: an instance of a subclass of `CIM_ProcessIndication`.
    Alert(Instance),
}

/// One side of a method call.
#[derive(Debug, Clone, PartialEq)]
pub struct MethodCall {
    /// The method.
    pub method: CimName,
    /// The inputs before the call, the outputs after it, as one object.
    pub parameters: Instance,
    /// Which side.
    pub phase: CallPhase,
}

/// Whether a method is yet to do its work.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CallPhase {
    /// It is about to be called.
    Before,
    /// It has returned this, as text; nothing where it is `void` or returned NULL.
    After(Option<String>),
}

/// The kinds of changes that those who subscribe tell apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ChangeKind {
    /// An instance is new.
    Creation,
    /// An instance has other values.
    Modification,
    /// An instance is gone.
    Deletion,
    /// A method of an instance is called.
    MethodCall,
    /// A class is new.
    ClassCreation,
    /// A class is declared otherwise.
    ClassModification,
    /// A class is gone.
    ClassDeletion,
    /// Somebody should know of something.
    Alert,
}

impl ChangeKind {
    /// Every kind.
    pub const ALL: [Self; 8] = [
        Self::Creation,
        Self::Modification,
        Self::Deletion,
        Self::MethodCall,
        Self::ClassCreation,
        Self::ClassModification,
        Self::ClassDeletion,
        Self::Alert,
    ];

    /// The class of the indications that tell of such a change; of alerts the one above all theirs.
    pub fn class_name(self) -> &'static str {
        match self {
            Self::Creation => "CIM_InstCreation",
            Self::Modification => "CIM_InstModification",
            Self::Deletion => "CIM_InstDeletion",
            Self::MethodCall => "CIM_InstMethodCall",
            Self::ClassCreation => "CIM_ClassCreation",
            Self::ClassModification => "CIM_ClassModification",
            Self::ClassDeletion => "CIM_ClassDeletion",
            Self::Alert => "CIM_ProcessIndication",
        }
    }
}

/// Some of the kinds of changes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ChangeKinds(u8);

impl ChangeKinds {
    /// Whether `kind` is one of them.
    pub fn has(self, kind: ChangeKind) -> bool {
        self.0 & (1 << kind as u8) != 0
    }

    /// Whether there is none.
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }
}

impl FromIterator<ChangeKind> for ChangeKinds {
    fn from_iter<I: IntoIterator<Item = ChangeKind>>(kinds: I) -> Self {
        let bits = kinds.into_iter().map(|kind| 1 << kind as u8);
        Self(bits.fold(0, |all, bit| all | bit))
    }
}

/// What somebody may want to hear about the instances of a class.
#[derive(Debug, Clone)]
pub struct Interest {
    /// The class, as it is now.
    pub class: Arc<Class>,
    /// The schema that it is of.
    pub schema: Arc<Schema>,
    /// The kinds of changes; never none. Nothing need be made for others.
    pub kinds: ChangeKinds,
}

impl Change {
    /// Which kind of change it is.
    pub fn kind(&self) -> ChangeKind {
        match self {
            Self::Created(_) => ChangeKind::Creation,
            Self::Modified { .. } => ChangeKind::Modification,
            Self::Deleted(_) => ChangeKind::Deletion,
            Self::Called { .. } => ChangeKind::MethodCall,
            Self::ClassCreated(_) => ChangeKind::ClassCreation,
            Self::ClassModified { .. } => ChangeKind::ClassModification,
            Self::ClassDeleted(_) => ChangeKind::ClassDeletion,
            Self::Alert(_) => ChangeKind::Alert,
        }
    }

    /// The class that changed, or the class of the instance that did; of an alert its own.
    pub fn class(&self) -> &Arc<Class> {
        match self {
            Self::Created(source)
            | Self::Deleted(source)
            | Self::Called { source, .. }
            | Self::Modified { after: source, .. }
            | Self::Alert(source) => &source.class,
            Self::ClassCreated(class)
            | Self::ClassDeleted(class)
            | Self::ClassModified { after: class, .. } => class,
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
    /// What anybody may want to hear about instances of the class `class` of `namespace`. This is asked
    /// before instances are made for [`Self::notices`], and is cheap.
    fn interest(&self, namespace: &Namespace, class: &str) -> Option<Interest>;

    /// The notices that `occurrences` in `namespace` lead to, in their order. They are to be committed
    /// with the changes, or not at all.
    fn notices(
        &self,
        namespace: &Namespace,
        occurrences: &[Occurrence],
        now: DateTime<Utc>,
    ) -> Notices;

    /// `notices` were committed. Those that were not are dropped.
    fn committed(&self, notices: Notices);

    /// Tells of what is part of no other change, in a transaction of its own: it is committed when this
    /// returns. Where the store does not take it the log says so, and it is not told.
    fn tell<'a>(
        &'a self,
        namespace: &'a Namespace,
        occurrences: Vec<Occurrence>,
    ) -> BoxFuture<'a, ()>;
}

/// Nobody listens.
#[derive(Debug, Clone, Copy, Default)]
pub struct Unobserved;

impl Observer for Unobserved {
    fn interest(&self, _namespace: &Namespace, _class: &str) -> Option<Interest> {
        None
    }

    fn notices(&self, _: &Namespace, _: &[Occurrence], _: DateTime<Utc>) -> Notices {
        Notices::default()
    }

    fn committed(&self, _notices: Notices) {}

    fn tell<'a>(&'a self, _: &'a Namespace, _: Vec<Occurrence>) -> BoxFuture<'a, ()> {
        Box::pin(async {})
    }
}
