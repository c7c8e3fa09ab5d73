//! Cron's times as calendars: a calendar says one time on a day, and a job may have several.

use super::field::{DAY, MONTH, Set, WEEKDAY};

/// A job's own calendar and its further ones, as many as the server takes.
const CALENDARS_LIMIT: usize = 301;
/// The days of each month in the longest year, from January on.
const LENGTHS: [u32; 12] = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

/// When an entry runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Times {
    /// The days.
    days: Vec<Days>,
    /// The times of each of them, in minutes since midnight.
    minutes: Vec<u32>,
}

/// The days of one calendar, in the numbers of the `Run` properties.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Days {
    /// `RunMonth`, 0 to 11.
    month: Option<u8>,
    /// `RunDay`.
    day: Option<i8>,
    /// `RunDayOfWeek`, 1 for Sunday.
    weekday: Option<i8>,
}

/// One calendar, in the numbers of the `Run` properties.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Calendar {
    /// `RunMonth`, 0 to 11.
    pub month: Option<u8>,
    /// `RunDay`.
    pub day: Option<i8>,
    /// `RunDayOfWeek`, 1 for Sunday.
    pub weekday: Option<i8>,
    /// `RunStartInterval`, in minutes.
    pub minute: u32,
}

impl Times {
    /// The times that the five fields of a line say; an error is the reason why no calendars do.
    pub(super) fn new(fields: [Set; 5]) -> Result<Self, String> {
        let [minutes, hours, days, months, weekdays] = fields;
        let days = days_of(days, weekdays)?;
        let days = in_months(&days, months);
        if days.is_empty() {
            return Err("no year has such a day".to_owned());
        }
        let each_hour = hours.numbers();
        let minutes: Vec<u32> = each_hour
            .flat_map(|hour| minutes.numbers().map(move |minute| 60 * hour + minute))
            .collect();
        let needed = days.len() * minutes.len();
        if needed > CALENDARS_LIMIT {
            return Err(format!(
                "it needs {needed} schedules, and a job has at most {CALENDARS_LIMIT}"
            ));
        }
        Ok(Self { days, minutes })
    }

    /// The calendars that together say these times.
    pub fn calendars(&self) -> impl Iterator<Item = Calendar> {
        self.days.iter().flat_map(|days| {
            self.minutes.iter().map(|minute| Calendar {
                month: days.month,
                day: days.day,
                weekday: days.weekday,
                minute: *minute,
            })
        })
    }
}

/// The days of any month. With a `*` at the beginning of one field both must hold, else either:
/// days of the month that must also have a name are more than a calendar can say.
fn days_of(days: Set, weekdays: Set) -> Result<Vec<Days>, String> {
    let by_number = days.numbers().map(|day| Days {
        day: i8::try_from(day).ok(),
        ..Days::default()
    });
    let by_name = weekdays.numbers().filter(|day| *day < 7).map(|day| Days {
        weekday: i8::try_from(day + 1).ok(),
        ..Days::default()
    });
    let every = vec![Days::default()];
    match (days.is_full(DAY), weekdays.is_full(WEEKDAY)) {
        (false, true) if days.star || weekdays.star => Ok(by_number.collect()),
        (true, false) if days.star || weekdays.star => Ok(by_name.collect()),
        (false, false) if days.star || weekdays.star => Err(
            "days of the month that are also days of the week (a field of days begins with *) \
             are more than a calendar can say"
                .to_owned(),
        ),
        (false, false) => Ok(by_number.chain(by_name).collect()),
        (true, _) | (_, true) => Ok(every),
    }
}

