//! Syntax to declarations of the model, element by element.
//!
//! What needs no schema is checked here: names, flavors, scopes, and the defaults of qualifiers.

use std::fmt::Display;

use crate::model::{
    CimName, CimType, CimValue, ClassDecl, Flavor, FlavorUse, Literal, MethodDecl, ObjectPath,
    ParameterDecl, PropertyDecl, QualifierDecl, QualifierUse, Scope, TypeDecl,
};

use super::Span;
use super::ast::{
    Array, ClassDeclaration, Method, Parameter, Property, Qualifier, QualifierDeclaration, Type,
    Value, ValueKind, Word,
};
use super::diagnostic::{Code, Diagnostic, Diagnostics, meant};
use super::locate::Places;

/// A declaration with its places; `None` when its name is no name.
pub(super) type Lowered<T> = Option<(T, Places)>;

/// A word as a name of the model.
pub(super) fn name(word: Word<'_>, diagnostics: &Diagnostics) -> Option<CimName> {
    match CimName::new(word.text) {
        Ok(name) => Some(name),
        Err(error) => {
            report(Code::BadName, word.span, &error, diagnostics);
            None
        }
    }
}

/// An alias as a name, without its `$`.
pub(super) fn alias(word: Word<'_>, diagnostics: &Diagnostics) -> Option<CimName> {
    let text = word.text.trim_start_matches('$');
    name(Word { text, ..word }, diagnostics)
}

fn report(code: Code, span: Span, message: &dyn Display, diagnostics: &Diagnostics) {
    diagnostics.push(Diagnostic::new(code, span, message.to_string()));
}

/// A class with everything in it.
pub(super) fn class(class: ClassDeclaration<'_>, d: &Diagnostics) -> Lowered<ClassDecl> {
    if let Some(alias) = class.alias {
        let message = format!("the class alias `{}` has no effect", alias.shown());
        report(Code::ClassAlias, alias.span, &message, d);
    }
    let mut places = Places::leaf(name(class.name, d)?, class.name.span);
    places.class = class.superclass.map(|word| word.span);
    let (qualifiers, spans) = qualifiers(class.qualifiers, d);
    places.qualifiers = spans;
    let mut decl = ClassDecl {
        name: places.name.clone(),
        superclass: class.superclass.and_then(|word| name(word, d)),
        qualifiers,
        properties: Vec::with_capacity(class.properties.len()),
        methods: Vec::with_capacity(class.methods.len()),
    };
    for (property, place) in class.properties.into_iter().filter_map(|p| property(p, d)) {
        decl.properties.push(property);
        places.members.push(place);
    }
    for (method, place) in class.methods.into_iter().filter_map(|m| method(m, d)) {
        decl.methods.push(method);
        places.members.push(place);
    }
    Some((decl, places))
}

fn property(property: Property<'_>, d: &Diagnostics) -> Lowered<PropertyDecl> {
    let mut places = Places::leaf(name(property.name, d)?, property.name.span);
    places.class = referenced(property.ty);
    places.value = property.default.as_ref().map(|value| value.span);
    let ty = type_decl(property.ty, property.array, d)?;
    let (qualifiers, spans) = qualifiers(property.qualifiers, d);
    places.qualifiers = spans;
    let default = property.default.and_then(|value| match ty.ty {
        CimType::Reference => reference(value, d),
        _ => constant(value, d),
    });
    let decl = PropertyDecl {
        name: places.name.clone(),
        ty,
        qualifiers,
        default,
        origin: None,
        propagated: false,
    };
    Some((decl, places))
}

fn method(method: Method<'_>, d: &Diagnostics) -> Lowered<MethodDecl> {
    let mut places = Places::leaf(name(method.name, d)?, method.name.span);
    let (qualifiers, spans) = qualifiers(method.qualifiers, d);
    places.qualifiers = spans;
    let mut decl = MethodDecl {
        name: places.name.clone(),
        returns: method.returns,
        qualifiers,
        parameters: Vec::with_capacity(method.parameters.len()),
        origin: None,
        propagated: false,
    };
    for (parameter, place) in method
        .parameters
        .into_iter()
        .filter_map(|p| parameter(p, d))
    {
        decl.parameters.push(parameter);
        places.members.push(place);
    }
    Some((decl, places))
}

