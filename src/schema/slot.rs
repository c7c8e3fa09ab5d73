//! The slot of an element: its type, and the rules its qualifiers lay down for values.

use crate::model::{Check, CimName, CimType, CimValue, Embedding, Literal, Slot, TypeDecl};

use super::error::{DeclError, DeclErrorKind};
use super::known::{Effective, Known};
use super::qualifiers::Place;
use super::rules;

/// The slot for values of `ty` under `qualifiers`.
pub(super) fn slot(
    ty: TypeDecl,
    qualifiers: &Effective,
    place: Place<'_>,
    errors: &mut Vec<DeclError>,
) -> Slot {
    // That an array has another length is told before what is wrong with its entries.
    let mut checks = Vec::from_iter(ty.array_size.map(Check::ArraySize));
    for (rule, qualifier) in qualifiers.rules() {
        let subject = rules::Subject {
            ty: &ty,
            qualifier,
            qualifiers: &qualifiers.map,
        };
        match (rule.build)(&subject) {
            Ok(built) => checks.extend(built),
            Err(reason) => {
                errors.push(DeclError {
                    element: place.qualifier(&qualifier.name),
                    kind: DeclErrorKind::Rule(reason),
                });
            }
        }
    }
    Slot {
        ty: ty.ty,
        is_array: ty.is_array,
        array_kind: rules::array_kind(qualifiers.get(Known::ArrayType)),
        array_size: ty.array_size,
        reference_class: ty.reference_class,
        embedding: embedding(ty.ty, qualifiers, place, errors),
        checks: checks.into(),
    }
}

/// DSP0004 2.8 §5.6.3.14 and §5.6.3.15: both stand on strings only.
fn embedding(
    ty: CimType,
    qualifiers: &Effective,
    place: Place<'_>,
    errors: &mut Vec<DeclError>,
) -> Option<Embedding> {
    if let Some(qualifier) = qualifiers.get(Known::EmbeddedInstance)
        && let Some(class) = qualifier.value.as_str()
    {
        let name = CimName::new(class);
        if let (CimType::String, Ok(name)) = (ty, name) {
            return Some(Embedding::Instance(name));
        }
        errors.push(DeclError {
            element: place.qualifier(&qualifier.name),
            kind: DeclErrorKind::EmbeddedClass(class.to_owned()),
        });
    }
    (ty == CimType::String && qualifiers.is_true(Known::EmbeddedObject))
        .then_some(Embedding::Object)
}

/// The default value of a property, typed and within its rules.
pub(super) fn default(
    literal: Option<Literal>,
    slot: &Slot,
    place: Place<'_>,
    errors: &mut Vec<DeclError>,
) -> CimValue {
    let Some(literal) = literal else {
        return CimValue::Null;
    };
    let mut fault = |kind| {
        errors.push(DeclError {
            element: place.element(),
            kind,
        });
        CimValue::Null
    };
    match literal.into_value(slot.ty, slot.is_array) {
        Ok(CimValue::Null) => CimValue::Null,
        Ok(value) => match slot.accepts(&value) {
            Ok(()) => value,
            Err(violation) => fault(DeclErrorKind::DefaultRule(violation)),
        },
        Err(error) => fault(DeclErrorKind::Default(error)),
    }
}
