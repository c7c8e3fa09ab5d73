//! The qualifiers in effect on an element: its own, checked, and those it inherits.
//!
//! DSP0004 2.8 §5.6.1: declarations, scopes, flavors and propagation.

use crate::model::{
    CimName, CimType, CimValue, Element, Flavor, FlavorUse, Literal, NameMap, Qualifier,
    QualifierDecl, QualifierUse, Scope,
};

use super::error::{DeclError, DeclErrorKind};

/// The element whose qualifiers are resolved.
pub(super) struct Bearer<'a> {
    /// The element, for messages.
    pub element: Element,
    /// What kind of element it is; any of the kinds may be named by the declaration's scope.
    pub scope: &'a [Scope],
    /// The kind's name, for messages.
    pub kind: &'static str,
    /// The qualifiers of the element it overrides, or of the superclass.
    pub inherited: Option<&'a NameMap<Qualifier>>,
}

/// The qualifiers in effect: inherited ones that nobody replaced first, then its own.
pub(super) fn resolve(
    bearer: &Bearer<'_>,
    uses: &[QualifierUse],
    declared: &NameMap<QualifierDecl>,
    errors: &mut Vec<DeclError>,
) -> NameMap<Qualifier> {
    let mut effective = NameMap::new();
    let used = |name: &CimName| {
        uses.iter()
            .any(|used| used.name == *name && !used.propagated)
    };
    for (name, qualifier) in bearer.inherited.into_iter().flat_map(NameMap::iter) {
        if qualifier.flavor.to_subclass && !used(name) {
            effective.insert(
                name.clone(),
                Qualifier {
                    propagated: true,
                    ..qualifier.clone()
                },
            );
        }
    }
    for used in uses.iter().filter(|used| !used.propagated) {
        match own(bearer, used, declared) {
            Ok(qualifier) if effective.contains(qualifier.name.as_str()) => {
                errors.push(fault(bearer, &used.name, DeclErrorKind::Duplicate));
            }
            Ok(qualifier) => {
                effective.insert(qualifier.name.clone(), qualifier);
            }
            Err(kind) => errors.push(fault(bearer, &used.name, kind)),
        }
    }
    effective
}

fn fault(bearer: &Bearer<'_>, qualifier: &CimName, kind: DeclErrorKind) -> DeclError {
    let element = Element {
        qualifier: Some(qualifier.clone()),
        ..bearer.element.clone()
    };
    DeclError { element, kind }
}

fn own(
    bearer: &Bearer<'_>,
    used: &QualifierUse,
    declared: &NameMap<QualifierDecl>,
) -> Result<Qualifier, DeclErrorKind> {
    let decl = declared
        .get(used.name.as_str())
        .ok_or(DeclErrorKind::UndeclaredQualifier)?;
    if !bearer.scope.iter().any(|scope| decl.scope.contains(*scope)) {
        return Err(DeclErrorKind::Scope(bearer.kind));
    }
    if let Some(ty) = used.ty.filter(|ty| *ty != decl.ty) {
        return Err(DeclErrorKind::QualifierType {
            declared: decl.ty.to_string(),
            used: ty.to_string(),
        });
    }
    let qualifier = Qualifier {
        name: decl.name.clone(),
        ty: decl.ty,
        is_array: decl.is_array,
        value: value(used, decl)?,
        flavor: flavor(used.flavor, decl.flavor),
        propagated: false,
    };
    match bearer
        .inherited
        .and_then(|inherited| inherited.get(used.name.as_str()))
    {
        Some(above) if above.flavor.to_subclass && !above.flavor.overridable => {
            if above.value != qualifier.value {
                return Err(DeclErrorKind::DisableOverride);
            }
            if used.flavor.overridable == Some(true) {
                return Err(DeclErrorKind::LoosenedFlavor);
            }
            let flavor = Flavor {
                overridable: false,
                ..qualifier.flavor
            };
            Ok(Qualifier {
                flavor,
                ..qualifier
            })
        }
        Some(_) | None => Ok(qualifier),
    }
}

/// A boolean qualifier that stands alone is true, any other one NULL.
fn value(used: &QualifierUse, decl: &QualifierDecl) -> Result<CimValue, DeclErrorKind> {
    let alone = if decl.ty == CimType::Boolean {
        Literal::Boolean(true)
    } else {
        Literal::Null
    };
    let literal = used.value.as_ref().unwrap_or(&alone);
    // MOF writes an array qualifier with one entry also without braces: `ValueMap ("1")`.
    let wrapped = match literal {
        Literal::Array(_) | Literal::Null => None,
        scalar if decl.is_array => Some(Literal::Array(vec![scalar.clone()])),
        _ => None,
    };
    let literal = wrapped.as_ref().unwrap_or(literal);
    literal
        .resolve(decl.ty, decl.is_array)
        .map_err(DeclErrorKind::QualifierValue)
}

fn flavor(used: FlavorUse, declared: Flavor) -> Flavor {
    Flavor {
        overridable: used.overridable.unwrap_or(declared.overridable),
        to_subclass: used.to_subclass.unwrap_or(declared.to_subclass),
        to_instance: used.to_instance.unwrap_or(declared.to_instance),
        translatable: used.translatable.unwrap_or(declared.translatable),
    }
}

/// Whether a boolean qualifier is in effect and true.
pub(super) fn is_true(qualifiers: &NameMap<Qualifier>, name: &str) -> bool {
    flag(qualifiers, name).unwrap_or(false)
}

/// The value of a boolean qualifier, `None` where it is not in effect.
pub(super) fn flag(qualifiers: &NameMap<Qualifier>, name: &str) -> Option<bool> {
    qualifiers
        .get(name)
        .and_then(|qualifier| qualifier.value.as_bool())
}
