//! The meaning of literal tokens (DSP0004 2.8 annex A: `integerValue`, `realValue`, `stringValue`).

use std::fmt::Write;

use super::diagnostic::Code;
use super::lexer::has_hex_prefix;

/// A number as it was written.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Number {
    Integer(i128),
    Real(f64),
}

/// The value of a number token: decimal, octal, hexadecimal, binary or real.
pub(super) fn number(text: &str) -> Result<Number, Code> {
    let (negative, digits) = match text.as_bytes().first() {
        Some(b'-') => (true, &text[1..]),
        Some(b'+') => (false, &text[1..]),
        _ => (false, text),
    };
    if !has_hex_prefix(digits) && digits.contains('.') {
        return real(text).map(Number::Real);
    }
    let (digits, radix) = radix_of(digits);
    if digits.is_empty() || !digits.chars().all(|c| c.is_digit(radix)) {
        return Err(Code::BadNumber);
    }
    let parsed = if negative {
        // With its sign, since the lowest number has no positive twin.
        i128::from_str_radix(&format!("-{digits}"), radix)
    } else {
        i128::from_str_radix(digits, radix)
    };
    parsed
        .map(Number::Integer)
        .map_err(|_| Code::NumberTooLarge)
}

fn radix_of(digits: &str) -> (&str, u32) {
    if has_hex_prefix(digits) {
        return (&digits[2..], 16);
    }
    if let Some(binary) = digits.strip_suffix(['b', 'B']) {
        return (binary, 2);
    }
    match digits.strip_prefix('0') {
        Some(octal) if !octal.is_empty() => (octal, 8),
        _ => (digits, 10),
    }
}

/// `[+-] {digit} "." digit {digit} [("e"|"E") [+-] digit {digit}]`
fn real(text: &str) -> Result<f64, Code> {
    let all_digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let (mantissa, exponent) = unsigned.split_once(['e', 'E']).unwrap_or((unsigned, "0"));
    let (whole, fraction) = mantissa.split_once('.').ok_or(Code::BadNumber)?;
    let power = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
    let well_formed = all_digits(whole)
        && all_digits(fraction)
        && all_digits(power)
        && !fraction.is_empty()
        && !power.is_empty();
    if !well_formed {
        return Err(Code::BadNumber);
    }
    let value: f64 = text.parse().map_err(|_| Code::BadNumber)?;
    if value.is_finite() {
        Ok(value)
    } else {
        Err(Code::NumberTooLarge)
    }
}

/// A bad escape: where it is in the text, in bytes, and its length.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct BadEscape {
    pub(super) at: usize,
    pub(super) length: usize,
}

/// Appends the characters that `body`, the inside of a string literal, stands for.
///
/// A bad escape stands for nothing; every one is returned.
pub(super) fn unescape(body: &str, into: &mut String) -> Vec<BadEscape> {
    let mut bad = Vec::new();
    let mut at = 0;
    while let Some(plain) = body[at..].find('\\') {
        into.push_str(&body[at..at + plain]);
        at += plain;
        let escape = Escape::read(&body[at..]);
        if let Some((c, length)) = escape.character(&body[at + escape.length..]) {
            into.push(c);
            at += length;
        } else {
            let length = escape.length;
            bad.push(BadEscape { at, length });
            at += length;
        }
    }
    into.push_str(&body[at..]);
    bad
}

/// The unit of a character literal's inside.
pub(super) fn character(body: &str) -> Option<u16> {
    if body.starts_with('\\') {
        let escape = Escape::read(body);
        return escape.unit.filter(|_| escape.length == body.len());
    }
    let mut units = body.encode_utf16();
    let unit = units.next()?;
    units.next().is_none().then_some(unit)
}

/// One backslash sequence.
struct Escape {
    /// The UCS-2 unit it stands for; `None` when there is no such escape.
    unit: Option<u16>,
    /// Its bytes, the backslash included.
    length: usize,
}

impl Escape {
    /// Reads the escape that `text` starts with.
    fn read(text: &str) -> Self {
        let Some(letter) = text[1..].chars().next() else {
            return Self {
                unit: None,
                length: 1,
            };
        };
        let unit = match letter {
            'b' => Some(0x08),
            't' => Some(0x09),
            'n' => Some(0x0a),
            'f' => Some(0x0c),
            'r' => Some(0x0d),
            '"' | '\'' | '\\' => u16::try_from(u32::from(letter)).ok(),
            'x' | 'X' => return Self::hexadecimal(&text[2..]),
            _ => None,
        };
        let length = 1 + letter.len_utf8();
        Self { unit, length }
    }

