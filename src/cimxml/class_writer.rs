//! Writing of classes and of qualifier declarations.

use bytes::BytesMut;

use crate::model::{
    CimType, CimValue, Flavor, Method, NameMap, Parameter, Property, Qualifier, QualifierDecl,
    Scope, Slot,
};
use crate::ops::{ClassReply, ClassSelect};

use super::value_writer;
use super::writer::{Written, attribute, flag, markup, plain};

/// `CLASS` with the parts that are wanted: properties first, then methods.
pub(super) fn class(out: &mut BytesMut, reply: &ClassReply) -> Written {
    let (class, select) = (&reply.class, &reply.select);
    markup(out, "<CLASS");
    attribute(out, "NAME", class.name.as_str());
    if let Some(superclass) = class.superclass() {
        attribute(out, "SUPERCLASS", superclass.as_str());
    }
    markup(out, ">");
    qualifiers(out, &class.qualifiers, select)?;
    for declared in class.properties.values().filter(|p| select.wants(p)) {
        property(out, declared, select).map_err(|error| error.within(&declared.name))?;
    }
    for declared in class.methods.values() {
        if !(select.local_only && declared.propagated) {
            method(out, declared, select).map_err(|error| error.within(&declared.name))?;
        }
    }
    markup(out, "</CLASS>");
    Ok(())
}

fn property(out: &mut BytesMut, declared: &Property, select: &ClassSelect) -> Written {
    let element = value_writer::property_element(&declared.slot);
    markup(out, "<");
    markup(out, element);
    attribute(out, "NAME", declared.name.as_str());
    slot(out, &declared.slot);
    if select.class_origin {
        attribute(out, "CLASSORIGIN", declared.origin.as_str());
    }
    flag(out, "PROPAGATED", declared.propagated, false);
    markup(out, ">");
    qualifiers(out, &declared.qualifiers, select)?;
    value_writer::value(out, &declared.default)?;
    markup(out, "</");
    markup(out, element);
    markup(out, ">");
    Ok(())
}

/// `TYPE` or `REFERENCECLASS`, then `ARRAYSIZE`.
fn slot(out: &mut BytesMut, slot: &Slot) {
    if slot.ty != CimType::Reference {
        attribute(out, "TYPE", slot.ty.as_str());
    } else if let Some(class) = &slot.reference_class {
        attribute(out, "REFERENCECLASS", class.as_str());
    }
    array_size(out, slot.array_size);
}

fn array_size(out: &mut BytesMut, size: Option<u32>) {
    if let Some(size) = size {
        plain(out, format_args!(" ARRAYSIZE=\"{size}\""));
    }
}

fn method(out: &mut BytesMut, declared: &Method, select: &ClassSelect) -> Written {
    markup(out, "<METHOD");
    attribute(out, "NAME", declared.name.as_str());
    // A method without TYPE is a void one; there is no type to write then.
    if let Some(returns) = &declared.returns {
        attribute(out, "TYPE", returns.ty.as_str());
    }
    if select.class_origin {
        attribute(out, "CLASSORIGIN", declared.origin.as_str());
    }
    flag(out, "PROPAGATED", declared.propagated, false);
    markup(out, ">");
    qualifiers(out, &declared.qualifiers, select)?;
    for declared in declared.parameters.values() {
        parameter(out, declared, select).map_err(|error| error.within(&declared.name))?;
    }
    markup(out, "</METHOD>");
    Ok(())
}

fn parameter(out: &mut BytesMut, declared: &Parameter, select: &ClassSelect) -> Written {
    let element = parameter_element(declared.slot.ty, declared.slot.is_array);
    markup(out, "<");
    markup(out, element);
    attribute(out, "NAME", declared.name.as_str());
    slot(out, &declared.slot);
    markup(out, ">");
    // The qualifiers of an overridden parameter are part of its method, which is local.
    let all = ClassSelect {
        local_only: false,
        ..select.clone()
    };
    qualifiers(out, &declared.qualifiers, &all)?;
    markup(out, "</");
    markup(out, element);
    markup(out, ">");
    Ok(())
}

/// The element of a parameter.
pub(super) fn parameter_element(ty: CimType, is_array: bool) -> &'static str {
    match (ty, is_array) {
        (CimType::Reference, false) => "PARAMETER.REFERENCE",
        (CimType::Reference, true) => "PARAMETER.REFARRAY",
        (_, false) => "PARAMETER",
        (_, true) => "PARAMETER.ARRAY",
    }
}

/// The qualifiers when they are wanted; with `LocalOnly` those that the element itself has.
fn qualifiers(
    out: &mut BytesMut,
    qualifiers: &NameMap<Qualifier>,
    select: &ClassSelect,
) -> Written {
    if !select.qualifiers {
        return Ok(());
    }
    let wanted = |qualifier: &&Qualifier| !(select.local_only && qualifier.propagated);
    qualifiers
        .values()
        .filter(wanted)
        .try_for_each(|found| qualifier(out, found).map_err(|error| error.within(&found.name)))
}

fn qualifier(out: &mut BytesMut, held: &Qualifier) -> Written {
    markup(out, "<QUALIFIER");
    attribute(out, "NAME", held.name.as_str());
    attribute(out, "TYPE", held.ty.as_str());
    flag(out, "PROPAGATED", held.propagated, false);
    flavor(out, held.flavor);
    markup(out, ">");
    value_writer::value(out, &held.value)?;
    markup(out, "</QUALIFIER>");
    Ok(())
}

fn flavor(out: &mut BytesMut, flavor: Flavor) {
    let usual = Flavor::default();
    flag(out, "OVERRIDABLE", flavor.overridable, usual.overridable);
    flag(out, "TOSUBCLASS", flavor.to_subclass, usual.to_subclass);
    flag(out, "TOINSTANCE", flavor.to_instance, usual.to_instance);
    flag(out, "TRANSLATABLE", flavor.translatable, usual.translatable);
}

/// `QUALIFIER.DECLARATION`.
pub(super) fn declaration(out: &mut BytesMut, declared: &QualifierDecl) -> Written {
    markup(out, "<QUALIFIER.DECLARATION");
    attribute(out, "NAME", declared.name.as_str());
    attribute(out, "TYPE", declared.ty.as_str());
    let is_array = if declared.is_array { "true" } else { "false" };
    attribute(out, "ISARRAY", is_array);
    array_size(out, declared.array_size);
    flavor(out, declared.flavor);
    markup(out, "><SCOPE");
    for (name, kind) in Scope::NAMED {
        if declared.scope.contains(kind) {
            attribute(out, &name.to_ascii_uppercase(), "true");
        }
    }
    markup(out, "></SCOPE>");
    default(out, &declared.default).map_err(|error| error.within(&declared.name))?;
    markup(out, "</QUALIFIER.DECLARATION>");
    Ok(())
}

fn default(out: &mut BytesMut, value: &CimValue) -> Written {
    value_writer::value(out, value)
}
