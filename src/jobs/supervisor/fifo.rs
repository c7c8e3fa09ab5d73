//! The two fifos of a supervisor: orders come in on one, reports go out on the other.
//!
//! Both are opened for reading and writing, so that neither ever ends: servers come and go.

use std::collections::VecDeque;
use std::io;
use std::os::fd::OwnedFd;
use std::path::Path;

use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;

use super::super::executor::layout;
use super::super::executor::message::{self, LINE_LIMIT_BYTES, Lines, Report, Told};

/// Longest queue of reports while no server reads; progress beyond it is dropped, and nothing else
/// comes in such numbers.
const QUEUE_LIMIT: usize = 64;

/// The fifos of one run.
pub(super) struct Fifos {
    pub(super) control: OwnedFd,
    pub(super) news: OwnedFd,
    lines: Lines,
    queued: VecDeque<Vec<u8>>,
}

impl Fifos {
    /// Opens the fifos in `folder`, which the server made.
    pub(super) fn open(folder: &Path) -> io::Result<Self> {
        let flags = OFlags::RDWR | OFlags::NONBLOCK | OFlags::CLOEXEC;
        Ok(Self {
            control: rustix::fs::open(layout::control(folder), flags, Mode::empty())?,
            news: rustix::fs::open(layout::news(folder), flags, Mode::empty())?,
            lines: Lines::default(),
            queued: VecDeque::new(),
        })
    }

    /// The orders that have come in.
    pub(super) fn orders(&mut self) -> Vec<Told> {
        let mut buffer = [0; LINE_LIMIT_BYTES];
        let mut orders = Vec::new();
        while let Ok(read @ 1..) = rustix::io::read(&self.control, &mut buffer[..]) {
            let bytes = buffer.get(..read).unwrap_or_default();
            for line in self.lines.take(bytes, LINE_LIMIT_BYTES) {
                orders.extend(serde_json::from_slice::<Told>(&line));
            }
        }
        orders
    }

    /// Queues a report and sends what can be sent.
    pub(super) fn report(&mut self, report: &Report) {
        let is_progress = matches!(report, Report::Progress { .. });
        if !is_progress || self.queued.len() < QUEUE_LIMIT {
            self.queued.push_back(message::line(report));
        }
        self.send();
    }

    /// Whether reports wait for room in the pipe.
    pub(super) fn is_waiting(&self) -> bool {
        !self.queued.is_empty()
    }

    /// Sends what the pipe takes.
    pub(super) fn send(&mut self) {
        while let Some(line) = self.queued.front() {
            match rustix::io::write(&self.news, line) {
                // Lines are at most a pipe's atomic size: written whole or not at all.
                Ok(_) => drop(self.queued.pop_front()),
                Err(Errno::INTR) => {}
                Err(_) => return,
            }
        }
    }
}
