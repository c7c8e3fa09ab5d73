//! Names that compare without regard to case: classes, properties, methods, qualifiers, namespaces.
//!
//! DSP0004 2.8 §5.1.2.8: names keep the case they were written in and compare without it.

use std::cmp::Ordering;
use std::fmt;
use std::hash::{BuildHasher, Hash, Hasher};
use std::sync::{Arc, LazyLock};

use foldhash::fast::RandomState;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use thiserror::Error;

/// Longest name accepted from outside, in bytes.
pub const NAME_LIMIT_BYTES: usize = 512;

/// A CIM identifier: shows the case it was written in, compares without it.
#[derive(Clone)]
pub struct CimName {
    text: Arc<str>,
    /// [`folded_hash`] of the text: made once for each name, and unequal ones settle comparisons.
    hash: u32,
    is_ascii: bool,
}

/// Why a text is not a CIM name.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum NameError {
    /// Nothing was written where a name is needed.
    #[error("an empty name")]
    Empty,
    /// The text is longer than [`NAME_LIMIT_BYTES`].
    #[error("a name of {0} bytes, above the limit of {NAME_LIMIT_BYTES}")]
    TooLong(usize),
    /// A character that DSP0004 does not allow in a name, or not in first place.
    #[error("the name \"{0}\" has a character that names cannot have")]
    Character(String),
}

impl CimName {
    /// Takes `text` as a name when it is an identifier of DSP0004 (annex A, `IDENTIFIER`).
    pub fn new(text: &str) -> Result<Self, NameError> {
        if text.is_empty() {
            return Err(NameError::Empty);
        }
        if text.len() > NAME_LIMIT_BYTES {
            return Err(NameError::TooLong(text.len()));
        }
        if is_identifier(text) {
            Ok(Self::unchecked(text))
        } else {
            Err(NameError::Character(text.chars().take(64).collect()))
        }
    }

    /// A name of our own, known to be well formed.
    ///
    /// # Panics
    /// When `text` is not a name, which is a mistake in this crate and not in any input.
    pub fn of(text: &'static str) -> Self {
        Self::new(text).expect("names written in this crate are well formed")
    }

    /// The name of a key binding whose name the sender left out (`KEYVALUE` without `KEYBINDING`).
    pub fn unnamed() -> Self {
        Self::unchecked("")
    }

    fn unchecked(text: &str) -> Self {
        Self {
            hash: folded_hash(text),
            is_ascii: text.is_ascii(),
            text: text.into(),
        }
    }

    /// The name as it was written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether this stands for a key binding without a name.
    pub fn is_unnamed(&self) -> bool {
        self.text.is_empty()
    }

    /// Whether `text` is this name, in any case.
    pub fn is(&self, text: &str) -> bool {
        if text.is_ascii() {
            self.matches_ascii(text)
        } else {
            same_folded(&self.text, text)
        }
    }

    /// Whether `text`, all of it ASCII, is this name.
    #[inline]
    pub(super) fn matches_ascii(&self, text: &str) -> bool {
        if self.is_ascii {
            return self.text.len() == text.len() && self.text.eq_ignore_ascii_case(text);
        }
        // The lower case of other characters may be ASCII.
        same_folded(&self.text, text)
    }

    /// [`folded_hash`] of the text.
    pub(super) fn hash(&self) -> u32 {
        self.hash
    }

    /// The name in lower case, for ordering and for storage keys.
    pub fn folded(&self) -> String {
        folded(&self.text)
    }
}

/// `IDENTIFIER` of DSP0004, annex A.
fn is_identifier(text: &str) -> bool {
    let starts_ascii = |byte: u8| byte.is_ascii_alphabetic() || byte == b'_';
    if !text
        .bytes()
        .next()
        .is_some_and(|byte| starts_ascii(byte) || !byte.is_ascii())
    {
        return false;
    }
    let continues = |byte: u8| starts_ascii(byte) || byte.is_ascii_digit();
    text.bytes().all(continues) || {
        let is_letter = |c: char| ('\u{80}'..='\u{ffef}').contains(&c);
        let mut chars = text.chars();
        chars.all(|c| u8::try_from(c).is_ok_and(continues) || is_letter(c))
    }
}

fn folded_chars(text: &str) -> impl Iterator<Item = char> + '_ {
    text.chars().flat_map(char::to_lowercase)
}

fn folded(text: &str) -> String {
    if text.is_ascii() {
        return text.to_ascii_lowercase();
    }
    folded_chars(text).collect()
}

fn same_folded(a: &str, b: &str) -> bool {
    // Most names arrive in the case that the schema has.
    a == b
        || a.eq_ignore_ascii_case(b)
        || (!(a.is_ascii() && b.is_ascii()) && folded_chars(a).eq(folded_chars(b)))
}

fn folded_order(a: &str, b: &str) -> Ordering {
    if a.is_ascii() && b.is_ascii() {
        // The same order, since UTF-8 sorts as its characters do.
        let [a, b] = [a, b].map(|text| text.bytes().map(|byte| byte.to_ascii_lowercase()));
        return a.cmp(b);
    }
    folded_chars(a).cmp(folded_chars(b))
}

/// The key of all hashes of names, another one in each process, because names come from strangers.
static HASH_KEY: LazyLock<RandomState> = LazyLock::new(RandomState::default);

/// A hash that is the same for equal names, whatever their case.
pub(super) fn folded_hash(text: &str) -> u32 {
    let mut hasher = HASH_KEY.build_hasher();
    hash_folded(text, &mut hasher);
    let hash = hasher.finish();
    #[expect(clippy::cast_possible_truncation, reason = "both halves count")]
    let folded = (hash ^ (hash >> 32)) as u32;
    folded
}

