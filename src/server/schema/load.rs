//! The embedded MOF, with the administrator's in the places of classes of the same name.

use std::collections::HashSet;
use std::path::PathBuf;
use std::sync::Arc;

use crate::model::CimName;
use crate::mof::{Compilation, Diagnostic, Embedded, Limits, compile, render};
use crate::schema::{Builder, DeclError, Edit, Schema};

use super::super::StartError;
use super::sources;

/// The schemas of the namespaces of the configuration.
pub(in crate::server) struct Loaded {
    /// That of the main namespace.
    pub main: Arc<Schema>,
    /// That of the interop namespace: it knows the classes of the main one too, since what describes
    /// the server refers to them, and MOF that an administrator adds may build on them.
    pub interop: Arc<Schema>,
}

/// The embedded schema, with the MOF of `added` in the places of classes of the same name.
///
/// # Errors
/// MOF that cannot be read or is not sound.
pub(in crate::server) fn load(added: &[PathBuf]) -> Result<Loaded, StartError> {
    let embedded = |root: &str| compile(&[root], &Embedded, Limits::default());
    let mut compilations = vec![embedded("cimv2.mof")];
    for path in added {
        compilations.push(sources::compiled(path)?);
    }
    let mut builder = Builder::new();
    for compilation in &compilations {
        sound(compilation)?;
        for batch in &compilation.batches {
            let qualifiers = batch.qualifiers.iter().cloned();
            qualifiers.for_each(|decl| builder.replace_qualifier(decl));
            let classes = batch.classes.iter().cloned();
            classes.for_each(|decl| builder.replace_class(decl));
        }
    }
    let main = builder
        .build()
        .map_err(|errors| located(&errors, &compilations))?;
    let further = embedded("interop.mof");
    sound(&further)?;
    let edited = main.edited(missing(&further, &main));
    compilations.push(further);
    let interop = edited.map_err(|errors| located(&errors, &compilations))?;
    Ok(Loaded {
        main: Arc::new(main),
        interop: Arc::new(interop.schema),
    })
}

/// What `compilation` declares and `schema` does not have.
fn missing(compilation: &Compilation, schema: &Schema) -> Vec<Edit> {
    let known: HashSet<&CimName> = schema.classes().map(|class| &class.name).collect();
    let batches = || compilation.batches.iter();
    let qualifiers = batches().flat_map(|batch| &batch.qualifiers);
    let qualifiers = qualifiers.filter(|decl| schema.qualifier(decl.name.as_str()).is_none());
    let classes = batches().flat_map(|batch| &batch.classes);
    let classes = classes.filter(|decl| !known.contains(&decl.name));
    let qualifiers = qualifiers.cloned().map(Edit::Qualifier);
    qualifiers
        .chain(classes.cloned().map(Edit::Class))
        .collect()
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
