//! Where each element of a declaration stands in its text.

use crate::model::{CimName, Element};

use super::Span;

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
    pub(super) fn leaf(name: CimName, span: Span) -> Self {
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

/// The last of equals: of two declarations of one name, the second is the mistake.
pub(super) fn last<T>(list: &[T], wanted: impl Fn(&T) -> bool) -> Option<&T> {
    list.iter().rev().find(|entry| wanted(entry))
}
