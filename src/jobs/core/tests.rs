//! The scheduler by example: one behaviour each, with the clock in the test's hand.

use std::time::Duration;

use chrono::TimeDelta;

use super::bench::{Bench, fields, id, seconds};
use super::*;

#[test]
fn a_job_runs_and_completes() {
    let mut bench = Bench::new(1);
    bench.submit("a", |_| {});
    assert_eq!(bench.state("a"), JobState::Starting);
    bench.bring_up("a");
    bench.pass(3);
    assert_eq!(
        bench.job("a").elapsed(bench.now),
        Some(Duration::from_secs(3))
    );
    bench.news(
        "a",
        RunNews::Progress {
            percent: Some(42),
            text: Some("half\u{7}".into()),
        },
    );
    assert_eq!(bench.job("a").percent_complete(), 42);
    assert_eq!(bench.job("a").job_status(bench.now), "half\u{FFFD}");
    bench.end("a", Exit::Code(0));
    let job = bench.job("a");
    assert_eq!(
        (job.state, job.percent_complete()),
        (JobState::Completed, 100)
    );
    assert_eq!(
        (job.error_code(), job.exit_status(), job.run_count),
        (Some(0), Some(0), 1)
    );
    bench.pass(10);
    assert_eq!(
        bench.job("a").elapsed(bench.now),
        Some(Duration::from_secs(3))
    );
}

#[test]
fn every_failure_has_its_code() {
    let cases = [
        (Exit::Code(3), 3, "ended with exit status 3"),
        (Exit::Signal(9), 265, "ended by signal 9"),
        (
            Exit::NotStarted("no such file".into()),
            1001,
            "could not be started: no such file",
        ),
        (
            Exit::Unknown("power lost".into()),
            1003,
            "outcome unknown: power lost",
        ),
    ];
    for (exit, code, text) in cases {
        let mut bench = Bench::new(1);
        bench.submit("a", |_| {});
        bench.bring_up("a");
        bench.end("a", exit);
        let job = bench.job("a");
        assert_eq!(
            (job.state, job.error_code()),
            (JobState::Exception, Some(code))
        );
        assert_eq!(job.error_description().as_deref(), Some(text));
        assert_eq!(job.job_status(bench.now), text);
    }
}

#[test]
fn the_queue_goes_by_priority_then_by_order() {
    let mut bench = Bench::new(1);
    bench.submit("first", |_| {});
    for (name, priority) in [("late", 9), ("a", 5), ("b", 5), ("urgent", 1)] {
        bench.submit(name, |f| f.priority = Some(priority));
    }
    bench.modify("b", Setting::Priority(Some(0)));
    let mut order = Vec::new();
    let mut running = "first".to_owned();
    for _ in 0..4 {
        bench.bring_up(&running);
        bench.end(&running, Exit::Code(0));
        let next = bench
            .scheduler
            .jobs()
            .find(|job| job.state == JobState::Starting)
            .cloned();
        running = next.expect("the next one starts").id.to_string();
        order.push(running.clone());
    }
    assert_eq!(order, ["b", "urgent", "a", "late"]);
}

#[test]
fn a_scheduled_job_waits_for_its_time() {
    let mut bench = Bench::new(1);
    bench.submit("a", |f| f.scheduled_start_time = Some(seconds(60)));
    assert_eq!(bench.state("a"), JobState::New);
    assert_eq!(
        bench.job("a").job_status(bench.now),
        "Scheduled for 2026-06-01T12:01:00Z"
    );
    let at = bench.now.wall + TimeDelta::seconds(60);
    assert_eq!(bench.scheduler.next_wake().wall, Some(at));
    bench.pass(59);
    assert_eq!(bench.state("a"), JobState::New);
    bench.pass(1);
    assert_eq!(bench.state("a"), JobState::Starting);
}

#[test]
fn a_schedule_can_be_moved_and_a_start_by_hand_beats_it() {
    let mut bench = Bench::new(1);
    bench.submit("a", |f| f.scheduled_start_time = Some(seconds(60)));
    bench.modify("a", Setting::ScheduledStartTime(Some(seconds(600))));
    bench.pass(61);
    assert_eq!(bench.state("a"), JobState::New);
    assert_eq!(bench.request("a", 2), Some(4096));
    assert_eq!(bench.state("a"), JobState::Starting);
}

