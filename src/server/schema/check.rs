//! MOF files judged as the server would judge them, without a server.

use std::path::PathBuf;

use super::super::StartError;
use super::judge::{Finding, Ground, judge};
use super::sources;

/// Everything that is wrong with the MOF of `paths`.
///
/// # Errors
/// A path that cannot be read.
pub fn check(paths: &[PathBuf], ground: Ground) -> Result<Vec<Finding>, StartError> {
    let given: Result<Vec<_>, _> = paths.iter().map(|path| sources::compiled(path)).collect();
    Ok(judge(&given?, ground))
}
