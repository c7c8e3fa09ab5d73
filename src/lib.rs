//! Jobwright, a WBEM server whose work is jobs: this file is the map of the crate.

pub mod broker;
pub mod builtin;
pub mod cimxml;
pub mod cli;
pub mod client;
pub mod config;
pub mod indications;
pub mod jobs;
pub mod json;
pub mod model;
pub mod mof;
pub mod ops;
pub mod provider;
pub mod query;
pub mod schema;
pub mod server;
pub mod store;
#[cfg(test)]
mod testing;
