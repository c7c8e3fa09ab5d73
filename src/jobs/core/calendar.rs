//! The calendar of a job: at which instants `RunMonth`, `RunDay`, `RunDayOfWeek` and
//! `RunStartInterval` let it begin.
//!
//! A calendar says at most one time on a day. It is read on the wall clock of a zone: a time that
//! the clock jumps over is the first one after the jump, and one that comes twice is the first of
//! the two, so that no day is skipped or counted twice. It is pure: the rules of the zones are
//! those that are compiled in. The numbers in comments are those of the project's list of decisions
//! on points where the CIM schema is silent.

use std::time::Duration;

use chrono::{
    DateTime, Datelike, Days, Months, NaiveDate, NaiveDateTime, NaiveTime, SubsecRound, TimeDelta,
    TimeZone, Utc,
};
use chrono_tz::Tz;

/// Days after which every Gregorian calendar has begun again: what did not come by then never does.
const CYCLE_MONTHS: u32 = 400 * 12;
/// The last year that a CIM datetime can say.
const LAST_YEAR: i32 = 9999;

/// When a job begins, again and again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Calendar {
    /// `RunMonth`, 0 to 11; `None` is every month (#1).
    pub month: Option<u8>,
    /// Which days of the month.
    pub days: DayRule,
    /// `RunStartInterval`: the time on the wall clock, below 24 h.
    pub time_of_day: Duration,
    /// Whose wall clock.
    pub zone: Tz,
}

/// Which days of a month.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DayRule {
    /// Every day (#2, #4).
    Every,
    /// Every day of this name, 0 for Sunday (#3).
    Weekday(u8),
    /// This day from the start, or if negative from the end; a month without it is passed over.
    Day(i8),
    /// The first day of that name on or after the anchor, in the same month (#7).
    OnOrAfter {
        /// The anchor, counted as [`DayRule::Day`].
        day: i8,
        /// 0 for Sunday.
        weekday: u8,
    },
    /// The last day of that name on or before the anchor, in the same month (#7).
    OnOrBefore {
        /// The anchor, counted as [`DayRule::Day`].
        day: i8,
        /// 0 for Sunday.
        weekday: u8,
    },
}

impl DayRule {
    /// The rule of `RunDay`, which is not 0, and `RunDayOfWeek`, -7 to 7.
    pub fn new(day: Option<i8>, day_of_week: Option<i8>) -> Self {
        let day_of_week = day_of_week.unwrap_or(0); // #5
        let weekday = day_of_week.unsigned_abs().saturating_sub(1);
        match (day, day_of_week) {
            (None, 0) => Self::Every,
            (None, _) => Self::Weekday(weekday),
            (Some(day), 0) => Self::Day(day),
            (Some(day), 1..) => Self::OnOrAfter { day, weekday },
            (Some(day), _) => Self::OnOrBefore { day, weekday },
        }
    }

    /// The days of the month that begins on `first`, ascending.
    fn days(self, first: NaiveDate) -> impl Iterator<Item = NaiveDate> {
        let (from, step, count) = match self {
            Self::Every => (Some(first), 1, 31),
            Self::Weekday(weekday) => (on_or_after(first, weekday), 7, 5),
            Self::Day(day) => (anchor(first, day), 1, 1),
            Self::OnOrAfter { day, weekday } => {
                let anchor = anchor(first, day);
                (anchor.and_then(|day| on_or_after(day, weekday)), 1, 1)
            }
            Self::OnOrBefore { day, weekday } => {
                let anchor = anchor(first, day);
                (anchor.and_then(|day| on_or_before(day, weekday)), 1, 1)
            }
        };
        let all = (0..count).filter_map(move |n| from?.checked_add_days(Days::new(n * step)));
        all.filter(move |day| day.month() == first.month())
    }
}

/// Day `day` of the month that begins on `first`; negative ones count from its end.
fn anchor(first: NaiveDate, day: i8) -> Option<NaiveDate> {
    let length = i8::try_from(first.num_days_in_month()).ok()?;
    let day = if day > 0 { day } else { length + 1 + day };
    first.with_day(u32::try_from(day).ok()?)
}

