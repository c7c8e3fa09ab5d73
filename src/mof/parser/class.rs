//! Classes: `classDeclaration` with its properties, references, methods and parameters.

use crate::model::CimType;

use super::super::Span;
use super::super::ast::{ClassDeclaration, Method, Parameter, Property, Qualifier, Type, Word};
use super::super::diagnostic::{Code, Diagnostic, meant};
use super::super::lexer::TokenKind;
use super::cursor::{Parsed, Parser};
use super::qualifier::{data_type_named, data_types};

/// What stands before the name of a feature.
#[derive(Clone, Copy)]
enum Before<'a> {
    Type(Type<'a>),
    /// An extension: DSP0004 has no methods without a return value.
    Void,
}

impl<'a> Parser<'a, '_> {
    /// `"class" name ["as" alias] [":" name] "{" {feature} "}" ";"` behind its qualifiers.
    pub(super) fn class(&mut self, qualifiers: Vec<Qualifier<'a>>) -> Parsed<ClassDeclaration<'a>> {
        self.expect_word("class")?;
        let mut class = ClassDeclaration {
            qualifiers,
            name: self.name("the name of a class")?,
            alias: self.optional_alias()?,
            superclass: None,
            properties: Vec::new(),
            methods: Vec::new(),
            broken: false,
        };
        if self.eat(TokenKind::Colon) {
            class.superclass = Some(self.name("the name of the superclass")?);
        }
        let open = self.expect(TokenKind::LeftBrace)?.span();
        let depth = self.depth();
        while !self.eat(TokenKind::RightBrace) {
            if self.body_has_no_end() {
                self.unclosed(open);
                class.broken = true;
                return Ok(class);
            }
            if self.feature(&mut class).is_err() {
                class.broken = true;
                self.skip_member(depth);
            }
        }
        self.end_of_item();
        Ok(class)
    }

    /// The `;` of a declaration, which is whole even without it.
    pub(super) fn end_of_item(&mut self) {
        if self.expect_semicolon().is_err() && !self.at(TokenKind::LeftBracket) {
            self.skip_item();
        }
    }

    /// Whether a body runs into the end of the text or into the next declaration.
    pub(super) fn body_has_no_end(&mut self) -> bool {
        matches!(self.peek(0).kind(), TokenKind::End | TokenKind::Pragma)
            || self.starts_declaration()
            || self.diagnostics.is_full()
    }

    pub(super) fn unclosed(&mut self, open: Span) {
        let message = format!("expected `}}` before {}", self.shown());
        let place = self.previous_span().after();
        let diagnostic =
            Diagnostic::new(Code::UnclosedBody, place, message).note(open, "the body starts here");
        self.report(diagnostic);
    }

    /// `["as" alias]`
    pub(super) fn optional_alias(&mut self) -> Parsed<Option<Word<'a>>> {
        if !self.eat_word("as") {
            return Ok(None);
        }
        let token = self.expect(TokenKind::Alias)?;
        Ok(Some(self.word(token)))
    }

    fn feature(&mut self, class: &mut ClassDeclaration<'a>) -> Parsed<()> {
        let qualifiers = self.qualifier_list()?;
        let start = self.peek(0).span();
        let before = self.before_name()?;
        let name = self.name("the name of a property or method")?;
        if self.at(TokenKind::LeftParen) {
            let returns = self.return_type(before, start)?;
            let method = self.method(qualifiers, returns, name)?;
            class.methods.push(method);
        } else {
            let ty = self.value_type(before, start)?;
            let property = self.property(qualifiers, ty, name)?;
            class.properties.push(property);
        }
        Ok(())
    }

    /// A data type, `void`, or a class with `ref`. A word is a class only if `ref` and a name
    /// follow, so a property may be called `Ref`.
    fn before_name(&mut self) -> Parsed<Before<'a>> {
        let token = self.peek(0);
        if !token.is(TokenKind::Word) {
            return Err(self.unexpected(Code::ExpectedType, "a type"));
        }
        let word = self.word(token);
        if self.word_at(1, "ref") && self.peek(2).is(TokenKind::Word) {
            self.bump();
            self.bump();
            return Ok(Before::Type(Type::Reference(word)));
        }
        if let Some(ty) = data_type_named(word.text) {
            self.bump();
            return Ok(Before::Type(Type::Data(ty)));
        }
        if word.is("void") {
            self.bump();
            return Ok(Before::Void);
        }
        let message = format!("`{}` is not a data type", word.shown());
        let reference = "a reference to a class is written `Class REF Name`";
        let mut diagnostic = Diagnostic::new(Code::ExpectedType, word.span, message);
        diagnostic.hint = meant(word.text, data_types()).or(Some(reference.into()));
        Err(self.report(diagnostic))
    }

    fn value_type(&mut self, before: Before<'a>, start: Span) -> Parsed<Type<'a>> {
        match before {
            Before::Type(ty) => Ok(ty),
            Before::Void => {
                let message = "only a method can be void";
                Err(self.report(Diagnostic::new(Code::VoidElement, start, message)))
            }
        }
    }

    fn return_type(&mut self, before: Before<'a>, start: Span) -> Parsed<Option<CimType>> {
        match before {
            Before::Void => Ok(None),
            Before::Type(Type::Data(ty)) => Ok(Some(ty)),
            Before::Type(Type::Reference(_)) => {
                let message = "a method cannot return a reference";
                let diagnostic = Diagnostic::new(Code::BadReturnType, start, message)
                    .hint("give it an [Out] parameter of that type");
                Err(self.report(diagnostic))
            }
        }
    }

    fn property(
        &mut self,
        qualifiers: Vec<Qualifier<'a>>,
        ty: Type<'a>,
        name: Word<'a>,
    ) -> Parsed<Property<'a>> {
        let array = self.optional_array()?;
        if let (Type::Reference(_), Some(array)) = (ty, array) {
            let message = "a reference of a class cannot be an array";
            let diagnostic = Diagnostic::new(Code::ReferenceArray, array.span, message)
                .hint("only parameters are arrays of references");
            return Err(self.report(diagnostic));
        }
        if array.is_some() && self.at(TokenKind::LeftParen) {
            let message = "a method cannot return an array";
            let diagnostic = Diagnostic::new(Code::BadReturnType, name.span, message)
                .hint("give it an [Out] parameter of that type");
            return Err(self.report(diagnostic));
        }
        let default = self.optional_default()?;
        self.end_of_feature();
        Ok(Property {
            qualifiers,
            ty,
            name,
            array,
            default,
        })
    }

    /// The `;` of a feature, which is whole even without it.
    fn end_of_feature(&mut self) {
        if self.expect_semicolon().is_err() && !self.starts_feature() {
            let depth = self.depth();
            self.skip_member(depth);
        }
    }

    /// Whether a feature seems to start here, so that nothing needs to be skipped.
    fn starts_feature(&mut self) -> bool {
        let token = self.peek(0);
        token.is(TokenKind::LeftBracket)
            || (token.is(TokenKind::Word) && data_type_named(self.text(token.span())).is_some())
            || (token.is(TokenKind::Word) && self.word_at(1, "ref"))
    }

    /// `"(" [parameter {"," parameter}] ")" ";"`
    fn method(
        &mut self,
        qualifiers: Vec<Qualifier<'a>>,
        returns: Option<CimType>,
        name: Word<'a>,
    ) -> Parsed<Method<'a>> {
        self.expect(TokenKind::LeftParen)?;
        let mut parameters = Vec::new();
        while !self.eat(TokenKind::RightParen) {
            parameters.push(self.parameter()?);
            self.separator(TokenKind::RightParen)?;
        }
        if self.at(TokenKind::LeftBracket) && self.peek(1).is(TokenKind::RightBracket) {
            let diagnostic = Diagnostic::new(
                Code::BadReturnType,
                self.peek(0).span(),
                "a method cannot return an array",
            );
            return Err(self.report(diagnostic));
        }
        self.end_of_feature();
        Ok(Method {
            qualifiers,
            returns,
            name,
            parameters,
        })
    }

    fn parameter(&mut self) -> Parsed<Parameter<'a>> {
        let qualifiers = self.qualifier_list()?;
        let start = self.peek(0).span();
        let before = self.before_name()?;
        let ty = self.value_type(before, start)?;
        let name = self.name("the name of a parameter")?;
        let array = self.optional_array()?;
        if self.at(TokenKind::Equals) {
            let equals = self.bump().span();
            let message = "a parameter cannot have a default value";
            self.report(Diagnostic::new(Code::ParameterDefault, equals, message));
            self.value()?;
        }
        Ok(Parameter {
            qualifiers,
            ty,
            name,
            array,
        })
    }
}
