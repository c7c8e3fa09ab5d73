//! Classes and qualifier declarations as somebody wrote them: as parameters, and as text to keep.

use bytes::BytesMut;

use crate::model::{
    CimError, CimType, ClassDecl, FlavorUse, Literal, MethodDecl, ParameterDecl, PropertyDecl,
    QualifierDecl, QualifierUse, Result, TypeDecl,
};

use super::reader::Reader;
use super::writer::{Written, attribute, markup, plain};
use super::{Limits, class, class_writer, decl_writer};

/// `class` as the text of a `CLASS` element, which [`decode_class`] reads.
///
/// # Errors
/// `CIM_ERR_FAILED` for a character that XML 1.0 cannot carry.
pub fn encode_class(class: &ClassDecl) -> Result<String> {
    text_of(|out| put_class(out, class))
}

/// `qualifier` as the text of a `QUALIFIER.DECLARATION` element, which [`decode_qualifier`] reads.
///
/// # Errors
/// `CIM_ERR_FAILED` for a character that XML 1.0 cannot carry.
pub fn encode_qualifier(qualifier: &QualifierDecl) -> Result<String> {
    text_of(|out| class_writer::declaration(out, qualifier))
}

fn text_of(write: impl FnOnce(&mut BytesMut) -> Written) -> Result<String> {
    let mut out = BytesMut::new();
    write(&mut out)?;
    String::from_utf8(out.to_vec()).map_err(|error| CimError::failed(error.to_string()))
}

/// The class that a `CLASS` element holds.
///
/// # Errors
/// `CIM_ERR_FAILED`, saying what is wrong with the text.
pub fn decode_class(text: &str) -> Result<ClassDecl> {
    element(text, |reader| {
        let tag = reader.expect("CLASS")?;
        class::class(reader, &tag)
    })
}

/// The declaration that a `QUALIFIER.DECLARATION` element holds.
///
/// # Errors
/// `CIM_ERR_FAILED`, saying what is wrong with the text.
pub fn decode_qualifier(text: &str) -> Result<QualifierDecl> {
    element(text, |reader| {
        let tag = reader.expect("QUALIFIER.DECLARATION")?;
        class::declaration(reader, &tag)
    })
}

