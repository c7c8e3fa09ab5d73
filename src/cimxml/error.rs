//! Why a document was refused, with the answer that the refusal becomes (DSP0200 1.4 §7.3).

use thiserror::Error;

use crate::model::{CimError, Namespace, ObjectPath, Status};

/// Longest [`HttpFault::detail`], in characters.
const DETAIL_CHARS: usize = 256;

/// What a response repeats of its request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResponseHead {
    /// `MESSAGE/@ID`, as the client wrote it.
    pub message_id: String,
    /// The method's name, as the client wrote it: pywbem compares it with case.
    pub method: String,
    /// Whether the method is an operation of DSP0200 and not one of a class.
    pub intrinsic: bool,
}

/// What a call is addressed to.
#[derive(Debug, Clone, PartialEq)]
pub enum Target {
    /// The namespace of an intrinsic operation.
    Namespace(Namespace),
    /// The class or instance that an extrinsic method is called on.
    Object(ObjectPath),
}

/// What the headers of a request must agree with.
#[derive(Debug, Clone, PartialEq)]
pub struct Envelope {
    /// What the response repeats.
    pub head: ResponseHead,
    /// `MESSAGE/@PROTOCOLVERSION`.
    pub protocol_version: String,
    /// What the call is addressed to; `None` when the error stands in that very place.
    pub target: Option<Target>,
}

impl Envelope {
    /// The namespace that the call is addressed to, as far as it was read.
    pub fn namespace(&self) -> Option<&Namespace> {
        match self.target.as_ref()? {
            Target::Namespace(namespace) => Some(namespace),
            Target::Object(path) => path.namespace.as_ref(),
        }
    }
}

/// What is wrong with a document.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum DecodeErrorKind {
    /// It is not XML, or more of it than we take.
    #[error("not well-formed XML: {0}")]
    NotWellFormed(String),
    /// It is CIM-XML and not the kind of message expected here.
    #[error("not the expected message: {0}")]
    NotValid(String),
    /// Something that the DTD requires is missing or in the wrong place.
    #[error("not valid CIM-XML: {0}")]
    NotLooselyValid(String),
    /// `CIM/@CIMVERSION` has another major number than 2.
    #[error("CIM version {0} is not supported")]
    CimVersion(String),
    /// `CIM/@DTDVERSION` has another major number than 2.
    #[error("DTD version {0} is not supported")]
    DtdVersion(String),
    /// `MESSAGE/@PROTOCOLVERSION` has another major number than 1.
    #[error("protocol version {0} is not supported")]
    ProtocolVersion(String),
    /// The message is of another kind than its headers say.
    #[error("not the message that the headers announce: {0}")]
    Mismatch(&'static str),
    /// The message is a batch of a kind that is not taken.
    #[error("several requests in one message are not supported")]
    MultipleRequests,
    /// A batch of more requests than are taken at a time.
    #[error("more than {0} requests in one message")]
    LongBatch(usize),
    /// The document is right and a value in it is not.
    #[error(transparent)]
    Cim(CimError),
}

/// A refused document.
#[derive(Debug, Clone, PartialEq, Error)]
#[error("{kind} (at byte {offset})")]
pub struct DecodeError {
    /// Where in the body, in bytes; of an embedded object, where the object begins.
    pub offset: usize,
    /// What is wrong.
    pub kind: DecodeErrorKind,
    /// What was known of the call when the error was found.
    pub envelope: Option<Box<Envelope>>,
}

/// A result of decoding.
pub type Result<T, E = DecodeError> = std::result::Result<T, E>;

/// What the header `CIMError` of a refused request may say (DSP0200 1.4 §6.3.5).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Refusal {
    /// A CIM header is missing, twice there, or says something else than the body.
    HeaderMismatch,
    /// `CIMOperation` or `CIMExport` asks for something that does not exist.
    UnsupportedOperation,
    /// The body is not well-formed XML.
    RequestNotWellFormed,
    /// The body is not a message of the kind that is expected, or a header is malformed.
    RequestNotValid,
    /// Something that the DTD requires is missing or in the wrong place.
    RequestNotLooselyValid,
    /// `CIM/@CIMVERSION` has another major number than 2.
    UnsupportedCimVersion,
    /// `CIM/@DTDVERSION` has another major number than 2.
    UnsupportedDtdVersion,
    /// `MESSAGE/@PROTOCOLVERSION` has another major number than 1.
    UnsupportedProtocolVersion,
    /// A batch of a kind, or of a length, that is not taken.
    MultipleRequestsUnsupported,
}

