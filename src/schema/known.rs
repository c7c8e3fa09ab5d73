//! The qualifiers that classes are resolved by, told from the others once for each declaration.
//!
//! Every element is asked for each of them, and hardly any has one.

use crate::model::{CimName, NameMap, Qualifier, QualifierDecl};

use super::rules::{RULES, Rule};

/// A qualifier that means something other than a check on values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Known {
    Abstract,
    ArrayType,
    Association,
    EmbeddedInstance,
    EmbeddedObject,
    Exception,
    In,
    Indication,
    Key,
    Out,
    Override,
    Read,
    Required,
    Static,
    Structure,
    Write,
}

impl Known {
    const NAMED: [(Self, &str); 16] = [
        (Self::Abstract, "Abstract"),
        (Self::ArrayType, "ArrayType"),
        (Self::Association, "Association"),
        (Self::EmbeddedInstance, "EmbeddedInstance"),
        (Self::EmbeddedObject, "EmbeddedObject"),
        (Self::Exception, "Exception"),
        (Self::In, "In"),
        (Self::Indication, "Indication"),
        (Self::Key, "Key"),
        (Self::Out, "Out"),
        (Self::Override, "Override"),
        (Self::Read, "Read"),
        (Self::Required, "Required"),
        (Self::Static, "Static"),
        (Self::Structure, "Structure"),
        (Self::Write, "Write"),
    ];

    fn mark(self) -> Marks {
        Marks(1 << (self as u32))
    }
}

/// Which known qualifiers there are: a bit for each of [`Known`], and above them one for each rule.
#[derive(Debug, Clone, Copy, Default)]
struct Marks(u32);

impl Marks {
    fn of(name: &CimName) -> Self {
        let known = Known::NAMED.iter().filter(|(_, text)| name.is(text));
        let rules = RULES.iter().zip(0..);
        let rules = rules.filter(|(rule, _)| name.is(rule.qualifier));
        let marks = known.map(|(known, _)| known.mark());
        let marks = marks.chain(rules.map(|(_, at)| Self::rule(at)));
        marks.fold(Self::default(), Self::with)
    }

    fn rule(at: usize) -> Self {
        Self(1 << (Known::NAMED.len() + at))
    }

    fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    fn has(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }
}

/// The qualifier declarations of a schema, each with what it is known for.
pub(super) struct Vocabulary<'a> {
    declared: &'a NameMap<QualifierDecl>,
    marks: Vec<Marks>,
}

impl<'a> Vocabulary<'a> {
    pub(super) fn new(declared: &'a NameMap<QualifierDecl>) -> Self {
        Self {
            declared,
            marks: declared.names().map(Marks::of).collect(),
        }
    }

    /// The declaration of that name.
    pub(super) fn get(&self, name: &CimName) -> Option<&QualifierDecl> {
        self.declared.under(name)
    }

    fn marks(&self, name: &CimName) -> Marks {
        let slot = self.declared.slot_under(name);
        let marks = slot.and_then(|slot| self.marks.get(slot));
        marks.copied().unwrap_or_default()
    }
}

/// The qualifiers in effect on an element.
pub(super) struct Effective {
    pub(super) map: NameMap<Qualifier>,
    marks: Marks,
}

impl Effective {
    /// None yet, with room for so many.
    pub(super) fn with_capacity(qualifiers: usize) -> Self {
        Self {
            map: NameMap::with_capacity(qualifiers),
            marks: Marks::default(),
        }
    }

    pub(super) fn insert(&mut self, qualifier: Qualifier, vocabulary: &Vocabulary<'_>) {
        let marks = vocabulary.marks(&qualifier.name);
        self.marks = self.marks.with(marks);
        self.map.insert(qualifier.name.clone(), qualifier);
    }

    /// The qualifier that is known as that.
    pub(super) fn get(&self, known: Known) -> Option<&Qualifier> {
        if !self.marks.has(known.mark()) {
            return None;
        }
        let named = Known::NAMED.iter().find(|(other, _)| *other == known);
        named.and_then(|(_, name)| self.map.get(name))
    }

    /// The rules whose qualifiers there are, in the order of [`RULES`].
    pub(super) fn rules(&self) -> impl Iterator<Item = (&'static Rule, &Qualifier)> {
        let all = RULES.iter().enumerate();
        let there = all.filter(|(at, _)| self.marks.has(Marks::rule(*at)));
        there.filter_map(|(_, rule)| Some((rule, self.map.get(rule.qualifier)?)))
    }

    /// The value of a boolean qualifier, `None` where it is not in effect.
    pub(super) fn flag(&self, known: Known) -> Option<bool> {
        self.get(known)
            .and_then(|qualifier| qualifier.value.as_bool())
    }

    /// Whether a boolean qualifier is in effect and true.
    pub(super) fn is_true(&self, known: Known) -> bool {
        self.flag(known).unwrap_or(false)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_known_qualifier_and_every_rule_has_a_mark_of_its_own() {
        let known = Known::NAMED.iter().map(|(known, _)| known.mark());
        let rules = (0..RULES.len()).map(Marks::rule);
        let all: Vec<Marks> = known.chain(rules).collect();
        let together = all.iter().copied().fold(Marks::default(), Marks::with);
        assert_eq!(together.0.count_ones() as usize, all.len());
    }

    #[test]
    fn case_does_not_matter() {
        let (known, rule) = (Known::In.mark(), Marks::rule(0));
        assert!(Marks::of(&CimName::of("IN")).has(known));
        assert!(Marks::of(&CimName::of("arraytype")).has(rule));
        assert!(!Marks::of(&CimName::of("Inn")).has(known));
    }
}
