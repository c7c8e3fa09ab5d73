//! The parameters of an intrinsic call: read as they come, then taken by name.

use crate::model::{
    CimError, CimName, CimType, CimValue, ClassDecl, InstanceDecl, Keys, Literal, ObjectPath,
    QualifierDecl, Status,
};

use super::error::Result;
use super::instance::{self, NamedInstance};
use super::reader::{Reader, Tag};
use super::value::{self, Text};
use super::{class, path};

/// What an `IPARAMVALUE` holds.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Argument {
    Value(Literal),
    ClassName(CimName),
    InstanceName(ObjectPath),
    Instance(InstanceDecl),
    NamedInstance(NamedInstance),
    Class(ClassDecl),
    Qualifier(QualifierDecl),
}

/// The parameters that no one has taken yet.
#[derive(Debug)]
pub(super) struct Arguments {
    left: Vec<(String, Argument)>,
    /// Nothing is taken that the standard does not allow.
    is_strict: bool,
}

/// A parameter that is missing, unknown, given twice or of a wrong value: status 4.
type Taken<T> = std::result::Result<T, CimError>;

fn wrong<T>(name: &str, what: &str) -> Taken<T> {
    Err(CimError::invalid_parameter(format!("{name}: {what}")))
}

impl Arguments {
    /// Reads the parameters inside the open element, to its end.
    pub fn read(reader: &mut Reader<'_>) -> Result<Self> {
        let mut found = Vec::new();
        while let Some(child) = reader.child()? {
            if found.len() >= reader.limits.parameters {
                return Err(child.wrong(Status::InvalidParameter, "too many parameters"));
            }
            if child.name == "IPARAMVALUE" {
                found.push((child.require("NAME")?.to_owned(), argument(reader)?));
            } else {
                reader.stray(&child)?;
            }
        }
        Ok(Self {
            left: found,
            is_strict: reader.is_strict(),
        })
    }

    fn find(&self, name: &str) -> Option<usize> {
        let mut given = self.left.iter();
        given.position(|(given, _)| given.eq_ignore_ascii_case(name))
    }

    fn take(&mut self, name: &str) -> Option<Argument> {
        let at = self.find(name)?;
        match self.left.remove(at).1 {
            Argument::Value(Literal::Null) => None,
            given => Some(given),
        }
    }

    /// That every parameter was taken: the next of a name twice given, or of an unknown one, was not.
    pub fn finish(self) -> Taken<()> {
        match self.left.first() {
            None => Ok(()),
            Some((name, _)) => {
                let shown: String = name.chars().take(64).collect();
                wrong(
                    &shown,
                    "the operation has no such parameter, or it is given twice",
                )
            }
        }
    }

    /// A boolean; the default when it is left out, or NULL as SFCB's clients write that.
    pub fn boolean(&mut self, name: &str, default: bool) -> Taken<bool> {
        let is_given = self.find(name).is_some();
        match self.take(name) {
            None if is_given && self.is_strict => wrong(name, "NULL is no boolean"),
            None => Ok(default),
            Some(Argument::Value(literal)) => match literal.resolve(CimType::Boolean, false) {
                Ok(CimValue::Boolean(value)) => Ok(value),
                Ok(_) => Ok(default),
                Err(error) => wrong(name, &error.to_string()),
            },
            Some(_) => wrong(name, "a boolean is wanted"),
        }
    }

    /// Takes booleans that have no effect, which must be booleans nevertheless.
    pub fn ignored(&mut self, names: &[&str]) -> Taken<()> {
        names
            .iter()
            .try_for_each(|name| self.boolean(name, false).map(|_| ()))
    }

    /// A string that must be there.
    pub fn string(&mut self, name: &str) -> Taken<String> {
        match self.optional_string(name)? {
            Some(text) => Ok(text),
            None => wrong(name, "the parameter is missing"),
        }
    }

