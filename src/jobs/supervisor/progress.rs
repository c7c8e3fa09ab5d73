//! Progress lines of a job: `42 copying files`.

use std::io;
use std::os::fd::OwnedFd;

use super::super::core::printable;
use super::super::executor::message::{Lines, Report};

/// Longest progress line, in bytes; longer ones are dropped.
const LINE_LIMIT_BYTES: usize = 1024;

/// The two ends of a progress pipe.
pub(super) struct Pipe {
    /// What the supervisor reads.
    pub(super) read: OwnedFd,
    /// What the job writes to.
    pub(super) write: OwnedFd,
}

impl Pipe {
    /// A pipe, to be made before anything else is opened: some shells know descriptors of one
    /// digit only, as in `echo 42 >&4`.
    pub(super) fn new() -> io::Result<Self> {
        let (read, write) = rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC)?;
        Ok(Self { read, write })
    }
}

/// Reads progress lines out of pieces of bytes.
#[derive(Debug, Default)]
pub(super) struct Progress {
    lines: Lines,
}

impl Progress {
    /// Takes `bytes` and gives the newest report of the complete lines in them: what a line
    /// replaces at once nobody would see.
    pub(super) fn take(&mut self, bytes: &[u8]) -> Option<Report> {
        let lines = self.lines.take(bytes, LINE_LIMIT_BYTES);
        let (mut percent, mut text) = (None, None);
        for line in &lines {
            let (number, words) = parse(line);
            percent = number.or(percent);
            text = words.or(text);
        }
        (percent.is_some() || text.is_some()).then_some(Report::Progress { percent, text })
    }
}

/// A number up to 100 and a text, each of which may be missing.
fn parse(line: &[u8]) -> (Option<u8>, Option<String>) {
    let line = String::from_utf8_lossy(line);
    let line = line.trim();
    let (first, rest) = line.split_once(' ').unwrap_or((line, ""));
    let percent = first
        .trim_end_matches('%')
        .parse::<u8>()
        .ok()
        .filter(|percent| *percent <= 100);
    let text = if percent.is_some() { rest.trim() } else { line };
    (
        percent,
        Some(printable(text)).filter(|text| !text.is_empty()),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_have_a_number_a_text_or_both() {
        let check = |line: &str, percent, text: Option<&str>| {
            assert_eq!(
                parse(line.as_bytes()),
                (percent, text.map(str::to_owned)),
                "{line:?}"
            );
        };
        check("42 copying files", Some(42), Some("copying files"));
        check("42%", Some(42), None);
        check("100", Some(100), None);
        check("101 too much", None, Some("101 too much"));
        check("just text", None, Some("just text"));
        check("-1", None, Some("-1"));
        check("7 a\u{1}b", Some(7), Some("a\u{fffd}b"));
        check("", None, None);
    }

    #[test]
    fn the_newest_of_several_lines_counts() {
        let mut progress = Progress::default();
        assert_eq!(
            progress.take(b"1 a\n2 "),
            Some(Report::Progress {
                percent: Some(1),
                text: Some("a".into())
            })
        );
        let newest = Report::Progress {
            percent: Some(3),
            text: Some("b".into()),
        };
        assert_eq!(progress.take(b"b\n3\n"), Some(newest));
        assert_eq!(progress.take(&[b'x'; 5000]), None);
        assert_eq!(
            progress.take(b"\n\xff\n"),
            Some(Report::Progress {
                percent: None,
                text: Some("\u{fffd}".into())
            })
        );
    }
}
