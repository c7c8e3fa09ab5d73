//! DNS-SD: the server is announced on the networks that it listens on, where the configuration wants it.
//!
//! Each way to talk to it is announced only where it is listened for: HTTP on loopback, HTTPS on the
//! addresses of `listen`, or on loopback where there is none.

use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use mdns_sd::{DaemonEvent, Error, IfKind, ServiceDaemon, ServiceInfo};

use crate::config::Settings;

use super::secure::others;
use super::{Listener, StartError};

/// The service types that are registered for WBEM.
const HTTP: &str = "_wbem-http._tcp.local.";
const HTTPS: &str = "_wbem-https._tcp.local.";
/// Longest name of an instance of a service, and of a host, in bytes.
const NAME_LIMIT: usize = 63;
/// How long goodbyes may take.
const GOODBYE: Duration = Duration::from_secs(2);

/// What is announced, until it is withdrawn.
pub struct Announcement {
    daemon: ServiceDaemon,
    names: Vec<String>,
}

/// Announces the server where `settings` want it. That it cannot be announced is told to the log: who
/// knows its address reaches it all the same.
pub(super) fn start(
    settings: &Settings,
    listener: &Listener,
    host: &str,
) -> Result<Option<Announcement>, StartError> {
    if settings.dns_sd != Some(true) {
        return Ok(None);
    }
    let server = Server {
        host,
        interop: settings.interop_namespace.as_deref().unwrap_or("interop"),
        port: listener.address().port(),
        secure_port: listener.secure_address().map(|address| address.port()),
        others: others(settings)?,
    };
    let announced = server.services().and_then(Announcement::of);
    if let Err(error) = &announced {
        tracing::error!(%error, "the server is not announced by DNS-SD");
    }
    Ok(announced.ok())
}

/// What is to be found.
struct Server<'a> {
    host: &'a str,
    interop: &'a str,
    port: u16,
    secure_port: Option<u16>,
    /// Addresses beside loopback that are listened on for TLS.
    others: Vec<IpAddr>,
}

/// A service with the networks that it is announced on.
struct Service {
    info: ServiceInfo,
    networks: Vec<IfKind>,
}

impl Server<'_> {
    fn services(&self) -> Result<Vec<Service>, Error> {
        let loopback = [IpAddr::from(Ipv4Addr::LOCALHOST)];
        let mut services = vec![self.service(HTTP, self.port, &loopback)?];
        if let Some(port) = self.secure_port {
            let addresses = match self.others.as_slice() {
                [] => &loopback[..],
                others => others,
            };
            services.push(self.service(HTTPS, port, addresses)?);
        }
        Ok(services)
    }

    fn service(&self, kind: &str, port: u16, addresses: &[IpAddr]) -> Result<Service, Error> {
        let networks: Vec<IfKind> = addresses.iter().map(network).collect();
        let everywhere = addresses.iter().any(IpAddr::is_unspecified);
        let addresses = if everywhere { &[] } else { addresses };
        let label = self.host.split('.').next().unwrap_or_default();
        let label = shortened(label);
        let instance = format!("Jobwright on {label}");
        let id = format!("Jobwright:{}", self.host);
        // The names are those of the attributes by which SLP describes a WBEM server.
        let records = [
            ("txtvers", "1"),
            ("path", "/cimom"),
            ("service-id", id.as_str()),
            ("InteropSchemaNamespace", self.interop),
            ("CommunicationMechanism", "CIM-XML"),
            ("ProtocolVersion", "1.0"),
        ];
        let fits = |(name, value): &&(&str, &str)| name.len() + value.len() < 255;
        let records: Vec<(&str, &str)> = records.iter().filter(fits).copied().collect();
        let host = format!("{label}.local.");
        let mut info = ServiceInfo::new(
            kind,
            shortened(&instance),
            &host,
            addresses,
            port,
            &records[..],
        )?;
        if everywhere {
            info = info.enable_addr_auto();
        }
        info.set_interfaces(networks.clone());
        Ok(Service { info, networks })
    }
}

/// The interfaces that an address is on.
fn network(address: &IpAddr) -> IfKind {
    match address {
        IpAddr::V4(ip) if ip.is_unspecified() => IfKind::IPv4,
        IpAddr::V6(ip) if ip.is_unspecified() => IfKind::All,
        IpAddr::V4(ip) if ip.is_loopback() => IfKind::LoopbackV4,
        IpAddr::V4(_) | IpAddr::V6(_) => IfKind::Addr(*address),
    }
}

