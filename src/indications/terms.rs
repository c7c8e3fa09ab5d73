//! The terms of a subscription: what its properties mean, and which of them contradict each other.
//!
//! Types, ranges and value maps were judged by the schema; here are the rules that span properties,
//! and the values that the schema has and this server does not.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

use crate::model::{CimDateTime, CimError, CimValue, Instance, Result};

use super::core::{FaultPolicy, RepeatPolicy};

/// `SubscriptionState` 2.
const ENABLED: u16 = 2;
/// `SubscriptionState` 4.
pub const DISABLED: u16 = 4;
/// A value of an enumeration that a text explains.
const OTHER: i128 = 1;

/// What a subscription asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Terms {
    /// Whether anything is sent.
    pub enabled: bool,
    /// When `SubscriptionDuration` is over.
    pub until: Option<DateTime<Utc>>,
    /// `OnFatalErrorPolicy`.
    pub fault: FaultPolicy,
    /// `FailureTriggerTimeInterval`.
    pub trigger: Duration,
    /// `RepeatNotificationPolicy` with its companions.
    pub repeat: RepeatPolicy,
}

impl Terms {
    /// The terms that `subscription` states.
    ///
    /// # Errors
    /// `INVALID_PARAMETER` for a text without its value 1 or the reverse and for a policy without what
    /// it requires, `NOT_SUPPORTED` for values that this server does not have.
    pub fn of(subscription: &Instance) -> Result<Self> {
        for (value, text) in [
            ("OnFatalErrorPolicy", "OtherOnFatalErrorPolicy"),
            ("SubscriptionState", "OtherSubscriptionState"),
            ("RepeatNotificationPolicy", "OtherRepeatNotificationPolicy"),
        ] {
            other(subscription, value, text)?;
        }
        let started = subscription.value("SubscriptionStartTime").as_datetime();
        let started = started.and_then(|time: CimDateTime| time.as_instant());
        let length = seconds(subscription, "SubscriptionDuration");
        Ok(Self {
            enabled: enabled(subscription)?,
            until: started
                .zip(length)
                .and_then(|(start, length)| end(start, length)),
            fault: fault(subscription)?,
            trigger: seconds(subscription, "FailureTriggerTimeInterval").unwrap_or_default(),
            repeat: repeat(subscription)?,
        })
    }
}

/// Gives a new subscription what its client left to the server.
///
/// # Errors
/// `NOT_SUPPORTED` where the client asks for alerts of changes of its state.
pub fn complete(subscription: &mut Instance, now: DateTime<Utc>) -> Result<()> {
    if subscription.value("AlertOnStateChange").as_bool() == Some(true) {
        let text =
            "AlertOnStateChange: subscribe to CIM_InstModification of the subscription instead";
        return Err(CimError::not_supported(text));
    }
    for (name, value) in [
        ("OnFatalErrorPolicy", 2),
        ("RepeatNotificationPolicy", 2),
        ("SubscriptionState", ENABLED),
    ] {
        if subscription.value(name).is_null() {
            subscription.set(name, CimValue::Uint16(value))?;
        }
    }
    for name in [
        "SubscriptionTimeRemaining",
        "LastIndicationIdentifier",
        "LastIndicationProductionDateTime",
    ] {
        subscription.set(name, CimValue::Null)?;
    }
    let now = CimValue::DateTime(CimDateTime::timestamp(now));
    subscription.set("SubscriptionStartTime", now.clone())?;
    subscription.set("TimeOfLastStateChange", now)
}

/// `SubscriptionTimeRemaining` of a subscription that ends at `until`.
pub fn remaining(until: DateTime<Utc>, now: DateTime<Utc>) -> u64 {
    (until - now).num_seconds().max(0).unsigned_abs()
}

/// An end beyond all time is none.
fn end(start: DateTime<Utc>, length: Duration) -> Option<DateTime<Utc>> {
    start.checked_add_signed(TimeDelta::from_std(length).ok()?)
}

fn number(instance: &Instance, name: &str) -> Option<i128> {
    instance.value(name).as_integer()
}

fn seconds(instance: &Instance, name: &str) -> Option<Duration> {
    let seconds = u64::try_from(number(instance, name)?).ok()?;
    Some(Duration::from_secs(seconds))
}

/// The text stands where the value is 1, and nowhere else.
fn other(instance: &Instance, value: &str, text: &str) -> Result<()> {
    let is_other = number(instance, value) == Some(OTHER);
    match (is_other, instance.value(text).is_null()) {
        (true, false) | (false, true) => Ok(()),
        (true, true) => Err(CimError::invalid_parameter(format!(
            "{text}: {value} is 1 (Other), which this must explain"
        ))),
        (false, false) => Err(CimError::invalid_parameter(format!(
            "{text}: {value} is not 1 (Other)"
        ))),
    }
}

