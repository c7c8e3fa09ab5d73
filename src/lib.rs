//! Jobwright, a WBEM server whose work is jobs: this file is the map of the crate.

pub mod cimxml;
pub mod cli;
pub mod model;
pub mod ops;
pub mod provider;
pub mod schema;