#[test]
fn suspended_time_does_not_count_and_gives_the_slot_away() {
    let mut bench = Bench::new(1);
    bench.submit("a", |f| f.max_elapsed_time = Some(seconds(10)));
    bench.bring_up("a");
    bench.pass(4);
    assert_eq!(
        bench.request("a", 3),
        None,
        "answered when the run has stopped"
    );
    assert_eq!(bench.signals(), [Signal::Suspend]);
    assert_eq!(bench.request("a", 4), Some(4099), "busy while it stops");
    bench.obeyed("a", Signal::Suspend);
    assert!(matches!(
        bench.actions.as_slice(),
        [Action::Reply(_, Answer::Code(0))]
    ));
    bench.pass(100);
    assert_eq!(
        bench.job("a").elapsed(bench.now),
        Some(Duration::from_secs(4))
    );
    bench.submit("b", |_| {});
    bench.bring_up("b");
    assert_eq!(bench.request("a", 2), Some(4096));
    assert_eq!(
        bench.state("a"),
        JobState::Suspended,
        "waits for the slot of b"
    );
    bench.end("b", Exit::Code(0));
    assert_eq!(bench.state("a"), JobState::Starting);
    assert_eq!(bench.signals(), [Signal::Continue]);
    bench.obeyed("a", Signal::Continue);
    assert_eq!(bench.state("a"), JobState::Running);
    bench.pass(6);
    assert_eq!(bench.state("a"), JobState::ShuttingDown, "4 + 6 seconds");
}

#[test]
fn a_time_out_terminates_then_kills() {
    let mut bench = Bench::new(1);
    bench.submit("a", |f| {
        f.max_elapsed_time = Some(seconds(30));
        f.kill_grace_period = Some(seconds(5));
    });
    bench.bring_up("a");
    bench.pass(30);
    assert_eq!(bench.signals(), [Signal::Terminate]);
    bench.pass(4);
    assert!(bench.signals().is_empty());
    bench.pass(1);
    assert_eq!(bench.signals(), [Signal::Kill]);
    bench.end("a", Exit::Signal(9));
    let job = bench.job("a");
    assert_eq!(
        (job.state, job.error_code()),
        (JobState::Exception, Some(1002))
    );
    assert_eq!(job.exit_signal(), Some(9));
}

#[test]
fn terminate_with_a_timeout_uses_it_and_others_refuse_one() {
    let mut bench = Bench::new(1);
    bench.submit("a", |_| {});
    bench.bring_up("a");
    assert_eq!(bench.request_within("a", 3, Some(5)), Some(4098));
    assert_eq!(bench.request_within("a", 4, Some(2)), Some(4096));
    assert_eq!(bench.request("a", 4), Some(4099));
    bench.pass(2);
    assert_eq!(bench.signals(), [Signal::Kill]);
    bench.end("a", Exit::Signal(9));
    let job = bench.job("a");
    assert_eq!(
        (job.state, job.error_code()),
        (JobState::Terminated, Some(1006))
    );
}

#[test]
fn what_never_ran_ends_at_once() {
    for (requested, state, code) in [(4, JobState::Terminated, 1006), (5, JobState::Killed, 1007)] {
        let mut bench = Bench::new(1);
        bench.submit("a", |f| f.hold = Some(true));
        assert_eq!(bench.state("a"), JobState::Suspended);
        assert_eq!(bench.request("a", requested), Some(0));
        assert_eq!(
            (bench.state("a"), bench.job("a").error_code()),
            (state, Some(code))
        );
        assert_eq!(bench.request("a", 2), Some(4097));
    }
}

#[test]
fn a_held_job_starts_when_it_is_told() {
    let mut bench = Bench::new(1);
    bench.submit("a", |f| f.hold = Some(true));
    bench.pass(1000);
    assert_eq!(bench.state("a"), JobState::Suspended);
    assert_eq!(bench.request("a", 2), Some(4096));
    assert_eq!(bench.state("a"), JobState::Starting);
}

#[test]
fn ending_a_run_that_is_not_released_yet_lets_nothing_run() {
    for (requested, state) in [(4, JobState::Terminated), (5, JobState::Killed)] {
        let mut bench = Bench::new(1);
        bench.submit("a", |_| {});
        let answer = bench.request("a", requested);
        assert_eq!(answer, (requested == 4).then_some(4096));
        assert!(bench.signals().is_empty());
        bench.news("a", RunNews::Prepared("identity".into()));
        assert!(
            bench
                .actions
                .iter()
                .any(|action| matches!(action, Action::Abandon(..)))
        );
        assert!(
            !bench
                .actions
                .iter()
                .any(|action| matches!(action, Action::Release(..)))
        );
        assert_eq!((bench.state("a"), bench.job("a").run_count), (state, 0));
    }
}

#[test]
fn suspend_while_starting_follows_once_it_runs() {
    let mut bench = Bench::new(1);
    bench.submit("a", |_| {});
    assert_eq!(bench.request("a", 3), Some(4096));
    assert_eq!(bench.request("a", 4), Some(4099));
    bench.news("a", RunNews::Prepared("identity".into()));
    bench.news("a", RunNews::Running(Some(1)));
    assert_eq!(bench.state("a"), JobState::Suspended);
    assert_eq!(bench.signals(), [Signal::Suspend]);
}

