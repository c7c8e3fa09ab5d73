//! HTTP responses: the head of an answer, and refusals.

use hyper::header::{
    ALLOW, CACHE_CONTROL, CONNECTION, CONTENT_ENCODING, CONTENT_LANGUAGE, CONTENT_TYPE, HeaderMap,
    HeaderName, HeaderValue, RETRY_AFTER, TRAILER, WWW_AUTHENTICATE,
};
use hyper::{Response, StatusCode};
use percent_encoding::{CONTROLS, utf8_percent_encode};

use crate::cimxml::HttpFault;

use super::super::auth::CHALLENGE;
use super::super::negotiation::Manner;
use super::deliver::{Body, Delivery, prefixed, whole};
use super::options;

/// The language that everything is written in.
const LANGUAGE: &str = "en";

/// A refused request: why, and the prefix of its CIM headers if it was M-POST.
pub(super) struct Refused {
    pub(super) fault: HttpFault,
    pub(super) prefix: Option<String>,
}

impl From<HttpFault> for Refused {
    fn from(fault: HttpFault) -> Self {
        let prefix = None;
        Self { fault, prefix }
    }
}

/// An answer of operations: status 200, whatever they came to.
pub(super) fn answered(
    delivery: Delivery,
    manner: &Manner,
    prefix: Option<&str>,
) -> Response<Body> {
    let mut response = Response::new(delivery.body);
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(manner.media));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    if let Some(coding) = delivery.coding {
        headers.insert(CONTENT_ENCODING, HeaderValue::from_static(coding));
    }
    if manner.language {
        headers.insert(CONTENT_LANGUAGE, HeaderValue::from_static(LANGUAGE));
    }
    if let Some(names) = delivery.trailer {
        headers.extend(
            HeaderValue::from_str(&names)
                .ok()
                .map(|names| (TRAILER, names)),
        );
    }
    extend(
        headers,
        prefix,
        "cimoperation",
        HeaderValue::from_static("MethodResponse"),
    );
    declare(headers, prefix);
    response
}

/// A refusal has no body, and after those where the request was not read whole the connection ends.
pub(super) fn refused(refused: &Refused) -> Response<Body> {
    let (fault, prefix) = (&refused.fault, refused.prefix.as_deref());
    tracing::debug!(status = fault.status, detail = %fault.detail, "a request was refused");
    let mut response = Response::new(whole(bytes::Bytes::new()));
    *response.status_mut() =
        StatusCode::from_u16(fault.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let headers = response.headers_mut();
    if let Some(error) = fault.cim_error {
        let detail = utf8_percent_encode(&fault.detail, CONTROLS).to_string();
        extend(headers, prefix, "cimerror", error.as_str());
        extend(headers, prefix, "pgerrordetail", detail);
        declare(headers, prefix);
    }
    let more = match fault.status {
        401 => Some((WWW_AUTHENTICATE, CHALLENGE)),
        405 => Some((ALLOW, options::METHODS)),
        429 | 503 => Some((RETRY_AFTER, "1")),
        _ => None,
    };
    headers.extend(more.map(|(name, value)| (name, HeaderValue::from_static(value))));
    if matches!(fault.status, 400 | 408 | 411 | 413 | 414 | 417 | 500 | 503) {
        headers.insert(CONNECTION, HeaderValue::from_static("close"));
    }
    response
}

/// Adds a CIM header in the spelling that the request's method asks for; `name` is in lower case.
pub(super) fn extend<V>(headers: &mut HeaderMap, prefix: Option<&str>, name: &'static str, value: V)
where
    V: TryInto<HeaderValue>,
{
    let name = match prefix {
        None => Ok(HeaderName::from_static(name)),
        Some(_) => HeaderName::from_bytes(prefixed(prefix, name).as_bytes()),
    };
    if let (Ok(name), Ok(value)) = (name, value.try_into()) {
        headers.insert(name, value);
    }
}

/// Says, in answer to M-POST, whose headers the prefixed ones are (RFC 2774 §4).
fn declare(headers: &mut HeaderMap, prefix: Option<&str>) {
    let Some(prefix) = prefix else { return };
    let man = format!("http://www.dmtf.org/cim/mapping/http/v1.0 ; ns={prefix}");
    headers.insert(HeaderName::from_static("ext"), HeaderValue::from_static(""));
    extend(headers, None, "man", man);
}
