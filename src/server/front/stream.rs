//! The text of a response: whole when it is short, else in chunks that the client's pace draws.

use std::pin::Pin;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use futures_util::stream::{self, Stream, StreamExt};
use tokio::time::timeout;

use crate::cimxml::{ResponseEncoder, Rest};
use crate::model::{CimError, Result};
use crate::ops::Reply;

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

/// How the chunks of a reply are made.
pub(super) struct Pace {
    /// Bytes of a chunk.
    pub(super) chunk_bytes: usize,
    /// How long one chunk may take to be made, after the first.
    pub(super) chunk_time: Duration,
}

/// Most replies with one instance are not longer.
const USUAL_BYTES: usize = 4096;

/// A reply in the making.
struct Rendering {
    encoder: ResponseEncoder,
    /// The items that are left, `None` after their end.
    list: Option<Rest>,
    pace: Pace,
    done: bool,
}

/// Encodes `reply`. The first chunk is held back until it is full or the reply ends, so that an
/// error until then is an ERROR and nothing else.
pub(super) async fn encode(
    encoder: ResponseEncoder,
    reply: Reply,
    texts: &ClassTexts,
    pace: Pace,
) -> Result<Text> {
    if let Reply::Class(class) = &reply {
        let mut whole = BytesMut::new();
        encoder.class(&mut whole, &texts.text(class)?);
        return Ok(Text::whole(whole.freeze()));
    }
    let mut first = BytesMut::with_capacity(USUAL_BYTES);
    let list = match encoder.begin(&mut first, reply)? {
        Rest::Complete => return Ok(Text::whole(first.freeze())),
        rest => Some(rest),
    };
    let mut rendering = Rendering {
        encoder,
        list,
        pace,
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
        while out.len() < self.pace.chunk_bytes {
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
            Some(Rest::Instances { stream, forms }) => {
                (stream.next().await).map(|item| encoder.instance(out, &item?, forms))
            }
            Some(Rest::Rows { stream, forms }) => {
                (stream.next().await).map(|item| encoder.row(out, &item?, forms))
            }
            Some(Rest::Objects { stream, forms }) => {
                (stream.next().await).map(|item| encoder.object(out, &item?, forms))
            }
            Some(Rest::ObjectPaths(stream)) => {
                (stream.next().await).map(|item| encoder.object_path(out, &item?))
            }
            Some(Rest::Paths(stream)) => {
                (stream.next().await).map(|item| encoder.path(out, &item?))
            }
            Some(Rest::Classes(classes)) => {
                (classes.next()).map(|class| encoder.class_item(out, &class))
            }
            Some(Rest::ClassObjects { namespace, classes }) => {
                (classes.next()).map(|class| encoder.class_object(out, namespace, &class))
            }
            Some(Rest::Pulled {
                stream,
                forms,
                result_class,
            }) => {
                let Some(piece) = stream.next().await else {
                    // The last piece has ended the list.
                    self.list = None;
                    return Ok(());
                };
                return encoder.pulled(out, &piece?, forms, result_class.as_ref());
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
            // The last item makes it longer than it should be.
            let mut chunk = BytesMut::with_capacity(rendering.pace.chunk_bytes * 5 / 4);
            let filled = timeout(rendering.pace.chunk_time, rendering.fill(&mut chunk)).await;
            match filled.unwrap_or_else(|_| Err(too_long())) {
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

/// What an operation is answered whose provider keeps everybody waiting.
pub(super) fn too_long() -> CimError {
    CimError::failed("the operation took too long")
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cimxml::{ResponseHead, encode_class_reply};
    use crate::model::Namespace;
    use crate::ops::{ClassReply, ClassSelect};
    use crate::testing;

    const CHUNK_BYTES: usize = 1000;

    fn classes(count: usize) -> Vec<ClassReply> {
        let class = testing::empty_class("T_Item");
        let select = ClassSelect::default();
        vec![ClassReply { class, select }; count]
    }

    fn encoder() -> ResponseEncoder {
        ResponseEncoder::new(ResponseHead {
            message_id: "7".to_owned(),
            method: "Get".to_owned(),
            intrinsic: true,
        })
    }

    /// The chunks of a reply whose items are `around` something that `count` classes have.
    async fn check(reply: Reply, item_bytes: usize, count: usize) {
        let pace = Pace {
            chunk_bytes: CHUNK_BYTES,
            chunk_time: Duration::from_mins(1),
        };
        let texts = ClassTexts::default();
        let text = encode(encoder(), reply, &texts, pace).await;
        let mut chunks = text.expect("classes that XML can carry").chunks();
        let mut whole = Vec::new();
        while let Some(chunk) = chunks.next().await {
            let chunk = chunk.expect("a chunk");
            assert!(
                chunk.len() < CHUNK_BYTES + item_bytes,
                "{} bytes",
                chunk.len()
            );
            whole.extend_from_slice(&chunk);
        }
        let whole = String::from_utf8(whole).expect("UTF-8");
        assert_eq!(whole.matches("<CLASS NAME=\"T_Item\"").count(), count);
        assert!(whole.ends_with("</IRETURNVALUE></IMETHODRESPONSE></SIMPLERSP></MESSAGE></CIM>\n"));
    }

    #[tokio::test]
    async fn classes_are_written_as_they_are_drawn() {
        let one = encode_class_reply(&classes(1)[0]).expect("a text").len();
        for count in [0, 1, 500] {
            check(Reply::Classes(classes(count)), one, count).await;
            let namespace = Namespace::of("root");
            let classes = classes(count);
            let objects = Reply::ClassObjects { namespace, classes };
            check(objects, one + 500, count).await;
        }
    }
}
