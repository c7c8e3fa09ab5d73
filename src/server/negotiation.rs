//! What a client can read, from its `Accept` headers: media type, coding, language, trailers
//! (DSP0200 1.4 §7.2; RFC 9110 §12).

use hyper::header::{
    ACCEPT, ACCEPT_CHARSET, ACCEPT_ENCODING, ACCEPT_LANGUAGE, ACCEPT_RANGES, CONTENT_LANGUAGE,
    CONTENT_RANGE, HeaderMap, HeaderName, IF_RANGE, RANGE, TE,
};

use crate::cimxml::{HttpFault, Refusal};

use super::http::refuse;

/// The most elements of one `Accept` header that are looked at.
const ELEMENTS: usize = 100;
/// A weight of 1, in thousandths.
const FULL: u16 = 1000;

/// How the body of an answer is compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Coding {
    /// Not at all.
    Identity,
    /// `gzip`.
    Gzip,
    /// `deflate`, which is the format of zlib.
    Deflate,
}

/// What an answer must be like.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Manner {
    /// Its media type: what DSP0200 prefers, or what the client does.
    pub(super) media: &'static str,
    /// Its coding.
    pub(super) coding: Coding,
    /// Whether it may be left uncompressed where compression is not worth it.
    pub(super) identity: bool,
    /// Whether the client learns of a late error from trailers.
    pub(super) trailers: bool,
    /// Whether the client asked for a language, and so is told which one it gets.
    pub(super) language: bool,
}

/// What the answer to a request with these headers must be like.
///
/// # Errors
/// 406 when the client can read nothing that we write, or wants parts of it; 400 for a language that
/// is none.
pub(super) fn negotiate(headers: &HeaderMap) -> Result<Manner, HttpFault> {
    let media = media(headers)?;
    charset(headers)?;
    let (coding, identity) = coding(headers)?;
    // A client must not ask for ranges of a message (DSP0200 1.4 §7.2.2).
    if [ACCEPT_RANGES, RANGE, IF_RANGE, CONTENT_RANGE]
        .iter()
        .any(|name| headers.contains_key(name))
    {
        return Err(refuse(406, "messages have no ranges"));
    }
    languages(headers)?;
    Ok(Manner {
        media,
        coding,
        identity,
        trailers: takes_trailers(headers),
        language: headers.contains_key(ACCEPT_LANGUAGE),
    })
}

/// The elements of a list header with their weights in thousandths; `None` when it is not there.
/// An element whose weight is malformed weighs nothing.
fn weighted<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<Vec<(&'a str, u16)>> {
    let values = headers.get_all(name).iter();
    let elements = values
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(str::trim)
        .filter(|element| !element.is_empty())
        .take(ELEMENTS);
    let weighed = elements.map(|element| {
        let mut parts = element.split(';').map(str::trim);
        let token = parts.next().unwrap_or_default();
        let weight = parts.find_map(|part| {
            let (name, value) = part.split_once('=')?;
            name.trim()
                .eq_ignore_ascii_case("q")
                .then(|| weight(value.trim()))
        });
        (token, weight.map_or(FULL, Option::unwrap_or_default))
    });
    Some(weighed.collect()).filter(|elements: &Vec<_>| !elements.is_empty())
}

/// `0`, `0.5`, `1.000` (RFC 9110 §12.4.2), in thousandths.
fn weight(text: &str) -> Option<u16> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digits = fraction.bytes().all(|byte| byte.is_ascii_digit()) && fraction.len() <= 3;
    let thousandths: u16 = format!("{fraction:0<3}").parse().ok().filter(|_| digits)?;
    match whole {
        "0" => Some(thousandths),
        "1" if thousandths == 0 => Some(FULL),
        _ => None,
    }
}

/// The weight of the first of these names that is listed; the more special stand first.
fn listed(elements: &[(&str, u16)], names: &[&str]) -> Option<u16> {
    names.iter().find_map(|name| {
        let mut found = elements
            .iter()
            .filter(|(token, _)| token.eq_ignore_ascii_case(name));
        found.next().map(|(_, weight)| *weight)
    })
}

