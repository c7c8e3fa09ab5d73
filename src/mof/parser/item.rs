//! The productions of the outermost level: `mofSpecification`, `mofProduction`, `compilerDirective`.

use std::sync::Arc;

use super::super::Span;
use super::super::ast::{Item, Pragma};
use super::super::diagnostic::{Code, Diagnostic, meant};
use super::super::lexer::TokenKind;
use super::cursor::{Parsed, Parser};

impl<'a> Parser<'a, '_> {
    /// The next production, or the place of one that cannot be understood; `None` at the end of the
    /// text.
    pub(in super::super) fn next_item(&mut self) -> Option<Result<Item<'a>, Span>> {
        if self.at(TokenKind::End) || self.diagnostics.is_full() {
            return None;
        }
        let before = self.peek(0).span();
        if let Ok(item) = self.item() {
            return Some(Ok(item));
        }
        self.skip_item();
        if self.peek(0).span() == before {
            self.bump();
        }
        Some(Err(before.to(self.previous_span())))
    }

    fn item(&mut self) -> Parsed<Item<'a>> {
        if self.at(TokenKind::Pragma) {
            return self.pragma().map(Item::Pragma);
        }
        let list = self.peek(0).span();
        let qualifiers = self.qualifier_list()?;
        if self.word_at(0, "class") {
            return self.class(qualifiers).map(Item::Class);
        }
        if self.word_at(0, "instance") {
            return self.instance().map(Item::Instance);
        }
        if !qualifiers.is_empty() {
            let message = format!("qualifiers cannot stand before {}", self.shown());
            let list = list.to(self.previous_span());
            let diagnostic = Diagnostic::new(Code::MisplacedQualifiers, list, message)
                .hint("`class` or `instance of` has to follow");
            return Err(self.report(diagnostic));
        }
        if self.word_at(0, "qualifier") {
            return self.qualifier_declaration().map(Item::Qualifier);
        }
        let wanted = "`class`, `instance of`, `qualifier`, `#pragma` or `[`";
        let message = format!("expected {wanted}, found {}", self.shown());
        let token = self.peek(0);
        let mut diagnostic = Diagnostic::new(Code::ExpectedDeclaration, token.span(), message);
        diagnostic.hint = meant(self.text(token.span()), ["class", "instance", "qualifier"]);
        Err(self.report(diagnostic))
    }

    /// `"#pragma" name "(" string {"," string} ")"`; vendors' pragmas have words among the strings.
    fn pragma(&mut self) -> Parsed<Pragma<'a>> {
        let start = self.bump().span();
        let name = self.name("the name of the pragma")?;
        self.expect(TokenKind::LeftParen)?;
        let mut arguments = Vec::new();
        while !self.at(TokenKind::RightParen) {
            arguments.push(self.pragma_argument()?);
            if !self.eat(TokenKind::Comma) {
                break;
            }
        }
        self.expect(TokenKind::RightParen)?;
        Ok(Pragma {
            name,
            arguments,
            span: start.to(self.previous_span()),
        })
    }

    fn pragma_argument(&mut self) -> Parsed<(Arc<str>, Span)> {
        if self.at(TokenKind::Text) {
            return Ok(self.strings());
        }
        let word = self.name("a string")?;
        Ok((word.text.into(), word.span))
    }
}
