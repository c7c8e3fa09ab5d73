//! The calendar by worked examples, against a search of every day, and over the jumps of all zones.

use std::collections::BTreeSet;

use chrono::{Offset, Weekday};
use chrono_tz::TZ_VARIANTS;

use super::*;

const MIDNIGHT: Duration = Duration::ZERO;

fn utc(month: Option<u8>, day: Option<i8>, day_of_week: Option<i8>) -> Calendar {
    Calendar {
        month,
        days: DayRule::new(day, day_of_week),
        time_of_day: MIDNIGHT,
        zone: Tz::UTC,
    }
}

fn time(text: &str) -> DateTime<Utc> {
    text.parse().expect("an instant")
}

/// The days of 2026 as `month-day`.
fn days_of_2026(calendar: Calendar) -> String {
    let all = calendar.after(time("2025-12-31T23:59:59Z"));
    let all = all.take_while(|at| at.year() == 2026);
    let all: Vec<String> = all
        .map(|at| format!("{}-{}", at.month(), at.day()))
        .collect();
    all.join(" ")
}

#[test]
fn a_year_of_each_wish() {
    let check = |wish: &str, day: i8, day_of_week: i8, expected: &str| {
        let found = days_of_2026(utc(None, Some(day), Some(day_of_week)));
        assert_eq!(found, expected, "{wish}");
    };
    let months = |days: [u32; 12]| {
        let days = days
            .iter()
            .zip(1..)
            .map(|(day, month)| format!("{month}-{day}"));
        days.collect::<Vec<_>>().join(" ")
    };
    let second_tuesday = months([13, 10, 10, 14, 12, 9, 14, 11, 8, 13, 10, 8]);
    check("second Tuesday", 8, 3, &second_tuesday);
    let first_monday = months([5, 2, 2, 6, 4, 1, 6, 3, 7, 5, 2, 7]);
    check("first Monday", 1, 2, &first_monday);
    let third_thursday = months([15, 19, 19, 16, 21, 18, 16, 20, 17, 15, 19, 17]);
    check("third Thursday", 15, 5, &third_thursday);
    let last_friday = months([30, 27, 27, 24, 29, 26, 31, 28, 25, 30, 27, 25]);
    check("last Friday", -1, -6, &last_friday);
    check("last Friday, said from the front", -7, 6, &last_friday);
    let last_sunday = months([25, 22, 29, 26, 31, 28, 26, 30, 27, 25, 29, 27]);
    check("last Sunday", -1, -1, &last_sunday);
    let last_wednesday = months([28, 25, 25, 29, 27, 24, 29, 26, 30, 28, 25, 30]);
    check("last Wednesday", -1, -4, &last_wednesday);
    let saturday_from_15 = months([17, 21, 21, 18, 16, 20, 18, 15, 19, 17, 21, 19]);
    check("Saturday from the 15th", 15, 7, &saturday_from_15);
    let saturday_to_20 = months([17, 14, 14, 18, 16, 20, 18, 15, 19, 17, 14, 19]);
    check("Saturday up to the 20th", 20, -7, &saturday_to_20);
    let last_day = months([31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]);
    check("last day", -1, 0, &last_day);
    let long_months = [1, 3, 5, 7, 8, 10, 12];
    let on = |day: u32| long_months.map(|month| format!("{month}-{day}")).join(" ");
    check("day -31", -31, 0, &on(1));
    check("day 31", 31, 0, &on(31));
    let day_30 = "1-2 3-2 4-1 5-2 6-1 7-2 8-2 9-1 10-2 11-1 12-2";
    check("day -30", -30, 0, day_30);
    check("last day if a Monday", -1, 2, "8-31 11-30");
    check("first day if a Monday", 1, -2, "6-1");
    check("fifth Friday", 29, 6, "1-30 5-29 7-31 10-30");
}

#[test]
fn what_is_not_given_is_every() {
    assert_eq!(
        utc(None, None, None)
            .after(time("2026-01-01T00:00:00Z"))
            .take(3)
            .last(),
        Some(time("2026-01-04T00:00:00Z"))
    );
    let march = days_of_2026(utc(Some(2), None, None));
    assert_eq!(march.split(' ').count(), 31);
    assert!(
        march.starts_with("3-1 ") && march.ends_with(" 3-31"),
        "{march}"
    );
    let sundays = days_of_2026(utc(Some(1), None, Some(-1)));
    assert_eq!(
        sundays, "2-1 2-8 2-15 2-22",
        "the sign of a lone weekday says nothing"
    );
}