fn shortened(name: &str) -> &str {
    let end = name.floor_char_boundary(NAME_LIMIT);
    name.get(..end).unwrap_or(name)
}

impl Announcement {
    fn of(services: Vec<Service>) -> Result<Self, Error> {
        let daemon = ServiceDaemon::new()?;
        // Nothing is ever said on a network that is not listened on.
        daemon.disable_interface(IfKind::All)?;
        for network in services.iter().flat_map(|service| &service.networks) {
            daemon.enable_interface(network.clone())?;
        }
        let events = daemon.monitor()?;
        // It ends with the daemon, who holds the other side.
        tokio::spawn(async move {
            while let Ok(event) = events.recv_async().await {
                match event {
                    DaemonEvent::Error(error) => tracing::warn!(%error, "DNS-SD failed"),
                    DaemonEvent::NameChange(change) => {
                        let (name, new) = (change.original, change.new_name);
                        tracing::info!(name, new, "another one has this name");
                    }
                    other => tracing::debug!(?other, "DNS-SD"),
                }
            }
        });
        let mut names = Vec::new();
        for Service { info, .. } in services {
            names.push(info.get_fullname().to_owned());
            daemon.register(info)?;
        }
        Ok(Self { daemon, names })
    }

    /// Says goodbye, so that nobody looks for the server where it is no more.
    pub(super) async fn withdraw(self) {
        let goodbyes = async {
            for name in &self.names {
                if let Ok(told) = self.daemon.unregister(name) {
                    // Whatever came of it, there is nothing more to do.
                    drop(told.recv_async().await);
                }
            }
            if let Ok(ended) = self.daemon.shutdown() {
                drop(ended.recv_async().await);
            }
        };
        if tokio::time::timeout(GOODBYE, goodbyes).await.is_err() {
            tracing::warn!("the announcement by DNS-SD was not taken back in time");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn services(others: &[&str]) -> Vec<Service> {
        let server = Server {
            host: "host.example.org",
            interop: "interop",
            port: 5988,
            secure_port: Some(5989),
            others: others
                .iter()
                .map(|ip| ip.parse().expect("an address"))
                .collect(),
        };
        server.services().expect("sound records")
    }

    #[test]
    fn each_way_is_announced_where_it_is_listened_for() {
        let shown = |others: &[&str]| -> Vec<String> {
            let services = services(others);
            let shown = services.iter().map(|Service { info, networks }| {
                let mut addresses: Vec<String> = info
                    .get_addresses()
                    .iter()
                    .map(ToString::to_string)
                    .collect();
                addresses.sort();
                let name = info.get_fullname();
                let auto = info.is_addr_auto();
                format!(
                    "{name} {} {addresses:?} {auto} {networks:?}",
                    info.get_port()
                )
            });
            shown.collect()
        };
        let http =
            "Jobwright on host._wbem-http._tcp.local. 5988 [\"127.0.0.1\"] false [LoopbackV4]";
        let https = "Jobwright on host._wbem-https._tcp.local. 5989";
        assert_eq!(
            shown(&[]),
            [
                http.to_owned(),
                format!("{https} [\"127.0.0.1\"] false [LoopbackV4]")
            ]
        );
        assert_eq!(
            shown(&["192.0.2.1"]),
            [
                http.to_owned(),
                format!("{https} [\"192.0.2.1\"] false [Addr(192.0.2.1)]")
            ]
        );
        assert_eq!(
            shown(&["0.0.0.0"]),
            [http.to_owned(), format!("{https} [] true [IPv4]")]
        );
    }

    #[test]
    fn the_records_say_where_the_server_describes_itself() {
        for Service { info, .. } in services(&[]) {
            let record = |name| info.get_property_val_str(name);
            assert_eq!(info.get_hostname(), "host.local.");
            assert_eq!(record("txtvers"), Some("1"));
            assert_eq!(record("path"), Some("/cimom"));
            assert_eq!(record("service-id"), Some("Jobwright:host.example.org"));
            assert_eq!(record("InteropSchemaNamespace"), Some("interop"));
        }
    }
}
