//! What HTTP itself asks of a request, before anybody is asked who they are.
//!
//! hyper has parsed the request; these are the rules it leaves to us.

use std::net::IpAddr;

use hyper::header::{
    CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, EXPECT, HOST, HeaderMap, HeaderValue,
    TRANSFER_ENCODING,
};
use hyper::{Request, Uri, Version};

use crate::cimxml::{Charset, HttpFault, Method};

use super::Limits;

/// A refusal without a `CIMError`.
pub(super) fn refuse(status: u16, detail: &str) -> HttpFault {
    HttpFault {
        status,
        cim_error: None,
        detail: detail.to_owned(),
    }
}

/// What a request wants of HTTP.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verb {
    /// To call operations.
    Call(Method),
    /// To know what the server can do.
    Options,
}

/// How a request came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Transport {
    /// In the clear, from this machine.
    Plain,
    /// Over TLS.
    Tls,
}

/// The method of a request whose head is sound.
///
/// # Errors
/// 414, 400, 403, 405, 411, 413 or 417, in this order.
pub(super) fn head<B>(
    request: &Request<B>,
    transport: Transport,
    limits: &Limits,
) -> Result<Verb, HttpFault> {
    let headers = request.headers();
    if target_bytes(request.uri()) > limits.uri_bytes {
        return Err(refuse(414, "the request target is too long"));
    }
    framing(headers)?;
    host(request, transport)?;
    let method = match request.method().as_str() {
        "POST" => Method::Post,
        "M-POST" if request.version() == Version::HTTP_11 => Method::MPost,
        "OPTIONS" => return Ok(Verb::Options),
        _ => return Err(refuse(405, "the method is neither POST nor M-POST")),
    };
    length(headers, limits)?;
    expectation(headers)?;
    Ok(Verb::Call(method))
}

/// How long a request target is.
fn target_bytes(uri: &Uri) -> usize {
    let path = uri.path_and_query().map_or(0, |path| path.as_str().len());
    let authority = uri.authority().map_or(0, |name| name.as_str().len());
    let scheme = uri.scheme_str().map_or(0, |name| name.len() + "://".len());
    scheme + authority + path
}

/// The only expectation there is, which is met when the body is read (RFC 9110 §10.1.1).
fn expectation(headers: &HeaderMap) -> Result<(), HttpFault> {
    let mut expected = headers.get_all(EXPECT).iter().map(HeaderValue::as_bytes);
    if expected.all(|value| value.is_empty() || value.eq_ignore_ascii_case(b"100-continue")) {
        return Ok(());
    }
    Err(refuse(
        417,
        "Expect asks for something else than 100-continue",
    ))
}

/// One way of framing, said once: anything else is read differently by different readers.
fn framing(headers: &HeaderMap) -> Result<(), HttpFault> {
    let mut encodings = headers.get_all(TRANSFER_ENCODING).iter();
    match (encodings.next(), encodings.next()) {
        (None, _) => {}
        (Some(encoding), None) if encoding.as_bytes().eq_ignore_ascii_case(b"chunked") => {}
        (Some(_), _) => return Err(refuse(400, "Transfer-Encoding is not chunked, or not once")),
    }
    let digits = |value: &[u8]| !value.is_empty() && value.iter().all(u8::is_ascii_digit);
    let mut lengths = headers.get_all(CONTENT_LENGTH).iter();
    let first = lengths.next();
    if first.is_some_and(|first| !digits(first.as_bytes()) || lengths.any(|other| other != first)) {
        return Err(refuse(
            400,
            "Content-Length is not a number, or two different ones",
        ));
    }
    Ok(())
}

/// A page in a browser can make its own name mean this machine; it cannot make the browser send
/// another name than its own. Over TLS the certificate has shown the name already.
fn host<B>(request: &Request<B>, transport: Transport) -> Result<(), HttpFault> {
    let mut hosts = request.headers().get_all(HOST).iter();
    match (hosts.next(), hosts.next()) {
        (Some(host), None) => match host.to_str().ok().map(name_of) {
            Some(name) if is_local(name) || transport == Transport::Tls => Ok(()),
            Some(_) => Err(refuse(403, "Host names another machine")),
            None => Err(refuse(400, "Host is not text")),
        },
        (None, _) if request.version() == Version::HTTP_10 => Ok(()),
        (None, _) => Err(refuse(400, "HTTP/1.1 asks for Host")),
        (Some(_), Some(_)) => Err(refuse(400, "Host is given twice")),
    }
}

/// The host without its port.
fn name_of(host: &str) -> &str {
    match host.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((address, _)) => address,
        None => host.split_once(':').map_or(host, |(name, _)| name),
    }
}

