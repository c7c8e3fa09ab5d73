//! A WBEM listener: it takes the indications that servers export to it (DSP0200 1.4 §5.5).
//!
//! What it took is in a queue when the server is told so; when the queue is full the server is told
//! that too, and tries again. Nobody is asked for a password: it listens where its caller says.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper::body::Incoming;
use hyper::header::{ALLOW, CONNECTION, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::sync::mpsc::error::TrySendError;
use tokio::task::JoinSet;

use crate::cimxml::{
    Answer, ExportHeaders, Exported, HttpFault, Limits, Method, decode_export,
    encode_export_response,
};
use crate::model::{CimError, InstanceDecl};
use crate::ops::BoxFuture;

/// Longest export message.
const BODY_LIMIT_BYTES: usize = 16 << 20;
/// Connections at a time; a server needs one.
const CONNECTION_LIMIT: usize = 256;
/// How long the head of a request, and then its body, may take.
const PATIENCE: Duration = Duration::from_secs(30);
/// Pause after a failed accept, which is most often for want of descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// An indication that arrived.
#[derive(Debug, Clone, PartialEq)]
pub struct Received {
    /// Who sent it.
    pub peer: SocketAddr,
    /// The indication.
    pub indication: InstanceDecl,
}

/// What requests can be read from, and answers written to.
pub trait Duplex: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Duplex for T {}

/// What comes before requests on a connection, such as the handshake of TLS.
pub trait Handshake: Send + Sync + 'static {
    /// The connection once both sides have agreed.
    fn accept(&self, stream: TcpStream) -> BoxFuture<'_, std::io::Result<Box<dyn Duplex>>>;
}

/// A socket on which indications arrive.
pub struct Listener {
    socket: TcpListener,
    queue: mpsc::Sender<Received>,
    left: Option<AtomicU64>,
    handshake: Option<Arc<dyn Handshake>>,
}

impl Listener {
    /// Listens on `address`. What arrives is read from the receiver, which holds `queue` of them.
    ///
    /// # Errors
    /// When the address cannot be listened on.
    pub async fn bind(
        address: SocketAddr,
        queue: usize,
    ) -> std::io::Result<(Self, mpsc::Receiver<Received>)> {
        let socket = TcpListener::bind(address).await?;
        let (queue, received) = mpsc::channel(queue.max(1));
        let listener = Self {
            socket,
            queue,
            left: None,
            handshake: None,
        };
        Ok((listener, received))
    }

    /// The same, where each connection begins with `handshake`.
    #[must_use]
    pub fn with_handshake(self, handshake: Arc<dyn Handshake>) -> Self {
        Self {
            handshake: Some(handshake),
            ..self
        }
    }

    /// The same, which takes `count` indications and refuses the ones after them, or takes all there are.
    #[must_use]
    pub fn with_limit(self, count: Option<u64>) -> Self {
        Self {
            left: count.map(AtomicU64::new),
            ..self
        }
    }

    /// The address that is listened on.
    pub fn address(&self) -> std::io::Result<SocketAddr> {
        self.socket.local_addr()
    }

    /// Takes indications until it is dropped.
    pub async fn serve(self) -> Infallible {
        let desk = Arc::new(Desk {
            queue: self.queue,
            left: self.left,
            handshake: self.handshake,
        });
        let mut connections = JoinSet::new();
        loop {
            while connections.len() >= CONNECTION_LIMIT {
                connections.join_next().await;
            }
            tokio::select! {
                accepted = self.socket.accept() => match accepted {
                    Ok((stream, peer)) => {
                        connections.spawn(Arc::clone(&desk).connection(stream, peer));
                    }
                    Err(error) => {
                        tracing::warn!(%error, "a connection could not be accepted");
                        tokio::time::sleep(ACCEPT_PAUSE).await;
                    }
                },
                Some(_) = connections.join_next() => {}
            }
        }
    }
}

/// Where requests are taken.
struct Desk {
    queue: mpsc::Sender<Received>,
    /// How many are still to be taken, where that is limited.
    left: Option<AtomicU64>,
    handshake: Option<Arc<dyn Handshake>>,
}

/// A request that was understood, as far as its answer needs it.
struct Spoken {
    message_id: String,
    prefix: Option<String>,
    outcome: Result<(), CimError>,
}

impl Desk {
    async fn connection(self: Arc<Self>, stream: TcpStream, peer: SocketAddr) {
        if stream.set_nodelay(true).is_err() {
            return;
        }
        let stream: Box<dyn Duplex> = match &self.handshake {
            None => Box::new(stream),
            Some(handshake) => {
                let agreed = tokio::time::timeout(PATIENCE, handshake.accept(stream));
                match agreed.await {
                    Ok(Ok(stream)) => stream,
                    Ok(Err(error)) => {
                        tracing::warn!(%peer, %error, "a secure connection did not come about");
                        return;
                    }
                    Err(_) => return,
                }
            }
        };
        let answer = service_fn(move |request| {
            let desk = Arc::clone(&self);
            async move { Ok::<_, Infallible>(desk.answer(peer, request).await) }
        });
        let mut http = http1::Builder::new();
        http.timer(TokioTimer::new())
            .header_read_timeout(PATIENCE)
            .half_close(false);
        if let Err(error) = http.serve_connection(TokioIo::new(stream), answer).await {
            tracing::debug!(%peer, %error, "a connection ended badly");
        }
    }

