//! Qualifiers: `qualifierList` on an element, `qualifierDeclaration` on its own.

use crate::model::CimType;

use super::super::ast::{Qualifier, QualifierDeclaration, Value, Word};
use super::super::diagnostic::{Code, Diagnostic, meant};
use super::super::lexer::TokenKind;
use super::cursor::{Parsed, Parser};

impl<'a> Parser<'a, '_> {
    /// The qualifiers before a declaration; none when no `[` stands here.
    pub(super) fn qualifier_list(&mut self) -> Parsed<Vec<Qualifier<'a>>> {
        let mut list = Vec::new();
        let open = self.peek(0).span();
        if !self.eat(TokenKind::LeftBracket) {
            return Ok(list);
        }
        while !self.eat(TokenKind::RightBracket) {
            list.push(self.qualifier()?);
            self.separator(TokenKind::RightBracket)?;
        }
        if list.is_empty() {
            let place = open.to(self.previous_span());
            let message = "a list of qualifiers without a qualifier";
            self.report(Diagnostic::new(Code::EmptyQualifierList, place, message));
        }
        Ok(list)
    }

    /// `name ["(" value ")" | array] [":" flavor {flavor}]`
    fn qualifier(&mut self) -> Parsed<Qualifier<'a>> {
        let name = self.name("the name of a qualifier")?;
        let value = self.qualifier_value()?;
        let mut flavors = Vec::new();
        if self.eat(TokenKind::Colon) {
            flavors.push(self.name("a flavor")?);
            while self.at(TokenKind::Word) {
                flavors.push(self.name("a flavor")?);
            }
        }
        Ok(Qualifier {
            span: name.span.to(self.previous_span()),
            name,
            value,
            flavors,
        })
    }

    fn qualifier_value(&mut self) -> Parsed<Option<Value<'a>>> {
        if self.at(TokenKind::LeftBrace) {
            return self.array().map(Some);
        }
        if !self.eat(TokenKind::LeftParen) {
            return Ok(None);
        }
        let value = self.value()?;
        self.expect(TokenKind::RightParen)?;
        Ok(Some(value))
    }

    /// `"qualifier" name ":" type [array] ["=" value] "," scope ["," flavor] ";"`
    pub(super) fn qualifier_declaration(&mut self) -> Parsed<QualifierDeclaration<'a>> {
        self.expect_word("qualifier")?;
        let name = self.name("the name of a qualifier")?;
        self.expect(TokenKind::Colon)?;
        let ty = self.data_type()?;
        let array = self.optional_array()?;
        let default = self.optional_default()?;
        let mut clauses = Clauses::default();
        while self.eat(TokenKind::Comma) {
            self.clause(&mut clauses)?;
        }
        self.expect_semicolon()?;
        if clauses.scopes.is_none() {
            let message = format!("the qualifier `{}` has no scope", name.shown());
            let diagnostic = Diagnostic::new(Code::MissingScope, name.span, message)
                .hint("say where it may stand, as in `scope(property, method)`");
            self.report(diagnostic);
        }
        Ok(QualifierDeclaration {
            name,
            ty,
            array,
            default,
            scopes: clauses.scopes.unwrap_or_default(),
            flavors: clauses.flavors.unwrap_or_default(),
        })
    }

    /// `"scope" "(" … ")"` or `"flavor" "(" … ")"`; they come in either order in the wild.
    fn clause(&mut self, clauses: &mut Clauses<'a>) -> Parsed<()> {
        let keyword = self.name("`scope` or `flavor`")?;
        let into = if keyword.is("scope") {
            &mut clauses.scopes
        } else if keyword.is("flavor") {
            &mut clauses.flavors
        } else {
            let message = format!("expected `scope` or `flavor`, found `{}`", keyword.shown());
            let diagnostic = Diagnostic::new(Code::ExpectedToken, keyword.span, message);
            return Err(self.report(diagnostic));
        };
        if into.is_some() {
            let message = format!("a second `{}` clause", keyword.shown());
            self.report(Diagnostic::new(
                Code::DuplicateClause,
                keyword.span,
                message,
            ));
        }
        let list = into.get_or_insert_default();
        self.expect(TokenKind::LeftParen)?;
        while !self.eat(TokenKind::RightParen) {
            list.push(self.name("a scope or flavor")?);
            self.separator(TokenKind::RightParen)?;
        }
        Ok(())
    }

    /// A data type; references and void are none.
    fn data_type(&mut self) -> Parsed<CimType> {
        let token = self.peek(0);
        if token.is(TokenKind::Word)
            && let Some(ty) = data_type_named(self.text(token.span()))
        {
            self.bump();
            return Ok(ty);
        }
        let message = format!("expected a data type, found {}", self.shown());
        let mut diagnostic = Diagnostic::new(Code::ExpectedType, token.span(), message);
        diagnostic.hint = meant(self.text(token.span()), data_types());
        Err(self.report(diagnostic))
    }

    /// `["=" value]`
    pub(super) fn optional_default(&mut self) -> Parsed<Option<Value<'a>>> {
        if self.eat(TokenKind::Equals) {
            self.value().map(Some)
        } else {
            Ok(None)
        }
    }
}

/// The two lists at the end of a qualifier declaration.
#[derive(Default)]
struct Clauses<'a> {
    scopes: Option<Vec<Word<'a>>>,
    flavors: Option<Vec<Word<'a>>>,
}

/// The data type that MOF calls `word`.
pub(super) fn data_type_named(word: &str) -> Option<CimType> {
    CimType::from_name(word).filter(|ty| *ty != CimType::Reference)
}

/// The names of all data types.
pub(super) fn data_types() -> impl Iterator<Item = &'static str> {
    let types = CimType::ALL.into_iter();
    types
        .filter(|ty| *ty != CimType::Reference)
        .map(CimType::as_str)
}
