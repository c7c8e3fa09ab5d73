//! A strict reader of elements and text on top of quick-xml's tokenizer.
//!
//! It adds the well-formedness rules that the tokenizer lacks and the limits of [`Limits`]; it
//! does not know what the elements mean.

use std::borrow::Cow;

use quick_xml::events::Event;
use smallvec::SmallVec;

use crate::model::{CimError, CimName, Status};

use super::error::{DecodeError, DecodeErrorKind, Result};
use super::headers::Agreement;
use super::validity::Validity;
use super::{Limits, dtd, syntax};

/// The attributes of a start tag; those that requests are mostly made of have one or two.
type Attributes<'a> = SmallVec<[(&'a str, Cow<'a, str>); 2]>;

/// A start tag.
#[derive(Debug)]
pub(super) struct Tag<'a> {
    /// The element's name.
    pub name: &'a str,
    attributes: Attributes<'a>,
    offset: usize,
}

impl Tag<'_> {
    /// The value of an attribute.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.attributes
            .iter()
            .find(|(key, _)| *key == name)
            .map(|(_, value)| &**value)
    }

    /// The value of an attribute that the DTD requires.
    pub fn require(&self, name: &str) -> Result<&str> {
        self.get(name)
            .ok_or_else(|| self.invalid(format!("{} without {name}", self.name)))
    }

    /// A CIM name that the DTD requires.
    pub fn require_name(&self, name: &str) -> Result<CimName> {
        self.cim_name(self.require(name)?)
    }

    /// A CIM name that may be left out.
    pub fn optional_name(&self, name: &str) -> Result<Option<CimName>> {
        self.get(name).map(|text| self.cim_name(text)).transpose()
    }

    fn cim_name(&self, text: &str) -> Result<CimName> {
        CimName::new(text).map_err(|error| {
            self.wrong(Status::InvalidParameter, format!("{}: {error}", self.name))
        })
    }

    /// A boolean attribute; `None` when it is left out.
    pub fn boolean(&self, name: &str) -> Result<Option<bool>> {
        match self.get(name) {
            None => Ok(None),
            Some(text) if text.eq_ignore_ascii_case("true") => Ok(Some(true)),
            Some(text) if text.eq_ignore_ascii_case("false") => Ok(Some(false)),
            Some(text) => Err(self.invalid(format!("{}/@{name} is \"{text}\"", self.name))),
        }
    }

    /// A fault against the DTD at this tag.
    pub fn invalid(&self, what: impl Into<String>) -> DecodeError {
        DecodeError::new(self.offset, DecodeErrorKind::NotLooselyValid(what.into()))
    }

    /// A wrong value at this tag.
    pub fn wrong(&self, status: Status, what: impl Into<String>) -> DecodeError {
        let error = CimError::new(status, what);
        DecodeError::new(self.offset, DecodeErrorKind::Cim(error))
    }
}

/// What the document holds next, comments and the like left out.
enum Node<'a> {
    Start(Tag<'a>),
    End,
    Text(Cow<'a, str>),
    Eof,
}

/// Reads one document from front to back.
pub(super) struct Reader<'a> {
    text: &'a str,
    xml: quick_xml::Reader<&'a [u8]>,
    /// The limits of this document.
    pub limits: &'a Limits,
    depth: usize,
    elements: usize,
    /// How many references the current one stands in.
    pub references: usize,
    embedded: usize,
    /// An empty element was read: its end comes next without a token of its own.
    pending_end: bool,
    had_root: bool,
    had_doctype: bool,
    /// Where the last token begins.
    offset: usize,
    /// Bytes before `text`: a byte order mark.
    base: usize,
    /// The DTD, where the document is held against it.
    validity: Option<Validity>,
}

