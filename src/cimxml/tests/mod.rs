//! Tests of the codec as a whole.

mod golden;
mod limits;
mod malformed;
mod samples;
mod wire;
