//! The CIM headers of a request: reading them, with or without M-POST, and comparing them with
//! the body (DSP0200 1.4 §6.3, §7.3).
//!
//! It sees names and values only; which HTTP library they come from does not matter here.

use std::borrow::Cow;

use percent_encoding::percent_decode;

use crate::model::{CimValue, Keys, Namespace, ObjectPath, key_of_type};

use super::envelope::is_protocol_version;
use super::error::{Envelope, HttpFault, Refusal, Target};

/// The URI by which M-POST requests declare the CIM headers, without the scheme.
const EXTENSION_HOST: &str = "www.dmtf.org";
const EXTENSION_PATH: &str = "/cim/mapping/http/v1.0";
/// From this length on a `CIMObject` may be cut off: sfcc has a buffer of about 500 bytes.
const CUT_BYTES: usize = 480;

type Checked<T> = Result<T, HttpFault>;

/// How strictly a request is held against the standard: `doc/clients.md` has what differs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Agreement {
    /// `CIMMethod` and `CIMObject` may be absent, `CIMObject` may be malformed, and the body need only be
    /// loosely valid.
    #[default]
    Tolerant,
    /// Both headers must be there and well formed, and the body valid (DSP0203 2.4).
    Strict,
}

/// The HTTP method of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// `POST`: the headers have their plain names.
    Post,
    /// `M-POST`: `Man` gives the number that stands before each name.
    MPost,
}

/// The CIM headers of a request whose `CIMOperation` is `MethodCall`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CimHeaders {
    /// `CIMProtocolVersion`.
    pub protocol_version: Option<String>,
    /// `CIMMethod`, decoded.
    pub method: Option<String>,
    /// `CIMObject` as it was sent, not decoded.
    pub object: Option<Vec<u8>>,
    /// `CIMBatch` is there: the message holds several requests.
    pub batch: bool,
    /// The number before the names of an M-POST request.
    pub prefix: Option<String>,
}

fn fault(status: u16, detail: &str) -> HttpFault {
    HttpFault {
        status,
        cim_error: None,
        detail: detail.into(),
    }
}

fn mismatch(detail: &str) -> HttpFault {
    HttpFault::refused(Refusal::HeaderMismatch, detail)
}

/// The CIM headers of a request whose `CIMExport` is `MethodRequest`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExportHeaders {
    /// The number before the names of an M-POST request.
    pub prefix: Option<String>,
}

impl ExportHeaders {
    /// Reads the CIM headers among `all` headers of an export request (DSP0200 1.4 §6.3.10).
    ///
    /// # Errors
    /// 510 for M-POST without the CIM extension, 400 without `CIMExport` or with
    /// another value of it, 501 for a batch.
    pub fn read(method: Method, all: &[(&str, &[u8])]) -> Checked<Self> {
        let prefix = prefix(method, all)?;
        let single = |name: &str| single(all, prefix.as_deref(), name);
        match single("CIMExport")? {
            None => return Err(fault(400, "not an export request: no CIMExport")),
            Some(value) if value.trim_ascii().eq_ignore_ascii_case(b"MethodRequest") => {}
            Some(_) => {
                let detail = "CIMExport is not MethodRequest";
                return Err(HttpFault::refused(Refusal::UnsupportedOperation, detail));
            }
        }
        if single("CIMExportBatch")?.is_some() {
            let detail = "several export requests in one message";
            return Err(HttpFault::refused(
                Refusal::MultipleRequestsUnsupported,
                detail,
            ));
        }
        Ok(Self { prefix })
    }
}

impl CimHeaders {
    /// Reads the CIM headers among `all` headers of a request.
    ///
    /// # Errors
    /// 510 for M-POST without the CIM extension, 400 without `CIMOperation` or with one given
    /// twice or of another value, or a `CIMBatch` that has a value and may not.
    pub fn read(method: Method, all: &[(&str, &[u8])], agreement: Agreement) -> Checked<Self> {
        let prefix = prefix(method, all)?;
        let single = |name: &str| single(all, prefix.as_deref(), name);
        match single("CIMOperation")? {
            None => return Err(fault(400, "not a CIM request: no CIMOperation")),
            Some(value) if value.trim_ascii().eq_ignore_ascii_case(b"MethodCall") => {}
            Some(_) => {
                let detail = "CIMOperation is not MethodCall";
                return Err(HttpFault::refused(Refusal::UnsupportedOperation, detail));
            }
        }
        let batch = single("CIMBatch")?;
        // The Java client writes the header's name as its value (DSP0200 1.4 §6.3.8 has none).
        let is_empty = batch.is_none_or(|value| value.trim_ascii().is_empty());
        if agreement == Agreement::Strict && !is_empty {
            return Err(mismatch("CIMBatch with a value"));
        }
        let batch = batch.is_some();
        let version = single("CIMProtocolVersion")?;
        let method = single("CIMMethod")?.map(|raw| decoded(raw).trim().to_owned());
        let object = single("CIMObject")?.map(|raw| raw.trim_ascii().to_vec());
        if batch && (method.is_some() || object.is_some()) {
            return Err(mismatch("CIMBatch beside CIMMethod or CIMObject"));
        }
        Ok(Self {
            protocol_version: version.map(|raw| String::from_utf8_lossy(raw).trim().to_owned()),
            method,
            object,
            batch,
            prefix,
        })
    }