    /// One to four digits behind `\x`.
    fn hexadecimal(digits: &str) -> Self {
        let count = digits.bytes().take(4).take_while(u8::is_ascii_hexdigit);
        let count = count.count();
        Self {
            unit: u16::from_str_radix(&digits[..count], 16).ok(),
            length: 2 + count,
        }
    }

    /// The character this escape stands for, with the bytes used; `rest` may hold the second
    /// half of a surrogate pair. U+0000 is not a character of CIM strings (DSP0004 5.2.2).
    fn character(&self, rest: &str) -> Option<(char, usize)> {
        let unit = self.unit.filter(|unit| *unit != 0)?;
        if let Some(c) = char::from_u32(u32::from(unit)) {
            return Some((c, self.length));
        }
        if !rest.starts_with('\\') {
            return None;
        }
        let second = Self::read(rest);
        let pair = char::decode_utf16([unit, second.unit?]).next()?;
        Some((pair.ok()?, self.length + second.length))
    }
}

/// `text` as a MOF string literal, quotes included.
pub fn quoted(text: &str) -> String {
    let mut literal = String::with_capacity(text.len() + 2);
    literal.push('"');
    for c in text.chars() {
        match c {
            '"' => literal.push_str("\\\""),
            '\\' => literal.push_str("\\\\"),
            '\n' => literal.push_str("\\n"),
            '\r' => literal.push_str("\\r"),
            '\t' => literal.push_str("\\t"),
            c if c.is_control() => {
                write!(literal, "\\x{:04X}", u32::from(c)).expect("a String takes every write");
            }
            c => literal.push(c),
        }
    }
    literal.push('"');
    literal
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_the_forms_of_annex_a() {
        let cases = [
            ("0", Ok(Number::Integer(0))),
            ("-12", Ok(Number::Integer(-12))),
            ("+017", Ok(Number::Integer(15))),
            ("0xFf", Ok(Number::Integer(255))),
            ("-0X10", Ok(Number::Integer(-16))),
            ("101b", Ok(Number::Integer(5))),
            ("0B", Ok(Number::Integer(0))),
            (".5", Ok(Number::Real(0.5))),
            ("-1.25E-2", Ok(Number::Real(-0.0125))),
            ("18446744073709551615", Ok(Number::Integer(u64::MAX.into()))),
            ("12b", Err(Code::BadNumber)),
            ("09", Err(Code::BadNumber)),
            ("0x", Err(Code::BadNumber)),
            ("1.", Err(Code::BadNumber)),
            ("1.e5", Err(Code::BadNumber)),
            ("1.5e", Err(Code::BadNumber)),
            ("1e5", Err(Code::BadNumber)),
            ("1.2.3", Err(Code::BadNumber)),
            ("12abc", Err(Code::BadNumber)),
            ("1.0e999", Err(Code::NumberTooLarge)),
        ];
        for (text, want) in cases {
            assert_eq!(number(text), want, "{text}");
        }
        assert_eq!(number(&"9".repeat(60)), Err(Code::NumberTooLarge));
    }

    #[test]
    fn escapes_stand_for_their_characters() {
        let check = |body: &str, want: &str, bad: usize| {
            let mut text = String::new();
            let errors = unescape(body, &mut text);
            assert_eq!((text.as_str(), errors.len()), (want, bad), "{body}");
        };
        check(r"a\tb\n\x41\X00e4z", "a\tb\nA\u{e4}z", 0);
        check(r#"\"\'\\"#, "\"'\\", 0);
        check(r"\xD83D\xDE00!", "\u{1f600}!", 0);
        check(r"\xD83Dx\q\x\x0-", "x-", 4);
        check(r"\u{e4}".replace("\\u{e4}", "\\\u{e4}x").as_str(), "x", 1);
    }

    #[test]
    fn a_character_is_one_unit() {
        for (body, want) in [("a", Some(97)), (r"\x41", Some(65)), (r"\0", None)] {
            assert_eq!(character(body), want, "{body}");
        }
        for bad in ["", "ab", "\u{1f600}", r"\xG", r"\n1", "\\"] {
            assert_eq!(character(bad), None, "{bad:?} was taken");
        }
    }
}
