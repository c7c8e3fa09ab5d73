//! The primitives of writing: markup, escaped text, and what XML cannot carry.
//!
//! Escapes are the five entities and `&#13;`: some clients show other references as they stand.

use std::fmt::{self, Write};

use bytes::BytesMut;
use thiserror::Error;

use crate::model::CimError;

/// A value that has no form in CIM-XML. The reply that holds it becomes `CIM_ERR_FAILED`: a value
/// is never changed silently.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{place}: the value {what}")]
pub struct EncodeError {
    place: String,
    what: &'static str,
}

impl EncodeError {
    pub(super) fn new(what: &'static str) -> Self {
        Self {
            place: String::new(),
            what,
        }
    }

    /// This error inside the property, key or parameter `name`.
    #[must_use]
    pub(super) fn within(mut self, name: &dyn fmt::Display) -> Self {
        self.place = if self.place.is_empty() {
            name.to_string()
        } else {
            format!("{name}.{}", self.place)
        };
        self
    }
}

impl From<EncodeError> for CimError {
    fn from(error: EncodeError) -> Self {
        Self::failed(error.to_string())
    }
}

/// The result of writing a value.
pub(super) type Written = Result<(), EncodeError>;

/// Appends markup as it stands.
pub(super) fn markup(out: &mut BytesMut, markup: &str) {
    out.extend_from_slice(markup.as_bytes());
}

/// Appends what needs no escapes: numbers, booleans, datetimes.
pub(super) fn plain(out: &mut BytesMut, value: impl fmt::Display) {
    write!(out, "{value}").expect("a BytesMut grows as it is written");
}

/// Appends UTF-8 `text` as character data.
pub(super) fn text(out: &mut BytesMut, text: &[u8]) -> Written {
    // Without a branch for each byte, so that many are looked at together.
    let is_special = |byte: u8| byte < b' ' || matches!(byte, b'&' | b'<' | b'>' | 0xef);
    if !(text.iter()).fold(false, |found, byte| found | is_special(*byte)) {
        out.extend_from_slice(text);
        return Ok(());
    }
    let mut copied = 0;
    for (at, &byte) in text.iter().enumerate() {
        let escape: &[u8] = match byte {
            b'&' => b"&amp;",
            b'<' => b"&lt;",
            b'>' => b"&gt;",
            b'\r' => b"&#13;",
            b'\t' | b'\n' => continue,
            0..b' ' => return Err(UNCARRIED),
            0xef if matches!(text.get(at + 1..at + 3), Some([0xbf, 0xbe | 0xbf])) => {
                return Err(UNCARRIED);
            }
            _ => continue,
        };
        out.extend_from_slice(&text[copied..at]);
        out.extend_from_slice(escape);
        copied = at + 1;
    }
    out.extend_from_slice(&text[copied..]);
    Ok(())
}

const UNCARRIED: EncodeError = EncodeError {
    place: String::new(),
    what: "has a character that XML cannot carry",
};

/// Appends ` name="value"`. Attributes hold names and descriptions, never values: a character
/// that XML cannot carry is shown as U+FFFD.
pub(super) fn attribute(out: &mut BytesMut, name: &str, value: &str) {
    markup(out, " ");
    markup(out, name);
    markup(out, "=\"");
    if value.bytes().all(is_harmless) {
        markup(out, value);
    } else {
        escaped(out, value);
    }
    markup(out, "\"");
}

fn is_harmless(byte: u8) -> bool {
    byte >= b' ' && byte != 0xef && !matches!(byte, b'&' | b'<' | b'>' | b'"')
}

fn escaped(out: &mut BytesMut, value: &str) {
    for c in value.chars() {
        match c {
            '&' => markup(out, "&amp;"),
            '<' => markup(out, "&lt;"),
            '>' => markup(out, "&gt;"),
            '"' => markup(out, "&quot;"),
            '\t' | '\n' | '\r' => plain(out, format_args!("&#{};", u32::from(c))),
            c if super::is_xml_char(c) => plain(out, c),
            _ => markup(out, "\u{fffd}"),
        }
    }
}

/// Appends ` name="true"` or `false` when `value` is not what is meant by its absence.
pub(super) fn flag(out: &mut BytesMut, name: &str, value: bool, usual: bool) {
    if value != usual {
        attribute(out, name, if value { "true" } else { "false" });
    }
}
