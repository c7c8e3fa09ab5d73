//! The body of a response: whole when it is short, else in chunks that the client's pace draws.

use std::io;
use std::pin::Pin;

use bytes::{Bytes, BytesMut};
use futures_util::stream::{self, Stream, StreamExt};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::body::Frame;
use hyper::header::{HeaderMap, HeaderName, HeaderValue};

use crate::cimxml::{ResponseEncoder, Rest};
use crate::model::{CimError, Result};
use crate::ops::Reply;

/// A body that hyper sends.
pub(crate) type Body = UnsyncBoxBody<Bytes, io::Error>;

/// The trailers that tell of a late error.
pub(super) const STATUS_TRAILER: &str = "CIMStatusCode";
/// The same, in words.
pub(super) const DESCRIPTION_TRAILER: &str = "CIMStatusCodeDescription";

/// A body that is there already.
pub(super) fn whole(bytes: impl Into<Bytes>) -> Body {
    Full::new(bytes.into())
        .map_err(|never| match never {})
        .boxed_unsync()
}

/// What comes out of encoding the beginning of a reply.
pub(super) enum Encoded {
    /// All of it.
    Whole(Bytes),
    /// The first chunk, and a stream of what follows.
    Begun(Body),
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
    (chunk_bytes, trailers): (usize, bool),
) -> Result<Encoded> {
    let mut first = BytesMut::new();
    let items = match encoder.begin(&mut first, reply)? {
        Rest::Complete => return Ok(Encoded::Whole(first.freeze())),
        rest => items(encoder.clone(), rest),
    };
    let mut rendering = Rendering {
        encoder,
        items,
        chunk_bytes,
        done: false,
    };
    rendering.fill(&mut first).await?;
    if rendering.done {
        return Ok(Encoded::Whole(first.freeze()));
    }
    let head = stream::iter([Ok(Frame::data(first.freeze()))]);
    let rest = stream::unfold(Some(rendering), move |state| next_frame(state, trailers));
    Ok(Encoded::Begun(BodyExt::boxed_unsync(StreamBody::new(
        head.chain(rest),
    ))))
}

fn items(encoder: ResponseEncoder, rest: Rest) -> Items {
    match rest {
        Rest::Complete => stream::empty().boxed(),
        Rest::Instances { stream, select } => stream
            .map(move |item| {
                let mut out = BytesMut::new();
                encoder.instance(&mut out, &item?, &select)?;
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
}

/// The next frame; after an error only its trailers, or an end that no client takes for one.
async fn next_frame(
    state: Option<Rendering>,
    trailers: bool,
) -> Option<(io::Result<Frame<Bytes>>, Option<Rendering>)> {
    let mut rendering = state?;
    let mut chunk = BytesMut::new();
    match rendering.fill(&mut chunk).await {
        Ok(()) => {
            let left = (!rendering.done).then_some(rendering);
            Some((Ok(Frame::data(chunk.freeze())), left))
        }
        Err(error) => {
            tracing::error!(%error, "an answer failed after its beginning was sent");
            if trailers {
                return Some((Ok(Frame::trailers(late(&error))), None));
            }
            Some((Err(io::Error::other("the answer failed")), None))
        }
    }
}

fn late(error: &CimError) -> HeaderMap {
    let mut trailers = HeaderMap::new();
    let name = |name: &'static str| HeaderName::from_bytes(name.as_bytes());
    let text: String = error
        .description
        .chars()
        .map(|c| if c.is_ascii_graphic() { c } else { ' ' })
        .collect();
    if let (Ok(status), Ok(description), Ok(text)) = (
        name(STATUS_TRAILER),
        name(DESCRIPTION_TRAILER),
        HeaderValue::from_str(&text),
    ) {
        trailers.insert(status, HeaderValue::from(u16::from(error.status.code())));
        trailers.insert(description, text);
    }
    trailers
}
