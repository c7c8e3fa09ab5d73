//! What comes of a compilation.

use crate::model::{CimName, ClassDecl, Element, InstanceDecl, Namespace, QualifierDecl};

use super::diagnostic::{Diagnostic, Severity};
use super::locate::{Places, last};
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
    pub(super) qualifier_places: Vec<Places>,
    pub(super) class_places: Vec<Places>,
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
    /// The place of its class name.
    pub span: Span,
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

impl Batch {
    pub(super) fn new(namespace: Option<Namespace>) -> Self {
        Self {
            namespace,
            qualifiers: Vec::new(),
            classes: Vec::new(),
            instances: Vec::new(),
            qualifier_places: Vec::new(),
            class_places: Vec::new(),
        }
    }

    /// Where `element` stands: a class or what it holds, or a qualifier declaration.
    ///
    /// An element that was not written (it is inherited) has the place of the nearest one around
    /// it; `None` when nothing of its owner is in this batch.
    pub fn locate(&self, element: &Element) -> Option<Span> {
        let owns = |places: &Places| places.name == element.owner;
        let places = last(&self.class_places, owns).or_else(|| last(&self.qualifier_places, owns));
        places.map(|places| places.find(element))
    }
}
