//! The functions of CQL (DSP0202): their names, what they take, what they give.

use super::kind::Kind;

macro_rules! functions {
    ($( $(#[doc = $doc:literal])* $name:ident ($($parameter:ident),*) $(optional $optional:ident)? -> $result:ident; )*) => {
        /// A function of CQL.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Function { $( $(#[doc = $doc])* $name, )* }

        impl Function {
            /// Every function.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            /// The function's name as DSP0202 writes it.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$name => stringify!($name),)* }
            }

            /// The kinds of value that it must be given.
            pub(super) fn parameters(self) -> &'static [Kind] {
                match self { $(Self::$name => &[$(Kind::$parameter),*],)* }
            }

            /// The kind of value that it may be given; without it, it is about the object of the
            /// query.
            pub(super) fn optional(self) -> Option<Kind> {
                match self { $(Self::$name => None $(.or(Some(Kind::$optional)))?,)* }
            }

            /// The kind of value that it gives.
            pub(super) fn result(self) -> Kind {
                match self { $(Self::$name => Kind::$result,)* }
            }
        }
    };
}

functions! {
    /// The time at which the query is evaluated.
    CurrentDateTime() -> DateTime;
    /// The datetime that a text of 25 characters writes.
    DateTime(Text) -> DateTime;
    /// The timestamp so many microseconds after the beginning of year 0 in UTC.
    MicrosecondToTimestamp(Number) -> DateTime;
    /// The interval of so many microseconds.
    MicrosecondToInterval(Number) -> DateTime;
    /// The opposite of the two above.
    DateTimeToMicrosecond(DateTime) -> Number;
    /// The integer, not negative, that a text writes.
    StringToUint(Text) -> Number;
    /// The integer that a text writes.
    StringToSint(Text) -> Number;
    /// The real that a text writes.
    StringToReal(Text) -> Number;
    /// The number that a text writes.
    StringToNumeric(Text) -> Number;
    /// A number as text.
    NumericToString(Number) -> Text;
    /// A reference as the text of an object path.
    ReferenceToString(Reference) -> Text;
    /// A text in upper case.
    UpperCase(Text) -> Text;
    /// The name of the class of an object or of a reference.
    ClassName() optional Path -> Text;
    /// The namespace of an object or of a reference.
    NamespaceName() optional Path -> Text;
    /// Namespace, class and keys of an object or of a reference.
    ModelPath() optional Path -> Text;
    /// Namespace and class of an object or of a reference.
    ClassPath() optional Path -> Text;
    /// The whole path of an object or of a reference.
    ObjectPath() optional Path -> Text;
    /// The reference to an object.
    InstanceToReference() optional Path -> Reference;
}

/// Functions that a server could only answer when it knew by which name the client reaches it.
const UNSUPPORTED: [&str; 2] = ["NamespaceType", "HostPort"];

impl Function {
    /// The function of that name, in any case; `Err` names the feature when the function exists
    /// and this server does not have it.
    pub(super) fn named(name: &str) -> Option<Result<Self, &'static str>> {
        let known = Self::ALL
            .iter()
            .find(|function| function.as_str().eq_ignore_ascii_case(name));
        let unsupported = UNSUPPORTED
            .iter()
            .any(|known| known.eq_ignore_ascii_case(name));
        known
            .map(|function| Ok(*function))
            .or_else(|| unsupported.then_some(Err("the functions NamespaceType and HostPort")))
    }
}
