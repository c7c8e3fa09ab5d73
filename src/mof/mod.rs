//! The MOF front end: text becomes declarations of the model, with a span for every element.
//!
//! Parsing never fails: it returns what it understood, with diagnostics for the rest. Nothing here
//! reads a file ([`Sources`] does), and nothing here knows a schema: whether a superclass exists or
//! a default fits is judged by `schema`, whose errors [`Batch::locate`] finds again in the text.
//! [`Printer`] is the way back. The language is that of DSP0004 2.8 annex A.

mod source;

mod diagnostic;
mod render;

mod lexer;
mod literal;

mod ast;
mod parser;

mod locate;
mod lower;
mod names;

mod compilation;
mod compile;
mod embedded;
mod object;

mod print;

pub use compilation::{AliasUse, Batch, Compilation, MofInstance};
pub use compile::{Limits, compile};
pub use diagnostic::{Code, Diagnostic, Note, Severity};
pub use embedded::{Embedded, ROOTS};
pub use lexer::token_count;
pub use literal::quoted;
pub use locate::Part;
pub use object::embedded_instance;
pub use print::{Loss, Printer, dependency_order};
pub use render::{render, render_note};
pub use source::{FileId, Position, SourceError, SourceFile, SourceMap, Sources, Span};
