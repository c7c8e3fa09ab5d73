//! One class from its declaration and its superclass: flattened, overridden, with its rules.

use std::sync::Arc;

use crate::model::{
    CimName, CimType, Class, ClassDecl, ClassKind, Method, MethodDecl, NameMap, Parameter,
    ParameterDecl, Property, PropertyDecl, QualifierUse, Scope, TypeDecl,
};

use super::error::{DeclError, DeclErrorKind, shown};
use super::known::{Effective, Known, Vocabulary};
use super::parent::Parent;
use super::qualifiers::{self, Bearer, Place, is_true};
use super::slot;

/// What the elements of a class are resolved against.
struct Surroundings<'a> {
    class: &'a CimName,
    parent: Option<&'a Class>,
    vocabulary: &'a Vocabulary<'a>,
}

/// The class that `decl` means under `parent`; faults go to `errors`.
pub(super) fn class(
    decl: ClassDecl,
    parent: Option<&Parent>,
    vocabulary: &Vocabulary<'_>,
    errors: &mut Vec<DeclError>,
) -> Class {
    let above = parent.map(|parent| &*parent.class);
    let around = Surroundings {
        class: &decl.name,
        parent: above,
        vocabulary,
    };
    let qualifiers = around.class_qualifiers(decl.qualifiers, errors);
    let kind = kind(&qualifiers);
    let mut properties = parent.map_or_else(NameMap::new, |parent| {
        let own = decl.properties.len();
        parent.properties().map_values(own, Arc::clone)
    });
    for property in decl.properties {
        around.check_reference(&property, kind, errors);
        let resolved = Arc::new(around.property(property, errors));
        let name = resolved.name.clone();
        around.insert(&mut properties, name, resolved, |p| !p.propagated, errors);
    }
    let mut methods = parent.map_or_else(NameMap::new, |parent| {
        parent.methods().map_values(decl.methods.len(), Arc::clone)
    });
    for method in decl.methods {
        let resolved = Arc::new(around.method(method, errors));
        let name = resolved.name.clone();
        around.insert(&mut methods, name, resolved, |m| !m.propagated, errors);
    }
    around.check_class(kind, &properties, errors);
    let keys = properties
        .values()
        .enumerate()
        .filter(|(_, p)| p.key)
        .map(|(slot, _)| slot);
    Class {
        ancestors: ancestors(above),
        keys: keys.collect(),
        kind,
        is_abstract: qualifiers.is_true(Known::Abstract),
        qualifiers: qualifiers.map,
        properties,
        methods,
        name: decl.name,
    }
}

fn ancestors(parent: Option<&Class>) -> Box<[CimName]> {
    let line = parent.map(|parent| std::iter::once(&parent.name).chain(&parent.ancestors));
    line.into_iter().flatten().cloned().collect()
}

fn kind(qualifiers: &Effective) -> ClassKind {
    if qualifiers.is_true(Known::Association) {
        ClassKind::Association
    } else if qualifiers.is_true(Known::Exception) || qualifiers.is_true(Known::Structure) {
        ClassKind::Structure
    } else if qualifiers.is_true(Known::Indication) {
        ClassKind::Indication
    } else {
        ClassKind::Ordinary
    }
}

