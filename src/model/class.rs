//! What a class means: flattened over its ancestors, qualifiers resolved, rules compiled.
//!
//! Only the `schema` module makes these values.

use std::fmt;
use std::sync::Arc;

use super::{Check, CimName, CimType, CimValue, Flavor, NameMap, Violation};

/// A qualifier with its value on one element.
#[derive(Debug, Clone, PartialEq)]
pub struct Qualifier {
    /// The qualifier's name, as declared.
    pub name: CimName,
    /// The type of the declaration.
    pub ty: CimType,
    /// Whether the declaration is an array.
    pub is_array: bool,
    /// The effective value.
    pub value: CimValue,
    /// The effective flavor.
    pub flavor: Flavor,
    /// Whether the value is inherited.
    pub propagated: bool,
}

/// What a string slot holds instead of plain text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Embedding {
    /// `EmbeddedObject`: any instance.
    Object,
    /// `EmbeddedInstance("Class")`: an instance of that class or of a subclass.
    Instance(CimName),
}

/// `ArrayType`: what the order of an array's entries means.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum ArrayKind {
    /// Nothing: the same entries in another order are the same array.
    #[default]
    Bag,
    /// The order is part of the value.
    Ordered,
    /// The position of an entry is its index.
    Indexed,
}

/// A place for a value: a property, a parameter or a method's return value.
#[derive(Debug, Clone, PartialEq)]
pub struct Slot {
    /// The data type.
    pub ty: CimType,
    /// Whether it is an array.
    pub is_array: bool,
    /// What the order of an array means.
    pub array_kind: ArrayKind,
    /// The number of entries of a fixed-size array.
    pub array_size: Option<u32>,
    /// The class a reference points to.
    pub reference_class: Option<CimName>,
    /// What a string slot holds instead of plain text.
    pub embedding: Option<Embedding>,
    /// The rules that the qualifiers of the element lay down for its values.
    pub checks: Box<[Check]>,
}

impl Slot {
    /// Whether `value` may stand here: of the declared type and within every rule.
    pub fn accepts(&self, value: &CimValue) -> Result<(), Violation> {
        self.is_of_type(value)?;
        self.checks.iter().try_for_each(|check| check.check(value))
    }

    /// Whether two values of this slot are the same: the order of a bag is no part of it.
    pub fn same(&self, a: &CimValue, b: &CimValue) -> bool {
        match (a, b, self.array_kind) {
            (CimValue::Array(a), CimValue::Array(b), ArrayKind::Bag) => same_bag(a, b),
            (_, _, ArrayKind::Bag | ArrayKind::Ordered | ArrayKind::Indexed) => a == b,
        }
    }

    fn is_of_type(&self, value: &CimValue) -> Result<(), Violation> {
        match value {
            CimValue::Null => Ok(()),
            CimValue::Array(entries) if self.is_array => entries
                .iter()
                .filter(|entry| !entry.is_null())
                .try_for_each(|e| self.is_scalar(e)),
            CimValue::Array(_) => Err(self.wrong_type(value)),
            _ if self.is_array => Err(self.wrong_type(value)),
            scalar => self.is_scalar(scalar),
        }
    }

    fn is_scalar(&self, value: &CimValue) -> Result<(), Violation> {
        let embeds = matches!(value, CimValue::Instance(_) | CimValue::Class(_));
        if value.ty() != Some(self.ty) || embeds != self.embedding.is_some() {
            return Err(self.wrong_type(value));
        }
        if let (CimValue::Instance(instance), Some(Embedding::Instance(class))) =
            (value, &self.embedding)
            && !instance.class.is_a(class.as_str())
        {
            return Err(Violation::EmbeddedClass {
                given: instance.class.name.clone(),
                declared: class.clone(),
            });
        }
        if let (CimValue::Class(_), Some(Embedding::Instance(_))) = (value, &self.embedding) {
            return Err(self.wrong_type(value));
        }
        Ok(())
    }

    fn wrong_type(&self, value: &CimValue) -> Violation {
        Violation::Type {
            value: value.to_string(),
            declared: self.to_string(),
        }
    }
}

/// Longest bag whose order is disregarded: values have equality and no order, so that comparing
/// costs the square of the length.
const BAG_LIMIT: usize = 1024;

fn same_bag(a: &[CimValue], b: &[CimValue]) -> bool {
    if a == b || a.len() != b.len() || a.len() > BAG_LIMIT {
        return a == b;
    }
    let mut left: Vec<&CimValue> = b.iter().collect();
    a.iter().all(|entry| {
        let found = left.iter().position(|other| *other == entry);
        found.map(|at| left.swap_remove(at)).is_some()
    })
}

