//! Declarations as somebody wrote them, in MOF or in CIM-XML: not yet checked against a schema.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{CimName, CimType, CimValue, Instance, Literal};

/// The type of a property, reference or parameter.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TypeDecl {
    /// The data type; [`CimType::Reference`] for `REF`.
    pub ty: CimType,
    /// Whether it is an array.
    pub is_array: bool,
    /// The number of entries of a fixed-size array.
    pub array_size: Option<u32>,
    /// The class that a `REF` points to.
    pub reference_class: Option<CimName>,
}

impl TypeDecl {
    /// One value of `ty`.
    pub fn scalar(ty: CimType) -> Self {
        Self {
            ty,
            is_array: false,
            array_size: None,
            reference_class: None,
        }
    }
}

impl fmt::Display for TypeDecl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.reference_class {
            Some(class) => write!(f, "{class} REF")?,
            None => self.ty.fmt(f)?,
        }
        match (self.is_array, self.array_size) {
            (false, _) => Ok(()),
            (true, None) => f.write_str("[]"),
            (true, Some(size)) => write!(f, "[{size}]"),
        }
    }
}

/// Flavors written on a use of a qualifier; `None` where nothing was written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FlavorUse {
    /// `EnableOverride` (true) or `DisableOverride`.
    pub overridable: Option<bool>,
    /// `ToSubclass` (true) or `Restricted`.
    pub to_subclass: Option<bool>,
    /// `Translatable`.
    pub translatable: Option<bool>,
    /// The deprecated `ToInstance`.
    pub to_instance: Option<bool>,
}

/// A qualifier on an element.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct QualifierUse {
    /// The qualifier's name.
    pub name: CimName,
    /// The value; `None` when the qualifier stands alone (`[Key]`).
    pub value: Option<Literal>,
    /// The type the writer named: CIM-XML does, MOF does not.
    pub ty: Option<CimType>,
    /// Flavors written on this use.
    pub flavor: FlavorUse,
    /// `PROPAGATED` of CIM-XML.
    pub propagated: bool,
}

/// A property or reference of a class.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PropertyDecl {
    /// The property's name.
    pub name: CimName,
    /// Its type.
    pub ty: TypeDecl,
    /// Its qualifiers.
    pub qualifiers: Vec<QualifierUse>,
    /// Its default value, if one was written.
    pub default: Option<Literal>,
    /// `CLASSORIGIN` of CIM-XML.
    pub origin: Option<CimName>,
    /// `PROPAGATED` of CIM-XML.
    pub propagated: bool,
}

/// A parameter of a method.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ParameterDecl {
    /// The parameter's name.
    pub name: CimName,
    /// Its type.
    pub ty: TypeDecl,
    /// Its qualifiers.
    pub qualifiers: Vec<QualifierUse>,
}

/// A method of a class.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MethodDecl {
    /// The method's name.
    pub name: CimName,
    /// The return type; `None` for `void`.
    pub returns: Option<CimType>,
    /// Its qualifiers.
    pub qualifiers: Vec<QualifierUse>,
    /// Its parameters in order.
    pub parameters: Vec<ParameterDecl>,
    /// `CLASSORIGIN` of CIM-XML.
    pub origin: Option<CimName>,
    /// `PROPAGATED` of CIM-XML.
    pub propagated: bool,
}

/// A class as it was written: its own elements, or in an answer also the inherited ones.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ClassDecl {
    /// The class's name.
    pub name: CimName,
    /// The superclass.
    pub superclass: Option<CimName>,
    /// The qualifiers of the class.
    pub qualifiers: Vec<QualifierUse>,
    /// Properties and references in order.
    pub properties: Vec<PropertyDecl>,
    /// Methods in order.
    pub methods: Vec<MethodDecl>,
}

/// The kinds of element a qualifier may stand on.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Scope(u8);

impl Scope {
    /// Ordinary classes.
    pub const CLASS: Self = Self(1);
    /// Associations.
    pub const ASSOCIATION: Self = Self(1 << 1);
    /// Indications.
    pub const INDICATION: Self = Self(1 << 2);
    /// Properties.
    pub const PROPERTY: Self = Self(1 << 3);
    /// References.
    pub const REFERENCE: Self = Self(1 << 4);
    /// Methods.
    pub const METHOD: Self = Self(1 << 5);
    /// Parameters.
    pub const PARAMETER: Self = Self(1 << 6);
    /// Every kind.
    pub const ANY: Self = Self(0x7f);

