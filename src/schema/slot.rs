//! The slot of an element: its type, and the rules its qualifiers lay down for values.

use crate::model::{
    Check, CimName, CimType, CimValue, Element, Embedding, Literal, NameMap, Qualifier, Slot,
    TypeDecl,
};

use super::error::{DeclError, DeclErrorKind};
use super::qualifiers::is_true;
use super::rules;

/// The slot for values of `ty` under `qualifiers`.
pub(super) fn slot(
    ty: &TypeDecl,
    qualifiers: &NameMap<Qualifier>,
    element: &Element,
    errors: &mut Vec<DeclError>,
) -> Slot {
    // That an array has another length is told before what is wrong with its entries.
    let mut checks = Vec::from_iter(ty.array_size.map(Check::ArraySize));
    for rule in rules::RULES {
        let Some(qualifier) = qualifiers.get(rule.qualifier) else {
            continue;
        };
        let subject = rules::Subject {
            ty,
            qualifier,
            qualifiers,
        };
        match (rule.build)(&subject) {
            Ok(built) => checks.extend(built),
            Err(reason) => {
                let element = Element {
                    qualifier: Some(qualifier.name.clone()),
                    ..element.clone()
                };
                errors.push(DeclError {
                    element,
                    kind: DeclErrorKind::Rule(reason),
                });
            }
        }
    }
    Slot {
        ty: ty.ty,
        is_array: ty.is_array,
        array_kind: rules::array_kind(qualifiers),
        array_size: ty.array_size,
        reference_class: ty.reference_class.clone(),
        embedding: embedding(ty.ty, qualifiers, element, errors),
        checks: checks.into(),
    }
}

/// DSP0004 2.8 §5.6.3.14 and §5.6.3.15: both stand on strings only.
fn embedding(
    ty: CimType,
    qualifiers: &NameMap<Qualifier>,
    element: &Element,
    errors: &mut Vec<DeclError>,
) -> Option<Embedding> {
    if let Some(qualifier) = qualifiers.get("EmbeddedInstance")
        && let Some(class) = qualifier.value.as_str()
    {
        let name = CimName::new(class);
        if let (CimType::String, Ok(name)) = (ty, name) {
            return Some(Embedding::Instance(name));
        }
        let element = Element {
            qualifier: Some(qualifier.name.clone()),
            ..element.clone()
        };
        errors.push(DeclError {
            element,
            kind: DeclErrorKind::EmbeddedClass(class.to_owned()),
        });
    }
    (ty == CimType::String && is_true(qualifiers, "EmbeddedObject")).then_some(Embedding::Object)
}

/// The default value of a property, typed and within its rules.
pub(super) fn default(
    literal: Option<&Literal>,
    slot: &Slot,
    element: &Element,
    errors: &mut Vec<DeclError>,
) -> CimValue {
    let Some(literal) = literal else {
        return CimValue::Null;
    };
    let mut fault = |kind| {
        errors.push(DeclError {
            element: element.clone(),
            kind,
        });
        CimValue::Null
    };
    match literal.resolve(slot.ty, slot.is_array) {
        Ok(CimValue::Null) => CimValue::Null,
        Ok(value) => match slot.accepts(&value) {
            Ok(()) => value,
            Err(violation) => fault(DeclErrorKind::DefaultRule(violation)),
        },
        Err(error) => fault(DeclErrorKind::Default(error)),
    }
}
