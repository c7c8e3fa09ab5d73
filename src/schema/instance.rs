//! Instances and changes of instances from what clients wrote.

use std::sync::Arc;

use crate::model::{
    ArrayKind, CimError, CimName, CimType, CimValue, Class, ClassKind, Embedding, Instance,
    InstanceDecl, Literal, NameMap, Property, PropertyValue, Result, Slot,
};

use super::Schema;
use super::arguments::parameter_object;
use super::input::{Claims, given_once};

/// What the names of classes begin with that no schema declares (DSP0004 reserves it).
const UNDECLARED: &str = "__";

impl Schema {
    /// A new instance as a client wrote it: every property exists, is of declared type and keeps
    /// its rules; properties that were not given have the default of their class, an explicit NULL
    /// stays NULL. Keys may be NULL, because a server may assign them.
    ///
    /// # Errors
    /// `INVALID_CLASS` for an unknown class, `NOT_SUPPORTED` for one that has no instances of its
    /// own, else `INVALID_PARAMETER` naming property, rule, limit and value.
    pub fn instance(&self, decl: &InstanceDecl) -> Result<Instance> {
        let class = self.known_class(&decl.class)?;
        creatable(class)?;
        let mut instance = Instance::of_defaults(class.clone());
        self.give(&mut instance, decl, 0, required)?;
        Ok(instance)
    }

    /// An embedded instance: it needs neither keys nor Required properties, and its class may be
    /// a structure or an indication.
    pub(super) fn embedded_instance(&self, decl: &InstanceDecl, depth: usize) -> Result<Instance> {
        let unknown = || {
            let text = format!(
                "the class {} of an embedded instance does not exist",
                decl.class
            );
            CimError::invalid_parameter(text)
        };
        let class = self.class(decl.class.as_str()).ok_or_else(unknown)?;
        let mut instance = Instance::empty(class.clone());
        self.give(&mut instance, decl, depth, |_, _| Ok(()))?;
        Ok(instance)
    }

    /// Gives `instance` what was written. The first fault in the order of declaration is told, but
    /// that a property does not exist comes before what is wrong with another one's value.
    fn give(
        &self,
        instance: &mut Instance,
        decl: &InstanceDecl,
        depth: usize,
        rule: fn(&Property, &CimValue) -> Result<(), &'static str>,
    ) -> Result<()> {
        given_once(&decl.properties)?;
        let class = instance.class.clone();
        let stranger = decl
            .properties
            .iter()
            .find(|p| !class.properties.contains(p.name.as_str()));
        if let Some(stranger) = stranger {
            return Err(no_such_property(&class, &stranger.name));
        }
        for property in class.properties.values() {
            let name = property.name.as_str();
            if let Some(given) = decl.get(name) {
                let (_, value) = self.value_of(&class, given, depth)?;
                instance.set(name, value)?;
            }
            rule(property, instance.value(name))
                .map_err(|fault| broken(&class, property, fault))?;
        }
        Ok(())
    }

    fn value_of(
        &self,
        class: &Class,
        given: &PropertyValue,
        depth: usize,
    ) -> Result<(CimName, CimValue)> {
        let unknown = || no_such_property(class, &given.name);
        let property = class
            .properties
            .get(given.name.as_str())
            .ok_or_else(unknown)?;
        let name = format!("{}.{}", class.name, property.name);
        let value = self.input(&name, given, &property.slot, Claims::Exact, depth)?;
        Ok((property.name.clone(), value))
    }

    /// The values that a ModifyInstance gives (DSP0200 1.4 §5.4.2.8): those of `list`, or all that
    /// were written; a listed one that was not written takes its default.
    ///
    /// Whether they may be written is not judged here: a value that is no change may always be
    /// sent.
    ///
    /// # Errors
    /// `INVALID_PARAMETER` for an unknown property or a value that its declaration does not allow.
    pub fn changes(
        &self,
        class: &Class,
        decl: &InstanceDecl,
        list: Option<&[CimName]>,
    ) -> Result<NameMap<CimValue>> {
        given_once(&decl.properties)?;
        let listed = |name: &CimName| list.is_none_or(|list| list.contains(name));
        let mut changes = NameMap::new();
        for given in decl.properties.iter().filter(|given| listed(&given.name)) {
            let (name, value) = match self.read_back(class, given)? {
                Some(same) => same,
                None => self.value_of(class, given, 0)?,
            };
            changes.insert(name, value);
        }
        for name in list.unwrap_or_default() {
            let unknown = || no_such_property(class, name);
            let property = class.properties.get(name.as_str()).ok_or_else(unknown)?;
            if !changes.contains(name.as_str()) {
                changes.insert(property.name.clone(), property.default.clone());
            }
        }
        for (property, value) in class.properties.values().filter_map(|property| {
            let value = changes.get(property.name.as_str())?;
            Some((property, value))
        }) {
            kept(property, value).map_err(|fault| broken(class, property, fault))?;
        }
        Ok(changes)
    }

