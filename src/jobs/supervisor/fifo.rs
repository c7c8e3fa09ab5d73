//! The two fifos of a supervisor: orders come in on one, reports go out on the other.
//!
//! Servers come and go. That of the orders is open for reading and writing, so that it never ends.
//! That of the reports is open for writing only, and the kernel tells when nobody reads it; what
//! is reported then is dropped, because a server that comes asks for the present state.

use std::collections::VecDeque;
use std::io;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;

use super::super::executor::layout;
use super::super::executor::message::{self, LINE_LIMIT_BYTES, Lines, Report, Told};

/// Longest queue of reports while a server does not keep up; progress beyond it is dropped, and
/// nothing else comes in such numbers.
const QUEUE_LIMIT: usize = 64;

/// The fifos of one run.
pub(super) struct Fifos {
    pub(super) control: OwnedFd,
    /// Where the reports go, while a server reads them.
    news: Option<OwnedFd>,
    /// The path of `news`.
    path: PathBuf,
    lines: Lines,
    queued: VecDeque<Vec<u8>>,
}

impl Fifos {
    /// Opens the fifos in `folder`, which the server made.
    pub(super) fn open(folder: &Path) -> io::Result<Self> {
        let flags = OFlags::RDWR | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let mut fifos = Self {
            control: rustix::fs::open(layout::control(folder), flags, Mode::empty())?,
            news: None,
            path: layout::news(folder),
            lines: Lines::default(),
            queued: VecDeque::new(),
        };
        fifos.attach();
        Ok(fifos)
    }

    /// Without a server that reads it the kernel refuses to open the fifo.
    fn attach(&mut self) {
        let flags = OFlags::WRONLY | OFlags::NONBLOCK | OFlags::CLOEXEC;
        self.news = rustix::fs::open(&self.path, flags, Mode::empty()).ok();
    }

    /// Nobody reads any more.
    fn detach(&mut self) {
        self.news = None;
        self.queued.clear();
    }

    /// Whether a server reads the reports, as far as is known.
    pub(super) fn has_reader(&self) -> bool {
        self.news.is_some()
    }

    /// What to poll of the fifos: orders, room for reports that wait, and the reader's going away,
    /// which is told unasked.
    pub(super) fn polled(&self) -> impl Iterator<Item = PollFd<'_>> {
        let room = if self.queued.is_empty() {
            PollFlags::empty()
        } else {
            PollFlags::OUT
        };
        let orders = PollFd::new(&self.control, PollFlags::IN);
        let reports = self.news.as_ref().map(|news| PollFd::new(news, room));
        std::iter::once(orders).chain(reports)
    }

    /// The orders that have come in.
    pub(super) fn orders(&mut self) -> Vec<Told> {
        let mut buffer = [0; LINE_LIMIT_BYTES];
        let mut orders = Vec::new();
        while let Ok(read @ 1..) = rustix::io::read(&self.control, &mut buffer[..]) {
            let bytes = buffer.get(..read).unwrap_or_default();
            for line in self.lines.take(bytes, LINE_LIMIT_BYTES) {
                orders.extend(message::parse::<Told>(&line));
            }
        }
        // Whoever gives orders is a server that wants to hear of them.
        if !orders.is_empty() && self.news.is_none() {
            self.attach();
        }
        orders
    }

    /// Queues a report and sends what can be sent.
    pub(super) fn report(&mut self, report: &Report) {
        let is_progress = matches!(report, Report::Progress { .. });
        if self.has_reader() && (!is_progress || self.queued.len() < QUEUE_LIMIT) {
            self.queued.push_back(message::line(report));
        }
        self.send();
    }

    /// Sends what the pipe takes, and notices when nobody reads it.
    pub(super) fn send(&mut self) {
        let Some(news) = &self.news else { return };
        while let Some(line) = self.queued.front() {
            match rustix::io::write(news, line) {
                // Lines are at most a pipe's atomic size: written whole or not at all.
                Ok(_) => drop(self.queued.pop_front()),
                Err(Errno::INTR) => {}
                Err(Errno::AGAIN) => break,
                Err(_) => return self.detach(),
            }
        }
        let mut gone = [PollFd::new(news, PollFlags::empty())];
        let at_once = Timespec::default();
        if poll(&mut gone, Some(&at_once)).is_ok_and(|ready| ready > 0) {
            self.detach();
        }
    }
}
