//! An immutable schema: every class and qualifier declaration of a namespace at one moment.
//!
//! Requests hold a snapshot and never see a change half done; writers make a new one.

use std::sync::Arc;

use crate::model::{CimName, Class, NameMap, QualifierDecl};

/// The classes and qualifier declarations of a namespace.
#[derive(Debug, Clone, Default)]
pub struct Schema {
    classes: NameMap<Arc<Class>>,
    qualifiers: NameMap<QualifierDecl>,
    /// The classes without superclass.
    roots: Vec<CimName>,
    /// Direct subclasses by superclass.
    children: NameMap<Vec<CimName>>,
}

impl Schema {
    /// A schema of these classes, in which every superclass is present.
    pub(super) fn new(classes: NameMap<Arc<Class>>, qualifiers: NameMap<QualifierDecl>) -> Self {
        let mut roots = Vec::new();
        let mut children: NameMap<Vec<CimName>> = NameMap::new();
        for class in classes.values() {
            let siblings = match class.superclass() {
                Some(superclass) => children.or_default(superclass),
                None => &mut roots,
            };
            siblings.push(class.name.clone());
        }
        Self {
            classes,
            qualifiers,
            roots,
            children,
        }
    }

    /// Takes classes that are the same in one of `others` from there, so that memory holds them once.
    pub fn share<'a>(&mut self, others: impl Iterator<Item = &'a Self>) {
        let others: Vec<&Self> = others.collect();
        let shared = self.classes.iter().map(|(name, class)| {
            let same = |other: &&Self| {
                let theirs = other.class(name.as_str())?;
                (Arc::ptr_eq(theirs, class) || theirs == class).then(|| theirs.clone())
            };
            let found = others.iter().find_map(same);
            (name.clone(), found.unwrap_or_else(|| class.clone()))
        });
        self.classes = shared.collect();
    }

    /// The class of that name, in any case.
    pub fn class(&self, name: &str) -> Option<&Arc<Class>> {
        self.classes.get(name)
    }

    /// The class of a name whose hash is known.
    pub fn class_named(&self, name: &CimName) -> Option<&Arc<Class>> {
        self.classes.under(name)
    }

    /// All classes in the order they were declared.
    pub fn classes(&self) -> impl ExactSizeIterator<Item = &Arc<Class>> {
        self.classes.values()
    }

    /// The qualifier declaration of that name, in any case.
    pub fn qualifier(&self, name: &str) -> Option<&QualifierDecl> {
        self.qualifiers.get(name)
    }

    /// All qualifier declarations in the order they were declared.
    pub fn qualifiers(&self) -> impl ExactSizeIterator<Item = &QualifierDecl> {
        self.qualifiers.values()
    }

    /// The direct subclasses of `name`; the classes without superclass for `None`.
    pub fn children(&self, name: Option<&CimName>) -> impl Iterator<Item = &Arc<Class>> {
        let names = match name {
            Some(name) => self.children.under(name),
            None => Some(&self.roots),
        };
        let names = names.into_iter().flatten();
        names.filter_map(|name| self.classes.under(name))
    }

    /// The subclasses of `name` at every depth, superclasses before subclasses; every class for
    /// `None`.
    pub fn descendants(&self, name: Option<&CimName>) -> Vec<&Arc<Class>> {
        let mut found: Vec<&Arc<Class>> = self.children(name).collect();
        let mut at = 0;
        while let Some(class) = found.get(at) {
            let below = self.children(Some(&class.name));
            found.extend(below);
            at += 1;
        }
        found
    }
}
