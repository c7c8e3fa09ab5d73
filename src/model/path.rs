//! Object paths: which class or instance of which namespace, as text and as a value.
//!
//! The text form is that of DSP0207 and of the `CIMObject` header (DSP0200 1.4 §6.3.7).

use std::fmt::{self, Write};
use std::str::FromStr;
use std::sync::Arc;

use thiserror::Error;

use super::{CimName, CimType, CimValue, Literal, Namespace, ValueError};

/// How deep references may stand inside the keys of references.
pub const NESTING_LIMIT: usize = 16;

/// A path as it was written: host and namespace may be missing, keys are not yet checked.
#[derive(Debug, Clone, PartialEq)]
pub struct ObjectPath {
    /// The host as the sender named it, with its port.
    pub host: Option<Arc<str>>,
    /// The namespace, when the path names one.
    pub namespace: Option<Namespace>,
    /// The class of the object, or the class that is the object.
    pub class: CimName,
    /// The keys of an instance; `None` for the path of a class.
    pub keys: Option<Keys>,
}

/// The path of an instance whose class exists and whose keys are complete and of declared type.
#[derive(Debug, Clone, PartialEq)]
pub struct InstancePath {
    /// The namespace of the instance.
    pub namespace: Namespace,
    /// The creation class of the instance, or the class a client addressed it by.
    pub class: CimName,
    /// A value for each key property of the class.
    pub keys: Keys,
}

impl From<InstancePath> for ObjectPath {
    fn from(path: InstancePath) -> Self {
        Self {
            host: None,
            namespace: Some(path.namespace),
            class: path.class,
            keys: Some(path.keys),
        }
    }
}

/// Key bindings. Order is kept for display and does not matter for equality.
#[derive(Debug, Clone, Default)]
pub struct Keys(Vec<(CimName, CimValue)>);

impl Keys {
    /// The value bound to `name`, in any case.
    pub fn get(&self, name: &str) -> Option<&CimValue> {
        self.0
            .iter()
            .find(|(key, _)| key.is(name))
            .map(|(_, value)| value)
    }
    /// Adds a binding.
    pub fn push(&mut self, name: CimName, value: CimValue) {
        self.0.push((name, value));
    }
    /// The bindings in the order they were written.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&CimName, &CimValue)> {
        self.0.iter().map(|(name, value)| (name, value))
    }
    /// How many bindings there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }
    /// Whether there is no binding.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl FromIterator<(CimName, CimValue)> for Keys {
    fn from_iter<I: IntoIterator<Item = (CimName, CimValue)>>(iter: I) -> Self {
        Self(iter.into_iter().collect())
    }
}

impl PartialEq for Keys {
    fn eq(&self, other: &Self) -> bool {
        let held = |(name, value): &(CimName, CimValue)| {
            other
                .get(name.as_str())
                .is_some_and(|theirs| same_key(value, theirs))
        };
        self.len() == other.len() && self.0.iter().all(held)
    }
}

/// Numbers are the same key when they are the same number, of whatever width; references are when
/// they lead to the same object, whatever host they name.
fn same_key(a: &CimValue, b: &CimValue) -> bool {
    if let (Some(a), Some(b)) = (a.as_reference(), b.as_reference()) {
        return a.is_same_object(b);
    }
    match (a.as_integer(), b.as_integer()) {
        (Some(a), Some(b)) => a == b,
        _ => a == b,
    }
}

impl ObjectPath {
    /// Whether both lead to the same object, as far as they say: hosts are not compared, and a
    /// path without a namespace may be of any.
    pub fn is_same_object(&self, other: &Self) -> bool {
        let same_namespace = match (&self.namespace, &other.namespace) {
            (Some(ours), Some(theirs)) => ours == theirs,
            (Some(_) | None, None) | (None, Some(_)) => true,
        };
        same_namespace && self.class == other.class && self.keys == other.keys
    }
}

