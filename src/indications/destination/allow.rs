//! Where indications may be sent: an address that a client names is a wish, and not a permission.
//!
//! Names are resolved first and the address is judged, so that no name leads where its address may
//! not. Loopback alone is allowed unless the administrator says otherwise.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use thiserror::Error;

/// What an administrator allows: an address, a network, or a host by its name, and one port or all.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Rule {
    hosts: Hosts,
    port: Option<u16>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Hosts {
    Network { address: IpAddr, bits: u8 },
    Name(String),
}

/// The destinations that are allowed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AllowList {
    rules: Vec<Rule>,
}

/// A rule that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("\"{0}\" is no address, network (such as 10.0.0.0/8) or host name, with or without a port")]
pub struct RuleError(String);

/// Why something is not sent to an address.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Denial {
    /// No rule allows it.
    #[error("{host} ({address}) port {port} is not an allowed destination")]
    NotAllowed {
        /// The host as the client named it.
        host: String,
        /// Its address.
        address: IpAddr,
        /// The port.
        port: u16,
    },
    /// The address is none of a listener, whatever the rules say.
    #[error("{0} is never a destination")]
    Never(IpAddr),
}

impl Default for AllowList {
    fn default() -> Self {
        let loopback = |address: IpAddr, bits| Rule {
            hosts: Hosts::Network { address, bits },
            port: None,
        };
        Self {
            rules: vec![
                loopback(Ipv4Addr::new(127, 0, 0, 0).into(), 8),
                loopback(Ipv6Addr::LOCALHOST.into(), 128),
            ],
        }
    }
}

impl AllowList {
    /// Reads rules such as `127.0.0.0/8`, `10.1.2.3:5990`, `[2001:db8::]/32` or `listener.example`.
    pub fn new<'a>(rules: impl IntoIterator<Item = &'a str>) -> Result<Self, RuleError> {
        let rules: Result<_, _> = rules.into_iter().map(rule).collect();
        Ok(Self { rules: rules? })
    }

    /// Whether `host`, which has been resolved to `address`, may be sent to at `port`.
    pub fn permit(&self, host: &str, address: IpAddr, port: u16) -> Result<(), Denial> {
        let address = address.to_canonical();
        if is_never(address) {
            return Err(Denial::Never(address));
        }
        let permits = |rule: &Rule| {
            let by_host = match &rule.hosts {
                Hosts::Network {
                    address: network,
                    bits,
                } => is_within(address, *network, *bits),
                Hosts::Name(name) => name.eq_ignore_ascii_case(host),
            };
            by_host && rule.port.is_none_or(|only| only == port)
        };
        if self.rules.iter().any(permits) {
            return Ok(());
        }
        Err(Denial::NotAllowed {
            host: host.to_owned(),
            address,
            port,
        })
    }
}

/// Nobody listens there, or something does that was never meant to be spoken to by strangers: the
/// link-local range holds the metadata services of clouds.
fn is_never(address: IpAddr) -> bool {
    let local = match address {
        IpAddr::V4(address) => address.is_link_local() || address.is_broadcast(),
        IpAddr::V6(address) => address.is_unicast_link_local(),
    };
    local || address.is_multicast() || address.is_unspecified()
}

fn is_within(address: IpAddr, network: IpAddr, bits: u8) -> bool {
    match (address, network) {
        (IpAddr::V4(address), IpAddr::V4(network)) => {
            let ignored = 32 - u32::from(bits.min(32));
            let cut = |ip: Ipv4Addr| u64::from(ip.to_bits()) >> ignored;
            cut(address) == cut(network)
        }
        (IpAddr::V6(address), IpAddr::V6(network)) => {
            let ignored = 128 - u32::from(bits.min(128));
            let cut = |ip: Ipv6Addr| ip.to_bits().checked_shr(ignored).unwrap_or(0);
            cut(address) == cut(network)
        }
        (IpAddr::V4(_), IpAddr::V6(_)) | (IpAddr::V6(_), IpAddr::V4(_)) => false,
    }
}

