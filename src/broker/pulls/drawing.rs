//! The answer to an Open or a Pull: objects drawn at the pace of the client, and what follows the last.

use futures_util::stream::{self, StreamExt};
use tokio::time::Instant;

use crate::model::{CimError, Result};
use crate::ops::{PullStream, Pulled};

use super::super::enumerations::{Next, Turn};

/// What an answer belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stage {
    Open,
    Pull,
}

/// An answer while its objects are drawn.
pub(super) struct Drawing {
    pub(super) turn: Turn,
    pub(super) left: u32,
    pub(super) is_empty: bool,
    /// Whether the answer finds out if it holds the last object; one that asks for none does not.
    pub(super) looks_ahead: bool,
    /// When the answer ends with what has come.
    pub(super) until: Instant,
    pub(super) stage: Stage,
}

impl Drawing {
    /// The pieces of the answer.
    pub(super) fn stream(self) -> PullStream {
        stream::unfold(
            Some(self),
            |drawing| async move { Some(drawing?.step().await) },
        )
        .boxed()
    }

    async fn step(mut self) -> (Result<Pulled>, Option<Self>) {
        if !self.looks_ahead {
            return (end(self.turn.park(None)), None);
        }
        match self.turn.next(self.until).await {
            Err(abandoned) => (Err(abandoned), None),
            Ok(Next::End) => (Ok(Pulled::End { context: None }), None),
            Ok(Next::Late) => (end(self.turn.park(None)), None),
            Ok(Next::Object(Ok(object))) if self.left > 0 => {
                self.left -= 1;
                self.is_empty = false;
                (Ok(Pulled::Object(object)), Some(self))
            }
            Ok(Next::Object(Ok(object))) => (end(self.turn.park(Some(Ok(object)))), None),
            Ok(Next::Object(Err(error))) => (self.failed(error), None),
        }
    }

    /// An error is an answer of its own: objects that were drawn before it reach the client first.
    /// Without objects before it, it is this answer; the enumeration is closed by it unless the client
    /// wanted to go on, which it can only with a context, so that an Open has none of it either.
    fn failed(self, error: CimError) -> Result<Pulled> {
        let continues = self.turn.continues();
        if !self.is_empty || (continues && self.stage == Stage::Open) {
            return end(self.turn.park(Some(Err(error))));
        }
        if continues {
            self.turn.park(None)?;
        }
        Err(error)
    }
}

fn end(context: Result<String>) -> Result<Pulled> {
    context.map(|context| Pulled::End {
        context: Some(context),
    })
}
