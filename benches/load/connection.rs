//! One keep-alive connection and the questions on it.

use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::{Request, Uri};
use hyper_util::rt::TokioIo;
use memchr::memmem::Finder;
use tokio::net::TcpStream;

use super::Outcome;
use super::messages::Call;

/// Where to connect and as whom.
#[derive(Debug, Clone)]
pub struct Server {
    authority: String,
    authorization: String,
}

impl Server {
    /// The server at `url`.
    pub fn new(url: &str, user: &str, password: &str) -> Outcome<Self> {
        let url: Uri = url.parse()?;
        let authority = url.authority().ok_or("a URL with a host")?.to_string();
        let encoded = STANDARD.encode(format!("{user}:{password}"));
        Ok(Self {
            authority,
            authorization: format!("Basic {encoded}"),
        })
    }
}

/// What was seen of a long answer.
#[derive(Debug, Default)]
pub struct Seen {
    /// Instances in it.
    pub instances: usize,
    /// Its length.
    pub bytes: usize,
    /// When its first byte came.
    pub first_byte: Duration,
    /// The context to pull more by.
    pub context: Option<String>,
}

/// A connection.
pub struct Connection {
    sender: SendRequest<Full<Bytes>>,
    server: Server,
}

impl Connection {
    /// Connects.
    pub async fn open(server: &Server) -> Outcome<Self> {
        let stream = TcpStream::connect(&server.authority).await?;
        stream.set_nodelay(true)?;
        let (sender, connection) = handshake(TokioIo::new(stream)).await?;
        tokio::spawn(connection);
        Ok(Self {
            sender,
            server: server.clone(),
        })
    }

    fn request(&self, call: &Call) -> Outcome<Request<Full<Bytes>>> {
        let request = Request::post("/cimom")
            .header("Host", &self.server.authority)
            .header("Authorization", &self.server.authorization)
            .header("Content-Type", "application/xml; charset=\"utf-8\"")
            .header("CIMOperation", "MethodCall")
            .header("CIMMethod", call.method)
            .header("CIMObject", &call.object)
            .header("TE", "trailers");
        Ok(request.body(Full::new(call.body.clone()))?)
    }

    /// Asks and returns the whole answer.
    pub async fn ask(&mut self, call: &Call) -> Outcome<Bytes> {
        let request = self.request(call)?;
        self.sender.ready().await?;
        let response = self.sender.send_request(request).await?;
        if response.status() != 200 {
            return Err(format!("HTTP status {}", response.status()).into());
        }
        Ok(response.into_body().collect().await?.to_bytes())
    }

    /// Asks and counts what is in the answer without keeping it.
    pub async fn read(&mut self, call: &Call) -> Outcome<Seen> {
        let request = self.request(call)?;
        self.sender.ready().await?;
        let start = Instant::now();
        let response = self.sender.send_request(request).await?;
        if response.status() != 200 {
            return Err(format!("HTTP status {}", response.status()).into());
        }
        let mut body = response.into_body();
        let (mut seen, mut marks, mut tail) = (Seen::default(), Marks::new(), Vec::new());
        while let Some(frame) = body.frame().await {
            let Ok(data) = frame?.into_data() else {
                continue;
            };
            if seen.bytes == 0 {
                seen.first_byte = start.elapsed();
            }
            seen.bytes += data.len();
            seen.instances += marks.count(&data);
            // Only the end of an answer names a context.
            tail.extend_from_slice(&data[data.len().saturating_sub(CONTEXT_LIMIT)..]);
            tail.drain(..tail.len().saturating_sub(CONTEXT_LIMIT));
        }
        seen.context = context(&tail);
        Ok(seen)
    }
}

/// What ends each instance, and ends nothing else.
const INSTANCE: &[u8] = b"</INSTANCE>";

/// Counts the marks in a text that comes in pieces. It is fast, so that the load program's processor
/// is no limit of what is measured.
struct Marks {
    finder: Finder<'static>,
    /// The end of the last piece, which may be the beginning of a mark.
    tail: Vec<u8>,
}

impl Marks {
    fn new() -> Self {
        Self {
            finder: Finder::new(INSTANCE),
            tail: Vec::new(),
        }
    }

    fn count(&mut self, piece: &[u8]) -> usize {
        let open = INSTANCE.len() - 1;
        // A mark that both pieces have a part of ends within the first bytes of the second.
        self.tail.extend_from_slice(&piece[..piece.len().min(open)]);
        let across = usize::from(self.finder.find(&self.tail).is_some());
        // Shorter than a mark, so that none is counted again.
        let rest = &piece[piece.len().min(open)..];
        self.tail
            .extend_from_slice(&rest[rest.len().saturating_sub(open)..]);
        self.tail.drain(..self.tail.len().saturating_sub(open));
        across + self.finder.find_iter(piece).count()
    }
}

/// So many bytes from the end of an answer stand all that is read of a context.
const CONTEXT_LIMIT: usize = 1024;

/// The enumeration context that the end of an answer names, unless the sequence has ended.
fn context(text: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(text);
    let (_, rest) = text.split_once("NAME=\"EnumerationContext\"")?;
    let (_, rest) = rest.split_once("<VALUE>")?;
    let (context, _) = rest.split_once("</VALUE>")?;
    let has_ended = text.contains("<VALUE>TRUE</VALUE>");
    (!has_ended && !context.is_empty()).then(|| context.to_owned())
}
