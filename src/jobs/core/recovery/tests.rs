//! What follows a failed run, by example.

use super::super::bench::{Bench, id};
use super::super::*;

/// A queue of nine slots, and the hook `page`.
fn bench() -> Bench {
    let mut bench = Bench::new(9);
    bench.hook("page", &["/bin/page", "oncall"]);
    bench
}

fn with(action: u16) -> impl Fn(&mut JobFields) {
    move |f| f.recovery_action = Some(action)
}

fn fail(bench: &mut Bench, name: &str, code: u8) {
    bench.bring_up(name);
    bench.end(name, Exit::Code(code));
}

fn repair(bench: &mut Bench, job: &str, by: &str) -> Answer {
    bench.amend(job, Amendment::SetRecoveryJob(id(by)))
}

fn held(bench: &mut Bench, name: &str) {
    bench.submit(name, |f| f.hold = Some(true));
}

/// The one job that the scheduler made by itself.
fn hook_job(bench: &Bench) -> std::sync::Arc<JobRecord> {
    let mut made = bench.scheduler.jobs().filter(|job| job.recovery.hook);
    let job = made.next().cloned().expect("a hook was begun");
    assert!(made.next().is_none(), "and no other");
    job
}

fn trouble(bench: &Bench, name: &str) -> String {
    bench.job(name).recovery.trouble.clone().unwrap_or_default()
}

#[test]
fn a_hook_runs_as_a_job_of_its_own_and_is_told_what_failed() {
    let mut bench = bench();
    bench.submit("a", |f| {
        f.recovery_action = Some(1);
        f.other_recovery_action = Some("page".to_owned());
    });
    fail(&mut bench, "a", 7);
    assert_eq!(bench.state("a"), JobState::Exception);
    let hook = hook_job(&bench);
    assert_eq!(hook.state, JobState::Starting);
    assert_eq!(hook.owner, bench.job("a").owner);
    let Work::Command(command) = hook.spec.work() else {
        panic!("a command is expected")
    };
    assert_eq!(command, ["/bin/page", "oncall"]);
    let failed = Failed {
        job: id("a"),
        run: 1,
        code: 7,
    };
    assert_eq!(hook.repairs(), Some(&failed));
    let name = hook.id.to_string();
    fail(&mut bench, &name, 0);
    assert_eq!(bench.state(&name), JobState::Completed);
    assert_eq!(trouble(&bench, "a"), "");
}

#[test]
fn a_hook_that_fails_or_is_unknown_is_told_of() {
    let mut bench = bench();
    let with_hook = |name: Option<&str>| {
        let name = name.map(str::to_owned);
        move |f: &mut JobFields| {
            f.recovery_action = Some(1);
            f.other_recovery_action = name;
        }
    };
    bench.submit("unknown", with_hook(Some("mail")));
    fail(&mut bench, "unknown", 3);
    assert_eq!(trouble(&bench, "unknown"), "there is no hook \"mail\"");
    bench.submit("none", with_hook(None));
    fail(&mut bench, "none", 3);
    assert!(trouble(&bench, "none").contains("names no hook"));
    bench.submit("a", with_hook(Some("page")));
    fail(&mut bench, "a", 3);
    let hook = hook_job(&bench).id.to_string();
    fail(&mut bench, &hook, 9);
    assert_eq!(bench.state(&hook), JobState::Exception);
    let told = bench.job("a").error_description().map(String::from);
    assert_eq!(
        told.unwrap_or_default(),
        format!(
            "ended with exit status 3; not recovered: its recovery by {hook} failed: ended with exit status 9"
        )
    );
    let code = bench.job("a").error_code();
    assert_eq!(code, Some(3), "the code stays that of the run");
    // Not even a hook that was killed before it began leaves its job in doubt.
    bench.submit("b", with_hook(Some("page")));
    bench.bring_up("b");
    bench.delete(&hook);
    bench.end("b", Exit::Code(1));
    let hook = hook_job(&bench).id.to_string();
    bench.kill(&hook, None);
    bench.news(&hook, RunNews::Prepared("identity".to_owned()));
    assert_eq!(bench.state(&hook), JobState::Killed);
    assert!(trouble(&bench, "b").contains("did not come to an end"));
}

