//! One class from its declaration and its superclass: flattened, overridden, with its rules.

use std::sync::Arc;

use crate::model::{
    CimName, CimType, Class, ClassDecl, ClassKind, Element, Method, MethodDecl, NameMap, Parameter,
    Property, PropertyDecl, Qualifier, QualifierDecl, Scope, TypeDecl,
};

use super::error::{DeclError, DeclErrorKind, shown};
use super::parent::Parent;
use super::qualifiers::{self, Bearer, flag, is_true};
use super::slot;

/// What the elements of a class are resolved against.
struct Surroundings<'a> {
    class: &'a ClassDecl,
    parent: Option<&'a Class>,
    declared: &'a NameMap<QualifierDecl>,
}

/// The class that `decl` means under `parent`; faults go to `errors`.
pub(super) fn class(
    decl: &ClassDecl,
    parent: Option<&Parent>,
    declared: &NameMap<QualifierDecl>,
    errors: &mut Vec<DeclError>,
) -> Class {
    let above = parent.map(|parent| &*parent.class);
    let around = Surroundings {
        class: decl,
        parent: above,
        declared,
    };
    let qualifiers = around.class_qualifiers(errors);
    let kind = kind(&qualifiers);
    let mut properties = parent.map_or_else(NameMap::new, |parent| parent.properties().clone());
    for property in &decl.properties {
        around.check_reference(property, kind, errors);
        let resolved = around.property(property, errors);
        insert(
            &mut properties,
            resolved.name.clone(),
            resolved,
            |p| !p.propagated,
            &around,
            errors,
        );
    }
    let mut methods = parent.map_or_else(NameMap::new, |parent| parent.methods().clone());
    for method in &decl.methods {
        let resolved = around.method(method, errors);
        insert(
            &mut methods,
            resolved.name.clone(),
            resolved,
            |m| !m.propagated,
            &around,
            errors,
        );
    }
    around.check_class(kind, &properties, errors);
    let keys = properties
        .values()
        .enumerate()
        .filter(|(_, p)| p.key)
        .map(|(slot, _)| slot);
    Class {
        name: decl.name.clone(),
        ancestors: ancestors(above),
        keys: keys.collect(),
        kind,
        is_abstract: is_true(&qualifiers, "Abstract"),
        qualifiers,
        properties,
        methods,
    }
}

fn ancestors(parent: Option<&Class>) -> Box<[CimName]> {
    let line = parent.map(|parent| std::iter::once(&parent.name).chain(&parent.ancestors));
    line.into_iter().flatten().cloned().collect()
}

/// Puts an own element into the place of the one it overrides, or behind the inherited ones.
fn insert<V>(
    map: &mut NameMap<Arc<V>>,
    name: CimName,
    value: V,
    is_own: impl Fn(&V) -> bool,
    around: &Surroundings<'_>,
    errors: &mut Vec<DeclError>,
) {
    if map.get(name.as_str()).is_some_and(|v| is_own(v)) {
        let element = around.element(Some(&name));
        errors.push(DeclError {
            element,
            kind: DeclErrorKind::Duplicate,
        });
    } else {
        map.insert(name, Arc::new(value));
    }
}

fn kind(qualifiers: &NameMap<Qualifier>) -> ClassKind {
    if is_true(qualifiers, "Association") {
        ClassKind::Association
    } else if is_true(qualifiers, "Exception") || is_true(qualifiers, "Structure") {
        ClassKind::Structure
    } else if is_true(qualifiers, "Indication") {
        ClassKind::Indication
    } else {
        ClassKind::Ordinary
    }
}

