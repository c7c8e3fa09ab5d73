//! Times as people type and read them.

use chrono::TimeDelta;

use crate::model::CimDateTime;

/// `90s`, `5m`, `2h`, `1d` as an interval, or a CIM datetime as it is.
pub fn parse_when(text: &str) -> Option<CimDateTime> {
    if let Ok(datetime) = text.parse() {
        return Some(datetime);
    }
    let unit = text.chars().next_back()?;
    let number: i64 = text
        .strip_suffix(unit)?
        .parse()
        .ok()
        .filter(|number| *number >= 0)?;
    let seconds = match unit {
        's' => 1,
        'm' => 60,
        'h' => 3600,
        'd' => 86_400,
        _ => return None,
    };
    TimeDelta::try_seconds(number.checked_mul(seconds)?).map(CimDateTime::interval)
}

/// An interval as `3.2s`, `4m10s`, `2h05m` or `3d04h`.
pub fn show_length(length: TimeDelta) -> String {
    let (seconds, tenths) = (length.num_seconds(), length.subsec_nanos() / 100_000_000);
    match seconds {
        ..60 => format!("{seconds}.{tenths}s"),
        60..3600 => format!("{}m{:02}s", seconds / 60, seconds % 60),
        3600..86_400 => format!("{}h{:02}m", seconds / 3600, seconds / 60 % 60),
        86_400.. => format!("{}d{:02}h", seconds / 86_400, seconds / 3600 % 24),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn intervals_are_typed_with_a_unit() {
        let seconds = |text| {
            parse_when(text)
                .and_then(|w| w.as_length())
                .map(|l| l.num_seconds())
        };
        assert_eq!(seconds("90s"), Some(90));
        assert_eq!(seconds("2h"), Some(7200));
        for bad in [
            "",
            "5",
            "s",
            "-5s",
            "5x",
            "9999999999999999999d",
            "5\u{20ac}",
        ] {
            assert_eq!(seconds(bad), None, "{bad:?} was taken");
        }
        assert!(parse_when("20990101000000.000000+000").is_some_and(|w| !w.is_interval()));
    }

    #[test]
    fn lengths_are_short() {
        assert_eq!(show_length(TimeDelta::milliseconds(3250)), "3.2s");
        assert_eq!(show_length(TimeDelta::seconds(250)), "4m10s");
        assert_eq!(show_length(TimeDelta::minutes(125)), "2h05m");
        assert_eq!(show_length(TimeDelta::hours(76)), "3d04h");
    }
}
