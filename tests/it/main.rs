//! The integration tests: one binary, so that the crate is linked once.

mod dmtf;
mod jobs;
mod mof;
mod schema;
mod schema_sum;
mod tidy;
