//! Names of jobs and of those who submit them.

use std::borrow::Borrow;
use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::rules::{Rule, SpecError};

/// Longest `InstanceID` that a client may choose, in bytes.
pub const ID_LIMIT_BYTES: usize = 256;

/// The `InstanceID` of a job: 1 to 256 bytes without `;` and control characters.
///
/// The invariant holds for every value, whether a client chose it or the engine did.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct JobId(Arc<str>);

impl JobId {
    /// The id in `text`; refused when empty, too long, or with `;` (which `DependsOn` needs)
    /// or a control character in it.
    pub fn new(text: &str) -> Result<Self, SpecError> {
        let wrong = text.is_empty()
            || text.len() > ID_LIMIT_BYTES
            || text.chars().any(|c| c == ';' || c.is_control());
        if wrong {
            return Err(SpecError::new("InstanceID", Rule::Id));
        }
        Ok(Self(text.into()))
    }

    /// An id that no other one comes before, to begin a range with.
    pub fn lowest() -> Self {
        Self("\u{20}".into())
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for JobId {
    type Error = SpecError;

    fn try_from(text: String) -> Result<Self, SpecError> {
        Self::new(&text)
    }
}

impl From<JobId> for String {
    fn from(id: JobId) -> Self {
        id.as_str().to_owned()
    }
}

impl fmt::Display for JobId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Borrow<str> for JobId {
    fn borrow(&self) -> &str {
        &self.0
    }
}

/// Who submitted a job: the authenticated name, with the uid that the job runs as.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Submitter {
    /// The authenticated name, `Owner` of the job.
    pub name: String,
    /// The numeric user id at the time of submission.
    pub uid: u32,
}
