//! What the compiler has to say about a text: one code for each kind of mistake.

use std::borrow::Cow;
use std::cell::{Cell, RefCell};

use crate::model::nearest;

use super::Span;

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Severity {
    /// The text is not MOF; what it declares cannot be used.
    Error,
    /// The text is MOF, and part of it has no effect.
    Warning,
}

macro_rules! codes {
    ($($severity:ident $name:ident $text:literal $doc:literal;)+) => {
        /// The kinds of diagnostics; their texts never change meaning.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Code {
            $(#[doc = $doc] $name,)+
        }

        impl Code {
            /// Every code.
            pub const ALL: &'static [Self] = &[$(Self::$name,)+];

            /// The code as it is shown.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text,)+ }
            }

            /// How bad a mistake of this kind is.
            pub fn severity(self) -> Severity {
                match self { $(Self::$name => Severity::$severity,)+ }
            }
        }
    };
}

codes! {
    Error UnexpectedCharacter "unexpected-character" "A character that starts no token.";
    Error UnterminatedString "unterminated-string" "A string literal that its line does not close.";
    Error UnterminatedComment "unterminated-comment" "A `/*` without `*/`.";
    Error BadEscape "bad-escape" "A backslash sequence that does not exist.";
    Error NulCharacter "nul-character" "U+0000 in a string.";
    Error BadNumber "bad-number" "A number of no form that DSP0004 has.";
    Error NumberTooLarge "number-too-large" "A number above everything any type can hold.";
    Error BadCharacterLiteral "bad-character-literal" "A char16 literal that is not one UCS-2 unit.";
    Error BadName "bad-name" "A name longer than names may be.";
    Error ExpectedDeclaration "expected-declaration" "Something else where a declaration should start.";
    Error ExpectedName "expected-name" "Something else where a name should stand.";
    Error ExpectedType "expected-type" "Something else where a data type should stand.";
    Error ExpectedValue "expected-value" "Something else where a value should stand.";
    Error ExpectedSemicolon "expected-semicolon" "A declaration without `;` at its end.";
    Error ExpectedToken "expected-token" "Something else where one punctuation mark or word should stand.";
    Error UnclosedBody "unclosed-body" "A `{` whose `}` is missing.";
    Error TrailingComma "trailing-comma" "A comma with nothing behind it.";
    Error EmptyQualifierList "empty-qualifier-list" "`[]` before a declaration.";
    Error MisplacedQualifiers "misplaced-qualifiers" "Qualifiers before something that has none.";
    Error NestedArray "nested-array" "An array inside an array.";
    Error BadArraySize "bad-array-size" "An array size that is not a positive integer.";
    Error ReferenceArray "reference-array" "A REF property that is an array.";
    Error BadReturnType "bad-return-type" "A method that returns an array or a REF.";
    Error VoidElement "void-element" "A property or parameter of type void.";
    Error ParameterDefault "parameter-default" "A default value on a parameter.";
    Error UnknownFlavor "unknown-flavor" "A flavor that does not exist.";
    Error ConflictingFlavors "conflicting-flavors" "Two flavors that contradict each other.";
    Error UnknownScope "unknown-scope" "A scope that does not exist.";
    Error MissingScope "missing-scope" "A qualifier declaration without scope.";
    Error DuplicateClause "duplicate-clause" "A second scope or flavor clause.";
    Error QualifierDefault "qualifier-default" "A default that is not of the qualifier's type.";
    Error BadReference "bad-reference" "A REF default that is not an object path.";
    Error MisplacedAlias "misplaced-alias" "An alias where no instance can be named.";
    Error DuplicateAlias "duplicate-alias" "An alias given to two instances.";
    Error UnknownAlias "unknown-alias" "An alias that no instance has.";
    Error BadPragma "bad-pragma" "A pragma without the argument it needs.";
    Error BadNamespace "bad-namespace" "A namespace pragma whose text is no namespace.";
    Error IncludeMissing "include-missing" "An include that cannot be read.";
    Error IncludeOutsideRoot "include-outside-root" "An include that leaves the root folder.";
    Error IncludeCycle "include-cycle" "A file that includes itself.";
    Error IncludeTooDeep "include-too-deep" "Includes nested deeper than the limit.";
    Error TooManyFiles "too-many-files" "More files than the limit.";
    Error TooManyTokens "too-many-tokens" "More tokens than the limit.";
    Error FileTooLarge "file-too-large" "A file longer than the limit.";
    Error NotUtf8 "not-utf8" "A file that is not UTF-8.";
    Error TooManyDiagnostics "too-many-diagnostics" "More mistakes than are worth listing.";
    Warning DuplicateInclude "duplicate-include" "A file that was included before.";
    Warning UnknownPragma "unknown-pragma" "A pragma that is not known here.";
    Warning ObsoletePragma "obsolete-pragma" "A pragma that DSP0004 has removed.";
    Warning ClassAlias "class-alias" "An alias on a class, which nothing can use.";
}

