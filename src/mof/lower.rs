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
    Value, Word,
};
use super::diagnostic::{Code, Diagnostic, Diagnostics, meant};
use super::names::Names;

/// What the declarations of a compilation share while they are lowered.
#[derive(Clone, Copy)]
pub(super) struct Context<'c> {
    pub(super) names: &'c Names,
    pub(super) diagnostics: &'c Diagnostics,
}

impl Context<'_> {
    fn report(&self, code: Code, span: Span, message: &dyn Display) {
        let diagnostic = Diagnostic::new(code, span, message.to_string());
        self.diagnostics.push(diagnostic);
    }
}

/// A word as a name of the model.
pub(super) fn name(word: Word<'_>, c: Context<'_>) -> Option<CimName> {
    match c.names.name(word.text) {
        Ok(name) => Some(name),
        Err(error) => {
            c.report(Code::BadName, word.span, &error);
            None
        }
    }
}

/// An alias as a name, without its `$`.
pub(super) fn alias(word: Word<'_>, c: Context<'_>) -> Option<CimName> {
    let text = word.text.trim_start_matches('$');
    name(Word { text, ..word }, c)
}

/// A class with everything in it; `None` when its name is no name.
pub(super) fn class(class: ClassDeclaration<'_>, c: Context<'_>) -> Option<ClassDecl> {
    if let Some(alias) = class.alias {
        let message = format!("the class alias `{}` has no effect", alias.shown());
        c.report(Code::ClassAlias, alias.span, &message);
    }
    let properties = class.properties.into_iter();
    let methods = class.methods.into_iter();
    Some(ClassDecl {
        name: name(class.name, c)?,
        qualifiers: qualifiers(class.qualifiers, c),
        superclass: class.superclass.and_then(|word| name(word, c)),
        properties: exactly(properties, |it| property(it, c)),
        methods: exactly(methods, |it| method(it, c)),
    })
}

/// What becomes of `entries`, in a list that has room for all of them from the start.
fn exactly<A, B>(
    entries: impl ExactSizeIterator<Item = A>,
    lower: impl Fn(A) -> Option<B>,
) -> Vec<B> {
    let mut list = Vec::with_capacity(entries.len());
    list.extend(entries.filter_map(lower));
    list
}

fn property(property: Property<'_>, c: Context<'_>) -> Option<PropertyDecl> {
    let name = name(property.name, c)?;
    let ty = type_decl(property.ty, property.array, c)?;
    let qualifiers = qualifiers(property.qualifiers, c);
    let default = property.default.and_then(|value| match ty.ty {
        CimType::Reference => reference(value, c),
        _ => constant(value, c),
    });
    Some(PropertyDecl {
        name,
        ty,
        qualifiers,
        default,
        origin: None,
        propagated: false,
    })
}

fn method(method: Method<'_>, c: Context<'_>) -> Option<MethodDecl> {
    Some(MethodDecl {
        name: name(method.name, c)?,
        returns: method.returns,
        qualifiers: qualifiers(method.qualifiers, c),
        parameters: exactly(method.parameters.into_iter(), |it| parameter(it, c)),
        origin: None,
        propagated: false,
    })
}

fn parameter(parameter: Parameter<'_>, c: Context<'_>) -> Option<ParameterDecl> {
    Some(ParameterDecl {
        name: name(parameter.name, c)?,
        qualifiers: qualifiers(parameter.qualifiers, c),
        ty: type_decl(parameter.ty, parameter.array, c)?,
    })
}

fn type_decl(ty: Type<'_>, array: Option<Array>, c: Context<'_>) -> Option<TypeDecl> {
    let (ty, reference_class) = match ty {
        Type::Data(ty) => (ty, None),
        Type::Reference(class) => (CimType::Reference, Some(name(class, c)?)),
    };
    Some(TypeDecl {
        ty,
        is_array: array.is_some(),
        array_size: array.and_then(|array| array.size),
        reference_class,
    })
}

