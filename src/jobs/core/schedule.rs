//! Further schedules of a job: what one calendar cannot say, several can together.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

use crate::model::datetime::CimDateTime;

use super::calendar::{Calendar, DayRule};
use super::fields::{JobFields, Kept, written};
use super::rare::is_default;
use super::record::JobRecord;
use super::rules::{self, Rule, SpecError, length};
use super::spec::StartRule;

/// `LocalOrUtcTime`: the clock of the place.
const LOCAL: u16 = 1;
/// `LocalOrUtcTime` where it is NULL: UTC, and shown as such (#10).
pub(super) const DEFAULT_CLOCK: u16 = 2;

/// Most further schedules of one job: enough for one every five minutes of the day.
pub const SCHEDULE_LIMIT: usize = 300;

/// The `Run*` properties with the clock that they are read on; `None` is NULL.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ScheduleFields {
    /// A name for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub element_name: Option<String>,
    /// `RunMonth`, 0 to 11.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub run_month: Option<u8>,
    /// `RunDay`, -31 to 31 without 0.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub run_day: Option<i8>,
    /// `RunDayOfWeek`, -7 to 7.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub run_day_of_week: Option<i8>,
    /// `RunStartInterval`, below 24 h.
    #[serde(with = "written", skip_serializing_if = "Option::is_none")]
    pub run_start_interval: Option<CimDateTime>,
    /// `LocalOrUtcTime`: 1 local, 2 UTC.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub local_or_utc_time: Option<u16>,
    /// `TimeZone`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub time_zone: Option<String>,
}

impl ScheduleFields {
    /// The `Run*` properties of a job itself.
    pub(super) fn kept(fields: &Kept) -> Self {
        Self {
            element_name: None,
            run_month: fields.run_month().copied(),
            run_day: fields.run_day().copied(),
            run_day_of_week: fields.run_day_of_week().copied(),
            run_start_interval: fields.run_start_interval().copied(),
            local_or_utc_time: fields.local_or_utc_time().copied(),
            time_zone: fields.time_zone().cloned(),
        }
    }

    /// The same of a job that is still judged.
    pub(super) fn of(fields: &JobFields) -> Self {
        Self {
            element_name: None,
            run_month: fields.run_month,
            run_day: fields.run_day,
            run_day_of_week: fields.run_day_of_week,
            run_start_interval: fields.run_start_interval,
            local_or_utc_time: fields.local_or_utc_time,
            time_zone: fields.time_zone.clone(),
        }
    }

    /// Whether any of the four is there without which there is no calendar.
    pub(super) fn has_calendar(&self) -> bool {
        self.run_month.is_some()
            || self.run_day.is_some()
            || self.run_day_of_week.is_some()
            || self.run_start_interval.is_some()
    }

    /// The calendar, on the wall clock of `host` where no zone is named.
    pub(super) fn calendar(&self, host: Tz) -> Calendar {
        let named = || self.time_zone.as_ref().and_then(|zone| zone.parse().ok());
        let time_of_day = self.run_start_interval.and_then(length);
        Calendar {
            month: self.run_month,
            days: DayRule::new(self.run_day, self.run_day_of_week),
            time_of_day: time_of_day.unwrap_or_default(), // #8
            zone: if self.local_or_utc_time.unwrap_or(DEFAULT_CLOCK) == LOCAL {
                named().unwrap_or(host)
            } else {
                Tz::UTC // #10
            },
        }
    }
}

/// A schedule of which the fields obey the rules.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "ScheduleFields", into = "ScheduleFields")]
pub struct ScheduleSpec(ScheduleFields);

impl TryFrom<ScheduleFields> for ScheduleSpec {
    type Error = SpecError;

    fn try_from(mut fields: ScheduleFields) -> Result<Self, SpecError> {
        if !fields.has_calendar() {
            return Err(SpecError::new("RunStartInterval", Rule::NoCalendar));
        }
        fields.local_or_utc_time.get_or_insert(DEFAULT_CLOCK);
        rules::calendar(&fields)?;
        Ok(Self(fields))
    }
}