fn element<T>(
    text: &str,
    read: impl FnOnce(&mut Reader<'_>) -> super::error::Result<T>,
) -> Result<T> {
    let limits = Limits::default();
    let read = || {
        let mut reader = Reader::new(text.as_bytes(), &limits)?;
        let found = read(&mut reader)?;
        reader.finish()?;
        Ok(found)
    };
    read().map_err(|error: super::DecodeError| CimError::failed(error.to_string()))
}

/// `CLASS` with everything that was written.
pub(super) fn put_class(out: &mut BytesMut, class: &ClassDecl) -> Written {
    markup(out, "<CLASS");
    attribute(out, "NAME", class.name.as_str());
    if let Some(superclass) = &class.superclass {
        attribute(out, "SUPERCLASS", superclass.as_str());
    }
    markup(out, ">");
    qualifiers(out, &class.qualifiers)?;
    for declared in &class.properties {
        property(out, declared).map_err(|error| error.within(&declared.name))?;
    }
    for declared in &class.methods {
        method(out, declared).map_err(|error| error.within(&declared.name))?;
    }
    markup(out, "</CLASS>");
    Ok(())
}

fn property(out: &mut BytesMut, declared: &PropertyDecl) -> Written {
    let element = match (declared.ty.ty, declared.ty.is_array) {
        (CimType::Reference, _) => "PROPERTY.REFERENCE",
        (_, true) => "PROPERTY.ARRAY",
        (_, false) => "PROPERTY",
    };
    markup(out, "<");
    markup(out, element);
    attribute(out, "NAME", declared.name.as_str());
    declared_type(out, &declared.ty);
    markup(out, ">");
    qualifiers(out, &declared.qualifiers)?;
    if let Some(default) = &declared.default {
        decl_writer::value(out, default)?;
    }
    close(out, element);
    Ok(())
}

fn method(out: &mut BytesMut, declared: &MethodDecl) -> Written {
    markup(out, "<METHOD");
    attribute(out, "NAME", declared.name.as_str());
    if let Some(returns) = declared.returns {
        attribute(out, "TYPE", returns.as_str());
    }
    markup(out, ">");
    qualifiers(out, &declared.qualifiers)?;
    for declared in &declared.parameters {
        parameter(out, declared).map_err(|error| error.within(&declared.name))?;
    }
    close(out, "METHOD");
    Ok(())
}

fn parameter(out: &mut BytesMut, declared: &ParameterDecl) -> Written {
    let element = class_writer::parameter_element(declared.ty.ty, declared.ty.is_array);
    markup(out, "<");
    markup(out, element);
    attribute(out, "NAME", declared.name.as_str());
    declared_type(out, &declared.ty);
    markup(out, ">");
    qualifiers(out, &declared.qualifiers)?;
    close(out, element);
    Ok(())
}

/// `TYPE` or `REFERENCECLASS`, then `ARRAYSIZE`.
fn declared_type(out: &mut BytesMut, ty: &TypeDecl) {
    if ty.ty != CimType::Reference {
        attribute(out, "TYPE", ty.ty.as_str());
    } else if let Some(class) = &ty.reference_class {
        attribute(out, "REFERENCECLASS", class.as_str());
    }
    if let Some(size) = ty.array_size {
        plain(out, format_args!(" ARRAYSIZE=\"{size}\""));
    }
}

fn close(out: &mut BytesMut, element: &str) {
    markup(out, "</");
    markup(out, element);
    markup(out, ">");
}

fn qualifiers(out: &mut BytesMut, uses: &[QualifierUse]) -> Written {
    uses.iter()
        .filter(|used| !used.propagated)
        .try_for_each(|used| qualifier(out, used).map_err(|error| error.within(&used.name)))
}

/// A qualifier that stands alone is a boolean one.
fn qualifier(out: &mut BytesMut, used: &QualifierUse) -> Written {
    let alone = Literal::Boolean(true);
    let value = used.value.as_ref().unwrap_or(&alone);
    let ty = used.ty.unwrap_or_else(|| usual_type(value));
    markup(out, "<QUALIFIER");
    attribute(out, "NAME", used.name.as_str());
    attribute(out, "TYPE", ty.as_str());
    flavor(out, used.flavor);
    markup(out, ">");
    decl_writer::value(out, value)?;
    close(out, "QUALIFIER");
    Ok(())
}

/// The type of a value that MOF wrote without one.
fn usual_type(value: &Literal) -> CimType {
    match value {
        Literal::Boolean(_) => CimType::Boolean,
        Literal::Integer(_) => CimType::Sint64,
        Literal::Real(_) => CimType::Real64,
        Literal::Char(_) => CimType::Char16,
        Literal::Array(entries) => entries.first().map_or(CimType::String, usual_type),
        Literal::Null
        | Literal::Text(_)
        | Literal::Quoted(_)
        | Literal::Reference(_)
        | Literal::Instance(_)
        | Literal::Class(_) => CimType::String,
    }
}

/// Only what was written: the declaration decides the rest.
fn flavor(out: &mut BytesMut, flavor: FlavorUse) {
    let mut said = |name, value: Option<bool>| {
        if let Some(value) = value {
            attribute(out, name, if value { "true" } else { "false" });
        }
    };
    said("OVERRIDABLE", flavor.overridable);
    said("TOSUBCLASS", flavor.to_subclass);
    said("TOINSTANCE", flavor.to_instance);
    said("TRANSLATABLE", flavor.translatable);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_encoded_is_read_again() {
        let text = "<CLASS NAME=\"A_B\" SUPERCLASS=\"A_A\">\
             <QUALIFIER NAME=\"Abstract\" TYPE=\"boolean\" TOSUBCLASS=\"false\"><VALUE>true</VALUE></QUALIFIER>\
             <PROPERTY NAME=\"N\" TYPE=\"uint8\"><VALUE>7</VALUE></PROPERTY>\
             <PROPERTY.ARRAY NAME=\"L\" TYPE=\"string\" ARRAYSIZE=\"3\"><VALUE.ARRAY><VALUE>a&lt;</VALUE></VALUE.ARRAY></PROPERTY.ARRAY>\
             <PROPERTY.REFERENCE NAME=\"R\" REFERENCECLASS=\"A_A\"></PROPERTY.REFERENCE>\
             <METHOD NAME=\"M\" TYPE=\"uint32\"><PARAMETER NAME=\"P\" TYPE=\"char16\">\
             <QUALIFIER NAME=\"In\" TYPE=\"boolean\"><VALUE>false</VALUE></QUALIFIER></PARAMETER>\
             <PARAMETER.REFARRAY NAME=\"Q\" REFERENCECLASS=\"A_A\"></PARAMETER.REFARRAY></METHOD></CLASS>";
        let decl = decode_class(text).expect("a class");
        assert_eq!(encode_class(&decl).as_deref(), Ok(text));
    }

    #[test]
    fn what_is_no_class_says_so() {
        for bad in [
            "",
            "<CLASS/>",
            "<CLASS NAME=\"A\">",
            "<CLASS NAME=\"A\"/><X/>",
            "<INSTANCE CLASSNAME=\"A\"/>",
        ] {
            assert!(decode_class(bad).is_err(), "{bad:?} was taken");
        }
    }
}
