//! Settings by example: who says what of a job that leaves it open.

use super::super::bench::{Bench, fields, seconds};
use super::super::*;

fn order(bench: &mut Bench, id: &str, order: SettingOrder) -> Answer {
    let ticket = bench.ticket();
    let id = id.to_owned();
    bench.handle(Event::Setting { ticket, id, order });
    bench.answer(ticket).expect("it is answered at once")
}

fn values(action: u16, retries: u32) -> SettingValues {
    SettingValues {
        recovery_action: Some(action),
        max_retries: Some(retries),
        ..SettingValues::default()
    }
}

fn on(queue: &str) -> Target {
    Target::Queue(queue.to_owned())
}

fn bench() -> Bench {
    let mut bench = Bench::new(9);
    bench.order("q", QueueOrder::Create(QueueLimits::default()));
    for (id, values) in [
        (
            "own",
            SettingValues {
                recovery_action: Some(3),
                ..SettingValues::default()
            },
        ),
        ("queue", values(2, 7)),
        (
            "service",
            SettingValues {
                delete_on_completion: Some(true),
                time_before_removal: Some(seconds(9)),
                ..values(4, 8)
            },
        ),
    ] {
        assert_eq!(
            order(&mut bench, id, SettingOrder::Create(values)),
            Answer::Done
        );
    }
    for (id, target) in [("queue", on("q")), ("service", Target::Service)] {
        assert_eq!(
            order(&mut bench, id, SettingOrder::Attach(target)),
            Answer::Done
        );
    }
    bench
}

#[test]
fn the_nearest_settings_win_and_what_was_given_before_all() {
    let mut bench = bench();
    let said = |bench: &mut Bench, name: &str, change: &dyn Fn(&mut JobFields)| {
        bench.submit(name, change);
        let job = bench.job(name);
        let fields = job.spec.fields();
        (
            fields.recovery_action,
            fields.max_retries,
            fields.delete_on_completion,
        )
    };
    let on_q = |f: &mut JobFields| f.queue_name = Some("q".to_owned());
    let found = said(&mut bench, "given", &|f| {
        on_q(f);
        f.setting_id = Some("own".to_owned());
        f.recovery_action = Some(0);
        f.delete_on_completion = Some(false);
    });
    assert_eq!(found, (Some(0), Some(7), Some(false)));
    let found = said(&mut bench, "own", &|f| {
        on_q(f);
        f.setting_id = Some("own".to_owned());
    });
    assert_eq!(found, (Some(3), Some(7), Some(true)));
    let found = said(&mut bench, "queue", &on_q);
    assert_eq!(found, (Some(2), Some(7), Some(true)));
    let found = said(&mut bench, "service", &|_| {});
    assert_eq!(found, (Some(4), Some(8), Some(true)));
    let stays = bench.job("service").spec.time_before_removal();
    assert_eq!(stays, Some(std::time::Duration::from_secs(9)));
    // They are read once.
    order(&mut bench, "service", SettingOrder::Change(values(1, 1)));
    assert_eq!(bench.job("service").spec.recovery_action(), 4);
    order(&mut bench, "service", SettingOrder::Detach(Target::Service));
    assert_eq!(
        said(&mut bench, "none", &|_| {}),
        (None, Some(3), Some(false))
    );
}

#[test]
fn settings_obey_the_rules_of_jobs_and_are_one_for_each_element() {
    let mut bench = bench();
    let refused = |answer: Answer| match answer {
        Answer::Refused(refusal) => refusal.to_string(),
        other => panic!("{other:?} is no refusal"),
    };
    let orphan = SettingValues {
        other_recovery_action: Some("page".to_owned()),
        ..values(2, 0)
    };
    let instant = SettingValues {
        time_before_removal: "20260601000000.000000+000".parse().ok(),
        ..SettingValues::default()
    };
    for (id, wanted, expected) in [
        ("a", SettingOrder::Create(orphan), "RecoveryAction 1 alone"),
        ("a", SettingOrder::Create(instant), "must be an interval"),
        (
            "own",
            SettingOrder::Create(values(1, 1)),
            "settings own already",
        ),
        (
            "own",
            SettingOrder::Attach(on("q")),
            "has the settings queue",
        ),
        ("own", SettingOrder::Attach(on("x")), "there is no queue x"),
        (
            "own",
            SettingOrder::Detach(on("q")),
            "does not have the settings own",
        ),
        ("gone", SettingOrder::Delete, "there are no settings gone"),
    ] {
        let told = refused(order(&mut bench, id, wanted.clone()));
        assert!(told.contains(expected), "{id} {wanted:?}: {told}");
    }
    let mut unknown = fields();
    unknown.setting_id = Some("gone".to_owned());
    let told = refused(bench.try_submit("x", unknown));
    assert!(told.contains("SettingID"), "{told}");
    assert_eq!(order(&mut bench, "own", SettingOrder::Delete), Answer::Done);
    bench.order("q", QueueOrder::Delete);
    let targets = &bench.scheduler.settings()["queue"].targets;
    assert!(targets.is_empty(), "the queue is gone");
}

#[test]
fn settings_hold_after_a_restart_and_jobs_keep_what_they_read() {
    let mut bench = bench();
    let on_q = |f: &mut JobFields| f.queue_name = Some("q".to_owned());
    bench.submit("before", on_q);
    order(&mut bench, "queue", SettingOrder::Change(values(3, 1)));
    let known = bench.scheduler.settings().clone();
    bench.restart();
    assert_eq!(*bench.scheduler.settings(), known);
    bench.submit("after", on_q);
    let said = |name: &str| {
        let job = bench.job(name);
        (job.spec.recovery_action(), job.spec.max_retries())
    };
    assert_eq!((said("before"), said("after")), ((2, 7), (3, 1)));
    let taken = order(&mut bench, "own", SettingOrder::Attach(on("q")));
    let expected = SettingRefusal::Taken("queue".to_owned());
    assert_eq!(taken, Answer::Refused(expected.into()));
}
