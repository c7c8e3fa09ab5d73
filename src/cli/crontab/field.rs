//! One field of a crontab line: names, ranges, lists and steps, as a set of numbers.

/// What a field may hold.
#[derive(Debug, Clone, Copy)]
pub(super) struct Kind {
    pub(super) name: &'static str,
    pub(super) lowest: u32,
    pub(super) highest: u32,
    /// Names of the numbers from `lowest` on.
    names: &'static [&'static str],
}

pub(super) const MINUTE: Kind = Kind::numbers("minute", 0, 59);
pub(super) const HOUR: Kind = Kind::numbers("hour", 0, 23);
pub(super) const DAY: Kind = Kind::numbers("day of the month", 1, 31);
pub(super) const MONTH: Kind = Kind {
    names: &[
        "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec",
    ],
    ..Kind::numbers("month", 1, 12)
};
/// Sunday is both 0 and 7.
pub(super) const WEEKDAY: Kind = Kind {
    names: &["sun", "mon", "tue", "wed", "thu", "fri", "sat"],
    ..Kind::numbers("day of the week", 0, 7)
};

impl Kind {
    const fn numbers(name: &'static str, lowest: u32, highest: u32) -> Self {
        Self {
            name,
            lowest,
            highest,
            names: &[],
        }
    }
}

/// The numbers that a field says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Set {
    bits: u64,
    /// The field begins with `*`, which makes the two fields of days say their common days.
    pub(super) star: bool,
}

impl Set {
    /// Whether `number` is in it.
    pub(super) fn has(self, number: u32) -> bool {
        self.bits >> number & 1 == 1
    }

    /// The numbers, ascending.
    pub(super) fn numbers(self) -> impl Iterator<Item = u32> {
        (0..64).filter(move |number| self.has(*number))
    }

    /// Whether it holds everything that a field of this kind may hold.
    pub(super) fn is_full(self, kind: Kind) -> bool {
        (kind.lowest..=kind.highest).all(|number| self.has(number))
    }
}

/// The set that `text` says; an error is the offset of what is wrong in it, with the reason.
pub(super) fn read(kind: Kind, text: &str) -> Result<Set, (usize, String)> {
    let mut set = Set {
        bits: 0,
        star: text.starts_with('*'),
    };
    let mut at = 0;
    for part in text.split(',') {
        set.bits |= element(kind, part).map_err(|reason| (at, reason))?;
        at += part.len() + 1;
    }
    // Sunday by both of its numbers.
    if kind.highest == 7 && (set.has(0) || set.has(7)) {
        set.bits |= 1 | 1 << 7;
    }
    Ok(set)
}

/// `*`, a number, or a range, the last two of which a step may follow.
fn element(kind: Kind, part: &str) -> Result<u64, String> {
    let (range, step) = match part.split_once('/') {
        Some((range, step)) => (range, Some(step)),
        None => (part, None),
    };
    let (first, last) = match range.split_once('-') {
        _ if range == "*" => (kind.lowest, kind.highest),
        Some((first, last)) => (number(kind, first)?, number(kind, last)?),
        None if step.is_some() => {
            return Err(format!("\"{part}\": a step follows * or a range"));
        }
        None => {
            let only = number(kind, range)?;
            (only, only)
        }
    };
    if first > last {
        return Err(format!("\"{range}\" runs backwards"));
    }
    let step = match step.map(str::parse::<u32>) {
        None => 1,
        Some(Ok(step)) if (1..=kind.highest).contains(&step) => step,
        Some(_) => return Err(format!("\"{part}\" has no usable step")),
    };
    // Both numbers of Sunday are in `*`, which must not make steps begin anew.
    let last = if range == "*" && kind.highest == 7 {
        6
    } else {
        last
    };
    let numbers = (first..=last).step_by(step as usize);
    Ok(numbers.fold(0, |bits, number| bits | 1 << number))
}

fn number(kind: Kind, text: &str) -> Result<u32, String> {
    let named = kind
        .names
        .iter()
        .position(|name| text.eq_ignore_ascii_case(name));
    if let Some(at) = named.and_then(|at| u32::try_from(at).ok()) {
        return Ok(kind.lowest + at);
    }
    let (lowest, highest) = (kind.lowest, kind.highest);
    let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let parsed = text.parse().ok().filter(|_| digits);
    parsed
        .filter(|number| (lowest..=highest).contains(number))
        .ok_or_else(|| format!("\"{text}\" is no {} ({lowest} to {highest})", kind.name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_say_their_numbers() {
        let check = |kind, text: &str, expected: &[u32]| {
            let set = read(kind, text).unwrap_or_else(|error| panic!("{text}: {error:?}"));
            assert_eq!(set.numbers().collect::<Vec<_>>(), expected, "{text}");
        };
        check(MINUTE, "5", &[5]);
        check(MINUTE, "0,30,15-17", &[0, 15, 16, 17, 30]);
        check(MINUTE, "*/20", &[0, 20, 40]);
        check(HOUR, "9-17/4", &[9, 13, 17]);
        check(DAY, "*/10", &[1, 11, 21, 31]);
        check(MONTH, "Jan,DEC,mar-may", &[1, 3, 4, 5, 12]);
        check(WEEKDAY, "7", &[0, 7]);
        check(WEEKDAY, "sun", &[0, 7]);
        check(WEEKDAY, "fri-7", &[0, 5, 6, 7]);
        check(WEEKDAY, "*/2", &[0, 2, 4, 6, 7]);
        assert!(read(WEEKDAY, "0-6").is_ok_and(|set| set.is_full(WEEKDAY) && !set.star));
    }

    #[test]
    fn what_is_no_field_is_refused_at_its_place() {
        let check = |kind, text: &str, at, reason: &str| {
            let (found, told) = read(kind, text).expect_err(text);
            assert_eq!((found, told.contains(reason)), (at, true), "{text}: {told}");
        };
        check(MINUTE, "60", 0, "no minute (0 to 59)");
        check(MINUTE, "1,2,x", 4, "no minute");
        check(MINUTE, "", 0, "no minute");
        check(MINUTE, "1,", 2, "no minute");
        check(MINUTE, "+5", 0, "no minute");
        check(MINUTE, "5/10", 0, "a step follows");
        check(MINUTE, "*/0", 0, "no usable step");
        check(MINUTE, "*/-1", 0, "no usable step");
        check(MINUTE, "10-5", 0, "runs backwards");
        check(MINUTE, "0~30", 0, "no minute");
        check(DAY, "0", 0, "no day of the month (1 to 31)");
        check(MONTH, "january", 0, "no month");
        check(WEEKDAY, "8", 0, "no day of the week");
        check(HOUR, "99999999999", 0, "no hour");
    }
}