#[test]
fn kill_job_answers_once_the_job_is_killed() {
    let mut bench = Bench::new(1);
    bench.submit("a", |_| {});
    bench.bring_up("a");
    let (ticket, answer) = bench.kill("a", Some(true));
    assert_eq!((answer, bench.signals()), (None, vec![Signal::Kill]));
    bench.end("a", Exit::Signal(9));
    assert_eq!(bench.answer(ticket), Some(Answer::Code(0)));
    assert!(bench.find("a").is_none(), "DeleteOnKill removes it at once");
    bench.submit("b", |_| {});
    bench.bring_up("b");
    let (ticket, _) = bench.kill("b", None);
    bench.pass(10);
    assert_eq!(
        bench.answer(ticket),
        Some(Answer::Code(3)),
        "late, but never 4096"
    );
    bench.end("b", Exit::Signal(9));
    assert_eq!(
        (bench.state("b"), bench.job("b").error_code()),
        (JobState::Killed, Some(1007))
    );
    assert_eq!(bench.kill("b", None).1, Some(4), "a final job");
}

#[test]
fn delete_on_kill_overrides_in_both_directions() {
    let mut bench = Bench::new(1);
    bench.submit("a", |f| f.delete_on_completion = Some(true));
    bench.kill("a", Some(false));
    bench.news("a", RunNews::Prepared("identity".into()));
    bench.pass(29 * 86_400);
    assert_eq!(bench.state("a"), JobState::Killed);
    bench.pass(86_400);
    assert!(bench.find("a").is_none(), "finished_keep");
}

#[test]
fn until_time_ends_what_waits_and_what_runs() {
    let mut bench = Bench::new(1);
    let until = |f: &mut JobFields| f.until_time = Some(seconds(60));
    bench.submit("runs", until);
    bench.bring_up("runs");
    bench.submit("waits", until);
    bench.pass(60);
    let waits = bench.job("waits");
    assert_eq!(
        (waits.state, waits.error_code()),
        (JobState::Terminated, Some(1004))
    );
    assert_eq!(waits.error_description().as_deref(), Some("expired"));
    assert_eq!(bench.state("runs"), JobState::ShuttingDown);
    bench.pass(10);
    assert_eq!(bench.signals(), [Signal::Kill]);
    bench.end("runs", Exit::Signal(9));
    let runs = bench.job("runs");
    assert_eq!(
        (runs.state, runs.error_code()),
        (JobState::Terminated, Some(1004))
    );
}

#[test]
fn finished_jobs_stay_as_long_as_they_say() {
    let mut bench = Bench::new(1);
    bench.submit("a", |f| {
        f.delete_on_completion = Some(true);
        f.time_before_removal = Some(seconds(0));
    });
    bench.bring_up("a");
    bench.end("a", Exit::Code(0));
    assert_eq!(bench.state("a"), JobState::Completed, "at least a second");
    assert_eq!(
        bench.modify("a", Setting::DeleteOnCompletion(Some(false))),
        Answer::Refused(Refusal::Ended)
    );
    bench.modify("a", Setting::TimeBeforeRemoval(Some(seconds(20))));
    bench.pass(19);
    assert!(bench.find("a").is_some());
    bench.pass(1);
    assert!(bench.find("a").is_none(), "counted from the end of the job");
}

#[test]
fn only_what_has_ended_is_deleted() {
    let mut bench = Bench::new(1);
    bench.submit("a", |f| f.hold = Some(true));
    assert_eq!(bench.delete("a"), Answer::Refused(Refusal::NotEnded));
    bench.request("a", 4);
    assert_eq!(bench.delete("a"), Answer::Done);
    assert_eq!(
        bench.delete("a"),
        Answer::Refused(Refusal::NotFound(id("a")))
    );
}

#[test]
fn dependencies_hold_a_job_back_or_fail_it() {
    let after =
        |entry: &'static str| move |f: &mut JobFields| f.depends_on = Some(vec![entry.to_owned()]);
    let mut bench = Bench::new(9);
    bench.submit("a", |_| {});
    bench.submit("ok", after("a"));
    bench.submit("failed", after("a;failed"));
    bench.submit("ended", after("a;ended"));
    bench.submit("chain", after("failed"));
    assert_eq!(
        bench.job("ok").wait_reason(bench.now, None).as_deref(),
        Some("waits for a (succeeded)")
    );
    assert_eq!(
        bench.request("ok", 2),
        Some(4096),
        "accepted, but dependencies must hold"
    );
    assert_eq!(bench.state("ok"), JobState::New);
    bench.bring_up("a");
    bench.end("a", Exit::Code(0));
    assert_eq!(bench.state("ok"), JobState::Starting);
    assert_eq!(bench.state("ended"), JobState::Starting);
    assert_eq!(
        (bench.state("failed"), bench.job("failed").error_code()),
        (JobState::Exception, Some(1001))
    );
    assert_eq!(bench.state("chain"), JobState::Exception);
    bench.submit("later", after("a"));
    assert_eq!(bench.state("later"), JobState::Starting, "it holds already");
    let mut unknown = fields();
    after("nobody")(&mut unknown);
    let answer = bench.try_submit("x", unknown);
    assert!(
        matches!(answer, Answer::Refused(Refusal::Spec(_))),
        "{answer:?}"
    );
}

