//! Source texts: how the compiler asks for them, how places in them are named.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use thiserror::Error;

/// Where the compiler gets its texts.
///
/// A name is a path relative to one root, with `/` between its parts and without `.`, `..` or
/// empty parts: the compiler has resolved the name of an include against that of the including
/// file. An implementation on a file system must not follow symbolic links out of its root.
pub trait Sources {
    /// The bytes of the file `name`, which must not be read past `limit_bytes`.
    fn read(&self, name: &str, limit_bytes: usize) -> Result<Cow<'_, [u8]>, SourceError>;
}

/// Why a text cannot be had. Reads after "`name`: ".
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum SourceError {
    /// There is no such file below the root.
    #[error("no such file")]
    Missing,
    /// The file is longer than the limit that was asked for.
    #[error("longer than the limit of {0} bytes")]
    TooLarge(usize),
    /// The file exists and cannot be read; the operating system's words.
    #[error("{0}")]
    Unreadable(String),
}

/// Texts held in memory, by name.
impl Sources for BTreeMap<String, Vec<u8>> {
    fn read(&self, name: &str, limit_bytes: usize) -> Result<Cow<'_, [u8]>, SourceError> {
        let bytes = self.get(name).ok_or(SourceError::Missing)?;
        if bytes.len() > limit_bytes {
            return Err(SourceError::TooLarge(limit_bytes));
        }
        Ok(Cow::Borrowed(bytes))
    }
}

/// Number of a file within one [`SourceMap`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FileId(u32);

impl FileId {
    /// The only file of a text on its own.
    pub(super) const FIRST: Self = Self(0);

    pub(super) fn numbered(number: u32) -> Self {
        Self(number)
    }

    pub(super) fn number(self) -> u32 {
        self.0
    }
}

/// A stretch of one file, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span {
    /// The file.
    pub file: FileId,
    /// Offset of the first byte.
    pub start: u32,
    /// Offset behind the last byte.
    pub end: u32,
}

impl Span {
    /// From the start of this span to the end of `last`, in the same file.
    #[must_use]
    pub fn to(self, last: Self) -> Self {
        Self {
            end: last.end.max(self.end),
            ..self
        }
    }
    /// The empty place behind this span.
    #[must_use]
    pub fn after(self) -> Self {
        Self {
            start: self.end,
            ..self
        }
    }
}

/// A place as people count: both numbers start at 1, columns are characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Position {
    /// Line number.
    pub line: usize,
    /// Column number.
    pub column: usize,
}

/// One text of a compilation.
#[derive(Debug, Clone)]
pub struct SourceFile {
    /// Its name relative to the root.
    pub name: String,
    /// Its text, without a byte order mark.
    pub text: Arc<str>,
    line_starts: OnceLock<Vec<u32>>,
}

impl SourceFile {
    fn line_starts(&self) -> &[u32] {
        self.line_starts.get_or_init(|| {
            let ends = self.text.bytes().zip(1u32..).filter(|(b, _)| *b == b'\n');
            std::iter::once(0).chain(ends.map(|(_, at)| at)).collect()
        })
    }

    /// Number of the line that holds byte `offset`, counted from 0.
    pub fn line_of(&self, offset: u32) -> usize {
        self.line_starts().partition_point(|start| *start <= offset) - 1
    }

    /// Where line `line` (from 0) starts, in bytes; the end of the text for lines behind it.
    pub fn line_start(&self, line: usize) -> usize {
        let start = self.line_starts().get(line).copied();
        start.map_or(self.text.len(), |start| start as usize)
    }

    /// Byte `offset` as line and column.
    pub fn position(&self, offset: u32) -> Position {
        let line = self.line_of(offset);
        let before = self.text.get(self.line_start(line)..offset as usize);
        Position {
            line: line + 1,
            column: before.map_or(0, |text| text.chars().count()) + 1,
        }
    }
}

/// The texts of a compilation, in the order they were read.
#[derive(Debug, Clone, Default)]
pub struct SourceMap(Vec<SourceFile>);

impl SourceMap {
    pub(super) fn add(&mut self, name: String, text: Arc<str>) -> FileId {
        let id = u32::try_from(self.0.len()).expect("the limit of files is far below u32::MAX");
        self.0.push(SourceFile {
            name,
            text,
            line_starts: OnceLock::new(),
        });
        FileId(id)
    }
    /// The file that `span` lies in.
    pub fn file(&self, span: Span) -> &SourceFile {
        &self.0[span.file.0 as usize]
    }
    /// The text of `file`.
    pub(super) fn text(&self, file: FileId) -> Arc<str> {
        self.0[file.0 as usize].text.clone()
    }
    /// All files.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &SourceFile> {
        self.0.iter()
    }
}

/// The name that `include`, written in the file `from`, stands for.
///
/// Parts are separated by `/` or `\`. `None` when the path is absolute or leaves the root.
pub(super) fn resolve(from: &str, include: &str) -> Option<String> {
    if include.starts_with(['/', '\\']) || include.contains([':', '\0']) {
        return None;
    }
    let mut parts: Vec<&str> = from.split('/').collect();
    parts.pop();
    for part in include.split(['/', '\\']) {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            name => parts.push(name),
        }
    }
    (!parts.is_empty()).then(|| parts.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn includes_are_relative_to_the_including_file_and_stay_below_the_root() {
        let cases = [
            ("a.mof", "b.mof", Some("b.mof")),
            ("d/a.mof", "b.mof", Some("d/b.mof")),
            ("d/a.mof", "..\\e/./b.mof", Some("e/b.mof")),
            ("d/a.mof", "../../b.mof", None),
            ("a.mof", "/etc/passwd", None),
            ("a.mof", "c:\\b.mof", None),
            ("a.mof", "", None),
        ];
        for (from, include, want) in cases {
            let got = resolve(from, include);
            assert_eq!(got.as_deref(), want, "{include} included by {from}");
        }
    }

    #[test]
    fn positions_count_characters_from_one() {
        let mut map = SourceMap::default();
        let file = map.add("x".into(), "a\n\u{e4}b\n".into());
        let span = Span {
            file,
            start: 4,
            end: 5,
        };
        let at = map.file(span).position(span.start);
        assert_eq!(at, Position { line: 2, column: 2 });
        let at = map.file(span).position(6);
        assert_eq!(at, Position { line: 3, column: 1 });
    }
}
