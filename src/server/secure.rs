//! What the configuration says of TLS: where it is listened for, and with which certificate.

use std::net::IpAddr;
use std::path::Path;
use std::sync::Arc;

use crate::config::{ConfigError, Settings};

use super::certificate::own;
use super::state::prepare;
use super::tls::{KeyPair, Tls};
use super::{Listener, StartError};

/// Listens for TLS beside what `listener` listens for already.
pub(super) async fn listen(
    listener: &mut Listener,
    settings: &Settings,
    state: &Path,
) -> Result<Arc<Tls>, StartError> {
    let others = others(settings)?;
    let tls = Tls::open(files(settings, state, &others)?)?;
    let port = port(settings)?;
    listener.bind_tls(port, &others, &tls).await?;
    Ok(tls)
}

/// The certificate of a program that listens for TLS without being a server: that of `settings`, or of
/// their state directory, where one is made when there is none.
///
/// # Errors
/// When it cannot be used.
pub fn certificate(settings: &Settings) -> Result<(Arc<Tls>, KeyPair), StartError> {
    let state = settings.state_dir()?;
    if settings.certificate.is_none() && settings.key.is_none() {
        prepare(&state)?;
    }
    let files = files(settings, &state, &[])?;
    Ok((Tls::open(files.clone())?, files))
}

/// The addresses beside loopback.
pub(super) fn others(settings: &Settings) -> Result<Vec<IpAddr>, StartError> {
    let mut found: Vec<IpAddr> = Vec::new();
    for text in settings.listen.iter().flatten() {
        let wrong = |_| ConfigError::Value {
            key: "listen",
            value: text.clone(),
            reason: "it must be an IP address".to_owned(),
        };
        let ip: IpAddr = text.parse().map_err(wrong)?;
        if ip.is_loopback() || found.contains(&ip) {
            continue;
        }
        if settings.no_auth == Some(true) {
            return Err(StartError::Open(ip));
        }
        found.push(ip);
    }
    Ok(found)
}

fn files(settings: &Settings, state: &Path, others: &[IpAddr]) -> Result<KeyPair, StartError> {
    let one_alone = |key, value: &Path| ConfigError::Value {
        key,
        value: value.display().to_string(),
        reason: "certificate and key must be given together".to_owned(),
    };
    match (&settings.certificate, &settings.key) {
        (Some(certificate), Some(key)) => Ok(KeyPair {
            certificate: certificate.clone(),
            key: key.clone(),
        }),
        (Some(file), None) => Err(one_alone("certificate", file).into()),
        (None, Some(file)) => Err(one_alone("key", file).into()),
        (None, None) => {
            let system = rustix::system::uname();
            own(state, &system.nodename().to_string_lossy(), others)
        }
    }
}

fn port(settings: &Settings) -> Result<u16, ConfigError> {
    match (settings.https_port, settings.port) {
        (Some(port), _) => Ok(port),
        (None, Some(0)) => Ok(0),
        (None, None) => Ok(5989),
        (None, Some(port)) => port.checked_add(1).ok_or_else(|| ConfigError::Value {
            key: "port",
            value: port.to_string(),
            reason: "there is none above it for HTTPS; set https_port".to_owned(),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(port: Option<u16>, https_port: Option<u16>, listen: &[&str]) -> Settings {
        Settings {
            port,
            https_port,
            listen: Some(listen.iter().map(|text| (*text).to_owned()).collect()),
            ..Settings::default()
        }
    }

    #[test]
    fn the_port_is_one_above_that_of_http() {
        let port = |http, https| port(&settings(http, https, &[])).ok();
        assert_eq!(port(None, None), Some(5989));
        assert_eq!(port(Some(6000), None), Some(6001));
        assert_eq!(port(Some(0), None), Some(0));
        assert_eq!(port(Some(6000), Some(7)), Some(7));
        assert_eq!(port(Some(65535), None), None);
    }

    #[test]
    fn other_addresses_want_passwords() {
        let given = settings(None, None, &["127.0.0.1", "192.0.2.1", "192.0.2.1", "::1"]);
        let found = others(&given).expect("addresses");
        assert_eq!(found, [IpAddr::from([192, 0, 2, 1])]);
        assert!(others(&settings(None, None, &["localhost"])).is_err());
        let open = |listen: &[&str]| Settings {
            no_auth: Some(true),
            ..settings(None, None, listen)
        };
        assert!(matches!(
            others(&open(&["0.0.0.0"])),
            Err(StartError::Open(_))
        ));
        assert!(others(&open(&["127.0.0.1"])).is_ok());
    }

    #[test]
    fn certificate_and_key_come_together() {
        let state = tempfile::tempdir().expect("a folder");
        let alone = Settings {
            key: Some("/k".into()),
            ..Settings::default()
        };
        assert!(matches!(
            files(&alone, state.path(), &[]),
            Err(StartError::Config(_))
        ));
    }
}
