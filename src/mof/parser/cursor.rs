//! The parser's position: looking ahead, taking tokens, complaining, skipping.

use std::cell::Cell;

use super::super::ast::{Word, shortened};
use super::super::diagnostic::{Code, Diagnostic, Diagnostics};
use super::super::lexer::{Lexer, Token, TokenKind};
use super::super::names::Texts;
use super::super::source::{FileId, Span};

/// A production could not be read, and a diagnostic says why.
#[derive(Debug, Clone, Copy)]
pub(in super::super) struct Reported;

pub(super) type Parsed<T> = Result<T, Reported>;

/// Reads the productions of one text.
pub(in super::super) struct Parser<'a, 'd> {
    lexer: Lexer<'a>,
    ahead: Ahead,
    previous: Token,
    /// Whether U+0000 is in the text, which hardly ever is.
    pub(super) has_nul: bool,
    /// How many `{` are open.
    depth: usize,
    pub(super) texts: &'d Texts,
    tokens_left: &'d Cell<usize>,
    /// Whether the limit of tokens was hit in this text.
    exhausted: bool,
    pub(super) diagnostics: &'d Diagnostics,
}

/// Whether U+0000 is in `text`: without an early end, so that many bytes are looked at together.
fn has_nul(text: &str) -> bool {
    text.bytes().fold(u8::MAX, u8::min) == 0
}

/// How far a parser looks ahead.
const AHEAD_TOKENS: usize = 4;

/// The first `count` of these tokens were read and not yet taken; mostly there is one.
struct Ahead {
    tokens: [Token; AHEAD_TOKENS],
    count: usize,
}

impl Ahead {
    /// Adds a token behind the others, of which there are fewer than [`AHEAD_TOKENS`].
    fn push(&mut self, token: Token) {
        self.tokens[self.count] = token;
        self.count += 1;
    }

    fn drop_first(&mut self) {
        if self.count > 1 {
            let [_, second, third, fourth] = self.tokens;
            self.tokens = [second, third, fourth, fourth];
        }
        self.count = self.count.saturating_sub(1);
    }
}

impl<'a, 'd> Parser<'a, 'd> {
    /// A parser at the start of `text`, which takes its tokens from those that are left and shares
    /// `texts` with others.
    pub(in super::super) fn new(
        file: FileId,
        text: &'a str,
        texts: &'d Texts,
        diagnostics: &'d Diagnostics,
        tokens_left: &'d Cell<usize>,
    ) -> Self {
        let start = Span {
            file,
            start: 0,
            end: 0,
        };
        let nothing = Token::new(TokenKind::End, start);
        Self {
            lexer: Lexer::new(file, text),
            ahead: Ahead {
                tokens: [nothing; AHEAD_TOKENS],
                count: 0,
            },
            previous: nothing,
            has_nul: has_nul(text),
            depth: 0,
            texts,
            tokens_left,
            exhausted: false,
            diagnostics,
        }
    }

    /// The same at the place `at` of the text, where a token starts. The rest of the text costs nothing.
    pub(in super::super) fn within(
        (file, text, at): (FileId, &'a str, u32),
        texts: &'d Texts,
        diagnostics: &'d Diagnostics,
        tokens_left: &'d Cell<usize>,
    ) -> Self {
        let mut parser = Self::new(file, "", texts, diagnostics, tokens_left);
        parser.lexer = Lexer::new(file, text);
        parser.lexer.start_at(at);
        // It may have some: strings are looked through for them.
        parser.has_nul = true;
        parser
    }

    /// The token `distance` tokens ahead; 0 is the next one.
    #[inline]
    pub(in super::super) fn peek(&mut self, distance: usize) -> Token {
        if self.ahead.count <= distance {
            self.read_ahead(distance);
        }
        self.ahead.tokens[distance]
    }

    #[inline(never)]
    fn read_ahead(&mut self, distance: usize) {
        while self.ahead.count <= distance {
            let token = self.token();
            self.ahead.push(token);
        }
    }

    /// The next token of the text, which seems to end where the limit of tokens is hit.
    fn token(&mut self) -> Token {
        match self.tokens_left.get() {
            0 => self.last_token(),
            left => {
                self.tokens_left.set(left - 1);
                self.lexer.next(self.diagnostics)
            }
        }
    }

    /// The end that the text seems to have behind its last token.
    #[cold]
    fn last_token(&mut self) -> Token {
        let last = match self.ahead.count {
            0 => self.previous,
            count => self.ahead.tokens[count - 1],
        };
        let end = Token::new(TokenKind::End, last.span().after()).broken();
        if !self.exhausted {
            self.exhausted = true;
            let message = "more tokens than are read in one compilation";
            let diagnostic = Diagnostic::new(Code::TooManyTokens, end.span(), message);
            self.diagnostics.push(diagnostic);
        }
        end
    }

    #[inline]
    pub(super) fn at(&mut self, kind: TokenKind) -> bool {
        self.peek(0).is(kind)
    }

    /// Whether the token `distance` ahead is the word `keyword`, in any case.
    pub(super) fn word_at(&mut self, distance: usize, keyword: &str) -> bool {
        let token = self.peek(distance);
        token.is(TokenKind::Word) && self.text(token.span()).eq_ignore_ascii_case(keyword)
    }

    /// Takes the next token, whatever it is.
    pub(super) fn bump(&mut self) -> Token {
        let token = self.peek(0);
        self.ahead.drop_first();
        self.previous = token;
        if token.is(TokenKind::LeftBrace) {
            self.depth += 1;
        } else if token.is(TokenKind::RightBrace) {
            self.depth = self.depth.saturating_sub(1);
        }
        token
    }

    /// Takes the next token if it is a `kind`.
    pub(super) fn eat(&mut self, kind: TokenKind) -> bool {
        let found = self.at(kind);
        if found {
            self.bump();
        }
        found
    }

    /// Takes the next token if it is the word `keyword`.
    pub(super) fn eat_word(&mut self, keyword: &str) -> bool {
        let found = self.word_at(0, keyword);
        if found {
            self.bump();
        }
        found
    }

    /// Takes a `kind` or complains that it is missing.
    pub(super) fn expect(&mut self, kind: TokenKind) -> Parsed<Token> {
        if self.at(kind) {
            return Ok(self.bump());
        }
        Err(self.unexpected(Code::ExpectedToken, kind.shown()))
    }

    /// Takes the word `keyword` or complains that it is missing.
    pub(super) fn expect_word(&mut self, keyword: &str) -> Parsed<()> {
        if self.eat_word(keyword) {
            return Ok(());
        }
        Err(self.unexpected(Code::ExpectedToken, &format!("`{keyword}`")))
    }

    /// Takes the `;` that ends a declaration.
    pub(super) fn expect_semicolon(&mut self) -> Parsed<()> {
        if self.eat(TokenKind::Semicolon) {
            return Ok(());
        }
        let found = self.shown();
        let message = format!("expected `;` before {found}");
        let place = self.previous.span().after();
        Err(self.report(Diagnostic::new(Code::ExpectedSemicolon, place, message)))
    }

    /// Takes a name; `what` says of what.
    pub(super) fn name(&mut self, what: &str) -> Parsed<Word<'a>> {
        if self.at(TokenKind::Word) {
            let token = self.bump();
            return Ok(self.word(token));
        }
        Err(self.unexpected(Code::ExpectedName, what))
    }

