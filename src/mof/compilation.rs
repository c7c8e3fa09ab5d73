//! What comes of a compilation.

use std::collections::HashSet;

use crate::model::{CimName, ClassDecl, Element, InstanceDecl, Namespace, QualifierDecl};

use super::diagnostic::{Code, Diagnostic, Severity};
use super::locate::{Declared, Part, last};
use super::source::{SourceMap, Span};

/// What texts declare, and what is wrong with them.
#[derive(Debug, Default)]
pub struct Compilation {
    /// One batch for each namespace, in the order in which the texts name them.
    pub batches: Vec<Batch>,
    /// In the order they were found.
    pub diagnostics: Vec<Diagnostic>,
    /// The texts that spans point into.
    pub sources: SourceMap,
    /// The words in what could not be read.
    pub(super) lost_names: HashSet<CimName>,
}

/// The declarations for one namespace, each kind in the order of the texts.
#[derive(Debug)]
pub struct Batch {
    /// The namespace of the pragma; `None` when there was none.
    pub namespace: Option<Namespace>,
    /// Qualifier declarations.
    pub qualifiers: Vec<QualifierDecl>,
    /// Classes.
    pub classes: Vec<ClassDecl>,
    /// Instances.
    pub instances: Vec<MofInstance>,
    /// The classes in which there are errors.
    pub(super) broken: HashSet<CimName>,
    pub(super) declared_qualifiers: Vec<Declared>,
    pub(super) declared_classes: Vec<Declared>,
}

/// An instance as MOF writes it.
#[derive(Debug)]
pub struct MofInstance {
    /// Its class and values; NULL where the value is an alias.
    pub decl: InstanceDecl,
    /// The alias it can be named by, without `$`.
    pub alias: Option<CimName>,
    /// Values that name other instances.
    pub references: Vec<AliasUse>,
    /// Whether there are errors in it, so that values may be missing.
    pub broken: bool,
    /// The place of its class name.
    pub span: Span,
    /// The place of the name of each property, in the order of `decl.properties`.
    pub name_spans: Vec<Span>,
    /// The place of each value, in the order of `decl.properties`.
    pub value_spans: Vec<Span>,
}

/// A value that names an instance by its alias. The path that it stands for depends on the keys
/// of a class, which only the schema knows.
#[derive(Debug, Clone)]
pub struct AliasUse {
    /// Index of the property in `decl.properties`.
    pub property: usize,
    /// Index in the array, when the value is one.
    pub entry: Option<usize>,
    /// The alias, without `$`; some instance of the compilation has it, or a diagnostic says so.
    pub alias: CimName,
    /// The place of the alias.
    pub span: Span,
}

impl Compilation {
    /// Whether a diagnostic is an error.
    pub fn has_errors(&self) -> bool {
        let is_error = |diagnostic: &Diagnostic| diagnostic.severity == Severity::Error;
        self.diagnostics.iter().any(is_error)
    }
}

/// Errors behind which any declaration may be missing.
const LOSING: [Code; 8] = [
    Code::UnterminatedComment,
    Code::IncludeMissing,
    Code::IncludeOutsideRoot,
    Code::IncludeTooDeep,
    Code::TooManyFiles,
    Code::TooManyTokens,
    Code::FileTooLarge,
    Code::TooManyDiagnostics,
];

impl Compilation {
    /// Whether `name` may be declared in what could not be read, so that nothing can be said of it.
    pub fn may_declare(&self, name: &CimName) -> bool {
        let loses = |found: &Diagnostic| LOSING.iter().any(|code| code.as_str() == found.code);
        self.lost_names.contains(name) || self.diagnostics.iter().any(loses)
    }
}

impl Batch {
    /// Whether there are errors in the class `name`, so that parts of it may be missing.
    pub fn is_broken(&self, name: &CimName) -> bool {
        self.broken.contains(name)
    }

    /// Every place where `element` is declared, in the order of the text.
    pub fn places(&self, element: &Element) -> Vec<Span> {
        let declared = self.declared_classes.iter();
        let owners = declared.chain(&self.declared_qualifiers);
        let owners = owners.filter(|declared| declared.name == element.owner);
        owners
            .flat_map(|declared| declared.places().all(element))
            .collect()
    }

    pub(super) fn new(namespace: Option<Namespace>) -> Self {
        Self {
            namespace,
            qualifiers: Vec::new(),
            classes: Vec::new(),
            instances: Vec::new(),
            broken: HashSet::new(),
            declared_qualifiers: Vec::new(),
            declared_classes: Vec::new(),
        }
    }

    /// Where `element` stands: a class or what it holds, or a qualifier declaration.
    ///
    /// An element that was not written (it is inherited) has the place of the nearest one around
    /// it; `None` when nothing of its owner is in this batch.
    pub fn locate(&self, element: &Element) -> Option<Span> {
        self.locate_part(element, Part::Name)
    }

    /// Where a part of `element` stands, under the same rule.
    pub fn locate_part(&self, element: &Element, part: Part) -> Option<Span> {
        let owns = |declared: &Declared| declared.name == element.owner;
        let has = |declared: &Declared| owns(declared) && declared.places().has(element);
        // Of a class that is declared twice, the declaration that the element is written in.
        let declared = last(&self.declared_classes, has)
            .or_else(|| last(&self.declared_classes, owns))
            .or_else(|| last(&self.declared_qualifiers, owns));
        declared.map(|declared| declared.places().find(element, part))
    }
}
