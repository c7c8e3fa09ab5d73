//! The order in which a one-pass compiler wants classes: what a class needs comes before it.

use std::collections::{BTreeSet, HashMap};

use crate::model::{CimName, ClassDecl, Literal, QualifierUse};

/// The indexes of `classes`, so that each comes after its superclass and, where no circle forbids
/// it, after the classes that its references and embedded instances name; else in the given order.
pub fn dependency_order(classes: &[ClassDecl]) -> Vec<usize> {
    let numbered = classes.iter().enumerate();
    let index: HashMap<&CimName, usize> = numbered.map(|(at, class)| (&class.name, at)).collect();
    let superclasses = classes.iter().map(|class| {
        let superclass = class.superclass.as_ref();
        superclass.and_then(|name| index.get(name).copied())
    });
    let mut order = Order {
        superclasses: superclasses.collect(),
        unmet: vec![0; classes.len()],
        users: vec![Vec::new(); classes.len()],
        ready: BTreeSet::new(),
        possible: BTreeSet::new(),
        left: (0..classes.len()).collect(),
        sorted: Vec::with_capacity(classes.len()),
    };
    for (at, class) in classes.iter().enumerate() {
        order.add(at, needs(class).iter().filter_map(|name| index.get(name)));
    }
    while let Some(next) = order.next() {
        order.take(next);
    }
    order.sorted
}

/// What is left to be sorted. Sets of indexes keep the given order.
struct Order {
    superclasses: Vec<Option<usize>>,
    /// How many of the classes that each one needs are not sorted yet.
    unmet: Vec<usize>,
    /// Which classes need each one.
    users: Vec<Vec<usize>>,
    /// The ones that miss nothing.
    ready: BTreeSet<usize>,
    /// The ones that miss no superclass.
    possible: BTreeSet<usize>,
    left: BTreeSet<usize>,
    sorted: Vec<usize>,
}

impl Order {
    fn add<'a>(&mut self, at: usize, needed: impl Iterator<Item = &'a usize>) {
        let needed: BTreeSet<usize> = needed.copied().filter(|other| *other != at).collect();
        self.unmet[at] = needed.len();
        if needed.is_empty() {
            self.ready.insert(at);
        }
        if self.superclasses[at].is_none() {
            self.possible.insert(at);
        }
        for other in needed {
            self.users[other].push(at);
        }
    }

    /// A circle is broken where only references are in the way; one of superclasses is nonsense,
    /// and broken anywhere.
    fn next(&self) -> Option<usize> {
        let sets = [&self.ready, &self.possible, &self.left];
        sets.into_iter().find_map(|set| set.first().copied())
    }

    fn take(&mut self, at: usize) {
        self.sorted.push(at);
        for set in [&mut self.ready, &mut self.possible, &mut self.left] {
            set.remove(&at);
        }
        for user in std::mem::take(&mut self.users[at]) {
            self.unmet[user] -= 1;
            if !self.left.contains(&user) {
                continue;
            }
            if self.unmet[user] == 0 {
                self.ready.insert(user);
            }
            if self.superclasses[user] == Some(at) {
                self.possible.insert(user);
            }
        }
    }
}

/// The classes that a declaration names.
fn needs(class: &ClassDecl) -> Vec<CimName> {
    let mut names: Vec<CimName> = class.superclass.iter().cloned().collect();
    let mut element = |reference: Option<&CimName>, uses: &[QualifierUse]| {
        names.extend(reference.cloned());
        names.extend(embedded(uses));
    };
    for property in &class.properties {
        element(property.ty.reference_class.as_ref(), &property.qualifiers);
    }
    for method in &class.methods {
        element(None, &method.qualifiers);
        for parameter in &method.parameters {
            element(parameter.ty.reference_class.as_ref(), &parameter.qualifiers);
        }
    }
    names
}

/// The class that `EmbeddedInstance` names.
fn embedded(uses: &[QualifierUse]) -> Option<CimName> {
    let used = uses.iter().find(|used| used.name.is("EmbeddedInstance"))?;
    match &used.value {
        Some(Literal::Quoted(name) | Literal::Text(name)) => CimName::new(name).ok(),
        Some(_) | None => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{CimType, PropertyDecl, TypeDecl};

    fn class(
        name: &'static str,
        superclass: Option<&'static str>,
        to: &[&'static str],
    ) -> ClassDecl {
        let property = |target: &&'static str| PropertyDecl {
            name: CimName::of("P"),
            ty: TypeDecl {
                reference_class: Some(CimName::of(target)),
                ..TypeDecl::scalar(CimType::Reference)
            },
            qualifiers: Vec::new(),
            default: None,
            origin: None,
            propagated: false,
        };
        ClassDecl {
            name: CimName::of(name),
            superclass: superclass.map(CimName::of),
            qualifiers: Vec::new(),
            properties: to.iter().map(property).collect(),
            methods: Vec::new(),
        }
    }

    #[test]
    fn superclasses_come_first_and_targets_where_they_can() {
        let cases = [
            (
                vec![class("B", Some("a"), &[]), class("A", None, &[])],
                vec![1, 0],
            ),
            (
                vec![class("A", None, &["B"]), class("B", None, &[])],
                vec![1, 0],
            ),
            // A refers to its own subclass.
            (
                vec![class("A", None, &["B"]), class("B", Some("A"), &[])],
                vec![0, 1],
            ),
            (
                vec![class("A", None, &["A", "X"]), class("B", None, &[])],
                vec![0, 1],
            ),
            (
                vec![class("A", Some("B"), &[]), class("B", Some("A"), &[])],
                vec![0, 1],
            ),
        ];
        for (classes, want) in cases {
            assert_eq!(dependency_order(&classes), want, "{classes:?}");
        }
    }
}
