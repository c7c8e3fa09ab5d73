//! The qualifiers in effect on an element: its own, checked, and those it inherits.
//!
//! DSP0004 2.8 §5.6.1: declarations, scopes, flavors and propagation.

use crate::model::{
    CimName, CimType, CimValue, Element, Flavor, FlavorUse, Literal, NameMap, Qualifier,
    QualifierDecl, QualifierUse, Scope,
};

use super::error::{DeclError, DeclErrorKind};
use super::known::{Effective, Vocabulary};

/// An element of a class, of which messages are made only where something is wrong with it.
#[derive(Clone, Copy)]
pub(super) struct Place<'a> {
    pub owner: &'a CimName,
    pub feature: Option<&'a CimName>,
    pub parameter: Option<&'a CimName>,
}

impl Place<'_> {
    /// The element.
    pub(super) fn element(self) -> Element {
        Element {
            owner: self.owner.clone(),
            feature: self.feature.cloned(),
            parameter: self.parameter.cloned(),
            qualifier: None,
        }
    }

    /// A qualifier on the element.
    pub(super) fn qualifier(self, name: &CimName) -> Element {
        Element {
            qualifier: Some(name.clone()),
            ..self.element()
        }
    }
}

/// The element whose qualifiers are resolved.
pub(super) struct Bearer<'a> {
    /// The element, for messages.
    pub place: Place<'a>,
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
    uses: Vec<QualifierUse>,
    vocabulary: &Vocabulary<'_>,
    errors: &mut Vec<DeclError>,
) -> Effective {
    let used = |name: &CimName| {
        uses.iter()
            .any(|used| used.name == *name && !used.propagated)
    };
    let inherited = bearer.inherited.into_iter().flat_map(NameMap::values);
    let inherited: Vec<&Qualifier> = inherited
        .filter(|above| above.flavor.to_subclass && !used(&above.name))
        .collect();
    let mut effective = Effective::with_capacity(inherited.len() + uses.len());
    for qualifier in inherited {
        let qualifier = Qualifier {
            propagated: true,
            ..qualifier.clone()
        };
        effective.insert(qualifier, vocabulary);
    }
    for mut used in uses.into_iter().filter(|used| !used.propagated) {
        match own(bearer, &mut used, vocabulary) {
            Ok(qualifier) if effective.map.under(&qualifier.name).is_some() => {
                errors.push(fault(bearer, &used.name, DeclErrorKind::Duplicate));
            }
            Ok(qualifier) => effective.insert(qualifier, vocabulary),
            Err(kind) => errors.push(fault(bearer, &used.name, kind)),
        }
    }
    effective
}

fn fault(bearer: &Bearer<'_>, qualifier: &CimName, kind: DeclErrorKind) -> DeclError {
    DeclError {
        element: bearer.place.qualifier(qualifier),
        kind,
    }
}

/// What a use of a qualifier means; its value is taken out of it.
fn own(
    bearer: &Bearer<'_>,
    used: &mut QualifierUse,
    vocabulary: &Vocabulary<'_>,
) -> Result<Qualifier, DeclErrorKind> {
    let decl = vocabulary
        .get(&used.name)
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
        value: value(used.value.take(), decl)?,
        flavor: flavor(used.flavor, decl.flavor),
        propagated: false,
    };
    match bearer
        .inherited
        .and_then(|inherited| inherited.under(&used.name))
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
fn value(written: Option<Literal>, decl: &QualifierDecl) -> Result<CimValue, DeclErrorKind> {
    let alone = if decl.ty == CimType::Boolean {
        Literal::Boolean(true)
    } else {
        Literal::Null
    };
    let literal = match written.unwrap_or(alone) {
        list @ (Literal::Array(_) | Literal::Null) => list,
        // MOF writes an array qualifier with one entry also without braces: `ValueMap ("1")`.
        scalar if decl.is_array => Literal::Array(vec![scalar]),
        scalar => scalar,
    };
    literal
        .into_value(decl.ty, decl.is_array)
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
    let qualifier = qualifiers.get(name);
    qualifier.and_then(|it| it.value.as_bool()).unwrap_or(false)
}