#[test]
fn a_day_that_is_rare_comes_and_one_that_never_is_does_not() {
    let leap = utc(Some(1), Some(29), None);
    let after = |at: &str| leap.next_after(time(at));
    assert_eq!(
        after("2026-01-01T00:00:00Z"),
        Some(time("2028-02-29T00:00:00Z"))
    );
    assert_eq!(
        after("2096-02-29T00:00:00Z"),
        Some(time("2104-02-29T00:00:00Z"))
    );
    let leap_sunday = utc(Some(1), Some(29), Some(1));
    let found = leap_sunday.next_after(time("2080-01-01T00:00:00Z"));
    assert_eq!(found, Some(time("2088-02-29T00:00:00Z")));
    assert_eq!(
        utc(Some(1), Some(30), None).next_after(time("2026-01-01T00:00:00Z")),
        None
    );
    let end = utc(None, None, None).next_after(time("9999-12-31T00:00:00Z"));
    assert_eq!(end, None, "no datetime says the year 10000");
}

#[test]
fn a_jump_of_the_clock_skips_and_repeats_nothing() {
    let check = |zone: &str, day: &str, time_of_day: &str, expected: &str| {
        let zone: Tz = zone.parse().expect("a zone");
        let day: NaiveDate = day.parse().expect("a day");
        let time_of_day: NaiveTime = time_of_day.parse().expect("a time");
        let time_of_day = (time_of_day - NaiveTime::MIN).to_std().expect("a time");
        let calendar = Calendar {
            month: None,
            days: DayRule::Every,
            time_of_day,
            zone,
        };
        let before = zone.from_local_datetime(&(day - TimeDelta::days(1)).and_time(NaiveTime::MIN));
        let before = before.earliest().expect("a plain midnight").to_utc() - TimeDelta::hours(1);
        let times: Vec<_> = calendar.after(before).take(4).collect();
        assert!(times.contains(&time(expected)), "{zone} {day}: {times:?}");
        for pair in times.windows(2) {
            let apart = pair[1] - pair[0];
            assert!(
                (22..=26).contains(&apart.num_hours()),
                "{zone} {day}: {times:?}"
            );
        }
    };
    check(
        "America/New_York",
        "2026-03-08",
        "02:30:00",
        "2026-03-08T07:00:00Z",
    );
    check(
        "America/New_York",
        "2026-11-01",
        "01:30:00",
        "2026-11-01T05:30:00Z",
    );
    check(
        "Europe/Berlin",
        "2026-03-29",
        "02:30:00",
        "2026-03-29T01:00:00Z",
    );
    check(
        "Europe/Berlin",
        "2026-10-25",
        "02:30:00",
        "2026-10-25T00:30:00Z",
    );
    check(
        "Australia/Lord_Howe",
        "2026-10-04",
        "02:15:00",
        "2026-10-03T15:30:00Z",
    );
    check(
        "Australia/Lord_Howe",
        "2026-04-05",
        "01:45:00",
        "2026-04-04T14:45:00Z",
    );
    check(
        "Africa/Cairo",
        "2026-04-24",
        "00:00:00",
        "2026-04-23T22:00:00Z",
    );
}

#[test]
fn a_day_that_a_zone_left_out_runs_once_with_the_next() {
    let calendar = Calendar {
        month: None,
        days: DayRule::Every,
        time_of_day: MIDNIGHT,
        zone: Tz::Pacific__Apia,
    };
    // Samoa went from the 29th to the 31st of December.
    let times: Vec<_> = calendar
        .after(time("2011-12-28T12:00:00Z"))
        .take(3)
        .collect();
    let expected = [
        "2011-12-29T10:00:00Z",
        "2011-12-30T10:00:00Z",
        "2011-12-31T10:00:00Z",
    ];
    assert_eq!(times, expected.map(time));
}

/// What a calendar means, said by looking at one day.
fn is_on(day: NaiveDate, month: Option<u8>, run_day: Option<i8>, day_of_week: Option<i8>) -> bool {
    let in_month = month.is_none_or(|month| day.month0() == u32::from(month));
    let length = i64::from(day.num_days_in_month());
    let number = i64::from(day.day());
    let names = [
        Weekday::Sun,
        Weekday::Mon,
        Weekday::Tue,
        Weekday::Wed,
        Weekday::Thu,
        Weekday::Fri,
        Weekday::Sat,
    ];
    let wanted = day_of_week.filter(|wanted| *wanted != 0);
    let named =
        wanted.is_none_or(|wanted| day.weekday() == names[usize::from(wanted.unsigned_abs()) - 1]);
    let anchored = run_day.is_none_or(|run_day| {
        let run_day = i64::from(run_day);
        let anchor = if run_day > 0 {
            run_day
        } else {
            length + 1 + run_day
        };
        let distance = number - anchor;
        let near = match wanted {
            None => distance == 0,
            Some(1..) => (0..7).contains(&distance),
            Some(_) => (-6..=0).contains(&distance),
        };
        near && (1..=length).contains(&anchor)
    });
    in_month && named && anchored
}