impl fmt::Display for Slot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.embedding, &self.reference_class) {
            (Some(Embedding::Object), _) => f.write_str("embedded object")?,
            (Some(Embedding::Instance(class)), _) => write!(f, "embedded instance of {class}")?,
            (None, Some(class)) => write!(f, "{class} REF")?,
            (None, None) => self.ty.fmt(f)?,
        }
        if self.is_array {
            f.write_str("[]")
        } else {
            Ok(())
        }
    }
}

/// A property or reference of a class, own or inherited.
#[derive(Debug, Clone, PartialEq)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a qualifier of DSP0004, independent of the others"
)]
pub struct Property {
    /// The name as declared by the class that introduced or last overrode it.
    pub name: CimName,
    /// Type and rules of its values.
    pub slot: Slot,
    /// The qualifiers in effect; subclasses that inherit the property share them.
    pub qualifiers: Arc<NameMap<Qualifier>>,
    /// The default value, NULL when there is none.
    pub default: CimValue,
    /// The class that introduced it.
    pub origin: CimName,
    /// Whether the class inherits it and does not declare it again.
    pub propagated: bool,
    /// `Key`.
    pub key: bool,
    /// `Required`.
    pub required: bool,
    /// `Write`: clients may change it.
    pub write: bool,
    /// `Read`, true unless it says false: its value may be shown.
    pub read: bool,
}

/// A parameter of a method.
#[derive(Debug, Clone, PartialEq)]
pub struct Parameter {
    /// The parameter's name.
    pub name: CimName,
    /// Type and rules of its values.
    pub slot: Slot,
    /// The qualifiers in effect.
    pub qualifiers: NameMap<Qualifier>,
    /// `In`, true unless it says false.
    pub input: bool,
    /// `Out`.
    pub output: bool,
    /// `Required`: may not be NULL or left out.
    pub required: bool,
}

/// A method of a class, own or inherited.
#[derive(Debug, Clone, PartialEq)]
pub struct Method {
    /// The method's name.
    pub name: CimName,
    /// The return value; `None` for `void`.
    pub returns: Option<Slot>,
    /// The qualifiers in effect; subclasses that inherit the method share them.
    pub qualifiers: Arc<NameMap<Qualifier>>,
    /// The parameters in order, shared likewise.
    pub parameters: Arc<NameMap<Parameter>>,
    /// The class that introduced it.
    pub origin: CimName,
    /// Whether the class inherits it and does not declare it again.
    pub propagated: bool,
    /// `Static`: may be called on the class.
    pub is_static: bool,
}

/// A class with everything it inherits.
#[derive(Debug, Clone, PartialEq)]
pub struct Class {
    /// The class's name as declared.
    pub name: CimName,
    /// The superclass, its superclass and so on.
    pub ancestors: Box<[CimName]>,
    /// The qualifiers in effect.
    pub qualifiers: NameMap<Qualifier>,
    /// All properties, those of the topmost class first; all that inherit one share it.
    pub properties: NameMap<Arc<Property>>,
    /// All methods, those of the topmost class first; all that inherit one share it.
    pub methods: NameMap<Arc<Method>>,
    /// The slots of the key properties.
    pub keys: Box<[usize]>,
    /// What kind of class this is.
    pub kind: ClassKind,
    /// `Abstract`: has no instances of its own.
    pub is_abstract: bool,
}

/// The kinds of class that DSP0004 tells apart by a qualifier.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClassKind {
    /// A class with addressable instances.
    Ordinary,
    /// `Association`.
    Association,
    /// `Indication`: instances are only ever sent.
    Indication,
    /// `Structure` or `Exception`: instances are only ever embedded.
    Structure,
}

impl Class {
    /// Whether this is `name` or one of its subclasses.
    pub fn is_a(&self, name: &str) -> bool {
        self.name.is(name) || self.ancestors.iter().any(|ancestor| ancestor.is(name))
    }
    /// Whether this is `class` or one of its subclasses: [`Self::is_a`] for a name whose hash is known.
    pub fn descends_from(&self, class: &CimName) -> bool {
        self.name == *class || self.ancestors.contains(class)
    }
    /// The superclass's name.
    pub fn superclass(&self) -> Option<&CimName> {
        self.ancestors.first()
    }
    /// The key properties in order.
    pub fn key_properties(&self) -> impl Iterator<Item = &Property> {
        self.keys
            .iter()
            .filter_map(|slot| self.properties.at(*slot).map(AsRef::as_ref))
    }
}
