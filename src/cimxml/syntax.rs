//! The small rules of XML 1.0 that a tokenizer leaves to others: characters, names, references, attributes.

use std::borrow::Cow;

/// Why a piece of markup is not XML.
pub(super) type Syntax<T> = Result<T, &'static str>;

/// Whether `c` may stand in a document (XML 1.0 production 2).
pub fn is_xml_char(c: char) -> bool {
    match c {
        '\t' | '\n' | '\r' => true,
        '\u{fffe}' | '\u{ffff}' => false,
        c => c >= ' ',
    }
}

pub(super) fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r')
}

pub(super) fn is_blank(text: &str) -> bool {
    text.bytes().all(is_space)
}

/// How many bytes of a document are judged at once.
const BLOCK_BYTES: usize = 64;

/// Where the first character stands that may not be in a document.
pub(super) fn illegal_char(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    let is_plain = |byte: &u8| (*byte >= b' ' || is_space(*byte)) && *byte != 0xef;
    let illegal = |at: &usize| {
        let byte = bytes[*at];
        let control = byte < b' ' && !is_space(byte);
        // U+FFFE and U+FFFF are EF BF BE and EF BF BF.
        let beyond = byte == 0xef && matches!(bytes.get(at + 1..at + 3), Some([0xbf, 0xbe | 0xbf]));
        control || beyond
    };
    // Nearly all documents are plain throughout, which is seen a block at a time.
    let blocks = (0..bytes.len()).step_by(BLOCK_BYTES);
    blocks
        .map(|start| start..bytes.len().min(start + BLOCK_BYTES))
        .filter(|block| !(bytes[block.clone()].iter()).fold(true, |all, byte| all & is_plain(byte)))
        .find_map(|mut block| block.find(illegal))
}

/// ASCII only: no name in CIM-XML has another letter, and the fourth and fifth editions of XML 1.0
/// disagree on which others are letters.
fn starts_name(byte: u8) -> bool {
    byte.is_ascii_alphabetic() || matches!(byte, b':' | b'_')
}

fn continues_name(byte: u8) -> bool {
    starts_name(byte) || byte.is_ascii_digit() || matches!(byte, b'-' | b'.')
}

/// Splits `text` before the first byte that `ends`; what ends it begins a character. What tags are made of is
/// short: a loop over its bytes is sooner done than a search is set up.
fn split_before(text: &str, ends: impl Fn(u8) -> bool) -> (&str, &str) {
    let end = text.bytes().position(ends);
    text.split_at(end.unwrap_or(text.len()))
}

/// Splits the name at the beginning of `text` off (XML 1.0 production 5).
pub(super) fn split_name(text: &str) -> Syntax<(&str, &str)> {
    match text.bytes().next() {
        Some(first) if starts_name(first) => Ok(split_before(text, |byte| !continues_name(byte))),
        _ => Err("a name is missing"),
    }
}

pub(super) fn trim_space(text: &str) -> &str {
    split_before(text, |byte| !is_space(byte)).1
}

/// The character that `&name;` stands for, without the `&` and the `;`.
pub(super) fn reference(name: &str) -> Syntax<char> {
    let code = match name {
        "amp" => return Ok('&'),
        "lt" => return Ok('<'),
        "gt" => return Ok('>'),
        "quot" => return Ok('"'),
        "apos" => return Ok('\''),
        _ => name
            .strip_prefix('#')
            .ok_or("an entity that is not one of the five")?,
    };
    let (digits, radix) = code.strip_prefix('x').map_or((code, 10), |hex| (hex, 16));
    if digits.is_empty() || !digits.chars().all(|c| c.is_digit(radix)) {
        return Err("a character reference without digits");
    }
    u32::from_str_radix(digits, radix)
        .ok()
        .and_then(char::from_u32)
        .filter(|c| is_xml_char(*c))
        .ok_or("a reference to a character that XML does not have")
}

/// Line ends as XML 1.0 §2.11 wants them: CR LF and CR alone become LF.
pub(super) fn line_ends(text: &str) -> Cow<'_, str> {
    if text.contains('\r') {
        text.replace("\r\n", "\n").replace('\r', "\n").into()
    } else {
        text.into()
    }
}

/// The value of an attribute from what stands between its quotes (XML 1.0 §3.3.3).
pub(super) fn attribute_value(raw: &str) -> Syntax<Cow<'_, str>> {
    let is_plain = |byte| !matches!(byte, b'<' | b'&' | b'\t' | b'\n' | b'\r');
    if raw.bytes().fold(true, |all, byte| all & is_plain(byte)) {
        return Ok(raw.into());
    }
    if raw.contains('<') {
        return Err("a < in the value of an attribute");
    }
    let mut value = String::with_capacity(raw.len());
    let mut rest: &str = &raw.replace("\r\n", "\n");
    while let Some(at) = rest.find(['&', '\t', '\n', '\r']) {
        value.push_str(&rest[..at]);
        let special = &rest[at..];
        if let Some(named) = special.strip_prefix('&') {
            let (name, after) = named.split_once(';').ok_or("a reference without its end")?;
            value.push(reference(name)?);
            rest = after;
        } else {
            value.push(' ');
            rest = &special[1..];
        }
    }
    value.push_str(rest);
    Ok(value.into())
}

/// Splits `name = "value"` at the beginning of `text` off; `None` when only space is left.
pub(super) fn split_attribute(text: &str) -> Syntax<Option<Attribute<'_>>> {
    let trimmed = trim_space(text);
    if trimmed.is_empty() {
        return Ok(None);
    }
    if trimmed.len() == text.len() {
        return Err("no space before an attribute");
    }
    let (name, rest) = split_name(trimmed)?;
    let rest = trim_space(rest)
        .strip_prefix('=')
        .ok_or("an attribute without a value")?;
    let (raw, rest) = split_quoted(trim_space(rest))?;
    Ok(Some(Attribute { name, raw, rest }))
}

