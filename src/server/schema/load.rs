//! The embedded MOF, with the administrator's in the places of classes of the same name.

use std::mem::take;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::mof::{Compilation, Diagnostic, Embedded, Limits, compile, render};
use crate::schema::{DeclError, Schema};

use super::super::StartError;
use super::snapshot::{self, Compiled, Declarations, NotUsable};
use super::sources;

/// The schemas of the namespaces of the configuration.
pub(in crate::server) struct Loaded {
    /// That of the main namespace.
    pub main: Arc<Schema>,
    /// That of the interop namespace: it knows the classes of the main one too, since what describes
    /// the server refers to them, and MOF that an administrator adds may build on them.
    pub interop: Arc<Schema>,
}

/// The embedded schema, with the MOF of `added` in the places of classes of the same name; from the
/// file `kept` where an earlier start left the same there.
///
/// # Errors
/// MOF that cannot be read or is not sound.
pub(in crate::server) fn load(added: &[PathBuf], kept: &Path) -> Result<Loaded, StartError> {
    restored(added, kept).or_else(|why| {
        tracing::debug!(%why, "the schema is compiled");
        compiled(added, kept)
    })
}

fn restored(added: &[PathBuf], kept: &Path) -> Result<Loaded, NotUsable> {
    let mut found = snapshot::read(kept, added)?;
    let warnings = std::mem::take(&mut found.warnings);
    let loaded = built(found)?.map_err(|_| NotUsable::Damaged)?;
    for warning in warnings {
        tracing::warn!("{warning}");
    }
    Ok(loaded)
}

fn compiled(added: &[PathBuf], kept: &Path) -> Result<Loaded, StartError> {
    let embedded = |root: &str| compile(&[root], &Embedded, Limits::default());
    let (mut compilations, mut traces) = (vec![embedded("cimv2.mof")], Vec::new());
    for path in added {
        let (compilation, trace) = sources::traced(path)?;
        compilations.push(compilation);
        traces.push((path.clone(), trace));
    }
    let mut further = embedded("interop.mof");
    let mut warnings = Vec::new();
    for compilation in compilations.iter().chain([&further]) {
        warnings.extend(sound(compilation)?);
    }
    let mut main = Declarations::default();
    let batches = compilations.iter_mut().flat_map(|it| &mut it.batches);
    for batch in batches {
        main.put(take(&mut batch.qualifiers), take(&mut batch.classes));
    }
    let mut interop = Declarations::default();
    for batch in &mut further.batches {
        interop.put(take(&mut batch.qualifiers), take(&mut batch.classes));
    }
    interop.without(&main);
    compilations.push(further);
    let compiled = Compiled {
        warnings,
        main,
        interop,
    };
    let bytes = snapshot::encode(traces, &compiled);
    let loaded = built(compiled).map_err(|error| StartError::Schema(error.to_string()))?;
    let loaded = loaded.map_err(|errors| located(&errors, &compilations))?;
    if let Some(bytes) = bytes {
        snapshot::write(kept, &bytes);
    }
    Ok(loaded)
}

/// The schemas of what was compiled, or the faults of its declarations.
fn built(compiled: Compiled) -> Result<Result<Loaded, Vec<DeclError>>, NotUsable> {
    let (main, interop) = (compiled.main.edits()?, compiled.interop.edits()?);
    let main = Schema::default().edited(main).map(|main| main.schema);
    Ok(main.and_then(|main| {
        let interop = main.edited(interop)?.schema;
        Ok(Loaded {
            main: Arc::new(main),
            interop: Arc::new(interop),
        })
    }))
}

/// What is said of a compilation without errors.
fn sound(compilation: &Compilation) -> Result<Vec<String>, StartError> {
    let shown = compilation.diagnostics.iter();
    let shown = shown.map(|diagnostic| render(diagnostic, &compilation.sources));
    let shown: Vec<String> = shown.collect();
    for said in &shown {
        tracing::warn!("{said}");
    }
    if compilation.has_errors() {
        return Err(StartError::Schema(shown.join("\n")));
    }
    Ok(shown)
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
