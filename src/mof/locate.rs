//! Where each element of a declaration stands in its text.
//!
//! That is asked for only where something is wrong: the declaration is read again then, rather than
//! to keep the places of everything that is ever declared.

use std::cell::Cell;
use std::sync::{Arc, OnceLock};

use crate::model::{CimName, Element};

use super::ast::{ClassDeclaration, Item, Method, Parameter, Property, Qualifier, Type, Word};
use super::diagnostic::Diagnostics;
use super::names::Texts;
use super::parser::Parser;
use super::source::Span;

/// A declaration in its text.
#[derive(Debug)]
pub(super) struct Declared {
    /// The name of what is declared.
    pub(super) name: CimName,
    /// The place of the name.
    pub(super) span: Span,
    /// Where the declaration starts.
    pub(super) start: u32,
    /// The text of its file.
    pub(super) text: Arc<str>,
    pub(super) places: OnceLock<Places>,
}

impl Declared {
    /// The places of what is declared.
    pub(super) fn places(&self) -> &Places {
        self.places.get_or_init(|| self.read())
    }

    fn read(&self) -> Places {
        let found = Diagnostics::new(usize::MAX);
        let (texts, tokens) = (Texts::default(), Cell::new(usize::MAX));
        let place = (self.span.file, &*self.text, self.start);
        let mut parser = Parser::within(place, &texts, &found, &tokens);
        match parser.next_item() {
            Some(Ok(Item::Class(class))) => class_places(&class, self.name.clone()),
            _ => Places::leaf(self.name.clone(), self.span),
        }
    }
}

/// What of an element is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// Its name, or the whole of a qualifier.
    Name,
    /// The class that it names: its superclass, or that of a reference.
    Class,
    /// Its default value.
    Value,
}

/// The places of an element and of what it holds, in the order of the text.
#[derive(Debug, Clone)]
pub(super) struct Places {
    pub(super) name: CimName,
    pub(super) span: Span,
    /// The class that it names: its superclass, or that of a reference.
    pub(super) class: Option<Span>,
    /// Its default value.
    pub(super) value: Option<Span>,
    pub(super) qualifiers: Vec<(CimName, Span)>,
    /// Features of a class, parameters of a method.
    pub(super) members: Vec<Places>,
}

impl Places {
    /// An element that holds nothing.
    fn leaf(name: CimName, span: Span) -> Self {
        Self {
            name,
            span,
            class: None,
            value: None,
            qualifiers: Vec::new(),
            members: Vec::new(),
        }
    }

    /// The place of a part of `element`, which this owns; where it was not written, that of the
    /// nearest element around it.
    pub(super) fn find(&self, element: &Element, part: Part) -> Span {
        let mut place = self;
        for name in [&element.feature, &element.parameter].into_iter().flatten() {
            let Some(member) = last(&place.members, |member| member.name == *name) else {
                return place.span;
            };
            place = member;
        }
        let qualifier = element.qualifier.as_ref();
        let qualifier =
            qualifier.and_then(|wanted| last(&place.qualifiers, |(name, _)| name == wanted));
        let inner = match (qualifier, part) {
            (Some((_, span)), _) => Some(*span),
            (None, Part::Name) => None,
            (None, Part::Class) => place.class,
            (None, Part::Value) => place.value,
        };
        inner.unwrap_or(place.span)
    }

    /// Whether `element`, which this owns, is written here and not inherited.
    pub(super) fn has(&self, element: &Element) -> bool {
        !self.all(element).is_empty()
    }

    /// Every place where `element`, which this owns, is written.
    pub(super) fn all(&self, element: &Element) -> Vec<Span> {
        let mut places = vec![self];
        for name in [&element.feature, &element.parameter].into_iter().flatten() {
            let members = places.iter().flat_map(|place| &place.members);
            places = members.filter(|member| member.name == *name).collect();
        }
        let Some(wanted) = &element.qualifier else {
            return places.iter().map(|place| place.span).collect();
        };
        let qualifiers = places.iter().flat_map(|place| &place.qualifiers);
        let found = qualifiers.filter(|(name, _)| name == wanted);
        found.map(|(_, span)| *span).collect()
    }
}

fn class_places(class: &ClassDeclaration<'_>, name: CimName) -> Places {
    let properties = class.properties.iter().filter_map(property_places);
    let methods = class.methods.iter().filter_map(method_places);
    Places {
        class: class.superclass.map(|word| word.span),
        qualifiers: qualifier_places(&class.qualifiers),
        members: properties.chain(methods).collect(),
        ..Places::leaf(name, class.name.span)
    }
}

fn property_places(property: &Property<'_>) -> Option<Places> {
    Some(Places {
        value: property.default.as_ref().map(|value| value.span),
        qualifiers: qualifier_places(&property.qualifiers),
        ..typed(property.name, property.ty)?
    })
}

fn method_places(method: &Method<'_>) -> Option<Places> {
    Some(Places {
        qualifiers: qualifier_places(&method.qualifiers),
        members: method
            .parameters
            .iter()
            .filter_map(parameter_places)
            .collect(),
        ..named(method.name)?
    })
}

fn parameter_places(parameter: &Parameter<'_>) -> Option<Places> {
    Some(Places {
        qualifiers: qualifier_places(&parameter.qualifiers),
        ..typed(parameter.name, parameter.ty)?
    })
}

fn qualifier_places(list: &[Qualifier<'_>]) -> Vec<(CimName, Span)> {
    let place = |used: &Qualifier<'_>| Some((CimName::new(used.name.text).ok()?, used.span));
    list.iter().filter_map(place).collect()
}

/// What is not declared, since its name is no name, has no place either.
fn named(word: Word<'_>) -> Option<Places> {
    let name = CimName::new(word.text).ok()?;
    Some(Places::leaf(name, word.span))
}

/// The same of an element with a type: a reference to what is no name is not declared either.
fn typed(word: Word<'_>, ty: Type<'_>) -> Option<Places> {
    let class = match ty {
        Type::Data(_) => None,
        Type::Reference(class) => Some(named(class)?.span),
    };
    Some(Places {
        class,
        ..named(word)?
    })
}

/// The last of equals: of two declarations of one name, the second is the mistake.
pub(super) fn last<T>(list: &[T], wanted: impl Fn(&T) -> bool) -> Option<&T> {
    list.iter().rev().find(|entry| wanted(entry))
}
