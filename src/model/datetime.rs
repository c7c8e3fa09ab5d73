//! CIM datetimes: timestamps and intervals in the 25-character form of DSP0004 2.8 §5.2.4.
//!
//! A value is the text it was written in and compares by what that text means.

use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, Datelike, NaiveDate, TimeDelta, Timelike, Utc};
use thiserror::Error;

/// Length of every CIM datetime, in bytes.
const LENGTH: usize = 25;
/// First byte of the seconds fraction, which alone may be wild digit by digit.
const FRACTION: usize = 15;
/// Where the sign of a timestamp or the colon of an interval stands.
const SIGN: usize = 21;

/// A timestamp or an interval, as it was written.
///
/// It is kept as these 25 bytes alone: most values are only passed on, and jobs are kept by the million.
#[derive(Clone, Copy)]
pub struct CimDateTime {
    text: [u8; LENGTH],
}

/// What a text means, worked out whenever somebody asks.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// The earliest and the latest instant that the text may stand for.
    Timestamp {
        from: DateTime<Utc>,
        to: DateTime<Utc>,
    },
    /// The shortest and the longest time that the text may stand for.
    Interval { from: TimeDelta, to: TimeDelta },
}

/// Why a text is not a CIM datetime.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum DateTimeError {
    /// The text is not 25 ASCII characters.
    #[error("a datetime has 25 characters")]
    Length,
    /// A field has a character that is neither a digit nor an asterisk, or the separators are off.
    #[error("character {0} of a datetime is not what DSP0004 puts there")]
    Character(usize),
    /// Asterisks do not run on to the end of the microseconds, or divide a field.
    #[error("asterisks in a datetime must cover whole fields up to the end of the microseconds")]
    Wildcard,
    /// A field is out of its range, or the date is not in the calendar.
    #[error("the {0} of a datetime is out of range")]
    Range(&'static str),
}

impl CimDateTime {
    /// The timestamp of `instant`, in UTC with microseconds; beyond year 9999 the infinite value.
    pub fn timestamp(instant: DateTime<Utc>) -> Self {
        if !(0..=9999).contains(&instant.year()) {
            return Self::infinite_future();
        }
        let year = instant.year().unsigned_abs();
        let mut text = *b"00000000000000.000000+000";
        digits(&mut text[..4], year);
        digits(&mut text[4..6], instant.month());
        digits(&mut text[6..8], instant.day());
        digits(&mut text[8..10], instant.hour());
        digits(&mut text[10..12], instant.minute());
        digits(&mut text[12..14], instant.second());
        digits(
            &mut text[FRACTION..SIGN],
            instant.nanosecond() / 1000 % 1_000_000,
        );
        Self { text }
    }

    /// The interval of `length`; negative lengths become zero, too long ones the longest interval.
    pub fn interval(length: TimeDelta) -> Self {
        let longest = TimeDelta::days(99_999_999) + TimeDelta::microseconds(86_399_999_999);
        let length = length.clamp(TimeDelta::zero(), longest);
        let part =
            |number: i64| u32::try_from(number).expect("a clamped length has parts in range");
        let seconds = length.num_seconds();
        let mut text = *b"00000000000000.000000:000";
        digits(&mut text[..8], part(seconds / 86_400));
        digits(&mut text[8..10], part(seconds / 3600 % 24));
        digits(&mut text[10..12], part(seconds / 60 % 60));
        digits(&mut text[12..14], part(seconds % 60));
        digits(
            &mut text[FRACTION..SIGN],
            part(i64::from(length.subsec_nanos()) / 1000),
        );
        Self { text }
    }

    /// The timestamp that stands for the infinite future.
    pub fn infinite_future() -> Self {
        "99991231115959.999999-720"
            .parse()
            .expect("the infinite value of DSP0004 is well formed")
    }

    /// The interval that never ends.
    pub fn infinite_interval() -> Self {
        "99999999235959.000000:000"
            .parse()
            .expect("the infinite value of DSP0004 is well formed")
    }

    /// Whether this is an interval and not a timestamp.
    pub fn is_interval(&self) -> bool {
        self.text[SIGN] == b':'
    }

    /// Whether some digits are asterisks.
    pub fn has_wildcards(&self) -> bool {
        self.text.contains(&b'*')
    }

    /// Whether this stands for no limit: an interval of all nines, or a timestamp of year 9999.
    pub fn is_infinite(&self) -> bool {
        let nines: &[u8] = if self.is_interval() {
            b"99999999"
        } else {
            b"9999"
        };
        self.text.starts_with(nines)
    }

    /// The instant of a timestamp (the earliest one it may stand for), `None` for an interval.
    pub fn as_instant(&self) -> Option<DateTime<Utc>> {
        match self.kind() {
            Kind::Timestamp { from, .. } => Some(from),
            Kind::Interval { .. } => None,
        }
    }

