//! How long jobs stay after their end, a row for each way to end and each thing a client may say.

use super::bench::{Bench, fields, seconds};
use super::*;
use crate::model::datetime::CimDateTime;

const DAY: u64 = 86_400;
/// What the configuration keeps of what nobody deletes.
const FINISHED_KEEP: u64 = 30 * DAY;

/// How a job comes to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    Completed,
    Exception,
    Terminated,
    Killed,
    /// By `KillJob` with this `DeleteOnKill`.
    KillJob(Option<bool>),
}

const ENDS: [End; 6] = [
    End::Completed,
    End::Exception,
    End::Terminated,
    End::Killed,
    End::KillJob(None),
    End::KillJob(Some(false)),
];

impl End {
    fn bring(self, bench: &mut Bench, name: &str) {
        bench.bring_up(name);
        match self {
            Self::Completed => bench.end(name, Exit::Code(0)),
            Self::Exception => bench.end(name, Exit::Code(3)),
            Self::Terminated => {
                bench.request(name, 4);
                bench.end(name, Exit::Signal(15));
            }
            Self::Killed => {
                bench.request(name, 5);
                bench.end(name, Exit::Signal(9));
            }
            Self::KillJob(delete) => {
                bench.kill(name, delete);
                bench.end(name, Exit::Signal(9));
            }
        }
    }

    fn state(self) -> JobState {
        match self {
            Self::Completed => JobState::Completed,
            Self::Exception => JobState::Exception,
            Self::Terminated => JobState::Terminated,
            Self::Killed | Self::KillJob(_) => JobState::Killed,
        }
    }
}

/// The job stays for `stays` seconds after its end and then goes; `None` is never.
#[track_caller]
fn stays(bench: &mut Bench, name: &str, stays: Option<u64>, of: &str) {
    let Some(stays) = stays else {
        bench.pass(100 * FINISHED_KEEP);
        assert!(bench.find(name).is_some(), "it went: {of}");
        return;
    };
    if let Some(before) = stays.checked_sub(1) {
        bench.pass(before);
        assert!(bench.find(name).is_some(), "it went before {stays} s: {of}");
        bench.pass_unseen(1);
    }
    bench.pass(0);
    assert!(bench.find(name).is_none(), "it stayed {stays} s: {of}");
}

#[test]
fn every_end_keeps_a_job_as_long_as_its_client_said() {
    let interval = |text: &str| -> Option<CimDateTime> { Some(text.parse().expect("a time")) };
    let infinite = Some(CimDateTime::infinite_interval());
    // DeleteOnCompletion, TimeBeforeRemoval, seconds after the end.
    let table = [
        (Some(true), None, Some(300)),
        (Some(true), interval("00000000000000.000000:000"), Some(1)),
        (Some(true), interval("00000000000000.999999:000"), Some(1)),
        (Some(true), interval("00000000000001.000000:000"), Some(1)),
        (Some(true), interval("00000000000020.000000:000"), Some(20)),
        (Some(true), interval("00000001000000.000000:000"), Some(DAY)),
        (Some(true), infinite, None),
        (Some(false), None, Some(FINISHED_KEEP)),
        (
            Some(false),
            interval("00000000000000.000000:000"),
            Some(FINISHED_KEEP),
        ),
        (Some(false), infinite, Some(FINISHED_KEEP)),
        (None, None, Some(FINISHED_KEEP)),
        (
            None,
            interval("00000000000001.000000:000"),
            Some(FINISHED_KEEP),
        ),
    ];
    for end in ENDS {
        for (delete, keep, expected) in table {
            let of = format!("{end:?}, {delete:?}, {keep:?}");
            let mut bench = Bench::new(1);
            bench.submit("a", |f| {
                f.delete_on_completion = delete;
                f.time_before_removal = keep;
            });
            end.bring(&mut bench, "a");
            assert_eq!(bench.state("a"), end.state(), "{of}");
            let shown = bench.job("a").spec.fields().time_before_removal;
            assert_eq!(shown, keep.or(Some(seconds(300))), "as written: {of}");
            let expected = match end {
                End::KillJob(Some(false)) => Some(FINISHED_KEEP),
                _ => expected,
            };
            stays(&mut bench, "a", expected, &of);
        }
    }
}