fn on_or_after(day: NaiveDate, weekday: u8) -> Option<NaiveDate> {
    let ahead = (7 + u64::from(weekday) - u64::from(day.weekday().num_days_from_sunday())) % 7;
    day.checked_add_days(Days::new(ahead))
}

fn on_or_before(day: NaiveDate, weekday: u8) -> Option<NaiveDate> {
    let back = (7 + u64::from(day.weekday().num_days_from_sunday()) - u64::from(weekday)) % 7;
    day.checked_sub_days(Days::new(back))
}

impl Calendar {
    /// The first time after `after`; `None` when there is none up to the year 9999.
    pub fn next_after(&self, after: DateTime<Utc>) -> Option<DateTime<Utc>> {
        self.after(after).next()
    }

    /// All times after `after`, ascending.
    pub fn after(&self, after: DateTime<Utc>) -> impl Iterator<Item = DateTime<Utc>> {
        let calendar = *self;
        // A jump over a whole day moves its time into the next one: begin two days early.
        let local = after.with_timezone(&self.zone).date_naive();
        let from = local.checked_sub_days(Days::new(2));
        let first = from.and_then(|day| day.with_day(1));
        let months = first
            .into_iter()
            .flat_map(move |first| calendar.months(first));
        let mut last = after;
        months
            .flat_map(move |first| calendar.days.days(first))
            .filter(move |day| Some(*day) >= from)
            .map_while(move |day| calendar.instant(day))
            // Two days whose times fall into one jump have one time.
            .filter(move |instant| {
                let is_later = *instant > last;
                last = last.max(*instant);
                is_later
            })
    }

    /// The first days of the months from `first` on that are meant; it ends after a whole cycle
    /// without a day, and in the year 9999.
    fn months(self, first: NaiveDate) -> impl Iterator<Item = NaiveDate> {
        let mut barren = 0;
        let next = |month: &NaiveDate| month.checked_add_months(Months::new(1));
        std::iter::successors(Some(first), next)
            .take_while(|month| month.year() <= LAST_YEAR)
            .take_while(move |month| {
                let has_day = self.is_meant(*month) && self.days.days(*month).next().is_some();
                barren = if has_day { 0 } else { barren + 1 };
                barren <= CYCLE_MONTHS
            })
            .filter(move |month| self.is_meant(*month))
    }

    fn is_meant(&self, month: NaiveDate) -> bool {
        self.month
            .is_none_or(|wanted| u32::from(wanted) == month.month0())
    }

    /// The instant of the time of day on `day`.
    fn instant(&self, day: NaiveDate) -> Option<DateTime<Utc>> {
        let time = TimeDelta::from_std(self.time_of_day).ok()?;
        instant(
            self.zone,
            day.and_time(NaiveTime::MIN).checked_add_signed(time)?,
        )
    }
}

/// The first instant at which the wall clock of `zone` shows `local`, or has just jumped over it.
fn instant(zone: Tz, local: NaiveDateTime) -> Option<DateTime<Utc>> {
    /// Zones have jumped over a day, and no jump is longer.
    const LONGEST_JUMP: TimeDelta = TimeDelta::hours(26);
    let at = |time: NaiveDateTime| zone.from_local_datetime(&time).earliest();
    if let Some(instant) = at(local) {
        return Some(instant.to_utc());
    }
    let (mut missing, mut shown) = (local, local.checked_add_signed(LONGEST_JUMP)?);
    // What was jumped over is one piece: halve it down to its end, which is a whole second.
    while shown - missing > TimeDelta::milliseconds(1) {
        let middle = missing + (shown - missing) / 2;
        if at(middle).is_some() {
            shown = middle;
        } else {
            missing = middle;
        }
    }
    at(shown.trunc_subsecs(0))
        .or_else(|| at(shown))
        .map(|instant| instant.to_utc())
}

#[cfg(test)]
mod tests;
