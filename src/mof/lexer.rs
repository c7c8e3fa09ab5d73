//! Text to tokens, one at a time.
//!
//! Words are not told from keywords: MOF's keywords are names wherever they are not needed
//! (a property may be called `Class`), so the parser decides. Literals are only delimited here.

use std::collections::HashSet;

use crate::model::CimName;

use super::diagnostic::{Code, Diagnostic, Diagnostics};
use super::source::{FileId, Span};

/// The kinds of tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TokenKind {
    Word,
    Alias,
    Number,
    Character,
    Text,
    Pragma,
    LeftBrace,
    RightBrace,
    LeftBracket,
    RightBracket,
    LeftParen,
    RightParen,
    Comma,
    Semicolon,
    Colon,
    Equals,
    End,
}

impl TokenKind {
    /// Every kind, in the order of the numbers they are told by.
    const ALL: [Self; 17] = [
        Self::Word,
        Self::Alias,
        Self::Number,
        Self::Character,
        Self::Text,
        Self::Pragma,
        Self::LeftBrace,
        Self::RightBrace,
        Self::LeftBracket,
        Self::RightBracket,
        Self::LeftParen,
        Self::RightParen,
        Self::Comma,
        Self::Semicolon,
        Self::Colon,
        Self::Equals,
        Self::End,
    ];

    /// The kind in messages.
    pub(super) fn shown(self) -> &'static str {
        match self {
            Self::Word => "a name",
            Self::Alias => "an alias",
            Self::Number => "a number",
            Self::Character => "a character",
            Self::Text => "a string",
            Self::Pragma => "`#pragma`",
            Self::LeftBrace => "`{`",
            Self::RightBrace => "`}`",
            Self::LeftBracket => "`[`",
            Self::RightBracket => "`]`",
            Self::LeftParen => "`(`",
            Self::RightParen => "`)`",
            Self::Comma => "`,`",
            Self::Semicolon => "`;`",
            Self::Colon => "`:`",
            Self::Equals => "`=`",
            Self::End => "the end of the file",
        }
    }
}

/// A token with its place: two numbers, since those are handed on in registers, and a struct of
/// more would be written to memory in pieces and read whole, for which processors wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Token {
    /// Where it starts and, in the upper half, where it ends.
    place: u64,
    /// Its kind, [`Self::BROKEN`], [`Self::ESCAPED`] and, in the upper half, its file.
    what: u64,
}

impl Token {
    const BROKEN: u64 = 1 << 8;
    const ESCAPED: u64 = 1 << 9;

    /// A token that there is nothing else to say about.
    #[inline]
    pub(super) fn new(kind: TokenKind, span: Span) -> Self {
        Self {
            place: u64::from(span.start) | u64::from(span.end) << 32,
            what: u64::from(kind as u8) | u64::from(span.file.number()) << 32,
        }
    }

    /// The same that the lexer has complained about.
    pub(super) fn broken(self) -> Self {
        let what = self.what | Self::BROKEN;
        Self { what, ..self }
    }

    /// The same of a literal with a backslash in it, or without end.
    fn escaped(self) -> Self {
        let what = self.what | Self::ESCAPED;
        Self { what, ..self }
    }

    /// Whether the lexer has already complained about it.
    pub(super) fn is_broken(self) -> bool {
        self.what & Self::BROKEN != 0
    }

    /// Whether it is a literal with a backslash in it, or without end.
    pub(super) fn is_escaped(self) -> bool {
        self.what & Self::ESCAPED != 0
    }

    #[inline]
    pub(super) fn is(self, kind: TokenKind) -> bool {
        self.what & 0xff == u64::from(kind as u8)
    }

    pub(super) fn kind(self) -> TokenKind {
        let [what, _] = halves(self.what & 0xff);
        let kind = TokenKind::ALL.get(what as usize);
        kind.copied().unwrap_or(TokenKind::End)
    }

    #[inline]
    pub(super) fn span(self) -> Span {
        let [start, end] = halves(self.place);
        let [_, file] = halves(self.what);
        Span {
            file: FileId::numbered(file),
            start,
            end,
        }
    }
}

/// The lower half and the upper one.
#[expect(clippy::cast_possible_truncation, reason = "both halves are told")]
fn halves(number: u64) -> [u32; 2] {
    [number as u32, (number >> 32) as u32]
}

/// Reads the tokens of one text.
pub(super) struct Lexer<'a> {
    text: &'a str,
    at: usize,
    file: FileId,
}

impl<'a> Lexer<'a> {
    /// A lexer of `text`, whose length fits 32 bits.
    pub(super) fn new(file: FileId, text: &'a str) -> Self {
        Self { text, at: 0, file }
    }

