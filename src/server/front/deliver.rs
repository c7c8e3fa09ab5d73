//! The body of a response: a text, compressed where that was asked for, and trailers for what goes wrong
//! after its beginning was sent.

use std::io;
use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use futures_util::FutureExt;
use futures_util::stream::{self, StreamExt};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::body::{Body as HttpBody, Frame, SizeHint};
use hyper::header::{HeaderMap, HeaderName, HeaderValue};

use crate::model::CimError;

use super::super::connections::Working;
use super::super::negotiation::{Coding, Manner};
use super::compress::Compressor;
use super::measure::{Measure, Spent};
use super::stream::{Chunks, Text};

/// A body that hyper sends. Its size stays known, so that a short answer has a `Content-Length`, which
/// every client reads.
pub(crate) struct Body {
    frames: Frames,
    /// What it costs: its bytes are counted as they go, and its end is the end of the call.
    measure: Option<Measure>,
    /// The request is under way until the last of its body is gone.
    _under_way: Option<Working>,
}

/// What a body is made of.
enum Frames {
    Whole(Full<Bytes>),
    Stream(UnsyncBoxBody<Bytes, io::Error>),
}

/// The trailers that tell of a late error: its code and the same in words.
pub(super) const TRAILERS: [&str; 2] = ["CIMStatusCode", "CIMStatusCodeDescription"];

/// A body with the headers that it needs.
pub(super) struct Delivery {
    pub(super) body: Body,
    /// `Content-Encoding`, where it is compressed.
    pub(super) coding: Option<&'static str>,
    /// `Trailer`, where trailers may follow.
    pub(super) trailer: Option<String>,
}

/// A body that is there already.
pub(super) fn whole(bytes: impl Into<Bytes>) -> Body {
    Body::of(Frames::Whole(Full::new(bytes.into())))
}

impl Body {
    fn of(frames: Frames) -> Self {
        Self {
            frames,
            measure: None,
            _under_way: None,
        }
    }

    /// The same, whose bytes `measure` counts and whose end ends it.
    pub(super) fn measured(self, measure: Measure) -> Self {
        let measure = Some(measure);
        Self { measure, ..self }
    }

    /// The same, which ends `working` with it.
    pub(super) fn under_way(self, working: Working) -> Self {
        Self {
            _under_way: Some(working),
            ..self
        }
    }
}

impl HttpBody for Body {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        let frame = match &mut self.frames {
            Frames::Whole(bytes) => {
                let frame = ready!(Pin::new(bytes).poll_frame(cx));
                frame.map(|frame| frame.map_err(|never| match never {}))
            }
            Frames::Stream(stream) => ready!(Pin::new(stream).poll_frame(cx)),
        };
        if let (Some(Ok(frame)), Some(measure)) = (&frame, &mut self.measure) {
            measure.sent(frame.data_ref().map_or(0, Bytes::len));
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        match &self.frames {
            Frames::Whole(bytes) => bytes.is_end_stream(),
            Frames::Stream(stream) => stream.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.frames {
            Frames::Whole(bytes) => bytes.size_hint(),
            Frames::Stream(stream) => stream.size_hint(),
        }
    }
}

/// What is still to be sent of a body.
struct Sending {
    chunks: Chunks,
    compressor: Option<Compressor>,
    /// The names of the trailers; `None` when the client takes none.
    trailers: Option<[String; 2]>,
    /// Where the time goes that the chunks take.
    spent: Option<Spent>,
}

/// `text` as the body of a response to a client that wants `manner`. Less than `worth` bytes are not
/// compressed; the names of trailers begin with the `prefix` of an M-POST request.
pub(super) fn deliver(
    text: Text,
    manner: &Manner,
    prefix: Option<&str>,
    worth: usize,
    spent: Option<Spent>,
) -> io::Result<Delivery> {
    let small = text.rest.is_none() && text.first.len() < worth && manner.identity;
    let coding = if small {
        Coding::Identity
    } else {
        manner.coding
    };
    let mut compressor = Compressor::new(coding);
    let named = match coding {
        Coding::Identity => None,
        Coding::Gzip => Some("gzip"),
        Coding::Deflate => Some("deflate"),
    };
    let Some(chunks) = text.rest else {
        let bytes = match compressor {
            Some(compressor) => compressor.last(&text.first)?,
            None => text.first,
        };
        return Ok(Delivery {
            body: whole(bytes),
            coding: named,
            trailer: None,
        });
    };
    let first = match &mut compressor {
        Some(compressor) => compressor.chunk(&text.first)?,
        None => text.first,
    };
    let trailers = manner
        .trailers
        .then(|| TRAILERS.map(|name| prefixed(prefix, name)));
    let trailer = trailers.as_ref().map(|names| names.join(", "));
    let sending = Sending {
        chunks,
        compressor,
        trailers,
        spent,
    };
    let frames = stream::iter([Ok(Frame::data(first))]).chain(stream::unfold(Some(sending), next));
    Ok(Delivery {
        body: Body::of(Frames::Stream(BodyExt::boxed_unsync(StreamBody::new(
            frames,
        )))),
        coding: named,
        trailer,
    })
}

/// A CIM header's name in the spelling that the request's method asks for.
pub(super) fn prefixed(prefix: Option<&str>, name: &str) -> String {
    match prefix {
        Some(prefix) => format!("{prefix}-{name}"),
        None => name.to_owned(),
    }
}

/// The next frame; after an error only its trailers, or an end that no client takes for one.
async fn next(state: Option<Sending>) -> Option<(io::Result<Frame<Bytes>>, Option<Sending>)> {
    let mut sending = state?;
    // A panic costs the one answer, as it does before its beginning was sent.
    let drawing = AssertUnwindSafe(sending.chunks.next()).catch_unwind();
    let drawn = match &sending.spent {
        Some(spent) => spent.on(drawing).await,
        None => drawing.await,
    };
    let drawn = drawn
        .unwrap_or_else(|_panic| Some(Err(CimError::failed("the server met a fault of its own"))));
    match (drawn, sending.compressor.take()) {
        (Some(Ok(chunk)), None) => Some((Ok(Frame::data(chunk)), Some(sending))),
        (Some(Ok(chunk)), Some(mut compressor)) => {
            let chunk = compressor.chunk(&chunk);
            sending.compressor = Some(compressor);
            Some((chunk.map(Frame::data), Some(sending)))
        }
        (Some(Err(error)), _) => {
            tracing::error!(%error, "an answer failed after its beginning was sent");
            let frame = match &sending.trailers {
                Some(names) => Ok(Frame::trailers(late(&error, names))),
                None => Err(io::Error::other("the answer failed")),
            };
            Some((frame, None))
        }
        (None, Some(compressor)) => Some((compressor.last(&[]).map(Frame::data), None)),
        (None, None) => None,
    }
}

fn late(error: &CimError, [code, description]: &[String; 2]) -> HeaderMap {
    let printable = |c: char| if c.is_ascii_graphic() { c } else { ' ' };
    let text: String = error.description.chars().map(printable).collect();
    let mut trailers = HeaderMap::new();
    if let (Ok(code), Ok(description), Ok(text)) = (
        HeaderName::from_bytes(code.as_bytes()),
        HeaderName::from_bytes(description.as_bytes()),
        HeaderValue::from_str(&text),
    ) {
        trailers.insert(code, HeaderValue::from(u16::from(error.status.code())));
        trailers.insert(description, text);
    }
    trailers
}
