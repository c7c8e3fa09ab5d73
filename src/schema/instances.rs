//! Declared instances to instances: all of them or every fault of every one.
//!
//! A client that creates an instance is told its first fault; who compiles a text wants all of them.
//! The path of an instance depends on its keys alone, so instances may refer to one another in a
//! circle unless keys are part of it.

use std::collections::{HashMap, HashSet};

use crate::model::{
    CimName, CimType, CimValue, Class, Instance, Literal, ObjectPath, Property, PropertyValue,
    ValueError,
};

use super::declared::{Declared, Embed, InstanceFault, InstanceFaultKind, Reference};
use super::input::EMBEDDING_LIMIT;
use super::instance::{creatable, shared};

/// How many instances aliases may embed in others, all of a call together: each is a copy.
const COPIES_LIMIT: usize = 100_000;
/// How many links are followed to tell which instances stand in a circle; the first one is found.
const STEPS_LIMIT: usize = 1_000_000;

/// What comes of declarations, each thing with the index of its declaration.
pub type Numbered<T, E> = Result<Vec<(usize, T)>, Vec<(usize, E)>>;

/// The instances that declarations mean, each with the index of its declaration.
///
/// A property that is not given has the default of its class, one that is given as NULL is NULL;
/// keys have values. An alias may be used before the instance that has it. An instance that can only
/// be embedded, and is by its alias, is not among the result.
///
/// # Errors
/// All faults with the index of the declaration, in order; what only follows from a fault of another
/// declaration is left out.
pub fn declared_instances(
    all: &[Declared<'_>],
    embed: Embed<'_>,
) -> Numbered<Instance, InstanceFault> {
    let mut work = Work::new(all, embed);
    for at in work.in_order(Use::Key) {
        work.make(at);
    }
    for at in 0..all.len() {
        work.fill(at, Use::Path);
    }
    for at in work.in_order(Use::Embedded) {
        work.fill(at, Use::Embedded);
    }
    work.duplicates();
    work.finish()
}

/// What an alias stands for, where it is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Use {
    /// A path that is part of the user's own.
    Key,
    /// A path.
    Path,
    /// The instance itself.
    Embedded,
}

/// One alias in a value.
struct Link {
    /// Index of the property in the declaration.
    property: usize,
    /// The declaration that has the alias.
    target: usize,
    kind: Use,
}

struct Work<'a> {
    all: &'a [Declared<'a>],
    aliases: HashMap<&'a CimName, usize>,
    embed: Embed<'a>,
    links: Vec<Vec<Link>>,
    /// What was made so far. One with a fault stays `None`, or is told to be faulty below.
    made: Vec<Option<Instance>>,
    faulty: Vec<bool>,
    /// Instances that exist in others alone.
    only_embedded: Vec<bool>,
    /// How many instances each one holds, with itself.
    sizes: Vec<usize>,
    copies: usize,
    /// Whether each one stands in a circle of the links that were sorted last, or behind one.
    circular: Vec<bool>,
    /// How many links are still followed to tell who stands in a circle.
    steps_left: usize,
    faults: Vec<(usize, InstanceFault)>,
}

