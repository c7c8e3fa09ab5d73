//! Export messages: an indication on its way to a listener, and the listener's answer
//! (DSP0200 1.4 §5.5, DSP0201 2.4 §5.3).
//!
//! An indication is encoded once, when it is produced. Where it stands in the sequence of a
//! destination is known only when it is queued there, so the message puts the two properties of the
//! sequence in when it is sent.

use bytes::BytesMut;

use crate::model::{CimError, Instance, InstanceDecl, Result};
use crate::ops::Select;

use super::Limits;
use super::answer;
use super::envelope::{self, Message};
use super::error::{DecodeErrorKind, Result as Decoding};
use super::instance;
use super::reader::Reader;
use super::response::{PROLOGUE, atomically};
use super::value_writer;
use super::writer::{attribute, markup, plain, text};

/// The one export operation there is.
pub const EXPORT_METHOD: &str = "ExportIndication";

/// The end of an encoded indication, before which the sequence is put in.
const INSTANCE_END: &[u8] = b"</INSTANCE>";

/// Where an indication stands among those of its destination (DSP1054 1.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sequence<'a> {
    /// `SequenceContext`.
    pub context: &'a str,
    /// `SequenceNumber`.
    pub number: i64,
}

/// An export request as a listener received it.
#[derive(Debug, Clone, PartialEq)]
pub struct Exported {
    /// `MESSAGE/@ID`, which the answer repeats.
    pub message_id: String,
    /// The indication, or why the listener cannot take it.
    pub indication: std::result::Result<InstanceDecl, CimError>,
}

/// Encodes an indication without its place in a sequence.
///
/// # Errors
/// `CIM_ERR_FAILED` when a value has a character that XML 1.0 cannot carry.
pub fn encode_indication(indication: &Instance) -> Result<Vec<u8>> {
    let mut out = BytesMut::new();
    let wanted = indication.class.properties.names();
    let wanted = wanted.filter(|name| !(name.is("SequenceContext") || name.is("SequenceNumber")));
    let select = Select {
        properties: Some(wanted.cloned().collect()),
        ..Select::default()
    };
    atomically(&mut out, |out| {
        value_writer::instance(out, indication, &select)
    })?;
    Ok(out.to_vec())
}

/// Appends the message that carries `indication`, which [`encode_indication`] made.
///
/// # Errors
/// `CIM_ERR_FAILED` when it did not.
pub fn encode_export(
    out: &mut BytesMut,
    message_id: &str,
    indication: &[u8],
    sequence: Sequence<'_>,
) -> Result<()> {
    let foreign = || CimError::failed("a queued indication is not an encoded instance");
    let body = indication.strip_suffix(INSTANCE_END).ok_or_else(foreign)?;
    atomically(out, |out| {
        markup(out, PROLOGUE);
        attribute(out, "ID", message_id);
        markup(out, " PROTOCOLVERSION=\"1.0\"><SIMPLEEXPREQ><EXPMETHODCALL");
        attribute(out, "NAME", EXPORT_METHOD);
        markup(out, "><EXPPARAMVALUE NAME=\"NewIndication\">");
        out.extend_from_slice(body);
        markup(
            out,
            "<PROPERTY NAME=\"SequenceContext\" TYPE=\"string\"><VALUE>",
        );
        text(out, sequence.context.as_bytes())?;
        markup(out, "</VALUE></PROPERTY>");
        markup(
            out,
            "<PROPERTY NAME=\"SequenceNumber\" TYPE=\"sint64\"><VALUE>",
        );
        plain(out, sequence.number);
        markup(
            out,
            "</VALUE></PROPERTY></INSTANCE></EXPPARAMVALUE></EXPMETHODCALL>",
        );
        markup(out, "</SIMPLEEXPREQ></MESSAGE></CIM>\n");
        Ok(())
    })
}

/// Decodes what a listener received.
///
/// # Errors
/// When it is no export request at all; [`super::DecodeError::answer`] says what the sender is answered. A
/// request that names another method, or has no indication in it, is answered with its status.
pub fn decode_export(body: &[u8], limits: &Limits) -> Decoding<Exported> {
    let mut reader = Reader::new(body, limits)?;
    let Message { id, .. } = envelope::open(&mut reader)?;
    let exported = match reader.child()? {
        Some(tag) if tag.name == "SIMPLEEXPREQ" => export_call(&mut reader)?,
        Some(tag) if tag.name == "MULTIEXPREQ" => {
            return Err(reader.error(DecodeErrorKind::MultipleRequests));
        }
        Some(tag) => {
            let what = format!("{} where SIMPLEEXPREQ is expected", tag.name);
            return Err(reader.error(DecodeErrorKind::NotValid(what)));
        }
        None => return Err(reader.invalid("MESSAGE without content")),
    };
    reader.finish()?;
    Ok(Exported {
        message_id: id,
        indication: exported,
    })
}

