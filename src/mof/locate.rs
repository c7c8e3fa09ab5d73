//! Where each element of a declaration stands in its text.

use crate::model::{CimName, Element};

use super::Span;

/// The places of an element and of what it holds, in the order of the text.
#[derive(Debug, Clone)]
pub(super) struct Places {
    pub(super) name: CimName,
    pub(super) span: Span,
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
            qualifiers: Vec::new(),
            members: Vec::new(),
        }
    }

    /// The place of `element`, which this owns; where it was not written, that of the nearest
    /// element around it.
    pub(super) fn find(&self, element: &Element) -> Span {
        let mut place = self;
        for name in [&element.feature, &element.parameter].into_iter().flatten() {
            let Some(member) = last(&place.members, |member| member.name == *name) else {
                return place.span;
            };
            place = member;
        }
        let qualifier = element.qualifier.as_ref();
        qualifier
            .and_then(|wanted| last(&place.qualifiers, |(name, _)| name == wanted))
            .map_or(place.span, |(_, span)| *span)
    }
}

/// The last of equals: of two declarations of one name, the second is the mistake.
pub(super) fn last<T>(list: &[T], wanted: impl Fn(&T) -> bool) -> Option<&T> {
    list.iter().rev().find(|entry| wanted(entry))
}
