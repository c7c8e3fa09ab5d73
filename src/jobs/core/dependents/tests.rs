//! Dependencies that are added and taken away after the submission.

use super::super::bench::{Bench, fields, id};
use super::super::*;

fn add(bench: &mut Bench, job: &str, other: &str, condition: Condition) -> Answer {
    let entry = Dependency {
        job: id(other),
        condition,
    };
    bench.amend(job, Amendment::AddDependency(entry))
}

fn remove(bench: &mut Bench, job: &str, other: &str) -> Answer {
    bench.amend(job, Amendment::RemoveDependency(id(other)))
}

/// A busy queue of one slot, in which what is submitted later waits.
fn busy() -> Bench {
    let mut bench = Bench::new(1);
    bench.submit("busy", |_| {});
    bench.bring_up("busy");
    bench
}

#[test]
fn a_job_that_was_ready_waits_for_what_is_added_and_goes_on_without_it() {
    let mut bench = busy();
    bench.submit("a", |_| {});
    bench.submit("b", |_| {});
    assert_eq!(add(&mut bench, "a", "b", Condition::Ended), Answer::Done);
    assert_eq!(bench.job("a").ready, None);
    let entries = bench.job("a").spec.fields().depends_on.clone();
    assert_eq!(entries.as_deref(), Some(&["b;ended".to_owned()][..]));
    assert_eq!(
        add(&mut bench, "a", "busy", Condition::Succeeded),
        Answer::Done
    );
    assert_eq!(
        bench.job("a").wait_reason(bench.now, None).as_deref(),
        Some("waits for b (ended) and 1 more")
    );
    for other in ["b", "busy"] {
        assert_eq!(remove(&mut bench, "a", other), Answer::Done);
    }
    assert_eq!(bench.job("a").spec.fields().depends_on, None);
    assert_eq!(bench.job("a").ready, Some(bench.now.wall));
    bench.end("busy", Exit::Code(0));
    assert_eq!(bench.state("a"), JobState::Starting);
    assert_eq!(
        add(&mut bench, "a", "b", Condition::Ended),
        Answer::Refused(Refusal::Begun)
    );
}

#[test]
fn what_ended_before_is_settled_when_it_is_added() {
    let mut bench = Bench::new(9);
    bench.submit("ended", |_| {});
    bench.bring_up("ended");
    bench.end("ended", Exit::Code(3));
    for (name, condition, state) in [
        ("holds", Condition::Failed, JobState::Suspended),
        ("breaks", Condition::Succeeded, JobState::Exception),
    ] {
        bench.submit(name, |f| f.hold = Some(true));
        assert_eq!(add(&mut bench, name, "ended", condition), Answer::Done);
        assert_eq!(bench.state(name), state, "{name}");
        assert!(bench.job(name).awaited.is_empty(), "{name}");
    }
    let refused = add(&mut bench, "breaks", "holds", Condition::Ended);
    assert_eq!(refused, Answer::Refused(Refusal::Over));
}

#[test]
fn a_calendar_begins_when_nothing_is_waited_for_any_more() {
    let mut bench = busy();
    bench.submit("a", |f| f.run_day = Some(3));
    let next = bench.job("a").plan.next;
    assert!(next.is_some());
    assert_eq!(add(&mut bench, "a", "busy", Condition::Ended), Answer::Done);
    assert_eq!(bench.job("a").plan.next, None);
    assert_eq!(remove(&mut bench, "a", "busy"), Answer::Done);
    assert_eq!(bench.job("a").plan.next, next);
}

#[test]
fn no_job_waits_for_itself_however_long_the_way() {
    let mut bench = busy();
    for name in ["a", "b", "c"] {
        bench.submit(name, |_| {});
    }
    let circle = |job: &str, other: &str| Answer::Refused(Refusal::Circle(id(job), id(other)));
    let ended = Condition::Ended;
    assert_eq!(add(&mut bench, "a", "a", ended), circle("a", "a"));
    assert_eq!(add(&mut bench, "b", "a", ended), Answer::Done);
    assert_eq!(add(&mut bench, "c", "b", ended), Answer::Done);
    assert_eq!(add(&mut bench, "a", "c", ended), circle("a", "c"));
    assert_eq!(remove(&mut bench, "c", "b"), Answer::Done);
    assert_eq!(add(&mut bench, "a", "c", ended), Answer::Done);
}

#[test]
fn a_pair_of_jobs_has_one_dependency() {
    let mut bench = busy();
    bench.submit("a", |f| f.depends_on = Some(vec!["busy".to_owned()]));
    let exists = Refusal::DependencyExists(id("a"), id("busy"));
    let again = add(&mut bench, "a", "busy", Condition::Ended);
    assert_eq!(again, Answer::Refused(exists));
    assert_eq!(remove(&mut bench, "a", "busy"), Answer::Done);
    let none = Refusal::NoDependency(id("a"), id("busy"));
    assert_eq!(remove(&mut bench, "a", "busy"), Answer::Refused(none));
    let mut twice = fields();
    twice.depends_on = Some(vec!["busy".to_owned(), "busy;failed".to_owned()]);
    let error = JobSpec::new(twice, bench.now.wall).expect_err("it is refused");
    assert!(error.to_string().contains("names a job twice"), "{error}");
}

#[test]
fn there_are_no_more_dependencies_than_the_limit() {
    let mut bench = busy();
    for n in 0..=DEPENDENCY_LIMIT {
        bench.submit(&format!("j{n}"), |_| {});
    }
    bench.submit("a", |_| {});
    for n in 0..DEPENDENCY_LIMIT {
        let added = add(&mut bench, "a", &format!("j{n}"), Condition::Ended);
        assert_eq!(added, Answer::Done);
    }
    let last = format!("j{DEPENDENCY_LIMIT}");
    let answer = add(&mut bench, "a", &last, Condition::Ended);
    assert!(
        matches!(answer, Answer::Refused(Refusal::Spec(_))),
        "{answer:?}"
    );
}
