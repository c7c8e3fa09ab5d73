//! The embedded MOF, with the administrator's in the places of classes of the same name.

use std::mem::take;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::mof::{Compilation, Embedded, Limits, compile, render};
use crate::schema::{DeclError, Schema};

use super::super::StartError;
use super::check::check;
use super::judge::{Finding, Ground};
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
    if compilations.iter().any(Compilation::has_errors) || further.has_errors() {
        return Err(refused(added, &[]));
    }
    let warnings: Vec<String> = compilations.iter().flat_map(warnings).collect();
    for warning in &warnings {
        tracing::warn!("{warning}");
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
    let compiled = Compiled {
        warnings,
        main,
        interop,
    };
    let bytes = snapshot::encode(traces, &compiled);
    let loaded = built(compiled).map_err(|error| StartError::Schema(error.to_string()))?;
    let loaded = loaded.map_err(|errors| refused(added, &errors))?;
    if let Some(bytes) = bytes {
        snapshot::write(kept, &bytes);
    }
    Ok(loaded)
}

/// What is said of a compilation, none of which is an error.
fn warnings(compilation: &Compilation) -> impl Iterator<Item = String> {
    let said = compilation.diagnostics.iter();
    said.map(|diagnostic| render(diagnostic, &compilation.sources))
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

/// Everything that is wrong with `added`, as `mof check` tells it; where that finds nothing, `errors`.
fn refused(added: &[PathBuf], errors: &[DeclError]) -> StartError {
    let findings = check(added, Ground::Embedded).unwrap_or_default();
    let faults = findings.iter().filter(|finding| finding.is_error());
    let mut faults: Vec<String> = faults.map(Finding::to_string).collect();
    if faults.is_empty() {
        faults.extend(errors.iter().map(DeclError::to_string));
    }
    StartError::Schema(faults.join("\n\n"))
}
