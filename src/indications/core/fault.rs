//! What a failing destination does to its subscriptions: `OnFatalErrorPolicy` of each, and
//! `SubscriptionRemovalAction` of the service.

use std::time::Duration;

/// `OnFatalErrorPolicy` of a subscription.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum FaultPolicy {
    /// 2, and NULL: best effort goes on.
    #[default]
    Ignore,
    /// 3: the subscription is disabled until a client enables it again.
    Disable,
    /// 4: the subscription is deleted.
    Remove,
}

impl FaultPolicy {
    /// The policy of that value, if this server has it.
    pub fn of(value: u16) -> Option<Self> {
        match value {
            2 => Some(Self::Ignore),
            3 => Some(Self::Disable),
            4 => Some(Self::Remove),
            _ => None,
        }
    }
}

/// `SubscriptionRemovalAction` of the service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum RemovalAction {
    /// 2: subscriptions of a destination that fails for too long are deleted.
    Remove,
    /// 3: nothing is ever removed.
    #[default]
    Disable,
    /// 4: nothing is removed for the time being.
    Ignore,
}

impl RemovalAction {
    /// The action of that value, if there is one.
    pub fn of(value: u16) -> Option<Self> {
        match value {
            2 => Some(Self::Remove),
            3 => Some(Self::Disable),
            4 => Some(Self::Ignore),
            _ => None,
        }
    }
}

/// When the service removes subscriptions by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Removal {
    /// What it does.
    pub action: RemovalAction,
    /// `SubscriptionRemovalTimeInterval`: for how long deliveries must have failed before.
    pub after: Duration,
}

/// What becomes of a subscription.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Judgement {
    /// It stays as it is.
    Keep,
    /// `SubscriptionState` becomes 4.
    Disable,
    /// It is deleted.
    Remove,
}

impl Judgement {
    /// The judgement of a subscription when an indication for its destination was given up after
    /// deliveries had been `failing` for so long.
    ///
    /// `trigger` is `FailureTriggerTimeInterval`, before which its own policy does not act.
    pub fn of(policy: FaultPolicy, trigger: Duration, removal: Removal, failing: Duration) -> Self {
        let own = match policy {
            _ if failing < trigger => Self::Keep,
            FaultPolicy::Ignore => Self::Keep,
            FaultPolicy::Disable => Self::Disable,
            FaultPolicy::Remove => Self::Remove,
        };
        let service = match removal.action {
            RemovalAction::Remove if failing > removal.after => Self::Remove,
            RemovalAction::Remove | RemovalAction::Disable | RemovalAction::Ignore => Self::Keep,
        };
        own.max(service)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_policy_acts_when_its_time_has_come() {
        let check = |policy, trigger, action, failing, expected| {
            let removal = Removal {
                action,
                after: Duration::from_secs(100),
            };
            let trigger = Duration::from_secs(trigger);
            let found = Judgement::of(policy, trigger, removal, Duration::from_secs(failing));
            assert_eq!(
                found, expected,
                "{policy:?} {trigger:?} {action:?} {failing}"
            );
        };
        let never = RemovalAction::Disable;
        check(FaultPolicy::Ignore, 0, never, 1000, Judgement::Keep);
        check(FaultPolicy::Disable, 0, never, 0, Judgement::Disable);
        check(FaultPolicy::Disable, 60, never, 59, Judgement::Keep);
        check(FaultPolicy::Disable, 60, never, 60, Judgement::Disable);
        check(FaultPolicy::Remove, 0, never, 0, Judgement::Remove);
        check(
            FaultPolicy::Ignore,
            0,
            RemovalAction::Remove,
            100,
            Judgement::Keep,
        );
        check(
            FaultPolicy::Ignore,
            0,
            RemovalAction::Remove,
            101,
            Judgement::Remove,
        );
        check(
            FaultPolicy::Disable,
            0,
            RemovalAction::Remove,
            101,
            Judgement::Remove,
        );
        check(
            FaultPolicy::Ignore,
            0,
            RemovalAction::Ignore,
            1000,
            Judgement::Keep,
        );
    }

    #[test]
    fn values_of_the_schema_are_read_and_no_others() {
        let policies: Vec<_> = (0..6).map(FaultPolicy::of).collect();
        let (ignore, disable) = (Some(FaultPolicy::Ignore), Some(FaultPolicy::Disable));
        let expected = [None, None, ignore, disable, Some(FaultPolicy::Remove), None];
        assert_eq!(policies, expected);
        assert_eq!(RemovalAction::of(2), Some(RemovalAction::Remove));
        assert_eq!(RemovalAction::of(5), None);
    }
}
