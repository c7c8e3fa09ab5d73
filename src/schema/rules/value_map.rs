//! `ValueMap`: the values that there are, as numbers, ranges or strings (DSP0004 2.8 §5.6.3).
//!
//! A range that is open at one end reaches to the neighbouring entry of the list; `..` alone is
//! everything that no other entry claims. Where entries overlap a single value beats a range, and
//! among ranges the first in the list. Entries whose name in `Values` says "Reserved" mean nothing
//! yet, and clients may not write them.

use std::sync::Arc;

use crate::model::{Check, CimType, CimValue, Span, ValueMap};

use super::{Rule, Subject, says_reserved};

pub(super) const RULE: Rule = Rule {
    qualifier: "ValueMap",
    build,
};

/// The rank of an entry that claims what is left.
const LAST_RANK: u8 = 2;

/// An entry of the list before open ends are resolved.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Entry {
    Value(i128),
    Range(Option<i128>, Option<i128>),
}

impl Entry {
    fn parse(text: &str) -> Option<Self> {
        let number = |text: &str| match text.trim() {
            "" => Some(None),
            text => integer(text).map(Some),
        };
        // Hardly any entry is a range, and a byte is sooner found than a text.
        let range = text.bytes().any(|byte| byte == b'.');
        match range.then(|| text.split_once("..")).flatten() {
            Some((from, to)) => Some(Self::Range(number(from)?, number(to)?)),
            None => integer(text.trim()).map(Self::Value),
        }
    }

    fn lowest(self) -> Option<i128> {
        match self {
            Self::Value(value) => Some(value),
            Self::Range(from, to) => from.or(to),
        }
    }

    fn highest(self) -> Option<i128> {
        match self {
            Self::Value(value) => Some(value),
            Self::Range(from, to) => to.or(from),
        }
    }

    /// Lower goes first when entries claim the same value.
    fn rank(self) -> u8 {
        match self {
            Self::Value(_) => 0,
            Self::Range(None, None) => LAST_RANK,
            Self::Range(_, _) => 1,
        }
    }
}

fn integer(text: &str) -> Option<i128> {
    let (sign, digits) = match text.strip_prefix('-') {
        Some(digits) => (-1, digits),
        None => (1, text.strip_prefix('+').unwrap_or(text)),
    };
    let hex = digits
        .strip_prefix("0x")
        .or_else(|| digits.strip_prefix("0X"));
    let (digits, radix) = hex.map_or((digits, 10), |hex| (hex, 16));
    let plain =
        !digits.is_empty() && digits.len() <= 20 && digits.chars().all(|c| c.is_digit(radix));
    plain
        .then(|| i128::from_str_radix(digits, radix).ok())
        .flatten()
        .map(|number| sign * number)
}

fn build(subject: &Subject<'_>) -> Result<Option<Check>, String> {
    let Some(entries) = subject.qualifier.value.as_array() else {
        return Ok(None);
    };
    let map = match subject.ty.ty.integer_range() {
        Some(range) => {
            let texts: Vec<&str> = entries.iter().filter_map(CimValue::as_str).collect();
            integers(&texts, labels(subject), range)?
        }
        None if subject.ty.ty == CimType::String => {
            ValueMap::Strings(entries.iter().filter_map(text).cloned().collect())
        }
        None => return Err("ValueMap stands on integers and strings only".to_owned()),
    };
    Ok(Some(Check::ValueMap(Arc::new(map))))
}

/// The text of a string, to be shared.
fn text(value: &CimValue) -> Option<&Arc<str>> {
    match value {
        CimValue::String(text) => Some(text),
        _ => None,
    }
}

/// The names in `Values`, by position.
fn labels<'a>(subject: &Subject<'a>) -> &'a [CimValue] {
    let values = subject.qualifiers.get("Values");
    let values = values.and_then(|values| values.value.as_array());
    values.unwrap_or_default()
}

fn integers(
    texts: &[&str],
    labels: &[CimValue],
    (lowest, highest): (i128, i128),
) -> Result<ValueMap, String> {
    let malformed = |text: &&str| format!("\"{text}\" is neither a number nor a range");
    let parsed: Result<Vec<Entry>, String> = texts
        .iter()
        .map(|text| Entry::parse(text).ok_or_else(|| malformed(text)))
        .collect();
    let entries = parsed?;
    // First single values, then ranges, then the rest.
    let in_rank = |rank| {
        let entries = entries.iter().enumerate();
        entries.filter_map(move |(at, entry)| (entry.rank() == rank).then_some(at))
    };
    let order = (0..=LAST_RANK).flat_map(in_rank);
    let mut spans: Vec<Span> = Vec::with_capacity(entries.len());
    for at in order {
        let (from, to) = bounds(&entries, at, (lowest, highest));
        if from < lowest || to > highest {
            return Err(format!("{from}..{to} is out of the range of the type"));
        }
        let label = labels.get(at).and_then(text).cloned();
        let reserved = label.as_deref().is_some_and(says_reserved);
        let span = Span {
            from,
            to,
            label,
            reserved,
        };
        // Most lists ascend and have no two entries for a value.
        if spans.last().is_none_or(|last| last.to < from) && from <= to {
            spans.push(span);
        } else {
            claim(&mut spans, &span);
        }
    }
    Ok(ValueMap::Integers(spans.into()))
}

