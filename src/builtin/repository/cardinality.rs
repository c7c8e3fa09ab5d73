//! `Max` and `Min` on references (DSP0004 2.8 §5.6.3): to how many objects a reference may lead for the same
//! other ends.
//!
//! A class that sets a limit speaks of its own instances and those of its subclasses: other associations
//! below the class that declares the reference do not count. An object is there before what refers to it,
//! and may go before it: a `Min` that is met must stay so as long as the other ends are there, and one that
//! is not yet met is no hindrance. So whatever was made can be deleted, first the objects.

use std::collections::HashMap;
use std::sync::Arc;

use crate::model::{
    CimError, CimName, CimType, CimValue, Class, Instance, Namespace, ObjectPath, Property,
};
use crate::schema::Schema;
use crate::store::{Batch, Trouble};

use super::rows::readable;
use super::{family, keys};

/// Instances read at a time.
const PAGE: usize = 256;

/// What a class sets for one of its references.
#[derive(Debug)]
pub(super) struct Limit {
    reference: CimName,
    /// Whose instances count.
    of: Arc<Class>,
    number: u64,
}

/// Refuses `new`, which has been added, when a reference leads to more objects then than a `Max` allows.
///
/// # Errors
/// `FAILED`, naming the reference and its `Max`; what keeps the store from being read.
pub fn check(
    batch: &Batch<'_>,
    new: &Instance,
    namespace: &Namespace,
    schema: &Schema,
) -> Result<(), Trouble> {
    for limit in limits(&new.class, "Max", schema) {
        let max = limit.number;
        let found = limit.count(batch, new, (namespace, schema), max)?;
        if found.is_some_and(|count| count > max) {
            return Err(broken(new, &limit, &format!("Max allows {max}")).into());
        }
    }
    Ok(())
}

/// Each `Min` that is met now with the help of `instance`, and whose other ends are there, as `is_there` says.
///
/// # Errors
/// What keeps the store from being read.
pub(super) fn met(
    batch: &Batch<'_>,
    instance: &Instance,
    (namespace, schema): (&Namespace, &Schema),
    is_there: impl Fn(&ObjectPath) -> Result<bool, Trouble>,
) -> Result<Vec<Limit>, Trouble> {
    let mut met = Vec::new();
    for limit in limits(&instance.class, "Min", schema) {
        let Some(enough) = limit.number.checked_sub(1) else {
            continue;
        };
        let others = references(instance).filter(|(other, _)| other.name != limit.reference);
        let mut is_needed = true;
        for other in others.filter_map(|(_, value)| value.as_reference()) {
            is_needed = is_needed && is_there(other)?;
        }
        let ground = (namespace, schema);
        if is_needed && limit.count(batch, instance, ground, enough)? > Some(enough) {
            met.push(limit);
        }
    }
    Ok(met)
}

/// Refuses that `lost` leads no longer where it led, when a `Min` is not met any more that was.
///
/// # Errors
/// `FAILED`, naming the reference and its `Min`; what keeps the store from being read.
pub(super) fn check_met(
    batch: &Batch<'_>,
    lost: &Instance,
    ground: (&Namespace, &Schema),
    met: &[Limit],
) -> Result<(), Trouble> {
    for limit in met {
        let min = limit.number;
        let found = limit.count(batch, lost, ground, min - 1)?;
        if found.is_some_and(|count| count < min) {
            return Err(broken(lost, limit, &format!("Min wants {min}")).into());
        }
    }
    Ok(())
}

/// Whether the two lead to the same objects.
pub(super) fn leads_alike(one: &Instance, other: &Instance) -> bool {
    references(one).eq(references(other))
}

/// The limits that `class` and the classes above it set by `qualifier`.
fn limits(class: &Arc<Class>, qualifier: &str, schema: &Schema) -> Vec<Limit> {
    let mut limits: Vec<Limit> = Vec::new();
    for reference in references_of(class) {
        let above = class.ancestors.iter();
        let above = above.filter_map(|name| schema.class(name.as_str()));
        let mut last = None;
        for of in std::iter::once(class).chain(above) {
            let property = of.properties.get(reference.name.as_str());
            let number = property.and_then(|property| number(property, qualifier));
            match (number, limits.last_mut()) {
                // The same limit, of a class further up, which is the one that set it.
                (Some(number), Some(limit)) if last == Some(number) => limit.of = of.clone(),
                (Some(number), _) => limits.push(Limit {
                    reference: reference.name.clone(),
                    of: of.clone(),
                    number,
                }),
                (None, _) => {}
            }
            last = number;
        }
    }
    limits
}

fn number(property: &Property, qualifier: &str) -> Option<u64> {
    let number = property.qualifiers.get(qualifier)?.value.as_integer()?;
    u64::try_from(number).ok()
}