    /// The kinds with the names that MOF and `SCOPE` attributes give them.
    pub const NAMED: [(&'static str, Self); 7] = [
        ("class", Self::CLASS),
        ("association", Self::ASSOCIATION),
        ("reference", Self::REFERENCE),
        ("property", Self::PROPERTY),
        ("method", Self::METHOD),
        ("parameter", Self::PARAMETER),
        ("indication", Self::INDICATION),
    ];

    /// Both scopes together.
    #[must_use]
    pub fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
    /// Whether every kind of `other` is in this scope.
    pub fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }
}

/// The flavors of a qualifier declaration, or of a use once the declaration is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "DSP0201 has these four independent attributes"
)]
pub struct Flavor {
    /// A subclass may give another value.
    pub overridable: bool,
    /// Subclasses inherit the value.
    pub to_subclass: bool,
    /// Deprecated; instances never carry qualifiers here.
    pub to_instance: bool,
    /// The value has language variants.
    pub translatable: bool,
}

/// What holds when nothing is written (DSP0201 2.4, entity `QualifierFlavor`).
impl Default for Flavor {
    fn default() -> Self {
        Self {
            overridable: true,
            to_subclass: true,
            to_instance: false,
            translatable: false,
        }
    }
}

/// A qualifier declaration.
#[derive(Debug, Clone, PartialEq)]
pub struct QualifierDecl {
    /// The qualifier's name.
    pub name: CimName,
    /// The type of its values.
    pub ty: CimType,
    /// Whether values are arrays.
    pub is_array: bool,
    /// The number of entries of a fixed-size array.
    pub array_size: Option<u32>,
    /// The value that holds where the qualifier is not used.
    pub default: CimValue,
    /// Where it may stand.
    pub scope: Scope,
    /// How it is inherited.
    pub flavor: Flavor,
}

/// A property value of an instance, as it was written.
#[derive(Debug, Clone, PartialEq)]
pub struct PropertyValue {
    /// The property's name.
    pub name: CimName,
    /// The type the writer named, if any.
    pub ty: Option<CimType>,
    /// Whether the writer used an array element.
    pub is_array: bool,
    /// The value.
    pub value: Literal,
}

/// An instance as it was written.
#[derive(Debug, Clone, PartialEq)]
pub struct InstanceDecl {
    /// The class it says it is of.
    pub class: CimName,
    /// The properties it gives, in order.
    pub properties: Vec<PropertyValue>,
}

impl InstanceDecl {
    /// The value written for `name`, in any case.
    pub fn get(&self, name: &str) -> Option<&PropertyValue> {
        self.properties
            .iter()
            .find(|property| property.name.is(name))
    }
}

/// What has a value, with its type.
impl From<&Instance> for InstanceDecl {
    fn from(instance: &Instance) -> Self {
        let given = instance.iter().filter(|(_, value)| !value.is_null());
        let property = |(property, value): (&super::Property, &CimValue)| PropertyValue {
            name: property.name.clone(),
            ty: Some(property.slot.ty),
            is_array: property.slot.is_array,
            value: Literal::from(value),
        };
        Self {
            class: instance.class.name.clone(),
            properties: given.map(property).collect(),
        }
    }
}

/// Which element of a class a message is about: `CIM_Job`, `CIM_Job.RunDay`, `CIM_Job.KillJob(DeleteOnKill)`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Element {
    /// The class, or the qualifier declaration.
    pub owner: CimName,
    /// The property or method.
    pub feature: Option<CimName>,
    /// The parameter of the method.
    pub parameter: Option<CimName>,
    /// The qualifier on the element.
    pub qualifier: Option<CimName>,
}

impl fmt::Display for Element {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.owner.fmt(f)?;
        if let Some(feature) = &self.feature {
            write!(f, ".{feature}")?;
        }
        if let Some(parameter) = &self.parameter {
            write!(f, "({parameter})")?;
        }
        if let Some(qualifier) = &self.qualifier {
            write!(f, " [{qualifier}]")?;
        }
        Ok(())
    }
}