/// The ends of an entry, open ones resolved by its neighbours in the list.
fn bounds(entries: &[Entry], at: usize, (lowest, highest): (i128, i128)) -> (i128, i128) {
    let before = at
        .checked_sub(1)
        .and_then(|at| entries.get(at))
        .and_then(|entry| entry.highest());
    let after = entries.get(at + 1).and_then(|entry| entry.lowest());
    match entries.get(at) {
        Some(Entry::Value(value)) => (*value, *value),
        Some(Entry::Range(Some(from), Some(to))) => (*from, *to),
        Some(Entry::Range(Some(from), None)) => (*from, after.map_or(highest, |next| next - 1)),
        Some(Entry::Range(None, Some(to))) => (before.map_or(lowest, |last| last + 1), *to),
        Some(Entry::Range(None, None)) | None => (lowest, highest),
    }
}

/// Adds what of `new` no span has claimed yet; spans stay disjoint and ascending.
fn claim(spans: &mut Vec<Span>, new: &Span) {
    let mut from = new.from;
    let mut free = Vec::new();
    for span in spans
        .iter()
        .filter(|span| span.to >= new.from && span.from <= new.to)
    {
        if span.from > from {
            free.push(Span {
                from,
                to: span.from - 1,
                ..new.clone()
            });
        }
        from = span.to + 1;
    }
    if from <= new.to {
        free.push(Span {
            from,
            ..new.clone()
        });
    }
    spans.extend(free);
    spans.sort_by_key(|span| span.from);
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn spans(texts: &[&str], range: (i128, i128)) -> Vec<(i128, i128)> {
        match integers(texts, &[], range) {
            Ok(ValueMap::Integers(spans)) => spans.iter().map(|s| (s.from, s.to)).collect(),
            other => panic!("{texts:?}: expected integers, got {other:?}"),
        }
    }

    #[test]
    fn open_ends_reach_to_the_neighbours() {
        let texts = ["0", "2..4", "..6", "7..", "9", ".."];
        let expected = [(0, 0), (1, 1), (2, 4), (5, 6), (7, 8), (9, 9), (10, 65_535)];
        assert_eq!(spans(&texts, (0, 65_535)), expected);
    }

    #[test]
    fn signs_and_hexadecimal_are_read() {
        assert_eq!(
            spans(&["-7", "-6..6", "0x7"], (-128, 127)),
            [(-7, -7), (-6, 6), (7, 7)]
        );
        assert_eq!(spans(&["0x8000..0xFFFF"], (0, 65_535)), [(32_768, 65_535)]);
    }

    #[test]
    fn a_value_beats_a_range() {
        assert_eq!(spans(&["1..9", "5"], (0, 255)), [(1, 4), (5, 5), (6, 9)]);
    }

    #[test]
    fn what_is_no_entry_or_no_value_of_the_type_is_refused() {
        for bad in ["", "x", "1-2", "0x", "300", "-1"] {
            assert!(
                integers(&[bad], &[], (0, 255)).is_err(),
                "{bad:?} was taken"
            );
        }
    }

    #[test]
    fn reserved_entries_are_marked() {
        let labels = ["Yes", "DMTF Reserved"].map(CimValue::string);
        let map = integers(&["0", ".."], &labels, (0, 255)).expect("a value map");
        assert_eq!(map.check(&CimValue::Uint8(0)), Ok(()));
        assert!(map.check(&CimValue::Uint8(1)).is_err());
        assert_eq!(
            map.span(0).and_then(|span| span.label.as_deref()),
            Some("Yes")
        );
    }

    proptest! {
        #[test]
        fn spans_are_disjoint_ascending_and_cover_what_was_listed(
            entries in prop::collection::vec((0_i128..40, 0_i128..10), 1..8),
        ) {
            let texts: Vec<String> =
                entries.iter().map(|(from, length)| format!("{from}..{}", from + length)).collect();
            let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
            let map = integers(&texts, &[], (0, 255)).expect("in range");
            for value in 0..60_i128 {
                let listed = entries.iter().any(|(from, length)| (*from..=from + length).contains(&value));
                prop_assert_eq!(map.span(value).is_some(), listed, "value {}", value);
            }
        }
    }
}
