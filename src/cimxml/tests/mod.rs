//! Tests of the codec as a whole.

mod export;
mod golden;
mod headers;
mod limits;
mod malformed;
mod roundtrip;
mod samples;
mod wire;