impl Surroundings<'_> {
    fn element(&self, feature: Option<&CimName>) -> Element {
        Element {
            owner: self.class.name.clone(),
            feature: feature.cloned(),
            parameter: None,
            qualifier: None,
        }
    }

    fn class_qualifiers(&self, errors: &mut Vec<DeclError>) -> NameMap<Qualifier> {
        let inherited = self.parent.map(|parent| &parent.qualifiers);
        let says = |name: &str| {
            let own = self.class.qualifiers.iter().any(|used| used.name.is(name));
            own || inherited.is_some_and(|above| is_true(above, name))
        };
        let (scope, kind): (&[Scope], _) = match (says("Association"), says("Indication")) {
            (true, _) => (&[Scope::ASSOCIATION], "association"),
            (false, true) => (&[Scope::INDICATION, Scope::CLASS], "indication"),
            (false, false) => (&[Scope::CLASS], "class"),
        };
        let bearer = Bearer {
            element: self.element(None),
            scope,
            kind,
            inherited,
        };
        qualifiers::resolve(&bearer, &self.class.qualifiers, self.declared, errors)
    }

    fn check_class(
        &self,
        kind: ClassKind,
        properties: &NameMap<Arc<Property>>,
        errors: &mut Vec<DeclError>,
    ) {
        let mut fault = |kind| {
            errors.push(DeclError {
                element: self.element(None),
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
            element: self.element(Some(&decl.name)),
            kind: fault,
        });
    }

    fn property(&self, decl: &PropertyDecl, errors: &mut Vec<DeclError>) -> Property {
        let element = self.element(Some(&decl.name));
        let above = self
            .parent
            .and_then(|parent| parent.properties.get(decl.name.as_str()));
        let is_reference = decl.ty.ty == CimType::Reference;
        // Qualifiers declared for properties alone do occur on references of vendors' MOF.
        let (scope, kind): (&[Scope], _) = if is_reference {
            (&[Scope::REFERENCE, Scope::PROPERTY], "reference")
        } else {
            (&[Scope::PROPERTY], "property")
        };
        let inherited = above.map(|above| &above.qualifiers);
        let bearer = Bearer {
            element: element.clone(),
            scope,
            kind,
            inherited,
        };
        let qualifiers = qualifiers::resolve(&bearer, &decl.qualifiers, self.declared, errors);
        let mut faults = Vec::new();
        faults.extend(override_fault(
            &qualifiers,
            above.map(|above| &above.origin),
        ));
        faults.extend(above.and_then(|above| type_fault(&decl.ty, above)));
        let key = is_true(&qualifiers, "Key");
        let keys_above = self.parent.is_some_and(|parent| !parent.keys.is_empty());
        if key && keys_above && above.is_none_or(|above| !above.key) {
            faults.push(DeclErrorKind::AddedKey);
        }
        errors.extend(faults.into_iter().map(|kind| DeclError {
            element: element.clone(),
            kind,
        }));
        let slot = slot::slot(&decl.ty, &qualifiers, &element, errors);
        // Who declares a property again says its default anew, or that it has none.
        let default = slot::default(decl.default.as_ref(), &slot, &element, errors);
        Property {
            name: decl.name.clone(),
            default,
            origin: above
                .map_or(&self.class.name, |above| &above.origin)
                .clone(),
            propagated: false,
            key,
            required: is_true(&qualifiers, "Required"),
            write: is_true(&qualifiers, "Write"),
            read: flag(&qualifiers, "Read").unwrap_or(true),
            slot,
            qualifiers,
        }
    }

    fn method(&self, decl: &MethodDecl, errors: &mut Vec<DeclError>) -> Method {
        let element = self.element(Some(&decl.name));
        let above = self
            .parent
            .and_then(|parent| parent.methods.get(decl.name.as_str()));
        let bearer = Bearer {
            element: element.clone(),
            scope: &[Scope::METHOD],
            kind: "method",
            inherited: above.map(|above| &above.qualifiers),
        };
        let qualifiers = qualifiers::resolve(&bearer, &decl.qualifiers, self.declared, errors);
        let fault = override_fault(&qualifiers, above.map(|above| &above.origin));
        errors.extend(fault.map(|kind| DeclError {
            element: element.clone(),
            kind,
        }));
        let mut parameters: NameMap<Parameter> = NameMap::new();
        for parameter in &decl.parameters {
            let inherited = above.and_then(|above| above.parameters.get(parameter.name.as_str()));
            let resolved = self.parameter(decl, parameter, inherited, errors);
            if parameters.insert(resolved.name.clone(), resolved).is_some() {
                let parameter = Some(parameter.name.clone());
                let element = Element {
                    parameter,
                    ..element.clone()
                };
                errors.push(DeclError {
                    element,
                    kind: DeclErrorKind::Duplicate,
                });
            }
        }
        let returns = decl
            .returns
            .map(|ty| slot::slot(&TypeDecl::scalar(ty), &qualifiers, &element, errors));
        Method {
            name: decl.name.clone(),
            returns,
            parameters,
            origin: above
                .map_or(&self.class.name, |above| &above.origin)
                .clone(),
            propagated: false,
            is_static: is_true(&qualifiers, "Static"),
            qualifiers,
        }
    }

    fn parameter(
        &self,
        method: &MethodDecl,
        decl: &crate::model::ParameterDecl,
        above: Option<&Parameter>,
        errors: &mut Vec<DeclError>,
    ) -> Parameter {
        let parameter = Some(decl.name.clone());
        let element = Element {
            parameter,
            ..self.element(Some(&method.name))
        };
        let is_reference = decl.ty.ty == CimType::Reference;
        let scope: &[Scope] = if is_reference {
            &[Scope::PARAMETER, Scope::REFERENCE]
        } else {
            &[Scope::PARAMETER]
        };
        let bearer = Bearer {
            element: element.clone(),
            scope,
            kind: "parameter",
            inherited: above.map(|above| &above.qualifiers),
        };
        let qualifiers = qualifiers::resolve(&bearer, &decl.qualifiers, self.declared, errors);
        Parameter {
            name: decl.name.clone(),
            slot: slot::slot(&decl.ty, &qualifiers, &element, errors),
            input: flag(&qualifiers, "In").unwrap_or(true),
            output: is_true(&qualifiers, "Out"),
            required: is_true(&qualifiers, "Required"),
            qualifiers,
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
fn override_fault(
    qualifiers: &NameMap<Qualifier>,
    above: Option<&CimName>,
) -> Option<DeclErrorKind> {
    let says = qualifiers
        .get("Override")
        .filter(|qualifier| !qualifier.propagated);
    match (says, above) {
        (None, Some(origin)) => Some(DeclErrorKind::MissingOverride(origin.clone())),
        (Some(says), None) => Some(DeclErrorKind::OverridesNothing(says.value.to_string())),
        (Some(_), Some(_)) | (None, None) => None,
    }
}