fn parameter(parameter: Parameter<'_>, d: &Diagnostics) -> Lowered<ParameterDecl> {
    let mut places = Places::leaf(name(parameter.name, d)?, parameter.name.span);
    places.class = referenced(parameter.ty);
    let (qualifiers, spans) = qualifiers(parameter.qualifiers, d);
    places.qualifiers = spans;
    let decl = ParameterDecl {
        name: places.name.clone(),
        ty: type_decl(parameter.ty, parameter.array, d)?,
        qualifiers,
    };
    Some((decl, places))
}

/// Where the class of a reference stands.
fn referenced(ty: Type<'_>) -> Option<Span> {
    match ty {
        Type::Data(_) => None,
        Type::Reference(class) => Some(class.span),
    }
}

fn type_decl(ty: Type<'_>, array: Option<Array>, d: &Diagnostics) -> Option<TypeDecl> {
    let (ty, reference_class) = match ty {
        Type::Data(ty) => (ty, None),
        Type::Reference(class) => (CimType::Reference, Some(name(class, d)?)),
    };
    Some(TypeDecl {
        ty,
        is_array: array.is_some(),
        array_size: array.and_then(|array| array.size),
        reference_class,
    })
}

/// The uses of qualifiers on one element, and where each stands.
fn qualifiers(
    list: Vec<Qualifier<'_>>,
    d: &Diagnostics,
) -> (Vec<QualifierUse>, Vec<(CimName, Span)>) {
    let mut uses = Vec::with_capacity(list.len());
    let mut places = Vec::with_capacity(list.len());
    for qualifier in list {
        let Some(name) = name(qualifier.name, d) else {
            continue;
        };
        // A value that was refused is NULL, lest the qualifier seem to stand alone.
        let value = qualifier.value;
        let value = value.map(|value| constant(value, d).unwrap_or(Literal::Null));
        places.push((name.clone(), qualifier.span));
        uses.push(QualifierUse {
            name,
            value,
            ty: None,
            flavor: flavors(&qualifier.flavors, d),
            propagated: false,
        });
    }
    (uses, places)
}

/// The flavors that people write by hand.
const FLAVORS: [&str; 5] = [
    "EnableOverride",
    "DisableOverride",
    "ToSubclass",
    "Restricted",
    "Translatable",
];