    /// Compares the headers with the body.
    ///
    /// # Errors
    /// 501 for a protocol version that is not ours, 400 with `header-mismatch` for whatever is
    /// there and says something else than the body.
    pub fn agree(&self, body: &Envelope, agreement: Agreement) -> Checked<()> {
        self.agree_on_version(&body.protocol_version)?;
        self.agree_on_method(body, agreement)?;
        self.agree_on_object(body, agreement)
    }

    /// Compares the headers with a message of that protocol version.
    ///
    /// # Errors
    /// 501 for a protocol version that is not ours, 400 for another one than the message's.
    pub fn agree_on_version(&self, message: &str) -> Checked<()> {
        let Some(version) = &self.protocol_version else {
            return Ok(());
        };
        if !is_protocol_version(version) {
            let detail = "CIMProtocolVersion is not supported";
            return Err(HttpFault::refused(
                Refusal::UnsupportedProtocolVersion,
                detail,
            ));
        }
        if !same_version(version, message) {
            return Err(mismatch(
                "CIMProtocolVersion is not the PROTOCOLVERSION of the message",
            ));
        }
        Ok(())
    }

    fn agree_on_method(&self, body: &Envelope, agreement: Agreement) -> Checked<()> {
        match (&self.method, agreement) {
            (None, Agreement::Tolerant) => Ok(()),
            (None, Agreement::Strict) => Err(mismatch("no CIMMethod")),
            (Some(method), _) if method.eq_ignore_ascii_case(&body.head.method) => Ok(()),
            (Some(_), _) => Err(mismatch("CIMMethod is not the method of the message")),
        }
    }

    fn agree_on_object(&self, body: &Envelope, agreement: Agreement) -> Checked<()> {
        let Some(raw) = &self.object else {
            return match agreement {
                Agreement::Tolerant => Ok(()),
                Agreement::Strict => Err(mismatch("no CIMObject")),
            };
        };
        let agrees = match &body.target {
            None => true,
            Some(Target::Namespace(namespace)) => {
                texts(raw).any(|text| is_namespace(&text, namespace, agreement))
            }
            Some(Target::Object(object)) => {
                texts(raw).any(|text| denotes(&text, raw.len(), object, agreement))
            }
        };
        if agrees {
            Ok(())
        } else {
            Err(mismatch("CIMObject is not the target of the message"))
        }
    }
}

/// The number before the names of the CIM headers of an M-POST request.
fn prefix(method: Method, all: &[(&str, &[u8])]) -> Checked<Option<String>> {
    match method {
        Method::Post => Ok(None),
        Method::MPost => {
            let declared = values(all, "Man").find_map(extension);
            let missing = || fault(510, "M-POST without the CIM extension in Man");
            declared.ok_or_else(missing).map(Some)
        }
    }
}

fn values<'a>(all: &'a [(&str, &'a [u8])], name: &str) -> impl Iterator<Item = &'a [u8]> {
    all.iter()
        .filter(move |(given, _)| given.eq_ignore_ascii_case(name))
        .map(|(_, value)| *value)
}

fn single<'a>(
    all: &'a [(&str, &'a [u8])],
    prefix: Option<&str>,
    name: &str,
) -> Checked<Option<&'a [u8]>> {
    let full: Cow<'_, str> = match prefix {
        Some(prefix) => format!("{prefix}-{name}").into(),
        None => name.into(),
    };
    let mut found = values(all, &full);
    match (found.next(), found.next()) {
        (_, Some(_)) => Err(mismatch(&format!("{name} is given twice"))),
        (value, None) => Ok(value),
    }
}

/// The number that a `Man` header gives to the CIM extension:
/// `http://www.dmtf.org/cim/mapping/http/v1.0 ; ns=11`, quoted or not.
fn extension(man: &[u8]) -> Option<String> {
    let man = std::str::from_utf8(man).ok()?;
    man.split(',').find_map(|declaration| {
        let (uri, parameters) = declaration.split_once(';')?;
        let uri = uri.trim().trim_matches('"').to_ascii_lowercase();
        let path = uri.strip_prefix("http://")?.strip_prefix(EXTENSION_HOST)?;
        if path.strip_prefix('.').unwrap_or(path) != EXTENSION_PATH {
            return None;
        }
        parameters.split(';').find_map(namespace_prefix)
    })
}