fn media(headers: &HeaderMap) -> Result<&'static str, HttpFault> {
    let (application, text) = (
        "application/xml; charset=\"utf-8\"",
        "text/xml; charset=\"utf-8\"",
    );
    let Some(accepted) = weighted(headers, &ACCEPT) else {
        return Ok(application);
    };
    let takes = |names: &[&str]| listed(&accepted, names).is_some_and(|weight| weight > 0);
    if takes(&["application/xml", "application/*", "*/*", "*"]) {
        Ok(application)
    } else if takes(&["text/xml", "text/*", "*/*", "*"]) {
        Ok(text)
    } else {
        Err(refuse(
            406,
            "Accept admits neither application/xml nor text/xml",
        ))
    }
}

fn charset(headers: &HeaderMap) -> Result<(), HttpFault> {
    let refused = weighted(headers, &ACCEPT_CHARSET).is_some_and(|accepted| {
        listed(&accepted, &["utf-8", "*"]).is_none_or(|weight| weight == 0)
    });
    if refused {
        return Err(refuse(406, "Accept-Charset does not admit UTF-8"));
    }
    Ok(())
}

/// The coding that the client likes best, gzip first, and whether it takes none as well.
fn coding(headers: &HeaderMap) -> Result<(Coding, bool), HttpFault> {
    let Some(accepted) = weighted(headers, &ACCEPT_ENCODING) else {
        return Ok((Coding::Identity, true));
    };
    let gzip = listed(&accepted, &["gzip", "x-gzip", "*"]).unwrap_or(0);
    let deflate = listed(&accepted, &["deflate", "*"]).unwrap_or(0);
    // Identity is admitted unless it is excluded, and preferred only where that is said.
    let named = listed(&accepted, &["identity"]);
    let identity = named
        .or(listed(&accepted, &["*"]))
        .is_none_or(|weight| weight > 0);
    let best = gzip.max(deflate);
    if best > 0 && named.is_none_or(|weight| weight <= best) {
        let coding = if gzip == best {
            Coding::Gzip
        } else {
            Coding::Deflate
        };
        return Ok((coding, identity));
    }
    if identity {
        Ok((Coding::Identity, true))
    } else {
        Err(refuse(406, "Accept-Encoding admits no coding of ours"))
    }
}

/// # Errors
/// 400 with `request-not-valid` for a range of languages that is none.
fn languages(headers: &HeaderMap) -> Result<(), HttpFault> {
    let is_language = |element: &str| {
        let range = element.split(';').next().unwrap_or_default().trim();
        range == "*"
            || range
                .split('-')
                .enumerate()
                .all(|(at, tag)| is_tag(at, tag))
    };
    for name in [ACCEPT_LANGUAGE, CONTENT_LANGUAGE] {
        for value in headers.get_all(&name) {
            let text = value.to_str().unwrap_or("?");
            let mut elements = text.split(',').map(str::trim).filter(|e| !e.is_empty());
            if !elements.all(is_language) {
                let detail = format!("{name} has no language tag where one must be");
                return Err(HttpFault::refused(Refusal::RequestNotValid, detail));
            }
        }
    }
    Ok(())
}

/// One to eight letters, or digits after the first tag (RFC 4647 §2.1).
fn is_tag(at: usize, tag: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_alphabetic() || (at > 0 && byte.is_ascii_digit());
    (1..=8).contains(&tag.len()) && (tag.bytes().all(fits) || (at > 0 && tag == "*"))
}