    /// The length of an interval (the shortest one it may stand for), `None` for a timestamp.
    pub fn as_length(&self) -> Option<TimeDelta> {
        match self.kind() {
            Kind::Interval { from, .. } => Some(from),
            Kind::Timestamp { .. } => None,
        }
    }

    fn kind(&self) -> Kind {
        kind(&self.text).expect("every way to make a datetime checks its text")
    }

    /// The 25 characters as they were written.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.text).expect("only ASCII passes the parser")
    }
}

/// A timestamp never equals an interval; with asterisks only equal ranges are equal.
impl PartialEq for CimDateTime {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text || self.kind() == other.kind()
    }
}
impl Eq for CimDateTime {}

/// `None` between a timestamp and an interval, and where the ranges of two values overlap.
impl PartialOrd for CimDateTime {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        fn ranges<T: Ord + Copy>(a: (T, T), b: (T, T)) -> Option<Ordering> {
            match () {
                () if a.1 < b.0 => Some(Ordering::Less),
                () if b.1 < a.0 => Some(Ordering::Greater),
                () if a == b => Some(Ordering::Equal),
                () => None,
            }
        }
        match (self.kind(), other.kind()) {
            (Kind::Timestamp { from: a, to: b }, Kind::Timestamp { from: c, to: d }) => {
                ranges((a, b), (c, d))
            }
            (Kind::Interval { from: a, to: b }, Kind::Interval { from: c, to: d }) => {
                ranges((a, b), (c, d))
            }
            (Kind::Timestamp { .. }, Kind::Interval { .. })
            | (Kind::Interval { .. }, Kind::Timestamp { .. }) => None,
        }
    }
}

impl fmt::Display for CimDateTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
impl fmt::Debug for CimDateTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for CimDateTime {
    type Err = DateTimeError;

    fn from_str(text: &str) -> Result<Self, DateTimeError> {
        let bytes: [u8; LENGTH] = text
            .as_bytes()
            .try_into()
            .map_err(|_| DateTimeError::Length)?;
        shape(&bytes)?;
        kind(&bytes)?;
        Ok(Self { text: bytes })
    }
}

/// What a text of the right shape means.
fn kind(bytes: &[u8; LENGTH]) -> Result<Kind, DateTimeError> {
    if bytes[SIGN] == b':' {
        interval(bytes)
    } else {
        timestamp(bytes)
    }
}

/// Writes `number` into all of `into`, with zeros in front.
fn digits(into: &mut [u8], mut number: u32) {
    for digit in into.iter_mut().rev() {
        *digit = b'0' + u8::try_from(number % 10).expect("a digit");
        number /= 10;
    }
}

/// Checks digits, separators and that asterisks run from some field on to the microseconds' end.
fn shape(bytes: &[u8; LENGTH]) -> Result<(), DateTimeError> {
    let mut wild = false;
    for (at, byte) in bytes.iter().enumerate() {
        let fits = match at {
            14 => *byte == b'.',
            SIGN => matches!(byte, b'+' | b'-' | b':'),
            22.. => byte.is_ascii_digit(),
            _ => byte.is_ascii_digit() || *byte == b'*',
        };
        if !fits {
            return Err(DateTimeError::Character(at));
        }
        if at < SIGN && at != 14 {
            if wild && *byte != b'*' {
                return Err(DateTimeError::Wildcard);
            }
            wild = *byte == b'*';
        }
    }
    Ok(())
}

/// The lowest and the highest number that a field may stand for.
fn field(
    bytes: &[u8],
    low: u32,
    high: u32,
    name: &'static str,
) -> Result<(u32, u32), DateTimeError> {
    let wild = |byte: &u8| *byte == b'*';
    if bytes.iter().all(wild) {
        return Ok((low, high));
    }
    if bytes.iter().any(wild) && bytes.len() != SIGN - FRACTION {
        return Err(DateTimeError::Wildcard);
    }
    let number = |fill: u32| {
        bytes.iter().fold(0, |n, b| {
            n * 10
                + if *b == b'*' {
                    fill
                } else {
                    u32::from(b - b'0')
                }
        })
    };
    let (from, to) = (number(0), number(9));
    if from < low || to > high {
        Err(DateTimeError::Range(name))
    } else {
        Ok((from, to))
    }
}

fn time_of_day(bytes: &[u8; LENGTH]) -> Result<(TimeDelta, TimeDelta), DateTimeError> {
    let hour = field(&bytes[8..10], 0, 23, "hour")?;
    let minute = field(&bytes[10..12], 0, 59, "minute")?;
    let second = field(&bytes[12..14], 0, 59, "second")?;
    let micro = field(&bytes[FRACTION..SIGN], 0, 999_999, "fraction")?;
    let sum = |h: u32, m: u32, s: u32, u: u32| {
        TimeDelta::seconds(i64::from(h * 3600 + m * 60 + s)) + TimeDelta::microseconds(i64::from(u))
    };
    Ok((
        sum(hour.0, minute.0, second.0, micro.0),
        sum(hour.1, minute.1, second.1, micro.1),
    ))
}

