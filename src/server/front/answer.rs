//! One request from its head to its response: the order of checks is that of DSP0200.

#![expect(
    clippy::disallowed_methods,
    reason = "a request's clocks are read once, here"
)]

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use futures_util::FutureExt;
use hyper::body::{Body as _, Incoming};
use hyper::header::{CONNECTION, HeaderMap, HeaderValue};
use hyper::{Request, Response, Version};
use tokio::sync::Semaphore;

use crate::broker::{Arrival, Broker};
use crate::builtin::{Kind, Statistics};
use crate::cimxml::{
    Agreement, Answer, Batch, Charset, CimHeaders, DecodeError, Decoded, HttpFault, KnownForms,
    Limits as XmlLimits, Method, decode, decode_batch, to_utf8,
};
use crate::model::{Namespace, Result};
use crate::ops::{Access, Addressed, BoxFuture, Reply};
use crate::provider::Principal;

use super::super::Limits;
use super::super::auth::{Authenticator, Denied};
use super::super::connections::Connection;
use super::super::http::{self, Transport, Verb};
use super::super::negotiation::{Manner, negotiate};
use super::body::{Authenticated, Held};
use super::class_texts::ClassTexts;
use super::deliver::{Body, deliver};
use super::measure::{Measure, Spent, head_bytes};
use super::operate::Caller;
use super::options;
use super::respond::{Refused, answered, extend, refused};
use super::stream::Text;

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

    /// Whether a request may be made at all, for one whose parameters are wrong: what is wrong with
    /// access or namespace is told before what is wrong with parameters.
    fn admit(&self, principal: &Principal, namespace: &Namespace, access: Access) -> Result<()>;
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

    fn admit(&self, principal: &Principal, namespace: &Namespace, access: Access) -> Result<()> {
        Broker::admit(self, principal, namespace, access).map(|_| ())
    }
}

/// The front end: everything between a connection and the handler.
pub struct Front {
    pub(super) handler: Arc<dyn Handler>,
    authenticator: Authenticator,
    pub(super) limits: Arc<Limits>,
    agreement: Agreement,
    statistics: Arc<Statistics>,
    memory: Arc<Semaphore>,
    decoders: Semaphore,
    pub(super) panics: AtomicU64,
    pub(super) error_instances: bool,
    pub(super) texts: ClassTexts,
    pub(super) forms: KnownForms,
}

/// A message that was understood.
enum Message {
    /// One call.
    Single(Box<Decoded>),
    /// Several.
    Batch(Batch),
}

/// A request whose sender is known and whose CIM headers are read.
struct Called {
    principal: Principal,
    cim: CimHeaders,
    headers: HeaderMap,
    body: Incoming,
    start: Instant,
}

impl Front {
    /// A front end before `handler`.
    pub fn new(
        handler: Arc<dyn Handler>,
        authenticator: Authenticator,
        limits: Arc<Limits>,
        agreement: Agreement,
        statistics: Arc<Statistics>,
    ) -> Self {
        let memory = Arc::new(Semaphore::new(limits.bodies_bytes));
        Self {
            handler,
            authenticator,
            limits,
            agreement,
            statistics,
            memory,
            decoders: Semaphore::new(DECODERS),
            panics: AtomicU64::new(0),
            error_instances: false,
            texts: ClassTexts::default(),
            forms: KnownForms::default(),
        }
    }

    /// The same, with errors as instances in `ERROR` where `wanted`.
    #[must_use]
    pub fn with_error_instances(self, wanted: bool) -> Self {
        Self {
            error_instances: wanted,
            ..self
        }
    }

    /// How many requests met a fault of ours that would have ended the program.
    pub fn panics(&self) -> u64 {
        self.panics.load(Ordering::Relaxed)
    }

    /// Reads the accounts anew.
    pub fn reload(&self) {
        self.authenticator.reload();
    }

