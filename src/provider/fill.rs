//! Instances from names with plain values; the class says of which type each value is.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

use futures_util::stream;

use crate::model::{CimDateTime, CimError, CimValue, Class, Instance, InstancePath, Result, Slot};
use crate::ops::{InstanceStream, stream_of};
use crate::schema::Schema;

use super::context::Context;

/// A value whose CIM type the class decides.
#[derive(Debug, Clone, PartialEq)]
pub enum Plain {
    /// NULL.
    Null,
    /// A boolean.
    Bool(bool),
    /// A number of any integer type; one that the declared type cannot hold is an error.
    Integer(i128),
    /// An array of numbers.
    Integers(&'static [u16]),
    /// A string.
    Text(String),
    /// An array of strings.
    Texts(Vec<String>),
    /// A timestamp or an interval.
    Time(CimDateTime),
    /// A reference to an instance.
    Path(Box<InstancePath>),
}

macro_rules! plain {
    ($($from:ty => $to:expr;)*) => {
        $(impl From<$from> for Plain { fn from(value: $from) -> Self { ($to)(value) } })*
    };
}
plain! {
    bool => Self::Bool;
    u8 => |n: u8| Self::Integer(n.into());
    i8 => |n: i8| Self::Integer(n.into());
    u16 => |n: u16| Self::Integer(n.into());
    u32 => |n: u32| Self::Integer(n.into());
    u64 => |n: u64| Self::Integer(n.into());
    &'static [u16] => Self::Integers;
    String => Self::Text;
    &str => |text: &str| Self::Text(text.to_owned());
    Vec<String> => Self::Texts;
    CimDateTime => Self::Time;
    InstancePath => |path| Self::Path(Box::new(path));
    DateTime<Utc> => |time| Self::Time(CimDateTime::timestamp(time));
    Duration => |length| {
        Self::Time(CimDateTime::interval(TimeDelta::from_std(length).unwrap_or(TimeDelta::MAX)))
    };
}
impl<T: Into<Plain>> From<Option<T>> for Plain {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

impl Plain {
    /// This value as `slot` declares it.
    pub fn typed(self, slot: &Slot) -> Result<CimValue> {
        let number = |n| CimValue::integer(slot.ty, n);
        let typed = match self {
            Self::Null => Ok(CimValue::Null),
            Self::Bool(value) => Ok(CimValue::Boolean(value)),
            Self::Integer(value) => number(value),
            Self::Integers(values) => {
                let entries: std::result::Result<_, _> =
                    values.iter().map(|n| number((*n).into())).collect();
                entries.map(CimValue::Array)
            }
            Self::Text(text) => Ok(CimValue::string(text)),
            Self::Texts(texts) => Ok(CimValue::Array(
                texts.into_iter().map(CimValue::string).collect(),
            )),
            Self::Time(value) => Ok(CimValue::DateTime(value)),
            Self::Path(path) => Ok(CimValue::Reference(Box::new((*path).into()))),
        };
        typed.map_err(|error| CimError::failed(error.to_string()))
    }
}

/// An instance of `class` with these values, everything else NULL.
///
/// A property that the class lacks is left out: an administrator may serve an older class of the
/// same name. A value that the declared type cannot hold is `CIM_ERR_FAILED`.
pub fn instance(
    class: &Arc<Class>,
    values: impl IntoIterator<Item = (&'static str, Plain)>,
) -> Result<Instance> {
    let mut instance = Instance::empty(class.clone());
    // Most providers name properties in the order of the class.
    let mut next = 0;
    for (name, value) in values
        .into_iter()
        .filter(|(_, value)| !matches!(value, Plain::Null))
    {
        let slot = class.properties.slot_near(name, next);
        if let Some((slot, property)) = slot.and_then(|at| Some((at, class.properties.at(at)?))) {
            next = slot + 1;
            let value = value.typed(&property.slot)?;
            instance
                .set_at(slot, value)
                .map_err(|error| CimError::failed(error.description))?;
        }
    }
    Ok(instance)
}

/// The instances of the class `own` that `make` gives, as the answer to a question after instances
/// of `asked`: nothing when no instance of `own` is one of `asked`.
pub fn instances_of(
    cx: &Context,
    own: &str,
    asked: &Class,
    make: impl FnOnce(&Arc<Class>) -> Result<Vec<Instance>>,
) -> InstanceStream {
    let own = cx
        .schema
        .class(own)
        .filter(|own| own.is_a(asked.name.as_str()));
    match own.map_or(Ok(Vec::new()), make) {
        Ok(instances) => stream_of(instances),
        Err(error) => Box::pin(stream::iter([Err(error)])),
    }
}

/// The class `name` of the schema of a request; `CIM_ERR_INVALID_CLASS` when it has none.
pub fn class<'a>(cx: &'a Context, name: &str) -> Result<&'a Arc<Class>> {
    declared(&cx.schema, name)
}

/// The same of any schema.
pub fn declared<'a>(schema: &'a Schema, name: &str) -> Result<&'a Arc<Class>> {
    let missing = || CimError::invalid_class(format!("the schema has no class {name}"));
    schema.class(name).ok_or_else(missing)
}
