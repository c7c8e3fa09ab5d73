//! Reading of `CLASS`, its members and `QUALIFIER.DECLARATION`.

use crate::model::{
    CimName, CimType, ClassDecl, Flavor, FlavorUse, Literal, MethodDecl, ParameterDecl,
    PropertyDecl, QualifierDecl, QualifierUse, Scope, Status, TypeDecl,
};

use super::error::Result;
use super::reader::{Reader, Tag};
use super::value::{self, Text};

/// `CLASS`, whose start tag was read.
pub(super) fn class(reader: &mut Reader<'_>, tag: &Tag<'_>) -> Result<ClassDecl> {
    let mut class = ClassDecl {
        name: tag.require_name("NAME")?,
        superclass: tag.optional_name("SUPERCLASS")?,
        qualifiers: Vec::new(),
        properties: Vec::new(),
        methods: Vec::new(),
    };
    while let Some(child) = reader.child()? {
        match child.name {
            "QUALIFIER" => class.qualifiers.push(qualifier(reader, &child)?),
            "PROPERTY" | "PROPERTY.ARRAY" | "PROPERTY.REFERENCE" => {
                class.properties.push(property(reader, &child)?);
            }
            "METHOD" => class.methods.push(method(reader, &child)?),
            _ => reader.stray(&child)?,
        }
    }
    Ok(class)
}

fn property(reader: &mut Reader<'_>, tag: &Tag<'_>) -> Result<PropertyDecl> {
    let (ty, element) = match tag.name {
        "PROPERTY" => (plain_type(tag, false)?, "VALUE"),
        "PROPERTY.ARRAY" => (plain_type(tag, true)?, "VALUE.ARRAY"),
        _ => (reference_type(tag, false)?, "VALUE.REFERENCE"),
    };
    let text = Text::of(tag)?;
    let mut qualifiers = Vec::new();
    let mut default = None;
    while let Some(child) = reader.child()? {
        if child.name == "QUALIFIER" {
            qualifiers.push(qualifier(reader, &child)?);
        } else if child.name == element && default.is_none() {
            default = value::value(reader, &child, text)?;
        } else {
            reader.stray(&child)?;
        }
    }
    Ok(PropertyDecl {
        name: tag.require_name("NAME")?,
        ty,
        qualifiers,
        default,
        origin: tag.optional_name("CLASSORIGIN")?,
        propagated: tag.boolean("PROPAGATED")?.unwrap_or(false),
    })
}

fn method(reader: &mut Reader<'_>, tag: &Tag<'_>) -> Result<MethodDecl> {
    let mut method = MethodDecl {
        name: tag.require_name("NAME")?,
        returns: value::type_of(tag, "TYPE")?,
        qualifiers: Vec::new(),
        parameters: Vec::new(),
        origin: tag.optional_name("CLASSORIGIN")?,
        propagated: tag.boolean("PROPAGATED")?.unwrap_or(false),
    };
    while let Some(child) = reader.child()? {
        let ty = match child.name {
            "QUALIFIER" => {
                method.qualifiers.push(qualifier(reader, &child)?);
                continue;
            }
            "PARAMETER" => plain_type(&child, false)?,
            "PARAMETER.ARRAY" => plain_type(&child, true)?,
            "PARAMETER.REFERENCE" => reference_type(&child, false)?,
            "PARAMETER.REFARRAY" => reference_type(&child, true)?,
            _ => {
                reader.stray(&child)?;
                continue;
            }
        };
        method.parameters.push(ParameterDecl {
            name: child.require_name("NAME")?,
            ty,
            qualifiers: qualifiers(reader)?,
        });
    }
    Ok(method)
}

/// The qualifiers inside the open element, read to its end.
fn qualifiers(reader: &mut Reader<'_>) -> Result<Vec<QualifierUse>> {
    let mut found = Vec::new();
    while let Some(child) = reader.child()? {
        if child.name == "QUALIFIER" {
            found.push(qualifier(reader, &child)?);
        } else {
            reader.stray(&child)?;
        }
    }
    Ok(found)
}

