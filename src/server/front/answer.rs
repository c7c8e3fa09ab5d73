//! One request from its head to its response: the order of checks is that of DSP0200.

#![expect(
    clippy::disallowed_methods,
    reason = "a request's clocks are read once, here"
)]

use std::net::SocketAddr;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use bytes::BytesMut;
use chrono::Utc;
use futures_util::FutureExt;
use hyper::body::Incoming;
use hyper::header::{
    ALLOW, CACHE_CONTROL, CONNECTION, CONTENT_TYPE, HeaderName, HeaderValue, RETRY_AFTER, TRAILER,
    WWW_AUTHENTICATE,
};
use hyper::{Request, Response, StatusCode};
use percent_encoding::{CONTROLS, utf8_percent_encode};
use tokio::sync::Semaphore;

use crate::broker::{Arrival, Broker};
use crate::cimxml::{
    Agreement, Answer, CimHeaders, DecodeError, Decoded, HttpFault, Limits as XmlLimits, Method,
    ResponseEncoder, ResponseHead, decode,
};
use crate::model::{CimError, Result};
use crate::ops::{Addressed, BoxFuture, Reply, Request as Operation};
use crate::provider::Principal;

use super::super::auth::{Authenticator, CHALLENGE};
use super::super::{Limits, http};
use super::body::{Authenticated, Held};
use super::stream::{Body, DESCRIPTION_TRAILER, Encoded, STATUS_TRAILER, encode, whole};

/// The media type of every answer that has a body.
const XML: &str = "application/xml; charset=\"utf-8\"";
/// Large bodies decoded at a time.
const DECODERS: usize = 2;

/// What answers operations; the broker, or a test's stand-in for it.
pub trait Handler: Send + Sync + 'static {
    /// Answers one operation.
    fn handle(
        &self,
        principal: Principal,
        arrival: Arrival,
        request: Addressed,
    ) -> BoxFuture<'_, Result<Reply>>;
}

impl Handler for Broker {
    fn handle(
        &self,
        principal: Principal,
        arrival: Arrival,
        request: Addressed,
    ) -> BoxFuture<'_, Result<Reply>> {
        Box::pin(Broker::handle(self, principal, arrival, request))
    }
}

/// The front end: everything between a connection and the handler.
pub struct Front {
    handler: Arc<dyn Handler>,
    authenticator: Authenticator,
    limits: Arc<Limits>,
    agreement: Agreement,
    memory: Arc<Semaphore>,
    decoders: Arc<Semaphore>,
    panics: AtomicU64,
}

/// What is to be said about a request besides its answer.
struct Spoken {
    prefix: Option<String>,
    trailers: bool,
}

impl Front {
    /// A front end before `handler`.
    pub fn new(
        handler: Arc<dyn Handler>,
        authenticator: Authenticator,
        limits: Arc<Limits>,
        agreement: Agreement,
    ) -> Self {
        let memory = Arc::new(Semaphore::new(limits.bodies_bytes));
        let decoders = Arc::new(Semaphore::new(DECODERS));
        Self {
            handler,
            authenticator,
            limits,
            agreement,
            memory,
            decoders,
            panics: AtomicU64::new(0),
        }
    }

    /// How many requests met a fault of ours that would have ended the program.
    pub fn panics(&self) -> u64 {
        self.panics.load(Ordering::Relaxed)
    }

    /// Answers `request`. A panic costs the one request.
    pub async fn answer(&self, peer: SocketAddr, request: Request<Incoming>) -> Response<Body> {
        let start = Instant::now();
        let answered = AssertUnwindSafe(self.respond(peer, request))
            .catch_unwind()
            .await;
        let mut response = match answered {
            Ok(Ok(response)) => response,
            Ok(Err(fault)) => refused(&fault),
            Err(_) => {
                self.panics.fetch_add(1, Ordering::Relaxed);
                refused(&http::refuse(500, "a fault of the server"))
            }
        };
        let micros = start.elapsed().as_micros().to_string();
        if let Ok(micros) = HeaderValue::from_str(&micros) {
            response
                .headers_mut()
                .insert(HeaderName::from_static("wbemserverresponsetime"), micros);
        }
        response
    }

    async fn respond(
        &self,
        peer: SocketAddr,
        request: Request<Incoming>,
    ) -> std::result::Result<Response<Body>, HttpFault> {
        let method = http::head(&request, &self.limits)?;
        let (head, body) = request.into_parts();
        let principal = match self.authenticator.authenticate(peer, &head.headers).await {
            Ok(principal) => principal,
            Err(_denied) => return Err(http::refuse(401, "no credentials, or wrong ones")),
        };
        let cim = cim_headers(method, &head.headers)?;
        http::media(&head.headers)?;
        let spoken = Spoken {
            prefix: cim.prefix.clone(),
            trailers: http::takes_trailers(&head.headers),
        };
        let authenticated = Authenticated::new(principal, body);
        let (principal, held) = authenticated.read(&self.limits, &self.memory).await?;
        let (response_head, answered) = match self.decode(held).await {
            Ok(Decoded { envelope, call }) => {
                cim.agree(&envelope, self.agreement)?;
                let encoder = ResponseEncoder::new(envelope.head.clone());
                (
                    envelope.head,
                    self.operate(principal, call, encoder, spoken.trailers)
                        .await,
                )
            }
            Err(error) => {
                if let Some(envelope) = &error.envelope {
                    cim.agree(envelope, self.agreement)?;
                }
                match error.answer() {
                    Answer::Http(fault) => return Err(fault),
                    Answer::Cim(head, error) => (head, Err(error)),
                }
            }
        };
        Ok(said(response_head, answered, &spoken))
    }