#[test]
fn four_centuries_agree_with_a_look_at_every_day() {
    let (first, last) = (time("2000-01-01T00:00:00Z"), time("2400-01-01T00:00:00Z"));
    let days: Vec<NaiveDate> = first
        .date_naive()
        .iter_days()
        .take_while(|day| *day < last.date_naive())
        .collect();
    let rules = [
        (None, None, None),
        (Some(1), None, None),
        (None, None, Some(4)),
        (Some(11), None, Some(-7)),
        (None, Some(31), None),
        (None, Some(-31), Some(0)),
        (Some(1), Some(29), None),
        (Some(1), Some(-29), None),
        (Some(1), Some(29), Some(1)),
        (Some(1), Some(23), Some(7)),
        (None, Some(25), Some(3)),
        (None, Some(31), Some(-5)),
        (None, Some(-1), Some(-6)),
        (None, Some(-3), Some(2)),
        (Some(5), Some(7), Some(-1)),
    ];
    for (month, day, day_of_week) in rules {
        let found: Vec<NaiveDate> = utc(month, day, day_of_week)
            .after(first - TimeDelta::seconds(1))
            .take_while(|at| *at < last)
            .map(|at| at.date_naive())
            .collect();
        let expected = days
            .iter()
            .filter(|at| is_on(**at, month, day, day_of_week));
        let expected: Vec<NaiveDate> = expected.copied().collect();
        assert!(
            found == expected,
            "RunMonth {month:?}, RunDay {day:?}, RunDayOfWeek {day_of_week:?}: {} days, not {}",
            found.len(),
            expected.len()
        );
    }
}

#[test]
fn every_rule_agrees_with_a_look_at_every_day_of_some_years() {
    let (first, last) = (time("2026-01-01T00:00:00Z"), time("2030-01-01T00:00:00Z"));
    let days: Vec<NaiveDate> = first
        .date_naive()
        .iter_days()
        .take_while(|day| *day < last.date_naive())
        .collect();
    for day in (-31..=31).filter(|day| *day != 0) {
        for day_of_week in -7..=7 {
            let calendar = utc(None, Some(day), Some(day_of_week));
            let found = calendar.after(first - TimeDelta::seconds(1));
            let found: Vec<NaiveDate> = found
                .take_while(|at| *at < last)
                .map(|at| at.date_naive())
                .collect();
            let on = |at: &&NaiveDate| is_on(**at, None, Some(day), Some(day_of_week));
            let expected: Vec<NaiveDate> = days.iter().filter(on).copied().collect();
            assert_eq!(found, expected, "RunDay {day}, RunDayOfWeek {day_of_week}");
        }
    }
}

/// The changes of a zone's offset in these years: when, and the offsets before and after.
fn changes(zone: Tz, years: std::ops::Range<i32>) -> Vec<(DateTime<Utc>, TimeDelta, TimeDelta)> {
    let day = |year| {
        Utc.with_ymd_and_hms(year, 1, 1, 0, 0, 0)
            .single()
            .expect("a day")
    };
    let offset = |at: DateTime<Utc>| {
        let seconds = zone
            .offset_from_utc_datetime(&at.naive_utc())
            .fix()
            .local_minus_utc();
        TimeDelta::seconds(seconds.into())
    };
    let (mut at, end) = (day(years.start), day(years.end));
    let mut found = Vec::new();
    while at < end {
        let (mut before, mut after) = (at, at + TimeDelta::hours(12));
        at = after;
        if offset(before) == offset(after) {
            continue;
        }
        let offsets = (offset(before), offset(after));
        while after - before > TimeDelta::seconds(1) {
            let middle = before + TimeDelta::seconds((after - before).num_seconds() / 2);
            if offset(middle) == offsets.0 {
                before = middle;
            } else {
                after = middle;
            }
        }
        found.push((after, offsets.0, offsets.1));
    }
    found
}

#[test]
fn every_jump_of_every_zone_is_taken_as_decided() {
    let mut jumps = 0;
    // Names of one zone are of one zone.
    let mut seen = BTreeSet::new();
    for zone in TZ_VARIANTS {
        let changes = changes(zone, 1990..2041);
        if !seen.insert(format!("{changes:?}")) {
            continue;
        }
        for (at, before, after) in changes {
            jumps += 1;
            let (old, new) = (at.naive_utc() + before, at.naive_utc() + after);
            let second = TimeDelta::seconds(1);
            let check = |local: NaiveDateTime, expected: DateTime<Utc>| {
                let found = instant(zone, local);
                assert_eq!(found, Some(expected), "{zone} at {local}");
            };
            check(
                old.min(new) - second,
                at - second + old.min(new).signed_duration_since(old),
            );
            if new > old {
                for skipped in [old, old + (new - old) / 2, new - second] {
                    check(skipped, at);
                }
                check(new, at);
            } else {
                for twice in [new, new + (old - new) / 2, old - second] {
                    check(twice, at + (twice - old));
                }
                check(old, at + (old - new));
            }
        }
    }
    assert!(jumps > 5000, "only {jumps} changes of offsets were found");
}