fn takes_trailers(headers: &HeaderMap) -> bool {
    weighted(headers, &TE)
        .is_some_and(|accepted| listed(&accepted, &["trailers"]).is_some_and(|weight| weight > 0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use hyper::header::HeaderValue;

    fn headers(given: &[(HeaderName, &str)]) -> HeaderMap {
        let pair = |(name, value): &(HeaderName, &str)| {
            (
                name.clone(),
                HeaderValue::from_str(value).expect("a header"),
            )
        };
        given.iter().map(pair).collect()
    }

    fn outcome(given: &[(HeaderName, &str)]) -> Result<Manner, u16> {
        negotiate(&headers(given)).map_err(|fault| fault.status)
    }

    fn check_coding(accepted: &str, expected: Option<(Coding, bool)>) {
        let found = outcome(&[(ACCEPT_ENCODING, accepted)]).ok();
        let found = found.map(|manner| (manner.coding, manner.identity));
        assert_eq!(found, expected, "{accepted}");
    }

    #[test]
    fn the_coding_is_the_one_that_weighs_most() {
        check_coding("", Some((Coding::Identity, true)));
        check_coding("identity", Some((Coding::Identity, true)));
        check_coding("gzip, deflate", Some((Coding::Gzip, true)));
        check_coding("deflate", Some((Coding::Deflate, true)));
        check_coding("gzip;q=0.5, deflate;q=0.8", Some((Coding::Deflate, true)));
        check_coding("br, X-GZIP", Some((Coding::Gzip, true)));
        check_coding("*", Some((Coding::Gzip, true)));
        check_coding("gzip;q=0, *;q=0.1", Some((Coding::Deflate, true)));
        check_coding("gzip; q=0.5, identity", Some((Coding::Identity, true)));
        check_coding("identity;q=0, gzip", Some((Coding::Gzip, false)));
        check_coding("br", Some((Coding::Identity, true)));
        check_coding("identity;q=0", None);
        check_coding("*;q=0.000, br", None);
        check_coding("gzip;q=two", Some((Coding::Identity, true)));
    }

    #[test]
    fn weights_have_three_digits_at_most() {
        for (text, expected) in [
            ("1", Some(1000)),
            ("1.000", Some(1000)),
            ("0.25", Some(250)),
            ("0", Some(0)),
            ("0.", Some(0)),
            ("1.1", None),
            ("0.0001", None),
            ("2", None),
            ("", None),
            ("-0", None),
        ] {
            assert_eq!(weight(text), expected, "{text:?}");
        }
    }

    #[test]
    fn media_and_charset_must_be_ours() {
        let media =
            |accepted| outcome(&[(ACCEPT, accepted)]).map(|m| m.media.split(';').next().unwrap());
        assert_eq!(
            media("text/html, text/xml, application/xml"),
            Ok("application/xml")
        );
        assert_eq!(media("*/*"), Ok("application/xml"));
        assert_eq!(media("text/xml"), Ok("text/xml"));
        assert_eq!(media("text/*;q=0.1"), Ok("text/xml"));
        assert_eq!(media("application/xml;q=0, */*"), Ok("text/xml"));
        assert_eq!(media("text/html"), Err(406));
        let charset = |accepted| outcome(&[(ACCEPT_CHARSET, accepted)]).map(|_| ());
        assert_eq!(charset("iso-8859-1, UTF-8;q=0.5"), Ok(()));
        assert_eq!(charset("*"), Ok(()));
        assert_eq!(charset("iso-8859-1"), Err(406));
        assert_eq!(charset("utf-8;q=0"), Err(406));
        assert_eq!(outcome(&[(RANGE, "bytes=0-")]).map(|_| ()), Err(406));
    }

    #[test]
    fn languages_are_tags() {
        let language = |accepted| outcome(&[(ACCEPT_LANGUAGE, accepted)]).map(|m| m.language);
        assert_eq!(language("en-US, *"), Ok(true));
        assert_eq!(language("de-DE-1996;q=0.5,en;q=0.3"), Ok(true));
        assert_eq!(language("e n"), Err(400));
        assert_eq!(language("1234"), Err(400));
        assert_eq!(language("muchtoolong"), Err(400));
        assert_eq!(outcome(&[(CONTENT_LANGUAGE, "?")]).map(|_| ()), Err(400));
        assert!(!outcome(&[]).expect("no headers").language);
    }

    #[test]
    fn trailers_are_taken_by_those_who_say_so() {
        let trailers = |value| outcome(&[(TE, value)]).map(|m| m.trailers);
        assert_eq!(trailers("trailers"), Ok(true));
        assert_eq!(trailers("chunked, Trailers"), Ok(true));
        assert_eq!(trailers("gzip"), Ok(false));
    }
}
