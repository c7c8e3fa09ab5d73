//! What the pulled enumerations ask for and give back (DSP0200 1.4 §5.4.2.24).

use std::pin::Pin;

use futures_util::stream::Stream;

use crate::model::{Instance, InstancePath, Result};

use super::{ClassReply, Object, Select};

/// What every operation that opens an enumeration can be told.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Opening {
    /// `FilterQueryLanguage`; it comes with `filter` or not at all.
    pub filter_language: Option<String>,
    /// `FilterQuery`.
    pub filter: Option<String>,
    /// How the enumeration goes on.
    pub terms: Terms,
}

/// How an enumeration goes on once it is open.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Terms {
    /// `OperationTimeout` in seconds: how long the enumeration stays open between two requests for it.
    /// `None` leaves it to the server, 0 asks for no end.
    pub timeout_seconds: Option<u32>,
    /// `ContinueOnError`: an object that cannot be given does not close the enumeration.
    pub continue_on_error: bool,
    /// `MaxObjectCount`: how many objects the answer may have at most; 0 for none yet.
    pub max_objects: u32,
}

/// What the objects of an enumeration are, and by which operation they are pulled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PullKind {
    /// `PullInstancesWithPath`.
    InstancesWithPath,
    /// `PullInstancePaths`.
    Paths,
    /// `PullInstances`: rows of a query.
    Instances,
}

impl PullKind {
    /// The operation that pulls such objects.
    pub fn operation(self) -> &'static str {
        match self {
            Self::InstancesWithPath => "PullInstancesWithPath",
            Self::Paths => "PullInstancePaths",
            Self::Instances => "PullInstances",
        }
    }
}

/// One object of an enumeration.
#[derive(Debug, Clone, PartialEq)]
pub enum PulledObject {
    /// An instance with its path.
    Instance(Object),
    /// A path.
    Path(InstancePath),
    /// A row of a query.
    Row(Instance),
}

/// A piece of the answer to an open or a pull.
#[derive(Debug, Clone, PartialEq)]
pub enum Pulled {
    /// An object.
    Object(PulledObject),
    /// The last piece, and nothing follows it.
    End {
        /// `EnumerationContext`, by which to ask for more; without one the end of the sequence is
        /// reached (`EndOfSequence`).
        context: Option<String>,
    },
}

/// The pieces of one answer; an error is the last of them, else [`Pulled::End`].
pub type PullStream = Pin<Box<dyn Stream<Item = Result<Pulled>> + Send + 'static>>;

/// How the pieces of an answer are shown.
#[derive(Debug, Clone, Default)]
pub struct PullShape {
    /// The properties wanted of each instance.
    pub select: Select,
    /// `QueryResultClass`, where it is asked for.
    pub result_class: Option<ClassReply>,
}

/// The answer to an open or a pull.
pub struct PullReply {
    /// Its pieces.
    pub stream: PullStream,
    /// How they are shown.
    pub shape: PullShape,
}
