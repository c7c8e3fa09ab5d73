//! Random programs against the scheduler in a simulated world, and what must hold in each.

use std::time::Duration;

use chrono::TimeDelta;
use proptest::prelude::*;

use super::world::{World, holds_slot};
use super::{
    DEFAULT_QUEUE, JobState, QueueLimits, QueueOrder, SettingOrder, SettingValues, StartRule,
    Target,
};
use crate::model::datetime::CimDateTime;

/// One step of a random program; numbers choose among what there is.
#[derive(Debug, Clone)]
pub(super) enum Step {
    Submit {
        priority: u32,
        options: Options,
    },
    Priority {
        job: usize,
        priority: u32,
    },
    Until {
        job: usize,
        seconds: i64,
    },
    /// One more schedule, or one less.
    Schedule {
        job: usize,
        half_hour: u64,
        remove: bool,
    },
    /// One more job to wait for, or one less.
    Depend {
        job: usize,
        other: usize,
        condition: u16,
        remove: bool,
    },
    /// Another recovery job, or none.
    Repair {
        job: usize,
        by: usize,
        remove: bool,
    },
    Control {
        job: usize,
        requested: u16,
    },
    Kill {
        job: usize,
        delete: Option<bool>,
    },
    Delete {
        job: usize,
    },
    /// Somebody wants something of a queue.
    Queue {
        other: bool,
        order: QueueOrder,
    },
    /// Somebody wants something of settings of jobs.
    Setting {
        settings: u8,
        order: SettingOrder,
    },
    /// The executor does the oldest thing that it was asked to.
    Work,
    /// A run ends by itself.
    End {
        run: usize,
        status: u8,
    },
    Progress {
        run: usize,
        percent: u8,
    },
    Wait {
        millis: u64,
    },
    Days {
        hours: u64,
    },
    /// The wall clock is set.
    SetClock {
        seconds: i64,
    },
    /// The server dies and starts again; what was not durable is lost.
    Crash,
    /// The disk is full for the next step.
    Full,
}

#[derive(Debug, Clone, Default)]
pub(super) struct Options {
    pub(super) hold: bool,
    pub(super) in_seconds: Option<i64>,
    pub(super) max_elapsed: Option<i64>,
    pub(super) delete: bool,
    pub(super) after: Option<(usize, usize)>,
    pub(super) request_id: Option<u8>,
    pub(super) calendar: Option<Wish>,
    pub(super) recovery: Option<u16>,
    /// 0 for the default one.
    pub(super) queue: u8,
    /// Settings that the job names, which need not be there.
    pub(super) setting: Option<u8>,
    /// What settings may say is left to them.
    pub(super) open: bool,
}

/// A job that recurs every day.
#[derive(Debug, Clone)]
pub(super) struct Wish {
    pub(super) half_hour: u64,
    pub(super) times: u32,
    pub(super) missed: u16,
    pub(super) overlap: u16,
}

fn wish() -> impl Strategy<Value = Wish> {
    let overlap = prop_oneof![Just(2), Just(3), Just(5)];
    (0..48_u64, 0..4_u32, 2..5_u16, overlap).prop_map(|(half_hour, times, missed, overlap)| Wish {
        half_hour,
        times,
        missed,
        overlap,
    })
}

fn order() -> impl Strategy<Value = QueueOrder> {
    let limits =
        (0..4_u32, 0..4_u32, 0..3_u64).prop_map(|(max_running, max_jobs, hours)| QueueLimits {
            max_running,
            max_jobs: max_jobs * 10,
            max_time: Duration::from_hours(hours),
            ..QueueLimits::default()
        });
    prop_oneof![
        2 => limits.clone().prop_map(QueueOrder::Create),
        3 => limits.prop_map(QueueOrder::Limit),
        4 => (2..10_u16).prop_map(QueueOrder::Request),
        1 => Just(QueueOrder::Delete),
    ]
}

fn setting_order() -> impl Strategy<Value = SettingOrder> {
    let values = (
        any::<Option<bool>>(),
        prop::option::of(0..3600_i64),
        prop::option::of(0..6_u16),
        any::<bool>(),
        prop::option::of(0..4_u32),
    );
    let values = values.prop_map(|(delete, keep, action, hook, retries)| SettingValues {
        delete_on_completion: delete,
        time_before_removal: keep.map(|keep| CimDateTime::interval(TimeDelta::seconds(keep))),
        recovery_action: action,
        // One action in two that wants a hook names none, or another one names one: no settings.
        other_recovery_action: hook.then(|| "hook".to_owned()),
        max_retries: retries,
        ..SettingValues::default()
    });
    let targets = [
        Target::Service,
        Target::Queue(DEFAULT_QUEUE.to_owned()),
        Target::Queue("other".to_owned()),
    ];
    let target = prop::sample::select(targets.to_vec());
    prop_oneof![
        4 => values.clone().prop_map(SettingOrder::Create),
        2 => values.prop_map(SettingOrder::Change),
        4 => target.clone().prop_map(SettingOrder::Attach),
        1 => target.prop_map(SettingOrder::Detach),
        1 => Just(SettingOrder::Delete),
    ]
}

