//! Instances: `instanceDeclaration`.

use super::super::ast::{Assignment, InstanceDeclaration};
use super::super::lexer::TokenKind;
use super::cursor::{Parsed, Parser};

impl<'a> Parser<'a, '_> {
    /// `"instance" "of" name ["as" alias] "{" {assignment} "}" ";"`
    pub(super) fn instance(&mut self) -> Parsed<InstanceDeclaration<'a>> {
        self.expect_word("instance")?;
        self.expect_word("of")?;
        let mut instance = InstanceDeclaration {
            class: self.name("the name of a class")?,
            alias: self.optional_alias()?,
            values: Vec::new(),
            broken: false,
        };
        let open = self.expect(TokenKind::LeftBrace)?.span();
        let depth = self.depth();
        while !self.eat(TokenKind::RightBrace) {
            if self.body_has_no_end() {
                self.unclosed(open);
                instance.broken = true;
                return Ok(instance);
            }
            if let Ok(assignment) = self.assignment() {
                instance.values.push(assignment);
            } else {
                instance.broken = true;
                self.skip_member(depth);
            }
        }
        self.end_of_item();
        Ok(instance)
    }

    /// `[qualifierList] name "=" value ";"`. Qualifiers of instances mean nothing since
    /// DSP0004 2.6 and are dropped.
    fn assignment(&mut self) -> Parsed<Assignment<'a>> {
        self.qualifier_list()?;
        let name = self.name("the name of a property")?;
        self.expect(TokenKind::Equals)?;
        let value = self.value()?;
        self.expect_semicolon()?;
        Ok(Assignment { name, value })
    }
}