#[test]
fn progress_is_durable_at_most_once_a_second() {
    let mut bench = Bench::new(1);
    bench.submit("a", |_| {});
    bench.bring_up("a");
    let persisted = |bench: &Bench| {
        bench
            .actions
            .iter()
            .filter(|action| matches!(action, Action::Persist(_)))
            .count()
    };
    let report = |n| RunNews::Progress {
        percent: Some(n),
        text: None,
    };
    bench.news("a", report(1));
    assert_eq!(persisted(&bench), 1);
    for n in 2..50 {
        bench.news("a", report(n));
        assert_eq!(persisted(&bench), 0);
        assert_eq!(bench.job("a").percent_complete(), u16::from(n));
    }
    bench.news("a", report(7));
    assert_eq!(bench.job("a").percent_complete(), 49, "never goes back");
    bench.pass(1);
    assert_eq!(persisted(&bench), 1);
    bench.pass(1);
    assert_eq!(persisted(&bench), 0);
    bench.news("a", report(100));
    assert_eq!(
        bench.job("a").percent_complete(),
        99,
        "100 is for Completed"
    );
}

#[test]
fn the_number_of_jobs_has_a_limit() {
    let mut bench = Bench::new(1);
    bench.scheduler.policy.max_jobs = 2;
    bench.submit("a", |_| {});
    bench.submit("b", |_| {});
    assert_eq!(
        bench.try_submit("c", fields()),
        Answer::Refused(Refusal::Full(2))
    );
    assert_eq!(
        bench.try_submit("a", fields()),
        Answer::Refused(Refusal::IdUsed(id("a")))
    );
}

#[test]
fn news_of_an_old_run_changes_nothing() {
    let mut bench = Bench::new(1);
    bench.submit("a", |_| {});
    bench.bring_up("a");
    bench.end("a", Exit::Code(0));
    let before = bench.job("a");
    bench.end("a", Exit::Code(5));
    assert_eq!(bench.job("a"), before);
    assert!(matches!(
        bench.actions.as_slice(),
        [Action::Acknowledge(..)]
    ));
}

#[test]
fn a_run_that_never_ran_is_queued_again() {
    let mut bench = Bench::new(1);
    bench.submit("a", |_| {});
    bench.news("a", RunNews::Prepared("identity".into()));
    assert_eq!(bench.job("a").run_count, 1);
    bench.news("a", RunNews::NeverRan);
    let job = bench.job("a");
    let run = job.run.as_ref().expect("started again");
    assert_eq!(
        (job.state, job.run_count, run.number),
        (JobState::Starting, 0, 2)
    );
}

#[test]
fn what_was_decided_before_a_restart_is_carried_out_after_it() {
    let mut bench = Bench::new(1);
    bench.submit("a", |_| {});
    bench.bring_up("a");
    bench.request("a", 3);
    bench.news("a", RunNews::Adopted);
    assert_eq!(bench.signals(), [Signal::Suspend]);
    bench.obeyed("a", Signal::Suspend);
    bench.request("a", 4);
    bench.news("a", RunNews::Adopted);
    assert_eq!(bench.signals(), [Signal::Terminate, Signal::Continue]);
    bench.request("a", 5);
    bench.news("a", RunNews::Adopted);
    assert_eq!(bench.signals(), [Signal::Kill]);
}

#[test]
fn a_run_ended_when_it_ended_and_not_when_that_was_heard() {
    // Seconds from the start of the run: when it says that it ended, when it is taken to have.
    for (said, taken) in [(4, 4), (-5, 0), (60, 10)] {
        let mut bench = Bench::new(1);
        bench.submit("a", |_| {});
        bench.bring_up("a");
        let started = bench.now.wall;
        bench.pass(10);
        let end = RunEnd {
            at: Some(started + TimeDelta::seconds(said)),
            ..Exit::Code(0).into()
        };
        bench.news("a", RunNews::Ended(end));
        let run = bench.job("a").run.clone().expect("it ran");
        let expected = (
            Some(started + TimeDelta::seconds(taken)),
            Duration::from_secs(taken.unsigned_abs()),
        );
        assert_eq!((run.ended, run.elapsed), expected, "it said {said}");
    }
}