fn options() -> impl Strategy<Value = Options> {
    (
        prop::bool::weighted(0.2),
        prop::option::weighted(0.2, -5..60_i64),
        prop::option::weighted(0.2, 1..30_i64),
        any::<bool>(),
        prop::option::weighted(0.2, (0..40_usize, 0..4_usize)),
        prop::option::weighted(0.2, 0..5_u8),
        prop::option::weighted(0.3, wish()),
        prop::option::weighted(0.6, 0..6_u16),
        prop_oneof![3 => Just(0_u8), 1 => Just(1)],
        prop::option::weighted(0.2, 0..3_u8),
        any::<bool>(),
    )
        .prop_map(
            |(
                hold,
                in_seconds,
                max_elapsed,
                delete,
                after,
                request_id,
                calendar,
                recovery,
                queue,
                setting,
                open,
            )| Options {
                hold,
                in_seconds,
                max_elapsed,
                delete,
                after,
                request_id,
                calendar,
                recovery: recovery.filter(|_| !open),
                queue,
                setting,
                open,
            },
        )
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => (0..4_u32, options()).prop_map(|(priority, options)| Step::Submit { priority, options }),
        1 => (0..40_usize, 0..4_u32).prop_map(|(job, priority)| Step::Priority { job, priority }),
        1 => (0..40_usize, 1..30_i64).prop_map(|(job, seconds)| Step::Until { job, seconds }),
        2 => (0..40_usize, 0..48_u64, prop::bool::weighted(0.3))
            .prop_map(|(job, half_hour, remove)| Step::Schedule { job, half_hour, remove }),
        3 => (0..40_usize, 0..40_usize, 2..5_u16, prop::bool::weighted(0.3))
            .prop_map(|(job, other, condition, remove)| Step::Depend { job, other, condition, remove }),
        4 => (0..40_usize, 0..40_usize, prop::bool::weighted(0.2))
            .prop_map(|(job, by, remove)| Step::Repair { job, by, remove }),
        4 => (0..40_usize, 2..7_u16).prop_map(|(job, requested)| Step::Control { job, requested }),
        1 => (0..40_usize, any::<Option<bool>>()).prop_map(|(job, delete)| Step::Kill { job, delete }),
        1 => (0..40_usize).prop_map(|job| Step::Delete { job }),
        3 => (any::<bool>(), order()).prop_map(|(other, order)| Step::Queue { other, order }),
        4 => (0..3_u8, setting_order()).prop_map(|(settings, order)| Step::Setting { settings, order }),
        12 => Just(Step::Work),
        4 => (0..10_usize, 0..3_u8).prop_map(|(run, status)| Step::End { run, status }),
        1 => (0..10_usize, 0..120_u8).prop_map(|(run, percent)| Step::Progress { run, percent }),
        4 => (1..20_000_u64).prop_map(|millis| Step::Wait { millis }),
        2 => (1..60_u64).prop_map(|hours| Step::Days { hours }),
        1 => (-3600..3600_i64).prop_map(|seconds| Step::SetClock { seconds }),
        1 => Just(Step::Crash),
        1 => Just(Step::Full),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_program_breaks_the_promises(steps in prop::collection::vec(step(), 1..80)) {
        let mut world = World::new();
        for step in steps {
            world.take(step);
            world.check();
        }
        world.settle();
        world.check();
        world.wait(10_000);
        prop_assert!(world.waiting.is_empty(), "every request is answered in time");
        world.settle();
        let stuck = world.scheduler.jobs().find(|job| holds_slot(job));
        prop_assert!(stuck.is_none(), "{:?} keeps a slot without a process", stuck);
        let waiting = world.scheduler.jobs().find(|job| {
            let waits = job.state == JobState::New && job.ready.is_some();
            waits && world.queues[job.spec.queue()].state.starts()
        });
        prop_assert!(waiting.is_none(), "{:?} waits although slots are free", waiting);
        let forgotten = world.scheduler.jobs().find(|job| {
            let waits = job.state == JobState::New && job.ready.is_none();
            let waits = waits && job.awaited.is_empty() && job.plan.retry_at.is_none();
            waits && job.start() == StartRule::Immediately
        });
        prop_assert!(forgotten.is_none(), "{:?} waits for nothing", forgotten);
    }
}