    /// Reads on from the place `at`.
    pub(super) fn start_at(&mut self, at: u32) {
        self.at = at as usize;
    }

    pub(super) fn text(&self) -> &'a str {
        self.text
    }

    /// The next token; `End` for ever at the end of the text.
    pub(super) fn next(&mut self, diagnostics: &Diagnostics) -> Token {
        loop {
            self.skip_blanks(diagnostics);
            let start = self.at;
            let Some(byte) = self.byte(0) else {
                return self.token(TokenKind::End, start);
            };
            if let Some(kind) = punctuation(byte) {
                self.at += 1;
                return self.token(kind, start);
            }
            match byte {
                b'"' => return self.delimited(b'"', diagnostics),
                b'\'' => return self.delimited(b'\'', diagnostics),
                _ if self.starts_number() => return self.number(),
                b'$' if self.name_length(1) > 0 => {
                    self.at += 1 + self.name_length(1);
                    return self.token(TokenKind::Alias, start);
                }
                b'#' if self.starts_pragma() => {
                    self.at += "#pragma".len();
                    return self.token(TokenKind::Pragma, start);
                }
                _ => {}
            }
            match self.name_length(0) {
                0 => self.unexpected(diagnostics),
                length => {
                    self.at += length;
                    return self.token(TokenKind::Word, start);
                }
            }
        }
    }

    fn byte(&self, ahead: usize) -> Option<u8> {
        self.text.as_bytes().get(self.at + ahead).copied()
    }

    fn span(&self, start: usize) -> Span {
        let offset = |at: usize| u32::try_from(at).expect("texts are shorter than 4 GiB");
        Span {
            file: self.file,
            start: offset(start),
            end: offset(self.at),
        }
    }

    fn token(&self, kind: TokenKind, start: usize) -> Token {
        Token::new(kind, self.span(start))
    }

    fn skip_blanks(&mut self, diagnostics: &Diagnostics) {
        if self.at == 0 && self.text.starts_with('\u{feff}') {
            self.at = '\u{feff}'.len_utf8();
        }
        loop {
            match (self.byte(0), self.byte(1)) {
                (Some(b' ' | b'\t' | b'\r' | b'\n'), _) => self.at += 1,
                (Some(b'/'), Some(b'/')) => {
                    let rest = &self.text[self.at..];
                    self.at += rest.find('\n').unwrap_or(rest.len());
                }
                (Some(b'/'), Some(b'*')) => self.block_comment(diagnostics),
                _ => return,
            }
        }
    }

    fn block_comment(&mut self, diagnostics: &Diagnostics) {
        let start = self.at;
        if let Some(length) = self.text[start + 2..].find("*/") {
            self.at = start + 2 + length + 2;
            return;
        }
        self.at = start + 2;
        let opening = self.span(start);
        self.at = self.text.len();
        let message = "a comment without end";
        diagnostics.push(
            Diagnostic::new(Code::UnterminatedComment, opening, message)
                .hint("close it with `*/`; comments do not nest"),
        );
    }

    /// A string or character literal with its quotes; stops before the end of the line.
    fn delimited(&mut self, quote: u8, diagnostics: &Diagnostics) -> Token {
        let start = self.at;
        self.at += 1;
        let kind = if quote == b'"' {
            TokenKind::Text
        } else {
            TokenKind::Character
        };
        let mut escaped = false;
        loop {
            match self.byte(0) {
                Some(byte) if byte == quote => {
                    self.at += 1;
                    let token = self.token(kind, start);
                    return if escaped { token.escaped() } else { token };
                }
                None | Some(b'\n' | b'\r') => break,
                Some(b'\\') if !matches!(self.byte(1), None | Some(b'\n' | b'\r')) => {
                    escaped = true;
                    self.at += 2;
                }
                Some(_) => self.at += 1,
            }
        }
        self.unterminated(kind, start, diagnostics)
    }

    fn unterminated(&mut self, kind: TokenKind, start: usize, diagnostics: &Diagnostics) -> Token {
        let token = self.token(kind, start).broken().escaped();
        let diagnostic = if kind == TokenKind::Text {
            let message = "a string that does not end on its line";
            Diagnostic::new(Code::UnterminatedString, token.span(), message)
                .hint("close it with `\"`; adjacent strings are joined")
        } else {
            let message = "a character literal that does not end on its line";
            Diagnostic::new(Code::BadCharacterLiteral, token.span(), message)
        };
        diagnostics.push(diagnostic);
        token
    }

    fn starts_number(&self) -> bool {
        let digit = |ahead| self.byte(ahead).is_some_and(|b| b.is_ascii_digit());
        match self.byte(0) {
            Some(b'+' | b'-') => digit(1) || (self.byte(1) == Some(b'.') && digit(2)),
            Some(b'.') => digit(1),
            _ => digit(0),
        }
    }

    /// Everything that could belong to a number or is glued to it: `12b` is one bad number.
    fn number(&mut self) -> Token {
        let start = self.at;
        self.at += 1;
        while let Some(byte) = self.byte(0) {
            let last = self.text.as_bytes()[self.at - 1];
            let exponent_sign = matches!(byte, b'+' | b'-')
                && matches!(last, b'e' | b'E')
                && !has_hex_prefix(&self.text[start..self.at]);
            if !(byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_') || exponent_sign) {
                break;
            }
            self.at += 1;
        }
        self.token(TokenKind::Number, start)
    }

    fn starts_pragma(&self) -> bool {
        let word = self.text.get(self.at..self.at + "#pragma".len());
        word.is_some_and(|word| word.eq_ignore_ascii_case("#pragma"))
            && self.name_length("#".len()) == "pragma".len()
    }

    /// Bytes of the identifier that starts `ahead` bytes from here; 0 when none does.
    fn name_length(&self, ahead: usize) -> usize {
        let rest = &self.text[self.at + ahead..];
        if rest.starts_with(|c: char| c.is_ascii_digit()) {
            return 0;
        }
        let ends = |c: char| {
            !(c.is_ascii_alphanumeric() || c == '_' || ('\u{80}'..='\u{ffef}').contains(&c))
        };
        rest.find(ends).unwrap_or(rest.len())
    }

    /// Reports a character that starts nothing, and skips it.
    fn unexpected(&mut self, diagnostics: &Diagnostics) {
        let start = self.at;
        let Some(found) = self.text[start..].chars().next() else {
            return;
        };
        self.at += found.len_utf8();
        let message = format!("the character {found:?} starts nothing in MOF");
        let span = self.span(start);
        diagnostics.push(Diagnostic::new(Code::UnexpectedCharacter, span, message));
    }
}

