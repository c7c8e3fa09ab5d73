//! Query languages: WQL and CQL, which select, and FQL, which filters.
//!
//! A text is parsed, its names are looked up in the schema, the types of what it compares are
//! checked, and what comes out is asked of one instance after the other. All of it is pure: the
//! time and the namespace come in as [`Circumstances`], the schema as [`Classes`].
//!
//! ```ignore
//! // ExecQuery, OpenQueryInstances and indication filters: a language and a whole query.
//! let query = Query::given("DMTF:CQL", "SELECT Name FROM CIM_Job WHERE JobState = 4", &*cx.schema)?;
//! // The pulled operations: FilterQueryLanguage and FilterQuery, both or neither.
//! let filter = Filter::given(Some("DMTF:FQL"), Some("JobState = 4"), Some(&class), &*cx.schema)?;
//! let circumstances = Circumstances { now: cx.now, namespace: &cx.namespace };
//! if query.selects(&instance, circumstances) {
//!     show(query.projection.of(instance));
//! }
//! ```
//!
//! WQL has no specification of its own; here it has the conditions of CQL, its own patterns of
//! `LIKE`, strings in either kind of quotes, `!=`, `__CLASS`, and `TargetInstance` for
//! `SourceInstance`. Truth has three values in WQL and CQL ([`Truth`]); in FQL what is unknown is
//! false. DSP0202 1.0, DSP0212 1.0.

mod ast;
mod call;
mod compare;
mod compiled;
mod error;
mod eval;
mod function;
mod kind;
mod language;
mod lexer;
mod like;
pub mod limits;
mod parser;
mod plan;
mod print;
mod projection;
mod resolve;
#[cfg(test)]
mod tests;
mod truth;

pub use error::{Fault, Position, QueryError};
pub use eval::Circumstances;
pub use language::Language;
pub use plan::{Filter, Query};
pub use projection::Projection;
pub use resolve::Classes;
pub use truth::Truth;
