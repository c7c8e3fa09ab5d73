//! Syslog: indications as messages of RFC 5424 to a local socket or over UDP.
//!
//! A datagram that was sent is all that can be known: nobody answers.

use std::fmt::Write;
use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::Arc;

use tokio::net::{UdpSocket, UnixDatagram};

use crate::cimxml::{Limits, decode_indication};
use crate::json;
use crate::model::InstanceDecl;

use crate::store::Queued;

use super::http::SendError;
use super::{BoxSend, Carrier, Outward, Target};

/// The facility "daemon", as RFC 5424 numbers it.
const FACILITY: u8 = 3;
/// Longest message: what every receiver on the same machine takes.
const MESSAGE_LIMIT_BYTES: usize = 60_000;

/// Where messages go.
pub(super) enum Syslog {
    /// The socket of the local system log.
    Local(PathBuf),
    /// A receiver over UDP.
    Udp(Target, Arc<Outward>),
}

impl Carrier for Syslog {
    fn send<'a>(&'a mut self, queued: &'a Queued) -> BoxSend<'a> {
        Box::pin(async move {
            let message = message(queued)?;
            match self {
                Self::Local(path) => local(path, message.as_bytes()).await,
                Self::Udp(target, outward) => udp(target, outward, message.as_bytes()).await,
            }
        })
    }
}

async fn local(path: &PathBuf, message: &[u8]) -> Result<(), SendError> {
    let failed = |error| SendError::Connect(path.display().to_string(), error);
    let socket = UnixDatagram::unbound().map_err(failed)?;
    socket.send_to(message, path).await.map_err(failed)?;
    Ok(())
}

async fn udp(target: &Target, outward: &Outward, message: &[u8]) -> Result<(), SendError> {
    let failed = |error| SendError::Connect(target.authority(), error);
    let addresses = tokio::net::lookup_host((target.host.as_str(), target.port)).await;
    let mut last = None;
    for address in addresses.map_err(failed)? {
        if let Err(denial) = outward
            .allowed
            .permit(&target.host, address.ip(), target.port)
        {
            last = Some(SendError::from(denial));
            continue;
        }
        let any: IpAddr = match address {
            std::net::SocketAddr::V4(_) => std::net::Ipv4Addr::UNSPECIFIED.into(),
            std::net::SocketAddr::V6(_) => std::net::Ipv6Addr::UNSPECIFIED.into(),
        };
        let socket = UdpSocket::bind((any, 0)).await.map_err(failed)?;
        socket.send_to(message, address).await.map_err(failed)?;
        return Ok(());
    }
    let nowhere = || failed(std::io::Error::from(std::io::ErrorKind::AddrNotAvailable));
    Err(last.unwrap_or_else(nowhere))
}

/// One line: priority, version, time, application and the indication as JSON.
fn message(queued: &Queued) -> Result<String, SendError> {
    let indication = decode_indication(&queued.indication, &Limits::default());
    let indication = indication.map_err(|error| SendError::Damaged(error.to_string()))?;
    let priority = FACILITY * 8 + severity(&indication);
    let time = queued.queued.format("%Y-%m-%dT%H:%M:%S%.6fZ");
    let mut line = format!("<{priority}>1 {time} - jobwright - {} - ", indication.class);
    write!(line, "{}", json::instance(&indication)).expect("a String grows as it is written");
    if line.len() > MESSAGE_LIMIT_BYTES {
        let end = line.floor_char_boundary(MESSAGE_LIMIT_BYTES);
        line.truncate(end);
    }
    Ok(line)
}

/// `PerceivedSeverity` as a severity of RFC 5424; what only informs, or says nothing, is 6.
fn severity(indication: &InstanceDecl) -> u8 {
    let number = indication.get("PerceivedSeverity").and_then(|property| {
        let value = property.value.resolve(crate::model::CimType::Uint16, false);
        value.ok()?.as_integer()
    });
    match number {
        Some(3) => 4,
        Some(4) => 5,
        Some(5) => 3,
        Some(6) => 2,
        Some(7) => 1,
        Some(_) | None => 6,
    }
}