    /// A long body is decoded elsewhere: while it is, this thread serves other connections.
    async fn decode(&self, held: Held) -> std::result::Result<Decoded, DecodeError> {
        let limits = XmlLimits::default();
        if held.bytes.len() <= self.limits.inline_bytes {
            return decode(&held.bytes, &limits);
        }
        let _turn = self.decoders.acquire().await;
        let work = tokio::task::spawn_blocking(move || decode(&held.bytes, &limits));
        work.await
            .unwrap_or_else(|error| std::panic::resume_unwind(error.into_panic()))
    }

    async fn operate(
        &self,
        principal: Principal,
        call: Addressed,
        encoder: ResponseEncoder,
        trailers: bool,
    ) -> Result<Encoded> {
        let time = match &call.request {
            Operation::EnumerateInstances(_) | Operation::EnumerateInstanceNames(_) => {
                self.limits.enumeration_time
            }
            _ => self.limits.operation_time,
        };
        let arrival = Arrival {
            now: Utc::now(),
            deadline: Instant::now() + time,
        };
        let chunk_bytes = self.limits.chunk_bytes;
        let work = async {
            let reply = self.handler.handle(principal, arrival, call).await?;
            encode(encoder, reply, (chunk_bytes, trailers)).await
        };
        match tokio::time::timeout(time, AssertUnwindSafe(work).catch_unwind()).await {
            Ok(Ok(encoded)) => encoded,
            Ok(Err(_panic)) => {
                self.panics.fetch_add(1, Ordering::Relaxed);
                tracing::error!("an operation met a fault of the server");
                Err(CimError::failed("the server met a fault of its own"))
            }
            Err(_) => Err(CimError::failed("the operation took too long")),
        }
    }
}

fn said(head: ResponseHead, answered: Result<Encoded>, spoken: &Spoken) -> Response<Body> {
    let mut late = false;
    let body = match answered {
        Ok(Encoded::Whole(bytes)) => whole(bytes),
        Ok(Encoded::Begun(body)) => {
            late = spoken.trailers;
            body
        }
        Err(error) => {
            let mut bytes = BytesMut::new();
            ResponseEncoder::new(head).error(&mut bytes, &error);
            whole(bytes.freeze())
        }
    };
    let mut response = Response::new(body);
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(XML));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    if late {
        let names = format!("{STATUS_TRAILER}, {DESCRIPTION_TRAILER}");
        headers.extend(
            HeaderValue::from_str(&names)
                .ok()
                .map(|names| (TRAILER, names)),
        );
    }
    mark(headers, spoken.prefix.as_deref());
    response
}

/// `CIMOperation: MethodResponse`, in the spelling that the request's method asks for.
fn mark(headers: &mut hyper::HeaderMap, prefix: Option<&str>) {
    let response = HeaderValue::from_static("MethodResponse");
    let Some(prefix) = prefix else {
        headers.insert(HeaderName::from_static("cimoperation"), response);
        return;
    };
    let man = format!("http://www.dmtf.org/cim/mapping/http/v1.0 ; ns={prefix}");
    let name = HeaderName::from_bytes(format!("{prefix}-CIMOperation").as_bytes());
    if let (Ok(name), Ok(man)) = (name, HeaderValue::from_str(&man)) {
        headers.insert(HeaderName::from_static("ext"), HeaderValue::from_static(""));
        headers.insert(HeaderName::from_static("man"), man);
        headers.insert(name, response);
    }
}

fn cim_headers(
    method: Method,
    headers: &hyper::HeaderMap,
) -> std::result::Result<CimHeaders, HttpFault> {
    let all: Vec<(&str, &[u8])> = headers
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_bytes()))
        .collect();
    CimHeaders::read(method, &all)
}

/// An HTTP error: no body, and after those where the request was not read whole no more requests.
fn refused(fault: &HttpFault) -> Response<Body> {
    tracing::debug!(status = fault.status, detail = %fault.detail, "a request was refused");
    let mut response = Response::new(whole(bytes::Bytes::new()));
    *response.status_mut() =
        StatusCode::from_u16(fault.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let headers = response.headers_mut();
    if let Some(error) = fault.cim_error {
        headers.insert(
            HeaderName::from_static("cimerror"),
            HeaderValue::from_static(error),
        );
        let detail = utf8_percent_encode(&fault.detail, CONTROLS).to_string();
        if let Ok(detail) = HeaderValue::from_str(&detail) {
            headers.insert(HeaderName::from_static("pgerrordetail"), detail);
        }
    }
    match fault.status {
        401 => {
            headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static(CHALLENGE));
        }
        405 => {
            headers.insert(ALLOW, HeaderValue::from_static("POST, M-POST"));
        }
        503 => {
            headers.insert(RETRY_AFTER, HeaderValue::from_static("1"));
        }
        _ => {}
    }
    if matches!(fault.status, 400 | 408 | 411 | 413 | 414 | 500 | 503) {
        headers.insert(CONNECTION, HeaderValue::from_static("close"));
    }
    response
}