    /// A string that may be left out.
    pub fn optional_string(&mut self, name: &str) -> Taken<Option<String>> {
        match self.take(name) {
            None => Ok(None),
            Some(Argument::Value(Literal::Text(text))) => Ok(Some((*text).to_owned())),
            Some(_) => wrong(name, "a string is wanted"),
        }
    }

    /// A `uint32` that must be there.
    pub fn number(&mut self, name: &str) -> Taken<u32> {
        match self.optional_number(name)? {
            Some(number) => Ok(number),
            None => wrong(name, "the parameter is missing"),
        }
    }

    /// A `uint32`; the default when it is left out, or NULL where that is tolerated.
    pub fn number_or(&mut self, name: &str, default: u32) -> Taken<u32> {
        let is_given = self.find(name).is_some();
        match self.optional_number(name)? {
            None if is_given && self.is_strict => wrong(name, "NULL is no number"),
            given => Ok(given.unwrap_or(default)),
        }
    }

    /// A `uint32` that may be left out.
    pub fn optional_number(&mut self, name: &str) -> Taken<Option<u32>> {
        match self.take(name) {
            None => Ok(None),
            Some(Argument::Value(literal)) => match literal.resolve(CimType::Uint32, false) {
                Ok(CimValue::Uint32(value)) => Ok(Some(value)),
                Ok(_) => Ok(None),
                Err(error) => wrong(name, &error.to_string()),
            },
            Some(_) => wrong(name, "a number is wanted"),
        }
    }

    /// The names of a property list; `None` when there is no list.
    pub fn property_list(&mut self, name: &str) -> Taken<Option<Vec<CimName>>> {
        let entries = match self.take(name) {
            None => return Ok(None),
            Some(Argument::Value(Literal::Array(entries))) => entries,
            Some(_) => return wrong(name, "an array of strings is wanted"),
        };
        // Names that cannot be names are unknown ones, and unknown ones are passed over; so is
        // the empty entry by which wbemcli writes an empty list.
        let listed = |entry: &Literal| match entry {
            Literal::Text(text) => CimName::new(text.trim()).ok(),
            _ => None,
        };
        Ok(Some(entries.iter().filter_map(listed).collect()))
    }

    /// A class name that may be left out.
    pub fn optional_class(&mut self, name: &str) -> Taken<Option<CimName>> {
        match self.take(name) {
            None => Ok(None),
            Some(Argument::ClassName(class)) => Ok(Some(class)),
            Some(_) => wrong(name, "a CLASSNAME is wanted"),
        }
    }

    /// A class name that must be there.
    pub fn class(&mut self, name: &str) -> Taken<CimName> {
        match self.optional_class(name)? {
            Some(class) => Ok(class),
            None => wrong(name, "the parameter is missing"),
        }
    }

    /// A name that may be left out; an empty text leaves it out too, though it is no name.
    pub fn optional_name(&mut self, name: &str) -> Taken<Option<CimName>> {
        match self.take(name) {
            None => Ok(None),
            Some(Argument::Value(Literal::Text(text)))
                if text.trim().is_empty() && !self.is_strict =>
            {
                Ok(None)
            }
            Some(Argument::Value(Literal::Text(text))) => CimName::new(text.trim())
                .map(Some)
                .or_else(|error| wrong(name, &error.to_string())),
            Some(_) => wrong(name, "a string is wanted"),
        }
    }

    /// A class or an instance that must be there.
    pub fn object_name(&mut self, name: &str) -> Taken<ObjectPath> {
        match self.take(name) {
            None => wrong(name, "the parameter is missing"),
            Some(Argument::InstanceName(path)) if self.is_strict && is_keyless(&path) => wrong(
                name,
                "an INSTANCENAME without keys, where a CLASSNAME is meant",
            ),
            Some(Argument::InstanceName(path)) => Ok(path),
            Some(Argument::ClassName(class)) => Ok(ObjectPath {
                host: None,
                namespace: None,
                class,
                keys: None,
            }),
            Some(_) => wrong(name, "a CLASSNAME or an INSTANCENAME is wanted"),
        }
    }