/// Something said about a place of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// The place.
    pub span: Span,
    /// How bad it is.
    pub severity: Severity,
    /// The kind, stable and in kebab case: one of [`Code`], or a code of the schema.
    pub code: &'static str,
    /// What is wrong, in one line.
    pub message: String,
    /// What to do about it.
    pub hint: Option<Cow<'static, str>>,
    /// Another place that belongs to the explanation.
    pub note: Option<Note>,
}

/// A second place of a diagnostic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// The place.
    pub span: Span,
    /// What is to be seen there.
    pub message: String,
}

/// The advice to write the one of `known` that is near to `word`.
pub(super) fn meant<'a>(
    word: &str,
    known: impl IntoIterator<Item = &'a str>,
) -> Option<Cow<'static, str>> {
    nearest(word, known).map(|name| format!("did you mean `{name}`?").into())
}

impl Note {
    pub(super) fn new(span: Span, message: impl Into<String>) -> Self {
        let message = message.into();
        Self { span, message }
    }
}

impl Diagnostic {
    /// A diagnostic of the front end.
    pub fn new(code: Code, span: Span, message: impl Into<String>) -> Self {
        Self {
            severity: code.severity(),
            ..Self::declaration(code.as_str(), span, message.into())
        }
    }

    /// An error that the schema found, at the place that [`super::Batch::locate`] named.
    pub fn declaration(code: &'static str, span: Span, message: String) -> Self {
        Self {
            span,
            severity: Severity::Error,
            code,
            message,
            hint: None,
            note: None,
        }
    }

    /// The same with advice.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<Cow<'static, str>>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// The same with a second place.
    #[must_use]
    pub fn note(mut self, span: Span, message: impl Into<String>) -> Self {
        self.note = Some(Note::new(span, message));
        self
    }
}

/// Diagnostics as they are found, up to a limit; shared by all stages of one compilation.
#[derive(Debug)]
pub(super) struct Diagnostics {
    list: RefCell<Vec<Diagnostic>>,
    /// How many errors there were, those above the limit included.
    errors: Cell<usize>,
    limit: usize,
}

impl Diagnostics {
    pub(super) fn new(limit: usize) -> Self {
        Self {
            list: RefCell::default(),
            errors: Cell::new(0),
            limit,
        }
    }

    pub(super) fn push(&self, diagnostic: Diagnostic) {
        if diagnostic.severity == Severity::Error {
            self.errors.set(self.errors.get() + 1);
        }
        let mut list = self.list.borrow_mut();
        if list.len() < self.limit {
            list.push(diagnostic);
        } else if list.len() == self.limit {
            let message = format!("more than {} diagnostics; giving up", self.limit);
            let code = Code::TooManyDiagnostics;
            list.push(Diagnostic::new(code, diagnostic.span, message));
        }
    }

    /// How many errors there were so far.
    pub(super) fn errors(&self) -> usize {
        self.errors.get()
    }

    /// Whether the limit was passed, so that reading on is pointless.
    pub(super) fn is_full(&self) -> bool {
        self.list.borrow().len() > self.limit
    }

    pub(super) fn into_list(self) -> Vec<Diagnostic> {
        self.list.into_inner()
    }
}
