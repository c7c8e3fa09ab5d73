//! The evaluator: what a condition is in one instance. It is total, and its depth is that of the
//! parsed condition, which has a limit.

use std::borrow::Cow;

use chrono::{DateTime, Utc};

use crate::model::{CimValue, Instance, Namespace};

use super::ast::Quantifier;
use super::call;
use super::compare::compare;
use super::compiled::{Hop, Root, Route, Term, Test};
use super::limits::{QUANTIFIERS_LIMIT, RESULT_LIMIT_BYTES};
use super::truth::Truth;

/// What functions of a query may ask of its surroundings.
#[derive(Debug, Clone, Copy)]
pub struct Circumstances<'a> {
    /// The time at which the query is evaluated.
    pub now: DateTime<Utc>,
    /// The namespace of the instances.
    pub namespace: &'a Namespace,
}

/// An instance with the entries that the quantifiers around are at.
#[derive(Clone, Copy)]
pub(super) struct Frame<'a> {
    pub instance: &'a Instance,
    pub circumstances: Circumstances<'a>,
    entries: [Option<&'a CimValue>; QUANTIFIERS_LIMIT],
    depth: usize,
}

/// What a term is in an instance.
pub(super) enum Held<'a> {
    /// The instance asked about.
    Object(&'a Instance),
    Value(Cow<'a, CimValue>),
}

impl<'a> Held<'a> {
    pub const NULL: Self = Self::Value(Cow::Borrowed(&CimValue::Null));

    pub fn owned(value: CimValue) -> Self {
        Self::Value(Cow::Owned(value))
    }

    /// The value; the instance itself as if it were embedded.
    pub fn into_value(self) -> Cow<'a, CimValue> {
        match self {
            Self::Object(instance) => Cow::Owned(CimValue::Instance(Box::new(instance.clone()))),
            Self::Value(value) => value,
        }
    }

    pub fn as_object(&self) -> Option<&Instance> {
        match self {
            Self::Object(instance) => Some(instance),
            Self::Value(value) => match &**value {
                CimValue::Instance(instance) => Some(instance),
                _ => None,
            },
        }
    }

    fn is_null(&self) -> bool {
        matches!(self, Self::Value(value) if value.is_null())
    }
}

impl<'a> Frame<'a> {
    pub fn new(instance: &'a Instance, circumstances: Circumstances<'a>) -> Self {
        Self {
            instance,
            circumstances,
            entries: [None; QUANTIFIERS_LIMIT],
            depth: 0,
        }
    }

    /// The frame in which a quantifier is at `entry`.
    fn at<'b>(&self, entry: &'b CimValue) -> Frame<'b>
    where
        'a: 'b,
    {
        let mut frame: Frame<'b> = *self;
        if let Some(place) = frame.entries.get_mut(self.depth) {
            *place = Some(entry);
        }
        frame.depth += 1;
        frame
    }
}

impl Test {
    /// What this condition is in the frame's instance.
    pub fn truth(&self, frame: &Frame<'_>) -> Truth {
        match self {
            Self::Any(tests) => Truth::any(tests.iter().map(|test| test.truth(frame))),
            Self::All(tests) => Truth::all(tests.iter().map(|test| test.truth(frame))),
            Self::Not(test) => !test.truth(frame),
            Self::Is(test, wanted) => (test.truth(frame) == Truth::from(*wanted)).into(),
            Self::IsNull(term) => term.held(frame).is_null().into(),
            Self::Compare {
                left,
                op,
                right,
                bag,
            } => {
                let (left, right) = (left.value(frame), right.value(frame));
                compare(&left, *op, &right, *bag)
            }
            Self::Like(term, pattern) => {
                let value = term.value(frame);
                Truth::known(value.as_str().map(|text| pattern.matches(text)))
            }
            Self::Isa(term, class) => {
                let held = term.held(frame);
                Truth::known(
                    held.as_object()
                        .map(|object| object.class.is_a(class.as_str())),
                )
            }
            Self::Quantified {
                quantifier,
                array,
                test,
                vacuous,
            } => {
                let array = array.value(frame);
                let Some(entries) = array.as_array() else {
                    return Truth::Unknown;
                };
                let truths = entries.iter().map(|entry| test.truth(&frame.at(entry)));
                match quantifier {
                    Quantifier::Any => Truth::any(truths),
                    Quantifier::Every if entries.is_empty() => (*vacuous).into(),
                    Quantifier::Every => Truth::all(truths),
                }
            }
            Self::Holds(term) => Truth::known(term.value(frame).as_bool()),
        }
    }
}

impl Term {
    /// The value of this term in the frame's instance.
    pub fn value<'f>(&'f self, frame: &Frame<'f>) -> Cow<'f, CimValue> {
        self.held(frame).into_value()
    }

    pub fn held<'f>(&'f self, frame: &Frame<'f>) -> Held<'f> {
        match self {
            Self::Value(value) => Held::Value(Cow::Borrowed(value)),
            Self::Route(route) => route.held(frame),
            Self::Call(function, arguments) => {
                let arguments: Vec<Held<'_>> =
                    arguments.iter().map(|term| term.held(frame)).collect();
                Held::owned(call::call(*function, &arguments, frame))
            }
            Self::Concatenation(terms) => Held::owned(joined(terms, frame)),
        }
    }
}

/// The texts as one; NULL when one is NULL or the whole too long.
fn joined(terms: &[Term], frame: &Frame<'_>) -> CimValue {
    let mut joined = String::new();
    for term in terms {
        match term.value(frame).as_str() {
            Some(text) if joined.len() + text.len() <= RESULT_LIMIT_BYTES => joined.push_str(text),
            Some(_) | None => return CimValue::Null,
        }
    }
    CimValue::string(joined)
}

impl Route {
    fn held<'f>(&'f self, frame: &Frame<'f>) -> Held<'f> {
        let mut held = match self.root {
            Root::Object => Held::Object(frame.instance),
            Root::Entry(number) => match frame.entries.get(number).copied().flatten() {
                Some(entry) => Held::Value(Cow::Borrowed(entry)),
                None => Held::NULL,
            },
        };
        for hop in &self.hops {
            let next = match held {
                Held::Object(instance) => hop.of(instance),
                Held::Value(Cow::Borrowed(CimValue::Instance(instance))) => hop.of(instance),
                Held::Value(_) => None,
            };
            held = next.map_or(Held::NULL, |value| Held::Value(Cow::Borrowed(value)));
        }
        held
    }
}

impl Hop {
    /// The property's value in `instance`; `None` where there is nothing to see.
    fn of<'i>(&self, instance: &'i Instance) -> Option<&'i CimValue> {
        let class = &instance.class;
        if let Some(scope) = &self.class
            && !class.is_a(scope.as_str())
        {
            return None;
        }
        let properties = &class.properties;
        let usual = properties.at(self.slot);
        let slot = match usual {
            Some(property) if property.name == self.name => self.slot,
            Some(_) | None => properties.slot(self.name.as_str())?,
        };
        let readable = properties.at(slot).is_some_and(|property| property.read);
        let value = instance.at(slot).filter(|_| readable)?;
        match self.entry {
            None => Some(value),
            Some(entry) => value.as_array()?.get(entry),
        }
    }
}
