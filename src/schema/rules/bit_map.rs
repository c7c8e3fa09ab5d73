//! `BitMap`: the bits that mean something, by position, bit 0 being the lowest (DSP0004 2.8 §5.6.3).
//!
//! Bits whose name in `BitValues` says "Reserved" mean nothing yet, and clients may not set them.

use crate::model::{BitMap, Check, CimValue};

use super::{Rule, Subject, says_reserved};

pub(super) const RULE: Rule = Rule {
    qualifier: "BitMap",
    build,
};

fn build(subject: &Subject<'_>) -> Result<Option<Check>, String> {
    let Some(entries) = subject.qualifier.value.as_array() else {
        return Ok(None);
    };
    let Some((lowest, highest)) = subject.ty.ty.integer_range() else {
        return Err("BitMap stands on integers only".to_owned());
    };
    let width = u32::try_from(highest - lowest).map_or(64, |span| 32 - span.leading_zeros());
    let mut allowed = 0;
    for (at, entry) in entries.iter().enumerate() {
        let text = entry.as_str().unwrap_or_default();
        let bits = positions(text, width)
            .ok_or_else(|| format!("\"{text}\" is no bit of {width} bits, nor a range of them"))?;
        if !is_reserved(subject, at) {
            allowed |= bits;
        }
    }
    Ok(Some(Check::BitMap(BitMap { allowed })))
}

/// The bits of an entry: a position, or two that a range runs between.
fn positions(text: &str, width: u32) -> Option<u64> {
    let position = |text: &str| text.trim().parse::<u32>().ok().filter(|bit| *bit < width);
    let (from, to) = match text.split_once("..") {
        Some((from, to)) => (position(from)?, position(to)?),
        None => (position(text)?, position(text)?),
    };
    (from <= to).then(|| (from..=to).fold(0, |bits, bit| bits | 1 << bit))
}

fn is_reserved(subject: &Subject<'_>, at: usize) -> bool {
    let names = subject.qualifiers.get("BitValues");
    let names = names.and_then(|names| names.value.as_array());
    let name = names.and_then(|names| names.get(at));
    name.and_then(CimValue::as_str).is_some_and(says_reserved)
}

#[cfg(test)]
mod tests {
    use super::super::tests::build;
    use super::*;
    use crate::model::CimType;

    fn bits(ty: CimType, entries: &[&str]) -> Result<u64, String> {
        let entries = entries.iter().map(|entry| CimValue::string(*entry));
        match build(RULE, ty, CimValue::Array(entries.collect()))? {
            Some(Check::BitMap(map)) => Ok(map.allowed),
            other => Err(format!("{other:?}")),
        }
    }

    #[test]
    fn positions_and_ranges_become_a_mask() {
        assert_eq!(bits(CimType::Uint8, &["0", "2", "5..7"]), Ok(0b1110_0101));
        assert_eq!(bits(CimType::Uint64, &["63"]), Ok(1 << 63));
        assert_eq!(bits(CimType::Uint32, &["31"]), Ok(1 << 31));
    }

    #[test]
    fn what_is_no_position_is_refused() {
        for (ty, entry) in [
            (CimType::Uint8, "8"),
            (CimType::Sint16, "16"),
            (CimType::Uint8, "7..6"),
            (CimType::Uint8, "x"),
            (CimType::Uint8, "-1"),
            (CimType::String, "0"),
        ] {
            assert!(bits(ty, &[entry]).is_err(), "{entry:?} was taken on {ty}");
        }
    }

    #[test]
    fn a_number_may_set_the_listed_bits_alone() {
        let map = BitMap { allowed: 0b101 };
        assert_eq!(map.check(&CimValue::Uint8(0b101)), Ok(()));
        let wrong = map.check(&CimValue::Uint8(0b111)).expect_err("bit 1");
        assert_eq!(
            wrong.to_string(),
            "7 sets bit 1, which is not in BitMap {0, 2}"
        );
        let all = BitMap { allowed: 0xff };
        assert_eq!(all.check(&CimValue::Sint8(-1)), Ok(()));
        assert!(map.check(&CimValue::Sint8(-1)).is_err());
    }
}