impl<'a> Work<'a> {
    fn new(all: &'a [Declared<'a>], embed: Embed<'a>) -> Self {
        let mut aliases = HashMap::new();
        for (at, declared) in all.iter().enumerate() {
            if let Some(alias) = declared.alias {
                aliases.entry(alias).or_insert(at);
            }
        }
        let links: Vec<Vec<Link>> = all.iter().map(|one| links(one, &aliases)).collect();
        let embedded = links
            .iter()
            .flatten()
            .filter(|link| link.kind == Use::Embedded);
        let embedded: HashSet<usize> = embedded.map(|link| link.target).collect();
        let alone = |(at, one): (usize, &Declared<'_>)| {
            let class = one.schema.class(one.decl.class.as_str());
            embedded.contains(&at) && class.is_some_and(|class| creatable(class).is_err())
        };
        Self {
            only_embedded: all.iter().enumerate().map(alone).collect(),
            made: all.iter().map(|_| None).collect(),
            faulty: vec![false; all.len()],
            sizes: vec![1; all.len()],
            copies: 0,
            circular: vec![false; all.len()],
            steps_left: STEPS_LIMIT,
            faults: Vec::new(),
            all,
            aliases,
            embed,
            links,
        }
    }

    fn fault(&mut self, at: usize, property: Option<usize>, kind: InstanceFaultKind) {
        self.faulty[at] = true;
        self.faults.push((at, InstanceFault { property, kind }));
    }

    /// The declarations, each behind those that it links to in this way; what stands in a circle, or
    /// behind one, comes last.
    fn in_order(&mut self, kind: Use) -> Vec<usize> {
        let count = self.all.len();
        let (mut unmet, mut users) = (vec![0_usize; count], vec![Vec::new(); count]);
        for (at, links) in self.links.iter().enumerate() {
            for link in links.iter().filter(|link| link.kind == kind) {
                unmet[at] += 1;
                users[link.target].push(at);
            }
        }
        let mut order: Vec<usize> = (0..count).filter(|at| unmet[*at] == 0).collect();
        let mut next = 0;
        while let Some(at) = order.get(next).copied() {
            next += 1;
            for user in &users[at] {
                unmet[*user] -= 1;
                if unmet[*user] == 0 {
                    order.push(*user);
                }
            }
        }
        self.circular = unmet.iter().map(|unmet| *unmet > 0).collect();
        order.extend((0..count).filter(|at| unmet[*at] > 0));
        order
    }

    /// Whether links of this kind lead from `from` to `to`.
    fn leads(&mut self, from: usize, to: usize, kind: Use) -> bool {
        let (mut seen, mut open) = (HashSet::from([from]), vec![from]);
        while let Some(at) = open.pop() {
            if at == to {
                return true;
            }
            for link in self.links[at].iter().filter(|link| link.kind == kind) {
                let Some(left) = self.steps_left.checked_sub(1) else {
                    return false;
                };
                self.steps_left = left;
                if seen.insert(link.target) {
                    open.push(link.target);
                }
            }
        }
        false
    }

    /// Makes an instance with everything but what aliases stand for outside its keys.
    fn make(&mut self, at: usize) {
        let declared = &self.all[at];
        let Some(class) = declared.schema.class(declared.decl.class.as_str()) else {
            let kind = InstanceFaultKind::UnknownClass(declared.decl.class.clone());
            return self.fault(at, None, kind);
        };
        if let (Err(error), false) = (creatable(class), self.only_embedded[at]) {
            let text = error.description.clone();
            self.fault(at, None, InstanceFaultKind::NotCreatable(text));
        }
        let mut instance = if self.only_embedded[at] {
            Instance::empty(class.clone())
        } else {
            Instance::of_defaults(class.clone())
        };
        let mut given: HashMap<&CimName, usize> = HashMap::new();
        for (index, value) in declared.decl.properties.iter().enumerate() {
            let property = value.name.clone();
            if let Some(first) = given.insert(&value.name, index) {
                let kind = InstanceFaultKind::GivenTwice { property, first };
                self.fault(at, Some(index), kind);
            } else if !class.properties.contains(property.as_str()) {
                let class = class.name.clone();
                let kind = InstanceFaultKind::UnknownProperty { class, property };
                self.fault(at, Some(index), kind);
            } else if !self.is_later(at, index) {
                self.give(at, index, &mut instance);
            }
        }
        if !self.only_embedded[at] {
            let silent = |property: &Property| {
                let index = given.get(&property.name);
                index.is_none_or(|at| {
                    is_null(&declared.decl.properties[*at], &declared.references, *at)
                })
            };
            for kind in missing(class, &instance, silent) {
                self.fault(at, None, kind);
            }
        }
        self.made[at] = Some(instance);
    }

    /// Whether a value waits for the paths of all instances.
    fn is_later(&self, at: usize, index: usize) -> bool {
        let mut links = self.links[at].iter();
        links.any(|link| link.property == index && link.kind != Use::Key)
    }

    /// Gives an instance its values that are aliases used in this way.
    fn fill(&mut self, at: usize, kind: Use) {
        let of_kind = self.links[at].iter().filter(|link| link.kind == kind);
        let indexes: Vec<usize> = of_kind.map(|link| link.property).collect();
        let Some(mut instance) = self.made[at].take() else {
            return;
        };
        let mut done = HashSet::new();
        for index in indexes.into_iter().filter(|index| done.insert(*index)) {
            self.give(at, index, &mut instance);
        }
        self.made[at] = Some(instance);
    }

    /// Gives `instance` the value at `index` of its declaration.
    fn give(&mut self, at: usize, index: usize, instance: &mut Instance) {
        let given = &self.all[at].decl.properties[index];
        let class = instance.class.clone();
        let Some(property) = class.properties.get(given.name.as_str()) else {
            return;
        };
        let outcome = self.value(at, index, given, property);
        let value = match outcome {
            Ok(Some(value)) => value,
            // It only follows from a fault of another declaration.
            Ok(None) => {
                self.faulty[at] = true;
                return;
            }
            Err(kind) => return self.fault(at, Some(index), kind),
        };
        let name = property.name.clone();
        if let Err(violation) = property.slot.accepts(&value) {
            let kind = InstanceFaultKind::Rule {
                property: name,
                violation,
            };
            return self.fault(at, Some(index), kind);
        }
        if shared(property, &value).is_err() {
            let kind = InstanceFaultKind::Static { property: name };
            return self.fault(at, Some(index), kind);
        }
        instance
            .set(property.name.as_str(), value)
            .expect("the slot accepts the value");
    }

    /// What was written, as a value of the type of `property`; `None` when another fault is in the way.
    fn value(
        &mut self,
        at: usize,
        index: usize,
        given: &PropertyValue,
        property: &Property,
    ) -> Result<Option<CimValue>, InstanceFaultKind> {
        let declared = &self.all[at];
        let of_value = declared.references.iter();
        let of_value: Vec<Reference<'_>> = of_value
            .filter(|reference| reference.property == index)
            .copied()
            .collect();
        let wrong = |error| InstanceFaultKind::Type {
            property: property.name.clone(),
            error,
        };
        let alias = |entry: Option<usize>| {
            let found = of_value.iter().find(|reference| reference.entry == entry);
            found.map(|reference| reference.alias)
        };
        match (&given.value, property.slot.is_array) {
            (Literal::Array(_), false) => Err(wrong(ValueError::NotAnArray)),
            (Literal::Null, true) if alias(None).is_none() => Ok(Some(CimValue::Null)),
            (Literal::Array(entries), true) => {
                let mut values = Vec::with_capacity(entries.len());
                for (entry, literal) in entries.iter().enumerate() {
                    match self.scalar(at, literal, alias(Some(entry)), property)? {
                        Some(value) => values.push(value),
                        None => return Ok(None),
                    }
                }
                Ok(Some(CimValue::Array(values)))
            }
            (_, true) => Err(wrong(ValueError::IsAnArray)),
            (literal, false) => self.scalar(at, literal, alias(None), property),
        }
    }

    fn scalar(
        &mut self,
        at: usize,
        literal: &Literal,
        alias: Option<&CimName>,
        property: &Property,
    ) -> Result<Option<CimValue>, InstanceFaultKind> {
        if let Some(alias) = alias {
            return self.named(at, alias, property);
        }
        let slot = &property.slot;
        if slot.embedding.is_some() {
            return self.embedded(at, literal, property).map(Some);
        }
        let value = literal.resolve(slot.ty, false);
        let value = value.map_err(|error| InstanceFaultKind::Type {
            property: property.name.clone(),
            error,
        })?;
        match value {
            CimValue::Reference(path) => self.reference(at, *path, property).map(Some),
            value => Ok(Some(value)),
        }
    }

    /// What the alias stands for in a value of `property`.
    fn named(
        &mut self,
        at: usize,
        alias: &CimName,
        property: &Property,
    ) -> Result<Option<CimValue>, InstanceFaultKind> {
        let unknown = || InstanceFaultKind::UnknownAlias(alias.clone());
        let target = *self.aliases.get(alias).ok_or_else(unknown)?;
        let Some(kind) = use_of(property) else {
            let (value, ty) = (format!("the alias ${alias}"), property.slot.ty);
            let error = ValueError::Kind { value, ty };
            let property = property.name.clone();
            return Err(InstanceFaultKind::Type { property, error });
        };
        if kind != Use::Path && self.circular[target] && self.leads(target, at, kind) {
            return Err(InstanceFaultKind::AliasCycle(alias.clone()));
        }
        if kind != Use::Embedded && self.only_embedded[target] {
            return Err(InstanceFaultKind::ReferencePath {
                property: property.name.clone(),
                reason: format!(
                    "${alias} has no path, since its class has no instances of its own"
                ),
            });
        }
        let Some(instance) = self.made[target].as_ref().filter(|_| !self.faulty[target]) else {
            return Ok(None);
        };
        if kind == Use::Embedded {
            let size = self.sizes[target];
            self.copies = self.copies.saturating_add(size);
            self.sizes[at] = self.sizes[at].saturating_add(size);
            if self.copies > COPIES_LIMIT {
                let property = property.name.clone();
                let reason = format!("more than {COPIES_LIMIT} instances are embedded by aliases");
                return Err(InstanceFaultKind::Embedded { property, reason });
            }
            return Ok(Some(CimValue::Instance(Box::new(instance.clone()))));
        }
        let path = instance.path(self.all[target].namespace);
        fits(&instance.class, property)?;
        Ok(Some(CimValue::Reference(Box::new(path.into()))))
    }

    /// A path that was written as text: one into this namespace leads to a class that fits, with keys
    /// that are its keys. What other namespaces and hosts have is not known here.
    fn reference(
        &self,
        at: usize,
        path: ObjectPath,
        property: &Property,
    ) -> Result<CimValue, InstanceFaultKind> {
        let declared = &self.all[at];
        let elsewhere = path.namespace.as_ref();
        let elsewhere = elsewhere.is_some_and(|namespace| namespace != declared.namespace);
        if elsewhere || path.host.is_some() {
            return Ok(CimValue::Reference(Box::new(path)));
        }
        let bad = |reason: String| InstanceFaultKind::ReferencePath {
            property: property.name.clone(),
            reason,
        };
        let unknown = || InstanceFaultKind::UnknownClass(path.class.clone());
        let class = declared.schema.class(path.class.as_str());
        fits(class.ok_or_else(unknown)?, property)?;
        let path = declared.schema.instance_path(declared.namespace, &path);
        let path = path.map_err(|error| bad(error.description.clone()))?;
        Ok(CimValue::Reference(Box::new(path.into())))
    }

    /// An embedded object: its text, or what CIM-XML made of it.
    fn embedded(
        &self,
        at: usize,
        literal: &Literal,
        property: &Property,
    ) -> Result<CimValue, InstanceFaultKind> {
        let bad = |reason| InstanceFaultKind::Embedded {
            property: property.name.clone(),
            reason,
        };
        let literal = self.read(at, literal, 0).map_err(bad)?;
        let schema = self.all[at].schema;
        let value = schema.embedded(&property.name, &literal, false, 0);
        value.map_err(|error| bad(error.description.clone()))
    }

    /// The literal with the texts of embedded objects read, at every depth.
    fn read(&self, at: usize, literal: &Literal, depth: usize) -> Result<Literal, String> {
        let mut decl = match literal {
            Literal::Quoted(text) => (self.embed)(text)?,
            Literal::Instance(decl) => (**decl).clone(),
            other => return Ok(other.clone()),
        };
        if depth >= EMBEDDING_LIMIT {
            return Err("instances are embedded too deep".to_owned());
        }
        let class = self.all[at].schema.class(decl.class.as_str());
        for given in &mut decl.properties {
            let property = class.and_then(|class| class.properties.get(given.name.as_str()));
            if property.is_some_and(|property| property.slot.embedding.is_some()) {
                given.value = match &given.value {
                    Literal::Array(entries) => {
                        let entries = entries.iter().map(|entry| self.read(at, entry, depth + 1));
                        Literal::Array(entries.collect::<Result<_, _>>()?)
                    }
                    scalar => self.read(at, scalar, depth + 1)?,
                };
            }
        }
        Ok(Literal::Instance(Box::new(decl)))
    }

    /// Two sound instances cannot have one path.
    fn duplicates(&mut self) {
        let mut seen: HashMap<String, usize> = HashMap::new();
        for at in 0..self.all.len() {
            let Some(instance) = self.made[at].as_ref() else {
                continue;
            };
            if self.faulty[at] || self.only_embedded[at] {
                continue;
            }
            let path = instance.path(self.all[at].namespace);
            let (namespace, class) = (path.namespace.as_str().to_lowercase(), path.class.folded());
            let key = format!("{namespace}:{class}{}", path.keys);
            if let Some(first) = seen.get(&key).copied() {
                let path = path.to_string();
                self.fault(at, None, InstanceFaultKind::Duplicate { path, first });
            } else {
                seen.insert(key, at);
            }
        }
    }

    fn finish(mut self) -> Numbered<Instance, InstanceFault> {
        if !self.faults.is_empty() {
            self.faults.sort_by_key(|(at, fault)| (*at, fault.property));
            return Err(self.faults);
        }
        let made = self.made.into_iter().zip(&self.only_embedded).enumerate();
        let addressed = made.filter(|(_, (_, only_embedded))| !**only_embedded);
        let made = addressed.filter_map(|(at, (instance, _))| Some((at, instance?)));
        Ok(made.collect())
    }
}

