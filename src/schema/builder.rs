//! From declarations, in any order, to a schema: all of them or none.

use crate::model::{CimName, ClassDecl, NameMap, QualifierDecl};

use super::Schema;
use super::edit::{Edit, of_class};
use super::error::{DeclError, DeclErrorKind};

/// How many ancestors a class may have.
pub const INHERITANCE_LIMIT: usize = 64;

/// Collects declarations and judges them together.
#[derive(Debug, Default)]
pub struct Builder {
    qualifiers: NameMap<QualifierDecl>,
    classes: NameMap<ClassDecl>,
    errors: Vec<DeclError>,
}

impl Builder {
    /// A builder without declarations.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a qualifier declaration. An identical one again is no change, another one is an error.
    pub fn qualifier(&mut self, decl: QualifierDecl) {
        match self.qualifiers.get(decl.name.as_str()) {
            Some(known) if *known == decl => {}
            Some(_) => self.duplicate(decl.name),
            None => {
                self.qualifiers.insert(decl.name.clone(), decl);
            }
        }
    }

    /// Adds a class. An identical one again is no change, another one is an error.
    pub fn class(&mut self, decl: ClassDecl) {
        match self.classes.get(decl.name.as_str()) {
            Some(known) if *known == decl => {}
            Some(_) => self.duplicate(decl.name),
            None => {
                self.classes.insert(decl.name.clone(), decl);
            }
        }
    }

    /// Adds everything that a text declares.
    pub fn declare(
        &mut self,
        qualifiers: impl IntoIterator<Item = QualifierDecl>,
        classes: impl IntoIterator<Item = ClassDecl>,
    ) {
        for decl in qualifiers {
            self.qualifier(decl);
        }
        for decl in classes {
            self.class(decl);
        }
    }

    fn duplicate(&mut self, owner: CimName) {
        self.errors.push(DeclError {
            element: of_class(owner),
            kind: DeclErrorKind::Duplicate,
        });
    }

    /// The schema of everything that was added.
    ///
    /// # Errors
    /// Every fault of every declaration; there is no schema then.
    pub fn build(self) -> Result<Schema, Vec<DeclError>> {
        let qualifiers = self.qualifiers.into_values().map(Edit::Qualifier);
        let classes = self.classes.into_values().map(Edit::Class);
        let edited = Schema::default().edited(qualifiers.chain(classes).collect());
        match edited {
            Ok(edited) if self.errors.is_empty() => Ok(edited.schema),
            Ok(_) => Err(self.errors),
            Err(found) => Err(self.errors.into_iter().chain(found).collect()),
        }
    }
}