    /// An object of a class that no schema declares, such as `JobInParameters` holds, in a property
    /// that clients cannot write: they were given it, and may send it back as it is.
    fn read_back(
        &self,
        class: &Class,
        given: &PropertyValue,
    ) -> Result<Option<(CimName, CimValue)>> {
        let property = class.properties.get(given.name.as_str());
        let property = property.filter(|property| {
            !property.write && property.slot.embedding == Some(Embedding::Object)
        });
        let (Some(property), Literal::Instance(decl)) = (property, &given.value) else {
            return Ok(None);
        };
        let undeclared = decl.class.as_str().starts_with(UNDECLARED);
        if given.is_array || !undeclared || self.class(decl.class.as_str()).is_some() {
            return Ok(None);
        }
        given_once(&decl.properties)?;
        let slots: Vec<(CimName, Slot)> = decl.properties.iter().map(written_slot).collect();
        let places = slots.iter().map(|(name, slot)| (name.clone(), slot));
        let mut object = parameter_object(decl.class.clone(), places);
        for (given, (name, slot)) in decl.properties.iter().zip(&slots) {
            let value = self.input(name, given, slot, Claims::Exact, 1)?;
            object.set(name.as_str(), value)?;
        }
        let value = CimValue::Instance(Box::new(object));
        Ok(Some((property.name.clone(), value)))
    }

    /// The class `name`.
    ///
    /// # Errors
    /// `INVALID_CLASS`.
    pub fn known_class(&self, name: &CimName) -> Result<&Arc<Class>> {
        let unknown = || CimError::invalid_class(format!("the class {name} does not exist"));
        self.class_named(name).ok_or_else(unknown)
    }
}

/// `Required` on a new instance; keys may still be assigned.
fn required(property: &Property, value: &CimValue) -> Result<(), &'static str> {
    if property.required && !property.key && value.is_null() {
        return Err("Required asks for a value");
    }
    shared(property, value)
}

/// `Required` on a changed one.
fn kept(property: &Property, value: &CimValue) -> Result<(), &'static str> {
    if property.required && value.is_null() {
        return Err("Required asks for a value");
    }
    shared(property, value)
}

/// The place that a value of an undeclared class was written for.
fn written_slot(given: &PropertyValue) -> (CimName, Slot) {
    let is_embedded = |value: &Literal| matches!(value, Literal::Instance(_));
    let embedded = match &given.value {
        Literal::Array(entries) => entries.iter().any(is_embedded),
        value => is_embedded(value),
    };
    let slot = Slot {
        ty: given.ty.unwrap_or(CimType::String),
        is_array: given.is_array,
        array_kind: ArrayKind::Ordered,
        array_size: None,
        reference_class: None,
        embedding: embedded.then_some(Embedding::Object),
        checks: Box::default(),
    };
    (given.name.clone(), slot)
}

/// A `Static` property has one value for the whole class, which is the default that the class
/// declares: an instance cannot have another one.
pub(super) fn shared(property: &Property, value: &CimValue) -> Result<(), &'static str> {
    let is_static = property.qualifiers.get("Static");
    let is_static = is_static.and_then(|qualifier| qualifier.value.as_bool()) == Some(true);
    if is_static && !property.slot.same(value, &property.default) {
        return Err("Static leaves it the default of the class, one value for all instances");
    }
    Ok(())
}

fn broken(class: &Class, property: &Property, fault: &str) -> CimError {
    CimError::invalid_parameter(format!("{}.{}: {fault}", class.name, property.name))
}

fn no_such_property(class: &Class, name: &CimName) -> CimError {
    CimError::invalid_parameter(format!("{}.{name}: there is no such property", class.name))
}

/// DSP0004 2.8: abstract classes, indications and structures have no addressable instances.
pub(super) fn creatable(class: &Class) -> Result<()> {
    let name = &class.name;
    let what = match (class.is_abstract, class.kind) {
        (true, _) => "an abstract class",
        (false, ClassKind::Indication) => "an indication",
        (false, ClassKind::Structure) => "a structure",
        (false, ClassKind::Ordinary | ClassKind::Association) => return Ok(()),
    };
    Err(CimError::not_supported(format!(
        "{name} is {what}; it has no instances of its own"
    )))
}