fn qualifier(reader: &mut Reader<'_>, tag: &Tag<'_>) -> Result<QualifierUse> {
    let ty = required_type(tag)?;
    let value = value::content(reader, &["VALUE", "VALUE.ARRAY"], Text::Plain)?;
    Ok(QualifierUse {
        name: tag.require_name("NAME")?,
        value: Some(value.unwrap_or(Literal::Null)),
        ty: Some(ty),
        flavor: flavor(tag)?,
        propagated: tag.boolean("PROPAGATED")?.unwrap_or(false),
    })
}

fn flavor(tag: &Tag<'_>) -> Result<FlavorUse> {
    Ok(FlavorUse {
        overridable: tag.boolean("OVERRIDABLE")?,
        to_subclass: tag.boolean("TOSUBCLASS")?,
        translatable: tag.boolean("TRANSLATABLE")?,
        to_instance: tag.boolean("TOINSTANCE")?,
    })
}

fn required_type(tag: &Tag<'_>) -> Result<CimType> {
    value::type_of(tag, "TYPE")?.ok_or_else(|| tag.invalid(format!("{} without TYPE", tag.name)))
}

fn plain_type(tag: &Tag<'_>, is_array: bool) -> Result<TypeDecl> {
    Ok(TypeDecl {
        ty: required_type(tag)?,
        is_array,
        array_size: array_size(tag)?,
        reference_class: None,
    })
}

fn reference_type(tag: &Tag<'_>, is_array: bool) -> Result<TypeDecl> {
    let class: Option<CimName> = tag.optional_name("REFERENCECLASS")?;
    Ok(TypeDecl {
        ty: CimType::Reference,
        is_array,
        array_size: array_size(tag)?,
        reference_class: class,
    })
}

fn array_size(tag: &Tag<'_>) -> Result<Option<u32>> {
    let Some(text) = tag.get("ARRAYSIZE") else {
        return Ok(None);
    };
    let size = text.trim().parse();
    size.map(Some)
        .map_err(|_| tag.invalid(format!("ARRAYSIZE is \"{text}\"")))
}

/// `QUALIFIER.DECLARATION`, whose start tag was read.
pub(super) fn declaration(reader: &mut Reader<'_>, tag: &Tag<'_>) -> Result<QualifierDecl> {
    let name = tag.require_name("NAME")?;
    let ty = required_type(tag)?;
    let mut scope = Scope::default();
    let mut default = None;
    while let Some(child) = reader.child()? {
        match child.name {
            "SCOPE" => {
                scope = scope_of(&child)?;
                reader.end()?;
            }
            "VALUE" | "VALUE.ARRAY" if default.is_none() => {
                default = value::value(reader, &child, Text::Plain)?;
            }
            _ => reader.stray(&child)?,
        }
    }
    let is_array = tag
        .boolean("ISARRAY")?
        .unwrap_or(matches!(default, Some(Literal::Array(_))));
    let default = default.unwrap_or(Literal::Null);
    let default = default.resolve(ty, is_array).map_err(|error| {
        tag.wrong(
            Status::InvalidParameter,
            format!("the default of {name}: {error}"),
        )
    })?;
    let usual = Flavor::default();
    let written = flavor(tag)?;
    Ok(QualifierDecl {
        name,
        ty,
        is_array,
        array_size: array_size(tag)?,
        default,
        scope,
        flavor: Flavor {
            overridable: written.overridable.unwrap_or(usual.overridable),
            to_subclass: written.to_subclass.unwrap_or(usual.to_subclass),
            to_instance: written.to_instance.unwrap_or(usual.to_instance),
            translatable: written.translatable.unwrap_or(usual.translatable),
        },
    })
}

fn scope_of(tag: &Tag<'_>) -> Result<Scope> {
    let mut scope = Scope::default();
    for (name, kind) in Scope::NAMED {
        if tag.boolean(&name.to_ascii_uppercase())? == Some(true) {
            scope = scope.with(kind);
        }
    }
    Ok(scope)
}