    async fn answer(&self, peer: SocketAddr, request: Request<Incoming>) -> Response<Full<Bytes>> {
        if request.method().as_str() == "OPTIONS" {
            return options();
        }
        match self.take(peer, request).await {
            Ok(spoken) => said(&spoken),
            Err(fault) => refused(&fault),
        }
    }

    async fn take(
        &self,
        peer: SocketAddr,
        request: Request<Incoming>,
    ) -> Result<Spoken, HttpFault> {
        let method = match request.method().as_str() {
            "POST" => Method::Post,
            "M-POST" => Method::MPost,
            _ => return Err(fault(405, "the method is neither POST nor M-POST")),
        };
        let (head, body) = request.into_parts();
        let headers = export_headers(method, &head.headers)?;
        media(&head.headers)?;
        let body = read(body).await?;
        let exported = decode_export(&body, &Limits::default()).map_err(|error| {
            match error.answer() {
                Answer::Http(fault) => fault,
                // The envelope of an export request has no call that an error could answer.
                Answer::Cim(_, error) => fault(400, &error.description),
            }
        })?;
        let Exported {
            message_id,
            indication,
        } = exported;
        let outcome = indication.and_then(|indication| self.queue(Received { peer, indication }));
        Ok(Spoken {
            message_id,
            prefix: headers.prefix,
            outcome,
        })
    }

    fn queue(&self, received: Received) -> Result<(), CimError> {
        let place = self.queue.try_reserve().map_err(|error| match error {
            TrySendError::Full(()) => CimError::failed("the listener's queue is full"),
            TrySendError::Closed(()) => CimError::failed("the listener is closing"),
        })?;
        let one_less = |left: u64| left.checked_sub(1);
        let is_wanted = self.left.as_ref().is_none_or(|left| {
            (left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, one_less)).is_ok()
        });
        if !is_wanted {
            return Err(CimError::failed("the listener has taken all it wants"));
        }
        place.send(received);
        Ok(())
    }
}

fn fault(status: u16, detail: &str) -> HttpFault {
    HttpFault {
        status,
        cim_error: None,
        detail: detail.to_owned(),
    }
}

fn export_headers(method: Method, headers: &HeaderMap) -> Result<ExportHeaders, HttpFault> {
    let all: Vec<(&str, &[u8])> = headers
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_bytes()))
        .collect();
    ExportHeaders::read(method, &all)
}

fn media(headers: &HeaderMap) -> Result<(), HttpFault> {
    let value = headers.get(CONTENT_TYPE);
    let value = value
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    let media = value.split(';').next().unwrap_or_default().trim();
    let is_xml = ["application/xml", "text/xml"];
    if is_xml.iter().any(|xml| media.eq_ignore_ascii_case(xml)) {
        Ok(())
    } else {
        Err(fault(415, "the body is not application/xml or text/xml"))
    }
}

async fn read(body: Incoming) -> Result<Bytes, HttpFault> {
    let whole = Limited::new(body, BODY_LIMIT_BYTES).collect();
    match tokio::time::timeout(PATIENCE, whole).await {
        Ok(Ok(body)) => Ok(body.to_bytes()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => Err(fault(413, "the body is too long")),
        Ok(Err(_)) => Err(fault(400, "the body broke off")),
        Err(_) => Err(fault(408, "the body took too long")),
    }
}

/// The answer in the spelling that the request's method asks for.
fn said(spoken: &Spoken) -> Response<Full<Bytes>> {
    let mut body = BytesMut::new();
    let refusal = spoken.outcome.as_ref().err();
    encode_export_response(&mut body, &spoken.message_id, refusal);
    let mut response = Response::new(Full::new(body.freeze()));
    let headers = response.headers_mut();
    let xml = HeaderValue::from_static("application/xml; charset=\"utf-8\"");
    headers.insert(CONTENT_TYPE, xml);
    let answered = HeaderValue::from_static("MethodResponse");
    let Some(prefix) = &spoken.prefix else {
        headers.insert(HeaderName::from_static("cimexport"), answered);
        return response;
    };
    let man = format!("http://www.dmtf.org/cim/mapping/http/v1.0 ; ns={prefix}");
    let name = HeaderName::from_bytes(format!("{prefix}-CIMExport").as_bytes());
    if let (Ok(name), Ok(man)) = (name, HeaderValue::from_str(&man)) {
        headers.insert(HeaderName::from_static("ext"), HeaderValue::from_static(""));
        headers.insert(HeaderName::from_static("man"), man);
        headers.insert(name, answered);
    }
    response
}

fn refused(fault: &HttpFault) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::default());
    *response.status_mut() =
        StatusCode::from_u16(fault.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let headers = response.headers_mut();
    if let Some(error) = fault.cim_error {
        let name = HeaderName::from_static("cimerror");
        headers.insert(name, HeaderValue::from_static(error.as_str()));
    }
    if fault.status == 405 {
        headers.insert(ALLOW, HeaderValue::from_static("POST, M-POST, OPTIONS"));
    }
    // What follows on the connection may be the rest of a body that was not read.
    headers.insert(CONNECTION, HeaderValue::from_static("close"));
    response
}

/// What a listener can be asked (DSP0200 1.4 §6.4).
fn options() -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::default());
    let headers = response.headers_mut();
    headers.insert(ALLOW, HeaderValue::from_static("POST, M-POST, OPTIONS"));
    for (name, value) in [
        ("cimprotocolversion", "1.0"),
        ("cimsupportedexportgroups", "indication"),
    ] {
        headers.insert(
            HeaderName::from_static(name),
            HeaderValue::from_static(value),
        );
    }
    response
}