fn rule(text: &str) -> Result<Rule, RuleError> {
    let wrong = || RuleError(text.to_owned());
    let (host, rest) = match text.strip_prefix('[') {
        Some(inner) => inner.split_once(']').ok_or_else(wrong)?,
        // An address of IPv6 without brackets has no port.
        None if text.matches(':').count() > 1 => {
            let end = text.find('/').unwrap_or(text.len());
            text.split_at(end)
        }
        None => text.split_at(text.find([':', '/']).unwrap_or(text.len())),
    };
    let (bits, port) = match rest.split_once(':') {
        Some((bits, port)) => (bits, Some(port.parse().map_err(|_| wrong())?)),
        None => (rest, None),
    };
    let bits = match bits.strip_prefix('/') {
        Some(bits) => Some(bits.parse::<u8>().map_err(|_| wrong())?),
        None if bits.is_empty() => None,
        None => return Err(wrong()),
    };
    let hosts = match host.parse::<IpAddr>() {
        Ok(address) => {
            let most = if address.is_ipv4() { 32 } else { 128 };
            let bits = bits.unwrap_or(most);
            if bits > most {
                return Err(wrong());
            }
            Hosts::Network { address, bits }
        }
        Err(_) if bits.is_none() && is_host_name(host) => Hosts::Name(host.to_owned()),
        Err(_) => return Err(wrong()),
    };
    Ok(Rule { hosts, port })
}

fn is_host_name(text: &str) -> bool {
    let is_part = |part: &str| {
        let letters = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        !part.is_empty() && part.chars().all(letters)
    };
    // The last part of a name does not begin with a digit: whatever does is a mistyped address.
    let last = text.rsplit('.').next().unwrap_or_default();
    let numeric = last.starts_with(|c: char| c.is_ascii_digit());
    !numeric && text.split('.').all(is_part)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn permits(rules: &[&str], host: &str, address: &str, port: u16) -> bool {
        let list = AllowList::new(rules.iter().copied()).expect("rules");
        let address = address.parse().expect("an address");
        list.permit(host, address, port).is_ok()
    }

    #[test]
    fn loopback_alone_is_allowed_from_the_start() {
        let check = |address: &str, expected: bool| {
            let parsed = address.parse().expect("an address");
            let found = AllowList::default().permit("a.example", parsed, 5989);
            assert_eq!(found.is_ok(), expected, "{address}: {found:?}");
        };
        check("127.0.0.1", true);
        check("127.9.8.7", true);
        check("::1", true);
        check("::ffff:127.0.0.1", true);
        check("::2", false);
        check("10.0.0.1", false);
        check("169.254.169.254", false);
        check("0.0.0.0", false);
    }

    #[test]
    fn rules_name_addresses_networks_hosts_and_ports() {
        assert!(permits(&["10.0.0.0/8"], "x", "10.255.1.2", 80));
        assert!(!permits(&["10.0.0.0/8"], "x", "11.0.0.1", 80));
        assert!(permits(&["10.1.2.3:5990"], "x", "10.1.2.3", 5990));
        assert!(!permits(&["10.1.2.3:5990"], "x", "10.1.2.3", 5991));
        assert!(permits(&["10.0.0.0/8:80"], "x", "10.2.2.2", 80));
        assert!(permits(&["0.0.0.0/0"], "x", "192.0.2.1", 80));
        assert!(permits(&["2001:db8::/32"], "x", "2001:db8::1", 80));
        assert!(permits(&["[2001:db8::]/32:80"], "x", "2001:db8:1::1", 80));
        assert!(!permits(&["[2001:db8::]/32:80"], "x", "2001:db9::1", 80));
        assert!(permits(
            &["Listener.example"],
            "listener.EXAMPLE",
            "192.0.2.7",
            1
        ));
        assert!(!permits(
            &["listener.example"],
            "other.example",
            "192.0.2.7",
            1
        ));
        assert!(permits(&["::/0"], "x", "2001:db8::1", 80));
    }

    #[test]
    fn some_addresses_are_never_destinations() {
        let everything = ["0.0.0.0/0", "::/0", "metadata.example"];
        for never in [
            "169.254.169.254",
            "224.0.0.1",
            "255.255.255.255",
            "fe80::1",
            "ff02::1",
            "::",
        ] {
            let allowed = permits(&everything, "metadata.example", never, 80);
            assert!(!allowed, "{never}");
        }
    }

    #[test]
    fn what_is_no_rule_is_refused() {
        let bad = [
            "",
            "10.0.0.0/33",
            "10.0.0.0/x",
            "10.0.0.1:99999",
            "10.0.0.1:",
            "a b",
            "host/8",
            "[::1",
            "999.1.1.1",
            "10.0.0.1x",
            "-:-",
        ];
        for text in bad {
            let found = AllowList::new([text]);
            assert_eq!(found, Err(RuleError(text.to_owned())), "{text:?}");
        }
    }
}