/// `value`, which a client wrote as a key without saying or knowing its type, as type `ty`.
pub fn key_of_type(value: &CimValue, ty: CimType) -> Result<CimValue, ValueError> {
    match (value, value.as_integer()) {
        (value, _) if value.ty() == Some(ty) => Ok(value.clone()),
        (_, Some(number)) if ty.integer_range().is_some() => CimValue::integer(ty, number),
        (CimValue::String(text), _) => Literal::Text((&**text).into()).resolve(ty, false),
        (scalar, _) => Literal::Text(scalar.to_string().into()).resolve(ty, false),
    }
}

impl fmt::Display for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, (name, value)) in self.iter().enumerate() {
            let name = name.as_str();
            let separator = match (at, name) {
                (_, "") => "",
                (0, _) => ".",
                _ => ",",
            };
            write!(f, "{separator}{name}=")?;
            match value {
                CimValue::String(text) => quoted(f, text)?,
                CimValue::DateTime(value) => quoted(f, value.as_str())?,
                CimValue::Reference(path) => quoted(f, &path.to_string())?,
                CimValue::Char16(_) => write!(f, "'{value}'")?,
                other => other.fmt(f)?,
            }
        }
        Ok(())
    }
}

fn quoted(f: &mut fmt::Formatter<'_>, text: &str) -> fmt::Result {
    f.write_char('"')?;
    for c in text.chars() {
        if matches!(c, '"' | '\\') {
            f.write_char('\\')?;
        }
        f.write_char(c)?;
    }
    f.write_char('"')
}

impl fmt::Display for InstancePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}{}", self.namespace, self.class, self.keys)
    }
}

impl fmt::Display for ObjectPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(host) = &self.host {
            write!(f, "//{host}/")?;
        }
        if let Some(namespace) = &self.namespace {
            write!(f, "{namespace}:")?;
        }
        write!(f, "{}", self.class)?;
        match &self.keys {
            None => Ok(()),
            Some(keys) if keys.is_empty() => f.write_str("=@"),
            Some(keys) => keys.fmt(f),
        }
    }
}

