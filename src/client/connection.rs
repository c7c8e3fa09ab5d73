//! The connection to a server: opened at the first call, used again while it lasts.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::{Bytes, BytesMut};
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, HOST, HeaderValue};
use hyper::{Request, Response, StatusCode, Uri};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::sync::Mutex;
use zeroize::Zeroizing;

use crate::cimxml::{CallHeaders, Limits, Returned, decode_response, encode_request};
use crate::model::{CimError, Namespace};
use crate::ops::{Addressed, Request as Operation};

use super::ClientError;
use super::tls::{Tls, Trust};

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_mins(2);
/// Longest answer that is read, in bytes.
const ANSWER_LIMIT_BYTES: usize = 256 << 20;

/// A user with the password.
pub struct Credentials {
    user: String,
    password: Zeroizing<String>,
}

impl Credentials {
    /// The credentials of `user`.
    pub fn new(user: String, password: Zeroizing<String>) -> Self {
        Self { user, password }
    }

    fn header(&self) -> Zeroizing<String> {
        let pair = Zeroizing::new(format!("{}:{}", self.user, &*self.password));
        Zeroizing::new(format!("Basic {}", STANDARD.encode(pair.as_bytes())))
    }
}

/// A client of one server.
pub struct Client {
    authority: String,
    authorization: Option<Zeroizing<String>>,
    /// `None` where everything goes in the clear.
    tls: Option<Tls>,
    /// One request at a time: that is what HTTP/1.1 without pipelining is. Held across the wait for
    /// the answer on purpose.
    connection: Mutex<Option<SendRequest<Full<Bytes>>>>,
}

impl Client {
    /// A client of the server at `url`, such as `http://127.0.0.1:5988`. A server at `https://` must be
    /// one that is to be trusted.
    ///
    /// # Errors
    /// [`ClientError::Url`] or [`ClientError::Trust`]; nothing is connected yet.
    pub fn new(
        url: &str,
        credentials: Option<Credentials>,
        trust: &Trust,
    ) -> Result<Self, ClientError> {
        let wrong = || ClientError::Url(url.to_owned());
        let uri: Uri = url.parse().map_err(|_| wrong())?;
        let host = uri.host().ok_or_else(wrong)?;
        let (tls, port) = match uri.scheme_str() {
            Some("http") => (None, 5988),
            Some("https") => (Some(Tls::new(host, trust)?), 5989),
            Some(_) | None => return Err(wrong()),
        };
        Ok(Self {
            authority: format!("{host}:{}", uri.port_u16().unwrap_or(port)),
            tls,
            authorization: credentials.map(|credentials| credentials.header()),
            connection: Mutex::new(None),
        })
    }

    /// Sends `request` to `namespace` and gives what came back.
    pub async fn call(
        &self,
        namespace: &Namespace,
        request: Operation,
    ) -> Result<Returned, ClientError> {
        let addressed = Addressed {
            namespace: namespace.clone(),
            request,
        };
        let (body, headers) = encoded(&addressed)?;
        let answer = tokio::time::timeout(PATIENCE, self.exchange(body, headers)).await;
        let answer = answer.map_err(|_| ClientError::Timeout(PATIENCE.as_secs()))??;
        let response = decode_response(&answer, &Limits::default())?;
        Ok(response.outcome?)
    }

    async fn exchange(&self, body: Bytes, headers: CallHeaders) -> Result<Bytes, ClientError> {
        let mut held = self.connection.lock().await;
        let mut connection = match held.take().filter(|connection| !connection.is_closed()) {
            Some(connection) => connection,
            None => self.connect().await?,
        };
        connection.ready().await?;
        let response = connection
            .send_request(self.request(body, &headers)?)
            .await?;
        let answer = read(response).await?;
        *held = Some(connection);
        Ok(answer)
    }

    async fn connect(&self) -> Result<SendRequest<Full<Bytes>>, ClientError> {
        let unreachable = |source| ClientError::Unreachable {
            authority: self.authority.clone(),
            source,
        };
        let stream = TcpStream::connect(&self.authority)
            .await
            .map_err(unreachable)?;
        stream.set_nodelay(true).map_err(unreachable)?;
        match &self.tls {
            None => speak(stream).await,
            Some(tls) => speak(tls.connect(stream).await?).await,
        }
    }

    fn request(
        &self,
        body: Bytes,
        headers: &CallHeaders,
    ) -> Result<Request<Full<Bytes>>, ClientError> {
        let mut request = Request::post("/cimom")
            .header(HOST, &self.authority)
            .header(CONTENT_TYPE, "application/xml; charset=\"utf-8\"")
            .header("CIMOperation", "MethodCall")
            .header("CIMMethod", &headers.method)
            .header("CIMObject", &headers.object);
        if let Some(authorization) = &self.authorization {
            let mut value = HeaderValue::from_str(authorization)
                .map_err(|_| CimError::failed("the user's name cannot be sent"))?;
            value.set_sensitive(true);
            request = request.header(AUTHORIZATION, value);
        }
        let made = request.body(Full::new(body));
        Ok(made.map_err(|_| CimError::failed("the request cannot be put into HTTP headers"))?)
    }
}

async fn speak(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
) -> Result<SendRequest<Full<Bytes>>, ClientError> {
    let (sender, connection) = handshake(TokioIo::new(stream)).await?;
    // It ends with the sender; an error of it reaches the caller through the sender.
    tokio::spawn(async move {
        if let Err(error) = connection.await {
            tracing::debug!(%error, "the connection ended");
        }
    });
    Ok(sender)
}

fn encoded(addressed: &Addressed) -> Result<(Bytes, CallHeaders), ClientError> {
    let mut body = BytesMut::new();
    encode_request(&mut body, "1", addressed)?;
    Ok((body.freeze(), CallHeaders::of(addressed)))
}

async fn read(response: Response<hyper::body::Incoming>) -> Result<Bytes, ClientError> {
    match response.status() {
        StatusCode::OK => {}
        StatusCode::UNAUTHORIZED => return Err(ClientError::Unauthorized),
        status => {
            let detail = response.headers().get("CIMError");
            let detail = detail
                .and_then(|value| value.to_str().ok())
                .map(str::to_owned);
            return Err(ClientError::Http {
                status: status.as_u16(),
                detail,
            });
        }
    }
    let collected = Limited::new(response.into_body(), ANSWER_LIMIT_BYTES)
        .collect()
        .await;
    match collected {
        Ok(body) => Ok(body.to_bytes()),
        Err(error) if error.is::<LengthLimitError>() => {
            Err(ClientError::TooLong(ANSWER_LIMIT_BYTES))
        }
        Err(error) => match error.downcast::<hyper::Error>() {
            Ok(error) => Err(ClientError::Connection(*error)),
            Err(_) => Err(CimError::failed("the answer broke off").into()),
        },
    }
}
