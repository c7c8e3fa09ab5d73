//! What server and supervisor tell each other: one JSON value on a line, each with its version.
//!
//! Supervisors outlive upgrades of the server: a field is only ever added, and whoever reads a
//! version newer than its own says so instead of guessing.

use std::path::PathBuf;
use std::time::Duration;

use chrono::{DateTime, Utc};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::super::core::{Signal, Written};

/// Version of the messages that this program writes.
pub const VERSION: u32 = 1;
/// Longest line of a report; a pipe takes so much in one piece.
pub const LINE_LIMIT_BYTES: usize = 4096;

/// What a supervisor is to run. It comes over standard input, because arguments may be secret.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Spec {
    /// Folder of the run, with the fifos.
    pub folder: PathBuf,
    /// What to execute.
    pub program: Program,
    /// The whole environment of the job but for the progress descriptor.
    pub environment: Vec<(String, String)>,
    /// The directory to start in; `None` for `HOME`, or `/` without one.
    pub working_directory: Option<String>,
    /// Most bytes kept of each output.
    pub output_limit_bytes: u64,
    /// Processor time, in seconds, that each process of the run may use.
    #[serde(default)]
    pub cpu_limit_seconds: Option<u64>,
}

/// What a run executes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Program {
    /// An argument vector, first the program.
    Command(Vec<String>),
    /// A text and the interpreter it is given to.
    Script {
        /// The text.
        text: String,
        /// Absolute path of the interpreter.
        interpreter: String,
    },
}

/// What a supervisor reports.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Report {
    /// The program runs.
    Running {
        /// Its process id.
        pid: i32,
        /// Why it is not in the cgroup that it was to be in.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        outside: Option<String>,
    },
    /// The job reported progress.
    Progress {
        /// 0 to 100.
        percent: Option<u8>,
        /// A text.
        text: Option<String>,
    },
    /// A signal was delivered, or there was nothing to deliver it to.
    Signalled {
        /// Which.
        signal: Told,
        /// Whether it was delivered.
        delivered: bool,
    },
    /// The run is over and nothing of it is left.
    Ended(End),
}

/// How a run ended; also the content of the exit file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct End {
    /// How.
    pub outcome: Outcome,
    /// When, by the machine's clock.
    #[serde(with = "super::super::core::instant")]
    pub at: DateTime<Utc>,
    /// Processor time of all its processes.
    pub cpu: Option<Duration>,
    /// Largest memory that one of them held, in bytes.
    pub max_rss_bytes: Option<u64>,
    /// How much they wrote; `None` from a supervisor of an older version.
    #[serde(default)]
    pub written: Option<Written>,
}

/// The ways a run can end.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Outcome {
    /// With an exit status.
    Exited(u8),
    /// By a signal.
    Signalled(u8),
    /// It could not be started, for this reason.
    NotStarted(String),
    /// Nobody gave leave to start it.
    NeverReleased,
}

/// What a supervisor is told on its control fifo, one word on a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Told {
    /// Stop the run.
    Suspend,
    /// Continue it.
    Continue,
    /// Ask it to end.
    Terminate,
    /// End it.
    Kill,
    /// Its end is on record.
    Acknowledge,
    /// A server is there; report the present state.
    Hello,
}

impl From<Signal> for Told {
    fn from(signal: Signal) -> Self {
        match signal {
            Signal::Suspend => Self::Suspend,
            Signal::Continue => Self::Continue,
            Signal::Terminate => Self::Terminate,
            Signal::Kill => Self::Kill,
        }
    }
}

impl Told {
    /// The signal that this asks for.
    pub fn signal(self) -> Option<Signal> {
        match self {
            Self::Suspend => Some(Signal::Suspend),
            Self::Continue => Some(Signal::Continue),
            Self::Terminate => Some(Signal::Terminate),
            Self::Kill => Some(Signal::Kill),
            Self::Acknowledge | Self::Hello => None,
        }
    }
}

