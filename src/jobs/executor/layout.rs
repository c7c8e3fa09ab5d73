//! Where the files of runs are: a folder for each job, in it a folder for each run.

use std::fs;
use std::io;
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

    /// Removes the folder of a run, and that of its job when it was the last one.
    pub fn remove_run(&self, id: &JobId, number: u32) -> io::Result<()> {
        fs::remove_dir_all(self.run(id, number))?;
        // It may hold another run.
        fs::remove_dir(self.job(id)).ok();
        Ok(())
    }

    /// Every run that has a folder; what is none of ours is left out.
    pub fn survey(&self) -> Vec<(JobId, u32)> {
        let mut found = Vec::new();
        let mut folders = vec![(self.root.clone(), String::new())];
        while let Some((folder, before)) = folders.pop() {
            for (name, path) in entries(&folder) {
                if let Some(part) = name.strip_prefix("p-") {
                    folders.push((path, format!("{before}{part}")));
                } else if let Some(id) = name.strip_prefix("i-") {
                    let Some(id) = decode(&format!("{before}{id}")) else {
                        continue;
                    };
                    let runs = entries(&path).filter_map(|(name, _)| name.parse().ok());
                    found.extend(runs.map(|number| (id.clone(), number)));
                }
            }
        }
        found
    }
}

/// Names and paths of what is in `folder`; nothing when it cannot be read.
fn entries(folder: &Path) -> impl Iterator<Item = (String, PathBuf)> + use<> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries.filter_map(|entry| Some((entry.file_name().into_string().ok()?, entry.path())))
}

/// The id that [`encode`] made `encoded` from.
fn decode(encoded: &str) -> Option<JobId> {
    let mut bytes = Vec::with_capacity(encoded.len());
    let mut rest = encoded.bytes();
    while let Some(byte) = rest.next() {
        let mut digit = || char::from(rest.next()?).to_digit(16);
        bytes.push(match byte {
            b'%' => u8::try_from(digit()? * 16 + digit()?).ok()?,
            plain => plain,
        });
    }
    JobId::new(std::str::from_utf8(&bytes).ok()?).ok()
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

    #[test]
    fn what_is_on_disk_is_found_and_goes_with_its_job() {
        let root = tempfile::tempdir().expect("a folder");
        let layout = Layout::new(root.path().into());
        let long = "\u{e9} ../%".repeat(36);
        let id = |text: &str| JobId::new(text).expect("an id");
        let (short, long) = (id("JW:1"), id(&long));
        let mut runs = vec![(short.clone(), 1), (short.clone(), 12), (long, 7)];
        for (id, number) in &runs {
            fs::create_dir_all(layout.run(id, *number)).expect("makes it");
        }
        fs::create_dir(root.path().join("i-%zz")).expect("makes it");
        let found = |layout: &Layout| {
            let mut found = layout.survey();
            found.sort();
            found
        };
        runs.sort();
        assert_eq!(found(&layout), runs);
        layout.remove_run(&short, 1).expect("is there");
        assert!(layout.job(&short).exists(), "run 12 is in it");
        layout.remove_run(&short, 12).expect("is there");
        assert!(!layout.job(&short).exists(), "the last run has gone");
        assert_eq!(found(&layout), [runs[2].clone()]);
    }
}
