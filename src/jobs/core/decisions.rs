//! The project's decisions on points where the CIM schema is silent, a test for each, by its number.
//!
//! Those that only a client can see are in `tests/python/test_decisions.py`.

use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::Tz;

use super::bench::{Bench, fields, id, seconds};
use super::*;

const HOUR: i64 = 3600;
/// The bench begins on a Monday at noon.
const DAY: u64 = 86_400;

/// The next `count` times of a job with these properties, from the beginning of the bench on.
fn times(count: usize, change: impl FnOnce(&mut JobFields)) -> Vec<String> {
    let mut bench = Bench::new(1);
    bench.submit("a", |f| {
        f.job_run_times = Some(0);
        change(f);
    });
    let times = bench.job("a").next_runs(count, Tz::UTC, bench.now);
    let shown = |time: &DateTime<Utc>| time.format("%m-%d %H:%M").to_string();
    times.iter().map(shown).collect()
}

fn refused(change: impl FnOnce(&mut JobFields)) -> String {
    let mut fields = fields();
    change(&mut fields);
    let now = Bench::new(1).now.wall;
    let error = JobSpec::new(fields, now).expect_err("it is refused");
    error.to_string()
}

/// A job that recurs daily at 14:00 without end.
fn daily(fields: &mut JobFields) {
    fields.run_start_interval = Some(seconds(14 * HOUR));
    fields.job_run_times = Some(0);
}

/// Lets the newest run of a job come and go.
fn run(bench: &mut Bench, name: &str, exit: Exit) {
    bench.bring_up(name);
    bench.end(name, exit);
}

/// Sets the wall clock.
fn set_clock(bench: &mut Bench, by: TimeDelta) {
    bench.now.wall += by;
    bench.handle(Event::Time);
}

/// The server was down for so long.
fn down(bench: &mut Bench, seconds: u64) {
    bench.pass_unseen(seconds);
    bench.restart();
    bench.handle(Event::Time);
}

#[test]
fn decision_1_no_month_is_every_month() {
    let found = times(3, |f| f.run_day = Some(15));
    assert_eq!(found, ["06-15 00:00", "07-15 00:00", "08-15 00:00"]);
}

#[test]
fn decision_2_a_time_alone_is_every_day() {
    let found = times(2, |f| f.run_start_interval = Some(seconds(14 * HOUR)));
    assert_eq!(found, ["06-01 14:00", "06-02 14:00"]);
}

#[test]
fn decision_3_a_weekday_alone_is_every_week_whatever_its_sign() {
    for day in [4, -4] {
        let found = times(2, |f| f.run_day_of_week = Some(day));
        assert_eq!(found, ["06-03 00:00", "06-10 00:00"], "{day}");
    }
}

#[test]
fn decision_4_a_month_alone_is_every_day_of_it() {
    let found = times(31, |f| f.run_month = Some(6));
    assert_eq!((&*found[0], &*found[30]), ("07-01 00:00", "07-31 00:00"));
}

#[test]
fn decision_5_a_day_without_weekday_is_that_day() {
    let exact = times(4, |f| f.run_day = Some(-2));
    let zero = times(4, |f| (f.run_day, f.run_day_of_week) = (Some(-2), Some(0)));
    assert_eq!(exact, zero);
    assert_eq!(exact[0], "06-29 00:00");
}

#[test]
fn decision_6_day_0_is_refused() {
    assert!(refused(|f| f.run_day = Some(0)).contains("there is no such day"));
}

#[test]
fn decision_7_what_spills_out_of_the_month_does_not_come() {
    let found = times(2, |f| {
        (f.run_day, f.run_day_of_week) = (Some(-1), Some(2));
    });
    assert_eq!(found, ["08-31 00:00", "11-30 00:00"]);
}

#[test]
fn decision_8_no_time_is_midnight() {
    assert_eq!(times(1, |f| f.run_day = Some(9)), ["06-09 00:00"]);
}

