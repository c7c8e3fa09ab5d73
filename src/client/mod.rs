//! A CIM-XML client: one connection, typed calls; and a listener, to which servers send indications.

mod associations;
mod calls;
mod connection;
mod error;
mod listener;
mod pulls;
mod tls;

pub use calls::MethodResult;
pub use connection::{Client, Credentials};
pub use error::ClientError;
pub use listener::{Duplex, Handshake, Listener, Received};
pub use pulls::Pulled;
pub use tls::{Tls, Trust};
