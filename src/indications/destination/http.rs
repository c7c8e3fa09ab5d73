//! Posting to an HTTP destination: one connection that is kept, to an address that is allowed.

use std::future::{Future, poll_fn};
use std::net::{IpAddr, SocketAddr};
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::FutureExt;
use futures_util::future::{BoxFuture, Fuse};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::header::{AUTHORIZATION, HOST, HeaderValue};
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use thiserror::Error;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;

use crate::client::{ClientError, Tls};

use super::{Denial, Outward, Target};

/// How long a connection may take to come about.
const CONNECT_TIME: Duration = Duration::from_secs(3);
/// How long a delivery may take as a whole.
const DELIVERY_TIME: Duration = Duration::from_secs(10);
/// Most bytes read of an answer.
const ANSWER_LIMIT_BYTES: usize = 64 << 10;

/// Why an attempt to deliver failed.
#[derive(Debug, Error)]
pub enum SendError {
    /// The address may not be sent to.
    #[error(transparent)]
    Denied(#[from] Denial),
    /// The host has no address, or nobody listens there.
    #[error("failed to connect to {0}")]
    Connect(String, #[source] std::io::Error),
    /// The destination is not who it should be, or speaks no TLS.
    #[error("failed to secure the connection to {0}")]
    Secure(String, #[source] ClientError),
    /// The connection broke.
    #[error("the connection broke")]
    Broken(#[from] hyper::Error),
    /// The destination did not answer in time.
    #[error("no answer within {} s", DELIVERY_TIME.as_secs())]
    Timeout,
    /// The destination answered with an HTTP error.
    #[error("HTTP status {0}")]
    Status(StatusCode),
    /// The destination refused what was sent, or answered what cannot be read.
    #[error("{0}")]
    Refused(String),
    /// The destination's properties cannot be sent.
    #[error("{0}")]
    Unsendable(String),
    /// What is queued cannot be sent to anybody.
    #[error("{0}")]
    Damaged(String),
}

/// A way to post to one destination.
pub struct Post {
    route: Route,
    authorization: Option<HeaderValue>,
    connection: Option<Connection>,
}

/// Where connections go.
struct Route {
    target: Target,
    outward: Arc<Outward>,
}

/// A connection that moves its bytes while it is used, in the task that uses it: a task of its own would have
/// to be woken twice for each delivery. One that the other side closes meanwhile keeps its descriptor until it
/// is to be used again.
struct Connection {
    sender: SendRequest<Full<Bytes>>,
    /// Moves the bytes until the connection ends; an error of it reaches us through the sender.
    moving: Fuse<BoxFuture<'static, hyper::Result<()>>>,
}

impl Connection {
    async fn over<S>(stream: S) -> Result<Self, SendError>
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let (sender, connection) = handshake(TokioIo::new(stream)).await?;
        Ok(Self {
            sender,
            moving: connection.boxed().fuse(),
        })
    }

    /// Sends `request` and gives the body of the answer 200.
    async fn exchange(&mut self, request: Request<Full<Bytes>>) -> Result<Bytes, SendError> {
        let Self { sender, moving } = self;
        let answered = async {
            sender.ready().await?;
            read(sender.send_request(request).await?).await
        };
        let mut answered = pin!(answered);
        poll_fn(|cx| {
            // What it moves is what the answer waits for, so it goes first.
            let _ = moving.poll_unpin(cx).is_ready();
            answered.as_mut().poll(cx)
        })
        .await
    }

    /// Whether the other side has closed it since it was used.
    fn is_closed(&mut self) -> bool {
        (&mut self.moving).now_or_never().is_some() || self.sender.is_closed()
    }
}

impl Post {
    /// A way to post to `target`; nothing is connected yet.
    pub fn new(target: Target, outward: Arc<Outward>, authorization: Option<HeaderValue>) -> Self {
        Self {
            route: Route { target, outward },
            authorization,
            connection: None,
        }
    }

    /// Posts `body` with the headers that `with` adds, and gives the body of the answer 200.
    pub async fn post(
        &mut self,
        body: Bytes,
        with: &[(&'static str, &str)],
    ) -> Result<Bytes, SendError> {
        let delivered = tokio::time::timeout(DELIVERY_TIME, self.attempt(body, with)).await;
        let delivered = delivered.unwrap_or(Err(SendError::Timeout));
        if delivered.is_err() {
            self.connection = None;
        }
        delivered
    }

    async fn attempt(
        &mut self,
        body: Bytes,
        with: &[(&'static str, &str)],
    ) -> Result<Bytes, SendError> {
        let kept = self.connection.take();
        if let Some(mut kept) = kept
            && !kept.is_closed()
        {
            // The other side may have closed a kept connection at this very moment: that is no
            // failure of the destination, and only an answer shows that it took what was sent.
            match self.exchange(kept, body.clone(), with).await {
                Err(SendError::Broken(_)) => {}
                answered => return answered,
            }
        }
        let fresh = self.route.connect().await?;
        self.exchange(fresh, body, with).await
    }

    async fn exchange(
        &mut self,
        mut connection: Connection,
        body: Bytes,
        with: &[(&'static str, &str)],
    ) -> Result<Bytes, SendError> {
        let request = self.request(body, with)?;
        let answer = connection.exchange(request).await?;
        self.connection = Some(connection);
        Ok(answer)
    }

    fn request(
        &self,
        body: Bytes,
        with: &[(&'static str, &str)],
    ) -> Result<Request<Full<Bytes>>, SendError> {
        let target = &self.route.target;
        let mut request = Request::post(&target.path).header(HOST, target.authority());
        if let Some(authorization) = &self.authorization {
            request = request.header(AUTHORIZATION, authorization);
        }
        for (name, value) in with {
            request = request.header(*name, *value);
        }
        let made = request.body(Full::new(body));
        made.map_err(|error| SendError::Unsendable(error.to_string()))
    }
}

impl Route {
    /// Connects to the first allowed address that answers.
    async fn connect(&self) -> Result<Connection, SendError> {
        let stream = tokio::time::timeout(CONNECT_TIME, self.stream());
        let late = || {
            let error = std::io::Error::from(std::io::ErrorKind::TimedOut);
            SendError::Connect(self.target.authority(), error)
        };
        let stream = stream.await.map_err(|_| late())??;
        if !self.target.secure {
            return Connection::over(stream).await;
        }
        let secured = self.tls().await?.connect(stream).await;
        let failed = |error| SendError::Secure(self.target.authority(), error);
        Connection::over(secured.map_err(failed)?).await
    }

    /// What makes the connection secure; the files of authorities are read for each one, so that
    /// they can be exchanged.
    async fn tls(&self) -> Result<Tls, SendError> {
        let (host, outward) = (self.target.host.clone(), self.outward.clone());
        let made = tokio::task::spawn_blocking(move || Tls::new(&host, &outward.trust)).await;
        let failed = |error| SendError::Secure(self.target.authority(), error);
        let gone = |_| SendError::Refused("the authorities could not be read".to_owned());
        made.map_err(gone)?.map_err(failed)
    }

    async fn stream(&self) -> Result<TcpStream, SendError> {
        let Target { host, port, .. } = &self.target;
        let failed = |error| SendError::Connect(self.target.authority(), error);
        let addresses = addresses(host, *port).await.map_err(failed)?;
        let mut last = None;
        for address in addresses {
            if let Err(denial) = self.outward.allowed.permit(host, address.ip(), *port) {
                last = Some(denial.into());
                continue;
            }
            match TcpStream::connect(address).await {
                Ok(stream) => {
                    stream.set_nodelay(true).map_err(failed)?;
                    return Ok(stream);
                }
                Err(error) => last = Some(failed(error)),
            }
        }
        let nowhere = || failed(std::io::Error::from(std::io::ErrorKind::AddrNotAvailable));
        Err(last.unwrap_or_else(nowhere))
    }
}

/// The addresses of a host: its own, or those of its name.
pub(super) async fn addresses(host: &str, port: u16) -> std::io::Result<Vec<SocketAddr>> {
    if let Ok(address) = host.parse::<IpAddr>() {
        return Ok(vec![SocketAddr::new(address, port)]);
    }
    Ok(tokio::net::lookup_host((host, port)).await?.collect())
}

/// The body of a success; redirects are none, so that nobody sends us elsewhere.
async fn read(response: Response<Incoming>) -> Result<Bytes, SendError> {
    let status = response.status();
    let body = Limited::new(response.into_body(), ANSWER_LIMIT_BYTES);
    let body = body
        .collect()
        .await
        .map_err(|error| match error.downcast::<hyper::Error>() {
            Ok(error) => SendError::Broken(*error),
            Err(_) => SendError::Refused("the answer is too long".to_owned()),
        })?;
    if status.is_success() {
        Ok(body.to_bytes())
    } else {
        Err(SendError::Status(status))
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;
    use tokio::task::JoinHandle;

    use super::*;

    const TAKEN: &str = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";

    /// Each connection answers as one line says, an answer for each request, and is closed.
    async fn destination(script: Vec<Vec<&'static str>>) -> (Post, JoinHandle<Vec<String>>) {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let target = Target::new(&format!("http://{address}/cim")).expect("a target");
        let serving = tokio::spawn(async move {
            let mut bodies = Vec::new();
            for answers in script {
                let (mut stream, _) = listener.accept().await.expect("a connection");
                for answer in answers {
                    bodies.push(body(&mut stream).await);
                    stream.write_all(answer.as_bytes()).await.expect("sent");
                }
            }
            bodies
        });
        (Post::new(target, Arc::default(), None), serving)
    }

    /// The body of a request: it ends with a full stop.
    async fn body(stream: &mut TcpStream) -> String {
        let mut text = String::new();
        while !text.ends_with('.') {
            let mut piece = [0; 512];
            let length = stream.read(&mut piece).await.expect("a request");
            assert_ne!(length, 0, "the request broke off: {text:?}");
            text.push_str(std::str::from_utf8(&piece[..length]).expect("a text"));
        }
        let (_, body) = text.split_once("\r\n\r\n").expect("a head");
        body.to_owned()
    }

    async fn post(post: &mut Post, text: &'static str) -> Result<Bytes, SendError> {
        post.post(Bytes::from_static(text.as_bytes()), &[]).await
    }

    #[tokio::test]
    async fn a_connection_is_kept_and_one_that_was_closed_meanwhile_is_no_failure() {
        let script = vec![vec![TAKEN, TAKEN, TAKEN], vec![TAKEN, TAKEN]];
        let (mut to, serving) = destination(script).await;
        for text in ["1.", "2.", "3.", "4.", "5."] {
            assert_eq!(post(&mut to, text).await.expect(text), "ok");
        }
        let bodies = serving.await.expect("it served");
        assert_eq!(bodies, ["1.", "2.", "3.", "4.", "5."]);
    }

    #[tokio::test]
    async fn what_a_kept_connection_did_not_answer_is_sent_again_over_a_fresh_one() {
        let cut = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n";
        let (mut to, serving) = destination(vec![vec![TAKEN, cut], vec![TAKEN], vec![cut]]).await;
        for text in ["1.", "2."] {
            assert_eq!(post(&mut to, text).await.expect(text), "ok");
        }
        to.connection = None;
        let broken = post(&mut to, "3.").await;
        assert!(matches!(broken, Err(SendError::Broken(_))), "{broken:?}");
        let bodies = serving.await.expect("it served");
        assert_eq!(bodies, ["1.", "2.", "2.", "3."]);
    }

    #[tokio::test]
    async fn what_was_refused_leaves_no_connection() {
        let refused = "HTTP/1.1 503 Busy\r\ncontent-length: 0\r\n\r\n";
        let (mut to, serving) = destination(vec![vec![refused], vec![TAKEN]]).await;
        let outcome = post(&mut to, "1.").await;
        assert!(
            matches!(
                outcome,
                Err(SendError::Status(StatusCode::SERVICE_UNAVAILABLE))
            ),
            "{outcome:?}"
        );
        assert_eq!(post(&mut to, "2.").await.expect("taken"), "ok");
        assert_eq!(serving.await.expect("it served"), ["1.", "2."]);
    }

    #[tokio::test]
    async fn whoever_does_not_answer_is_left_in_time() {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let target = Target::new(&format!("http://{address}/")).expect("a target");
        let mut to = Post::new(target, Arc::default(), None);
        // To connect takes a moment that would be an hour where nothing else waits.
        to.connection = Some(to.route.connect().await.expect("it listens"));
        tokio::time::pause();
        let outcome = post(&mut to, "1.").await;
        assert!(matches!(outcome, Err(SendError::Timeout)), "{outcome:?}");
        assert!(to.connection.is_none());
    }
}
