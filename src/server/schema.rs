//! The schema that the server starts with: the embedded MOF, and over it what the administrator adds.

#![expect(
    clippy::disallowed_methods,
    reason = "MOF is read from files at the start"
)]

use std::borrow::Cow;
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::mof::{
    Compilation, Diagnostic, Embedded, Limits, SourceError, Sources, compile, render,
};
use crate::schema::{Builder, DeclError, Schema};

use super::StartError;

/// A folder of MOF files; names lead below it and nowhere else.
struct Folder(PathBuf);

impl Sources for Folder {
    fn read(&self, name: &str, limit_bytes: usize) -> Result<Cow<'_, [u8]>, SourceError> {
        let unreadable = |error: std::io::Error| match error.kind() {
            std::io::ErrorKind::NotFound => SourceError::Missing,
            _ => SourceError::Unreadable(error.to_string()),
        };
        let root = self.0.canonicalize().map_err(unreadable)?;
        let path = root.join(name).canonicalize().map_err(unreadable)?;
        if !path.starts_with(&root) {
            return Err(SourceError::Missing);
        }
        let mut bytes = Vec::new();
        let file = fs::File::open(path).map_err(unreadable)?;
        let read = file
            .take(limit_bytes as u64 + 1)
            .read_to_end(&mut bytes)
            .map_err(unreadable)?;
        if read > limit_bytes {
            return Err(SourceError::TooLarge(limit_bytes));
        }
        Ok(Cow::Owned(bytes))
    }
}

/// The schema of the embedded root `root`, with the MOF of `added` in the places of classes of the
/// same name.
pub(super) fn load(root: &str, added: &[PathBuf]) -> Result<Arc<Schema>, StartError> {
    let mut builder = Builder::new();
    let embedded = compile(&[root], &Embedded, Limits::default());
    let mut compilations = vec![embedded];
    for path in added {
        compilations.push(from_path(path)?);
    }
    for compilation in &compilations {
        sound(compilation)?;
        for batch in &compilation.batches {
            batch
                .qualifiers
                .iter()
                .cloned()
                .for_each(|decl| builder.replace_qualifier(decl));
            batch
                .classes
                .iter()
                .cloned()
                .for_each(|decl| builder.replace_class(decl));
        }
    }
    let schema = builder
        .build()
        .map_err(|errors| located(&errors, &compilations))?;
    Ok(Arc::new(schema))
}

/// A file alone, or every `.mof` of a folder that no other includes.
fn from_path(path: &Path) -> Result<Compilation, StartError> {
    let failed = |source| StartError::State {
        path: path.to_owned(),
        source,
    };
    let is_folder = fs::metadata(path).map_err(failed)?.is_dir();
    let (folder, names) = if is_folder {
        let mut names = Vec::new();
        for entry in fs::read_dir(path).map_err(failed)? {
            let name = entry
                .map_err(failed)?
                .file_name()
                .to_string_lossy()
                .into_owned();
            names.extend(Some(name).filter(|name| name.to_lowercase().ends_with(".mof")));
        }
        names.sort();
        (path, names)
    } else {
        let name = path
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        (path.parent().unwrap_or(Path::new(".")), vec![name])
    };
    let folder = if folder.as_os_str().is_empty() {
        Path::new(".")
    } else {
        folder
    };
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    Ok(compile(
        &names,
        &Folder(folder.to_owned()),
        Limits::default(),
    ))
}

fn sound(compilation: &Compilation) -> Result<(), StartError> {
    for diagnostic in &compilation.diagnostics {
        tracing::warn!("{}", render(diagnostic, &compilation.sources));
    }
    if compilation.has_errors() {
        let shown = compilation
            .diagnostics
            .iter()
            .map(|d| render(d, &compilation.sources));
        return Err(StartError::Schema(shown.collect::<Vec<_>>().join("\n")));
    }
    Ok(())
}

/// The errors of the schema at their places in the text.
fn located(errors: &[DeclError], compilations: &[Compilation]) -> StartError {
    let shown = errors.iter().map(|error| {
        let place = compilations.iter().rev().find_map(|compilation| {
            let span = compilation
                .batches
                .iter()
                .find_map(|batch| batch.locate(&error.element))?;
            let diagnostic = Diagnostic::declaration("declaration", span, error.to_string());
            Some(render(&diagnostic, &compilation.sources))
        });
        place.unwrap_or_else(|| error.to_string())
    });
    StartError::Schema(shown.collect::<Vec<_>>().join("\n"))
}
