//! The CIM status codes of DSP0200 1.4 §5.2.3.

macro_rules! statuses {
    ($($(#[doc = $doc:literal])* $name:ident = $code:literal $symbol:literal;)*) => {
        /// A CIM status code: what an `ERROR` element carries in `CODE`.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[repr(u8)]
        pub enum Status { $($(#[doc = $doc])* $name = $code,)* }

        impl Status {
            /// The code's number on the wire.
            pub fn code(self) -> u8 { self as u8 }
            /// The code's symbolic name.
            pub fn symbol(self) -> &'static str { match self { $(Self::$name => $symbol,)* } }
            /// The status of a number on the wire, when it is one that DSP0200 defines.
            pub fn from_code(code: u32) -> Option<Self> {
                match code { $($code => Some(Self::$name),)* _ => None }
            }
        }
    };
}

statuses! {
    /// A general error, also for what is refused in the present state of one instance.
    Failed = 1 "CIM_ERR_FAILED";
    /// Access was denied to the client.
    AccessDenied = 2 "CIM_ERR_ACCESS_DENIED";
    /// The namespace does not exist.
    InvalidNamespace = 3 "CIM_ERR_INVALID_NAMESPACE";
    /// A parameter is missing, unknown, given twice or has a wrong value.
    InvalidParameter = 4 "CIM_ERR_INVALID_PARAMETER";
    /// The class does not exist.
    InvalidClass = 5 "CIM_ERR_INVALID_CLASS";
    /// The object asked for does not exist.
    NotFound = 6 "CIM_ERR_NOT_FOUND";
    /// The operation is not supported, by the server or for this class.
    NotSupported = 7 "CIM_ERR_NOT_SUPPORTED";
    /// The class has subclasses.
    ClassHasChildren = 8 "CIM_ERR_CLASS_HAS_CHILDREN";
    /// The class has instances.
    ClassHasInstances = 9 "CIM_ERR_CLASS_HAS_INSTANCES";
    /// The superclass does not exist.
    InvalidSuperclass = 10 "CIM_ERR_INVALID_SUPERCLASS";
    /// An object of that name exists.
    AlreadyExists = 11 "CIM_ERR_ALREADY_EXISTS";
    /// The property does not exist.
    NoSuchProperty = 12 "CIM_ERR_NO_SUCH_PROPERTY";
    /// The value does not fit the type.
    TypeMismatch = 13 "CIM_ERR_TYPE_MISMATCH";
    /// The query language is not known.
    QueryLanguageNotSupported = 14 "CIM_ERR_QUERY_LANGUAGE_NOT_SUPPORTED";
    /// The query is not valid.
    InvalidQuery = 15 "CIM_ERR_INVALID_QUERY";
    /// The method exists and cannot be run.
    MethodNotAvailable = 16 "CIM_ERR_METHOD_NOT_AVAILABLE";
    /// The method does not exist.
    MethodNotFound = 17 "CIM_ERR_METHOD_NOT_FOUND";
    /// The namespace is not empty.
    NamespaceNotEmpty = 20 "CIM_ERR_NAMESPACE_NOT_EMPTY";
    /// The enumeration context is not open.
    InvalidEnumerationContext = 21 "CIM_ERR_INVALID_ENUMERATION_CONTEXT";
    /// The operation time-out is not supported.
    InvalidOperationTimeout = 22 "CIM_ERR_INVALID_OPERATION_TIMEOUT";
    /// The pull was abandoned.
    PullHasBeenAbandoned = 23 "CIM_ERR_PULL_HAS_BEEN_ABANDONED";
    /// The pull cannot be abandoned.
    PullCannotBeAbandoned = 24 "CIM_ERR_PULL_CANNOT_BE_ABANDONED";
    /// Filters on enumerations are not supported.
    FilteredEnumerationNotSupported = 25 "CIM_ERR_FILTERED_ENUMERATION_NOT_SUPPORTED";
    /// Continuing after an error is not supported.
    ContinuationOnErrorNotSupported = 26 "CIM_ERR_CONTINUATION_ON_ERROR_NOT_SUPPORTED";
    /// A limit of the server is reached.
    ServerLimitsExceeded = 27 "CIM_ERR_SERVER_LIMITS_EXCEEDED";
    /// The server is going down.
    ServerIsShuttingDown = 28 "CIM_ERR_SERVER_IS_SHUTTING_DOWN";
    /// The query uses a feature that is not supported.
    QueryFeatureNotSupported = 29 "CIM_ERR_QUERY_FEATURE_NOT_SUPPORTED";
}
