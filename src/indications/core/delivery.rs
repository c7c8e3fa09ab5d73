//! One destination: its indications go out one after the other, each until it is taken or given up.
//!
//! The queue itself is in the store, in order, and its head is all that is looked at here. An
//! indication keeps its place through every attempt, so order is never lost; it leaves the queue
//! when the listener took it, when its attempts are used up, when it is older than a listener
//! remembers (DSP1054 1.2: attempts times interval times ten), or when it cannot be sent to anybody.

use std::time::Duration;

/// Lifetimes of a sequence identifier, counted in retry cycles.
const LIFETIME_CYCLES: u32 = 10;
/// An indication is worth sending for at least so long, however short the retries are.
const SHORTEST_LIFETIME: Duration = Duration::from_mins(10);

/// How often and how long delivery is tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Policy {
    /// `DeliveryRetryAttempts`: attempts after the first.
    pub retries: u16,
    /// `DeliveryRetryInterval`: from a failed attempt to the next.
    pub interval: Duration,
}

impl Policy {
    /// How old an indication may become before it is given up unsent.
    pub fn lifetime(&self) -> Duration {
        let cycle = self.interval.saturating_mul(self.retries.into());
        cycle.saturating_mul(LIFETIME_CYCLES).max(SHORTEST_LIFETIME)
    }
}

/// Something that happened to a destination.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event {
    /// Its queue has got longer.
    Queued,
    /// The listener took the head of the queue.
    Taken,
    /// The attempt to deliver the head failed.
    Failed,
    /// The head cannot be sent to anybody, whoever listens.
    Damaged,
    /// There was nothing at the head of the queue.
    Drained,
    /// Time has passed.
    Time,
    /// The settings of the service changed.
    Settings(Policy),
}

/// Something that is to be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// Send the head of the queue and report what became of it; first drop what is older than
    /// `lifetime`.
    Send {
        /// How old an indication may be.
        lifetime: Duration,
    },
    /// Remove the head: the listener has it.
    Settle,
    /// Remove the head: nobody will have it, which is no fault of the listener.
    Drop,
    /// Remove the head: it is given up, and deliveries have failed for so long.
    GiveUp {
        /// Since the first failure after the last success.
        failing: Duration,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// The queue is empty as far as is known.
    Idle,
    /// The head is on its way.
    Sending,
    /// The next attempt is due at this time.
    Waiting(Duration),
}

/// The state of the deliveries to one destination.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    policy: Policy,
    state: State,
    /// Attempts at the head that failed.
    failures: u16,
    /// When the first attempt failed since the last success.
    failing_since: Option<Duration>,
    /// More was queued while the head was on its way.
    more: bool,
}

impl Delivery {
    /// A destination about whose queue nothing is known yet.
    pub fn new(policy: Policy) -> Self {
        Self {
            policy,
            state: State::Idle,
            failures: 0,
            failing_since: None,
            more: false,
        }
    }

    /// Takes what happened at `now` and says what is to be done, in order.
    pub fn handle(&mut self, event: Event, now: Duration) -> Vec<Action> {
        match (event, self.state) {
            (Event::Settings(policy), _) => self.settle_in(policy, now),
            (Event::Queued, State::Idle) => self.send(),
            (Event::Queued, State::Sending) => {
                self.more = true;
                Vec::new()
            }
            (Event::Time, State::Waiting(until)) if until <= now => self.send(),
            (Event::Taken, State::Sending) => {
                self.failing_since = None;
                self.next(Action::Settle)
            }
            (Event::Damaged, State::Sending) => self.next(Action::Drop),
            (Event::Failed, State::Sending) => self.failed(now),
            (Event::Drained, State::Sending) if self.more => self.send(),
            (Event::Drained, State::Sending) => {
                self.state = State::Idle;
                self.failures = 0;
                Vec::new()
            }
            // News of an attempt that was not made, or of time that means nothing here.
            (Event::Queued | Event::Time, State::Waiting(_))
            | (Event::Time, State::Idle | State::Sending)
            | (
                Event::Taken | Event::Failed | Event::Damaged | Event::Drained,
                State::Idle | State::Waiting(_),
            ) => Vec::new(),
        }
    }

