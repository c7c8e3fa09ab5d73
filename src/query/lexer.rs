//! A query's text as tokens; keywords are names here, because most of them may also be names.

use super::error::{Fault, Located, shortened};
use super::language::Language;

/// What a token is.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum TokenKind {
    /// An identifier or a keyword; its text is that of the span.
    Name,
    /// A string, its escapes resolved.
    Text(String),
    /// An integer without sign.
    Integer(i128),
    /// A real without sign.
    Real(f64),
    /// An operator or a bracket.
    Sign(&'static str),
    /// Behind the last token.
    End,
}

/// A token with the stretch of text that it was read from.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Token {
    pub kind: TokenKind,
    pub start: usize,
    pub end: usize,
}

/// Longer signs first, so that `<>` is not `<`.
const SIGNS: [&str; 23] = [
    "<>", "!=", "<=", ">=", "::", "||", "..", "=", "<", ">", "(", ")", "[", "]", "{", "}", ",",
    ".", "*", "#", "+", "-", "/",
];

/// All tokens of `text`; the last one is [`TokenKind::End`].
pub(super) fn tokens(text: &str, language: Language) -> Result<Vec<Token>, Located> {
    let mut lexer = Lexer {
        text,
        at: 0,
        language,
    };
    let mut found = Vec::new();
    loop {
        let token = lexer.next()?;
        let last = token.kind == TokenKind::End;
        found.push(token);
        if last {
            return Ok(found);
        }
    }
}

struct Lexer<'a> {
    text: &'a str,
    at: usize,
    language: Language,
}

impl Lexer<'_> {
    fn rest(&self) -> &str {
        &self.text[self.at..]
    }

    fn next(&mut self) -> Result<Token, Located> {
        self.at += self.rest().len() - self.rest().trim_start().len();
        let start = self.at;
        let Some(first) = self.rest().chars().next() else {
            return Ok(self.token(TokenKind::End, start));
        };
        if is_quote(first, self.language) {
            return self.string(first);
        }
        if first.is_ascii_digit() || (first == '.' && self.digit_after_point()) {
            return self.number();
        }
        if begins_name(first) {
            let length = self.rest().find(|c| !continues_name(c));
            self.at += length.unwrap_or(self.rest().len());
            return Ok(self.token(TokenKind::Name, start));
        }
        let sign = SIGNS.iter().find(|sign| self.rest().starts_with(**sign));
        let sign = sign.ok_or_else(|| Fault::Character(first).at(start))?;
        self.at += sign.len();
        Ok(self.token(TokenKind::Sign(sign), start))
    }

    fn token(&self, kind: TokenKind, start: usize) -> Token {
        Token {
            kind,
            start,
            end: self.at,
        }
    }

    fn digit_after_point(&self) -> bool {
        self.rest()[1..].starts_with(|c: char| c.is_ascii_digit())
    }

    /// A quote within the string is doubled or stands behind a backslash. A backslash before
    /// anything else but a backslash stands for itself: `'a\.b'` is a pattern.
    fn string(&mut self, quote: char) -> Result<Token, Located> {
        let start = self.at;
        let mut value = String::new();
        self.at += 1;
        loop {
            let mut chars = self.rest().chars();
            let first = chars.next();
            match (first, chars.next()) {
                (None, _) => return Err(Fault::UnterminatedString.at(start)),
                (Some('\\'), Some('u')) if self.language != Language::Wql => {
                    value.push(self.unicode_escape()?);
                }
                (Some('\\'), Some(next @ ('\\' | '\'' | '"'))) => {
                    value.push(next);
                    self.at += 2;
                }
                (Some(c), Some(next)) if c == quote && next == quote => {
                    value.push(quote);
                    self.at += 2;
                }
                (Some(c), _) => {
                    self.at += c.len_utf8();
                    if c == quote {
                        return Ok(self.token(TokenKind::Text(value), start));
                    }
                    value.push(c);
                }
            }
        }
    }

    /// `\uXXXX`, or two of them for a character outside the basic plane.
    fn unicode_escape(&mut self) -> Result<char, Located> {
        let start = self.at;
        let first = self.code_unit(start)?;
        let units = if (0xd800..0xdc00).contains(&first) && self.rest().starts_with("\\u") {
            vec![first, self.code_unit(start)?]
        } else {
            vec![first]
        };
        let decoded = char::decode_utf16(units).next();
        decoded
            .and_then(Result::ok)
            .ok_or_else(|| Fault::Escape.at(start))
    }

    fn code_unit(&mut self, start: usize) -> Result<u16, Located> {
        let digits = self
            .rest()
            .get(2..6)
            .filter(|digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit()));
        let unit = digits.and_then(|digits| u16::from_str_radix(digits, 16).ok());
        self.at += 6;
        unit.ok_or_else(|| Fault::Escape.at(start))
    }

    /// Everything that is glued to a number belongs to it: `12x` is one bad number.
    fn number(&mut self) -> Result<Token, Located> {
        let start = self.at;
        let bytes = self.text.as_bytes();
        let mut point = false;
        while let Some(byte) = bytes.get(self.at) {
            let word = &self.text[start..self.at];
            let takes = match byte {
                // `[2..5]` is a range of two integers.
                b'.' => !point && bytes.get(self.at + 1) != Some(&b'.'),
                b'+' | b'-' => word.ends_with(['e', 'E']) && !is_hexadecimal(word),
                other => other.is_ascii_alphanumeric() || *other == b'_',
            };
            if !takes {
                break;
            }
            point |= *byte == b'.';
            self.at += 1;
        }
        let word = &self.text[start..self.at];
        let kind = number(word).ok_or_else(|| Fault::Number(shortened(word)).at(start))?;
        Ok(self.token(kind, start))
    }
}

