//! Tests of the codec as a whole.

mod batch;
mod carried;
mod export;
mod forms;
mod golden;
mod headers;
mod limits;
mod malformed;
mod mutations;
mod pulls;
mod roundtrip;
mod samples;
mod wire;