#[test]
fn a_recovery_job_runs_for_one_failure_after_the_other_and_is_held_again() {
    let mut bench = bench();
    held(&mut bench, "repair");
    for name in ["a", "b"] {
        bench.submit(name, with(5));
        assert_eq!(repair(&mut bench, name, "repair"), Answer::Done);
    }
    fail(&mut bench, "a", 4);
    assert_eq!(bench.state("a"), JobState::Exception);
    fail(&mut bench, "b", 5);
    let of = |bench: &Bench| {
        let job = bench.job("repair");
        let failed = job.repairs().expect("it runs for one");
        (failed.job.to_string(), failed.code)
    };
    assert_eq!(of(&bench), ("a".to_owned(), 4));
    fail(&mut bench, "repair", 0);
    assert_eq!(of(&bench), ("b".to_owned(), 5));
    fail(&mut bench, "repair", 6);
    let job = bench.job("repair");
    assert_eq!((job.state, job.run_count), (JobState::Suspended, 0));
    assert_eq!(job.error_code(), Some(6));
    assert_eq!(trouble(&bench, "a"), "");
    assert!(trouble(&bench, "b").contains("exit status 6"));
    // It serves again, and can be used up by hand like any held job.
    bench.submit("c", with(5));
    assert_eq!(repair(&mut bench, "c", "repair"), Answer::Done);
    fail(&mut bench, "c", 1);
    fail(&mut bench, "repair", 0);
    assert_eq!(bench.request("repair", 2), Some(4096));
    fail(&mut bench, "repair", 0);
    assert_eq!(bench.state("repair"), JobState::Completed);
}

#[test]
fn what_ends_a_recovery_run_ends_the_run_or_the_job() {
    let mut bench = bench();
    bench.submit("repair", |f| {
        f.hold = Some(true);
        f.recovery_action = Some(4);
        f.max_elapsed_time = Some(super::super::bench::seconds(60));
    });
    for name in ["a", "b", "c"] {
        bench.submit(name, with(5));
        repair(&mut bench, name, "repair");
        fail(&mut bench, name, 1);
    }
    bench.bring_up("repair");
    bench.pass(60);
    assert_eq!(bench.signals(), [Signal::Terminate]);
    bench.end("repair", Exit::Signal(15));
    assert!(trouble(&bench, "a").contains("longer than 60 s"));
    let job = bench.job("repair");
    assert_eq!((job.state, job.plan.retry_at), (JobState::Starting, None));
    bench.bring_up("repair");
    bench.kill("repair", None);
    bench.end("repair", Exit::Signal(9));
    assert_eq!(bench.state("repair"), JobState::Killed);
    assert!(trouble(&bench, "b").contains("killed at a client's request"));
    assert!(trouble(&bench, "c").contains("did not come to an end"));
    assert!(bench.job("repair").recovery.open.is_empty());
}

#[test]
fn without_a_recovery_job_that_can_run_the_failure_says_so() {
    let mut bench = bench();
    bench.submit("alone", with(5));
    fail(&mut bench, "alone", 1);
    assert!(trouble(&bench, "alone").contains("has no recovery job"));
    held(&mut bench, "repair");
    bench.submit("a", with(5));
    assert_eq!(repair(&mut bench, "a", "repair"), Answer::Done);
    bench.request("repair", 4);
    fail(&mut bench, "a", 1);
    assert_eq!(trouble(&bench, "a"), "the recovery job repair has ended");
}

