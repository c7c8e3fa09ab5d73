//! Dependencies between jobs: an entry of `DependsOn`, and whether it holds.

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

impl FromStr for Dependency {
    type Err = SpecError;

    fn from_str(entry: &str) -> Result<Self, SpecError> {
        let syntax = || {
            let shown = entry.chars().take(300).collect();
            SpecError::new("DependsOn", Rule::DependencySyntax(shown))
        };
        let (id, word) = entry.split_once(';').unwrap_or((entry, "succeeded"));
        let all = [Condition::Succeeded, Condition::Failed, Condition::Ended];
        let condition = all.into_iter().find(|condition| condition.word() == word);
        Ok(Self {
            job: JobId::new(id).map_err(|_| syntax())?,
            condition: condition.ok_or_else(syntax)?,
        })
    }
}