/// One attribute as it was written, with what follows it.
pub(super) struct Attribute<'a> {
    pub name: &'a str,
    pub raw: &'a str,
    pub rest: &'a str,
}

/// Splits a quoted literal at the beginning of `text` off.
pub(super) fn split_quoted(text: &str) -> Syntax<(&str, &str)> {
    let Some(quote @ (b'"' | b'\'')) = text.bytes().next() else {
        return Err("a value without quotes");
    };
    let (value, rest) = split_before(&text[1..], |byte| byte == quote);
    let after = rest.get(1..).ok_or("a quoted value without its end")?;
    Ok((value, after))
}

/// Checks `<!-- … -->`.
pub(super) fn comment(raw: &str) -> Syntax<()> {
    let inner = raw
        .strip_prefix("<!--")
        .and_then(|rest| rest.strip_suffix("-->"))
        .ok_or("a comment without its end")?;
    if inner.contains("--") || inner.ends_with('-') {
        return Err("-- in a comment");
    }
    Ok(())
}

/// Checks `<?target …?>`.
pub(super) fn instruction(raw: &str) -> Syntax<()> {
    let inner = raw
        .strip_prefix("<?")
        .and_then(|rest| rest.strip_suffix("?>"))
        .ok_or("a processing instruction without its end")?;
    let (target, rest) = split_name(inner)?;
    if target.eq_ignore_ascii_case("xml") {
        return Err("an XML declaration that is not at the start");
    }
    match rest.bytes().next() {
        None => Ok(()),
        Some(byte) if is_space(byte) => Ok(()),
        Some(_) => Err("a malformed processing instruction"),
    }
}

/// Checks `<?xml version="1.…" encoding="…" standalone="…"?>`.
pub(super) fn declaration(raw: &str) -> Syntax<()> {
    let mut rest = raw
        .strip_prefix("<?xml")
        .and_then(|rest| rest.strip_suffix("?>"))
        .ok_or("a malformed XML declaration")?;
    let mut allowed = ["version", "encoding", "standalone"].iter();
    let mut versioned = false;
    while let Some(attribute) = split_attribute(rest)? {
        allowed
            .find(|name| **name == attribute.name)
            .ok_or("a malformed XML declaration")?;
        declared(attribute.name, attribute.raw)?;
        versioned |= attribute.name == "version";
        rest = attribute.rest;
    }
    if versioned {
        Ok(())
    } else {
        Err("an XML declaration without a version")
    }
}

fn declared(name: &str, value: &str) -> Syntax<()> {
    match name {
        "version" => match value.strip_prefix("1.") {
            Some(minor) if !minor.is_empty() && minor.bytes().all(|b| b.is_ascii_digit()) => Ok(()),
            _ => Err("an XML version other than 1"),
        },
        "encoding"
            if ["utf-8", "us-ascii"]
                .iter()
                .any(|e| value.eq_ignore_ascii_case(e)) =>
        {
            Ok(())
        }
        "encoding" => Err("an encoding other than UTF-8"),
        _ if value == "yes" || value == "no" => Ok(()),
        _ => Err("a standalone that is neither yes nor no"),
    }
}

/// Checks `<!DOCTYPE name SYSTEM "…">`. The external id is never fetched; an internal subset,
/// where entities are declared, is refused.
pub(super) fn doctype(raw: &str) -> Syntax<()> {
    let inner = raw
        .strip_prefix("<!DOCTYPE")
        .and_then(|rest| rest.strip_suffix('>'))
        .filter(|rest| rest.bytes().next().is_some_and(is_space))
        .ok_or("a malformed document type")?;
    let (_, rest) = split_name(trim_space(inner))?;
    let rest = match spaced(rest) {
        Some(id) if id.starts_with("SYSTEM") => literals(&id["SYSTEM".len()..], 1)?,
        Some(id) if id.starts_with("PUBLIC") => literals(&id["PUBLIC".len()..], 2)?,
        _ => rest,
    };
    if is_blank(rest) {
        Ok(())
    } else if trim_space(rest).starts_with('[') {
        Err("a document type with an internal subset")
    } else {
        Err("a malformed document type")
    }
}

/// `text` without its leading space, when it has some.
fn spaced(text: &str) -> Option<&str> {
    let trimmed = trim_space(text);
    (trimmed.len() < text.len()).then_some(trimmed)
}

/// What follows `count` quoted literals with space before each.
fn literals(text: &str, count: usize) -> Syntax<&str> {
    (0..count).try_fold(text, |rest, at| {
        let literal = spaced(rest).ok_or("a malformed document type")?;
        let (id, rest) = split_quoted(literal)?;
        let public = |c: char| c.is_ascii_alphanumeric() || " \r\n-'()+,./:=?;!*#@$_%".contains(c);
        if at + 1 < count && !id.chars().all(public) {
            return Err("a malformed public identifier");
        }
        Ok(rest)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_illegal_character_is_found_wherever_it_stands() {
        let length = 3 * BLOCK_BYTES;
        for illegal in ["\0", "\u{8}", "\u{1f}", "\u{fffe}", "\u{ffff}"] {
            for at in 0..length {
                let text = "x".repeat(at) + illegal + &"\u{e4}\u{fffd}\t".repeat(length - at);
                assert_eq!(illegal_char(&text), Some(at), "{illegal:?} at {at}");
            }
        }
        for legal in ["", "\t\r\n ~", "\u{7f}", "\u{fffd}", "\u{feff}\u{1fffe}"] {
            assert_eq!(illegal_char(&legal.repeat(length)), None, "{legal:?}");
        }
    }
}