#[test]
fn a_recovery_job_is_held_another_job_and_the_only_one() {
    let mut bench = bench();
    bench.submit("runs", |_| {});
    held(&mut bench, "repair");
    held(&mut bench, "other");
    held(&mut bench, "a");
    let refused = |bench: &mut Bench, by: &str| repair(bench, "a", by);
    let not_held = |by: &str| Answer::Refused(Refusal::NotHeld(id(by)));
    assert_eq!(refused(&mut bench, "runs"), not_held("runs"));
    assert_eq!(refused(&mut bench, "a"), not_held("a"));
    let missing = Answer::Refused(Refusal::NotFound(id("gone")));
    assert_eq!(refused(&mut bench, "gone"), missing);
    assert_eq!(repair(&mut bench, "a", "repair"), Answer::Done);
    let exists = Refusal::RecoveryJobExists(id("a"), id("repair"));
    assert_eq!(refused(&mut bench, "other"), Answer::Refused(exists));
    let remove =
        |bench: &mut Bench, by: &str| bench.amend("a", Amendment::RemoveRecoveryJob(id(by)));
    let none = Refusal::NoRecoveryJob(id("a"), id("other"));
    assert_eq!(remove(&mut bench, "other"), Answer::Refused(none));
    assert_eq!(remove(&mut bench, "repair"), Answer::Done);
    assert_eq!(repair(&mut bench, "a", "other"), Answer::Done);
}

#[test]
fn the_next_job_begins_in_spite_of_a_failure_where_it_may() {
    for (action, state) in [(3, JobState::Starting), (2, JobState::Exception)] {
        let mut bench = bench();
        let after = |name: &str| {
            let entry = name.to_owned();
            move |f: &mut JobFields| f.depends_on = Some(vec![entry])
        };
        bench.submit("a", with(action));
        bench.submit("next", after("a"));
        fail(&mut bench, "a", 1);
        bench.submit("later", after("a"));
        let found = ["a", "next", "later"].map(|name| bench.state(name));
        assert_eq!(found, [JobState::Exception, state, state], "{action}");
    }
    let mut bench = bench();
    bench.submit("a", with(3));
    bench.submit("next", |f| f.depends_on = Some(vec!["a".to_owned()]));
    bench.kill("a", None);
    bench.news("a", RunNews::Prepared("identity".to_owned()));
    assert_eq!(
        bench.state("next"),
        JobState::Exception,
        "a was not let fail"
    );
}

#[test]
fn a_recovery_run_that_never_ran_is_begun_again() {
    let mut bench = bench();
    held(&mut bench, "repair");
    bench.submit("a", with(5));
    repair(&mut bench, "a", "repair");
    fail(&mut bench, "a", 1);
    bench.restart();
    bench.news("repair", RunNews::NeverRan);
    let job = bench.job("repair");
    let run = job.run.as_ref().map_or(0, |run| run.number);
    assert_eq!((job.state, run), (JobState::Starting, 2));
    assert_eq!(
        job.repairs().map(|failed| failed.job.clone()),
        Some(id("a"))
    );
    fail(&mut bench, "repair", 0);
    assert_eq!(bench.state("repair"), JobState::Suspended);
}

#[test]
fn a_recovery_job_that_waits_too_long_is_held_again() {
    let mut bench = Bench::new(1);
    let limits = QueueLimits {
        max_time: std::time::Duration::from_secs(5),
        ..QueueRecord::default_queue(1).limits
    };
    bench.order(DEFAULT_QUEUE, QueueOrder::Limit(limits));
    held(&mut bench, "repair");
    bench.submit("a", with(5));
    repair(&mut bench, "a", "repair");
    bench.submit("busy", |f| f.priority = Some(1));
    fail(&mut bench, "a", 1);
    bench.bring_up("busy");
    bench.pass(5);
    assert_eq!(bench.state("repair"), JobState::Suspended);
    assert!(trouble(&bench, "a").contains("did not come to an end"));
}

/// A recovery job that runs every day at 12:00:30 too.
fn daily(bench: &mut Bench) {
    bench.submit("repair", |f| {
        f.hold = Some(true);
        f.run_start_interval = Some(super::super::bench::seconds(12 * 3600 + 30));
        f.job_run_times = Some(0);
    });
    for name in ["a", "b"] {
        bench.submit(name, with(5));
        assert_eq!(repair(bench, name, "repair"), Answer::Done);
    }
}

