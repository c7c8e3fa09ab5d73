//! `RepeatNotificationPolicy` of a subscription: which of many indications of one event go out.

use std::collections::HashMap;
use std::time::Duration;

/// Most events that one subscription remembers; beyond it the older half is forgotten, and the next
/// indication of such an event counts as its first.
pub const EVENT_LIMIT: usize = 10_000;

/// The policy with the companions that it requires.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum RepeatPolicy {
    /// 2, 0 and NULL: every indication goes out.
    #[default]
    None,
    /// 3: the first `count` of an event go out, the others wait for a new interval.
    Suppress {
        /// `RepeatNotificationCount`.
        count: u16,
        /// `RepeatNotificationInterval`.
        interval: Duration,
    },
    /// 4: the one after `count` within the interval goes out, then none until the gap is over.
    Delay {
        /// `RepeatNotificationCount`.
        count: u16,
        /// `RepeatNotificationInterval`.
        interval: Duration,
        /// `RepeatNotificationGap`.
        gap: Duration,
    },
}

/// What is remembered of one event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Memory {
    /// Indications in the interval.
    seen: u16,
    /// When the interval began.
    since: Duration,
    /// Nothing goes out before this time.
    quiet_until: Duration,
}

/// What a judgement changed, so that it can be undone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Step {
    event: u64,
    before: Option<Memory>,
    after: Memory,
}

/// The state of one subscription's policy.
#[derive(Debug, Clone, Default)]
pub struct Repeat {
    policy: RepeatPolicy,
    events: HashMap<u64, Memory>,
}

impl Repeat {
    /// A policy that has seen nothing yet.
    pub fn new(policy: RepeatPolicy) -> Self {
        Self {
            policy,
            events: HashMap::new(),
        }
    }

    /// The policy that is kept.
    pub fn policy(&self) -> RepeatPolicy {
        self.policy
    }

    /// Whether an indication of `event` at `now` goes out, and what was remembered of it: a change that
    /// does not happen after all must not count, so whoever made the indication then calls
    /// [`Self::undo`].
    ///
    /// Events are told apart by a hash of their source: the class and the keys of an instance, for
    /// alerts also their EventID.
    pub fn judge(&mut self, event: u64, now: Duration) -> (bool, Option<Step>) {
        let before = self.events.get(&event).copied();
        let passes = self.lets_pass(event, now);
        let after = self.events.get(&event).copied();
        let step = after.map(|after| Step {
            event,
            before,
            after,
        });
        (passes, step)
    }

    /// Forgets what was judged, as long as nothing was judged of that event since.
    pub fn undo(&mut self, step: Step) {
        if self.events.get(&step.event) != Some(&step.after) {
            return;
        }
        match step.before {
            Some(before) => self.events.insert(step.event, before),
            None => self.events.remove(&step.event),
        };
    }

    fn lets_pass(&mut self, event: u64, now: Duration) -> bool {
        match self.policy {
            RepeatPolicy::None => true,
            RepeatPolicy::Suppress { count, interval } => {
                let memory = self.memory(event, now);
                // An interval begins with the first indication after the last one.
                if now.saturating_sub(memory.since) >= interval {
                    (memory.seen, memory.since) = (0, now);
                }
                memory.seen = memory.seen.saturating_add(1);
                memory.seen <= count
            }
            RepeatPolicy::Delay {
                count,
                interval,
                gap,
            } => {
                let memory = self.memory(event, now);
                if now < memory.quiet_until {
                    return false;
                }
                if now.saturating_sub(memory.since) >= interval {
                    (memory.seen, memory.since) = (0, now);
                }
                memory.seen = memory.seen.saturating_add(1);
                let passes = memory.seen > count;
                if passes {
                    // Interval and gap do not overlap: counting begins anew behind the gap.
                    let behind = now.saturating_add(gap);
                    (memory.quiet_until, memory.since, memory.seen) = (behind, behind, 0);
                }
                passes
            }
        }
    }

    fn memory(&mut self, event: u64, now: Duration) -> &mut Memory {
        if self.events.len() >= EVENT_LIMIT && !self.events.contains_key(&event) {
            self.forget_older_half();
        }
        self.events.entry(event).or_insert(Memory {
            seen: 0,
            since: now,
            quiet_until: Duration::ZERO,
        })
    }