    /// Answers `request`, which is under way from here on, before anybody polls. A panic costs the one
    /// request.
    pub(in super::super) fn answer(
        self: Arc<Self>,
        connection: Arc<Connection>,
        transport: Transport,
        request: Request<Incoming>,
    ) -> impl Future<Output = Response<Body>> + Send {
        let working = connection.begin(Instant::now);
        async move {
            let version = request.version();
            let responding = AssertUnwindSafe(self.respond(&connection, transport, request));
            let mut response = match responding.catch_unwind().await {
                Ok(Ok(response)) => response,
                Ok(Err(fault)) => refused(&fault),
                Err(_) => {
                    self.panics.fetch_add(1, Ordering::Relaxed);
                    refused(&http::refuse(500, "a fault of the server").into())
                }
            };
            // HTTP/1.0 has no chunks: a body of unknown length ends with its connection, which a client
            // that asked to keep it must not take for kept (RFC 9112 §9.3).
            let ends_it = version == Version::HTTP_10 && response.size_hint().exact().is_none();
            if ends_it || connection.served() >= self.limits.connection_requests {
                let close = HeaderValue::from_static("close");
                response.headers_mut().insert(CONNECTION, close);
            }
            response.map(|body| body.under_way(working))
        }
    }

    async fn respond(
        self: &Arc<Self>,
        connection: &Connection,
        transport: Transport,
        request: Request<Incoming>,
    ) -> std::result::Result<Response<Body>, Refused> {
        let start = Instant::now();
        let verb = http::head(&request, transport, &self.limits)?;
        let (head, body) = request.into_parts();
        let identified = self
            .authenticator
            .authenticate(connection.peer, &head.headers)
            .await;
        let principal = identified.map_err(|denied| match denied {
            Denied::Unknown => http::refuse(401, "no credentials, or wrong ones"),
            Denied::TooOften => http::refuse(429, "too many requests without a right password"),
        })?;
        connection.know();
        let Verb::Call(method) = verb else {
            return Ok(options::answer(self.agreement));
        };
        let cim = self.cim_headers(method, &head.headers)?;
        let prefix = cim.prefix.clone();
        let called = Called {
            principal,
            cim,
            headers: head.headers,
            body,
            start,
        };
        // Boxed: a connection has room for what is under way even while it is idle, and each request is
        // moved there.
        let answer = Box::pin(self.called(called)).await;
        answer.map_err(|fault| Refused { fault, prefix })
    }