    /// A value of any type; NULL when it is left out.
    pub fn literal(&mut self, name: &str) -> Taken<Literal> {
        match self.take(name) {
            None => Ok(Literal::Null),
            Some(Argument::Value(value)) => Ok(value),
            Some(_) => wrong(name, "a VALUE, VALUE.ARRAY or VALUE.REFERENCE is wanted"),
        }
    }

    /// An instance's path that must be there.
    pub fn instance_name(&mut self, name: &str) -> Taken<ObjectPath> {
        match self.take(name) {
            None => wrong(name, "the parameter is missing"),
            Some(Argument::InstanceName(path)) => Ok(path),
            Some(_) => wrong(name, "an INSTANCENAME is wanted"),
        }
    }

    /// An instance that must be there.
    pub fn instance(&mut self, name: &str) -> Taken<InstanceDecl> {
        match self.take(name) {
            None => wrong(name, "the parameter is missing"),
            Some(Argument::Instance(instance)) => Ok(instance),
            Some(_) => wrong(name, "an INSTANCE is wanted"),
        }
    }

    /// An instance with its path that must be there.
    pub fn named_instance(&mut self, name: &str) -> Taken<NamedInstance> {
        match self.take(name) {
            None => wrong(name, "the parameter is missing"),
            Some(Argument::NamedInstance(named)) => Ok(named),
            Some(_) => wrong(name, "a VALUE.NAMEDINSTANCE is wanted"),
        }
    }

    /// A class declaration that must be there.
    pub fn class_decl(&mut self, name: &str) -> Taken<ClassDecl> {
        match self.take(name) {
            None => wrong(name, "the parameter is missing"),
            Some(Argument::Class(class)) => Ok(class),
            Some(_) => wrong(name, "a CLASS is wanted"),
        }
    }

    /// A qualifier declaration that must be there.
    pub fn qualifier_decl(&mut self, name: &str) -> Taken<QualifierDecl> {
        match self.take(name) {
            None => wrong(name, "the parameter is missing"),
            Some(Argument::Qualifier(qualifier)) => Ok(qualifier),
            Some(_) => wrong(name, "a QUALIFIER.DECLARATION is wanted"),
        }
    }

    /// The name of a qualifier that must be there.
    pub fn cim_name(&mut self, name: &str) -> Taken<CimName> {
        let text = self.string(name)?;
        CimName::new(text.trim()).or_else(|error| wrong(name, &error.to_string()))
    }
}

/// Whether an instance's path has no key: what wbemcli and the Java clients write for a class.
fn is_keyless(path: &ObjectPath) -> bool {
    path.keys.as_ref().is_none_or(Keys::is_empty)
}

/// The content of an `IPARAMVALUE`, read to its end; nothing at all is NULL.
fn argument(reader: &mut Reader<'_>) -> Result<Argument> {
    let mut found = None;
    while let Some(child) = reader.child()? {
        if found.is_none() {
            found = element(reader, &child)?;
            if found.is_some() {
                continue;
            }
        }
        reader.stray(&child)?;
    }
    Ok(found.unwrap_or(Argument::Value(Literal::Null)))
}

fn element(reader: &mut Reader<'_>, tag: &Tag<'_>) -> Result<Option<Argument>> {
    Ok(Some(match tag.name {
        "CLASSNAME" => Argument::ClassName(path::class_name(reader, tag)?.class),
        "INSTANCENAME" => Argument::InstanceName(path::instance_name(reader, tag)?),
        "INSTANCE" => Argument::Instance(instance::instance(reader, tag)?),
        "VALUE.NAMEDINSTANCE" => Argument::NamedInstance(instance::named_instance(reader)?),
        "CLASS" => Argument::Class(class::class(reader, tag)?),
        "QUALIFIER.DECLARATION" => Argument::Qualifier(class::declaration(reader, tag)?),
        "VALUE.NULL" => return Ok(None),
        _ => return Ok(value::value(reader, tag, Text::Plain)?.map(Argument::Value)),
    }))
}