impl Refusal {
    /// Every value.
    pub const ALL: [Self; 9] = [
        Self::HeaderMismatch,
        Self::UnsupportedOperation,
        Self::RequestNotWellFormed,
        Self::RequestNotValid,
        Self::RequestNotLooselyValid,
        Self::UnsupportedCimVersion,
        Self::UnsupportedDtdVersion,
        Self::UnsupportedProtocolVersion,
        Self::MultipleRequestsUnsupported,
    ];

    /// The value of the header.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::HeaderMismatch => "header-mismatch",
            Self::UnsupportedOperation => "unsupported-operation",
            Self::RequestNotWellFormed => "request-not-well-formed",
            Self::RequestNotValid => "request-not-valid",
            Self::RequestNotLooselyValid => "request-not-loosely-valid",
            Self::UnsupportedCimVersion => "unsupported-cim-version",
            Self::UnsupportedDtdVersion => "unsupported-dtd-version",
            Self::UnsupportedProtocolVersion => "unsupported-protocol-version",
            Self::MultipleRequestsUnsupported => "multiple-requests-unsupported",
        }
    }

    /// The HTTP status that goes with it: 501 for what no server need do, 400 for what is wrong.
    pub const fn status(self) -> u16 {
        match self {
            Self::HeaderMismatch
            | Self::UnsupportedOperation
            | Self::RequestNotWellFormed
            | Self::RequestNotValid
            | Self::RequestNotLooselyValid => 400,
            Self::UnsupportedCimVersion
            | Self::UnsupportedDtdVersion
            | Self::UnsupportedProtocolVersion
            | Self::MultipleRequestsUnsupported => 501,
        }
    }
}

/// An HTTP status that refuses a request, with the `CIMError` header that goes with it.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{detail}")]
pub struct HttpFault {
    /// The HTTP status.
    pub status: u16,
    /// The value of `CIMError`; `None` when the header is left out.
    pub cim_error: Option<Refusal>,
    /// What the client did, on one line, for the log and (escaped) for `PGErrorDetail`.
    pub detail: String,
}

impl HttpFault {
    /// The fault of a request that is refused with that value of `CIMError`.
    pub fn refused(refusal: Refusal, detail: impl Into<String>) -> Self {
        Self {
            status: refusal.status(),
            cim_error: Some(refusal),
            detail: detail.into(),
        }
    }
}

/// What a client is answered when its request could not be decoded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// An HTTP error without a body.
    Http(HttpFault),
    /// An `ERROR` element in a response with HTTP status 200.
    Cim(ResponseHead, CimError),
}

impl DecodeError {
    pub(super) fn new(offset: usize, kind: DecodeErrorKind) -> Self {
        Self {
            offset,
            kind,
            envelope: None,
        }
    }

    /// The id of the message, when it was read before the error.
    pub fn message_id(&self) -> Option<&str> {
        self.envelope
            .as_ref()
            .map(|envelope| envelope.head.message_id.as_str())
    }

    /// The answer that this error becomes.
    pub fn answer(&self) -> Answer {
        let refusal = match (&self.kind, &self.envelope) {
            (DecodeErrorKind::Cim(error), Some(envelope)) => {
                return Answer::Cim(envelope.head.clone(), error.clone());
            }
            (DecodeErrorKind::NotWellFormed(_), _) => Refusal::RequestNotWellFormed,
            (DecodeErrorKind::NotValid(_), _) => Refusal::RequestNotValid,
            (DecodeErrorKind::NotLooselyValid(_) | DecodeErrorKind::Cim(_), _) => {
                Refusal::RequestNotLooselyValid
            }
            (DecodeErrorKind::CimVersion(_), _) => Refusal::UnsupportedCimVersion,
            (DecodeErrorKind::DtdVersion(_), _) => Refusal::UnsupportedDtdVersion,
            (DecodeErrorKind::ProtocolVersion(_), _) => Refusal::UnsupportedProtocolVersion,
            (DecodeErrorKind::Mismatch(_), _) => Refusal::HeaderMismatch,
            (DecodeErrorKind::MultipleRequests | DecodeErrorKind::LongBatch(_), _) => {
                Refusal::MultipleRequestsUnsupported
            }
        };
        Answer::Http(HttpFault::refused(refusal, one_line(&self.to_string())))
    }

    pub(super) fn is_well_formed(&self) -> bool {
        !matches!(self.kind, DecodeErrorKind::NotWellFormed(_))
    }

    /// This error as the fault of one value: what an embedded object or a parameter is not.
    pub(super) fn into_value_error(self, what: &str) -> CimError {
        match self.kind {
            DecodeErrorKind::Cim(error) => error,
            other => CimError::new(Status::InvalidParameter, format!("{what}: {other}")),
        }
    }
}

/// `text`, parts of which a stranger wrote, fit for a header or a line of the log.
fn one_line(text: &str) -> String {
    text.chars()
        .take(DETAIL_CHARS)
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect()
}
