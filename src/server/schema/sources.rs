//! MOF that an administrator adds: a file, a folder, or a zip archive as DMTF publishes it.

#![expect(
    clippy::disallowed_methods,
    reason = "MOF is read from files at the start"
)]

use std::borrow::Cow;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Cursor, Read};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use zip::ZipArchive;

use crate::mof::{Compilation, Limits, SourceError, Sources, compile};

use super::super::StartError;
use super::snapshot::{Digest, digest};

/// A folder of MOF files; names lead below it and nowhere else.
struct Folder(PathBuf);

impl Sources for Folder {
    fn read(&self, name: &str, limit_bytes: usize) -> Result<Cow<'_, [u8]>, SourceError> {
        let unreadable = |error: io::Error| match error.kind() {
            io::ErrorKind::NotFound => SourceError::Missing,
            _ => SourceError::Unreadable(error.to_string()),
        };
        let root = self.0.canonicalize().map_err(unreadable)?;
        let path = root.join(name).canonicalize().map_err(unreadable)?;
        if !path.starts_with(&root) {
            return Err(SourceError::Missing);
        }
        let file = fs::File::open(path).map_err(unreadable)?;
        let bytes = bounded(file, limit_bytes).map_err(unreadable)?;
        bytes
            .map(Cow::Owned)
            .ok_or(SourceError::TooLarge(limit_bytes))
    }
}

/// Everything of `source`, or `None` when it is longer than the limit.
fn bounded(source: impl Read, limit_bytes: usize) -> io::Result<Option<Vec<u8>>> {
    let mut bytes = Vec::new();
    source
        .take(limit_bytes as u64 + 1)
        .read_to_end(&mut bytes)?;
    Ok(Some(bytes).filter(|bytes| bytes.len() <= limit_bytes))
}

/// What a compilation read, by content: where the same is read again, the same comes of it.
#[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Trace {
    /// The files that were asked for; none for an archive.
    roots: Vec<String>,
    /// Every file that was read, or the archive itself under no name.
    files: Vec<(String, Digest)>,
}

impl Trace {
    /// Whether the file, folder or archive `path` still holds what was read.
    pub fn holds(&self, path: &Path) -> bool {
        let limit = Limits::default().file_bytes;
        let same = match given(path) {
            Ok(Given::Archive) => {
                let Ok(bytes) = whole(path, &Limits::default()) else {
                    return false;
                };
                return self.files == [(String::new(), digest(&bytes))];
            }
            Ok(Given::Files(folder, roots)) if roots == self.roots => folder,
            Ok(Given::Files(..)) | Err(_) => return false,
        };
        let mut files = self.files.iter();
        files.all(|(name, sum)| {
            same.read(name, limit)
                .is_ok_and(|text| digest(&text) == *sum)
        })
    }
}

/// A folder that keeps in mind what was read of it.
struct Traced {
    folder: Folder,
    read: RefCell<Vec<(String, Digest)>>,
}

impl Sources for Traced {
    fn read(&self, name: &str, limit_bytes: usize) -> Result<Cow<'_, [u8]>, SourceError> {
        let text = self.folder.read(name, limit_bytes)?;
        self.read
            .borrow_mut()
            .push((name.to_owned(), digest(&text)));
        Ok(text)
    }
}

/// What a path names.
enum Given {
    /// A zip archive.
    Archive,
    /// Files of a folder.
    Files(Folder, Vec<String>),
}

fn given(path: &Path) -> io::Result<Given> {
    if fs::metadata(path)?.is_dir() {
        return Ok(Given::Files(Folder(path.to_owned()), folder_roots(path)?));
    }
    let ending = path.extension();
    if ending.is_some_and(|ending| ending.eq_ignore_ascii_case("zip")) {
        return Ok(Given::Archive);
    }
    let name = path.file_name().unwrap_or_default();
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    let folder = Folder(folder.unwrap_or(Path::new(".")).to_owned());
    Ok(Given::Files(
        folder,
        vec![name.to_string_lossy().into_owned()],
    ))
}

/// What the file, folder or archive `path` declares.
///
/// # Errors
/// A path that cannot be read.
pub fn compiled(path: &Path) -> Result<Compilation, StartError> {
    traced(path).map(|(compilation, _)| compilation)
}

/// The same, with what was read for it.
pub(super) fn traced(path: &Path) -> Result<(Compilation, Trace), StartError> {
    let failed = |source| StartError::State {
        path: path.to_owned(),
        source,
    };
    let limits = Limits::default();
    match given(path).map_err(failed)? {
        Given::Archive => {
            let bytes = whole(path, &limits).map_err(failed)?;
            let files = archive(&bytes, &limits).map_err(failed)?;
            let trace = Trace {
                roots: Vec::new(),
                files: vec![(String::new(), digest(&bytes))],
            };
            let roots = archive_roots(&files);
            Ok((compile(&as_strs(&roots), &files, limits), trace))
        }
        Given::Files(folder, roots) => {
            let read = RefCell::default();
            let traced = Traced { folder, read };
            let compilation = compile(&as_strs(&roots), &traced, limits);
            let files = traced.read.into_inner();
            Ok((compilation, Trace { roots, files }))
        }
    }
}

/// The bytes of an archive, which is no larger than what it unpacks to may be.
fn whole(path: &Path, limits: &Limits) -> io::Result<Vec<u8>> {
    let bytes = bounded(fs::File::open(path)?, limits.total_bytes)?;
    bytes.ok_or_else(|| io::Error::other("the archive is too large"))
}

fn as_strs(names: &[String]) -> Vec<&str> {
    names.iter().map(String::as_str).collect()
}

fn is_mof(name: &str) -> bool {
    Path::new(name)
        .extension()
        .is_some_and(|ending| ending.eq_ignore_ascii_case("mof"))
}

/// The MOF files directly in a folder.
fn folder_roots(folder: &Path) -> io::Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(folder)? {
        let name = entry?.file_name().to_string_lossy().into_owned();
        names.extend(Some(name).filter(|name| is_mof(name)));
    }
    names.sort();
    Ok(names)
}

/// The MOF files of an archive, by name. An archive that unpacks to more than the compiler would
/// take is refused before it fills the memory.
fn archive(bytes: &[u8], limits: &Limits) -> io::Result<BTreeMap<String, Vec<u8>>> {
    let mut archive = ZipArchive::new(Cursor::new(bytes)).map_err(io::Error::other)?;
    let (mut files, mut left) = (BTreeMap::new(), limits.total_bytes);
    for index in 0..archive.len().min(limits.files) {
        let file = archive.by_index(index).map_err(io::Error::other)?;
        let name = file.name().map_err(io::Error::other)?.into_owned();
        if !is_mof(&name) {
            continue;
        }
        let bytes = bounded(file, limits.file_bytes.min(left))?;
        let bytes = bytes.ok_or_else(|| io::Error::other(format!("{name} unpacks to too much")))?;
        left -= bytes.len();
        files.insert(name, bytes);
    }
    Ok(files)
}

/// DMTF's archives have one file that includes all others; other archives are taken file by file.
fn archive_roots(files: &BTreeMap<String, Vec<u8>>) -> Vec<String> {
    let top = || files.keys().filter(|name| !name.contains('/'));
    let is_root = |name: &&String| name.to_lowercase().starts_with("cim_schema_");
    match top().find(is_root) {
        Some(root) => vec![root.clone()],
        None => files.keys().cloned().collect(),
    }
}
