//! Queues by example: what they do with jobs, and what they refuse.

use std::time::Duration;

use chrono::TimeDelta;

use super::super::bench::{Bench, fields, seconds};
use super::super::*;

#[test]
fn a_queue_does_what_its_state_says() {
    // EnabledState, whether a job is taken, whether it is started.
    for (requested, takes, starts) in [
        (2, true, true),
        (3, false, false),
        (6, false, true),
        (8, true, false),
    ] {
        let mut bench = Bench::new(1);
        bench.order("q", QueueOrder::Create(QueueLimits::default()));
        let on_q = |f: &mut JobFields| f.queue_name = Some("q".to_owned());
        bench.submit("runs", on_q);
        bench.submit("waits", on_q);
        assert_eq!(
            bench.order("q", QueueOrder::Request(requested)),
            Answer::Code(0)
        );
        let mut fields = fields();
        on_q(&mut fields);
        let taken = matches!(bench.try_submit("late", fields), Answer::Submitted(..));
        assert_eq!(taken, takes, "EnabledState {requested}");
        bench.bring_up("runs");
        bench.end("runs", Exit::Code(0));
        let started = bench.state("waits") == JobState::Starting;
        assert_eq!(started, starts, "EnabledState {requested}");
        let view = bench.queue("q");
        let reason = bench
            .job("waits")
            .wait_reason(bench.now, Some(&view.record));
        let told = reason.is_some_and(|reason| reason.contains("starts no jobs"));
        assert_eq!(told, !starts, "EnabledState {requested}");
        bench.order("q", QueueOrder::Request(2));
        assert_eq!(
            bench.state("waits"),
            JobState::Starting,
            "it goes on at once"
        );
    }
    let mut bench = Bench::new(1);
    for unsupported in [4, 7, 9, 10, 11] {
        let answer = bench.order(DEFAULT_QUEUE, QueueOrder::Request(unsupported));
        assert_eq!(answer, Answer::Code(1), "{unsupported}");
    }
}

#[test]
fn queues_have_limits_of_their_own() {
    let mut bench = Bench::new(1);
    let limits = QueueLimits {
        max_running: 2,
        default_priority: 7,
        max_jobs: 3,
        max_cpu_millis: 1500,
        ..QueueLimits::default()
    };
    assert_eq!(bench.order("q", QueueOrder::Create(limits)), Answer::Done);
    let on_q = || JobFields {
        queue_name: Some("q".to_owned()),
        ..fields()
    };
    for name in ["a", "b", "c"] {
        bench.try_submit(name, on_q());
    }
    let view = bench.queue("q");
    assert_eq!((view.running, view.waiting, view.jobs), (2, 1, 3));
    assert!(view.is_full());
    let full = bench.try_submit("d", on_q());
    let expected = QueueRefusal::Full("q".to_owned(), 3);
    assert_eq!(full, Answer::Refused(expected.into()));
    bench.submit("elsewhere", |_| {});
    assert_eq!(
        bench.state("elsewhere"),
        JobState::Starting,
        "each has its own slots"
    );
    assert_eq!(bench.job("a").spec.priority(), 7);
    bench.modify("c", Setting::Priority(Some(3)));
    bench.modify("c", Setting::Priority(None));
    assert_eq!(
        bench.job("c").spec.priority(),
        7,
        "NULL is the default again"
    );
    bench.bring_up("a");
    bench.end("a", Exit::Signal(24));
    assert_eq!(
        bench.job("a").error_code(),
        Some(1008),
        "it is MaxJobCPUTime"
    );
    assert_eq!(bench.state("c"), JobState::Starting);
}

#[test]
fn only_an_empty_queue_is_deleted() {
    let mut bench = Bench::new(1);
    bench.order("q", QueueOrder::Create(QueueLimits::default()));
    bench.submit("b", |f| f.queue_name = Some("q".to_owned()));
    bench.submit("c", |f| f.queue_name = Some("q".to_owned()));
    let refused = |refusal: QueueRefusal| Answer::Refused(refusal.into());
    assert_eq!(
        bench.order("q", QueueOrder::Delete),
        refused(QueueRefusal::Busy("q".into(), 2))
    );
    bench.request("b", 5);
    bench.request("c", 5);
    bench.news("b", RunNews::Prepared("identity".into()));
    assert_eq!(bench.order("q", QueueOrder::Delete), Answer::Done);
    assert_eq!(
        bench.order("q", QueueOrder::Delete),
        refused(QueueRefusal::Missing("q".into()))
    );
    let gone = JobFields {
        queue_name: Some("q".to_owned()),
        ..fields()
    };
    let gone = bench.try_submit("e", gone);
    assert!(
        matches!(gone, Answer::Refused(Refusal::Spec(_))),
        "{gone:?}"
    );
}

#[test]
fn what_is_no_queue_is_refused() {
    let mut bench = Bench::new(1);
    let limits = QueueLimits::default();
    let refused = |refusal: QueueRefusal| Answer::Refused(refusal.into());
    let create = QueueOrder::Create;
    assert_eq!(
        bench.order("", create(limits.clone())),
        refused(QueueRefusal::Name)
    );
    assert_eq!(
        bench.order(DEFAULT_QUEUE, create(limits.clone())),
        refused(QueueRefusal::Exists(DEFAULT_QUEUE.into()))
    );
    assert_eq!(
        bench.order(DEFAULT_QUEUE, QueueOrder::Delete),
        refused(QueueRefusal::Default)
    );
    let none = QueueLimits {
        max_running: 0,
        ..limits.clone()
    };
    assert_eq!(
        bench.order("z", create(none)),
        refused(QueueRefusal::MaxRunning)
    );
    for n in 1..QUEUE_LIMIT {
        assert_eq!(
            bench.order(&n.to_string(), create(limits.clone())),
            Answer::Done
        );
    }
    assert_eq!(
        bench.order("more", create(limits)),
        refused(QueueRefusal::TooMany)
    );
}

#[test]
fn what_waits_too_long_leaves_its_queue() {
    let mut bench = Bench::new(1);
    let limits = QueueLimits {
        max_time: Duration::from_mins(1),
        ..QueueLimits::default()
    };
    bench.order(DEFAULT_QUEUE, QueueOrder::Limit(limits));
    bench.submit("runs", |_| {});
    bench.bring_up("runs");
    bench.submit("once", |_| {});
    bench.submit("daily", |f| {
        f.run_start_interval = Some(seconds(12 * 3600 + 30));
        f.job_run_times = Some(0);
    });
    bench.pass(59);
    assert_eq!(bench.state("once"), JobState::New);
    assert_eq!(
        bench.scheduler.next_wake().wall,
        Some(bench.now.wall + TimeDelta::seconds(1))
    );
    bench.pass(1);
    let once = bench.job("once");
    assert_eq!(
        (once.state, once.error_code()),
        (JobState::Terminated, Some(1005))
    );
    bench.pass(60);
    let daily = bench.job("daily");
    assert_eq!(
        (daily.state, daily.error_code()),
        (JobState::New, Some(1005))
    );
    assert_eq!((daily.plan.missed, daily.run_count), (1, 0));
    assert_eq!(
        bench.state("runs"),
        JobState::Running,
        "what runs does not wait"
    );
}