fn namespace_prefix(parameter: &str) -> Option<String> {
    let (name, value) = parameter.split_once('=')?;
    let number = value.trim().trim_matches('"');
    let is_number = (2..=16).contains(&number.len()) && number.bytes().all(|b| b.is_ascii_digit());
    (name.trim().eq_ignore_ascii_case("ns") && is_number).then(|| number.to_owned())
}

fn decoded(raw: &[u8]) -> Cow<'_, str> {
    percent_decode(raw).decode_utf8_lossy()
}

/// The texts that a header may stand for: clients escape it, escape it by half, or not at all.
fn texts(raw: &[u8]) -> impl Iterator<Item = Cow<'_, str>> {
    [decoded, String::from_utf8_lossy]
        .into_iter()
        .map(|read| read(raw))
}

fn same_version(a: &str, b: &str) -> bool {
    let numbers = |text| {
        str::trim(text)
            .split('.')
            .map(|part| part.parse::<u32>().ok())
    };
    numbers(a).eq(numbers(b))
}

fn is_namespace(text: &str, namespace: &Namespace, agreement: Agreement) -> bool {
    let text = match agreement {
        Agreement::Tolerant => without_host(text),
        Agreement::Strict if text.starts_with("//") => return false,
        Agreement::Strict => text,
    };
    namespace.is(text)
}

/// The Java clients may write `//host/` before the namespace.
fn without_host(text: &str) -> &str {
    text.strip_prefix("//")
        .and_then(|rest| rest.split_once('/'))
        .map_or(text, |(_, rest)| rest)
}

/// Whether a header of `length` bytes names `object`. The namespace alone is enough (sfcc); keys
/// that cannot be read, or that were cut off, count as agreeing, and a host is passed over, unless the
/// check is strict.
fn denotes(text: &str, length: usize, object: &ObjectPath, agreement: Agreement) -> bool {
    let here = |namespace: &Namespace| is_namespace(text, namespace, agreement);
    if agreement == Agreement::Tolerant && object.namespace.as_ref().is_some_and(here) {
        return true;
    }
    if agreement == Agreement::Strict && text.starts_with("//") {
        return false;
    }
    let lenient = agreement == Agreement::Tolerant && object.keys.is_some();
    match text.parse::<ObjectPath>() {
        Ok(given) if same_object(&given, object) => true,
        Ok(given) => lenient && length >= CUT_BYTES && same_class(&given, object),
        Err(_) => lenient && head(text).is_none_or(|given| same_class(&given, object)),
    }
}

/// The path of the class in a path whose keys cannot be read.
fn head(text: &str) -> Option<ObjectPath> {
    let text = without_host(text);
    text[..text.find(['.', '=']).unwrap_or(text.len())]
        .parse()
        .ok()
}

fn same_class(given: &ObjectPath, object: &ObjectPath) -> bool {
    given.class == object.class && same_namespace(given, object)
}

fn same_namespace(given: &ObjectPath, object: &ObjectPath) -> bool {
    match (&given.namespace, &object.namespace) {
        (Some(a), Some(b)) => a == b,
        (None, _) | (_, None) => true,
    }
}

fn same_object(given: &ObjectPath, object: &ObjectPath) -> bool {
    fn bound(path: &ObjectPath) -> Option<&Keys> {
        path.keys.as_ref().filter(|keys| !keys.is_empty())
    }
    same_class(given, object)
        && match (bound(given), bound(object)) {
            (None, None) => true,
            (Some(given), Some(keys)) => same_keys(given, keys),
            (None, Some(_)) | (Some(_), None) => false,
        }
}

fn same_keys(given: &Keys, keys: &Keys) -> bool {
    given.len() == keys.len()
        && keys.iter().all(|(name, value)| {
            given
                .get(name.as_str())
                .is_some_and(|text| same_key(text, value))
        })
}

/// Whether a key as the header has it, mostly without a type, is the key of the body.
fn same_key(given: &CimValue, key: &CimValue) -> bool {
    let Some(ty) = key.ty() else { return false };
    match (key_of_type(given, ty), key) {
        (Ok(CimValue::Reference(given)), CimValue::Reference(path)) => same_object(&given, path),
        (Ok(typed), key) => typed == *key,
        // The body may call a number a string, or the reverse: only the text is comparable.
        (Err(_), key) => given.to_string() == key.to_string(),
    }
}
