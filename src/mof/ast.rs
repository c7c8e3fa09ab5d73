//! What the text says, production by production, before names and flavors are understood.

use std::sync::Arc;

use crate::model::{CimType, Literal};

use super::Span;

/// A word of the text.
#[derive(Debug, Clone, Copy)]
pub(super) struct Word<'a> {
    pub(super) text: &'a str,
    pub(super) span: Span,
}

impl Word<'_> {
    pub(super) fn is(&self, keyword: &str) -> bool {
        self.text.eq_ignore_ascii_case(keyword)
    }

    /// The word in messages.
    pub(super) fn shown(&self) -> String {
        shortened(self.text)
    }
}

/// As much of `text` as a message has room for.
pub(super) fn shortened(text: &str) -> String {
    const LIMIT_CHARS: usize = 60;
    match text.char_indices().nth(LIMIT_CHARS) {
        Some((end, _)) => format!("{}...", &text[..end]),
        None => text.to_owned(),
    }
}

/// A `mofProduction`.
#[derive(Debug)]
pub(super) enum Item<'a> {
    Pragma(Pragma<'a>),
    Qualifier(QualifierDeclaration<'a>),
    Class(ClassDeclaration<'a>),
    Instance(InstanceDeclaration<'a>),
}

/// `compilerDirective`
#[derive(Debug)]
pub(super) struct Pragma<'a> {
    pub(super) name: Word<'a>,
    /// Strings, unquoted; words as they are.
    pub(super) arguments: Vec<(Arc<str>, Span)>,
    pub(super) span: Span,
}

/// `qualifierDeclaration`
#[derive(Debug)]
pub(super) struct QualifierDeclaration<'a> {
    pub(super) name: Word<'a>,
    pub(super) ty: CimType,
    pub(super) array: Option<Array>,
    pub(super) default: Option<Value<'a>>,
    pub(super) scopes: Vec<Word<'a>>,
    pub(super) flavors: Vec<Word<'a>>,
}

/// `classDeclaration`, `assocDeclaration`, `indicDeclaration`
#[derive(Debug)]
pub(super) struct ClassDeclaration<'a> {
    pub(super) qualifiers: Vec<Qualifier<'a>>,
    pub(super) name: Word<'a>,
    pub(super) alias: Option<Word<'a>>,
    pub(super) superclass: Option<Word<'a>>,
    pub(super) properties: Vec<Property<'a>>,
    pub(super) methods: Vec<Method<'a>>,
    /// Whether something in it could not be read.
    pub(super) broken: bool,
}

/// `propertyDeclaration`, `referenceDeclaration`
#[derive(Debug)]
pub(super) struct Property<'a> {
    pub(super) qualifiers: Vec<Qualifier<'a>>,
    pub(super) ty: Type<'a>,
    pub(super) name: Word<'a>,
    pub(super) array: Option<Array>,
    pub(super) default: Option<Value<'a>>,
}

/// `methodDeclaration`
#[derive(Debug)]
pub(super) struct Method<'a> {
    pub(super) qualifiers: Vec<Qualifier<'a>>,
    pub(super) returns: Option<CimType>,
    pub(super) name: Word<'a>,
    pub(super) parameters: Vec<Parameter<'a>>,
}

/// `parameter`
#[derive(Debug)]
pub(super) struct Parameter<'a> {
    pub(super) qualifiers: Vec<Qualifier<'a>>,
    pub(super) ty: Type<'a>,
    pub(super) name: Word<'a>,
    pub(super) array: Option<Array>,
}

/// The type in front of a name.
#[derive(Debug, Clone, Copy)]
pub(super) enum Type<'a> {
    Data(CimType),
    Reference(Word<'a>),
}

/// `array`
#[derive(Debug, Clone, Copy)]
pub(super) struct Array {
    pub(super) size: Option<u32>,
    pub(super) span: Span,
}

/// `qualifier`
#[derive(Debug)]
pub(super) struct Qualifier<'a> {
    pub(super) name: Word<'a>,
    pub(super) value: Option<Value<'a>>,
    pub(super) flavors: Vec<Word<'a>>,
    pub(super) span: Span,
}

/// `instanceDeclaration`
#[derive(Debug)]
pub(super) struct InstanceDeclaration<'a> {
    pub(super) class: Word<'a>,
    pub(super) alias: Option<Word<'a>>,
    pub(super) values: Vec<Assignment<'a>>,
    /// Whether something in it could not be read.
    pub(super) broken: bool,
}

/// `valueInitializer`
#[derive(Debug)]
pub(super) struct Assignment<'a> {
    pub(super) name: Word<'a>,
    pub(super) value: Value<'a>,
}

/// `constantValue`, `arrayInitializer`, `referenceInitializer`
#[derive(Debug)]
pub(super) struct Value<'a> {
    /// The value; NULL where an alias stands.
    pub(super) literal: Literal,
    pub(super) aliases: Vec<AliasPlace<'a>>,
    pub(super) span: Span,
}

/// Where in a value an alias stands.
#[derive(Debug)]
pub(super) struct AliasPlace<'a> {
    pub(super) alias: Word<'a>,
    /// Index in the array, when the value is one.
    pub(super) entry: Option<usize>,
}