/// The uses of qualifiers on one element.
fn qualifiers(mut list: Vec<Qualifier<'_>>, c: Context<'_>) -> Vec<QualifierUse> {
    exactly(list.iter_mut(), |qualifier| {
        let name = name(qualifier.name, c)?;
        // A value that was refused is NULL, lest the qualifier seem to stand alone.
        let value = qualifier.value.take();
        let value = value.map(|value| constant(value, c).unwrap_or(Literal::Null));
        Some(QualifierUse {
            name,
            value,
            ty: None,
            flavor: flavors(&qualifier.flavors, c),
            propagated: false,
        })
    })
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
fn flavors(words: &[Word<'_>], c: Context<'_>) -> FlavorUse {
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
            c.diagnostics.push(diagnostic);
            continue;
        };
        if slot.is_some_and(|before| before != on) {
            let message = format!("`{}` contradicts a flavor before it", word.shown());
            c.report(Code::ConflictingFlavors, word.span, &message);
        }
        *slot = Some(on);
    }
    flavor
}

/// A qualifier declaration; flavors that are not written have their defaults.
pub(super) fn qualifier(
    qualifier: QualifierDeclaration<'_>,
    c: Context<'_>,
) -> Option<QualifierDecl> {
    let name = name(qualifier.name, c)?;
    let written = flavors(&qualifier.flavors, c);
    let unwritten = Flavor::default();
    let is_array = qualifier.array.is_some();
    let default = qualifier
        .default
        .and_then(|value| qualifier_default(value, qualifier.ty, is_array, c));
    Some(QualifierDecl {
        name,
        ty: qualifier.ty,
        is_array,
        array_size: qualifier.array.and_then(|array| array.size),
        default: default.unwrap_or(CimValue::Null),
        scope: scope(&qualifier.scopes, c),
        flavor: Flavor {
            overridable: written.overridable.unwrap_or(unwritten.overridable),
            to_subclass: written.to_subclass.unwrap_or(unwritten.to_subclass),
            to_instance: written.to_instance.unwrap_or(unwritten.to_instance),
            translatable: written.translatable.unwrap_or(unwritten.translatable),
        },
    })
}

fn qualifier_default(
    value: Value<'_>,
    ty: CimType,
    is_array: bool,
    c: Context<'_>,
) -> Option<CimValue> {
    let span = value.span;
    let literal = constant(value, c)?;
    let resolved = literal.resolve(ty, is_array);
    resolved
        .map_err(|error| c.report(Code::QualifierDefault, span, &error))
        .ok()
}

fn scope(words: &[Word<'_>], c: Context<'_>) -> Scope {
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
                c.diagnostics.push(diagnostic);
            }
        }
    }
    scope
}

/// A value that names no instance.
pub(super) fn constant(value: Value<'_>, c: Context<'_>) -> Option<Literal> {
    let mut literal = value.literal;
    for place in &value.aliases {
        let message = "an alias can only stand for the value of an instance's property";
        c.report(Code::MisplacedAlias, place.alias.span, &message);
    }
    if value.aliases.is_empty() {
        return Some(literal);
    }
    let Literal::Array(entries) = &mut literal else {
        return None;
    };
    // The aliases stand in the order of the entries.
    let mut aliases = value
        .aliases
        .iter()
        .filter_map(|place| place.entry)
        .peekable();
    let mut at = 0;
    entries.retain(|_| {
        let is_alias = aliases.next_if_eq(&at).is_some();
        at += 1;
        !is_alias
    });
    Some(literal)
}

/// The default of a reference: an object path in a string, or NULL.
fn reference(value: Value<'_>, c: Context<'_>) -> Option<Literal> {
    let span = value.span;
    match constant(value, c)? {
        Literal::Quoted(text) => match text.parse::<ObjectPath>() {
            Ok(path) => Some(Literal::Reference(Box::new(path))),
            Err(error) => {
                c.report(Code::BadReference, span, &error);
                None
            }
        },
        other => Some(other),
    }
}
