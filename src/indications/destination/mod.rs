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

use crate::client::Trust;

/// How the server may reach out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outward {
    /// Where indications may be sent.
    pub allowed: AllowList,
    /// Who vouches for destinations under TLS.
    pub trust: Trust,
}

impl Default for Outward {
    /// Loopback alone, and whom the machine trusts.
    fn default() -> Self {
        Self {
            allowed: AllowList::default(),
            trust: Trust::System(Vec::new()),
        }
    }
}