/// How many tokens `text` has, which is what a compilation can at least not do without.
pub fn token_count(text: &str) -> usize {
    let diagnostics = Diagnostics::new(0);
    let mut lexer = Lexer::new(FileId::FIRST, text);
    let tokens = std::iter::from_fn(|| Some(lexer.next(&diagnostics)));
    tokens.take_while(|token| !token.is(TokenKind::End)).count()
}

/// Adds the words and aliases of `text` to `names`.
pub(super) fn words(text: &str, names: &mut HashSet<CimName>) {
    let diagnostics = Diagnostics::new(0);
    let mut lexer = Lexer::new(FileId::FIRST, text);
    loop {
        let token = lexer.next(&diagnostics);
        match token.kind() {
            TokenKind::End => return,
            TokenKind::Word | TokenKind::Alias => {
                let span = token.span();
                let word = &text[span.start as usize..span.end as usize];
                names.extend(CimName::new(word.trim_start_matches('$')));
            }
            _ => {}
        }
    }
}

/// Whether a number is written in hexadecimal.
pub(super) fn has_hex_prefix(number: &str) -> bool {
    let digits = number.strip_prefix(['+', '-']).unwrap_or(number);
    digits.starts_with("0x") || digits.starts_with("0X")
}

fn punctuation(byte: u8) -> Option<TokenKind> {
    Some(match byte {
        b'{' => TokenKind::LeftBrace,
        b'}' => TokenKind::RightBrace,
        b'[' => TokenKind::LeftBracket,
        b']' => TokenKind::RightBracket,
        b'(' => TokenKind::LeftParen,
        b')' => TokenKind::RightParen,
        b',' => TokenKind::Comma,
        b';' => TokenKind::Semicolon,
        b':' => TokenKind::Colon,
        b'=' => TokenKind::Equals,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_tell_what_they_were_made_of() {
        let file = FileId::numbered(7);
        let (start, end) = (3, u32::MAX);
        let span = Span { file, start, end };
        for kind in TokenKind::ALL {
            let token = Token::new(kind, span);
            assert_eq!((token.kind(), token.span()), (kind, span));
            assert_eq!((token.is_broken(), token.is_escaped()), (false, false));
            let token = token.broken();
            assert_eq!((token.is_broken(), token.is_escaped()), (true, false));
            let token = token.escaped();
            assert_eq!((token.kind(), token.span()), (kind, span));
            assert_eq!((token.is_broken(), token.is_escaped()), (true, true));
        }
    }
}
