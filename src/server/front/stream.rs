//! The text of a response: whole when it is short, else in chunks that the client's pace draws.

use std::pin::Pin;

use bytes::{Bytes, BytesMut};
use futures_util::stream::{self, Stream, StreamExt};

use crate::cimxml::{ResponseEncoder, Rest};
use crate::model::Result;
use crate::ops::{PullReply, Reply};

/// Pieces of a text in their order, each made when it is drawn.
pub(super) type Chunks = Pin<Box<dyn Stream<Item = Result<Bytes>> + Send>>;

/// A text, the beginning of which is made.
pub(super) struct Text {
    /// The beginning, or all of it.
    pub(super) first: Bytes,
    /// What follows.
    pub(super) rest: Option<Chunks>,
}

/// One item as bytes.
type Items = Pin<Box<dyn Stream<Item = Result<Bytes>> + Send>>;

/// A reply in the making.
struct Rendering {
    encoder: ResponseEncoder,
    items: Items,
    chunk_bytes: usize,
    done: bool,
}

/// Encodes `reply`. The first chunk is held back until it is full or the reply ends, so that an
/// error until then is an ERROR and nothing else.
pub(super) async fn encode(
    encoder: ResponseEncoder,
    reply: Reply,
    chunk_bytes: usize,
) -> Result<Text> {
    let mut first = BytesMut::new();
    let items = match encoder.begin(&mut first, reply)? {
        Rest::Complete => return Ok(Text::whole(first.freeze())),
        rest => items(encoder.clone(), rest),
    };
    let mut rendering = Rendering {
        encoder,
        items,
        chunk_bytes,
        done: false,
    };
    rendering.fill(&mut first).await?;
    Ok(Text {
        first: first.freeze(),
        rest: (!rendering.done).then(|| rendering.chunks()),
    })
}

/// The items and what ends them.
fn items(encoder: ResponseEncoder, rest: Rest) -> Items {
    let ending = encoder.clone();
    let end = stream::once(async move {
        let mut out = BytesMut::new();
        ending.end_list(&mut out);
        Ok(out.freeze())
    });
    let list = match rest {
        Rest::Pulled(PullReply { stream, shape }) => {
            return stream
                .map(move |piece| {
                    let mut out = BytesMut::new();
                    encoder.pulled(&mut out, &piece?, &shape)?;
                    Ok(out.freeze())
                })
                .boxed();
        }
        Rest::Complete => stream::empty().boxed(),
        Rest::Instances { stream, select } => stream
            .map(move |item| {
                let mut out = BytesMut::new();
                encoder.instance(&mut out, &item?, &select)?;
                Ok(out.freeze())
            })
            .boxed(),
        Rest::Rows { stream, select } => stream
            .map(move |item| {
                let mut out = BytesMut::new();
                encoder.row(&mut out, &item?, &select)?;
                Ok(out.freeze())
            })
            .boxed(),
        Rest::Objects { stream, select } => stream
            .map(move |item| {
                let mut out = BytesMut::new();
                encoder.object(&mut out, &item?, &select)?;
                Ok(out.freeze())
            })
            .boxed(),
        Rest::ObjectPaths(stream) => stream
            .map(move |item| {
                let mut out = BytesMut::new();
                encoder.object_path(&mut out, &item?)?;
                Ok(out.freeze())
            })
            .boxed(),
        Rest::Paths(stream) => stream
            .map(move |item| {
                let mut out = BytesMut::new();
                encoder.path(&mut out, &item?)?;
                Ok(out.freeze())
            })
            .boxed(),
    };
    list.chain(end).boxed()
}

impl Text {
    /// A text that is made.
    pub(super) fn whole(text: Bytes) -> Self {
        Self {
            first: text,
            rest: None,
        }
    }

    /// The text as chunks.
    pub(super) fn chunks(self) -> Chunks {
        let rest = self.rest.unwrap_or_else(|| stream::empty().boxed());
        stream::iter([Ok(self.first)]).chain(rest).boxed()
    }

    /// The text of these chunks, of which as many are drawn as make up `chunk_bytes`.
    pub(super) async fn gathered(mut chunks: Chunks, chunk_bytes: usize) -> Result<Self> {
        let mut first = BytesMut::new();
        while first.len() < chunk_bytes {
            match chunks.next().await {
                Some(chunk) => first.extend_from_slice(&chunk?),
                None => return Ok(Self::whole(first.freeze())),
            }
        }
        Ok(Self {
            first: first.freeze(),
            rest: Some(chunks),
        })
    }
}

impl Rendering {
    /// Appends items until the chunk is full, or the items and with them the document end.
    async fn fill(&mut self, out: &mut BytesMut) -> Result<()> {
        while out.len() < self.chunk_bytes {
            if let Some(item) = self.items.next().await {
                out.extend_from_slice(&item?);
            } else {
                self.encoder.finish(out);
                self.done = true;
                return Ok(());
            }
        }
        Ok(())
    }

    /// The chunks that are left; nothing follows an error.
    fn chunks(self) -> Chunks {
        stream::unfold(Some(self), |state| async move {
            let mut rendering = state?;
            let mut chunk = BytesMut::new();
            match rendering.fill(&mut chunk).await {
                Ok(()) => {
                    let left = (!rendering.done).then_some(rendering);
                    Some((Ok(chunk.freeze()), left))
                }
                Err(error) => Some((Err(error), None)),
            }
        })
        .boxed()
    }
}

/// The same chunks, small ones put together until they make up `chunk_bytes`.
pub(super) fn coalesced(chunks: Chunks, chunk_bytes: usize) -> Chunks {
    stream::unfold(Some(chunks), move |state| async move {
        match Text::gathered(state?, chunk_bytes).await {
            Ok(text) if text.first.is_empty() && text.rest.is_none() => None,
            Ok(text) => Some((Ok(text.first), text.rest)),
            Err(error) => Some((Err(error), None)),
        }
    })
    .boxed()
}
