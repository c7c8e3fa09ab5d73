//! `RequestStateChange` as clients call it, of jobs and of queues alike.

use crate::model::{CimDateTime, CimError, Result};
use crate::provider::Arguments;

use super::super::engine::Timeout;
use super::settings::number;

/// Return value 5 of `RequestStateChange`.
pub(super) const INVALID_PARAMETER: u32 = 5;

/// What is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct StateChange {
    /// `RequestedState`.
    pub(super) requested: u16,
    /// `TimeoutPeriod`.
    pub(super) timeout: Timeout,
}

/// What a client asks for; `None`, which is answered 5, where it names no state.
///
/// # Errors
/// `INVALID_PARAMETER` for a `TimeoutPeriod` that is no interval.
pub(super) fn asked(given: &Arguments) -> Result<Option<StateChange>> {
    let Some(requested) = number(given.value("RequestedState")) else {
        return Ok(None);
    };
    let timeout = timeout(given.value("TimeoutPeriod").as_datetime())?;
    Ok(Some(StateChange { requested, timeout }))
}

/// #36: zero or NULL is none; an instant is no period.
fn timeout(written: Option<CimDateTime>) -> Result<Timeout> {
    let Some(written) = written else {
        return Ok(Timeout::None);
    };
    let wrong = || CimError::invalid_parameter("TimeoutPeriod: must be an interval");
    let length = written
        .as_length()
        .filter(|_| !written.has_wildcards())
        .ok_or_else(wrong)?;
    Ok(match length.to_std() {
        Ok(length) if !length.is_zero() => Timeout::After(length),
        Ok(_) | Err(_) => Timeout::None,
    })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use crate::model::{CimName, CimValue};

    use super::*;

    #[test]
    fn a_call_is_a_state_and_a_time() {
        let check = |state: CimValue, time: Option<&str>, expected: Option<Option<Timeout>>| {
            let time = time.map(|time| time.parse().expect("a time"));
            let time = time.map_or(CimValue::Null, CimValue::DateTime);
            let values = [("RequestedState", state), ("TimeoutPeriod", time)];
            let values = values.map(|(name, value)| (CimName::of(name), value));
            let given = Arguments {
                values: values.into_iter().collect(),
            };
            let found = asked(&given).ok();
            let found = found.map(|change| change.map(|change| (change.requested, change.timeout)));
            let expected = expected.map(|timeout| timeout.map(|timeout| (4, timeout)));
            assert_eq!(found, expected, "{given:?}");
        };
        let state = || CimValue::Uint16(4);
        let none = Some(Some(Timeout::None));
        check(state(), None, none);
        check(state(), Some("00000000000000.000000:000"), none);
        let period = Timeout::After(Duration::from_secs(5));
        check(
            state(),
            Some("00000000000005.000000:000"),
            Some(Some(period)),
        );
        check(state(), Some("20260601000000.000000+000"), None);
        check(state(), Some("000000000000**.******:000"), None);
        check(
            CimValue::Null,
            Some("00000000000005.000000:000"),
            Some(None),
        );
    }
}
