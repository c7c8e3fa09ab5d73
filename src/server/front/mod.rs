//! The front end for CIM-XML: from an HTTP request to an HTTP response.

mod answer;
mod body;
mod stream;

pub use answer::{Front, Handler};