    /// When time is to be told again; `None` while nothing waits for it.
    pub fn next_wake(&self) -> Option<Duration> {
        match self.state {
            State::Waiting(until) => Some(until),
            State::Idle | State::Sending => None,
        }
    }

    /// Removes the head by `removal` and goes on with what is behind it.
    fn next(&mut self, removal: Action) -> Vec<Action> {
        self.failures = 0;
        let mut actions = vec![removal];
        actions.extend(self.send());
        actions
    }

    fn send(&mut self) -> Vec<Action> {
        self.state = State::Sending;
        self.more = false;
        let lifetime = self.policy.lifetime();
        vec![Action::Send { lifetime }]
    }

    fn failed(&mut self, now: Duration) -> Vec<Action> {
        let since = *self.failing_since.get_or_insert(now);
        self.failures = self.failures.saturating_add(1);
        let given_up = self.failures > self.policy.retries;
        // A listener that cannot be reached is not asked more often because more is queued.
        self.state = State::Waiting(now.saturating_add(self.policy.interval));
        if !given_up {
            return Vec::new();
        }
        self.failures = 0;
        let failing = now.saturating_sub(since);
        vec![Action::GiveUp { failing }]
    }

    /// A wait that is under way becomes no longer than the new interval.
    fn settle_in(&mut self, policy: Policy, now: Duration) -> Vec<Action> {
        self.policy = policy;
        if let State::Waiting(until) = self.state {
            self.state = State::Waiting(until.min(now.saturating_add(policy.interval)));
        }
        Vec::new()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;

    use proptest::prelude::*;

    use super::*;

    const POLICY: Policy = Policy {
        retries: 2,
        interval: Duration::from_secs(30),
    };

    fn second(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn an_indication_is_tried_again_and_then_given_up() {
        let mut delivery = Delivery::new(POLICY);
        let lifetime = POLICY.lifetime();
        let mut check = |event, now, expected: &[Action]| {
            assert_eq!(
                delivery.handle(event, second(now)),
                expected,
                "{event:?} at {now}"
            );
        };
        check(Event::Queued, 0, &[Action::Send { lifetime }]);
        check(Event::Failed, 1, &[]);
        check(Event::Queued, 2, &[]);
        check(Event::Time, 30, &[]);
        check(Event::Time, 31, &[Action::Send { lifetime }]);
        check(Event::Failed, 32, &[]);
        check(Event::Time, 62, &[Action::Send { lifetime }]);
        let failing = second(62);
        check(Event::Failed, 63, &[Action::GiveUp { failing }]);
        check(Event::Time, 93, &[Action::Send { lifetime }]);
        check(
            Event::Taken,
            94,
            &[Action::Settle, Action::Send { lifetime }],
        );
        check(Event::Drained, 94, &[]);
        check(Event::Time, 200, &[]);
    }

    #[test]
    fn what_is_damaged_is_dropped_at_once_and_no_failure_of_the_listener() {
        let mut delivery = Delivery::new(POLICY);
        let lifetime = POLICY.lifetime();
        let send = Action::Send { lifetime };
        assert_eq!(delivery.handle(Event::Queued, second(0)), [send]);
        let next = [Action::Drop, send];
        assert_eq!(delivery.handle(Event::Damaged, second(0)), next);
        // Attempts at the one before do not count for the one behind it, the time of failures does.
        assert_eq!(delivery.handle(Event::Failed, second(10)), []);
        assert_eq!(delivery.handle(Event::Time, second(40)), [send]);
        assert_eq!(delivery.handle(Event::Damaged, second(40)), next);
        for at in [50, 80] {
            assert_eq!(delivery.handle(Event::Failed, second(at)), []);
            assert_eq!(delivery.handle(Event::Time, second(at + 30)), [send]);
        }
        let failing = second(100);
        let given_up = delivery.handle(Event::Failed, second(110));
        assert_eq!(given_up, [Action::GiveUp { failing }]);
    }

    #[test]
    fn without_retries_one_failure_gives_up() {
        let mut delivery = Delivery::new(Policy {
            retries: 0,
            ..POLICY
        });
        delivery.handle(Event::Queued, second(0));
        let given_up = delivery.handle(Event::Failed, second(5));
        let failing = second(0);
        assert_eq!(given_up, [Action::GiveUp { failing }]);
    }

    #[test]
    fn what_is_queued_while_the_queue_is_found_empty_is_sent() {
        let mut delivery = Delivery::new(POLICY);
        let lifetime = POLICY.lifetime();
        delivery.handle(Event::Queued, second(0));
        assert_eq!(delivery.handle(Event::Queued, second(0)), []);
        let sent = delivery.handle(Event::Drained, second(0));
        assert_eq!(sent, [Action::Send { lifetime }]);
    }

    #[test]
    fn a_shorter_interval_cuts_a_wait_short() {
        let mut delivery = Delivery::new(POLICY);
        delivery.handle(Event::Queued, second(0));
        delivery.handle(Event::Failed, second(0));
        let interval = second(5);
        delivery.handle(Event::Settings(Policy { interval, ..POLICY }), second(1));
        assert_eq!(delivery.next_wake(), Some(second(6)));
    }

    #[test]
    fn lifetimes_follow_the_profile_and_are_never_short() {
        let check = |retries, interval, expected| {
            let policy = Policy {
                retries,
                interval: second(interval),
            };
            assert_eq!(policy.lifetime(), second(expected), "{policy:?}");
        };
        check(3, 30, 900);
        check(0, 30, 600);
        check(u16::MAX, 1, 655_350);
    }

    #[derive(Debug, Clone, Copy)]
    enum Step {
        Queue,
        Answer(Event),
        Wait(u64),
    }

    fn step() -> impl Strategy<Value = Step> {
        prop_oneof![
            Just(Step::Queue),
            prop::sample::select(vec![Event::Taken, Event::Failed, Event::Damaged])
                .prop_map(Step::Answer),
            (1..60_u64).prop_map(Step::Wait),
        ]
    }

    /// A listener, the queue in the store, and the clock.
    struct World {
        delivery: Delivery,
        queue: VecDeque<u32>,
        next: u32,
        on_its_way: Option<u32>,
        settled: Vec<u32>,
        attempts: u16,
        now: Duration,
    }

    impl World {
        fn happen(&mut self, event: Event) {
            for action in self.delivery.handle(event, self.now) {
                match action {
                    Action::Send { .. } => {
                        assert_eq!(self.on_its_way, None, "one at a time");
                        match self.queue.front() {
                            Some(head) => self.on_its_way = Some(*head),
                            None => return self.happen(Event::Drained),
                        }
                    }
                    Action::Settle | Action::Drop => {
                        let head = self.queue.pop_front().expect("the head that was sent");
                        self.settled.push(head);
                        self.attempts = 0;
                    }
                    Action::GiveUp { .. } => {
                        assert_eq!(self.attempts, POLICY.retries + 1, "every attempt was made");
                        self.settled.push(self.queue.pop_front().expect("the head"));
                        self.attempts = 0;
                    }
                }
            }
        }

        fn step(&mut self, step: Step) {
            match step {
                Step::Queue => {
                    self.queue.push_back(self.next);
                    self.next += 1;
                    self.happen(Event::Queued);
                }
                Step::Answer(answer) => {
                    if self.on_its_way.take().is_some() {
                        self.attempts += 1;
                        self.happen(answer);
                    }
                }
                Step::Wait(seconds) => {
                    self.now += second(seconds);
                    self.happen(Event::Time);
                }
            }
        }
    }

    proptest! {
        #[test]
        fn every_indication_leaves_once_and_in_order(
            steps in prop::collection::vec(step(), 0..200),
        ) {
            let mut world = World {
                delivery: Delivery::new(POLICY),
                queue: VecDeque::new(),
                next: 0,
                on_its_way: None,
                settled: Vec::new(),
                attempts: 0,
                now: Duration::ZERO,
            };
            for step in steps {
                world.step(step);
            }
            // A listener that answers and time that passes empty every queue.
            for _ in 0..=2 * world.queue.len() {
                world.step(Step::Wait(60));
                world.step(Step::Answer(Event::Taken));
            }
            let expected: Vec<u32> = (0..world.next).collect();
            prop_assert_eq!(world.settled, expected);
            prop_assert_eq!(world.delivery.next_wake(), None);
        }
    }
}