/// What an alias stands for as a value of `property`; `None` where it can be none.
fn use_of(property: &Property) -> Option<Use> {
    let slot = &property.slot;
    match (slot.ty, property.key) {
        (CimType::Reference, true) => Some(Use::Key),
        (CimType::Reference, false) => Some(Use::Path),
        (_, _) => slot.embedding.is_some().then_some(Use::Embedded),
    }
}

fn links(declared: &Declared<'_>, aliases: &HashMap<&CimName, usize>) -> Vec<Link> {
    let class = declared.schema.class(declared.decl.class.as_str());
    let link = |reference: &Reference<'_>| {
        let name = &declared.decl.properties.get(reference.property)?.name;
        let property = class?.properties.get(name.as_str())?;
        Some(Link {
            property: reference.property,
            target: *aliases.get(reference.alias)?,
            kind: use_of(property)?,
        })
    };
    declared.references.iter().filter_map(link).collect()
}

/// Whether NULL was written, and no alias that NULL stands for.
fn is_null(given: &PropertyValue, references: &[Reference<'_>], index: usize) -> bool {
    let named = references
        .iter()
        .any(|reference| reference.property == index);
    given.value == Literal::Null && !named
}

/// A reference leads to the class that it names, or to a subclass.
fn fits(target: &Class, property: &Property) -> Result<(), InstanceFaultKind> {
    match &property.slot.reference_class {
        Some(declared) if !target.is_a(declared.as_str()) => {
            Err(InstanceFaultKind::ReferenceClass {
                property: property.name.clone(),
                declared: declared.clone(),
                given: target.name.clone(),
            })
        }
        Some(_) | None => Ok(()),
    }
}

/// Keys and Required properties for which nothing was written (`silent`) and no default stands.
fn missing(
    class: &Class,
    instance: &Instance,
    silent: impl Fn(&Property) -> bool,
) -> Vec<InstanceFaultKind> {
    let fault = |property: &Property| {
        if !instance.value(property.name.as_str()).is_null() || !silent(property) {
            return None;
        }
        let name = property.name.clone();
        match (property.key, property.required) {
            (true, _) => Some(InstanceFaultKind::MissingKey(name)),
            (false, true) => Some(InstanceFaultKind::MissingRequired(name)),
            (false, false) => None,
        }
    };
    let properties = class.properties.values();
    properties.filter_map(|property| fault(property)).collect()
}
