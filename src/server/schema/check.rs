//! MOF judged as the server would judge it, without a server: every diagnostic of every file.

use std::collections::HashSet;
use std::path::PathBuf;

use crate::model::{CimName, Element};
use crate::mof::{
    Compilation, Diagnostic, Embedded, Limits, Note, ROOTS, SourceMap, Span, compile,
};
use crate::schema::{Builder, DeclError};

use super::super::StartError;
use super::sources;

/// A diagnostic with the texts it points into.
pub struct Finding {
    /// What is wrong; its own note points into the same texts.
    pub diagnostic: Diagnostic,
    /// The texts of the diagnostic.
    pub sources: SourceMap,
    /// A note that points into other texts.
    pub elsewhere: Option<(Note, SourceMap)>,
}

/// Everything that is wrong with the MOF of `paths` on top of the embedded schema, or of nothing.
///
/// # Errors
/// A path that cannot be read.
pub fn check(paths: &[PathBuf], alone: bool) -> Result<Vec<Finding>, StartError> {
    let given: Result<Vec<_>, _> = paths.iter().map(|path| sources::compiled(path)).collect();
    let mut compilations = given?;
    let mut findings = front_end(&compilations);
    // What a broken text declares is incomplete: judging it would only repeat its faults.
    if compilations.iter().any(Compilation::has_errors) {
        return Ok(findings);
    }
    let errors = judged(&compilations, alone);
    compilations.extend((!alone).then(embedded));
    findings.extend(
        errors
            .iter()
            .filter_map(|error| located(error, &compilations)),
    );
    Ok(findings)
}

fn embedded() -> Compilation {
    let root: &str = ROOTS[0];
    compile(&[root], &Embedded, Limits::default())
}

pub(super) fn front_end(compilations: &[Compilation]) -> Vec<Finding> {
    let of = |compilation: &Compilation| {
        let sources = compilation.sources.clone();
        let found = compilation.diagnostics.clone().into_iter();
        found.map(move |diagnostic| Finding {
            diagnostic,
            sources: sources.clone(),
            elsewhere: None,
        })
    };
    compilations.iter().flat_map(of).collect()
}

/// The faults of all declarations together; what is given stands in the places of embedded
/// declarations of the same name, and two different ones that are given are a fault.
fn judged(given: &[Compilation], alone: bool) -> Vec<DeclError> {
    let mut builder = Builder::new();
    let batches = || given.iter().flat_map(|compilation| &compilation.batches);
    if !alone {
        let replaced: HashSet<CimName> = batches()
            .flat_map(|batch| {
                let classes = batch.classes.iter().map(|decl| decl.name.clone());
                classes.chain(batch.qualifiers.iter().map(|decl| decl.name.clone()))
            })
            .collect();
        for batch in embedded().batches {
            let classes = batch.classes.into_iter();
            let qualifiers = batch.qualifiers.into_iter();
            classes
                .filter(|decl| !replaced.contains(&decl.name))
                .for_each(|decl| builder.class(decl));
            qualifiers
                .filter(|decl| !replaced.contains(&decl.name))
                .for_each(|decl| builder.qualifier(decl));
        }
    }
    for batch in batches() {
        batch
            .classes
            .iter()
            .cloned()
            .for_each(|decl| builder.class(decl));
        batch
            .qualifiers
            .iter()
            .cloned()
            .for_each(|decl| builder.qualifier(decl));
    }
    builder.build().err().unwrap_or_default()
}

/// `error` at its place, with the other place that belongs to it.
fn located(error: &DeclError, compilations: &[Compilation]) -> Option<Finding> {
    let (at, span) = place(&error.element, compilations).or_else(|| first(compilations))?;
    let mut diagnostic = Diagnostic::declaration(error.kind.code(), span, error.to_string());
    diagnostic.hint = error.kind.hint().map(Into::into);
    let related = error.related();
    let related = related.and_then(|(element, what)| Some((place(&element, compilations)?, what)));
    let mut elsewhere = None;
    if let Some(((other, span), what)) = related {
        let message = what.to_owned();
        if other == at {
            diagnostic.note = Some(Note { span, message });
        } else {
            let sources = compilations.get(other)?.sources.clone();
            elsewhere = Some((Note { span, message }, sources));
        }
    }
    Some(Finding {
        diagnostic,
        sources: compilations.get(at)?.sources.clone(),
        elsewhere,
    })
}

/// The first declaration of all: a fault whose own place is not known is told there, and never lost.
fn first(compilations: &[Compilation]) -> Option<(usize, Span)> {
    let batches = compilations
        .iter()
        .flat_map(|compilation| &compilation.batches);
    let mut owners = batches.flat_map(|batch| {
        let classes = batch.classes.iter().map(|decl| &decl.name);
        classes.chain(batch.qualifiers.iter().map(|decl| &decl.name))
    });
    owners.find_map(|owner| {
        let element = Element {
            owner: owner.clone(),
            feature: None,
            parameter: None,
            qualifier: None,
        };
        place(&element, compilations)
    })
}

/// Which compilation has `element`, and where.
fn place(element: &Element, compilations: &[Compilation]) -> Option<(usize, Span)> {
    let found = |compilation: &Compilation| {
        let mut batches = compilation.batches.iter();
        batches.find_map(|batch| batch.locate(element))
    };
    let mut numbered = compilations.iter().enumerate();
    numbered.find_map(|(at, compilation)| Some((at, found(compilation)?)))
}