/// The indication of an encoded instance, as [`encode_indication`] made it.
///
/// # Errors
/// When it did not.
pub fn decode_indication(body: &[u8], limits: &Limits) -> Decoding<InstanceDecl> {
    let mut reader = Reader::new(body, limits)?;
    let root = reader.root()?;
    if root.name != "INSTANCE" {
        return Err(root.invalid(format!("{} where INSTANCE is expected", root.name)));
    }
    let indication = instance::instance(&mut reader, &root)?;
    reader.finish()?;
    Ok(indication)
}

type Indication = std::result::Result<InstanceDecl, CimError>;

fn export_call(reader: &mut Reader<'_>) -> Decoding<Indication> {
    let Some(call) = reader.child()?.filter(|tag| tag.name == "EXPMETHODCALL") else {
        return Err(reader.invalid("SIMPLEEXPREQ without EXPMETHODCALL"));
    };
    let method = call.require("NAME")?.to_owned();
    if !method.eq_ignore_ascii_case(EXPORT_METHOD) {
        reader.skip()?;
        reader.end()?;
        reader.end()?;
        reader.end()?;
        let text = format!("there is no export method {method}");
        return Ok(Err(CimError::not_supported(text)));
    }
    let indication = parameter(reader)?;
    // The ends of SIMPLEEXPREQ, of MESSAGE and of CIM.
    reader.end()?;
    reader.end()?;
    reader.end()?;
    Ok(indication)
}

fn parameter(reader: &mut Reader<'_>) -> Decoding<Indication> {
    let mut found = None;
    while let Some(child) = reader.child()? {
        let named = |tag: &super::reader::Tag<'_>| {
            let name = tag.get("NAME").unwrap_or_default();
            name.eq_ignore_ascii_case("NewIndication")
        };
        if child.name != "EXPPARAMVALUE" || !named(&child) {
            reader.stray(&child)?;
            continue;
        }
        while let Some(value) = reader.child()? {
            if value.name == "INSTANCE" && found.is_none() {
                found = Some(instance::instance(reader, &value)?);
            } else {
                reader.stray(&value)?;
            }
        }
    }
    let missing = || CimError::invalid_parameter("NewIndication: the parameter is missing");
    Ok(found.ok_or_else(missing))
}

/// Appends the answer to an export request: taken, unless there is a `refusal`.
pub fn encode_export_response(out: &mut BytesMut, message_id: &str, refusal: Option<&CimError>) {
    markup(out, PROLOGUE);
    attribute(out, "ID", message_id);
    markup(
        out,
        " PROTOCOLVERSION=\"1.0\"><SIMPLEEXPRSP><EXPMETHODRESPONSE",
    );
    attribute(out, "NAME", EXPORT_METHOD);
    markup(out, ">");
    if let Some(error) = refusal {
        super::response::error_element(out, error);
    }
    markup(out, "</EXPMETHODRESPONSE></SIMPLEEXPRSP></MESSAGE></CIM>\n");
}

/// Decodes a listener's answer.
///
/// # Errors
/// When it is no answer to an export request.
pub fn decode_export_response(
    body: &[u8],
    limits: &Limits,
) -> Decoding<std::result::Result<(), CimError>> {
    let mut reader = Reader::new(body, limits)?;
    envelope::open(&mut reader)?;
    reader.expect("SIMPLEEXPRSP")?;
    reader.expect("EXPMETHODRESPONSE")?;
    let mut outcome = Ok(());
    while let Some(child) = reader.child()? {
        match child.name {
            "ERROR" => outcome = Err(answer::error(&mut reader, &child)?),
            // Some listeners say that nothing is returned.
            "IRETURNVALUE" => reader.skip()?,
            _ => reader.stray(&child)?,
        }
    }
    reader.end()?;
    reader.end()?;
    reader.end()?;
    reader.finish()?;
    Ok(outcome)
}