fn unsupported(name: &str, value: i128) -> CimError {
    CimError::not_supported(format!(
        "{name}: this server does not have the value {value}"
    ))
}

fn enabled(instance: &Instance) -> Result<bool> {
    match number(instance, "SubscriptionState") {
        None => Ok(true),
        Some(state) if state == i128::from(ENABLED) => Ok(true),
        Some(state) if state == i128::from(DISABLED) => Ok(false),
        Some(state) => Err(unsupported("SubscriptionState", state)),
    }
}

fn fault(instance: &Instance) -> Result<FaultPolicy> {
    const NAME: &str = "OnFatalErrorPolicy";
    let Some(value) = number(instance, NAME) else {
        return Ok(FaultPolicy::default());
    };
    let known = u16::try_from(value).ok().and_then(FaultPolicy::of);
    known.ok_or_else(|| unsupported(NAME, value))
}

fn repeat(instance: &Instance) -> Result<RepeatPolicy> {
    const NAME: &str = "RepeatNotificationPolicy";
    let required = |companion: &str| {
        let missing = || {
            let text = format!("{companion}: {NAME} requires a value");
            CimError::invalid_parameter(text)
        };
        number(instance, companion).ok_or_else(missing)
    };
    let count = || -> Result<u16> {
        let count = required("RepeatNotificationCount")?;
        Ok(u16::try_from(count).unwrap_or(u16::MAX))
    };
    let length = |companion: &str| -> Result<Duration> {
        let seconds = required(companion)?;
        Ok(Duration::from_secs(
            u64::try_from(seconds).unwrap_or(u64::MAX),
        ))
    };
    match number(instance, NAME) {
        None | Some(0 | 2) => Ok(RepeatPolicy::None),
        Some(3) => Ok(RepeatPolicy::Suppress {
            count: count()?,
            interval: length("RepeatNotificationInterval")?,
        }),
        Some(4) => Ok(RepeatPolicy::Delay {
            count: count()?,
            interval: length("RepeatNotificationInterval")?,
            gap: length("RepeatNotificationGap")?,
        }),
        Some(value) => Err(unsupported(NAME, value)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::indications::tests::schema;
    use crate::model::Status;

    fn subscription(values: &[(&str, CimValue)]) -> Instance {
        let class = schema()
            .class("CIM_IndicationSubscription")
            .expect("ours")
            .clone();
        let mut instance = Instance::empty(class);
        for (name, value) in values {
            instance
                .set(name, value.clone())
                .expect("a value of its type");
        }
        instance
    }

    fn at(second: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_800_000_000 + second, 0).expect("a time")
    }

    #[test]
    fn a_bare_subscription_is_enabled_endless_and_patient() {
        let mut instance = subscription(&[]);
        let bare = Terms::of(&instance).expect("no rule is broken");
        complete(&mut instance, at(0)).expect("the properties are there");
        assert_eq!(Terms::of(&instance), Ok(bare));
        assert_eq!((bare.enabled, bare.until), (true, None));
        assert_eq!(
            (bare.fault, bare.repeat),
            (FaultPolicy::Ignore, RepeatPolicy::None)
        );
        assert_eq!(instance.value("SubscriptionState"), &CimValue::Uint16(2));
    }

    #[test]
    fn a_duration_counts_from_the_start() {
        let duration = |seconds| {
            let values = [("SubscriptionDuration", CimValue::Uint64(seconds))];
            let mut instance = subscription(&values);
            complete(&mut instance, at(0)).expect("the properties are there");
            Terms::of(&instance).expect("no rule is broken").until
        };
        assert_eq!(duration(60), Some(at(60)));
        assert_eq!(duration(u64::MAX), None, "longer than time itself");
        assert_eq!(remaining(at(60), at(45)), 15);
        assert_eq!(remaining(at(60), at(75)), 0);
    }

    #[test]
    fn a_policy_needs_all_that_it_requires() {
        let check = |values: &[(&str, CimValue)], is_enough: bool| {
            let found = Terms::of(&subscription(values));
            let found = found.map(drop).map_err(|error| error.status);
            let expected = if is_enough {
                Ok(())
            } else {
                Err(Status::InvalidParameter)
            };
            assert_eq!(found, expected, "{values:?}");
        };
        let policy = |value| ("RepeatNotificationPolicy", CimValue::Uint16(value));
        let count = ("RepeatNotificationCount", CimValue::Uint16(3));
        let interval = ("RepeatNotificationInterval", CimValue::Uint64(60));
        let gap = ("RepeatNotificationGap", CimValue::Uint64(90));
        for value in [0, 2] {
            check(&[policy(value)], true);
        }
        check(&[policy(3), count.clone(), interval.clone()], true);
        check(&[policy(3), count.clone()], false);
        check(&[policy(3), interval.clone()], false);
        let all = [policy(4), count.clone(), interval.clone(), gap.clone()];
        check(&all, true);
        check(&[policy(4), count.clone(), interval.clone()], false);
        check(&[policy(4), count, gap.clone()], false);
        check(&[policy(4), interval, gap], false);
    }

    #[test]
    fn a_text_explains_what_is_other_and_nothing_else() {
        for name in [
            "OnFatalErrorPolicy",
            "SubscriptionState",
            "RepeatNotificationPolicy",
        ] {
            let text = format!("Other{name}");
            let explained = |value| {
                let values = [(name, value), (&*text, CimValue::string("mine"))];
                let found = Terms::of(&subscription(&values));
                found.map(drop).map_err(|error| error.status)
            };
            for value in [CimValue::Null, CimValue::Uint16(2), CimValue::Uint16(4)] {
                let shown = format!("{text} with {value}");
                assert_eq!(explained(value), Err(Status::InvalidParameter), "{shown}");
            }
            assert_eq!(explained(CimValue::Uint16(1)), Err(Status::NotSupported));
        }
    }

    /// The values that the schema lets clients give a property.
    fn value_map(name: &str) -> Vec<u16> {
        let instance = subscription(&[]);
        let property = instance.class.properties.get(name).expect("it has it");
        let map = property.qualifiers.get("ValueMap").expect("its values");
        let values = map.value.as_array().expect("a list").iter();
        let number = |value: &CimValue| value.as_str().expect("a text").parse();
        values
            .map(|value| number(value).expect("a number"))
            .collect()
    }

    /// Each value of the property's ValueMap, and what becomes of a subscription with it that states
    /// whatever any value requires; beside NULL, which is the server's choice.
    fn check_values<T: PartialEq + std::fmt::Debug>(
        name: &str,
        read: impl Fn(&Terms) -> T,
        null: T,
        expected: impl IntoIterator<Item = (u16, Result<T, Status>)>,
    ) {
        let companions = [
            ("RepeatNotificationCount", CimValue::Uint16(3)),
            ("RepeatNotificationInterval", CimValue::Uint64(60)),
            ("RepeatNotificationGap", CimValue::Uint64(90)),
        ];
        let found = |stated: &[(&str, CimValue)]| {
            let terms = Terms::of(&subscription(&[&companions, stated].concat()));
            terms
                .map(|terms| read(&terms))
                .map_err(|error| error.status)
        };
        assert_eq!(found(&[]), Ok(null), "{name} NULL");
        let mut values = Vec::new();
        for (value, expected) in expected {
            let mut stated = vec![(name, CimValue::Uint16(value))];
            let other = format!("Other{name}");
            if i128::from(value) == OTHER {
                let status = Err(Status::InvalidParameter);
                assert_eq!(found(&stated), status, "{other} is missing");
                stated.push((&other, CimValue::string("mine")));
            }
            assert_eq!(found(&stated), expected, "{name} {value}");
            values.push(value);
        }
        assert_eq!(values, value_map(name), "every value of {name} has a row");
    }

    #[test]
    fn every_value_has_its_meaning_or_is_refused() {
        const NOT_HAD: Status = Status::NotSupported;
        check_values(
            "OnFatalErrorPolicy",
            |terms| terms.fault,
            FaultPolicy::Ignore,
            [
                (1, Err(NOT_HAD)),
                (2, Ok(FaultPolicy::Ignore)),
                (3, Ok(FaultPolicy::Disable)),
                (4, Ok(FaultPolicy::Remove)),
            ],
        );
        check_values(
            "SubscriptionState",
            |terms| terms.enabled,
            true,
            [
                (0, Err(NOT_HAD)),
                (1, Err(NOT_HAD)),
                (2, Ok(true)),
                (3, Err(NOT_HAD)),
                (4, Ok(false)),
            ],
        );
        let (count, interval) = (3, Duration::from_mins(1));
        let gap = Duration::from_secs(90);
        let suppress = RepeatPolicy::Suppress { count, interval };
        let delay = RepeatPolicy::Delay {
            count,
            interval,
            gap,
        };
        check_values(
            "RepeatNotificationPolicy",
            |terms| terms.repeat,
            RepeatPolicy::None,
            [
                (0, Ok(RepeatPolicy::None)),
                (1, Err(NOT_HAD)),
                (2, Ok(RepeatPolicy::None)),
                (3, Ok(suppress)),
                (4, Ok(delay)),
            ],
        );
    }
}
