//! What the integration tests share: a real server process, a Python with pywbem, wbemcli.

pub mod admin;
mod clients;
pub mod engine;
mod server;
pub mod site;

pub use clients::{python, wbemcli};
pub use server::{Server, state_dir};