/// A text that is not an object path.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("not an object path: {0}")]
pub struct PathError(&'static str);

impl FromStr for ObjectPath {
    type Err = PathError;

    fn from_str(text: &str) -> Result<Self, PathError> {
        let (host, rest) = match text.strip_prefix("//") {
            Some(rest) => {
                let (host, rest) = rest
                    .split_once('/')
                    .ok_or(PathError("no namespace after the host"))?;
                (Some(host.into()), rest)
            }
            None => (None, text.strip_prefix('/').unwrap_or(text)),
        };
        // A colon belongs to the namespace only when it stands before the first key.
        let head_end = rest.find(['.', '=']).unwrap_or(rest.len());
        let (namespace, object) = match rest[..head_end].find(':') {
            Some(colon) => {
                let namespace = Namespace::new(&rest[..colon]);
                (
                    Some(namespace.map_err(|_| PathError("a malformed namespace"))?),
                    &rest[colon + 1..],
                )
            }
            None => (None, rest),
        };
        let class_end = object.find(['.', '=']).unwrap_or(object.len());
        let class =
            CimName::new(&object[..class_end]).map_err(|_| PathError("a malformed class name"))?;
        let keys = match &object[class_end..] {
            "" => None,
            "=@" => Some(Keys::default()),
            keys => Some(parse_keys(keys)?),
        };
        Ok(Self {
            host,
            namespace,
            class,
            keys,
        })
    }
}

/// Parses `.key=value,key=value` or, for a class with one key, `=value`.
fn parse_keys(text: &str) -> Result<Keys, PathError> {
    let mut keys = Keys::default();
    if let Some(value) = text.strip_prefix('=') {
        let (value, rest) = parse_key_value(value)?;
        keys.push(CimName::unnamed(), value);
        return if rest.is_empty() {
            Ok(keys)
        } else {
            Err(PathError("text after the key"))
        };
    }
    let mut rest = &text[1..];
    loop {
        let (name, after) = rest
            .split_once('=')
            .ok_or(PathError("a key without a value"))?;
        let name = CimName::new(name.trim()).map_err(|_| PathError("a malformed key name"))?;
        if keys.get(name.as_str()).is_some() {
            return Err(PathError("a key given twice"));
        }
        let (value, after) = parse_key_value(after)?;
        keys.push(name, value);
        match after.strip_prefix(',') {
            Some(more) => rest = more,
            None if after.is_empty() => return Ok(keys),
            None => return Err(PathError("text after a key")),
        }
    }
}

/// One key value and the text behind it. References stay quoted text until their class is known.
fn parse_key_value(text: &str) -> Result<(CimValue, &str), PathError> {
    if let Some(quote @ ('"' | '\'')) = text.chars().next() {
        let (value, rest) = unquote(&text[1..], quote)?;
        return Ok((CimValue::string(value), rest));
    }
    let (word, rest) = text.split_at(text.find(',').unwrap_or(text.len()));
    let literal = Literal::Text(word.into());
    let typed = [
        CimType::Boolean,
        CimType::Uint64,
        CimType::Sint64,
        CimType::Real64,
    ]
    .into_iter()
    .find_map(|ty| literal.resolve(ty, false).ok());
    Ok((
        typed.ok_or(PathError("a key value that is neither quoted nor a number"))?,
        rest,
    ))
}

fn unquote(text: &str, quote: char) -> Result<(String, &str), PathError> {
    let mut value = String::new();
    let mut chars = text.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '\\' => match chars.next() {
                Some((_, escaped)) => value.push(escaped),
                None => break,
            },
            c if c == quote => return Ok((value, &text[at + 1..])),
            c => value.push(c),
        }
    }
    Err(PathError("a quoted key value that does not end"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> ObjectPath {
        text.parse()
            .unwrap_or_else(|error| panic!("{text}: {error}"))
    }

    #[test]
    fn paths_print_as_they_parse() {
        for text in [
            "CIM_Job",
            "root/cimv2:CIM_Job",
            "root/cimv2:JW_Job.InstanceID=\"JW:1\\\"2\\\\\"",
            "//host:5988/root/cimv2:A.k=5,b=TRUE",
            "root/cimv2:A=@",
            "root/cimv2:A=5",
            "root:A.ref=\"root:B.x=\\\"1\\\"\"",
        ] {
            assert_eq!(parse(text).to_string(), text);
        }
        assert_eq!(parse("/root/cimv2:A").to_string(), "root/cimv2:A");
    }

    #[test]
    fn key_order_case_and_width_do_not_matter() {
        assert_eq!(parse("A.x=1,y=\"b\""), parse("a.Y=\"b\",X=+1"));
        assert_ne!(parse("A.x=\"b\""), parse("A.x=\"B\""));
        assert_ne!(parse("A.x=1"), parse("A.x=1,y=2"));
    }

    #[test]
    fn malformed_paths_are_refused() {
        for bad in [
            "",
            ":",
            "root/cimv2:",
            "a b",
            "A.",
            "A.x",
            "A.x=",
            "A.x=\"",
            "A.x=\"a\"b",
            "A.x=1,x=2",
            "//h",
            "A.x=1,",
        ] {
            assert!(bad.parse::<ObjectPath>().is_err(), "{bad:?} was taken");
        }
    }

    #[test]
    fn a_key_takes_the_declared_type() {
        let text = CimValue::string("20260110093000.000000+000");
        assert!(matches!(
            key_of_type(&text, CimType::DateTime),
            Ok(CimValue::DateTime(_))
        ));
        assert_eq!(
            key_of_type(&CimValue::Uint64(5), CimType::Uint8),
            Ok(CimValue::Uint8(5))
        );
        assert_eq!(
            key_of_type(&CimValue::Uint64(5), CimType::String),
            Ok(CimValue::string("5"))
        );
        assert!(key_of_type(&CimValue::Uint64(500), CimType::Uint8).is_err());
        assert!(key_of_type(&CimValue::string("x"), CimType::Uint8).is_err());
    }
}