/// Flavors as they were written, on a use or in a declaration.
fn flavors(words: &[Word<'_>], d: &Diagnostics) -> FlavorUse {
    let mut flavor = FlavorUse::default();
    for word in words {
        let (slot, on) = if word.is("EnableOverride") {
            (&mut flavor.overridable, true)
        } else if word.is("DisableOverride") {
            (&mut flavor.overridable, false)
        } else if word.is("ToSubclass") {
            (&mut flavor.to_subclass, true)
        } else if word.is("Restricted") {
            (&mut flavor.to_subclass, false)
        } else if word.is("Translatable") {
            (&mut flavor.translatable, true)
        } else if word.is("ToInstance") {
            (&mut flavor.to_instance, true)
        } else {
            let message = format!("there is no flavor `{}`", word.shown());
            let hint = "there are EnableOverride, DisableOverride, ToSubclass, Restricted and \
                        Translatable";
            let mut diagnostic = Diagnostic::new(Code::UnknownFlavor, word.span, message);
            diagnostic.hint = meant(word.text, FLAVORS).or(Some(hint.into()));
            d.push(diagnostic);
            continue;
        };
        if slot.is_some_and(|before| before != on) {
            let message = format!("`{}` contradicts a flavor before it", word.shown());
            report(Code::ConflictingFlavors, word.span, &message, d);
        }
        *slot = Some(on);
    }
    flavor
}

/// A qualifier declaration; flavors that are not written have their defaults.
pub(super) fn qualifier(
    qualifier: QualifierDeclaration<'_>,
    d: &Diagnostics,
) -> Lowered<QualifierDecl> {
    let places = Places::leaf(name(qualifier.name, d)?, qualifier.name.span);
    let written = flavors(&qualifier.flavors, d);
    let unwritten = Flavor::default();
    let is_array = qualifier.array.is_some();
    let default = qualifier
        .default
        .and_then(|value| qualifier_default(value, qualifier.ty, is_array, d));
    let decl = QualifierDecl {
        name: places.name.clone(),
        ty: qualifier.ty,
        is_array,
        array_size: qualifier.array.and_then(|array| array.size),
        default: default.unwrap_or(CimValue::Null),
        scope: scope(&qualifier.scopes, d),
        flavor: Flavor {
            overridable: written.overridable.unwrap_or(unwritten.overridable),
            to_subclass: written.to_subclass.unwrap_or(unwritten.to_subclass),
            to_instance: written.to_instance.unwrap_or(unwritten.to_instance),
            translatable: written.translatable.unwrap_or(unwritten.translatable),
        },
    };
    Some((decl, places))
}

fn qualifier_default(
    value: Value<'_>,
    ty: CimType,
    is_array: bool,
    d: &Diagnostics,
) -> Option<CimValue> {
    let span = value.span;
    let literal = constant(value, d)?;
    let resolved = literal.resolve(ty, is_array);
    resolved
        .map_err(|error| report(Code::QualifierDefault, span, &error, d))
        .ok()
}

fn scope(words: &[Word<'_>], d: &Diagnostics) -> Scope {
    let mut scope = Scope::default();
    for word in words {
        let named = Scope::NAMED.iter().find(|(name, _)| word.is(name));
        match named {
            Some((_, kind)) => scope = scope.with(*kind),
            None if word.is("any") => scope = scope.with(Scope::ANY),
            // The meta element of CIM 1.x, which no declaration can be.
            None if word.is("schema") => {}
            None => {
                let message = format!("there is no scope `{}`", word.shown());
                let hint = "there are class, association, indication, property, reference, \
                            method, parameter and any";
                let mut diagnostic = Diagnostic::new(Code::UnknownScope, word.span, message);
                let named = Scope::NAMED.iter().map(|(name, _)| *name);
                diagnostic.hint = meant(word.text, named).or(Some(hint.into()));
                d.push(diagnostic);
            }
        }
    }
    scope
}

/// A value that names no instance.
pub(super) fn constant(value: Value<'_>, d: &Diagnostics) -> Option<Literal> {
    Some(match value.kind {
        ValueKind::Null => Literal::Null,
        ValueKind::Boolean(value) => Literal::Boolean(value),
        ValueKind::Integer(number) => Literal::Integer(number),
        ValueKind::Real(number) => Literal::Real(number),
        ValueKind::Character(unit) => Literal::Char(unit),
        ValueKind::Text(text) => Literal::Quoted(text.into()),
        ValueKind::Alias(_) => {
            let message = "an alias can only stand for the value of an instance's property";
            report(Code::MisplacedAlias, value.span, &message, d);
            return None;
        }
        // Entries are scalars: the parser has refused arrays in arrays.
        ValueKind::Array(entries) => {
            let entries = entries.into_iter().filter_map(|entry| constant(entry, d));
            Literal::Array(entries.collect())
        }
    })
}

/// The default of a reference: an object path in a string, or NULL.
fn reference(value: Value<'_>, d: &Diagnostics) -> Option<Literal> {
    let span = value.span;
    match constant(value, d)? {
        Literal::Quoted(text) => match text.parse::<ObjectPath>() {
            Ok(path) => Some(Literal::Reference(Box::new(path))),
            Err(error) => {
                report(Code::BadReference, span, &error, d);
                None
            }
        },
        other => Some(other),
    }
}
