//! From declarations, in any order, to a schema: all of them or none.

use std::collections::HashMap;
use std::sync::Arc;

use crate::model::{CimName, Class, ClassDecl, Element, Embedding, NameMap, QualifierDecl, Slot};

use super::error::{DeclError, DeclErrorKind};
use super::parent::Parent;
use super::{Schema, resolve};

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

    /// Adds a class in the place of one of the same name, if there is one.
    pub fn replace_class(&mut self, decl: ClassDecl) {
        self.classes.insert(decl.name.clone(), decl);
    }

    /// Adds a qualifier declaration in the place of one of the same name, if there is one.
    pub fn replace_qualifier(&mut self, decl: QualifierDecl) {
        self.qualifiers.insert(decl.name.clone(), decl);
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
        let mut errors = self.errors;
        let mut built: HashMap<CimName, Parent> = HashMap::new();
        for name in superclasses_first(&self.classes, &mut errors) {
            let Some(decl) = self.classes.get(name.as_str()) else {
                continue;
            };
            let superclass = decl.superclass.as_ref();
            let parent = superclass.and_then(|name| built.get(name));
            if superclass.is_some() && parent.is_none() {
                continue; // the fault is reported where it is: at the superclass
            }
            let class = resolve::class(decl, parent, &self.qualifiers, &mut errors);
            built.insert(class.name.clone(), Parent::new(Arc::new(class)));
        }
        let classes: NameMap<Arc<Class>> = self
            .classes
            .names()
            .filter_map(|name| Some((name.clone(), built.get(name)?.class.clone())))
            .collect();
        for class in classes.values() {
            targets_exist(class, &self.classes, &mut errors);
        }
        if errors.is_empty() {
            Ok(Schema::new(classes, self.qualifiers))
        } else {
            Err(errors)
        }
    }
}

fn of_class(owner: CimName) -> Element {
    Element {
        owner,
        feature: None,
        parameter: None,
        qualifier: None,
    }
}

/// The classes in an order in which each comes after its superclass; those without a sound line
/// of ancestors are reported and left out.
fn superclasses_first(classes: &NameMap<ClassDecl>, errors: &mut Vec<DeclError>) -> Vec<CimName> {
    let mut by_depth: Vec<(usize, CimName)> = Vec::with_capacity(classes.len());
    for decl in classes.values() {
        match depth(decl, classes) {
            Ok(depth) => by_depth.push((depth, decl.name.clone())),
            Err(kind) => errors.push(DeclError {
                element: of_class(decl.name.clone()),
                kind,
            }),
        }
    }
    by_depth.sort_by_key(|(depth, _)| *depth);
    by_depth.into_iter().map(|(_, name)| name).collect()
}

fn depth(decl: &ClassDecl, classes: &NameMap<ClassDecl>) -> Result<usize, DeclErrorKind> {
    let mut at = decl;
    for depth in 0..=INHERITANCE_LIMIT {
        let Some(name) = &at.superclass else {
            return Ok(depth);
        };
        if *name == decl.name {
            return Err(DeclErrorKind::Cycle);
        }
        at = classes
            .get(name.as_str())
            .ok_or_else(|| DeclErrorKind::Superclass(name.clone()))?;
    }
    Err(DeclErrorKind::TooDeep(INHERITANCE_LIMIT))
}

/// The classes that own references and embedded instances name must exist.
fn targets_exist(class: &Class, classes: &NameMap<ClassDecl>, errors: &mut Vec<DeclError>) {
    let mut judge = |slot: &Slot, feature: &CimName, parameter: Option<&CimName>| {
        let kind = match (&slot.reference_class, &slot.embedding) {
            (Some(target), _) if !classes.contains(target.as_str()) => {
                DeclErrorKind::ReferenceClass(target.clone())
            }
            (_, Some(Embedding::Instance(target))) if !classes.contains(target.as_str()) => {
                DeclErrorKind::EmbeddedClass(target.to_string())
            }
            (Some(_) | None, Some(_) | None) => return,
        };
        let element = Element {
            owner: class.name.clone(),
            feature: Some(feature.clone()),
            parameter: parameter.cloned(),
            qualifier: None,
        };
        errors.push(DeclError { element, kind });
    };
    for property in class
        .properties
        .values()
        .filter(|property| !property.propagated)
    {
        judge(&property.slot, &property.name, None);
    }
    for method in class.methods.values().filter(|method| !method.propagated) {
        for parameter in method.parameters.values() {
            judge(&parameter.slot, &method.name, Some(&parameter.name));
        }
        if let Some(returns) = &method.returns {
            judge(returns, &method.name, None);
        }
    }
}
