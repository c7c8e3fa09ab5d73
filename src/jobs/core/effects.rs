//! Every property that may be changed later, with what the change leads to and what happens without it.

use std::collections::BTreeSet;

use super::bench::{Bench, seconds};
use super::*;

const DAY: u64 = 86_400;
const HOUR: i64 = 3600;

/// A change of the job `a`.
struct Row {
    change: Setting,
    /// What the job is at first.
    at_first: fn(&mut JobFields),
    /// What is seen of it in the end.
    seen: fn(&mut Bench) -> String,
    /// That without the change, and with it.
    expected: [&'static str; 2],
}

/// The job recurs daily at 14:00; the bench begins on a Monday at noon.
fn daily(fields: &mut JobFields) {
    fields.run_start_interval = Some(seconds(14 * HOUR));
    fields.job_run_times = Some(0);
}

fn in_new_york(fields: &mut JobFields) {
    daily(fields);
    fields.local_or_utc_time = Some(1);
    fields.time_zone = Some("America/New_York".to_owned());
}

fn much_later(fields: &mut JobFields) {
    fields.scheduled_start_time = Some(seconds(600));
}

fn tried_again(fields: &mut JobFields) {
    fields.recovery_action = Some(4);
}

fn nothing(_: &mut JobFields) {}

fn state(bench: &Bench) -> String {
    let found = bench.find("a").map(|job| job.state);
    found.map_or("gone".to_owned(), |state| format!("{state:?}"))
}

fn next(bench: &mut Bench) -> String {
    let next = bench.job("a").plan.next.expect("it recurs");
    next.format("%m-%d %H:%M").to_string()
}

fn after_a_minute(bench: &mut Bench) -> String {
    bench.pass(60);
    state(bench)
}

fn fails(bench: &mut Bench) -> String {
    bench.bring_up("a");
    bench.end("a", Exit::Code(3));
    state(bench)
}

fn a_minute_after_the_end(bench: &mut Bench) -> String {
    fails(bench);
    after_a_minute(bench)
}

fn rows_of_calendars() -> Vec<Row> {
    vec![
        Row {
            change: Setting::RunMonth(Some(11)),
            at_first: daily,
            seen: next,
            expected: ["06-01 14:00", "12-01 14:00"],
        },
        Row {
            change: Setting::RunDay(Some(-1)),
            at_first: daily,
            seen: next,
            expected: ["06-01 14:00", "06-30 14:00"],
        },
        Row {
            change: Setting::RunDayOfWeek(Some(4)),
            at_first: daily,
            seen: next,
            expected: ["06-01 14:00", "06-03 14:00"],
        },
        Row {
            change: Setting::RunStartInterval(Some(seconds(16 * HOUR))),
            at_first: daily,
            seen: next,
            expected: ["06-01 14:00", "06-01 16:00"],
        },
        Row {
            change: Setting::LocalOrUtcTime(Some(2)),
            at_first: in_new_york,
            seen: next,
            expected: ["06-01 18:00", "06-01 14:00"],
        },
        Row {
            change: Setting::TimeZone(Some("Asia/Tokyo".to_owned())),
            at_first: in_new_york,
            seen: next,
            expected: ["06-01 18:00", "06-02 05:00"],
        },
    ]
}

fn rows_of_starts() -> Vec<Row> {
    vec![
        Row {
            change: Setting::ScheduledStartTime(Some(seconds(60))),
            at_first: much_later,
            seen: after_a_minute,
            expected: ["New", "Starting"],
        },
        Row {
            change: Setting::UntilTime(Some(seconds(60))),
            at_first: much_later,
            seen: after_a_minute,
            expected: ["New", "Terminated"],
        },
        Row {
            change: Setting::MissedRunPolicy(Some(2)),
            at_first: daily,
            seen: |bench| {
                bench.pass_unseen(3 * DAY);
                bench.restart();
                bench.handle(Event::Time);
                state(bench)
            },
            expected: ["Starting", "New"],
        },
        Row {
            change: Setting::OverlapPolicy(Some(5)),
            at_first: daily,
            seen: |bench| {
                bench.pass(2 * 3600);
                bench.bring_up("a");
                bench.pass(DAY);
                state(bench)
            },
            expected: ["Running", "ShuttingDown"],
        },
        Row {
            change: Setting::JobRunTimes(Some(1)),
            at_first: daily,
            seen: |bench| {
                bench.pass(2 * 3600);
                bench.bring_up("a");
                bench.end("a", Exit::Code(0));
                state(bench)
            },
            expected: ["New", "Completed"],
        },
    ]
}

fn rows_of_runs() -> Vec<Row> {
    vec![
        Row {
            change: Setting::Priority(Some(1)),
            at_first: |fields| fields.hold = Some(true),
            seen: |bench| {
                bench.submit("first", |_| {});
                bench.submit("second", |_| {});
                bench.pass(1);
                bench.request("a", 2);
                bench.bring_up("first");
                bench.end("first", Exit::Code(0));
                state(bench)
            },
            expected: ["New", "Starting"],
        },
        Row {
            change: Setting::DeleteOnCompletion(Some(true)),
            at_first: |fields| fields.time_before_removal = Some(seconds(60)),
            seen: a_minute_after_the_end,
            expected: ["Exception", "gone"],
        },
        Row {
            change: Setting::TimeBeforeRemoval(Some(seconds(60))),
            at_first: |fields| fields.delete_on_completion = Some(true),
            seen: a_minute_after_the_end,
            expected: ["Exception", "gone"],
        },
        Row {
            change: Setting::MaxElapsedTime(Some(seconds(60))),
            at_first: nothing,
            seen: |bench| {
                bench.bring_up("a");
                after_a_minute(bench)
            },
            expected: ["Running", "ShuttingDown"],
        },
        Row {
            change: Setting::KillGracePeriod(Some(seconds(2))),
            at_first: nothing,
            seen: |bench| {
                bench.bring_up("a");
                bench.request("a", 4);
                bench.pass(2);
                format!("{:?}", bench.signals())
            },
            expected: ["[]", "[Kill]"],
        },
        Row {
            change: Setting::MaxRetries(Some(0)),
            at_first: tried_again,
            seen: fails,
            expected: ["New", "Exception"],
        },
        Row {
            change: Setting::RetryDelay(Some(seconds(600))),
            at_first: tried_again,
            seen: a_minute_after_the_end,
            expected: ["Starting", "New"],
        },
    ]
}

fn rows() -> impl Iterator<Item = Row> {
    let all = [rows_of_calendars(), rows_of_starts(), rows_of_runs()];
    all.into_iter().flatten()
}

#[test]
fn every_change_makes_the_difference_that_it_is_for() {
    for row in rows() {
        let seen = |change: Option<&Setting>| {
            let mut bench = Bench::new(1);
            bench.submit("a", row.at_first);
            if let Some(change) = change {
                assert_eq!(
                    bench.modify("a", change.clone()),
                    Answer::Done,
                    "{change:?}"
                );
            }
            (row.seen)(&mut bench)
        };
        let found = [seen(None), seen(Some(&row.change))];
        assert_eq!(found, row.expected, "{:?}", row.change);
    }
}

#[test]
fn no_property_that_may_be_changed_is_without_an_effect() {
    let text = || Some(String::new());
    let time = || Some(seconds(1));
    // No `..`: a new property has to be thought of here.
    let all = JobFields {
        instance_id: text(),
        name: text(),
        element_name: text(),
        caption: text(),
        description: text(),
        command: Some(Vec::new()),
        script: text(),
        interpreter: text(),
        environment: Some(Vec::new()),
        working_directory: text(),
        queue_name: text(),
        setting_id: text(),
        hold: Some(false),
        depends_on: Some(Vec::new()),
        recovery_action: Some(0),
        other_recovery_action: text(),
        scheduled_start_time: time(),
        job_run_times: Some(0),
        run_month: Some(0),
        run_day: Some(0),
        run_day_of_week: Some(0),
        run_start_interval: time(),
        local_or_utc_time: Some(0),
        until_time: time(),
        notify: text(),
        priority: Some(0),
        delete_on_completion: Some(false),
        time_before_removal: time(),
        time_zone: text(),
        max_elapsed_time: time(),
        kill_grace_period: time(),
        missed_run_policy: Some(0),
        overlap_policy: Some(0),
        max_retries: Some(0),
        retry_delay: time(),
    };
    let all = all.into_settings().into_iter();
    let writable = all.filter(|setting| setting.settable() == Settable::Write);
    let writable: BTreeSet<_> = writable.map(|setting| setting.property()).collect();
    let mut shown: BTreeSet<_> = rows().map(|row| row.change.property()).collect();
    // Whom to tell is for the alert of the end, which the core does not know.
    shown.insert("Notify");
    assert_eq!(shown, writable);
}