impl Limit {
    /// To how many objects the reference leads in the instances that have the other ends of `like`, counted
    /// until there are more than `enough`; `None` where that is no question: without another end, or where
    /// the reference of `like` is NULL.
    fn count(
        &self,
        batch: &Batch<'_>,
        like: &Instance,
        (namespace, schema): (&Namespace, &Schema),
        enough: u64,
    ) -> Result<Option<u64>, Trouble> {
        let ends = |instance: &Instance| Ends::of(instance, &self.reference, namespace, schema);
        let Some(like) = ends(like) else {
            return Ok(None);
        };
        let Some((_, other)) = like.others.first() else {
            return Ok(None);
        };
        let classes = family(&self.of, schema);
        let namespace_key = namespace.folded();
        let place = (&*namespace_key, &*other.target);
        let world = World {
            batch,
            namespace: &namespace_key,
            schema,
        };
        let (mut objects, mut after) = (Objects::default(), 0);
        loop {
            let rows = batch.referring(place, &classes, after, PAGE)?;
            for row in &rows {
                after = row.id;
                // One that cannot be read leads nowhere, and is no reason to refuse another.
                let there = readable(row.view(), schema).and_then(|it| ends(&it));
                let Some(there) = there else { continue };
                if there.have_others_of(&like, &world)? {
                    objects.add(there.own, &world)?;
                }
                if objects.count > enough {
                    break;
                }
            }
            if objects.count > enough || rows.is_empty() {
                return Ok(Some(objects.count));
            }
        }
    }
}

/// Where an instance leads, seen from one of its references.
struct Ends {
    own: End,
    /// The others, by their names.
    others: Vec<(String, End)>,
}

/// An object as a reference names it.
struct End {
    target: String,
    class: CimName,
}

impl Ends {
    /// `None` where `reference` leads nowhere.
    fn of(
        instance: &Instance,
        reference: &CimName,
        namespace: &Namespace,
        schema: &Schema,
    ) -> Option<Self> {
        let end = |value: &CimValue| {
            let path = value.as_reference()?;
            let target = keys::referred(path, namespace, schema)?;
            let class = path.class.clone();
            Some(End { target, class })
        };
        let own = end(instance.value(reference.as_str()))?;
        let others = references(instance).filter(|(other, _)| other.name != *reference);
        let others = others.filter_map(|(other, value)| Some((other.name.folded(), end(value)?)));
        let mut others: Vec<_> = others.collect();
        others.sort_by(|(one, _), (other, _)| one.cmp(other));
        Some(Self { own, others })
    }

    fn have_others_of(&self, like: &Self, world: &World<'_>) -> Result<bool, Trouble> {
        if self.others.len() != like.others.len() {
            return Ok(false);
        }
        for ((name, own), (other_name, other)) in self.others.iter().zip(&like.others) {
            if name != other_name || !world.are_same(own, other)? {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

/// What objects there are.
struct World<'a> {
    batch: &'a Batch<'a>,
    namespace: &'a str,
    schema: &'a Schema,
}

impl World<'_> {
    fn are_same(&self, one: &End, other: &End) -> Result<bool, Trouble> {
        Ok(one.target == other.target
            && (one.class == other.class || self.made_of(one)? == self.made_of(other)?))
    }

    /// The class that the object was made of, in lower case: a reference may name one above it. That of an
    /// object that is not there, or not here, is the class that is named.
    fn made_of(&self, end: &End) -> Result<String, Trouble> {
        let named = end.class.folded();
        let keys = end.target.strip_prefix(self.namespace);
        let keys = keys.and_then(|keys| keys.strip_prefix(':'));
        let (Some(keys), Some(class)) = (keys, self.schema.class(&named)) else {
            return Ok(named);
        };
        let made_of = |classes: &[String]| self.batch.class_of((self.namespace, keys), classes);
        if let Some(class) = made_of(std::slice::from_ref(&named))? {
            return Ok(class);
        }
        Ok(made_of(&family(class, self.schema))?.unwrap_or(named))
    }
}

/// Different objects.
#[derive(Default)]
struct Objects {
    by_target: HashMap<String, Vec<End>>,
    count: u64,
}

impl Objects {
    fn add(&mut self, end: End, world: &World<'_>) -> Result<(), Trouble> {
        let alike = self.by_target.entry(end.target.clone()).or_default();
        for other in &*alike {
            if world.are_same(other, &end)? {
                return Ok(());
            }
        }
        alike.push(end);
        self.count += 1;
        Ok(())
    }
}

fn broken(instance: &Instance, limit: &Limit, rule: &str) -> CimError {
    CimError::failed(format!(
        "{}.{}: {rule} for the same other ends",
        instance.class.name, limit.reference
    ))
}

fn references_of(class: &Class) -> impl Iterator<Item = &Property> {
    let all = class.properties.values().map(AsRef::as_ref);
    all.filter(|property: &&Property| property.slot.ty == CimType::Reference)
}

fn references(instance: &Instance) -> impl Iterator<Item = (&Property, &CimValue)> {
    let all = instance.iter();
    all.filter(|(property, _)| property.slot.ty == CimType::Reference)
}