/// A message with its version.
#[derive(Serialize, Deserialize)]
struct Envelope<T> {
    v: u32,
    m: T,
}

/// The version alone, read first: the rest of a newer message may have any shape.
#[derive(Deserialize)]
struct Version {
    v: u32,
}

/// A message that cannot be read.
#[derive(Debug, Error)]
pub enum MessageError {
    /// It was written by a newer program.
    #[error("a message of version {0}, and this program knows versions up to {VERSION}")]
    Newer(u32),
    /// It is damaged.
    #[error("a damaged message")]
    Damaged(#[from] serde_json::Error),
}

/// `message` as a text without line breaks.
pub fn text<T: Serialize>(message: &T) -> String {
    let envelope = Envelope {
        v: VERSION,
        m: message,
    };
    serde_json::to_string(&envelope).expect("messages have string keys only")
}

/// `message` as a line.
pub fn line<T: Serialize>(message: &T) -> Vec<u8> {
    let mut line = text(message).into_bytes();
    line.push(b'\n');
    line
}

/// Reads what [`text`] or [`line()`] wrote.
pub fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, MessageError> {
    let Version { v } = serde_json::from_slice(bytes)?;
    if v > VERSION {
        return Err(MessageError::Newer(v));
    }
    let Envelope { m, .. } = serde_json::from_slice(bytes)?;
    Ok(m)
}

/// Lines out of pieces of bytes, bounded in length.
#[derive(Debug, Default)]
pub struct Lines {
    held: Vec<u8>,
    /// The present line is too long and is dropped up to its end.
    dropping: bool,
}

impl Lines {
    /// Takes `bytes` and gives the lines that are complete now, without their ends.
    pub fn take(&mut self, bytes: &[u8], limit_bytes: usize) -> Vec<Vec<u8>> {
        let mut lines = Vec::new();
        for byte in bytes {
            match byte {
                b'\n' => {
                    let line = std::mem::take(&mut self.held);
                    if !std::mem::take(&mut self.dropping) {
                        lines.push(line);
                    }
                }
                _ if self.dropping => {}
                _ if self.held.len() >= limit_bytes => {
                    self.held.clear();
                    self.dropping = true;
                }
                byte => self.held.push(*byte),
            }
        }
        lines
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_come_out_whole_and_long_ones_not_at_all() {
        let mut lines = Lines::default();
        assert_eq!(lines.take(b"ab", 4), Vec::<Vec<u8>>::new());
        assert_eq!(lines.take(b"c\nd\n", 4), [b"abc".to_vec(), b"d".to_vec()]);
        assert_eq!(lines.take(b"12345678\nok\n", 4), [b"ok".to_vec()]);
        assert_eq!(
            lines.take(b"1234\n", 4),
            [b"1234".to_vec()],
            "the limit itself is fine"
        );
    }

    #[test]
    fn reports_read_back() {
        let report = Report::Progress {
            percent: Some(42),
            text: Some("a\nb".into()),
        };
        let line = line(&report);
        assert_eq!(line.split(|byte| *byte == b'\n').count(), 2);
        assert_eq!(parse::<Report>(&line).expect("a message"), report);
    }

    #[test]
    fn a_newer_message_is_refused_whatever_is_in_it() {
        let newer = format!(r#"{{"v":{},"m":{{"Vanished":1}}}}"#, VERSION + 1);
        let refused = parse::<Report>(newer.as_bytes()).map_err(|error| error.to_string());
        let expected = "a message of version 2, and this program knows versions up to 1";
        assert_eq!(refused, Err(expected.to_owned()));
        for damaged in ["", "{}", r#"{"v":1}"#, r#"{"v":1,"m":{"Vanished":1}}"#] {
            let refused = parse::<Report>(damaged.as_bytes());
            assert!(
                matches!(refused, Err(MessageError::Damaged(_))),
                "{damaged}: {refused:?}"
            );
        }
    }
}