#[test]
fn kill_job_may_take_a_job_away_at_once() {
    for delete in [Some(true), Some(false), None] {
        let mut bench = Bench::new(1);
        bench.submit("a", |f| f.delete_on_completion = delete);
        bench.bring_up("a");
        let (ticket, _) = bench.kill("a", Some(true));
        bench.end("a", Exit::Signal(9));
        assert!(bench.find("a").is_none(), "{delete:?}");
        assert_eq!(bench.answer(ticket), Some(Answer::Code(0)));
    }
}

#[test]
fn what_changes_later_counts_from_the_end_and_outlives_a_restart() {
    // When it is changed, to what, and when it is gone, all in seconds after the end.
    for (at, to, gone) in [(5, 20, 20), (15, 10, 15), (0, 0, 1), (19, 40, 40)] {
        let of = format!("at {at} to {to}");
        let mut bench = Bench::new(1);
        bench.submit("a", |f| {
            f.delete_on_completion = Some(true);
            f.time_before_removal = Some(seconds(20));
        });
        End::Exception.bring(&mut bench, "a");
        bench.pass(at);
        let to = Setting::TimeBeforeRemoval(Some(seconds(to)));
        assert_eq!(bench.modify("a", to), Answer::Done, "{of}");
        bench.restart();
        stays(&mut bench, "a", Some(gone - at), &of);
    }
}

#[test]
fn the_flag_is_settled_when_the_job_has_ended() {
    for flag in [true, false] {
        let mut bench = Bench::new(1);
        bench.submit("a", |f| f.delete_on_completion = Some(flag));
        assert_eq!(
            bench.modify("a", Setting::DeleteOnCompletion(Some(!flag))),
            Answer::Done
        );
        End::Completed.bring(&mut bench, "a");
        for other in [Some(flag), None]
            .into_iter()
            .filter(|other| other.unwrap_or(false) == flag)
        {
            let refused = bench.modify("a", Setting::DeleteOnCompletion(other));
            assert_eq!(refused, Answer::Refused(Refusal::Ended), "{other:?}");
        }
        let expected = if flag { FINISHED_KEEP } else { 300 };
        stays(&mut bench, "a", Some(expected), "as it was last");
    }
}

#[test]
fn only_the_last_end_of_a_recurring_job_counts() {
    let mut bench = Bench::new(1);
    bench.submit("a", |f| {
        f.run_start_interval = Some(seconds(14 * 3600));
        f.job_run_times = Some(2);
        f.delete_on_completion = Some(true);
        f.time_before_removal = Some(seconds(20));
    });
    bench.pass(2 * 3600);
    End::Exception.bring(&mut bench, "a");
    assert_eq!(bench.state("a"), JobState::New, "one run is left");
    bench.pass(DAY - 1);
    assert!(bench.find("a").is_some());
    bench.pass(1);
    End::Completed.bring(&mut bench, "a");
    assert_eq!(bench.state("a"), JobState::Completed);
    stays(&mut bench, "a", Some(20), "after the second run");
}

#[test]
fn a_time_before_removal_is_a_plain_interval() {
    for (written, fault) in [
        ("20260601000000.000000+000", "must be an interval"),
        ("000000000000**.******:000", "TimeBeforeRemoval"),
    ] {
        let keep: CimDateTime = written.parse().expect("a time");
        let now = Bench::new(1).now.wall;
        let wanted = JobFields {
            time_before_removal: Some(keep),
            ..fields()
        };
        let error = JobSpec::new(wanted, now).expect_err("it is refused");
        assert!(error.to_string().contains(fault), "{written}: {error}");
        let mut bench = Bench::new(1);
        bench.submit("a", |_| {});
        let answer = bench.modify("a", Setting::TimeBeforeRemoval(Some(keep)));
        assert!(
            matches!(answer, Answer::Refused(Refusal::Spec(_))),
            "{answer:?}"
        );
    }
    let mut bench = Bench::new(1);
    bench.submit("a", |_| {});
    let answer = bench.modify("a", Setting::TimeBeforeRemoval(None));
    assert!(
        matches!(answer, Answer::Refused(Refusal::Spec(_))),
        "Required: {answer:?}"
    );
}
