//! What names mean at a place of a query.

use std::sync::Arc;

use crate::model::{CimName, Class};

use super::super::ast::{Condition, Operand};
use super::super::error::{Fault, Located};
use super::super::language::Language;
use super::shape::Shape;

/// Where a query finds the classes that it names.
pub trait Classes {
    /// The class of that name, in any case.
    fn class(&self, name: &CimName) -> Option<Arc<Class>>;
    /// The subclasses of a class, at every depth.
    fn subclasses(&self, name: &CimName) -> Vec<Arc<Class>>;
}

/// The object that a query is about.
#[derive(Debug, Clone)]
pub(in crate::query) struct Object {
    /// Its class or a superclass of it; `None` when it may be of any class.
    pub class: Option<Arc<Class>>,
    /// The names that the query calls it by.
    pub names: Vec<CimName>,
}

/// What a path of one name stands for.
pub(in crate::query) enum Named {
    Object,
    Property(CimName),
}

/// Looks names up for one query.
pub(in crate::query) struct Resolver<'a> {
    pub language: Language,
    pub classes: &'a dyn Classes,
    pub object: Object,
    /// The classes that embedded objects have where the query holds, by property.
    pub(super) known: Vec<(CimName, Arc<Class>)>,
    /// The entries that quantifiers around are at, outermost first; short forms give no name.
    pub(super) entries: Vec<(Option<CimName>, Shape)>,
    pub(super) patterns: usize,
    /// The properties of the object that were named.
    pub used: Vec<CimName>,
    /// Whether the object was named as a whole.
    pub used_whole: bool,
}

impl<'a> Resolver<'a> {
    pub fn new(language: Language, classes: &'a dyn Classes, object: Object) -> Self {
        Self {
            language,
            classes,
            object,
            known: Vec::new(),
            entries: Vec::new(),
            patterns: 0,
            used: Vec::new(),
            used_whole: false,
        }
    }

    /// The class `name`, written at `at`.
    pub fn class(&self, name: &CimName, at: usize) -> Result<Arc<Class>, Located> {
        let class = self.classes.class(name);
        class.ok_or_else(|| Fault::Class(name.clone()).at(at))
    }

    /// Whether `name` is the object and not a property of it.
    pub(super) fn names_object(&self, name: &CimName) -> bool {
        let property = |class: &Arc<Class>| class.properties.contains(name.as_str());
        self.object.names.contains(name) && !self.object.class.as_ref().is_some_and(property)
    }

    /// The `ISA` that must hold for `condition` to hold: pairs of a property (`None` for the object
    /// itself) and a class.
    fn must_be(&self, condition: &Condition) -> Vec<(Option<CimName>, CimName)> {
        let parts = conjuncts(condition);
        parts
            .into_iter()
            .filter_map(|part| match part {
                Condition::Isa { operand, class, .. } => {
                    let property = match self.single(operand)? {
                        Named::Object => None,
                        Named::Property(name) => Some(name),
                    };
                    Some((property, class.clone()))
                }
                _ => None,
            })
            .collect()
    }

    /// The classes to one of which an object embedded in one of `properties` must belong for
    /// `condition` to hold; `None` where it may be of any class. The properties hold objects of the same
    /// class.
    pub fn one_of(&self, properties: &[CimName], condition: &Condition) -> Option<Vec<CimName>> {
        let one = |class: Option<&CimName>| class.map(|class| vec![class.clone()]);
        match condition {
            Condition::Isa { operand, class, .. } => match self.single(operand)? {
                Named::Property(name) => one(properties.contains(&name).then_some(class)),
                Named::Object => None,
            },
            // What a class has not is NULL, and nothing that is compared with NULL holds.
            Condition::Compare { left, right, .. } => {
                let scope = |side| self.scope(properties, side);
                one(scope(left).or_else(|| scope(right)))
            }
            Condition::Like { operand, .. } => one(self.scope(properties, operand)),
            Condition::And(parts) => {
                let known = parts
                    .iter()
                    .filter_map(|part| self.one_of(properties, part));
                known.min_by_key(Vec::len)
            }
            Condition::Or(parts) => {
                let parts = parts.iter().map(|part| self.one_of(properties, part));
                let mut all: Vec<CimName> = Vec::new();
                for class in parts.collect::<Option<Vec<_>>>()?.into_iter().flatten() {
                    if !all.contains(&class) {
                        all.push(class);
                    }
                }
                Some(all)
            }
            Condition::Not(_)
            | Condition::Is { .. }
            | Condition::IsNull { .. }
            | Condition::Quantified { .. }
            | Condition::Holds(_) => None,
        }
    }

    /// `Class` of `property.Class::name`, where that property is one of `properties`.
    fn scope<'o>(&self, properties: &[CimName], operand: &'o Operand) -> Option<&'o CimName> {
        let Operand::Path(path) = operand else {
            return None;
        };
        let steps = match path.0.as_slice() {
            [first, rest @ ..] if first.class.is_none() && self.names_object(&first.name) => rest,
            steps => steps,
        };
        match steps {
            [first, second, ..] if first.index.is_none() => {
                let is_one = properties.contains(&self.spelled(&first.name));
                second.class.as_ref().filter(|_| is_one)
            }
            _ => None,
        }
    }

    /// The object or the property of it that `operand` is; `None` for anything else.
    pub fn single(&self, operand: &Operand) -> Option<Named> {
        let Operand::Path(path) = operand else {
            return None;
        };
        let steps = match path.0.as_slice() {
            [first, rest @ ..] if first.class.is_none() && self.names_object(&first.name) => rest,
            steps => steps,
        };
        match steps {
            [] => Some(Named::Object),
            [only] if only.index.is_none() => Some(Named::Property(self.spelled(&only.name))),
            _ => None,
        }
    }

    /// Remembers the classes of embedded objects before names are looked up.
    pub fn learn(&mut self, condition: &Condition) {
        for (property, class) in self.must_be(condition) {
            if let (Some(property), Some(class)) = (property, self.classes.class(&class)) {
                self.known.push((property, class));
            }
        }
    }

    /// WMI calls the instance that an indication is about TargetInstance.
    pub(super) fn spelled(&self, name: &CimName) -> CimName {
        let source = CimName::of("SourceInstance");
        let alias = self.language == Language::Wql && name.is("TargetInstance");
        let class = self.object.class.as_ref();
        if alias && class.is_some_and(|class| class.properties.contains(source.as_str())) {
            return source;
        }
        name.clone()
    }

    /// The class that the embedded object in `property` has wherever the query holds. The instance
    /// before a change has the class of the one after it.
    pub(super) fn known_class(&self, property: &CimName) -> Option<&Arc<Class>> {
        let same = |name: &CimName| {
            name == property || (property.is("PreviousInstance") && name.is("SourceInstance"))
        };
        let known = self.known.iter().find(|(name, _)| same(name));
        known.map(|(_, class)| class)
    }
}

/// The conditions all of which must hold for `condition` to hold.
pub(in crate::query) fn conjuncts(condition: &Condition) -> Vec<&Condition> {
    let mut found = Vec::new();
    let mut open = vec![condition];
    while let Some(condition) = open.pop() {
        match condition {
            Condition::And(parts) => open.extend(parts),
            other => found.push(other),
        }
    }
    found
}
