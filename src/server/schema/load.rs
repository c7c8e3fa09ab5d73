//! The embedded MOF, with the administrator's in the places of classes of the same name.

use std::path::PathBuf;
use std::sync::Arc;

use crate::mof::{Compilation, Diagnostic, Embedded, Limits, compile, render};
use crate::schema::{Builder, DeclError, Schema};

use super::super::StartError;
use super::sources;

/// The schema of the embedded `roots`, with the MOF of `added` in the places of classes of the
/// same name.
pub(in crate::server) fn load(
    roots: &[&str],
    added: &[PathBuf],
) -> Result<Arc<Schema>, StartError> {
    let mut builder = Builder::new();
    let embedded = compile(roots, &Embedded, Limits::default());
    let mut compilations = vec![embedded];
    for path in added {
        compilations.push(sources::compiled(path)?);
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
