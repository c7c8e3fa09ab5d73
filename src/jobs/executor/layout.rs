//! Where the files of runs are: a folder for each job, in it a folder for each run.

use std::path::{Path, PathBuf};

use super::super::core::JobId;

/// Longest part of an encoded id in one folder name.
const PART_BYTES: usize = 200;

/// The folder of all runs.
#[derive(Debug, Clone)]
pub struct Layout {
    root: PathBuf,
}

impl Layout {
    /// Runs below `root`.
    pub fn new(root: PathBuf) -> Self {
        Self { root }
    }

    /// The folder of the job `id`.
    ///
    /// An id may hold any character and be longer than a file name may be: it is encoded, and cut
    /// into nested folders. The last part alone begins with `i-`, so that no job's folder is inside
    /// another's.
    pub fn job(&self, id: &JobId) -> PathBuf {
        let encoded = encode(id.as_str());
        let mut folder = self.root.clone();
        let mut rest = encoded.as_str();
        while rest.len() > PART_BYTES {
            let (part, more) = rest.split_at(PART_BYTES);
            folder.push(format!("p-{part}"));
            rest = more;
        }
        folder.push(format!("i-{rest}"));
        folder
    }

    /// The folder of run `number` of the job `id`.
    pub fn run(&self, id: &JobId, number: u32) -> PathBuf {
        self.job(id).join(number.to_string())
    }
}

/// ASCII only, so that it can be cut anywhere.
fn encode(id: &str) -> String {
    let mut encoded = String::with_capacity(id.len());
    for byte in id.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b':') {
            encoded.push(char::from(byte));
        } else {
            encoded.push('%');
            for digit in [byte >> 4, byte & 15] {
                encoded.extend(char::from_digit(digit.into(), 16));
            }
        }
    }
    encoded
}

/// The fifo on which a supervisor is told what to do.
pub(crate) fn control(run: &Path) -> PathBuf {
    run.join("control")
}
/// The fifo on which a supervisor reports.
pub(crate) fn news(run: &Path) -> PathBuf {
    run.join("news")
}
/// The file that says how a run ended, when nobody was there to be told.
pub(crate) fn exit(run: &Path) -> PathBuf {
    run.join("exit")
}
/// The file that names the process that leads the run.
pub(crate) fn leader(run: &Path) -> PathBuf {
    run.join("leader")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(id: &str) -> PathBuf {
        Layout::new("/r".into()).job(&JobId::new(id).expect("an id"))
    }

    #[test]
    fn ids_cannot_leave_the_folder_or_share_one() {
        assert_eq!(folder("JW:1-2"), Path::new("/r/i-JW:1-2"));
        assert_eq!(folder("../x"), Path::new("/r/i-%2e%2e%2fx"));
        let (short, long) = (folder(&"a".repeat(200)), folder(&"a".repeat(201)));
        assert!(!long.starts_with(&short), "{long:?} is inside {short:?}");
        assert_ne!(folder("a b"), folder("a%20b"));
    }
}
