//! Streams that pause now and then: a filter which nothing passes would else look through a million
//! instances without letting anybody else on its thread have a turn, its own time-out among them.

use std::pin::Pin;
use std::task::{Context, Poll};

use futures_util::stream::Stream;

/// Items in a row after which others have their turn: a few hundred microseconds of whole jobs.
const ROW: u32 = 64;

/// `stream`, with pauses.
pub(super) fn fair<S: Stream + Unpin>(stream: S) -> Fair<S> {
    Fair { stream, row: 0 }
}

/// A stream with pauses.
pub(super) struct Fair<S> {
    stream: S,
    row: u32,
}

impl<S: Stream + Unpin> Stream for Fair<S> {
    type Item = S::Item;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<S::Item>> {
        if self.row >= ROW {
            self.row = 0;
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        let polled = Pin::new(&mut self.stream).poll_next(cx);
        self.row = if polled.is_pending() { 0 } else { self.row + 1 };
        polled
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.stream.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use futures_util::future::ready;
    use futures_util::stream::{self, StreamExt};

    use super::*;

    #[tokio::test]
    async fn everything_comes_and_others_have_turns() {
        let all: Vec<u32> = fair(stream::iter(0..10_000)).collect().await;
        assert_eq!(all, (0..10_000).collect::<Vec<_>>());
        let mut endless = fair(stream::repeat(1)).filter(|_| ready(false)).boxed();
        let mut turns = 0;
        let others = async {
            while turns < 10 {
                tokio::task::yield_now().await;
                turns += 1;
            }
        };
        tokio::select! {
            biased;
            _ = endless.next() => panic!("nothing passes the filter"),
            () = others => {}
        }
        assert_eq!(turns, 10);
    }
}