fn interval(bytes: &[u8; LENGTH]) -> Result<Kind, DateTimeError> {
    if &bytes[SIGN..] != b":000" {
        return Err(DateTimeError::Character(22));
    }
    let days = field(&bytes[..8], 0, 99_999_999, "days")?;
    let (from, to) = time_of_day(bytes)?;
    Ok(Kind::Interval {
        from: TimeDelta::days(i64::from(days.0)) + from,
        to: TimeDelta::days(i64::from(days.1)) + to,
    })
}

fn timestamp(bytes: &[u8; LENGTH]) -> Result<Kind, DateTimeError> {
    let year = field(&bytes[..4], 0, 9999, "year")?;
    let month = field(&bytes[4..6], 1, 12, "month")?;
    let wild_day = &bytes[6..8] == b"**";
    let day = field(&bytes[6..8], 1, 31, "day")?;
    let (from, to) = time_of_day(bytes)?;
    let minutes = field(&bytes[22..], 0, 999, "offset")?.0;
    let offset = TimeDelta::minutes(i64::from(minutes) * if bytes[SIGN] == b'-' { -1 } else { 1 });
    let last_day = if wild_day {
        days_in(year.1, month.1)
    } else {
        day.1
    };
    let at = |y: u32, m: u32, d: u32, time: TimeDelta| {
        let date = i32::try_from(y)
            .ok()
            .and_then(|y| NaiveDate::from_ymd_opt(y, m, d));
        let midnight = date
            .ok_or(DateTimeError::Range("day"))?
            .and_hms_opt(0, 0, 0);
        Ok(midnight.expect("midnight exists in a naive date").and_utc() + time - offset)
    };
    Ok(Kind::Timestamp {
        from: at(year.0, month.0, day.0, from)?,
        to: at(year.1, month.1, last_day, to)?,
    })
}

fn days_in(year: u32, month: u32) -> u32 {
    (28..=31)
        .rev()
        .find(|day| {
            i32::try_from(year).is_ok_and(|y| NaiveDate::from_ymd_opt(y, month, *day).is_some())
        })
        .unwrap_or(28)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> CimDateTime {
        text.parse()
            .unwrap_or_else(|error| panic!("{text} was refused: {error}"))
    }

    #[test]
    fn equality_is_by_instant_and_text_is_kept() {
        let a = parse("20260110093000.000000+060");
        assert_eq!(a, parse("20260110083000.000000+000"));
        assert_eq!(a.to_string(), "20260110093000.000000+060");
        let instant = a.as_instant().expect("a timestamp");
        assert_eq!(
            CimDateTime::timestamp(instant).to_string(),
            "20260110083000.000000+000"
        );
    }

    #[test]
    fn intervals_round_trip() {
        let five = parse("00000000000500.000000:000");
        assert_eq!(five.as_length(), Some(TimeDelta::minutes(5)));
        assert_eq!(
            CimDateTime::interval(TimeDelta::minutes(5)).to_string(),
            five.to_string()
        );
        assert_eq!(
            CimDateTime::interval(TimeDelta::days(-1)),
            parse("00000000000000.000000:000")
        );
        assert!(parse("99999999235959.000000:000").is_infinite());
        assert!(parse("99991231115959.999999-720").is_infinite());
    }

    #[test]
    fn what_the_standard_does_not_allow_is_refused() {
        for bad in [
            "",
            "20260110093000.000000+06",
            "20261310093000.000000+000",
            "20260230093000.000000+000",
            "20260110243000.000000+000",
            "20260110093060.000000+000",
            "20260110093000,000000+000",
            "2026011009300*.000000+000",
            "20260110**3000.000000+000",
            "00000000000500.000000:060",
            "20260110093000.000000+0*0",
            "\u{e4}0260110093000.00000+000",
        ] {
            assert!(bad.parse::<CimDateTime>().is_err(), "{bad:?} was taken");
        }
    }

    #[test]
    fn wildcards_are_ranges() {
        let day = parse("20260210******.******+000");
        assert!(day.has_wildcards());
        assert_eq!(day.partial_cmp(&parse("20260210120000.000000+000")), None);
        assert_eq!(
            day.partial_cmp(&parse("20260211000000.000000+000")),
            Some(Ordering::Less)
        );
        let month = parse("202602********.******+000");
        assert_eq!(
            month.partial_cmp(&parse("20260301000000.000000+000")),
            Some(Ordering::Less)
        );
        assert_eq!(
            parse("20260210000000.12****+000"),
            parse("20260210000000.12****+000")
        );
    }

    #[test]
    fn a_timestamp_and_an_interval_do_not_compare() {
        let (a, b) = (
            parse("20260110093000.000000+000"),
            parse("20260110093000.000000:000"),
        );
        assert_ne!(a, b);
        assert_eq!(a.partial_cmp(&b), None);
    }
}
