//! `MaxValue`: the highest number that a value may be, itself included (DSP0004 2.8 §5.6.3).
//!
//! On an interval it counts days: the CIM schema bounds one datetime, an idle time of so many days.
//! A timestamp, and a real that is NaN, is neither above nor below anything.

use crate::model::Check;

use super::{Rule, Subject};

pub(super) const RULE: Rule = Rule {
    qualifier: "MaxValue",
    build,
};

fn build(subject: &Subject<'_>) -> Result<Option<Check>, String> {
    if !subject.is_measured() {
        return Err("MaxValue stands on numbers and datetimes only".to_owned());
    }
    Ok(subject.integer().map(Check::MaxValue))
}

#[cfg(test)]
mod tests {
    use super::super::tests::build;
    use super::*;
    use crate::model::{CimType, CimValue};

    #[test]
    fn it_bounds_numbers_and_intervals_alone() {
        let value = CimValue::Sint64(-31);
        for ty in [CimType::Sint8, CimType::Real32, CimType::DateTime] {
            let built = build(RULE, ty, value.clone());
            assert_eq!(built, Ok(Some(Check::MaxValue(-31))), "{ty}");
        }
        assert_eq!(build(RULE, CimType::Sint8, CimValue::Null), Ok(None));
        assert!(build(RULE, CimType::String, value).is_err());
    }
}
