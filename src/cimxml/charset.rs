//! The encodings a body may be in: UTF-8, which everything behind works on, or UTF-16, rewritten to it.
//!
//! A byte order mark says more than a header; where neither says which end comes first, the first
//! character of the document does (XML 1.0 appendix F).

use std::borrow::Cow;

use super::error::{DecodeError, DecodeErrorKind, Result};

/// The encoding that a `Content-Type` names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Charset {
    /// `utf-8`, `us-ascii`, or none named.
    #[default]
    Utf8,
    /// `utf-16`, whose byte order the document shows.
    Utf16,
    /// `utf-16le`.
    Utf16Le,
    /// `utf-16be`.
    Utf16Be,
}

impl Charset {
    /// The encoding of that name, in any case; `None` for one that is not read.
    pub fn named(name: &str) -> Option<Self> {
        match name.to_ascii_lowercase().as_str() {
            "utf-8" | "us-ascii" => Some(Self::Utf8),
            "utf-16" => Some(Self::Utf16),
            "utf-16le" => Some(Self::Utf16Le),
            "utf-16be" => Some(Self::Utf16Be),
            _ => None,
        }
    }
}

/// `body` as UTF-8. What was not UTF-16 comes back as it is, not yet checked.
///
/// # Errors
/// [`DecodeErrorKind::NotWellFormed`] for UTF-16 that is none.
pub fn to_utf8(body: &[u8], charset: Charset) -> Result<Cow<'_, [u8]>> {
    let (is_little, rest) = match (body, charset) {
        ([0xff, 0xfe, rest @ ..], _) => (true, rest),
        ([0xfe, 0xff, rest @ ..], _) => (false, rest),
        (_, Charset::Utf8) => return Ok(body.into()),
        (_, Charset::Utf16Le) | ([b'<', 0, ..], Charset::Utf16) => (true, body),
        (_, Charset::Utf16Be | Charset::Utf16) => (false, body),
    };
    let unit = if is_little {
        u16::from_le_bytes
    } else {
        u16::from_be_bytes
    };
    let (pairs, left) = rest.as_chunks::<2>();
    let units = pairs.iter().map(|pair| unit(*pair));
    let text: std::result::Result<String, _> = char::decode_utf16(units).collect();
    match text {
        Ok(text) if left.is_empty() => Ok(declared_anew(text).into_bytes().into()),
        Ok(_) | Err(_) => {
            let what = DecodeErrorKind::NotWellFormed("not UTF-16".into());
            Err(DecodeError::new(0, what))
        }
    }
}

/// The declaration of a rewritten document says what it is now.
fn declared_anew(text: String) -> String {
    let declaration = text.starts_with("<?xml").then(|| text.find("?>")).flatten();
    let value = declaration.and_then(|end| {
        let from = text[..end].find("encoding")? + "encoding".len();
        let open = from + text[from..end].find(['"', '\''])? + 1;
        let close = open + text[open..end].find(['"', '\''])?;
        Some(open..close)
    });
    match value {
        Some(at) if text[at.clone()].to_ascii_lowercase().starts_with("utf-16") => {
            format!("{}utf-8{}", &text[..at.start], &text[at.end..])
        }
        Some(_) | None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "<?xml version='1.0' encoding='UTF-16'?><a b=\"\u{e4}\u{1f600}\"/>";
    const REWRITTEN: &str = "<?xml version='1.0' encoding='utf-8'?><a b=\"\u{e4}\u{1f600}\"/>";

    fn bytes(text: &str, mark: &[u8], unit: fn(u16) -> [u8; 2]) -> Vec<u8> {
        let units = text.encode_utf16().flat_map(unit);
        mark.iter().copied().chain(units).collect()
    }

    fn check(body: &[u8], charset: Charset, expected: Option<&str>) {
        let text = to_utf8(body, charset).ok();
        let text = text.map(|text| String::from_utf8_lossy(&text).into_owned());
        assert_eq!(text.as_deref(), expected, "{charset:?}: {body:?}");
    }

    #[test]
    fn utf_16_is_read_in_both_orders() {
        let little = |mark: &[u8]| bytes(TEXT, mark, u16::to_le_bytes);
        let big = |mark: &[u8]| bytes(TEXT, mark, u16::to_be_bytes);
        for charset in [Charset::Utf8, Charset::Utf16, Charset::Utf16Be] {
            check(&little(&[0xff, 0xfe]), charset, Some(REWRITTEN));
        }
        for charset in [Charset::Utf8, Charset::Utf16, Charset::Utf16Le] {
            check(&big(&[0xfe, 0xff]), charset, Some(REWRITTEN));
        }
        check(&little(&[]), Charset::Utf16Le, Some(REWRITTEN));
        check(&big(&[]), Charset::Utf16Be, Some(REWRITTEN));
        check(&little(&[]), Charset::Utf16, Some(REWRITTEN));
        check(&big(&[]), Charset::Utf16, Some(REWRITTEN));
    }

    #[test]
    fn what_is_no_utf_16_is_refused() {
        check(&[0xff, 0xfe, b'<'], Charset::Utf16, None);
        check(&[0xff, 0xfe, 0x00, 0xd8], Charset::Utf16, None);
        check(&[0xfe, 0xff, 0xdc, 0x00], Charset::Utf8, None);
    }

    #[test]
    fn utf_8_and_other_declarations_stay_as_they_are() {
        check(TEXT.as_bytes(), Charset::Utf8, Some(TEXT));
        let latin = "<?xml version='1.0' encoding='latin1'?><a/>";
        check(
            &bytes(latin, &[], u16::to_le_bytes),
            Charset::Utf16,
            Some(latin),
        );
        let none = "<?xml version='1.0'?><a encoding='utf-16'/>";
        check(
            &bytes(none, &[], u16::to_le_bytes),
            Charset::Utf16,
            Some(none),
        );
    }
}
