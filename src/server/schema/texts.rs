//! The texts of MOF files, as one unit that can be sent elsewhere.

use std::path::PathBuf;
use std::sync::Arc;

use super::super::StartError;
use super::judge::{Finding, front_end};
use super::sources;

/// A file of MOF.
pub struct Text {
    /// Its name; includes in other texts find it by that.
    pub name: String,
    /// What is in it.
    pub text: Arc<str>,
}

/// The texts of `paths` with everything they include, a root before what it includes, and what is
/// wrong with them by themselves.
///
/// # Errors
/// A path that cannot be read.
pub fn texts(paths: &[PathBuf]) -> Result<(Vec<Text>, Vec<Finding>), StartError> {
    let compiled: Result<Vec<_>, _> = paths.iter().map(|path| sources::compiled(path)).collect();
    let compilations = compiled?;
    let findings = front_end(&compilations);
    let is_alone = compilations.len() == 1;
    let numbered = compilations.iter().enumerate();
    let texts = numbered.flat_map(|(at, compilation)| {
        compilation.sources.iter().map(move |file| Text {
            // Two folders may have files of the same name.
            name: if is_alone {
                file.name.clone()
            } else {
                format!("{}/{}", at + 1, file.name)
            },
            text: file.text.clone(),
        })
    });
    Ok((texts.collect(), findings))
}