/// Feeds the folded text to `state`, in pieces whose borders depend on nothing but that text:
/// names that are equal in different scripts' cases have to hash alike.
fn hash_folded<H: Hasher>(text: &str, state: &mut H) {
    if text.is_ascii() {
        let mut folded = [0; HASHED_BYTES];
        for piece in text.as_bytes().chunks(HASHED_BYTES) {
            let folded = &mut folded[..piece.len()];
            folded.copy_from_slice(piece);
            folded.make_ascii_lowercase();
            state.write(folded);
        }
    } else {
        let folded: String = folded_chars(text).collect();
        for piece in folded.as_bytes().chunks(HASHED_BYTES) {
            state.write(piece);
        }
    }
    state.write_u8(0xff);
}

/// How many bytes of a name are hashed at once.
const HASHED_BYTES: usize = 64;

/// The text as it was written.
impl Serialize for CimName {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text)
    }
}

/// Only what is a name.
impl<'de> Deserialize<'de> for CimName {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Name;
        impl de::Visitor<'_> for Name {
            type Value = CimName;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a CIM name")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<CimName, E> {
                CimName::new(text).map_err(E::custom)
            }
        }
        deserializer.deserialize_str(Name)
    }
}

impl PartialEq for CimName {
    fn eq(&self, other: &Self) -> bool {
        self.hash == other.hash && same_folded(&self.text, &other.text)
    }
}
impl Eq for CimName {}
impl Hash for CimName {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u32(self.hash);
    }
}
impl Ord for CimName {
    fn cmp(&self, other: &Self) -> Ordering {
        folded_order(&self.text, &other.text)
    }
}
impl PartialOrd for CimName {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}
impl fmt::Display for CimName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}
impl fmt::Debug for CimName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.text)
    }
}

/// A namespace such as `root/cimv2`: components joined with `/`, none empty, compared without case.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Namespace(CimNamespaceText);

#[derive(Clone)]
struct CimNamespaceText(Arc<str>);

impl PartialEq for CimNamespaceText {
    fn eq(&self, other: &Self) -> bool {
        same_folded(&self.0, &other.0)
    }
}
impl Eq for CimNamespaceText {}
impl Hash for CimNamespaceText {
    fn hash<H: Hasher>(&self, state: &mut H) {
        hash_folded(&self.0, state);
    }
}
impl Ord for CimNamespaceText {
    fn cmp(&self, other: &Self) -> Ordering {
        folded_order(&self.0, &other.0)
    }
}
impl PartialOrd for CimNamespaceText {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Namespace {
    /// Takes `text` as a namespace; leading and trailing `/` are dropped, as clients send them.
    pub fn new(text: &str) -> Result<Self, NameError> {
        let trimmed = text.trim_matches('/');
        if trimmed.is_empty() {
            return Err(NameError::Empty);
        }
        if trimmed.len() > NAME_LIMIT_BYTES {
            return Err(NameError::TooLong(trimmed.len()));
        }
        let bad = |c: char| {
            c.is_control() || c.is_whitespace() || matches!(c, ':' | '"' | '.' | ',' | '=')
        };
        if trimmed.split('/').any(str::is_empty) || trimmed.contains(bad) {
            return Err(NameError::Character(trimmed.chars().take(64).collect()));
        }
        Ok(Self(CimNamespaceText(trimmed.into())))
    }
    /// Whether `text` is this namespace, in any case, with or without `/` around it.
    pub fn is(&self, text: &str) -> bool {
        same_folded(&self.0.0, text.trim_matches('/'))
    }
    /// A namespace of our own, known to be well formed.
    pub fn of(text: &'static str) -> Self {
        Self::new(text).expect("namespaces written in this crate are well formed")
    }
    /// The namespace as it was written, without leading or trailing `/`.
    pub fn as_str(&self) -> &str {
        &self.0.0
    }
    /// The namespace in lower case, for storage keys.
    pub fn folded(&self) -> String {
        folded(&self.0.0)
    }
    /// Whether this is a namespace below `outer`.
    pub fn is_below(&self, outer: &Self) -> bool {
        let (own, outer) = (self.folded(), outer.folded());
        let rest = own.strip_prefix(&outer);
        rest.is_some_and(|rest| rest.starts_with('/'))
    }
    /// The components, outermost first.
    pub fn components(&self) -> impl Iterator<Item = &str> {
        self.0.0.split('/')
    }
}
impl fmt::Display for Namespace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.0)
    }
}
impl fmt::Debug for Namespace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", &self.0.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_compare_without_case_and_keep_it() {
        let a = CimName::new("CIM_Job").expect("a name");
        assert_eq!(a, CimName::of("cim_JOB"));
        assert_eq!(a.to_string(), "CIM_Job");
    }

    #[test]
    fn what_is_not_an_identifier_is_refused() {
        for bad in [
            "",
            "1x",
            "a b",
            "a-b",
            "a:b",
            &"x".repeat(NAME_LIMIT_BYTES + 1),
        ] {
            assert!(CimName::new(bad).is_err(), "{bad:?} was taken as a name");
        }
        for good in [
            "x",
            "_x",
            "__Namespace",
            "\u{e4}bc",
            &"x".repeat(NAME_LIMIT_BYTES),
        ] {
            assert!(CimName::new(good).is_ok(), "{good:?} was refused");
        }
    }

    #[test]
    fn namespaces_drop_outer_slashes_and_refuse_empty_parts() {
        assert_eq!(
            Namespace::new("/Root/CIMV2/"),
            Ok(Namespace::of("root/cimv2"))
        );
        for bad in ["", "/", "a//b", "a b", "a:b"] {
            assert!(
                Namespace::new(bad).is_err(),
                "{bad:?} was taken as a namespace"
            );
        }
    }
}