fn is_local(name: &str) -> bool {
    name.eq_ignore_ascii_case("localhost")
        || name.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

fn length(headers: &HeaderMap, limits: &Limits) -> Result<(), HttpFault> {
    if headers.contains_key(TRANSFER_ENCODING) {
        return Ok(());
    }
    let length = headers
        .get(CONTENT_LENGTH)
        .and_then(|length| length.to_str().ok());
    let length = length.ok_or_else(|| refuse(411, "neither Content-Length nor chunked"))?;
    // More digits than a number has are too many bytes as well.
    match length.parse::<u64>() {
        Ok(length) if length <= limits.body_bytes as u64 => Ok(()),
        Ok(_) | Err(_) => Err(refuse(413, "the body is too long")),
    }
}

/// The encoding of the body.
///
/// # Errors
/// 415 for a body that is not XML in UTF-8 or UTF-16, or is compressed.
pub(super) fn media(headers: &HeaderMap) -> Result<Charset, HttpFault> {
    let value = headers
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    let (media, parameters) = value.split_once(';').unwrap_or((value, ""));
    let is_xml = ["application/xml", "text/xml"]
        .iter()
        .any(|xml| media.trim().eq_ignore_ascii_case(xml));
    let charset = parameters.split(';').find_map(|parameter| {
        let (name, value) = parameter.split_once('=')?;
        name.trim()
            .eq_ignore_ascii_case("charset")
            .then(|| value.trim().trim_matches('"'))
    });
    let charset = charset.map_or(Some(Charset::default()), Charset::named);
    let Some(charset) = charset.filter(|_| is_xml) else {
        let detail = "the body is not application/xml or text/xml in UTF-8 or UTF-16";
        return Err(refuse(415, detail));
    };
    let coded = |value: &hyper::header::HeaderValue| {
        !value
            .as_bytes()
            .trim_ascii()
            .eq_ignore_ascii_case(b"identity")
    };
    if headers.get_all(CONTENT_ENCODING).iter().any(coded) {
        return Err(refuse(415, "the body is compressed"));
    }
    Ok(charset)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(headers: &[(&str, &str)]) -> Request<()> {
        let builder = Request::post("/cimom").version(Version::HTTP_11);
        let with = |builder: hyper::http::request::Builder, (name, value): &(&str, &str)| {
            builder.header(*name, *value)
        };
        headers
            .iter()
            .fold(builder, with)
            .body(())
            .expect("a request")
    }

    fn status(headers: &[(&str, &str)]) -> u16 {
        head(&request(headers), Transport::Plain, &Limits::default())
            .map_or_else(|fault| fault.status, |_| 200)
    }

    #[test]
    fn sound_heads_pass_and_others_do_not() {
        let host = ("host", "localhost:5988");
        let length = ("content-length", "5");
        assert_eq!(status(&[host, length]), 200);
        assert_eq!(status(&[("host", "[::1]:1"), length]), 200);
        assert_eq!(status(&[host, ("transfer-encoding", "Chunked")]), 200);
        assert_eq!(status(&[host, length, length]), 200);
        assert_eq!(status(&[length]), 400);
        assert_eq!(status(&[host, host, length]), 400);
        assert_eq!(status(&[("host", "evil.example"), length]), 403);
        assert_eq!(status(&[host]), 411);
        assert_eq!(status(&[host, length, ("content-length", "6")]), 400);
        for bad in ["+5", "-1", "5x", "", "0x5"] {
            assert_eq!(status(&[host, ("content-length", bad)]), 400, "{bad:?}");
        }
        assert_eq!(status(&[host, ("content-length", "16777216")]), 200);
        assert_eq!(status(&[host, ("content-length", "16777217")]), 413);
        assert_eq!(status(&[host, ("content-length", &"9".repeat(40))]), 413);
        assert_eq!(status(&[host, ("transfer-encoding", "gzip, chunked")]), 400);
        assert_eq!(
            status(&[
                host,
                ("transfer-encoding", "chunked"),
                ("transfer-encoding", "chunked")
            ]),
            400
        );
    }

    #[test]
    fn only_plain_xml_in_utf_8_is_read() {
        let check = |headers: &[(&str, &str)]| media(request(headers).headers()).is_ok();
        assert!(check(&[(
            "content-type",
            "application/xml; charset=\"utf-8\""
        )]));
        assert!(check(&[("content-type", "TEXT/XML")]));
        assert!(check(&[
            ("content-type", "text/xml"),
            ("content-encoding", "identity")
        ]));
        for bad in [
            "",
            "text/plain",
            "application/xml; charset=latin1",
            "application/xmlx",
        ] {
            assert!(!check(&[("content-type", bad)]), "{bad:?} was taken");
        }
        assert!(!check(&[
            ("content-type", "text/xml"),
            ("content-encoding", "gzip")
        ]));
    }
}
