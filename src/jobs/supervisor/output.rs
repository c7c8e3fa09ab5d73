//! One output of the job: what comes out of its pipe goes into its log.

use std::os::fd::OwnedFd;

use rustix::io::Errno;

use super::super::executor::log::Writer;

/// Bytes read from a pipe at a time.
const CHUNK_BYTES: usize = 64 * 1024;

/// A pipe of the job and where its bytes go.
pub(super) struct Output {
    /// The pipe, until it ends.
    pub(super) pipe: Option<OwnedFd>,
    /// Bytes that came out of it.
    pub(super) bytes: u64,
    log: Writer,
}

impl Output {
    /// Reads `pipe` into `log`.
    pub(super) fn new(pipe: OwnedFd, log: Writer) -> Self {
        // Without it a full look at a quiet pipe would wait; it only fails for a closed descriptor.
        rustix::io::ioctl_fionbio(&pipe, true).ok();
        Self {
            pipe: Some(pipe),
            bytes: 0,
            log,
        }
    }

    /// Moves what is there.
    pub(super) fn pump(&mut self, buffer: &mut Vec<u8>) {
        buffer.resize(CHUNK_BYTES, 0);
        let Some(pipe) = &self.pipe else { return };
        match rustix::io::read(pipe, buffer.as_mut_slice()) {
            Ok(0) => self.pipe = None,
            Ok(read) => self.keep(buffer.get(..read).unwrap_or_default()),
            Err(Errno::AGAIN | Errno::INTR) => {}
            Err(_) => self.pipe = None,
        }
    }

    /// A log that cannot be written is a job's output lost, not a job lost.
    fn keep(&mut self, bytes: &[u8]) {
        self.bytes += bytes.len() as u64;
        self.log.write(bytes).ok();
    }

    /// Moves everything that is there; the run is over and nothing more is written.
    pub(super) fn drain(&mut self, buffer: &mut Vec<u8>) {
        buffer.resize(CHUNK_BYTES, 0);
        while let Some(pipe) = &self.pipe {
            match rustix::io::read(pipe, buffer.as_mut_slice()) {
                Ok(read @ 1..) => self.keep(buffer.get(..read).unwrap_or_default()),
                Err(Errno::INTR) => {}
                Ok(_) | Err(_) => self.pipe = None,
            }
        }
    }
}
