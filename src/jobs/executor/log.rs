//! The output of a run on disk: two files a stream, so that the oldest half can be dropped.
//!
//! A file is named for the offset of its first byte, counted from the start of the stream, so
//! offsets stay what they are when a file goes.

#![expect(clippy::disallowed_methods, reason = "output is kept in files")]

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// Writes one stream of a run.
#[derive(Debug)]
pub struct Writer {
    folder: PathBuf,
    stream: &'static str,
    /// Most bytes of one file; the stream keeps up to two files.
    file_limit: u64,
    /// Offset of the first byte of the file before the present one.
    previous: Option<u64>,
    /// Offset of the first byte of the present file.
    start: u64,
    /// Bytes in the present file.
    length: u64,
    file: File,
}

/// The name of standard output in file names.
pub const STDOUT: &str = "stdout";
/// The name of standard error in file names.
pub const STDERR: &str = "stderr";

fn name(folder: &Path, stream: &str, start: u64) -> PathBuf {
    folder.join(format!("{stream}.{start}"))
}

fn create(folder: &Path, stream: &str, start: u64) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options
        .append(true)
        .create(true)
        .mode(0o600)
        .open(name(folder, stream, start))
}

impl Writer {
    /// A stream of at most `limit_bytes` in `folder`.
    pub fn create(folder: &Path, stream: &'static str, limit_bytes: u64) -> io::Result<Self> {
        Ok(Self {
            folder: folder.to_owned(),
            stream,
            file_limit: (limit_bytes / 2).max(1),
            previous: None,
            start: 0,
            length: 0,
            file: create(folder, stream, 0)?,
        })
    }

    /// Appends `bytes`, dropping the oldest half of the stream when it is full.
    pub fn write(&mut self, mut bytes: &[u8]) -> io::Result<()> {
        while !bytes.is_empty() {
            if self.length >= self.file_limit {
                self.turn()?;
            }
            let room = usize::try_from(self.file_limit - self.length).unwrap_or(usize::MAX);
            let (now, later) = bytes.split_at(room.min(bytes.len()));
            if let Err(error) = self.file.write_all(now) {
                // A part of it may have been written: offsets count what the file holds.
                self.length = self.file.metadata().map_or(self.length, |file| file.len());
                return Err(error);
            }
            self.length += now.len() as u64;
            bytes = later;
        }
        Ok(())
    }

    fn turn(&mut self) -> io::Result<()> {
        let next = self.start + self.length;
        self.file = create(&self.folder, self.stream, next)?;
        let previous = self.previous.replace(self.start);
        (self.start, self.length) = (next, 0);
        match previous {
            Some(previous) => fs::remove_file(name(&self.folder, self.stream, previous)),
            None => Ok(()),
        }
    }
}

/// What reading gave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Piece {
    /// The bytes.
    pub data: Vec<u8>,
    /// The offset that follows them.
    pub next_offset: u64,
    /// Nothing was there to read behind them.
    pub at_end: bool,
}

/// Reads up to `max` bytes of `stream` from `offset` on; below the oldest byte it begins there.
pub fn read(folder: &Path, stream: &str, offset: u64, max: usize) -> io::Result<Piece> {
    let mut piece = Piece {
        data: Vec::new(),
        next_offset: offset,
        at_end: true,
    };
    loop {
        let starts = starts(folder, stream)?;
        // The file that holds the next byte is the last one that starts at or before it.
        let at = starts.iter().rposition(|start| *start <= piece.next_offset);
        let start = match (at, starts.first()) {
            (Some(at), _) => starts.get(at).copied().unwrap_or_default(),
            (None, Some(oldest)) => {
                piece.next_offset = *oldest;
                *oldest
            }
            (None, None) => return Ok(piece),
        };
        let read = match File::open(name(folder, stream, start)) {
            Ok(file) => append(file, piece.next_offset - start, max, &mut piece)?,
            // The writer dropped it between the look and the opening.
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            Err(error) => return Err(error),
        };
        let more = starts
            .iter()
            .any(|start| *start >= piece.next_offset && *start > 0);
        piece.at_end = piece.data.len() < max && !more;
        if piece.data.len() >= max || (read == 0 && !more) || piece.at_end {
            return Ok(piece);
        }
    }
}

fn append(mut file: File, skip: u64, max: usize, piece: &mut Piece) -> io::Result<usize> {
    file.seek(SeekFrom::Start(skip))?;
    let room = (max - piece.data.len()) as u64;
    let read = file.take(room).read_to_end(&mut piece.data)?;
    piece.next_offset += read as u64;
    Ok(read)
}

/// Where the files of a stream begin, ascending.
fn starts(folder: &Path, stream: &str) -> io::Result<Vec<u64>> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let mut starts = Vec::new();
    for entry in entries {
        let name = entry?.file_name();
        let start = name
            .to_str()
            .and_then(|name| name.strip_prefix(stream)?.strip_prefix('.'));
        starts.extend(start.and_then(|start| start.parse::<u64>().ok()));
    }
    starts.sort_unstable();
    Ok(starts)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(folder: &Path, offset: u64) -> (Vec<u8>, u64) {
        let piece = read(folder, STDOUT, offset, 1000).expect("readable");
        assert!(piece.at_end, "everything fits");
        (piece.data, piece.next_offset)
    }

    #[test]
    fn the_oldest_half_goes_and_offsets_stay() {
        let folder = tempfile::tempdir().expect("a folder");
        let folder = folder.path();
        assert_eq!(all(folder, 0), (Vec::new(), 0));
        let mut log = Writer::create(folder, STDOUT, 8).expect("writable");
        log.write(b"abcdefgh").expect("written");
        assert_eq!(all(folder, 0), (b"abcdefgh".to_vec(), 8));
        assert_eq!(all(folder, 6), (b"gh".to_vec(), 8));
        log.write(b"i").expect("written");
        assert_eq!(
            all(folder, 0),
            (b"efghi".to_vec(), 9),
            "reading begins at the oldest byte"
        );
        log.write(b"jklmnopq").expect("written");
        assert_eq!(all(folder, 0), (b"mnopq".to_vec(), 17));
        assert_eq!(all(folder, 17), (Vec::new(), 17));
    }

    #[test]
    fn a_read_stops_at_its_limit() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut log = Writer::create(folder.path(), STDERR, 100).expect("writable");
        log.write(&[7; 60]).expect("written");
        let piece = read(folder.path(), STDERR, 0, 55).expect("readable");
        assert_eq!(
            (piece.data.len(), piece.next_offset, piece.at_end),
            (55, 55, false)
        );
        let piece = read(folder.path(), STDERR, 55, 55).expect("readable");
        assert_eq!(
            (piece.data.len(), piece.next_offset, piece.at_end),
            (5, 60, true)
        );
    }
}
