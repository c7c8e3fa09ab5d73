//! The operations a client can ask for: one request struct each, and the shapes of the answers.
//!
//! This is the single list of what the server does; protocols decode into [`Request`] and encode
//! from [`Reply`]. It does nothing itself.

mod pull;
mod reply;
mod select;
mod traversal;

pub use pull::{Opening, PullKind, PullReply, PullShape, PullStream, Pulled, PulledObject, Terms};
pub use reply::{
    BoxFuture, ClassReply, InstanceStream, MethodReply, Object, ObjectStream, PathStream, Reply,
    stream_of,
};
pub use select::{ClassSelect, Select};
pub use traversal::{AssociatorFilter, ReferenceFilter};

use crate::model::{
    CimName, ClassDecl, InstanceDecl, Literal, Namespace, ObjectPath, PropertyValue, QualifierDecl,
};

/// What an operation does to what it touches; access is granted by it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Access {
    /// Reads classes and qualifiers.
    ReadSchema,
    /// Changes classes and qualifiers.
    WriteSchema,
    /// Reads instances.
    ReadInstance,
    /// Creates, changes or deletes instances.
    WriteInstance,
    /// Calls a method.
    Invoke,
}

macro_rules! operations {
    ($( $(#[doc = $doc:literal])* $name:ident($access:ident) {
        $( $(#[doc = $field_doc:literal])* $field:ident: $ty:ty ),* $(,)?
    } )*) => {
        $(
            $(#[doc = $doc])*
            #[derive(Debug, Clone, PartialEq)]
            pub struct $name { $( $(#[doc = $field_doc])* pub $field: $ty, )* }
        )*

        /// A request for one of the operations.
        #[derive(Debug, Clone, PartialEq)]
        #[expect(missing_docs, reason = "each variant holds the request struct of that name")]
        pub enum Request { $( $name($name), )* }

        impl Request {
            /// The names of all operations.
            pub const NAMES: &[&str] = &[$( stringify!($name), )*];

            /// The operation's name as DSP0200 writes it.
            pub fn name(&self) -> &str {
                if let Self::Unsupported(unsupported) = self {
                    return &unsupported.method;
                }
                match self { $( Self::$name(_) => stringify!($name), )* }
            }
            /// What the operation does to what it touches.
            pub fn access(&self) -> Access {
                match self { $( Self::$name(_) => Access::$access, )* }
            }
            /// The same for the operation of that name, in any case of letters.
            pub fn access_of(name: &str) -> Option<Access> {
                $( if name.eq_ignore_ascii_case(stringify!($name)) {
                    return Some(Access::$access);
                } )*
                None
            }
        }
    };
}

operations! {
    /// Reads one instance (DSP0200 1.4 §5.4.2.2).
    GetInstance(ReadInstance) {
        /// The instance.
        path: ObjectPath,
        /// Which properties are wanted.
        select: Select,
    }
    /// Reads the instances of a class and of its subclasses (§5.4.2.11).
    EnumerateInstances(ReadInstance) {
        /// The class.
        class: CimName,
        /// Whether properties that subclasses add are wanted too.
        deep_inheritance: bool,
        /// Which properties are wanted.
        select: Select,
    }
    /// Reads the paths of the instances of a class and of its subclasses (§5.4.2.12).
    EnumerateInstanceNames(ReadInstance) {
        /// The class.
        class: CimName,
    }
    /// Creates an instance (§5.4.2.6).
    CreateInstance(WriteInstance) {
        /// The new instance as the client wrote it.
        instance: InstanceDecl,
    }
    /// Changes an instance (§5.4.2.8).
    ModifyInstance(WriteInstance) {
        /// The instance to change.
        path: ObjectPath,
        /// The new values as the client wrote them.
        instance: InstanceDecl,
        /// The properties to change; `None` for all that the client gave.
        properties: Option<Vec<CimName>>,
    }
    /// Deletes an instance (§5.4.2.4).
    DeleteInstance(WriteInstance) {
        /// The instance.
        path: ObjectPath,
    }
    /// Reads what the associations of an object lead to (§5.4.2.14).
    Associators(ReadInstance) {
        /// The object; a path without keys is the class itself.
        object: ObjectPath,
        /// Which associations are followed, and to what.
        filter: AssociatorFilter,
        /// `IncludeQualifiers`, which has an effect on classes alone.
        qualifiers: bool,
        /// Which properties are wanted.
        select: Select,
    }
    /// Reads the paths of what the associations of an object lead to (§5.4.2.15).
    AssociatorNames(ReadInstance) {
        /// The object; a path without keys is the class itself.
        object: ObjectPath,
        /// Which associations are followed, and to what.
        filter: AssociatorFilter,
    }
    /// Reads the associations of an object (§5.4.2.16).
    References(ReadInstance) {
        /// The object; a path without keys is the class itself.
        object: ObjectPath,
        /// Which associations are wanted.
        filter: ReferenceFilter,
        /// `IncludeQualifiers`, which has an effect on classes alone.
        qualifiers: bool,
        /// Which properties are wanted.
        select: Select,
    }
    /// Reads the paths of the associations of an object (§5.4.2.17).
    ReferenceNames(ReadInstance) {
        /// The object; a path without keys is the class itself.
        object: ObjectPath,
        /// Which associations are wanted.
        filter: ReferenceFilter,
    }
    /// Reads one property of an instance (§5.4.2.18).
    GetProperty(ReadInstance) {
        /// The instance.
        path: ObjectPath,
        /// The property.
        property: CimName,
    }
    /// Changes one property of an instance (§5.4.2.19).
    SetProperty(WriteInstance) {
        /// The instance.
        path: ObjectPath,
        /// The property.
        property: CimName,
        /// The new value as the client wrote it.
        value: Literal,
    }
    /// Calls an extrinsic method (§5.4.1).
    InvokeMethod(Invoke) {
        /// The instance or class it is called on.
        target: ObjectPath,
        /// The method.
        method: CimName,
        /// The input parameters; types are claimed where the client named them.
        parameters: Vec<PropertyValue>,
    }
    /// Reads one class (§5.4.2.1).
    GetClass(ReadSchema) {
        /// The class.
        class: CimName,
        /// Which parts are wanted.
        select: ClassSelect,
    }
    /// Reads the subclasses of a class (§5.4.2.9).
    EnumerateClasses(ReadSchema) {
        /// The class; `None` for the roots.
        class: Option<CimName>,
        /// Whether subclasses of subclasses are wanted too.
        deep_inheritance: bool,
        /// Which parts are wanted.
        select: ClassSelect,
    }
    /// Reads the names of the subclasses of a class (§5.4.2.10).
    EnumerateClassNames(ReadSchema) {
        /// The class; `None` for the roots.
        class: Option<CimName>,
        /// Whether subclasses of subclasses are wanted too.
        deep_inheritance: bool,
    }
    /// Adds a class (§5.4.2.5).
    CreateClass(WriteSchema) {
        /// The class as the client wrote it.
        class: ClassDecl,
    }
    /// Puts a class in the place of one of the same name (§5.4.2.7).
    ModifyClass(WriteSchema) {
        /// The class as the client wrote it.
        class: ClassDecl,
    }
    /// Removes a class (§5.4.2.3).
    DeleteClass(WriteSchema) {
        /// The class.
        class: CimName,
    }
    /// Adds a qualifier declaration, or puts it in the place of one of the same name (§5.4.2.21).
    SetQualifier(WriteSchema) {
        /// The declaration.
        qualifier: QualifierDecl,
    }
    /// Removes a qualifier declaration (§5.4.2.22).
    DeleteQualifier(WriteSchema) {
        /// The qualifier.
        name: CimName,
    }
    /// Reads one qualifier declaration (§5.4.2.20).
    GetQualifier(ReadSchema) {
        /// The qualifier.
        name: CimName,
    }
    /// Reads all qualifier declarations (§5.4.2.23).
    EnumerateQualifiers(ReadSchema) {}
    /// Selects instances by a query (§5.4.2.13).
    ExecQuery(ReadInstance) {
        /// The name of the query language.
        language: String,
        /// The query.
        query: String,
    }
    /// Opens an enumeration of the instances of a class and of its subclasses (§5.4.2.24).
    OpenEnumerateInstances(ReadInstance) {
        /// The class.
        class: CimName,
        /// Whether properties that subclasses add are wanted too.
        deep_inheritance: bool,
        /// Which properties are wanted.
        select: Select,
        /// What is told when an enumeration is opened.
        opening: Opening,
    }
    /// Opens an enumeration of the paths of the instances of a class and of its subclasses.
    OpenEnumerateInstancePaths(ReadInstance) {
        /// The class.
        class: CimName,
        /// What is told when an enumeration is opened.
        opening: Opening,
    }
    /// Opens an enumeration of the associations of an instance.
    OpenReferenceInstances(ReadInstance) {
        /// The instance.
        path: ObjectPath,
        /// Which associations are wanted.
        filter: ReferenceFilter,
        /// Which properties are wanted.
        select: Select,
        /// What is told when an enumeration is opened.
        opening: Opening,
    }
    /// Opens an enumeration of the paths of the associations of an instance.
    OpenReferenceInstancePaths(ReadInstance) {
        /// The instance.
        path: ObjectPath,
        /// Which associations are wanted.
        filter: ReferenceFilter,
        /// What is told when an enumeration is opened.
        opening: Opening,
    }
    /// Opens an enumeration of what the associations of an instance lead to.
    OpenAssociatorInstances(ReadInstance) {
        /// The instance.
        path: ObjectPath,
        /// Which associations are followed, and to what.
        filter: AssociatorFilter,
        /// Which properties are wanted.
        select: Select,
        /// What is told when an enumeration is opened.
        opening: Opening,
    }
    /// Opens an enumeration of the paths of what the associations of an instance lead to.
    OpenAssociatorInstancePaths(ReadInstance) {
        /// The instance.
        path: ObjectPath,
        /// Which associations are followed, and to what.
        filter: AssociatorFilter,
        /// What is told when an enumeration is opened.
        opening: Opening,
    }
    /// Opens an enumeration of the rows of a query.
    OpenQueryInstances(ReadInstance) {
        /// The name of the query language.
        language: String,
        /// The query.
        query: String,
        /// `ReturnQueryResultClass`: whether the class of the rows is wanted.
        return_class: bool,
        /// How the enumeration goes on.
        terms: Terms,
    }
    /// Pulls instances with their paths.
    PullInstancesWithPath(ReadInstance) {
        /// The enumeration.
        context: String,
        /// How many at most.
        max_objects: u32,
    }
    /// Pulls paths of instances.
    PullInstancePaths(ReadInstance) {
        /// The enumeration.
        context: String,
        /// How many at most.
        max_objects: u32,
    }
    /// Pulls rows of a query.
    PullInstances(ReadInstance) {
        /// The enumeration.
        context: String,
        /// How many at most.
        max_objects: u32,
    }
    /// Closes an enumeration before its end.
    CloseEnumeration(ReadInstance) {
        /// The enumeration.
        context: String,
    }
    /// Asks how many objects an enumeration will still give.
    EnumerationCount(ReadInstance) {
        /// The enumeration.
        context: String,
    }
    /// An intrinsic operation that this server does not have; it is answered `NOT_SUPPORTED`.
    Unsupported(ReadSchema) {
        /// The method's name as the client wrote it.
        method: String,
    }
}

impl Request {
    /// Whether the operation may give any number of objects.
    pub fn is_enumeration(&self) -> bool {
        matches!(
            self,
            Self::EnumerateInstances(_)
                | Self::EnumerateInstanceNames(_)
                | Self::Associators(_)
                | Self::AssociatorNames(_)
                | Self::References(_)
                | Self::ReferenceNames(_)
                | Self::ExecQuery(_)
                | Self::OpenEnumerateInstances(_)
                | Self::OpenEnumerateInstancePaths(_)
                | Self::OpenReferenceInstances(_)
                | Self::OpenReferenceInstancePaths(_)
                | Self::OpenAssociatorInstances(_)
                | Self::OpenAssociatorInstancePaths(_)
                | Self::OpenQueryInstances(_)
                | Self::PullInstancesWithPath(_)
                | Self::PullInstancePaths(_)
                | Self::PullInstances(_)
        )
    }
}

/// A request together with the namespace it is addressed to.
#[derive(Debug, Clone, PartialEq)]
pub struct Addressed {
    /// The namespace of the request.
    pub namespace: Namespace,
    /// What is asked for.
    pub request: Request,
}

/// An input parameter that has no value.
pub fn null_parameter(name: CimName) -> PropertyValue {
    PropertyValue {
        name,
        ty: None,
        is_array: false,
        value: Literal::Null,
    }
}
