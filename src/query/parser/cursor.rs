//! A place in the tokens of a query, and what every production asks of it.

use crate::model::CimName;

use super::super::error::{Fault, Located, shortened};
use super::super::language::Language;
use super::super::lexer::{Token, TokenKind, tokens};
use super::super::limits::{DEPTH_LIMIT, TEXT_LIMIT_BYTES};

pub(super) struct Cursor<'a> {
    text: &'a str,
    tokens: Vec<Token>,
    at: usize,
    depth: usize,
}

impl<'a> Cursor<'a> {
    pub fn new(text: &'a str, language: Language) -> Result<Self, Located> {
        if text.len() > TEXT_LIMIT_BYTES {
            return Err(Fault::TooLong(text.len()).at(0));
        }
        Ok(Self {
            text,
            tokens: tokens(text, language)?,
            at: 0,
            depth: 0,
        })
    }

    /// The token `ahead` tokens from here; the end repeats.
    pub fn peek(&self, ahead: usize) -> &Token {
        let last = self.tokens.len() - 1;
        &self.tokens[(self.at + ahead).min(last)]
    }

    pub fn offset(&self) -> usize {
        self.peek(0).start
    }

    pub fn advance(&mut self) {
        self.at += 1;
    }

    /// The text of the token `ahead` tokens from here when it is a name or a keyword.
    pub fn word(&self, ahead: usize) -> Option<&'a str> {
        let token = self.peek(ahead);
        (token.kind == TokenKind::Name).then(|| &self.text[token.start..token.end])
    }

    pub fn is_word(&self, ahead: usize, keyword: &str) -> bool {
        self.word(ahead)
            .is_some_and(|word| word.eq_ignore_ascii_case(keyword))
    }

    pub fn is_sign(&self, ahead: usize, sign: &str) -> bool {
        matches!(self.peek(ahead).kind, TokenKind::Sign(found) if found == sign)
    }

    pub fn take_word(&mut self, keyword: &str) -> bool {
        let found = self.is_word(0, keyword);
        self.at += usize::from(found);
        found
    }

    pub fn take_sign(&mut self, sign: &str) -> bool {
        let found = self.is_sign(0, sign);
        self.at += usize::from(found);
        found
    }

    pub fn expect_word(&mut self, keyword: &'static str) -> Result<(), Located> {
        let found = self.take_word(keyword);
        found.then_some(()).ok_or_else(|| self.expected(keyword))
    }

    pub fn expect_sign(&mut self, sign: &'static str) -> Result<(), Located> {
        let found = self.take_sign(sign);
        found.then_some(()).ok_or_else(|| self.expected(sign))
    }

    /// A name; keywords are names too where only a name can stand.
    pub fn name(&mut self, expected: &'static str) -> Result<CimName, Located> {
        let word = self.word(0).ok_or_else(|| self.expected(expected))?;
        let name = CimName::new(word).map_err(|_| Fault::Name.at(self.offset()))?;
        self.advance();
        Ok(name)
    }

    /// A string.
    pub fn string(&mut self, expected: &'static str) -> Result<String, Located> {
        let TokenKind::Text(text) = &self.peek(0).kind else {
            return Err(self.expected(expected));
        };
        let text = text.clone();
        self.advance();
        Ok(text)
    }

    pub fn end(&self, expected: &'static str) -> Result<(), Located> {
        match self.peek(0).kind {
            TokenKind::End => Ok(()),
            _ => Err(self.expected(expected)),
        }
    }

    /// The fault that something else stands here than `expected`.
    pub fn expected(&self, expected: &'static str) -> Located {
        let token = self.peek(0);
        let found = match token.kind {
            TokenKind::End => "the end".to_owned(),
            _ => shortened(&self.text[token.start..token.end]),
        };
        Fault::Expected { expected, found }.at(token.start)
    }

    /// The fault that what stands here is right and not supported.
    pub fn unsupported<T>(&self, feature: &'static str) -> Result<T, Located> {
        Err(Fault::Feature(feature).at(self.offset()))
    }

    /// One level deeper, within the limit.
    pub fn deeper<T>(
        &mut self,
        parse: impl FnOnce(&mut Self) -> Result<T, Located>,
    ) -> Result<T, Located> {
        if self.depth >= DEPTH_LIMIT {
            return Err(Fault::TooDeep.at(self.offset()));
        }
        self.depth += 1;
        let parsed = parse(self);
        self.depth -= 1;
        parsed
    }
}
