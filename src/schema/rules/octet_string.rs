//! `OctetString`: octets that begin with their own length (DSP0004 2.8 §5.6.3).

use crate::model::{Check, CimType};

use super::{Rule, Subject, is_set};

pub(super) const RULE: Rule = Rule {
    qualifier: "OctetString",
    build,
};

fn build(subject: &Subject<'_>) -> Result<Option<Check>, String> {
    if !is_set(&subject.qualifier.value) {
        return Ok(None);
    }
    match (subject.ty.ty, subject.ty.is_array) {
        (CimType::Uint8, true) | (CimType::String, _) => Ok(Some(Check::OctetString)),
        _ => Err("OctetString stands on uint8[] and on strings only".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::build;
    use super::*;
    use crate::model::CimValue;

    #[test]
    fn it_stands_on_octets_and_strings() {
        let on = CimValue::Boolean(true);
        assert_eq!(
            build(RULE, CimType::String, on.clone()),
            Ok(Some(Check::OctetString))
        );
        assert_eq!(
            build(RULE, CimType::String, CimValue::Boolean(false)),
            Ok(None)
        );
        assert!(
            build(RULE, CimType::Uint8, on).is_err(),
            "a single octet has no room for a length"
        );
    }
}
