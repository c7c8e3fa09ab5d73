//! Values: `constantValue`, `arrayInitializer`, `referenceInitializer`.

use std::sync::Arc;

use crate::model::Literal;

use super::super::Span;
use super::super::ast::{AliasPlace, Array, Value, shortened};
use super::super::diagnostic::{Code, Diagnostic};
use super::super::lexer::{Token, TokenKind};
use super::super::literal::{self, Number};
use super::cursor::{Parsed, Parser};

impl<'a> Parser<'a, '_> {
    /// A constant, an alias, or an array of them.
    pub(super) fn value(&mut self) -> Parsed<Value<'a>> {
        if self.at(TokenKind::LeftBrace) {
            return self.array();
        }
        let start = self.peek(0).span();
        let mut aliases = Vec::new();
        let literal = self.scalar(None, &mut aliases)?;
        Ok(Value {
            literal,
            aliases,
            span: start.to(self.previous_span()),
        })
    }

    /// `"{" [value {"," value}] "}"`
    pub(super) fn array(&mut self) -> Parsed<Value<'a>> {
        let open = self.expect(TokenKind::LeftBrace)?.span();
        let mut entries = self.texts.entries.take();
        entries.clear();
        let mut aliases = Vec::new();
        while !self.eat(TokenKind::RightBrace) {
            if self.at(TokenKind::LeftBrace) {
                let diagnostic = Diagnostic::new(
                    Code::NestedArray,
                    self.peek(0).span(),
                    "an array cannot hold an array",
                );
                return Err(self.report(diagnostic));
            }
            let entry = self.scalar(Some(entries.len()), &mut aliases)?;
            entries.push(entry);
            self.separator(TokenKind::RightBrace)?;
        }
        let mut array = Vec::with_capacity(entries.len());
        array.append(&mut entries);
        self.texts.entries.set(entries);
        Ok(Value {
            literal: Literal::Array(array),
            aliases,
            span: open.to(self.previous_span()),
        })
    }

    /// A comma with something behind it, unless the list ends here.
    pub(super) fn separator(&mut self, close: TokenKind) -> Parsed<()> {
        if self.at(close) {
            return Ok(());
        }
        if !self.at(TokenKind::Comma) {
            let wanted = format!("`,` or {}", close.shown());
            return Err(self.unexpected(Code::ExpectedToken, &wanted));
        }
        let comma = self.bump().span();
        if self.at(close) {
            let message = format!("a comma before {}", close.shown());
            let diagnostic = Diagnostic::new(Code::TrailingComma, comma, message)
                .hint("MOF lists have no comma behind the last entry");
            self.report(diagnostic);
        }
        Ok(())
    }

    /// A constant, or NULL for an alias, which goes to `aliases`.
    fn scalar(
        &mut self,
        entry: Option<usize>,
        aliases: &mut Vec<AliasPlace<'a>>,
    ) -> Parsed<Literal> {
        let token = self.peek(0);
        let literal = match token.kind() {
            TokenKind::Text => return Ok(Literal::Quoted(self.strings().0)),
            TokenKind::Number => self.number(token)?,
            TokenKind::Character => self.character(token)?,
            TokenKind::Alias => {
                let alias = self.word(token);
                aliases.push(AliasPlace { alias, entry });
                Literal::Null
            }
            TokenKind::Word if self.word_at(0, "true") => Literal::Boolean(true),
            TokenKind::Word if self.word_at(0, "false") => Literal::Boolean(false),
            TokenKind::Word if self.word_at(0, "null") => Literal::Null,
            _ => return Err(self.unexpected(Code::ExpectedValue, "a value")),
        };
        self.bump();
        Ok(literal)
    }

    fn number(&mut self, token: Token) -> Parsed<Literal> {
        let text = self.text(token.span());
        let code = match literal::number(text) {
            Ok(Number::Integer(number)) => return Ok(Literal::Integer(number)),
            Ok(Number::Real(number)) => return Ok(Literal::Real(number)),
            Err(code) => code,
        };
        let shown = shortened(text);
        let diagnostic = if code == Code::NumberTooLarge {
            let message = format!("`{shown}` is more than any type can hold");
            Diagnostic::new(code, token.span(), message)
        } else {
            let message = format!("`{shown}` is not a number");
            let hint = "integers: 12, 014, 0xC, 1100b; reals: 1.5, 1.0e3, never 1.";
            Diagnostic::new(code, token.span(), message).hint(hint)
        };
        Err(self.report(diagnostic))
    }

    fn character(&mut self, token: Token) -> Parsed<Literal> {
        let text = self.text(token.span());
        let body = text.strip_prefix('\'').unwrap_or(text);
        let body = body.strip_suffix('\'').unwrap_or(body);
        if let Some(unit) = literal::character(body) {
            return Ok(Literal::Char(unit));
        }
        let message = "a character literal holds exactly one UCS-2 character";
        let diagnostic = Diagnostic::new(Code::BadCharacterLiteral, token.span(), message);
        Err(self.report(diagnostic))
    }

    /// One or more adjacent string literals, joined.
    pub(super) fn strings(&mut self) -> (Arc<str>, Span) {
        let first = self.bump();
        if self.is_plain(first) && !self.at(TokenKind::Text) {
            return (self.texts.text(self.inside(first)), first.span());
        }
        let mut text = self.texts.joined.take();
        text.clear();
        self.append(first, &mut text);
        while self.at(TokenKind::Text) {
            let token = self.bump();
            self.append(token, &mut text);
        }
        let joined = self.texts.text(&text);
        self.texts.joined.set(text);
        (joined, first.span().to(self.previous_span()))
    }

    /// Whether each character of a string literal stands for itself.
    fn is_plain(&self, token: Token) -> bool {
        !(token.is_escaped() || self.has_nul)
    }

    /// What stands between the quotes of a string literal.
    fn inside(&self, token: Token) -> &'a str {
        let body = &self.text(token.span())[1..];
        if token.is_broken() {
            body
        } else {
            &body[..body.len() - 1]
        }
    }

    fn append(&mut self, token: Token, into: &mut String) {
        let body = self.inside(token);
        if self.is_plain(token) {
            into.push_str(body);
            return;
        }
        let offset = |at: usize| u32::try_from(at).expect("texts are shorter than 4 GiB");
        if let Some(at) = body.find('\0') {
            let start = token.span().start + 1 + offset(at);
            let span = Span {
                start,
                end: start + 1,
                ..token.span()
            };
            let message = "U+0000 is not a character of CIM strings";
            let diagnostic = Diagnostic::new(Code::NulCharacter, span, message);
            self.diagnostics.push(diagnostic);
        }
        for bad in literal::unescape(body, into) {
            let start = token.span().start + 1 + offset(bad.at);
            let span = Span {
                start,
                end: start + offset(bad.length),
                ..token.span()
            };
            let message = "no such escape sequence in a string";
            let hint = r#"there are \b \t \n \f \r \" \' \\ and \x with one to four digits"#;
            self.diagnostics
                .push(Diagnostic::new(Code::BadEscape, span, message).hint(hint));
        }
    }

    /// `"[" [positiveInteger] "]"` behind a name, if it is there.
    pub(super) fn optional_array(&mut self) -> Parsed<Option<Array>> {
        if !self.at(TokenKind::LeftBracket) {
            return Ok(None);
        }
        let open = self.bump().span();
        let size = if self.at(TokenKind::Number) {
            Some(self.array_size()?)
        } else {
            None
        };
        self.expect(TokenKind::RightBracket)?;
        let span = open.to(self.previous_span());
        Ok(Some(Array { size, span }))
    }

    fn array_size(&mut self) -> Parsed<u32> {
        let token = self.bump();
        if let Ok(Number::Integer(number)) = literal::number(self.text(token.span()))
            && let Ok(size) = u32::try_from(number)
            && size > 0
        {
            return Ok(size);
        }
        let message = "the size of an array is a positive integer of 32 bits";
        Err(self.report(Diagnostic::new(Code::BadArraySize, token.span(), message)))
    }
}
