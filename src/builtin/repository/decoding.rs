//! Instances out of their stored texts, in one pass: whoever enumerates a class reads very many.

use std::fmt;
use std::sync::Arc;

use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

use crate::model::{
    CimName, CimType, CimValue, Class, Instance, Keys, Literal, Namespace, ObjectPath,
};
use crate::schema::Schema;

/// The instance of `class` that `text` is, as the module for encoding writes it.
pub(super) fn instance(
    text: &str,
    class: &Arc<Class>,
    schema: &Schema,
) -> Result<Instance, serde_json::Error> {
    let mut json = serde_json::Deserializer::from_str(text);
    let instance = Values { class, schema }.deserialize(&mut json)?;
    json.end()?;
    Ok(instance)
}

/// An object of the values of an instance.
struct Values<'a> {
    class: &'a Arc<Class>,
    schema: &'a Schema,
}

/// The name of a property, which gives its slot: most often that after the one before.
struct Slot<'a>(&'a Class, usize);

/// A value of a property: one of its type, or an array of these.
struct Value<'a> {
    ty: CimType,
    schema: &'a Schema,
}

/// A value, or an entry of an array.
struct Scalar<'a> {
    ty: CimType,
    schema: &'a Schema,
}

/// The bindings of a path.
struct Bindings<'a>(&'a Schema);

/// One of them: name, type and value.
struct Binding<'a>(&'a Schema);

impl<'de> DeserializeSeed<'de> for Values<'_> {
    type Value = Instance;

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<Instance, D::Error> {
        from.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Values<'_> {
    type Value = Instance;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "values of {}", self.class.name)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Instance, A::Error> {
        let mut instance = Instance::empty(self.class.clone());
        let mut expected = 0;
        while let Some(slot) = map.next_key_seed(Slot(self.class, expected))? {
            expected = slot + 1;
            let property = self.class.properties.at(slot);
            let property = property.ok_or_else(|| A::Error::custom("no such slot"))?;
            let value = map.next_value_seed(Value {
                ty: property.slot.ty,
                schema: self.schema,
            })?;
            instance.set_at(slot, value).map_err(A::Error::custom)?;
        }
        Ok(instance)
    }
}

impl<'de> DeserializeSeed<'de> for Slot<'_> {
    type Value = usize;

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<usize, D::Error> {
        from.deserialize_str(self)
    }
}

impl Visitor<'_> for Slot<'_> {
    type Value = usize;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a property of {}", self.0.name)
    }

    fn visit_str<E: Error>(self, name: &str) -> Result<usize, E> {
        let slot = self.0.properties.slot_near(name, self.1);
        slot.ok_or_else(|| E::custom(format_args!("{} has no property {name}", self.0.name)))
    }
}

impl<'de> DeserializeSeed<'de> for Value<'_> {
    type Value = CimValue;

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<CimValue, D::Error> {
        from.deserialize_any(self)
    }
}

