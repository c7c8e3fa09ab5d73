//! `MinValue`: the lowest number that a value may be, itself included (DSP0004 2.8 §5.6.3).
//!
//! On types other than integers it says nothing: the CIM schema has it once on a datetime.

use crate::model::Check;

use super::{Rule, Subject};

pub(super) const RULE: Rule = Rule {
    qualifier: "MinValue",
    build,
};

#[expect(clippy::unnecessary_wraps, reason = "the shape that every rule has")]
fn build(subject: &Subject<'_>) -> Result<Option<Check>, String> {
    Ok(subject
        .integer()
        .filter(|_| subject.is_integer())
        .map(Check::MinValue))
}

#[cfg(test)]
mod tests {
    use super::super::tests::build;
    use super::*;
    use crate::model::{CimType, CimValue};

    #[test]
    fn it_bounds_integers_and_nothing_else() {
        let value = CimValue::Sint64(-31);
        assert_eq!(
            build(RULE, CimType::Sint8, value.clone()),
            Ok(Some(Check::MinValue(-31)))
        );
        assert_eq!(build(RULE, CimType::DateTime, value), Ok(None));
        assert_eq!(build(RULE, CimType::Sint8, CimValue::Null), Ok(None));
    }
}
