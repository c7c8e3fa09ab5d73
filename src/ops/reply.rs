//! The shapes that answers have. Operations share them: encoders have one arm for each shape.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use futures_util::stream::{self, Stream, StreamExt};

use crate::model::{
    CimName, CimType, CimValue, Class, Instance, InstancePath, Namespace, QualifierDecl, Result,
};

use super::{ClassSelect, PullReply, Select};

/// A boxed future, as providers return it.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;
/// Instances one after the other; the consumer's pace is the producer's.
pub type InstanceStream = Pin<Box<dyn Stream<Item = Result<Instance>> + Send + 'static>>;
/// Instance paths one after the other.
pub type PathStream = Pin<Box<dyn Stream<Item = Result<InstancePath>> + Send + 'static>>;

/// An instance with the namespace it is in.
#[derive(Debug, Clone, PartialEq)]
pub struct Object {
    /// The namespace.
    pub namespace: Namespace,
    /// The instance.
    pub instance: Instance,
}

impl Object {
    /// The path of the instance.
    pub fn path(&self) -> InstancePath {
        self.instance.path(&self.namespace)
    }
}

/// Instances of any namespace one after the other.
pub type ObjectStream = Pin<Box<dyn Stream<Item = Result<Object>> + Send + 'static>>;

/// A stream of values that are there already.
pub fn stream_of<T: Send + 'static>(
    items: Vec<T>,
) -> Pin<Box<dyn Stream<Item = Result<T>> + Send + 'static>> {
    stream::iter(items.into_iter().map(Ok)).boxed()
}

/// A class with the parts of it that are wanted.
#[derive(Debug, Clone)]
pub struct ClassReply {
    /// The class.
    pub class: Arc<Class>,
    /// The parts.
    pub select: ClassSelect,
}

/// What a method gave back.
#[derive(Debug, Clone, PartialEq)]
pub struct MethodReply {
    /// The return value with its type; `None` for a `void` method.
    pub returns: Option<(CimType, CimValue)>,
    /// The output parameters that are not NULL, with the type of each.
    pub outputs: Vec<(CimName, CimType, CimValue)>,
}

impl MethodReply {
    /// The return value `code` of a `uint32` method, and no output yet.
    pub fn code(code: u32) -> Self {
        Self {
            returns: Some((CimType::Uint32, CimValue::Uint32(code))),
            outputs: Vec::new(),
        }
    }

    /// Adds an output parameter; `ty` is the type of its values.
    pub fn output(&mut self, name: &'static str, ty: CimType, value: CimValue) {
        self.outputs.push((CimName::of(name), ty, value));
    }
}

/// What an operation gives back when it succeeds.
pub enum Reply {
    /// Nothing.
    Void,
    /// One instance without its path.
    Instance {
        /// The instance.
        instance: Box<Instance>,
        /// The properties wanted.
        select: Select,
    },
    /// Instances with their model paths.
    Instances {
        /// The instances.
        stream: InstanceStream,
        /// The properties wanted.
        select: Select,
    },
    /// Rows of a query: instances without paths, with all that is wanted of them.
    Rows {
        /// The rows.
        stream: InstanceStream,
        /// The properties wanted.
        select: Select,
    },
    /// The path of a new instance.
    Path(InstancePath),
    /// Paths of instances.
    Paths(PathStream),
    /// Instances with absolute paths.
    Objects {
        /// The instances.
        stream: ObjectStream,
        /// The properties wanted.
        select: Select,
    },
    /// Absolute paths of instances.
    ObjectPaths(PathStream),
    /// Objects of an enumeration that is pulled.
    Pulled(PullReply),
    /// Classes with absolute paths.
    ClassObjects {
        /// Their namespace.
        namespace: Namespace,
        /// The classes.
        classes: Vec<ClassReply>,
    },
    /// Absolute paths of classes.
    ClassPaths {
        /// Their namespace.
        namespace: Namespace,
        /// The names of the classes.
        classes: Vec<CimName>,
    },
    /// The value of a property.
    Value(CimValue),
    /// One class.
    Class(ClassReply),
    /// Classes.
    Classes(Vec<ClassReply>),
    /// Names of classes.
    ClassNames(Vec<CimName>),
    /// One qualifier declaration.
    Qualifier(Box<QualifierDecl>),
    /// Qualifier declarations.
    Qualifiers(Vec<QualifierDecl>),
    /// What a method gave back.
    Method(MethodReply),
}

impl fmt::Debug for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Void => "Void",
            Self::Instance { .. } => "Instance",
            Self::Instances { .. } => "Instances",
            Self::Rows { .. } => "Rows",
            Self::Path(_) => "Path",
            Self::Paths(_) => "Paths",
            Self::Objects { .. } => "Objects",
            Self::ObjectPaths(_) => "ObjectPaths",
            Self::Pulled(_) => "Pulled",
            Self::ClassObjects { .. } => "ClassObjects",
            Self::ClassPaths { .. } => "ClassPaths",
            Self::Value(_) => "Value",
            Self::Class(_) => "Class",
            Self::Classes(_) => "Classes",
            Self::ClassNames(_) => "ClassNames",
            Self::Qualifier(_) => "Qualifier",
            Self::Qualifiers(_) => "Qualifiers",
            Self::Method(_) => "Method",
        })
    }
}