#[test]
fn decision_9_a_time_of_day_is_an_interval_below_a_day() {
    for (written, expected) in [
        ("00000001000000.000000:000", "shorter than 24 hours"),
        ("20260601020000.000000+000", "must be an interval"),
        ("000000000200**.******:000", "must not contain asterisks"),
    ] {
        let text = refused(|f| f.run_start_interval = written.parse().ok());
        assert!(text.contains(expected), "{written}: {text}");
    }
}

#[test]
fn decision_10_no_clock_is_utc_and_says_so() {
    let mut bench = Bench::new(1);
    bench.scheduler.policy.zone = Tz::Asia__Tokyo;
    bench.submit("utc", daily);
    bench.submit("local", |f| {
        daily(f);
        f.local_or_utc_time = Some(1);
    });
    assert_eq!(bench.job("utc").spec.fields().local_or_utc_time, Some(2));
    let next = |name| bench.job(name).plan.next.expect("scheduled").to_rfc3339();
    assert_eq!(next("utc"), "2026-06-01T14:00:00+00:00");
    assert_eq!(next("local"), "2026-06-02T05:00:00+00:00");
}

#[test]
fn decision_11_one_request_has_one_kind_of_start_and_the_last_one_wins() {
    let text = refused(|f| {
        daily(f);
        f.scheduled_start_time = Some(seconds(60));
    });
    assert!(text.contains("cannot be set together"), "{text}");
    let mut bench = Bench::new(1);
    bench.submit("a", daily);
    bench.modify("a", Setting::ScheduledStartTime(Some(seconds(60))));
    assert_eq!(bench.job("a").spec.fields().run_start_interval, None);
    bench.modify("a", Setting::RunDay(Some(3)));
    assert_eq!(bench.job("a").spec.fields().scheduled_start_time, None);
    assert_eq!(bench.job("a").spec.start(), StartRule::Calendar);
}

#[test]
fn decision_12_a_start_in_the_past_is_now_and_an_interval_becomes_absolute() {
    let mut bench = Bench::new(9);
    bench.submit("past", |f| {
        f.scheduled_start_time = "20200101000000.000000+000".parse().ok();
    });
    assert_eq!(bench.state("past"), JobState::Starting);
    bench.submit("soon", |f| f.scheduled_start_time = Some(seconds(60)));
    let stored = bench.job("soon").spec.fields().scheduled_start_time;
    let at = stored.and_then(|time| time.as_instant());
    assert_eq!(at, Some(bench.now.wall + TimeDelta::seconds(60)));
}

#[test]
fn decision_13_and_14_an_end_becomes_absolute_and_its_own_offset_counts() {
    let mut bench = Bench::new(1);
    bench.submit("a", |f| {
        daily(f);
        f.until_time = Some(seconds(HOUR));
    });
    bench.submit("b", |f| {
        daily(f);
        f.local_or_utc_time = Some(1);
        f.time_zone = Some("Asia/Tokyo".to_owned());
        f.until_time = "20260601150000.000000+120".parse().ok();
    });
    for name in ["a", "b"] {
        let until = bench.job(name).spec.until();
        assert_eq!(until, Some(bench.now.wall + TimeDelta::hours(1)), "{name}");
    }
}

#[test]
fn decision_15_and_16_an_end_terminates_what_runs_and_what_waits() {
    let mut bench = Bench::new(2);
    for name in ["runs", "waits"] {
        bench.submit(name, |f| {
            daily(f);
            f.until_time = Some(seconds(3 * HOUR));
        });
    }
    bench.pass(2 * 3600);
    bench.bring_up("runs");
    run(&mut bench, "waits", Exit::Code(0));
    assert_eq!(bench.state("waits"), JobState::New);
    bench.pass(3600);
    assert_eq!(bench.state("runs"), JobState::ShuttingDown);
    assert_eq!(bench.job("runs").plan.next, None, "no new run");
    assert_eq!(bench.signals(), [Signal::Terminate]);
    bench.pass(10);
    assert_eq!(bench.signals(), [Signal::Kill]);
    bench.end("runs", Exit::Signal(9));
    assert_eq!(bench.state("runs"), JobState::Terminated);
    let waits = bench.job("waits");
    assert_eq!(waits.state, JobState::Terminated);
    assert_eq!(waits.error_description().as_deref(), Some("expired"));
}

