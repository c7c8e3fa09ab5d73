//! The text of a response: whole when it is short, else in chunks that the client's pace draws.

use std::pin::Pin;

use bytes::{Bytes, BytesMut};
use futures_util::stream::{self, Stream, StreamExt};

use crate::cimxml::{ResponseEncoder, Rest};
use crate::model::Result;
use crate::ops::{PullReply, Reply};

use super::class_texts::ClassTexts;

/// Pieces of a text in their order, each made when it is drawn.
pub(super) type Chunks = Pin<Box<dyn Stream<Item = Result<Bytes>> + Send>>;

/// A text, the beginning of which is made.
pub(super) struct Text {
    /// The beginning, or all of it.
    pub(super) first: Bytes,
    /// What follows.
    pub(super) rest: Option<Chunks>,
}

/// A reply in the making.
struct Rendering {
    encoder: ResponseEncoder,
    /// The items that are left, `None` after their end.
    list: Option<Rest>,
    chunk_bytes: usize,
    done: bool,
}

/// Encodes `reply`. The first chunk is held back until it is full or the reply ends, so that an
/// error until then is an ERROR and nothing else.
pub(super) async fn encode(
    encoder: ResponseEncoder,
    reply: Reply,
    (texts, chunk_bytes): (&ClassTexts, usize),
) -> Result<Text> {
    let mut first = BytesMut::new();
    if let Reply::Class(class) = &reply {
        encoder.class(&mut first, &texts.text(class)?);
        return Ok(Text::whole(first.freeze()));
    }
    let list = match encoder.begin(&mut first, reply)? {
        Rest::Complete => return Ok(Text::whole(first.freeze())),
        rest => Some(rest),
    };
    let mut rendering = Rendering {
        encoder,
        list,
        chunk_bytes,
        done: false,
    };
    rendering.fill(&mut first).await?;
    Ok(Text {
        first: first.freeze(),
        rest: (!rendering.done).then(|| rendering.chunks()),
    })
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
            if self.list.is_some() {
                self.item(out).await?;
            } else {
                self.encoder.finish(out);
                self.done = true;
                return Ok(());
            }
        }
        Ok(())
    }

    /// Appends the next item, or what ends them.
    async fn item(&mut self, out: &mut BytesMut) -> Result<()> {
        let encoder = &self.encoder;
        let written = match self.list.as_mut() {
            None | Some(Rest::Complete) => None,
            Some(Rest::Instances { stream, select }) => {
                (stream.next().await).map(|item| encoder.instance(out, &item?, select))
            }
            Some(Rest::Rows { stream, select }) => {
                (stream.next().await).map(|item| encoder.row(out, &item?, select))
            }
            Some(Rest::Objects { stream, select }) => {
                (stream.next().await).map(|item| encoder.object(out, &item?, select))
            }
            Some(Rest::ObjectPaths(stream)) => {
                (stream.next().await).map(|item| encoder.object_path(out, &item?))
            }
            Some(Rest::Paths(stream)) => {
                (stream.next().await).map(|item| encoder.path(out, &item?))
            }
            Some(Rest::Pulled(PullReply { stream, shape })) => {
                let Some(piece) = stream.next().await else {
                    // The last piece has ended the list.
                    self.list = None;
                    return Ok(());
                };
                return encoder.pulled(out, &piece?, shape);
            }
        };
        written.unwrap_or_else(|| {
            encoder.end_list(out);
            self.list = None;
            Ok(())
        })
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
