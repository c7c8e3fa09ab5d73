//! One keep-alive connection and the questions on it.

use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::{Request, Uri};
use hyper_util::rt::TokioIo;
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
        let (mut seen, mut tail) = (Seen::default(), Vec::new());
        while let Some(frame) = body.frame().await {
            let Ok(data) = frame?.into_data() else {
                continue;
            };
            if seen.bytes == 0 {
                seen.first_byte = start.elapsed();
            }
            seen.bytes += data.len();
            // What a mark may begin with at the end of one piece is looked at again with the next.
            tail.extend_from_slice(&data);
            seen.instances += count(&tail, INSTANCE);
            if let Some(context) = context(&tail) {
                seen.context = Some(context);
            }
            let keep = tail.len().min(INSTANCE.len() - 1);
            tail.drain(..tail.len() - keep);
        }
        Ok(seen)
    }
}

/// What ends each instance, and ends nothing else.
const INSTANCE: &[u8] = b"</INSTANCE>";

fn count(text: &[u8], mark: &[u8]) -> usize {
    let mut windows = text.windows(mark.len());
    let mut found = 0;
    while let Some(window) = windows.next() {
        if window == mark {
            found += 1;
            // No mark begins inside another one.
            windows.nth(mark.len() - 2);
        }
    }
    found
}

/// The enumeration context, unless the sequence has ended. It stands at the end of an answer, which
/// comes in one piece when it is pulled in the sizes used here.
fn context(text: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(&text[text.len().saturating_sub(1024)..]);
    let (_, rest) = text.split_once("NAME=\"EnumerationContext\"")?;
    let (_, rest) = rest.split_once("<VALUE>")?;
    let (context, _) = rest.split_once("</VALUE>")?;
    let has_ended = text.contains("<VALUE>TRUE</VALUE>");
    (!has_ended && !context.is_empty()).then(|| context.to_owned())
}