    /// Half at a time, so that each new event costs little however many there are.
    fn forget_older_half(&mut self) {
        let mut ages: Vec<(Duration, u64)> =
            self.events.iter().map(|(e, m)| (m.since, *e)).collect();
        let half = ages.len() / 2;
        ages.select_nth_unstable(half);
        for (_, event) in &ages[..half] {
            self.events.remove(event);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn second(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    fn check(policy: RepeatPolicy, expected: &[(u64, bool)]) {
        let mut repeat = Repeat::new(policy);
        for (now, passes) in expected {
            let passed = repeat.lets_pass(1, second(*now));
            assert_eq!(passed, *passes, "{policy:?} at {now}");
        }
    }

    #[test]
    fn without_a_policy_everything_passes() {
        check(RepeatPolicy::None, &[(0, true), (0, true), (0, true)]);
    }

    #[test]
    fn suppress_lets_the_first_pass_in_each_interval() {
        let policy = RepeatPolicy::Suppress {
            count: 2,
            interval: second(10),
        };
        let expected = [
            (5, true),
            (6, true),
            (7, false),
            (14, false),
            (15, true),
            (16, true),
            (24, false),
            (40, true),
        ];
        check(policy, &expected);
    }

    #[test]
    fn delay_lets_one_pass_behind_its_count_and_then_none_in_the_gap() {
        let policy = RepeatPolicy::Delay {
            count: 2,
            interval: second(10),
            gap: second(20),
        };
        let expected = [
            (0, false),
            (1, false),
            (2, true),
            (3, false),
            (21, false),
            (22, false),
            (23, false),
            (24, true),
            // The count is not reached within one interval.
            (50, false),
            (55, false),
            (61, false),
        ];
        check(policy, &expected);
    }

    #[test]
    fn what_did_not_happen_does_not_count() {
        let (interval, gap) = (second(10), second(20));
        let delay = RepeatPolicy::Delay {
            count: 1,
            interval,
            gap,
        };
        for (policy, first) in [
            (RepeatPolicy::Suppress { count: 1, interval }, true),
            (delay, false),
        ] {
            let mut repeat = Repeat::new(policy);
            // Two indications of one transaction, which is rolled back.
            let steps = [0, 1].map(|now| repeat.judge(1, second(now)).1);
            for step in steps.into_iter().rev().flatten() {
                repeat.undo(step);
            }
            assert!(repeat.events.is_empty(), "{policy:?}");
            assert_eq!(repeat.lets_pass(1, second(2)), first, "{policy:?}");
            assert_eq!(repeat.lets_pass(1, second(3)), !first, "{policy:?}");
        }
    }

    #[test]
    fn events_are_counted_apart_and_the_oldest_are_forgotten() {
        let mut repeat = Repeat::new(RepeatPolicy::Suppress {
            count: 1,
            interval: second(1_000_000),
        });
        for event in 0..=EVENT_LIMIT as u64 {
            assert!(repeat.lets_pass(event, second(event)), "{event}");
        }
        assert!(repeat.events.len() <= EVENT_LIMIT, "the memory is bounded");
        let now = second(EVENT_LIMIT as u64 + 1);
        assert!(repeat.lets_pass(0, now), "event 0 was forgotten");
        assert!(
            !repeat.lets_pass(EVENT_LIMIT as u64, now),
            "the newest was not"
        );
    }

    proptest! {
        #[test]
        fn suppress_never_lets_more_than_its_count_pass_in_an_interval(
            gaps in prop::collection::vec(0..5_u64, 1..100),
            count in 1..4_u16,
        ) {
            let interval = second(10);
            let mut repeat = Repeat::new(RepeatPolicy::Suppress { count, interval });
            let mut now = Duration::ZERO;
            let mut passed: Vec<Duration> = Vec::new();
            for gap in gaps {
                now += second(gap);
                if repeat.lets_pass(7, now) {
                    passed.push(now);
                }
            }
            prop_assert!(!passed.is_empty());
            let per_two = usize::from(count) * 2;
            for window in passed.windows(per_two + 1) {
                prop_assert!(window[per_two] >= window[0] + interval, "{:?}", passed);
            }
        }
    }
}