/// The same in these months alone, without days that none of them has.
fn in_months(days: &[Days], months: Set) -> Vec<Days> {
    if months.is_full(MONTH) {
        return days.to_vec();
    }
    let in_month = |month: u32| {
        let length = LENGTHS.get(month as usize - 1).copied().unwrap_or(31);
        let exists = move |days: &&Days| {
            days.day
                .and_then(|day| u32::try_from(day).ok())
                .is_none_or(|day| day <= length)
        };
        days.iter().filter(exists).map(move |days| Days {
            month: u8::try_from(month - 1).ok(),
            ..*days
        })
    };
    months.numbers().flat_map(in_month).collect()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use chrono::{DateTime, Datelike, TimeDelta, Timelike, Utc};
    use chrono_tz::Tz;
    use proptest::prelude::*;

    use super::super::line::{Form, read};
    use super::*;
    use crate::jobs::core::{Calendar as JobCalendar, DayRule};

    fn job_calendars(times: &Times) -> Vec<JobCalendar> {
        let calendar = |one: Calendar| JobCalendar {
            month: one.month,
            days: DayRule::new(one.day, one.weekday),
            time_of_day: Duration::from_secs(60 * u64::from(one.minute)),
            zone: Tz::UTC,
        };
        times.calendars().map(calendar).collect()
    }

    /// The numbers of one field, worked out once more and otherwise: by trying each.
    fn meant(text: &str, lowest: u32, highest: u32) -> Vec<u32> {
        let one = |part: &str, number: u32| {
            let (range, step) = part.split_once('/').unwrap_or((part, "1"));
            let step: u32 = step.parse().expect("a step of the test");
            let (first, last) = match range.split_once('-') {
                Some((first, last)) => (first.parse().expect("first"), last.parse().expect("last")),
                None if range == "*" => (lowest, highest),
                None => {
                    let only: u32 = range.parse().expect("a number of the test");
                    (only, only)
                }
            };
            number >= first && number <= last && (number - first).is_multiple_of(step)
        };
        let all = lowest..=highest;
        all.filter(|number| text.split(',').any(|part| one(part, *number)))
            .collect()
    }

    /// What cron runs a line by, each field as the numbers that it means.
    struct Cron([Vec<u32>; 5], bool);

    impl Cron {
        fn new(fields: &[String; 5]) -> Self {
            let bounds = [(0, 59), (0, 23), (1, 31), (1, 12), (0, 7)];
            let numbers = std::array::from_fn(|n| meant(&fields[n], bounds[n].0, bounds[n].1));
            let both = fields[2].starts_with('*') || fields[4].starts_with('*');
            Self(numbers, both)
        }

        /// Whether cron runs the line at this minute, as `crontab(5)` says.
        fn runs(&self, at: DateTime<Utc>) -> bool {
            let Self([minutes, hours, days, months, weekdays], both) = self;
            let day = days.contains(&at.day());
            let sunday = at.weekday() == chrono::Weekday::Sun && weekdays.contains(&7);
            let weekday = weekdays.contains(&at.weekday().num_days_from_sunday()) || sunday;
            minutes.contains(&at.minute())
                && hours.contains(&at.hour())
                && months.contains(&at.month())
                && if *both {
                    day && weekday
                } else {
                    day || weekday
                }
        }
    }

    fn field(lowest: u32, highest: u32) -> impl Strategy<Value = String> {
        let number = lowest..=highest;
        let range = (number.clone(), number.clone())
            .prop_map(|(a, b)| format!("{}-{}", a.min(b), a.max(b)));
        let step = (range.clone(), 1..=highest).prop_map(|(range, step)| format!("{range}/{step}"));
        let part = prop_oneof![4 => number.prop_map(|n| n.to_string()), 1 => range, 1 => step];
        prop_oneof![
            3 => Just("*".to_owned()),
            1 => (1..=highest).prop_map(|step| format!("*/{step}")),
            4 => prop::collection::vec(part, 1..4).prop_map(|parts| parts.join(",")),
        ]
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

        /// Whatever line is accepted, its calendars say the minutes at which cron runs it.
        #[test]
        fn calendars_say_what_cron_does(
            minute in field(0, 59), hour in field(0, 23), day in field(1, 31),
            month in field(1, 12), weekday in field(0, 7), start in 0..1_000_000_i64,
        ) {
            let fields = [minute, hour, day, month, weekday];
            let line = format!("{} x", fields.join(" "));
            let Some(Ok(entry)) = read(&line, &Form::User).pop() else {
                return Ok(());
            };
            let start = DateTime::from_timestamp(1_700_000_000 / 60 * 60 + start * 60, 0);
            let start = start.expect("in range");
            let end = start + TimeDelta::days(14);
            let calendars = job_calendars(&entry.times);
            let of_calendars = calendars.iter().flat_map(|one| {
                one.after(start).take_while(|time| *time <= end)
            });
            let of_calendars: std::collections::BTreeSet<_> = of_calendars.collect();
            let cron = Cron::new(&fields);
            let minutes = (1..=14 * 24 * 60).map(|n| start + TimeDelta::minutes(n));
            let of_cron: std::collections::BTreeSet<_> =
                minutes.filter(|minute| cron.runs(*minute)).collect();
            prop_assert_eq!(of_calendars, of_cron, "{}", line);
        }
    }

    fn count(line: &str) -> Result<usize, String> {
        let entry = read(&format!("{line} x"), &Form::User)
            .pop()
            .expect("an entry");
        let entry = entry.map_err(|fault| fault.reason)?;
        Ok(entry.times.calendars().count())
    }

    #[test]
    fn lines_need_as_few_calendars_as_they_can() {
        for (line, expected) in [
            ("0 2 * * *", 1),
            ("0 2 1-31 * 0-6", 1),
            ("0 2 1 * *", 1),
            ("0 2 * * 1-5", 5),
            ("0 2 1,15 * mon", 3),
            ("0 2 29-31 feb,apr *", 3),
            ("*/5 * * * *", 288),
            ("0 9-17 * * 1-5", 45),
            ("@hourly", 24),
            ("0 0 1-31 * 1", 1),
            ("0 0 */2 * *", 16),
        ] {
            assert_eq!(count(line), Ok(expected), "{line}");
        }
    }

    #[test]
    fn what_calendars_cannot_say_is_refused() {
        for (line, expected) in [
            ("*/4 * * * *", "needs 360 schedules"),
            ("0 0 */2 * 1", "more than a calendar can say"),
            ("0 0 13 * */2", "more than a calendar can say"),
            ("0 0 31 4,6,9,11 *", "no year has such a day"),
        ] {
            let reason = count(line).expect_err(line);
            assert!(reason.contains(expected), "{line}: {reason}");
        }
    }

    /// The limits here are those of the fields and of the engine.
    #[test]
    fn the_limit_is_the_engines() {
        assert_eq!(CALENDARS_LIMIT, 1 + crate::jobs::core::SCHEDULE_LIMIT);
    }
}