    pub(super) fn word(&self, token: Token) -> Word<'a> {
        Word {
            text: self.text(token.span()),
            span: token.span(),
        }
    }

    pub(super) fn text(&self, span: Span) -> &'a str {
        &self.lexer.text()[span.start as usize..span.end as usize]
    }

    /// Where the last token ends.
    pub(super) fn previous_span(&self) -> Span {
        self.previous.span()
    }

    /// The next token in messages.
    pub(super) fn shown(&mut self) -> String {
        let token = self.peek(0);
        if !token.is(TokenKind::Word) {
            return token.kind().shown().to_owned();
        }
        format!("`{}`", shortened(self.text(token.span())))
    }

    /// Complains that `wanted` does not stand here.
    pub(super) fn unexpected(&mut self, code: Code, wanted: &str) -> Reported {
        let message = format!("expected {wanted}, found {}", self.shown());
        let place = self.peek(0).span();
        self.report(Diagnostic::new(code, place, message))
    }

    /// Adds a diagnostic, unless it only follows from a token that was broken already.
    pub(super) fn report(&mut self, diagnostic: Diagnostic) -> Reported {
        let follows = self.previous.is_broken() || self.peek(0).is_broken();
        if !follows {
            self.diagnostics.push(diagnostic);
        }
        Reported
    }

    /// How many braces are open here.
    pub(super) fn depth(&self) -> usize {
        self.depth
    }

    /// Skips behind the next `;`, or up to the `}` that closes the body at `depth`.
    ///
    /// Braces inside a body are those of arrays, which hold no `;`: one is an end in any case.
    pub(super) fn skip_member(&mut self, depth: usize) {
        loop {
            match self.peek(0).kind() {
                TokenKind::End | TokenKind::Pragma => break,
                TokenKind::RightBrace if self.depth <= depth => break,
                TokenKind::Semicolon => {
                    self.bump();
                    break;
                }
                _ => self.bump(),
            };
        }
        self.depth = depth;
    }

    /// Skips to where the next declaration seems to start.
    pub(super) fn skip_item(&mut self) {
        loop {
            match self.peek(0).kind() {
                TokenKind::End | TokenKind::Pragma => break,
                TokenKind::Semicolon if self.depth == 0 => {
                    self.bump();
                    break;
                }
                TokenKind::Word if self.starts_declaration() => break,
                _ => self.bump(),
            };
        }
        self.depth = 0;
    }

    /// Whether the next tokens can only start a declaration of the outermost level.
    pub(super) fn starts_declaration(&mut self) -> bool {
        if !self.peek(0).is(TokenKind::Word) {
            return false;
        }
        let second = self.peek(1).is(TokenKind::Word);
        let third = self.peek(2).kind();
        if self.word_at(0, "class") {
            let body = matches!(third, TokenKind::LeftBrace | TokenKind::Colon);
            // A property `as` may refer to a class `class`: the alias tells.
            let named = self.word_at(2, "as") && self.peek(3).is(TokenKind::Alias);
            return second && (body || named);
        }
        if self.word_at(0, "instance") {
            return self.word_at(1, "of") && third == TokenKind::Word;
        }
        self.word_at(0, "qualifier") && second && third == TokenKind::Colon
    }
}