impl From<ScheduleSpec> for ScheduleFields {
    fn from(spec: ScheduleSpec) -> Self {
        spec.0
    }
}

impl ScheduleSpec {
    /// The properties as they are to be shown.
    pub fn fields(&self) -> &ScheduleFields {
        &self.0
    }
}

/// The further schedules of a job, each with a number that the job never gives again.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Schedules {
    #[serde(default, skip_serializing_if = "is_default")]
    last: u32,
    #[serde(default, skip_serializing_if = "is_default")]
    list: Entries,
}

type Entry = (u32, ScheduleSpec);

/// Shared, so that the many changes of a job do not copy its schedules; `None` where there is none, as mostly.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(from = "Vec<Entry>", into = "Vec<Entry>")]
struct Entries(Option<Arc<Vec<Entry>>>);

impl Entries {
    fn all(&self) -> &[Entry] {
        self.0.as_ref().map_or(&[], |entries| entries.as_slice())
    }

    fn to_mut(&mut self) -> &mut Vec<Entry> {
        Arc::make_mut(self.0.get_or_insert_default())
    }
}

impl PartialEq for Entries {
    fn eq(&self, other: &Self) -> bool {
        match (&self.0, &other.0) {
            (Some(own), Some(other)) if Arc::ptr_eq(own, other) => true,
            _ => self.all() == other.all(),
        }
    }
}

impl From<Vec<Entry>> for Entries {
    fn from(entries: Vec<Entry>) -> Self {
        Self((!entries.is_empty()).then(|| Arc::new(entries)))
    }
}

impl From<Entries> for Vec<Entry> {
    fn from(entries: Entries) -> Self {
        entries.0.map(Arc::unwrap_or_clone).unwrap_or_default()
    }
}

impl Schedules {
    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.list.all().is_empty()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.list.all().len()
    }

    /// The schedules with their numbers, in the order of their creation.
    pub fn iter(&self) -> impl Iterator<Item = &Entry> {
        self.list.all().iter()
    }

    /// The schedule of this number.
    pub fn get(&self, number: u32) -> Option<&ScheduleSpec> {
        let mut all = self.iter();
        all.find(|(known, _)| *known == number)
            .map(|(_, schedule)| schedule)
    }

    pub(super) fn add(&mut self, schedule: ScheduleSpec) -> u32 {
        self.last += 1;
        self.list.to_mut().push((self.last, schedule));
        self.last
    }

    pub(super) fn remove(&mut self, number: u32) {
        self.list.to_mut().retain(|(known, _)| *known != number);
    }
}

/// All calendars of a job together: it is due whenever one of them says so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Timetable(Vec<Calendar>);

impl Timetable {
    /// The first time after `after`.
    pub fn next_after(&self, after: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let each = self.0.iter().filter_map(|one| one.next_after(after));
        each.min()
    }

    /// All times after `after`, ascending; one that several calendars say counts once.
    pub fn after(&self, after: DateTime<Utc>) -> impl Iterator<Item = DateTime<Utc>> {
        let times = self
            .0
            .iter()
            .map(|calendar| calendar.after(after).peekable());
        let mut each: Vec<_> = times.collect();
        std::iter::from_fn(move || {
            let heads = each.iter_mut().filter_map(|times| times.peek().copied());
            let next = heads.min()?;
            for times in &mut each {
                times.next_if_eq(&next);
            }
            Some(next)
        })
    }
}

impl JobRecord {
    /// When the job begins by itself.
    pub fn start(&self) -> StartRule {
        if self.schedules.is_empty() {
            self.spec.start()
        } else {
            StartRule::Calendar
        }
    }

    /// Its own calendar and those of its further schedules; `None` when it starts by none.
    pub fn timetable(&self, host: Tz) -> Option<Timetable> {
        let further = self.schedules.iter();
        let further = further.map(|(_, schedule)| schedule.fields().calendar(host));
        let all: Vec<Calendar> = self
            .spec
            .calendar(host)
            .into_iter()
            .chain(further)
            .collect();
        (!all.is_empty()).then_some(Timetable(all))
    }
}
