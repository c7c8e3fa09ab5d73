//! The elements around every message: `CIM` and `MESSAGE`, with their version numbers.

use super::error::{DecodeErrorKind, Result};
use super::reader::Reader;

/// The attributes of `MESSAGE`.
pub(super) struct Message {
    pub id: String,
    pub protocol_version: String,
}

/// Reads up to the content of `MESSAGE`.
pub(super) fn open(reader: &mut Reader<'_>) -> Result<Message> {
    let root = reader.root()?;
    if root.name != "CIM" {
        return Err(root.invalid(format!("the root element is {}", root.name)));
    }
    let cim = root.require("CIMVERSION")?;
    if !is_version(cim, "2") {
        return Err(reader.error(DecodeErrorKind::CimVersion(shorten(cim))));
    }
    let dtd = root.require("DTDVERSION")?;
    if !is_version(dtd, "2") {
        return Err(reader.error(DecodeErrorKind::DtdVersion(shorten(dtd))));
    }
    let Some(message) = reader.child()? else {
        return Err(reader.invalid("CIM without content"));
    };
    if message.name != "MESSAGE" {
        let what = format!("{} where MESSAGE is expected", message.name);
        return Err(reader.error(DecodeErrorKind::NotValid(what)));
    }
    let id = message.require("ID")?.to_owned();
    let protocol_version = message.require("PROTOCOLVERSION")?.to_owned();
    if !is_protocol_version(&protocol_version) {
        let shown = shorten(&protocol_version);
        return Err(reader.error(DecodeErrorKind::ProtocolVersion(shown)));
    }
    Ok(Message {
        id,
        protocol_version,
    })
}

/// Whether `text` is a protocol version that we speak: `1.` and a number.
pub(super) fn is_protocol_version(text: &str) -> bool {
    is_version(text, "1")
}

/// `major.minor` or `major.minor.update`; only the major number counts.
fn is_version(text: &str, major: &str) -> bool {
    let mut parts = text.trim().split('.');
    let number = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    let is_major = |first: &str| number(first) && first.trim_start_matches('0') == major;
    parts.next().is_some_and(is_major)
        && parts.next().is_some_and(number)
        && parts.next().is_none_or(number)
        && parts.next().is_none()
}

fn shorten(text: &str) -> String {
    text.chars().take(64).collect()
}
