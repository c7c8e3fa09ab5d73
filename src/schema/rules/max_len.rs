//! `MaxLen`: the longest text that a string may be, counted in characters (DSP0004 2.8 §5.6.3).

use crate::model::Check;

use super::{Rule, Subject};

pub(super) const RULE: Rule = Rule {
    qualifier: "MaxLen",
    build,
};

fn build(subject: &Subject<'_>) -> Result<Option<Check>, String> {
    if subject.qualifier.value.is_null() {
        return Ok(None);
    }
    if !subject.is_string() {
        return Err("MaxLen stands on strings only".to_owned());
    }
    subject
        .length()
        .map(|length| Some(Check::MaxLen(length)))
        .ok_or_else(|| "not a length".to_owned())
}

#[cfg(test)]
mod tests {
    use super::super::tests::build;
    use super::*;
    use crate::model::{CimType, CimValue};

    #[test]
    fn it_checks_strings_alone() {
        let value = CimValue::Uint32(5);
        assert_eq!(
            build(RULE, CimType::String, value.clone()),
            Ok(Some(Check::MaxLen(5)))
        );
        assert_eq!(build(RULE, CimType::String, CimValue::Null), Ok(None));
        assert!(build(RULE, CimType::Uint8, value).is_err());
    }
}
