//! A CIM-XML client: one connection, typed calls.

mod calls;
mod connection;
mod error;

pub use calls::MethodResult;
pub use connection::{Client, Credentials};
pub use error::ClientError;