impl Surroundings<'_> {
    fn place<'e>(&'e self, feature: Option<&'e CimName>) -> Place<'e> {
        Place {
            owner: self.class,
            feature,
            parameter: None,
        }
    }

    /// Puts an own element into the place of the one it overrides, or behind the inherited ones.
    fn insert<V>(
        &self,
        map: &mut NameMap<Arc<V>>,
        name: CimName,
        value: Arc<V>,
        is_own: impl Fn(&V) -> bool,
        errors: &mut Vec<DeclError>,
    ) {
        if map.under(&name).is_some_and(|v| is_own(v)) {
            errors.push(DeclError {
                element: self.place(Some(&name)).element(),
                kind: DeclErrorKind::Duplicate,
            });
        } else {
            map.insert(name, value);
        }
    }

    fn class_qualifiers(&self, uses: Vec<QualifierUse>, errors: &mut Vec<DeclError>) -> Effective {
        let inherited = self.parent.map(|parent| &parent.qualifiers);
        let says = |name: &str| {
            let own = uses.iter().any(|used| used.name.is(name));
            own || inherited.is_some_and(|above| is_true(above, name))
        };
        let (scope, kind): (&[Scope], _) = match (says("Association"), says("Indication")) {
            (true, _) => (&[Scope::ASSOCIATION], "association"),
            (false, true) => (&[Scope::INDICATION, Scope::CLASS], "indication"),
            (false, false) => (&[Scope::CLASS], "class"),
        };
        let bearer = Bearer {
            place: self.place(None),
            scope,
            kind,
            inherited,
        };
        qualifiers::resolve(&bearer, uses, self.vocabulary, errors)
    }

    fn check_class(
        &self,
        kind: ClassKind,
        properties: &NameMap<Arc<Property>>,
        errors: &mut Vec<DeclError>,
    ) {
        let mut fault = |kind| {
            errors.push(DeclError {
                element: self.place(None).element(),
                kind,
            });
        };
        if let Some(parent) = self.parent.filter(|p| is_true(&p.qualifiers, "Terminal")) {
            fault(DeclErrorKind::TerminalSuperclass(parent.name.clone()));
        }
        let references = properties
            .values()
            .filter(|p| p.slot.ty == CimType::Reference)
            .count();
        if kind == ClassKind::Association && references < 2 {
            fault(DeclErrorKind::FewReferences);
        }
    }

    fn check_reference(&self, decl: &PropertyDecl, kind: ClassKind, errors: &mut Vec<DeclError>) {
        let fault = match (decl.ty.ty, kind) {
            (CimType::Reference, _) if decl.ty.is_array => DeclErrorKind::ReferenceArray,
            (
                CimType::Reference,
                ClassKind::Ordinary | ClassKind::Indication | ClassKind::Structure,
            ) => DeclErrorKind::ReferenceOutsideAssociation,
            (_, _) => return,
        };
        errors.push(DeclError {
            element: self.place(Some(&decl.name)).element(),
            kind: fault,
        });
    }

    fn property(&self, decl: PropertyDecl, errors: &mut Vec<DeclError>) -> Property {
        let place = self.place(Some(&decl.name));
        let above = self
            .parent
            .and_then(|parent| parent.properties.under(&decl.name));
        let is_reference = decl.ty.ty == CimType::Reference;
        // Qualifiers declared for properties alone do occur on references of vendors' MOF.
        let (scope, kind): (&[Scope], _) = if is_reference {
            (&[Scope::REFERENCE, Scope::PROPERTY], "reference")
        } else {
            (&[Scope::PROPERTY], "property")
        };
        let bearer = Bearer {
            place,
            scope,
            kind,
            inherited: above.map(|above| &*above.qualifiers),
        };
        let qualifiers = qualifiers::resolve(&bearer, decl.qualifiers, self.vocabulary, errors);
        let mut fault = |kind| {
            errors.push(DeclError {
                element: place.element(),
                kind,
            });
        };
        override_fault(&qualifiers, above.map(|above| &above.origin)).map(&mut fault);
        above
            .and_then(|above| type_fault(&decl.ty, above))
            .map(&mut fault);
        let key = qualifiers.is_true(Known::Key);
        let keys_above = self.parent.is_some_and(|parent| !parent.keys.is_empty());
        if key && keys_above && above.is_none_or(|above| !above.key) {
            fault(DeclErrorKind::AddedKey);
        }
        let slot = slot::slot(decl.ty, &qualifiers, place, errors);
        // Who declares a property again says its default anew, or that it has none.
        let default = slot::default(decl.default, &slot, place, errors);
        Property {
            default,
            origin: above.map_or(self.class, |above| &above.origin).clone(),
            propagated: false,
            key,
            required: qualifiers.is_true(Known::Required),
            write: qualifiers.is_true(Known::Write),
            read: qualifiers.flag(Known::Read).unwrap_or(true),
            slot,
            qualifiers: Arc::new(qualifiers.map),
            name: decl.name,
        }
    }

    fn method(&self, decl: MethodDecl, errors: &mut Vec<DeclError>) -> Method {
        let place = self.place(Some(&decl.name));
        let above = self
            .parent
            .and_then(|parent| parent.methods.under(&decl.name));
        let bearer = Bearer {
            place,
            scope: &[Scope::METHOD],
            kind: "method",
            inherited: above.map(|above| &*above.qualifiers),
        };
        let qualifiers = qualifiers::resolve(&bearer, decl.qualifiers, self.vocabulary, errors);
        let fault = override_fault(&qualifiers, above.map(|above| &above.origin));
        errors.extend(fault.map(|kind| DeclError {
            element: place.element(),
            kind,
        }));
        let mut parameters = NameMap::with_capacity(decl.parameters.len());
        for parameter in decl.parameters {
            let inherited = above.and_then(|above| above.parameters.under(&parameter.name));
            let resolved = self.parameter(&decl.name, parameter, inherited, errors);
            let name = resolved.name.clone();
            if parameters.insert(name.clone(), resolved).is_some() {
                let parameter = Some(&name);
                errors.push(DeclError {
                    element: Place { parameter, ..place }.element(),
                    kind: DeclErrorKind::Duplicate,
                });
            }
        }
        let returns = decl
            .returns
            .map(|ty| slot::slot(TypeDecl::scalar(ty), &qualifiers, place, errors));
        Method {
            returns,
            parameters: Arc::new(parameters),
            origin: above.map_or(self.class, |above| &above.origin).clone(),
            propagated: false,
            is_static: qualifiers.is_true(Known::Static),
            qualifiers: Arc::new(qualifiers.map),
            name: decl.name,
        }
    }

    fn parameter(
        &self,
        method: &CimName,
        decl: ParameterDecl,
        above: Option<&Parameter>,
        errors: &mut Vec<DeclError>,
    ) -> Parameter {
        let place = Place {
            parameter: Some(&decl.name),
            ..self.place(Some(method))
        };
        let is_reference = decl.ty.ty == CimType::Reference;
        let scope: &[Scope] = if is_reference {
            &[Scope::PARAMETER, Scope::REFERENCE]
        } else {
            &[Scope::PARAMETER]
        };
        let bearer = Bearer {
            place,
            scope,
            kind: "parameter",
            inherited: above.map(|above| &above.qualifiers),
        };
        let qualifiers = qualifiers::resolve(&bearer, decl.qualifiers, self.vocabulary, errors);
        Parameter {
            slot: slot::slot(decl.ty, &qualifiers, place, errors),
            input: qualifiers.flag(Known::In).unwrap_or(true),
            output: qualifiers.is_true(Known::Out),
            required: qualifiers.is_true(Known::Required),
            qualifiers: qualifiers.map,
            name: decl.name,
        }
    }
}

/// An overriding property keeps type and arrayness; a reference may narrow its class.
fn type_fault(own: &TypeDecl, above: &Property) -> Option<DeclErrorKind> {
    let same = own.ty == above.slot.ty && own.is_array == above.slot.is_array;
    (!same).then(|| DeclErrorKind::OverrideType {
        inherited: above.slot.to_string(),
        own: shown(own),
    })
}

/// DSP0004 2.8 §5.6.3.38: an element replaces an inherited one only by saying so.
fn override_fault(qualifiers: &Effective, above: Option<&CimName>) -> Option<DeclErrorKind> {
    let says = qualifiers
        .get(Known::Override)
        .filter(|qualifier| !qualifier.propagated);
    match (says, above) {
        (None, Some(origin)) => Some(DeclErrorKind::MissingOverride(origin.clone())),
        (Some(says), None) => Some(DeclErrorKind::OverridesNothing(says.value.to_string())),
        (Some(_), Some(_)) | (None, None) => None,
    }
}