    fn cim_headers(
        &self,
        method: Method,
        headers: &HeaderMap,
    ) -> std::result::Result<CimHeaders, HttpFault> {
        // A plain POST declares no mandatory extension (DSP0200 1.4 §7.2.3).
        let declared = method == Method::Post && headers.contains_key("man");
        if declared && self.agreement == Agreement::Strict {
            return Err(http::refuse(400, "POST with Man"));
        }
        let all: Vec<(&str, &[u8])> = headers
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_bytes()))
            .collect();
        CimHeaders::read(method, &all, self.agreement)
    }

    async fn called(
        self: &Arc<Self>,
        called: Called,
    ) -> std::result::Result<Response<Body>, HttpFault> {
        let charset = http::media(&called.headers)?;
        let manner = negotiate(&called.headers)?;
        let authenticated = Authenticated::new(called.principal, called.body);
        let (principal, held) = authenticated.read(&self.limits, &self.memory).await?;
        let request_bytes = head_bytes(&called.headers) + held.bytes.len();
        let spent = Spent::default();
        let caller = Caller {
            principal,
            host: host(&called.headers).into(),
            spent: spent.clone(),
        };
        let understood = self.understand(held, charset, called.cim.batch).await;
        let (kind, text) = self.perform(&called.cim, caller, understood).await?;
        let begun = (called.start.elapsed(), spent);
        let measure = kind.filter(|_| self.statistics.are_gathered());
        let measure =
            measure.map(|kind| Measure::new(&self.statistics, kind, begun, request_bytes as u64));
        self.say(text, &manner, called.cim.prefix.as_deref(), measure)
    }

    /// A long body is decoded elsewhere: while it is, this thread serves other connections.
    async fn understand(
        &self,
        held: Held,
        charset: Charset,
        batch: bool,
    ) -> std::result::Result<Message, DecodeError> {
        if held.bytes.len() <= self.limits.inline_bytes {
            return understood(&held.bytes, charset, batch, self.agreement);
        }
        let _turn = self.decoders.acquire().await;
        let agreement = self.agreement;
        let work = move || understood(&held.bytes, charset, batch, agreement);
        let work = tokio::task::spawn_blocking(work);
        work.await
            .unwrap_or_else(|error| std::panic::resume_unwind(error.into_panic()))
    }

    /// The answer to what was understood, and as what it counts.
    async fn perform(
        self: &Arc<Self>,
        cim: &CimHeaders,
        caller: Caller,
        understood: std::result::Result<Message, DecodeError>,
    ) -> std::result::Result<(Option<Kind>, Text), HttpFault> {
        match understood {
            Ok(Message::Single(decoded)) => {
                cim.agree(&decoded.envelope, self.agreement)?;
                let kind = Kind::of(&decoded.call.request);
                Ok((kind, self.single(&caller, decoded).await))
            }
            Ok(Message::Batch(batch)) => {
                cim.agree_on_version(&batch.protocol_version)?;
                let text = self.batch(caller, batch).await;
                let text = text.map_err(|error| http::refuse(500, &error.description))?;
                Ok((Some(Kind::BATCH), text))
            }
            Err(error) => {
                if let Some(envelope) = &error.envelope {
                    cim.agree(envelope, self.agreement)?;
                }
                match (error.answer(), &error.envelope) {
                    (Answer::Http(fault), _) => Err(fault),
                    (Answer::Cim(head, error), envelope) => {
                        let error = match envelope {
                            Some(envelope) => self.first_fault(&caller.principal, envelope, error),
                            None => error,
                        };
                        Ok((None, self.failed_call(head, &error)))
                    }
                }
            }
        }
    }

    fn say(
        &self,
        text: Text,
        manner: &Manner,
        prefix: Option<&str>,
        mut measure: Option<Measure>,
    ) -> std::result::Result<Response<Body>, HttpFault> {
        let micros = measure.as_ref().map(Measure::begun_micros);
        let spent = measure.as_ref().map(|measure| measure.spent.clone());
        let delivery = deliver(text, manner, prefix, self.limits.compressed_bytes, spent);
        let delivery = delivery.map_err(|error| {
            tracing::error!(%error, "an answer could not be compressed");
            http::refuse(500, "the answer could not be compressed")
        })?;
        let mut response = answered(delivery, manner, prefix);
        if let Some(micros) = micros {
            let headers = response.headers_mut();
            extend(headers, prefix, "wbemserverresponsetime", micros);
        }
        if let Some(measure) = &mut measure {
            measure.sent(head_bytes(response.headers()));
        }
        Ok(match measure {
            Some(measure) => response.map(|body| body.measured(measure)),
            None => response,
        })
    }
}

/// The name by which the client reached the server; HTTP/1.0 knows none.
fn host(headers: &HeaderMap) -> &str {
    let named = headers.get(hyper::header::HOST);
    let named = named.and_then(|host| host.to_str().ok());
    named.unwrap_or("localhost")
}

fn understood(
    body: &[u8],
    charset: Charset,
    batch: bool,
    agreement: Agreement,
) -> std::result::Result<Message, DecodeError> {
    let limits = XmlLimits {
        agreement,
        ..XmlLimits::default()
    };
    let text = to_utf8(body, charset)?;
    if batch {
        decode_batch(&text, &limits).map(Message::Batch)
    } else {
        decode(&text, &limits).map(|decoded| Message::Single(Box::new(decoded)))
    }
}