impl<'a> Reader<'a> {
    /// A reader of `body`, which is UTF-8 with or without a byte order mark.
    pub fn new(body: &'a [u8], limits: &'a Limits) -> Result<Self> {
        let malformed = |offset, what: &str| {
            DecodeError::new(offset, DecodeErrorKind::NotWellFormed(what.into()))
        };
        let text = std::str::from_utf8(body)
            .map_err(|error| malformed(error.valid_up_to(), "not UTF-8"))?;
        let unmarked = text.strip_prefix('\u{feff}').unwrap_or(text);
        let mut reader = Self::of_text(unmarked, limits);
        reader.base = text.len() - unmarked.len();
        match syntax::illegal_char(unmarked) {
            Some(at) => Err(malformed(
                reader.base + at,
                "a character that XML does not have",
            )),
            None => Ok(reader),
        }
    }

    fn of_text(text: &'a str, limits: &'a Limits) -> Self {
        Self {
            text,
            xml: quick_xml::Reader::from_str(text),
            limits,
            depth: 0,
            elements: 0,
            references: 0,
            embedded: 0,
            pending_end: false,
            had_root: false,
            had_doctype: false,
            offset: 0,
            base: 0,
            validity: (limits.agreement == Agreement::Strict).then(Validity::new),
        }
    }

    /// Reads a document that stands as text in this one with `read`, under the same budget.
    pub fn embed<T>(
        &mut self,
        text: &str,
        read: impl FnOnce(&mut Reader<'_>) -> Result<T>,
    ) -> Result<T> {
        if self.embedded >= self.limits.embedded_objects {
            return Err(self.wrong(
                Status::InvalidParameter,
                "too many objects inside each other",
            ));
        }
        let mut inner = Reader::new(text.as_bytes(), self.limits)?;
        inner.elements = self.elements;
        inner.embedded = self.embedded + 1;
        inner.validity = self.validity.as_ref().map(Validity::inner);
        let result = read(&mut inner);
        self.elements = inner.elements;
        result
    }

    /// A fault against the DTD at the last token.
    pub fn invalid(&self, what: impl Into<String>) -> DecodeError {
        self.error(DecodeErrorKind::NotLooselyValid(what.into()))
    }

    /// A wrong value at the last token.
    pub fn wrong(&self, status: Status, what: impl Into<String>) -> DecodeError {
        self.error(DecodeErrorKind::Cim(CimError::new(status, what)))
    }

    /// An error at the last token.
    pub fn error(&self, kind: DecodeErrorKind) -> DecodeError {
        DecodeError::new(self.base + self.offset, kind)
    }

    fn malformed(&self, what: impl Into<String>) -> DecodeError {
        self.error(DecodeErrorKind::NotWellFormed(what.into()))
    }

    /// The root element.
    pub fn root(&mut self) -> Result<Tag<'a>> {
        loop {
            match self.next()? {
                Node::Start(tag) => return Ok(tag),
                Node::Text(_) => {}
                Node::End | Node::Eof => return Err(self.malformed("no element")),
            }
        }
    }

    /// Reads what is left, which shows whether the whole document is well formed.
    pub fn finish(&mut self) -> Result<()> {
        while !matches!(self.next()?, Node::Eof) {}
        Ok(())
    }