#[test]
fn decision_17_an_end_that_has_passed_is_refused_and_one_before_the_first_run_expires() {
    let text = refused(|f| f.until_time = "20260601115959.000000+000".parse().ok());
    assert!(text.contains("has already passed"), "{text}");
    let mut bench = Bench::new(1);
    bench.submit("a", |f| {
        daily(f);
        f.until_time = Some(seconds(60));
    });
    assert!(bench.job("a").next_runs(3, Tz::UTC, bench.now).is_empty());
    bench.pass(60);
    assert_eq!(bench.state("a"), JobState::Terminated);
}

#[test]
fn decision_18_infinite_values_set_no_limit() {
    for infinite in [
        "99999999235959.000000:000",
        "99991231115959.999999-720",
        "99990101000000.000000+000",
    ] {
        let mut bench = Bench::new(1);
        bench.submit("a", |f| {
            daily(f);
            f.until_time = infinite.parse().ok();
        });
        assert_eq!(bench.job("a").spec.until(), None, "{infinite}");
        bench.submit("never", |f| f.scheduled_start_time = infinite.parse().ok());
        bench.pass(400 * DAY);
        assert_eq!(bench.state("never"), JobState::New, "{infinite}");
    }
}

#[test]
fn decision_19_no_schedule_is_at_once() {
    let mut bench = Bench::new(1);
    bench.submit("a", |_| {});
    assert_eq!(bench.state("a"), JobState::Starting);
}

#[test]
fn decision_20_and_21_between_its_runs_a_job_is_new_and_each_run_counts() {
    let mut bench = Bench::new(1);
    bench.submit("a", |f| {
        daily(f);
        f.job_run_times = Some(2);
    });
    bench.pass(2 * 3600);
    run(&mut bench, "a", Exit::Code(7));
    let job = bench.job("a");
    assert_eq!((job.state, job.run_count), (JobState::New, 1));
    assert_eq!(job.state.operational_status(), [15]);
    assert_eq!(job.error_code(), Some(7), "the failed run is told");
    let status = job.job_status(bench.now);
    assert_eq!(status, "Scheduled for 2026-06-02T14:00:00Z");
    assert_eq!(job.next_run_time(), job.plan.next);
    bench.pass(DAY);
    run(&mut bench, "a", Exit::Code(0));
    let job = bench.job("a");
    assert_eq!((job.state, job.run_count), (JobState::Completed, 2));
    assert_eq!(job.plan.next, None);
}

#[test]
fn decision_22_what_is_due_meanwhile_follows_the_overlap_policy() {
    for (policy, waiting, missed) in [(3, 1, 2), (2, 0, 3), (5, 1, 2)] {
        let mut bench = Bench::new(1);
        bench.submit("a", |f| {
            daily(f);
            f.overlap_policy = Some(policy);
        });
        bench.pass(2 * 3600);
        bench.bring_up("a");
        for day in 0..3 {
            bench.pass(DAY);
            let ends = policy == 5 && day == 0;
            let signals = if ends {
                vec![Signal::Terminate]
            } else {
                vec![]
            };
            // A run that does not end in time is killed, and once.
            let killed = policy == 5 && day == 1;
            let signals = if killed { vec![Signal::Kill] } else { signals };
            assert_eq!(bench.signals(), signals, "policy {policy}, day {day}");
        }
        let plan = bench.job("a").plan.clone();
        assert_eq!((plan.pending, plan.missed), (waiting, missed), "{policy}");
        bench.end("a", Exit::Code(0));
        let next = if waiting == 1 {
            JobState::Starting
        } else {
            JobState::New
        };
        assert_eq!(bench.state("a"), next, "policy {policy}");
    }
    assert!(refused(|f| f.overlap_policy = Some(4)).contains("one run at a time"));
}

