//! The time zone of this host, for calendars on local time that name none.

use std::path::Path;

use chrono_tz::Tz;

/// Where the zone of the host is.
const LOCAL_TIME: &str = "/etc/localtime";
/// The folder of all zones, as the target of the link names it.
const ZONES: &str = "zoneinfo/";

/// The zone that `TZ` names, else that of `/etc/localtime`, else UTC.
pub fn host() -> Tz {
    let variable = std::env::var("TZ").ok();
    let link = std::fs::read_link(LOCAL_TIME).ok();
    let zone = of(variable.as_deref(), link.as_deref());
    zone.unwrap_or_else(|| {
        tracing::warn!("neither TZ nor {LOCAL_TIME} names an IANA zone: local time is UTC");
        Tz::UTC
    })
}

fn of(variable: Option<&str>, link: Option<&Path>) -> Option<Tz> {
    // POSIX lets the name of a file follow a colon.
    let named = variable.map(|name| name.trim_start_matches(':'));
    let named = named.map(|name| name.rsplit_once(ZONES).map_or(name, |(_, zone)| zone));
    let linked = || link?.to_str()?.rsplit_once(ZONES)?.1.parse().ok();
    named.and_then(|name| name.parse().ok()).or_else(linked)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_variable_comes_before_the_link() {
        let check = |variable: Option<&str>, link: Option<&str>, expected: Option<Tz>| {
            let found = of(variable, link.map(Path::new));
            assert_eq!(found, expected, "{variable:?} {link:?}");
        };
        let link = Some("/usr/share/zoneinfo/Europe/Berlin");
        check(None, None, None);
        check(None, link, Some(Tz::Europe__Berlin));
        check(Some("Asia/Tokyo"), link, Some(Tz::Asia__Tokyo));
        check(Some(":Asia/Tokyo"), None, Some(Tz::Asia__Tokyo));
        check(
            Some("/usr/share/zoneinfo/Asia/Tokyo"),
            None,
            Some(Tz::Asia__Tokyo),
        );
        check(Some("CET-1CEST,M3.5.0"), link, Some(Tz::Europe__Berlin));
        check(
            None,
            Some("../usr/share/zoneinfo/Etc/UTC"),
            Some(Tz::Etc__UTC),
        );
        check(None, Some("/somewhere"), None);
    }
}
