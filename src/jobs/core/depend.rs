//! Dependencies between jobs: an entry of `DependsOn`, and whether it holds.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::id::JobId;
use super::rules::{Rule, SpecError};
use super::state::JobState;

/// How the other job must have ended; the numbers are those of `JW_JobDependency.Condition`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Condition {
    /// Completed. An entry without a condition means this.
    Succeeded = 2,
    /// Ended in any other final state.
    Failed = 3,
    /// Ended in any final state.
    Ended = 4,
}

/// One entry of `DependsOn`: `InstanceID`, or with `;succeeded`, `;failed` or `;ended` after it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dependency {
    /// The other job.
    pub job: JobId,
    /// How it must end.
    pub condition: Condition,
}

impl Condition {
    const ALL: [Self; 3] = [Self::Succeeded, Self::Failed, Self::Ended];

    /// The condition with this number.
    pub fn from_number(number: u16) -> Option<Self> {
        let mut all = Self::ALL.into_iter();
        all.find(|condition| condition.number() == number)
    }

    /// The number of `JW_JobDependency.Condition`.
    pub fn number(self) -> u16 {
        self as u16
    }

    /// Whether an end in `state` meets the condition; `None` while the other job has not ended.
    pub fn holds(self, state: JobState) -> Option<bool> {
        state.is_final().then_some(match self {
            Self::Succeeded => state == JobState::Completed,
            Self::Failed => state != JobState::Completed,
            Self::Ended => true,
        })
    }

    /// The word that follows the semicolon.
    pub fn word(self) -> &'static str {
        match self {
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::Ended => "ended",
        }
    }
}

/// What is said of an entry whose job is not there.
pub fn unknown_dependency(job: &JobId) -> SpecError {
    SpecError::new("DependsOn", Rule::UnknownDependency(job.to_string()))
}

impl fmt::Display for Dependency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{};{}", self.job, self.condition.word())
    }
}

impl FromStr for Dependency {
    type Err = SpecError;

    fn from_str(entry: &str) -> Result<Self, SpecError> {
        let syntax = || {
            let shown = entry.chars().take(300).collect();
            SpecError::new("DependsOn", Rule::DependencySyntax(shown))
        };
        let (id, word) = entry.split_once(';').unwrap_or((entry, "succeeded"));
        let mut all = Condition::ALL.into_iter();
        let condition = all.find(|condition| condition.word() == word);
        Ok(Self {
            job: JobId::new(id).map_err(|_| syntax())?,
            condition: condition.ok_or_else(syntax)?,
        })
    }
}
