//! The CIM-XML codec (DSP0200 1.4, DSP0201 2.4): bytes to values, values to bytes.
//!
//! Pure: it knows neither HTTP nor the broker, so server, client and fuzzer share it.

mod error;
mod limits;

mod dtd;
mod reader;
mod syntax;
mod validity;

mod argument;
mod associations;
mod batch;
mod charset;
mod class;
mod class_decl;
mod envelope;
mod headers;
mod instance;
mod path;
mod pulls;
mod request;
mod value;

mod class_writer;
mod error_instance;
mod forms;
mod known_forms;
mod path_writer;
mod response;
mod value_writer;
mod writer;

mod answer;
mod call;
mod decl_writer;

mod export;

#[cfg(test)]
mod tests;

pub use answer::{Item, Response, Returned, UnexpectedItem, decode as decode_response};
pub use batch::{Batch, Part, decode_batch};
pub use call::{CallHeaders, encode as encode_request, method_name};
pub use charset::{Charset, to_utf8};
pub use class_decl::{decode_class, decode_qualifier, encode_class, encode_qualifier};
pub use error::{
    Answer, DecodeError, DecodeErrorKind, Envelope, HttpFault, Refusal, ResponseHead, Target,
};
pub use export::{
    EXPORT_METHOD, Exported, Sequence, decode_export, decode_export_response, decode_indication,
    encode_export, encode_export_response, encode_indication,
};
pub use forms::Forms;
pub use headers::{Agreement, CimHeaders, ExportHeaders, Method};
pub use instance::NamedInstance;
pub use known_forms::KnownForms;
pub use limits::Limits;
pub use request::{Decoded, decode};
pub use response::{ResponseEncoder, Rest, begin_batch, encode_class_reply, end_batch};
pub use syntax::is_xml_char;
pub use writer::EncodeError;