#[test]
fn decision_23_what_was_missed_follows_its_policy() {
    // Policy, hours down, runs that begin, times passed over.
    let cases = [
        (2, 51, 0, 3),
        (3, 51, 1, 2),
        (4, 51, 1, 2), // the others are older than 24 h
        (2, 2, 1, 0),  // it is due right now and was not missed
        (4, 2, 1, 0),
    ];
    for (policy, hours, runs, missed) in cases {
        let mut bench = Bench::new(1);
        bench.submit("a", |f| {
            daily(f);
            f.missed_run_policy = Some(policy);
        });
        down(&mut bench, hours * 3600);
        for _ in 0..runs {
            run(&mut bench, "a", Exit::Code(0));
        }
        let job = bench.job("a");
        let found = (job.state, job.run_count, job.plan.missed);
        assert_eq!(found, (JobState::New, runs, missed), "{policy} {hours}");
        assert!(job.plan.next > Some(bench.now.wall));
    }
}

#[test]
fn decision_23_no_more_than_ten_runs_are_caught_up_with() {
    let mut bench = Bench::new(1);
    bench.submit("a", |f| {
        daily(f);
        f.missed_run_policy = Some(4);
    });
    for hour in 0..24 {
        bench.add_schedule("a", |f| f.run_start_interval = Some(seconds(hour * HOUR)));
    }
    down(&mut bench, DAY - 60);
    for _ in 0..10 {
        run(&mut bench, "a", Exit::Code(0));
    }
    let job = bench.job("a");
    assert_eq!((job.state, job.run_count), (JobState::New, 10));
    assert_eq!(job.plan.missed, 13);
}

#[test]
fn decision_24_no_time_is_acted_on_twice_when_the_clock_goes_back() {
    let mut bench = Bench::new(1);
    bench.submit("a", daily);
    bench.pass(2 * 3600);
    run(&mut bench, "a", Exit::Code(0));
    set_clock(&mut bench, TimeDelta::hours(-1));
    bench.pass(3600);
    let job = bench.job("a");
    assert_eq!((job.state, job.run_count), (JobState::New, 1));
    assert_eq!(
        job.plan.next.expect("tomorrow").to_rfc3339(),
        "2026-06-02T14:00:00+00:00"
    );
    // Forward over several times: they count as missed.
    set_clock(&mut bench, TimeDelta::days(3));
    run(&mut bench, "a", Exit::Code(0));
    let job = bench.job("a");
    assert_eq!((job.run_count, job.plan.missed), (2, 2));
}

#[test]
fn decision_24_a_clock_that_was_far_ahead_does_not_silence_a_job_for_ever() {
    let mut bench = Bench::new(1);
    bench.submit("a", daily);
    set_clock(&mut bench, TimeDelta::days(3650));
    run(&mut bench, "a", Exit::Code(0));
    set_clock(&mut bench, TimeDelta::days(-3650));
    let next = bench.job("a").plan.next.expect("it goes on");
    assert_eq!(next.to_rfc3339(), "2026-06-01T14:00:00+00:00");
}

#[test]
fn decision_25_and_26_changes_apply_from_the_next_run_on() {
    let mut bench = Bench::new(1);
    bench.submit("a", daily);
    bench.pass(2 * 3600);
    bench.bring_up("a");
    bench.modify("a", Setting::RunStartInterval(Some(seconds(16 * HOUR))));
    assert_eq!(bench.state("a"), JobState::Running);
    let next = bench.job("a").plan.next.expect("today");
    assert_eq!(next.to_rfc3339(), "2026-06-01T16:00:00+00:00");
    bench.end("a", Exit::Code(0));
    bench.modify("a", Setting::JobRunTimes(Some(1)));
    assert_eq!(bench.state("a"), JobState::Completed, "it has had its run");
}