fn is_quote(c: char, language: Language) -> bool {
    c == '\'' || (c == '"' && language == Language::Wql)
}

fn begins_name(c: char) -> bool {
    c.is_ascii_alphabetic() || c == '_' || !c.is_ascii()
}

fn continues_name(c: char) -> bool {
    begins_name(c) || c.is_ascii_digit()
}

fn is_hexadecimal(word: &str) -> bool {
    word.starts_with("0x") || word.starts_with("0X")
}

/// Decimal, hexadecimal (`0x1F`), binary (`101B`) or real.
fn number(word: &str) -> Option<TokenKind> {
    let radix = |digits: &str, radix| i128::from_str_radix(digits, radix).ok();
    if is_hexadecimal(word) {
        return radix(&word[2..], 16).map(TokenKind::Integer);
    }
    if let Some(digits) = word.strip_suffix(['b', 'B']) {
        return radix(digits, 2).map(TokenKind::Integer);
    }
    if word.bytes().all(|byte| byte.is_ascii_digit()) {
        return radix(word, 10).map(TokenKind::Integer);
    }
    let plain = |byte: u8| byte.is_ascii_digit() || b".eE+-".contains(&byte);
    let value: f64 = word
        .bytes()
        .all(plain)
        .then(|| word.parse().ok())
        .flatten()?;
    value.is_finite().then_some(TokenKind::Real(value))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kinds(text: &str, language: Language) -> Vec<TokenKind> {
        let found = tokens(text, language).unwrap_or_else(|error| panic!("{text}: {error:?}"));
        found.into_iter().map(|token| token.kind).collect()
    }

    fn one(text: &str, language: Language) -> TokenKind {
        kinds(text, language).remove(0)
    }

    #[test]
    fn numbers_have_four_forms() {
        let cases = [
            ("17", TokenKind::Integer(17)),
            ("0x1F", TokenKind::Integer(31)),
            ("101B", TokenKind::Integer(5)),
            ("1.5e-3", TokenKind::Real(0.0015)),
            (".5", TokenKind::Real(0.5)),
            ("2.", TokenKind::Real(2.0)),
            ("0b", TokenKind::Integer(0)),
        ];
        for (text, expected) in cases {
            assert_eq!(one(text, Language::Cql), expected, "{text}");
        }
        for bad in [
            "12x",
            "0x",
            "0xg",
            "12b",
            "1e",
            "1e999",
            "1_0",
            &"9".repeat(40),
        ] {
            assert!(tokens(bad, Language::Cql).is_err(), "{bad} was taken");
        }
        let range = kinds("2..5", Language::Cql);
        assert_eq!(range[1], TokenKind::Sign(".."), "{range:?}");
    }

    #[test]
    fn strings_have_the_quotes_and_escapes_of_their_language() {
        let cases = [
            (r"'it''s'", Language::Cql, "it's"),
            (r"'it\'s'", Language::Fql, "it's"),
            (r"'a\\b'", Language::Cql, r"a\b"),
            (r"'a\.b'", Language::Cql, r"a\.b"),
            (r"'\u00e4'", Language::Cql, "\u{e4}"),
            (r"'\ud83d\ude00'", Language::Cql, "\u{1f600}"),
            (r"'\u00e4'", Language::Wql, r"\u00e4"),
            ("\"it's\"", Language::Wql, "it's"),
            ("''", Language::Wql, ""),
        ];
        for (text, language, expected) in cases {
            assert_eq!(
                one(text, language),
                TokenKind::Text(expected.into()),
                "{text}"
            );
        }
    }

    #[test]
    fn what_begins_nothing_is_told_with_its_place() {
        let cases = [
            ("a 'b", Fault::UnterminatedString, 2),
            ("a = 'b''", Fault::UnterminatedString, 4),
            ("'\\", Fault::UnterminatedString, 0),
            ("a ?", Fault::Character('?'), 2),
            ("\"a\"", Fault::Character('"'), 0),
            ("'\\u00'", Fault::Escape, 1),
            ("'\\ud800'", Fault::Escape, 1),
            ("'\\u\u{e4}\u{e4}\u{e4}'", Fault::Escape, 1),
        ];
        for (text, fault, offset) in cases {
            assert_eq!(tokens(text, Language::Cql), Err(fault.at(offset)), "{text}");
        }
    }
}
