//! Reading of values: `VALUE`, arrays, references and the objects embedded in text (DSP0201 2.4 §5.2.4).

use crate::model::{CimType, Literal, Status};

use super::error::Result;
use super::reader::{Reader, Tag};
use super::{class, instance, path};

/// Whether the text of a value is an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Text {
    /// It is a value of its own.
    Plain,
    /// It is an `INSTANCE` or `CLASS` element.
    Embedded,
}

impl Text {
    /// What the `EmbeddedObject` attribute of `tag` says, in either of its spellings.
    pub fn of(tag: &Tag<'_>) -> Result<Self> {
        match tag
            .get("EmbeddedObject")
            .or_else(|| tag.get("EMBEDDEDOBJECT"))
        {
            None => Ok(Self::Plain),
            Some(kind)
                if ["object", "instance"]
                    .iter()
                    .any(|k| kind.eq_ignore_ascii_case(k)) =>
            {
                Ok(Self::Embedded)
            }
            Some(other) => Err(tag.invalid(format!("EmbeddedObject is \"{other}\""))),
        }
    }
}

/// The type that attribute `name` names. `object` and `instance` are strings that embed.
pub(super) fn type_of(tag: &Tag<'_>, name: &str) -> Result<Option<CimType>> {
    match tag.get(name) {
        None => Ok(None),
        Some("object" | "instance") => Ok(Some(CimType::String)),
        Some(text) => CimType::from_name(text)
            .map(Some)
            .ok_or_else(|| tag.invalid(format!("{}/@{name} is \"{text}\"", tag.name))),
    }
}

/// The value that `tag` begins; `None` when `tag` is no value element.
pub(super) fn value(reader: &mut Reader<'_>, tag: &Tag<'_>, text: Text) -> Result<Option<Literal>> {
    Ok(Some(match tag.name {
        "VALUE" => scalar(reader, text)?,
        "VALUE.REFERENCE" => Literal::Reference(Box::new(path::reference(reader)?)),
        "VALUE.ARRAY" => array(reader, "VALUE", text)?,
        "VALUE.REFARRAY" => array(reader, "VALUE.REFERENCE", text)?,
        "VALUE.NULL" => {
            reader.end()?;
            Literal::Null
        }
        _ => return Ok(None),
    }))
}

fn scalar(reader: &mut Reader<'_>, text: Text) -> Result<Literal> {
    let content = reader.text()?;
    match text {
        Text::Plain => Ok(Literal::Text(content.into())),
        Text::Embedded => embedded(reader, &content),
    }
}

fn array(reader: &mut Reader<'_>, entry: &str, text: Text) -> Result<Literal> {
    let mut entries = Vec::new();
    while let Some(child) = reader.child()? {
        if child.name != entry && child.name != "VALUE.NULL" {
            reader.stray(&child)?;
            continue;
        }
        if entries.len() >= reader.limits.array_items {
            let what = format!(
                "an array of more than {} entries",
                reader.limits.array_items
            );
            return Err(reader.wrong(Status::InvalidParameter, what));
        }
        entries.extend(value(reader, &child, text)?);
    }
    Ok(Literal::Array(entries))
}

/// The object that `content` is the text of; empty text is NULL, as servers of old write it.
fn embedded(reader: &mut Reader<'_>, content: &str) -> Result<Literal> {
    if content.trim().is_empty() && !reader.is_strict() {
        return Ok(Literal::Null);
    }
    let object = reader.embed(content, |inner| {
        let root = inner.root()?;
        let literal = match root.name {
            "INSTANCE" => Literal::Instance(Box::new(instance::instance(inner, &root)?)),
            "CLASS" => Literal::Class(Box::new(class::class(inner, &root)?)),
            _ => return Err(root.invalid("neither INSTANCE nor CLASS")),
        };
        inner.finish()?;
        Ok(literal)
    });
    object.map_err(|error| {
        let fault = error.into_value_error("embedded object");
        reader.wrong(fault.status, fault.description)
    })
}

/// The value inside the open element, read to its end; other children than `allowed` are strays.
pub(super) fn content(
    reader: &mut Reader<'_>,
    allowed: &[&str],
    text: Text,
) -> Result<Option<Literal>> {
    let mut found = None;
    while let Some(child) = reader.child()? {
        if child.name == "QUALIFIER" && found.is_none() {
            // wbemcli and the Java clients copy the class's qualifiers into instances.
            reader.skip()?;
        } else if found.is_none() && allowed.contains(&child.name) {
            found = value(reader, &child, text)?;
        } else {
            reader.stray(&child)?;
        }
    }
    Ok(found)
}