#[test]
fn decision_27_a_suspended_job_skips_its_times() {
    let mut bench = Bench::new(1);
    bench.submit("a", daily);
    assert_eq!(bench.request("a", 3), Some(0));
    bench.pass(5 * DAY);
    let job = bench.job("a");
    assert_eq!((job.state, job.plan.pending), (JobState::Suspended, 0));
    assert_eq!(bench.request("a", 2), Some(4096));
    run(&mut bench, "a", Exit::Code(0));
    assert_eq!(bench.job("a").run_count, 1, "the one that was asked for");
    assert!(bench.job("a").plan.next > Some(bench.now.wall));
}

#[test]
fn decision_28_a_start_by_hand_takes_its_turn_counts_and_keeps_the_schedule() {
    let mut bench = Bench::new(1);
    bench.submit("busy", |_| {});
    bench.submit("a", daily);
    let next = bench.job("a").plan.next;
    assert_eq!(bench.request("a", 2), Some(4096));
    assert_eq!(bench.state("a"), JobState::New, "it waits for the slot");
    run(&mut bench, "busy", Exit::Code(0));
    run(&mut bench, "a", Exit::Code(0));
    let job = bench.job("a");
    assert_eq!((job.run_count, job.plan.next), (1, next));
}

#[test]
fn decision_31_and_32_a_priority_is_the_lowest_and_its_change_reorders() {
    let mut bench = Bench::new(1);
    for name in ["runs", "first", "second"] {
        bench.submit(name, |_| {});
    }
    assert_eq!(bench.job("first").spec.priority(), 65_535);
    bench.modify("second", Setting::Priority(Some(65_534)));
    run(&mut bench, "runs", Exit::Code(0));
    assert_eq!(bench.state("second"), JobState::Starting);
    assert_eq!(bench.state("first"), JobState::New);
}

#[test]
fn decision_36_and_37_a_time_is_for_terminate_and_a_second_request_is_told_to_wait() {
    let mut bench = Bench::new(1);
    bench.submit("a", |_| {});
    bench.bring_up("a");
    for requested in [3, 5] {
        assert_eq!(bench.request_within("a", requested, Some(1)), Some(4098));
    }
    assert_eq!(bench.request("a", 3), None, "it is being suspended");
    assert_eq!(bench.request("a", 4), Some(4099));
    bench.obeyed("a", Signal::Suspend);
    assert_eq!(bench.request_within("a", 4, Some(1)), Some(4096));
    bench.pass(1);
    assert_eq!(bench.signals(), [Signal::Kill]);
}

#[test]
fn decision_38_39_and_40_what_is_shown_of_a_run() {
    let mut bench = Bench::new(1);
    bench.submit("a", |_| {});
    assert_eq!(bench.job("a").start_time(), None);
    bench.bring_up("a");
    bench.pass(4);
    bench.request("a", 3);
    bench.obeyed("a", Signal::Suspend);
    bench.pass(100);
    let elapsed = bench.job("a").elapsed(bench.now);
    assert_eq!(elapsed, Some(std::time::Duration::from_secs(4)), "frozen");
    let progress = RunNews::Progress {
        percent: Some(101),
        text: None,
    };
    bench.news("a", progress);
    assert!(bench.job("a").percent_complete() < 101);
}

#[test]
fn decision_41_a_run_that_was_lost_is_an_exception_and_what_waits_survives() {
    let mut bench = Bench::new(1);
    bench.submit("lost", |_| {});
    bench.bring_up("lost");
    bench.submit("waits", daily);
    bench.restart();
    bench.end("lost", Exit::Unknown("the machine was booted".to_owned()));
    let lost = bench.job("lost");
    assert_eq!(
        (lost.state, lost.error_code()),
        (JobState::Exception, Some(1003))
    );
    assert_eq!(bench.state("waits"), JobState::New);
}

