//! What is known of a term: its kind, whether it is an array, what its class is.

use std::sync::Arc;

use crate::model::{ArrayKind, CimName, CimValue, Class, Embedding, Property};

use super::super::kind::Kind;
use super::scope::Classes;

/// What is known of a term.
#[derive(Debug, Clone)]
pub(in crate::query) struct Shape {
    pub kind: Kind,
    /// `None` when nobody knows.
    pub is_array: Option<bool>,
    /// The class of an object, when it is known.
    pub class: Option<Arc<Class>>,
    /// The property that it is a value of: its class and slot.
    pub declared: Option<(Arc<Class>, usize)>,
}

impl Shape {
    /// One value of `kind`.
    pub fn scalar(kind: Kind) -> Self {
        Self {
            kind,
            is_array: Some(false),
            class: None,
            declared: None,
        }
    }

    /// Something of which nothing is known.
    pub fn open() -> Self {
        Self {
            is_array: None,
            ..Self::scalar(Kind::Any)
        }
    }

    /// The values of the property in `slot` of `class`.
    pub fn of_property(class: &Arc<Class>, slot: usize, classes: &dyn Classes) -> Self {
        let Some(property) = class.properties.at(slot) else {
            return Self::open();
        };
        let embedded = match &property.slot.embedding {
            Some(Embedding::Instance(name)) => classes.class(name),
            Some(Embedding::Object) | None => None,
        };
        let kind = if property.slot.embedding.is_some() {
            Kind::Object
        } else {
            Kind::of_type(property.slot.ty)
        };
        Self {
            kind,
            is_array: Some(property.slot.is_array),
            class: embedded,
            declared: Some((class.clone(), slot)),
        }
    }

    /// One entry of an array of this shape.
    pub fn entry(self) -> Self {
        Self {
            is_array: Some(false),
            ..self
        }
    }

    fn property(&self) -> Option<&Property> {
        let (class, slot) = self.declared.as_ref()?;
        class.properties.at(*slot).map(|property| &**property)
    }

    /// Whether the order of entries is no part of the value.
    pub fn is_bag(&self) -> bool {
        self.property()
            .is_some_and(|property| property.slot.array_kind == ArrayKind::Bag)
    }

    /// The name of the property, for messages.
    pub fn property_name(&self) -> Option<String> {
        let (class, _) = self.declared.as_ref()?;
        let name: &CimName = &self.property()?.name;
        Some(format!("{}.{name}", class.name))
    }

    /// The value that `Values` of the property names `symbol`.
    pub fn symbol(&self, symbol: &str) -> Option<CimValue> {
        let property = self.property()?;
        let entries = |name: &str| {
            let qualifier = property.qualifiers.get(name);
            qualifier.and_then(|qualifier| qualifier.value.as_array())
        };
        let place = entries("Values")?
            .iter()
            .position(|value| value.as_str() == Some(symbol))?;
        let written = match entries("ValueMap") {
            Some(map) => map.get(place)?.as_str()?.trim().to_owned(),
            // Without ValueMap the entries of Values count from 0 (DSP0004 2.8 §5.6.3.60).
            None => place.to_string(),
        };
        let literal = crate::model::Literal::Text(written.into());
        literal.resolve(property.slot.ty, false).ok()
    }

    /// As a client is told of it.
    pub fn described(&self) -> String {
        match self.is_array {
            Some(true) => format!("an array, each entry {}", self.kind.as_str()),
            Some(false) | None => self.kind.as_str().to_owned(),
        }
    }
}
