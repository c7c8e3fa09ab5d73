//! `ArrayType`: what the order of an array's entries means (DSP0004 2.8 §5.6.3).
//!
//! Entries are always kept in their order, so it forbids no value; what it says decides whether
//! two arrays are the same ([`crate::model::Slot::same`]).

use crate::model::{ArrayKind, Check, Qualifier};

use super::{Rule, Subject};

pub(super) const RULE: Rule = Rule {
    qualifier: "ArrayType",
    build,
};

fn build(subject: &Subject<'_>) -> Result<Option<Check>, String> {
    let Some(word) = subject.qualifier.value.as_str() else {
        return Ok(None);
    };
    if !subject.ty.is_array {
        return Err("ArrayType stands on arrays only".to_owned());
    }
    parse(word)
        .map(|_| None)
        .ok_or_else(|| format!("\"{word}\" is none of Bag, Ordered and Indexed"))
}

/// The CIM schema writes the words in more than one case.
fn parse(word: &str) -> Option<ArrayKind> {
    let named = [
        ("Bag", ArrayKind::Bag),
        ("Ordered", ArrayKind::Ordered),
        ("Indexed", ArrayKind::Indexed),
    ];
    let found = named
        .into_iter()
        .find(|(name, _)| name.eq_ignore_ascii_case(word));
    found.map(|(_, kind)| kind)
}

/// The kind of array that the qualifier, if there is one, makes of an element.
pub(in crate::schema) fn array_kind(qualifier: Option<&Qualifier>) -> ArrayKind {
    let word = qualifier.and_then(|qualifier| qualifier.value.as_str());
    word.and_then(parse).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::super::tests::{build, build_on};
    use super::*;
    use crate::model::{CimType, CimValue, TypeDecl};

    #[test]
    fn it_is_one_of_three_words_on_an_array() {
        let array = TypeDecl {
            is_array: true,
            ..TypeDecl::scalar(CimType::String)
        };
        let on_array = |word: &str| build_on(RULE, &array, CimValue::string(word));
        assert_eq!(on_array("indexed"), Ok(None));
        assert!(on_array("Sorted").is_err());
        assert!(build(RULE, CimType::String, CimValue::string("Bag")).is_err());
    }

    #[test]
    fn the_word_decides_whether_order_matters() {
        for (word, kind) in [("bag", ArrayKind::Bag), ("ORDERED", ArrayKind::Ordered)] {
            let used = super::super::tests::qualifier("ArrayType", CimValue::string(word));
            assert_eq!(array_kind(Some(&used)), kind, "{word}");
        }
        assert_eq!(array_kind(None), ArrayKind::Bag);
    }
}
