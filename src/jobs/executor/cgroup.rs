//! The cgroup of one run: what descends from its program is in it, whatever it does to get away.
//!
//! A process is put there before it executes anything of the job, and what it starts is born there.
//! Only whoever may write to cgroups can leave it; such a process is still found as a descendant.

#![expect(
    clippy::disallowed_methods,
    reason = "the kernel is told of cgroups in files"
)]

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Deepest nesting of cgroups that a run makes below its own which is still looked through; what
/// lies deeper is held and ended with the rest, but not signalled one by one.
const DEPTH_LIMIT: usize = 32;

/// A cgroup that may or may not be there: one that is not there holds nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cgroup {
    folder: PathBuf,
}

impl Cgroup {
    /// The cgroup whose files are in `folder`.
    pub fn new(folder: PathBuf) -> Self {
        Self { folder }
    }

    /// Where its files are.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Makes it.
    pub fn make(&self) -> io::Result<()> {
        fs::create_dir(&self.folder)
    }

    /// Moves this process into it, and whatever it starts from now on.
    pub fn enter(&self) -> io::Result<()> {
        fs::write(self.folder.join("cgroup.procs"), "0")
    }

    /// The processes in it and below it, zombies left out by the kernel.
    pub fn processes(&self) -> Vec<i32> {
        let mut found = Vec::new();
        let mut folders = vec![(self.folder.clone(), 0)];
        while let Some((folder, depth)) = folders.pop() {
            let listed = fs::read_to_string(folder.join("cgroup.procs")).unwrap_or_default();
            let pids = listed.lines().filter_map(|line| line.parse::<i32>().ok());
            // 0 stands for a process of another namespace, which has no number here.
            found.extend(pids.filter(|pid| *pid > 0));
            if depth < DEPTH_LIMIT {
                folders.extend(below(&folder).map(|folder| (folder, depth + 1)));
            }
        }
        found
    }

    /// Whether any process is in it or below it.
    pub fn is_populated(&self) -> bool {
        self.says("cgroup.events", "populated") == Some(1)
    }

    /// Whether everything in it stands still.
    pub fn is_frozen(&self) -> bool {
        self.says("cgroup.events", "frozen") == Some(1)
    }

    /// Has everything in it stand still, or go on; the processes cannot see it. An error where the
    /// kernel cannot do it (before Linux 5.2).
    pub fn freeze(&self, still: bool) -> io::Result<()> {
        let word = if still { "1" } else { "0" };
        fs::write(self.folder.join("cgroup.freeze"), word)
    }

    /// Kills everything in it at once, what is being started meanwhile included. An error where the
    /// kernel cannot do it (before Linux 5.14).
    pub fn kill(&self) -> io::Result<()> {
        fs::write(self.folder.join("cgroup.kill"), "1")
    }

    /// Processor time of all that ever was in it.
    pub fn cpu(&self) -> Option<Duration> {
        self.says("cpu.stat", "usage_usec")
            .map(Duration::from_micros)
    }

    /// Removes it with all that the run made below it; fails while a process is in it.
    pub fn remove(&self) -> io::Result<()> {
        remove(&self.folder, 0)
    }

    /// The number after `key` in one of its files.
    fn says(&self, file: &str, key: &str) -> Option<u64> {
        let text = fs::read_to_string(self.folder.join(file)).ok()?;
        let mut lines = text.lines().filter_map(|line| line.split_once(' '));
        let (_, value) = lines.find(|(name, _)| *name == key)?;
        value.parse().ok()
    }
}

/// Cgroups are removed from below, and their files with them.
fn remove(folder: &Path, depth: usize) -> io::Result<()> {
    match fs::remove_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) if depth == DEPTH_LIMIT => Err(error),
        Err(_) => {
            for folder in below(folder) {
                remove(&folder, depth + 1)?;
            }
            fs::remove_dir(folder)
        }
        Ok(()) => Ok(()),
    }
}

fn below(folder: &Path) -> impl Iterator<Item = PathBuf> + use<> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let folders = entries.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()));
    folders.map(|entry| entry.path())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A folder with files as the kernel has them.
    fn pretended(files: &[(&str, &str)]) -> (tempfile::TempDir, Cgroup) {
        let folder = tempfile::tempdir().expect("a folder");
        for (name, text) in files {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().expect("a folder")).expect("is made");
            fs::write(path, text).expect("is written");
        }
        let cgroup = Cgroup::new(folder.path().to_owned());
        (folder, cgroup)
    }

    #[test]
    fn processes_are_found_below_too() {
        let (_folder, cgroup) = pretended(&[
            ("cgroup.procs", "12\n0\n13\n"),
            ("a/cgroup.procs", "14\n"),
            ("a/b/cgroup.procs", "15\nx\n"),
        ]);
        let mut found = cgroup.processes();
        found.sort_unstable();
        assert_eq!(found, [12, 13, 14, 15]);
    }

    #[test]
    fn what_the_kernel_says_is_read_by_name() {
        let (_folder, cgroup) = pretended(&[
            ("cgroup.events", "populated 1\nfrozen 0\n"),
            (
                "cpu.stat",
                "usage_usec 1500000\nuser_usec 1\nsystem_usec 2\n",
            ),
        ]);
        assert!(cgroup.is_populated() && !cgroup.is_frozen());
        assert_eq!(cgroup.cpu(), Some(Duration::from_millis(1500)));
    }

    #[test]
    fn one_that_is_not_there_holds_nothing() {
        let (folder, _) = pretended(&[]);
        let cgroup = Cgroup::new(folder.path().join("gone"));
        assert!(cgroup.processes().is_empty());
        assert!(!cgroup.is_populated() && !cgroup.is_frozen());
        assert_eq!(cgroup.cpu(), None);
        assert!(cgroup.freeze(true).is_err() && cgroup.kill().is_err());
        assert!(cgroup.remove().is_ok());
    }

    #[test]
    fn what_lies_below_goes_with_it() {
        let (folder, cgroup) = pretended(&[]);
        fs::create_dir_all(folder.path().join("a/b")).expect("is made");
        fs::create_dir_all(folder.path().join("c")).expect("is made");
        cgroup.remove().expect("is empty");
        assert!(!folder.path().exists());
    }
}