#[test]
fn decision_42_kill_job_answers_when_the_job_is_killed_and_fails_when_it_has_ended() {
    let mut bench = Bench::new(1);
    bench.submit("a", |_| {});
    bench.bring_up("a");
    let (ticket, at_once) = bench.kill("a", None);
    assert_eq!(at_once, None);
    bench.end("a", Exit::Signal(9));
    assert_eq!(bench.answer(ticket), Some(Answer::Code(0)));
    assert_eq!(bench.kill("a", Some(true)).1, Some(4));
}

#[test]
fn decision_44_another_zone_of_the_host_moves_local_times() {
    let mut bench = Bench::new(1);
    bench.submit("a", |f| {
        daily(f);
        f.local_or_utc_time = Some(1);
    });
    bench.scheduler.policy.zone = Tz::America__New_York;
    bench.restart();
    let next = bench.job("a").plan.next.expect("it goes on");
    assert_eq!(next.to_rfc3339(), "2026-06-01T18:00:00+00:00");
}

#[test]
fn further_schedules_are_due_with_the_first_and_count_once() {
    let mut bench = Bench::new(1);
    bench.submit("a", daily);
    let evening = bench.add_schedule("a", |f| f.run_start_interval = Some(seconds(20 * HOUR)));
    let same = bench.add_schedule("a", |f| f.run_start_interval = Some(seconds(14 * HOUR)));
    let next = |bench: &Bench, count| {
        let times = bench.job("a").next_runs(count, Tz::UTC, bench.now);
        let hours: Vec<String> = times
            .iter()
            .map(|t| t.format("%d %H").to_string())
            .collect();
        hours.join(", ")
    };
    assert_eq!(next(&bench, 3), "01 14, 01 20, 02 14");
    bench.pass(2 * 3600);
    run(&mut bench, "a", Exit::Code(0));
    assert_eq!(bench.job("a").run_count, 1);
    for (number, answer) in [
        (same, Answer::Done),
        (same, Answer::Refused(Refusal::NoSchedule(id("a"), same))),
        (evening, Answer::Done),
    ] {
        let found = bench.amend("a", Amendment::RemoveSchedule(number));
        assert_eq!(found, answer);
    }
    assert_eq!(next(&bench, 2), "02 14, 03 14");
}

#[test]
fn a_schedule_alone_makes_a_job_recur_and_its_last_one_stays() {
    let mut bench = Bench::new(1);
    bench.submit("busy", |_| {});
    bench.submit("a", |f| f.job_run_times = Some(0));
    assert!(bench.job("a").ready.is_some(), "it would begin at once");
    let only = bench.add_schedule("a", |f| f.run_day = Some(2));
    assert_eq!(bench.job("a").ready, None, "now it waits for its day");
    let last = bench.amend("a", Amendment::RemoveSchedule(only));
    assert_eq!(last, Answer::Refused(Refusal::LastSchedule));
    let start = Setting::ScheduledStartTime(Some(seconds(60)));
    let answer = bench.modify("a", start);
    assert!(
        matches!(answer, Answer::Refused(Refusal::Spec(_))),
        "{answer:?}"
    );
    bench.submit("once", |f| f.scheduled_start_time = Some(seconds(60)));
    let schedule = || ScheduleFields {
        run_day: Some(2),
        ..ScheduleFields::default()
    };
    let add = |fields: ScheduleFields| Amendment::AddSchedule(fields.try_into().expect("good"));
    let refused = bench.amend("once", add(schedule()));
    assert_eq!(refused, Answer::Refused(Refusal::OneShot));
    bench.request("once", 4);
    let refused = bench.amend("once", add(schedule()));
    assert_eq!(refused, Answer::Refused(Refusal::Over));
    for _ in 1..SCHEDULE_LIMIT {
        bench.amend("a", add(schedule()));
    }
    let refused = bench.amend("a", add(schedule()));
    assert_eq!(refused, Answer::Refused(Refusal::Schedules));
    assert!(ScheduleSpec::try_from(ScheduleFields::default()).is_err());
}