    /// The next child of the open element; `None` when the element has ended.
    pub fn child(&mut self) -> Result<Option<Tag<'a>>> {
        loop {
            match self.next()? {
                Node::Start(tag) => return Ok(Some(tag)),
                Node::End | Node::Eof => return Ok(None),
                Node::Text(text) if syntax::is_blank(&text) => {}
                Node::Text(_) => return Err(self.invalid("text between elements")),
            }
        }
    }

    /// The next child of the open element, which must be there and have that name.
    pub fn expect(&mut self, name: &str) -> Result<Tag<'a>> {
        while let Some(tag) = self.child()? {
            if tag.name == name {
                return Ok(tag);
            }
            self.stray(&tag)?;
        }
        Err(self.invalid(format!("{name} is missing")))
    }

    /// Reads to the end of the open element, in which no further element of the DTD may stand.
    pub fn end(&mut self) -> Result<()> {
        while let Some(tag) = self.child()? {
            self.stray(&tag)?;
        }
        Ok(())
    }

    /// Passes over an element that is none of the DTD's; those of the DTD are out of place.
    pub fn stray(&mut self, tag: &Tag<'_>) -> Result<()> {
        if dtd::is_element(tag.name) {
            return Err(tag.invalid(format!("{} is out of place", tag.name)));
        }
        self.skip()
    }

    /// Passes over the rest of the open element.
    pub fn skip(&mut self) -> Result<()> {
        self.leave(self.depth)
    }

    /// How many elements are open.
    pub fn depth(&self) -> usize {
        self.depth
    }

    /// Passes over what is left of the element that was the innermost one when `depth` were open.
    pub fn leave(&mut self, depth: usize) -> Result<()> {
        while self.depth >= depth {
            self.next()?;
        }
        Ok(())
    }

    /// The character data of the open element, read to its end.
    pub fn text(&mut self) -> Result<Cow<'a, str>> {
        let mut whole: Cow<'a, str> = Cow::Borrowed("");
        loop {
            match self.next()? {
                Node::Text(part) if whole.is_empty() => whole = part,
                Node::Text(part) => whole.to_mut().push_str(&part),
                Node::Start(tag) => self.stray(&tag)?,
                Node::End | Node::Eof => return Ok(whole),
            }
            if whole.len() > self.limits.text_bytes {
                let what = format!("a value of more than {} bytes", self.limits.text_bytes);
                return Err(self.wrong(Status::InvalidParameter, what));
            }
        }
    }

    fn position(&self) -> usize {
        usize::try_from(self.xml.buffer_position()).unwrap_or(self.text.len())
    }

    fn next(&mut self) -> Result<Node<'a>> {
        if self.pending_end {
            self.pending_end = false;
            return self.close();
        }
        loop {
            self.offset = self.position();
            let event = self.xml.read_event();
            let raw = self.text.get(self.offset..self.position()).unwrap_or("");
            let event = event.map_err(|error| self.malformed(error.to_string()))?;
            let syntax = match event {
                Event::Start(_) => return self.start(raw, ">"),
                Event::Empty(_) => {
                    self.pending_end = true;
                    return self.start(raw, "/>");
                }
                Event::End(_) => return self.close(),
                Event::Text(_) => match self.characters(raw) {
                    Ok(text) => return Ok(Node::Text(text)),
                    Err(what) => Err(what),
                },
                Event::CData(_) => match self.cdata(raw) {
                    Ok(text) => return Ok(Node::Text(text)),
                    Err(what) => Err(what),
                },
                Event::GeneralRef(_) => match self.general_reference(raw) {
                    Ok(text) => return Ok(Node::Text(text)),
                    Err(what) => Err(what),
                },
                Event::Comment(_) => syntax::comment(raw),
                Event::PI(_) => syntax::instruction(raw),
                Event::Decl(_) if self.offset == 0 => syntax::declaration(raw),
                Event::Decl(_) => Err("an XML declaration that is not at the start"),
                Event::DocType(_) => self.doctype(raw),
                Event::Eof if self.depth > 0 => Err("an element without its end"),
                Event::Eof if !self.had_root => Err("no element"),
                Event::Eof => return Ok(Node::Eof),
            };
            syntax.map_err(|what| self.malformed(what))?;
        }
    }

    fn characters(&self, raw: &'a str) -> syntax::Syntax<Cow<'a, str>> {
        if self.depth == 0 && !syntax::is_blank(raw) {
            return Err("text outside of the root element");
        }
        if raw.contains("]]>") {
            return Err("]]> in text");
        }
        Ok(syntax::line_ends(raw))
    }

    fn cdata(&self, raw: &'a str) -> syntax::Syntax<Cow<'a, str>> {
        if self.depth == 0 {
            return Err("text outside of the root element");
        }
        raw.strip_prefix("<![CDATA[")
            .and_then(|rest| rest.strip_suffix("]]>"))
            .map(syntax::line_ends)
            .ok_or("a malformed CDATA section")
    }

    fn general_reference(&self, raw: &'a str) -> syntax::Syntax<Cow<'a, str>> {
        if self.depth == 0 {
            return Err("text outside of the root element");
        }
        let name = raw
            .strip_prefix('&')
            .and_then(|rest| rest.strip_suffix(';'))
            .ok_or("a reference without its end")?;
        Ok(match syntax::reference(name)? {
            '&' => "&".into(),
            '<' => "<".into(),
            '>' => ">".into(),
            '"' => "\"".into(),
            '\'' => "'".into(),
            other => other.to_string().into(),
        })
    }

    fn doctype(&mut self, raw: &str) -> syntax::Syntax<()> {
        if self.had_root || self.had_doctype {
            return Err("a document type out of place");
        }
        self.had_doctype = true;
        syntax::doctype(raw)
    }

    fn start(&mut self, raw: &'a str, close: &str) -> Result<Node<'a>> {
        self.enter(raw)?;
        let inner = raw
            .strip_prefix('<')
            .and_then(|rest| rest.strip_suffix(close))
            .ok_or_else(|| self.malformed("a malformed tag"))?;
        let (name, mut rest) = syntax::split_name(inner).map_err(|what| self.malformed(what))?;
        self.check_name(name)?;
        let mut attributes = Attributes::new();
        let mut xmlns = 0;
        while let Some(found) =
            syntax::split_attribute(rest).map_err(|what| self.malformed(what))?
        {
            self.check_name(found.name)?;
            xmlns += usize::from(found.name == "xmlns" || found.name.starts_with("xmlns:"));
            if attributes.len() >= self.limits.attributes || xmlns > self.limits.xmlns {
                return Err(self.malformed("too many attributes"));
            }
            if attributes.iter().any(|(name, _)| *name == found.name) {
                return Err(self.malformed("an attribute given twice"));
            }
            let value = syntax::attribute_value(found.raw).map_err(|what| self.malformed(what))?;
            attributes.push((found.name, value));
            rest = found.rest;
        }
        if let Some(validity) = &mut self.validity {
            let given = attributes.iter().map(|(name, value)| (*name, &**value));
            let valid = validity.start(name, &given);
            valid.map_err(|what| self.not_valid(what))?;
        }
        Ok(Node::Start(Tag {
            name,
            attributes,
            offset: self.base + self.offset,
        }))
    }

    /// The end of the innermost element.
    fn close(&mut self) -> Result<Node<'a>> {
        self.depth = self.depth.saturating_sub(1);
        let valid = self.validity.as_mut().map_or(Ok(()), Validity::end);
        valid.map_err(|what| self.not_valid(what))?;
        Ok(Node::End)
    }

    /// The first fault is told; what comes after it is only read for being well formed.
    fn not_valid(&mut self, what: String) -> DecodeError {
        self.validity = None;
        self.error(DecodeErrorKind::NotValid(what))
    }

    /// Whether what the standard does not allow is refused though clients are known to send it.
    pub fn is_strict(&self) -> bool {
        self.validity.is_some()
    }

    fn enter(&mut self, raw: &str) -> Result<()> {
        if self.depth == 0 && self.had_root {
            return Err(self.malformed("more than one root element"));
        }
        self.had_root = true;
        self.depth += 1;
        self.elements += 1;
        if self.depth > self.limits.depth {
            return Err(self.malformed("elements nested too deep"));
        }
        if self.elements > self.limits.elements {
            return Err(self.malformed("too many elements"));
        }
        if raw.len() > self.limits.start_tag_bytes {
            return Err(self.malformed("a start tag too long"));
        }
        Ok(())
    }

    fn check_name(&self, name: &str) -> Result<()> {
        if name.len() > self.limits.name_bytes {
            return Err(self.malformed("a name too long"));
        }
        Ok(())
    }
}
