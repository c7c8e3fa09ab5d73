//! The front end for CIM-XML: from an HTTP request to an HTTP response.

mod answer;
mod body;
mod class_texts;
mod compress;
mod deliver;
mod measure;
mod operate;
mod options;
mod respond;
mod stream;

pub use answer::{Front, Handler};
