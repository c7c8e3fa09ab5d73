//! Instances and changes of instances from what clients wrote.

use std::sync::Arc;

use crate::model::{
    CimError, CimName, CimValue, Class, ClassKind, Instance, InstanceDecl, NameMap, PropertyValue,
    Result,
};

use super::Schema;
use super::input::{Claims, given_once};

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
        let instance = self.filled(class, decl, 0)?;
        for property in class.properties.values().filter(|p| p.required && !p.key) {
            if instance.value(property.name.as_str()).is_null() {
                let name = &property.name;
                let text = format!("{}.{name}: Required asks for a value", class.name);
                return Err(CimError::invalid_parameter(text));
            }
        }
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
        self.give(&mut instance, decl, depth)?;
        Ok(instance)
    }

    fn filled(&self, class: &Arc<Class>, decl: &InstanceDecl, depth: usize) -> Result<Instance> {
        let mut instance = Instance::of_defaults(class.clone());
        self.give(&mut instance, decl, depth)?;
        Ok(instance)
    }

    fn give(&self, instance: &mut Instance, decl: &InstanceDecl, depth: usize) -> Result<()> {
        given_once(&decl.properties)?;
        for given in &decl.properties {
            let (name, value) = self.value_of(&instance.class.clone(), given, depth)?;
            instance.set(name.as_str(), value)?;
        }
        Ok(())
    }

    fn value_of(
        &self,
        class: &Class,
        given: &PropertyValue,
        depth: usize,
    ) -> Result<(CimName, CimValue)> {
        let name = format!("{}.{}", class.name, given.name);
        let unknown = || CimError::invalid_parameter(format!("{name}: there is no such property"));
        let property = class
            .properties
            .get(given.name.as_str())
            .ok_or_else(unknown)?;
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
            let (name, value) = self.value_of(class, given, 0)?;
            changes.insert(name, value);
        }
        for name in list.unwrap_or_default() {
            let unknown = || {
                CimError::invalid_parameter(format!(
                    "{}.{name}: there is no such property",
                    class.name
                ))
            };
            let property = class.properties.get(name.as_str()).ok_or_else(unknown)?;
            if !changes.contains(name.as_str()) {
                changes.insert(property.name.clone(), property.default.clone());
            }
        }
        required_stay(class, &changes)?;
        Ok(changes)
    }

    /// The class `name`.
    ///
    /// # Errors
    /// `INVALID_CLASS`.
    pub fn known_class(&self, name: &CimName) -> Result<&Arc<Class>> {
        let unknown = || CimError::invalid_class(format!("the class {name} does not exist"));
        self.class(name.as_str()).ok_or_else(unknown)
    }
}

fn required_stay(class: &Class, changes: &NameMap<CimValue>) -> Result<()> {
    let cleared = changes.iter().find(|(name, value)| {
        value.is_null()
            && class
                .properties
                .get(name.as_str())
                .is_some_and(|p| p.required)
    });
    match cleared {
        Some((name, _)) => {
            let text = format!("{}.{name}: Required asks for a value", class.name);
            Err(CimError::invalid_parameter(text))
        }
        None => Ok(()),
    }
}

/// DSP0004 2.8: abstract classes, indications and structures have no addressable instances.
fn creatable(class: &Class) -> Result<()> {
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