/// Whatever is no array is what a scalar is.
impl<'de> Visitor<'de> for Value<'_> {
    type Value = CimValue;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "one or many of {}", self.ty)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<CimValue, A::Error> {
        let mut entries = Vec::new();
        let (ty, schema) = (self.ty, self.schema);
        while let Some(entry) = list.next_element_seed(Scalar { ty, schema })? {
            entries.push(entry);
        }
        Ok(CimValue::Array(entries))
    }

    fn visit_unit<E: Error>(self) -> Result<CimValue, E> {
        self.scalar().visit_unit()
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<CimValue, E> {
        self.scalar().visit_bool(value)
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<CimValue, E> {
        self.scalar().visit_u64(number)
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<CimValue, E> {
        self.scalar().visit_i64(number)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<CimValue, E> {
        self.scalar().visit_str(text)
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<CimValue, A::Error> {
        self.scalar().visit_map(map)
    }
}

impl<'a> Value<'a> {
    fn scalar(self) -> Scalar<'a> {
        let Self { ty, schema } = self;
        Scalar { ty, schema }
    }
}

impl<'de> DeserializeSeed<'de> for Scalar<'_> {
    type Value = CimValue;

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<CimValue, D::Error> {
        from.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Scalar<'_> {
    type Value = CimValue;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a value of type {}", self.ty)
    }

    fn visit_unit<E: Error>(self) -> Result<CimValue, E> {
        Ok(CimValue::Null)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<CimValue, E> {
        match self.ty {
            CimType::Boolean => Ok(CimValue::Boolean(value)),
            ty => Err(E::custom(format_args!("{value} for a value of type {ty}"))),
        }
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<CimValue, E> {
        match (self.ty, u16::try_from(number)) {
            (CimType::Char16, Ok(unit)) => Ok(CimValue::Char16(unit)),
            (ty, _) => CimValue::integer(ty, number.into()).map_err(E::custom),
        }
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<CimValue, E> {
        CimValue::integer(self.ty, number.into()).map_err(E::custom)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<CimValue, E> {
        match self.ty {
            CimType::String => Ok(CimValue::string(text)),
            CimType::DateTime => text.parse().map(CimValue::DateTime).map_err(E::custom),
            ty => {
                let literal = Literal::Text(text.into());
                literal.resolve(ty, false).map_err(E::custom)
            }
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<CimValue, A::Error> {
        match self.ty {
            CimType::String => embedded(map, self.schema),
            CimType::Reference => {
                let path = path(map, self.schema)?;
                Ok(CimValue::Reference(Box::new(path)))
            }
            ty => Err(A::Error::custom(format_args!(
                "an object for a value of type {ty}"
            ))),
        }
    }
}

/// An embedded instance: its class is named before its values.
fn embedded<'de, A: MapAccess<'de>>(mut map: A, schema: &Schema) -> Result<CimValue, A::Error> {
    let wrong = || A::Error::custom("an embedded instance has a class, then values");
    if map.next_key::<String>()?.as_deref() != Some("class") {
        return Err(wrong());
    }
    let name: String = map.next_value()?;
    let unknown = || A::Error::custom(format_args!("there is no class {name}"));
    let class = schema.class(&name).ok_or_else(unknown)?;
    if map.next_key::<String>()?.as_deref() != Some("values") {
        return Err(wrong());
    }
    let instance = map.next_value_seed(Values { class, schema })?;
    match map.next_key::<IgnoredAny>()? {
        None => Ok(CimValue::Instance(Box::new(instance))),
        Some(_) => Err(wrong()),
    }
}

fn path<'de, A: MapAccess<'de>>(mut map: A, schema: &Schema) -> Result<ObjectPath, A::Error> {
    let (mut host, mut namespace, mut class, mut keys) = (None, None, None, None);
    while let Some(name) = map.next_key::<String>()? {
        match name.as_str() {
            "host" => host = Some(map.next_value::<String>()?.into()),
            "namespace" => {
                let text: String = map.next_value()?;
                namespace = Some(Namespace::new(&text).map_err(A::Error::custom)?);
            }
            "class" => class = Some(map.next_value::<CimName>()?),
            "keys" => keys = Some(map.next_value_seed(Bindings(schema))?),
            other => return Err(A::Error::custom(format_args!("a path has no {other}"))),
        }
    }
    Ok(ObjectPath {
        host,
        namespace,
        class: class.ok_or_else(|| A::Error::missing_field("class"))?,
        keys,
    })
}

impl<'de> DeserializeSeed<'de> for Bindings<'_> {
    type Value = Keys;

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<Keys, D::Error> {
        from.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for Bindings<'_> {
    type Value = Keys;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the keys of a path")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Keys, A::Error> {
        let mut keys = Vec::new();
        while let Some(key) = list.next_element_seed(Binding(self.0))? {
            keys.push(key);
        }
        Ok(keys.into_iter().collect())
    }
}

impl<'de> DeserializeSeed<'de> for Binding<'_> {
    type Value = (CimName, CimValue);

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<Self::Value, D::Error> {
        from.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for Binding<'_> {
    type Value = (CimName, CimValue);

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("name, type and value of a key")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
        let short = || A::Error::custom("a key has a name, a type and a value");
        let name: String = list.next_element()?.ok_or_else(short)?;
        let name = match name.as_str() {
            "" => CimName::unnamed(),
            name => CimName::new(name).map_err(A::Error::custom)?,
        };
        let ty: String = list.next_element()?.ok_or_else(short)?;
        let ty = CimType::from_name(&ty).ok_or_else(short)?;
        let schema = self.0;
        let value = list.next_element_seed(Scalar { ty, schema })?;
        Ok((name, value.ok_or_else(short)?))
    }
}
