//! What is declared for one namespace: the texts that were given, and below them the embedded ones.

use std::collections::{HashMap, HashSet};

use crate::model::{CimName, ClassDecl, Element, Namespace, QualifierDecl};
use crate::mof::{Batch, Compilation, Part, Span};
use crate::schema::{Builder, INHERITANCE_LIMIT};

/// How many ancestors are looked through: one more than a class may have.
const LINE_LIMIT: usize = INHERITANCE_LIMIT + 1;

/// A place in the texts: the number of the compilation, and where in it.
pub(super) type Place = (usize, Span);

/// The declarations for a namespace.
pub(super) struct Scene<'a> {
    pub namespace: Option<&'a Namespace>,
    /// With the number of the compilation of each; those that were given come first.
    batches: Vec<(usize, &'a Batch)>,
    /// How many of them were given.
    given: usize,
    classes: HashMap<&'a CimName, &'a ClassDecl>,
    qualifiers: HashMap<&'a CimName, &'a QualifierDecl>,
}

impl<'a> Scene<'a> {
    /// What `given` declares for `namespace`, on top of the compilation `base`, which has the number
    /// `base_number`.
    pub(super) fn new(
        namespace: Option<&'a Namespace>,
        given: &'a [Compilation],
        base: Option<(usize, &'a Compilation)>,
    ) -> Self {
        let numbered = given.iter().enumerate();
        let of_namespace = numbered.flat_map(|(number, files)| {
            let batches = files.batches.iter();
            let batches = batches.filter(move |batch| batch.namespace.as_ref() == namespace);
            batches.map(move |batch| (number, batch))
        });
        let mut batches: Vec<_> = of_namespace.collect();
        let count = batches.len();
        if let Some((number, base)) = base {
            batches.extend(base.batches.iter().map(|batch| (number, batch)));
        }
        let (mut classes, mut qualifiers) = (HashMap::new(), HashMap::new());
        for (_, batch) in &batches {
            for decl in &batch.classes {
                classes.entry(&decl.name).or_insert(decl);
            }
            for decl in &batch.qualifiers {
                qualifiers.entry(&decl.name).or_insert(decl);
            }
        }
        Self {
            namespace,
            batches,
            given: count,
            classes,
            qualifiers,
        }
    }

    /// The batches that were given.
    pub(super) fn given(&self) -> &[(usize, &'a Batch)] {
        &self.batches[..self.given]
    }

    pub(super) fn class(&self, name: &CimName) -> Option<&'a ClassDecl> {
        self.classes.get(name).copied()
    }

    pub(super) fn class_names(&self) -> impl Iterator<Item = &'a str> {
        self.classes.keys().map(|name| name.as_str())
    }

    pub(super) fn qualifier_names(&self) -> impl Iterator<Item = &'a str> {
        self.qualifiers.keys().map(|name| name.as_str())
    }

    /// Everything, for the schema to judge: what is given stands in the places of embedded
    /// declarations of the same name, and two different ones that are given are a fault.
    pub(super) fn builder(&self) -> Builder {
        let mut builder = Builder::new();
        let (given, base) = self.batches.split_at(self.given);
        let replaced: HashSet<&CimName> = given
            .iter()
            .flat_map(|(_, batch)| {
                let classes = batch.classes.iter().map(|decl| &decl.name);
                classes.chain(batch.qualifiers.iter().map(|decl| &decl.name))
            })
            .collect();
        for (_, batch) in base {
            let qualifiers = batch.qualifiers.iter();
            let qualifiers = qualifiers.filter(|decl| !replaced.contains(&decl.name));
            let classes = batch.classes.iter();
            let classes = classes.filter(|decl| !replaced.contains(&decl.name));
            builder.declare(qualifiers.cloned(), classes.cloned());
        }
        for (_, batch) in given {
            let (qualifiers, classes) = (batch.qualifiers.iter(), batch.classes.iter());
            builder.declare(qualifiers.cloned(), classes.cloned());
        }
        builder
    }

    /// The first declaration of each name, to be changed.
    pub(super) fn declarations(&self) -> (Vec<QualifierDecl>, HashMap<CimName, ClassDecl>) {
        let qualifiers = self.qualifiers.values().map(|decl| (*decl).clone());
        let classes = self.classes.values();
        let classes = classes.map(|decl| (decl.name.clone(), (*decl).clone()));
        (qualifiers.collect(), classes.collect())
    }

    /// Where `element` stands, or the nearest element around it.
    pub(super) fn place(&self, element: &Element) -> Option<Place> {
        self.place_of(element, Part::Name)
    }

    /// Where a part of `element` stands, or the nearest element around it.
    pub(super) fn place_of(&self, element: &Element, part: Part) -> Option<Place> {
        let mut batches = self.batches.iter();
        batches.find_map(|(number, batch)| Some((*number, batch.locate_part(element, part)?)))
    }

    /// Every place where `element` is given.
    pub(super) fn places(&self, element: &Element) -> Vec<Place> {
        let found = self.given().iter().flat_map(|(number, batch)| {
            let places = batch.places(element).into_iter();
            places.map(|span| (*number, span))
        });
        found.collect()
    }

    /// A place for a fault whose own is not known: the first declaration of all.
    pub(super) fn anywhere(&self) -> Option<Place> {
        self.batches.iter().find_map(|(_, batch)| {
            let class = batch.classes.first().map(|decl| &decl.name);
            let qualifier = batch.qualifiers.first().map(|decl| &decl.name);
            self.place(&owner(class.or(qualifier)?))
        })
    }

    /// The classes that `name` says it descends from, the nearest first.
    pub(super) fn ancestors(&self, name: &CimName) -> Vec<&'a ClassDecl> {
        let mut line = Vec::new();
        let mut at = self.class(name);
        while let Some(class) = at.filter(|_| line.len() < LINE_LIMIT) {
            at = class.superclass.as_ref().and_then(|name| self.class(name));
            line.extend(at);
        }
        line
    }

    /// Whether there are errors in the text of `name` or of what it descends from, so that something
    /// may be missing in it.
    pub(super) fn is_broken(&self, name: &CimName) -> bool {
        let broken = |name: &CimName| self.given().iter().any(|(_, batch)| batch.is_broken(name));
        broken(name) || self.ancestors(name).iter().any(|above| broken(&above.name))
    }
}

/// The class or qualifier declaration as an element.
pub(super) fn owner(name: &CimName) -> Element {
    Element {
        owner: name.clone(),
        feature: None,
        parameter: None,
        qualifier: None,
    }
}
