//! The server: connections, authentication, limits, front ends, and how it is all put together.

pub mod auth;
mod compose;
mod error;
mod front;
mod http;
mod limits;
mod listener;
mod schema;
mod stall;
mod state;

pub use compose::{Running, start};
pub use error::StartError;
pub use front::{Front, Handler};
pub use limits::Limits;
pub use listener::Listener;