#[test]
fn a_recovery_job_that_follows_its_calendar_goes_on_with_it() {
    let mut bench = bench();
    daily(&mut bench);
    bench.request("repair", 2);
    bench.bring_up("repair");
    bench.end("repair", Exit::Code(0));
    let next = |bench: &Bench| {
        let job = bench.job("repair");
        (job.state, job.plan.next.is_some(), job.run_count)
    };
    assert_eq!(next(&bench), (JobState::New, true, 1));
    // It waits for its time: it runs for the failed one and waits again.
    fail(&mut bench, "a", 1);
    assert_eq!(bench.state("repair"), JobState::Starting);
    fail(&mut bench, "repair", 0);
    assert_eq!(next(&bench), (JobState::New, true, 1));
    bench.pass(30);
    assert_eq!(bench.state("repair"), JobState::Starting, "its own time");
    // A failure while it runs by itself has its turn next.
    bench.bring_up("repair");
    fail(&mut bench, "b", 1);
    bench.end("repair", Exit::Code(0));
    let job = bench.job("repair");
    assert_eq!((job.state, job.run_count), (JobState::Starting, 2));
    assert_eq!(job.repairs().map(|run| run.job.clone()), Some(id("b")));
    fail(&mut bench, "repair", 3);
    assert_eq!(next(&bench), (JobState::New, true, 2));
    assert!(trouble(&bench, "b").contains("exit status 3"));
}

#[test]
fn a_time_that_comes_while_it_recovers_comes_after() {
    let mut bench = Bench::new(2);
    daily(&mut bench);
    bench.bring_up("a");
    fail(&mut bench, "b", 0);
    bench.request("repair", 2);
    fail(&mut bench, "repair", 0);
    bench.submit("busy", |_| {});
    // Its own run waits for a slot when the failure comes.
    bench.pass(30);
    bench.end("a", Exit::Code(1));
    let of = |bench: &Bench| bench.job("repair").repairs().map(|run| run.job.clone());
    assert_eq!(of(&bench), Some(id("a")));
    fail(&mut bench, "repair", 0);
    assert_eq!(bench.state("repair"), JobState::Starting);
    assert_eq!(of(&bench), None, "and this is its own");
    fail(&mut bench, "repair", 0);
    let job = bench.job("repair");
    assert_eq!((job.state, job.run_count), (JobState::New, 2));
}

#[test]
fn a_held_recovery_job_with_a_calendar_is_held_again() {
    let mut bench = bench();
    daily(&mut bench);
    fail(&mut bench, "a", 1);
    bench.bring_up("repair");
    bench.pass(60);
    bench.end("repair", Exit::Code(0));
    let job = bench.job("repair");
    assert_eq!((job.state, job.run_count), (JobState::Suspended, 0));
    assert_eq!(job.plan.pending, 0, "what came meanwhile is skipped");
}

#[test]
fn the_id_of_a_hook_is_nobody_elses() {
    let mut bench = bench();
    bench.submit("a", |f| {
        f.recovery_action = Some(1);
        f.other_recovery_action = Some("page".to_owned());
    });
    bench.bring_up("a");
    // Whoever knows how the ids are made has taken the next ones.
    let micros = bench.now.wall.timestamp_micros();
    for number in 0..8 {
        bench.submit(&format!("JW:{micros}-{number}"), |_| {});
        bench.submit(&format!("JW:hook-{micros}-{number}"), |_| {});
    }
    let before = bench.scheduler.jobs().count();
    bench.scheduler.next_seq = 3;
    bench.end("a", Exit::Code(1));
    assert_eq!(bench.scheduler.jobs().count(), before + 1);
    assert_eq!(trouble(&bench, "a"), "");
    assert!(hook_job(&bench).spec.chosen_id().is_none());
}
