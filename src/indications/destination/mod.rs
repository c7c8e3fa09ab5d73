//! Destinations: where indications may go, and how each kind of destination is spoken to.

mod allow;
mod carrier;
mod cimxml;
mod http;
mod syslog;
mod target;
mod webhook;

pub use allow::{AllowList, Denial, RuleError};
pub use carrier::{BoxSend, Carrier, Destination, DestinationError};
pub use http::SendError;
pub use target::{Target, TargetError};
