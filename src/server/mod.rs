//! The server: connections, authentication, limits, front ends, and how it is all put together.

mod announce;
pub mod auth;
pub mod certificate;
mod compose;
mod connections;
mod error;
mod events;
mod front;
mod http;
mod limits;
mod listener;
mod negotiation;
mod pace;
mod schema;
mod secure;
mod state;
#[cfg(test)]
mod tests;
mod tls;

pub use compose::{Reload, Running, start};
pub use error::StartError;
pub use front::{Front, Handler};
pub use limits::Limits;
pub use listener::Listener;
pub use schema::{Finding, Ground, Text, check, compiled, judge, texts};
pub use secure::certificate as listening_certificate;
pub use tls::{KeyPair, Tls};
