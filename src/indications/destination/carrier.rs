//! What every kind of destination has in common, and the list of the kinds.

use std::future::Future;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hyper::header::HeaderValue;
use thiserror::Error;

use crate::model::{CimError, CimName, Instance};
use crate::store::Queued;

use super::cimxml::CimXml;
use super::http::{Post, SendError};
use super::syslog::Syslog;
use super::webhook::Webhook;
use super::{AllowList, Denial, Outward, Target, TargetError};

/// What comes of an attempt.
pub type BoxSend<'a> = Pin<Box<dyn Future<Output = Result<(), SendError>> + Send + 'a>>;

/// A way to bring indications to one destination.
pub trait Carrier: Send {
    /// Sends one indication; success means that the destination took it.
    fn send<'a>(&'a mut self, queued: &'a Queued) -> BoxSend<'a>;
}

/// Why an instance is no destination.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum DestinationError {
    /// `Destination` is NULL.
    #[error("Destination: the property must have a value")]
    Missing,
    /// `Destination` is no URL.
    #[error("Destination: {0}")]
    Target(#[from] TargetError),
    /// `Destination` is of another scheme than the class is for.
    #[error("Destination: {0}")]
    Scheme(&'static str),
    /// `username` and `password` cannot be sent.
    #[error("username: the name has a colon or a control character")]
    Credentials,
    /// Clients cannot make destinations of the class.
    #[error("{0} is no class of destinations that this server can send to")]
    Class(CimName),
}

impl From<DestinationError> for CimError {
    fn from(error: DestinationError) -> Self {
        match error {
            DestinationError::Class(_) => Self::not_supported(error.to_string()),
            DestinationError::Missing
            | DestinationError::Target(_)
            | DestinationError::Scheme(_)
            | DestinationError::Credentials => Self::invalid_parameter(error.to_string()),
        }
    }
}

/// The properties of a destination that a carrier is made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Destination {
    class: CimName,
    url: String,
    username: Option<String>,
    password: Option<String>,
}

type Make = fn(&Destination, &Arc<Outward>) -> Result<Box<dyn Carrier>, DestinationError>;

/// `Protocol` of what the schema has no number for.
const OTHER: i128 = 1;
/// `Protocol` of CIM-XML.
const CIM_XML: i128 = 2;

/// The classes of destinations, each with its `Protocol` and what carries indications to it.
const KINDS: &[(&str, i128, Make)] = &[
    ("CIM_ListenerDestinationCIMXML", CIM_XML, cimxml),
    ("CIM_IndicationHandlerCIMXML", CIM_XML, cimxml),
    ("JW_ListenerDestinationWebhook", OTHER, webhook),
    ("JW_ListenerDestinationSyslog", OTHER, syslog),
];

/// A name is looked up for so long when a destination is made.
const LOOK_UP_TIME: Duration = Duration::from_secs(3);

impl Destination {
    /// The destination that an instance describes.
    ///
    /// # Errors
    /// When nothing could ever be sent to it; whether its address is allowed shows when it is sent
    /// to.
    pub fn new(instance: &Instance) -> Result<Self, DestinationError> {
        let text = |name: &str| instance.value(name).as_str().map(str::to_owned);
        let destination = Self {
            class: instance.class.name.clone(),
            url: text("Destination").ok_or(DestinationError::Missing)?,
            username: text("username"),
            password: text("password"),
        };
        destination.carrier(&Arc::default())?;
        Ok(destination)
    }

    /// A way to send to it, within what is allowed.
    pub fn carrier(&self, outward: &Arc<Outward>) -> Result<Box<dyn Carrier>, DestinationError> {
        let kind = KINDS.iter().find(|(class, ..)| self.class.is(class));
        let unknown = || DestinationError::Class(self.class.clone());
        let (_, _, make) = kind.ok_or_else(unknown)?;
        make(self, outward)
    }

    /// `Protocol` of destinations of its class.
    pub fn protocol(&self) -> i128 {
        let kind = KINDS.iter().find(|(class, ..)| self.class.is(class));
        kind.map_or(OTHER, |(_, protocol, _)| *protocol)
    }

    /// Whether anything may be sent there as far as can be known now: its address is allowed, or its
    /// name has no address yet.
    pub async fn permit(&self, allowed: &AllowList) -> Result<(), Denial> {
        let url = self.url.strip_prefix("syslog://").unwrap_or(&self.url);
        let Ok(Target { host, port, .. }) = Target::new(url) else {
            return Ok(());
        };
        let found = tokio::time::timeout(LOOK_UP_TIME, super::http::addresses(&host, port)).await;
        let Ok(Ok(addresses)) = found else {
            return Ok(());
        };
        let mut denied = None;
        for address in addresses {
            match allowed.permit(&host, address.ip(), port) {
                Ok(()) => return Ok(()),
                Err(denial) => denied = Some(denial),
            }
        }
        denied.map_or(Ok(()), Err)
    }

    fn post(&self, outward: &Arc<Outward>) -> Result<Post, DestinationError> {
        let target = Target::new(&self.url)?;
        Ok(Post::new(
            target,
            Arc::clone(outward),
            self.authorization()?,
        ))
    }

    fn authorization(&self) -> Result<Option<HeaderValue>, DestinationError> {
        let Some(user) = &self.username else {
            return Ok(None);
        };
        if user.contains(':') || user.chars().any(char::is_control) {
            return Err(DestinationError::Credentials);
        }
        let password = self.password.as_deref().unwrap_or_default();
        let encoded = STANDARD.encode(format!("{user}:{password}"));
        let value = HeaderValue::from_str(&format!("Basic {encoded}"));
        let mut value = value.map_err(|_| DestinationError::Credentials)?;
        value.set_sensitive(true);
        Ok(Some(value))
    }
}

fn cimxml(
    destination: &Destination,
    outward: &Arc<Outward>,
) -> Result<Box<dyn Carrier>, DestinationError> {
    Ok(Box::new(CimXml(destination.post(outward)?)))
}

fn webhook(
    destination: &Destination,
    outward: &Arc<Outward>,
) -> Result<Box<dyn Carrier>, DestinationError> {
    Ok(Box::new(Webhook(destination.post(outward)?)))
}

/// `syslog:` is the local system log and
/// `syslog://HOST[:PORT]` a receiver over UDP.
fn syslog(
    destination: &Destination,
    outward: &Arc<Outward>,
) -> Result<Box<dyn Carrier>, DestinationError> {
    const LOCAL: &str = "/dev/log";
    const PORT: u16 = 514;
    let scheme = "the URL of a system log begins with syslog:";
    let rest = destination.url.strip_prefix("syslog:");
    let rest = rest.ok_or(DestinationError::Scheme(scheme))?;
    let Some(authority) = rest.strip_prefix("//") else {
        // A path of a client's choice could be any socket of the machine.
        return match rest {
            "" => Ok(Box::new(Syslog::Local(PathBuf::from(LOCAL)))),
            _ => Err(DestinationError::Scheme("the local system log is syslog:")),
        };
    };
    let mut target = Target::new(&format!("http://{authority}"))?;
    let has_port = authority
        .rsplit(']')
        .next()
        .unwrap_or_default()
        .contains(':');
    if !has_port {
        target.port = PORT;
    }
    Ok(Box::new(Syslog::Udp(target, Arc::clone(outward))))
}
