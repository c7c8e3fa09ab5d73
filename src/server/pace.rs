//! A connection whose peer must keep pace: take what is written, and end the headers it began.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep, sleep_until};

use super::Limits;
use super::connections::Connection;

/// What is not longer than this goes out in one piece, in bytes: to copy it costs less than to have the
/// kernel gather it.
const PIECE_BYTES: usize = 4096;

/// A stream that fails when its peer does not keep pace.
pub(super) struct Paced<S> {
    stream: S,
    connection: Arc<Connection>,
    stall_time: Duration,
    header_time: Duration,
    /// Armed while a write waits.
    writing: Option<Pin<Box<Sleep>>>,
    /// There from the first byte of a request until one more has been served than then.
    heading: Option<Heading>,
}

/// The headers of a request that has begun.
struct Heading {
    /// How many requests had been served then.
    served: u64,
    until: Instant,
    /// Armed once they are waited for: most come in one piece.
    timer: Option<Pin<Box<Sleep>>>,
}

impl Heading {
    /// Whether they are late; `waits` where there is nothing more to read yet.
    fn is_late(&mut self, cx: &mut Context<'_>, waits: bool) -> bool {
        if !waits {
            return self.until <= Instant::now();
        }
        let until = self.until;
        let timer = self
            .timer
            .get_or_insert_with(|| Box::pin(sleep_until(until)));
        timer.as_mut().poll(cx).is_ready()
    }
}

impl<S> Paced<S> {
    /// The stream of `connection`.
    pub(super) fn new(stream: S, connection: Arc<Connection>, limits: &Limits) -> Self {
        Self {
            stream,
            connection,
            stall_time: limits.stall_time,
            header_time: limits.header_time,
            writing: None,
            heading: None,
        }
    }

    fn watch<T>(
        &mut self,
        cx: &mut Context<'_>,
        written: Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        if written.is_ready() {
            self.writing = None;
            return written;
        }
        let limit = self.stall_time;
        let armed = || Box::pin(sleep_until(Instant::now() + limit));
        let armed = self.writing.get_or_insert_with(armed);
        ready!(armed.as_mut().poll(cx));
        Poll::Ready(late("the client takes no answer"))
    }
}

fn late<T>(what: &str) -> io::Result<T> {
    Err(io::Error::new(io::ErrorKind::TimedOut, what))
}

impl<S: AsyncRead + Unpin> AsyncRead for Paced<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let read = Pin::new(&mut self.stream).poll_read(cx, buffer);
        let served = self.connection.served();
        self.heading.take_if(|heading| heading.served != served);
        if self.connection.is_working() {
            return read;
        }
        if let Some(heading) = &mut self.heading {
            if heading.is_late(cx, read.is_pending()) {
                return Poll::Ready(late("the headers came too slowly"));
            }
        } else if buffer.filled().len() > before {
            self.heading = Some(Heading {
                served,
                until: Instant::now() + self.header_time,
                timer: None,
            });
        }
        read
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Paced<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(cx, bytes);
        self.watch(cx, written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        pieces: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let length = pieces
            .iter()
            .fold(0_usize, |all, piece| all.saturating_add(piece.len()));
        let stream = Pin::new(&mut self.stream);
        let written = if pieces.len() > 1 && length <= PIECE_BYTES {
            let mut whole = Vec::with_capacity(length);
            for piece in pieces {
                whole.extend_from_slice(piece);
            }
            stream.poll_write(cx, &whole)
        } else {
            stream.poll_write_vectored(cx, pieces)
        };
        self.watch(cx, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = Pin::new(&mut self.stream).poll_flush(cx);
        self.watch(cx, flushed)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
