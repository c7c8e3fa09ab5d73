//! The certificate of a server to which nobody has given one: self-signed, made at the first start.

#![expect(clippy::disallowed_methods, reason = "its validity begins today")]

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::path::Path;

use chrono::{Datelike, Utc};
use rcgen::{
    CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair as Key, KeyUsagePurpose,
    date_time_ymd,
};
use zeroize::Zeroizing;

use super::StartError;
use super::state::write_private;
use super::tls::KeyPair;

/// The certificate in the state directory, which clients of this machine trust.
pub const CERTIFICATE: &str = "tls.crt";
/// Its key.
const KEY: &str = "tls.key";
/// How long it is valid: nobody may be there to make another one.
const YEARS: i32 = 10;

/// The certificate of the state directory. It is made when it, or its key, is not there.
pub(super) fn own(state: &Path, host: &str, addresses: &[IpAddr]) -> Result<KeyPair, StartError> {
    let files = KeyPair {
        certificate: state.join(CERTIFICATE),
        key: state.join(KEY),
    };
    if !files.certificate.exists() || !files.key.exists() {
        make(&files, host, addresses).map_err(|source| StartError::State {
            path: files.certificate.clone(),
            source,
        })?;
    }
    Ok(files)
}

fn make(files: &KeyPair, host: &str, addresses: &[IpAddr]) -> io::Result<()> {
    let key = Key::generate().map_err(io::Error::other)?;
    let certificate = params(host, addresses).and_then(|params| params.self_signed(&key));
    let certificate = certificate.map_err(io::Error::other)?;
    // The key first: a certificate is there only when its key is.
    let text = Zeroizing::new(key.serialize_pem());
    write_private(&files.key, text.as_bytes())?;
    write_private(&files.certificate, certificate.pem().as_bytes())
}

fn params(host: &str, addresses: &[IpAddr]) -> Result<CertificateParams, rcgen::Error> {
    let loopback = [
        IpAddr::from(Ipv4Addr::LOCALHOST),
        Ipv6Addr::LOCALHOST.into(),
    ];
    let addresses = addresses
        .iter()
        .filter(|ip| !ip.is_unspecified() && !ip.is_loopback());
    let mut names = vec!["localhost".to_owned(), host.to_owned()];
    names.extend(loopback.iter().chain(addresses).map(IpAddr::to_string));
    let mut params = CertificateParams::new(names)?;
    params.distinguished_name.push(DnType::CommonName, host);
    params.is_ca = IsCa::ExplicitNoCa;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    let today = Utc::now();
    // A day early, for clocks that lag behind; the first of a month is in every year.
    params.not_before = date_time_ymd(today.year() - 1, 12, 31);
    params.not_after = date_time_ymd(today.year() + YEARS, 12, 31);
    Ok(params)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::tls::Tls;
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn it_is_made_once_and_for_its_owner_alone() {
        let state = tempfile::tempdir().expect("a folder");
        let files = own(state.path(), "host.example", &[]).expect("a new certificate");
        let text = fs::read(&files.certificate).expect("the certificate");
        let mode = fs::metadata(&files.key)
            .expect("the key")
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600);
        let again = own(state.path(), "other.example", &[]).expect("the same certificate");
        assert_eq!(fs::read(&again.certificate).expect("the certificate"), text);
        drop(Tls::open(files.clone()).expect("it can be used"));
        fs::set_permissions(&files.key, fs::Permissions::from_mode(0o640)).expect("own file");
        assert!(matches!(
            Tls::open(files).map(|_| ()),
            Err(StartError::Exposed { .. })
        ));
    }

    #[test]
    fn files_that_are_none_of_pem_are_refused() {
        let state = tempfile::tempdir().expect("a folder");
        let files = own(state.path(), "host.example", &[]).expect("a new certificate");
        let other = KeyPair {
            certificate: files.key.clone(),
            key: files.key.clone(),
        };
        let refused = Tls::open(other).map(|_| ());
        assert!(
            matches!(refused, Err(StartError::Certificate { .. })),
            "{refused:?}"
        );
        let strange = tempfile::tempdir().expect("a folder");
        let strange = own(strange.path(), "host.example", &[]).expect("another certificate");
        let mixed = KeyPair {
            key: strange.key,
            ..files
        };
        let refused = Tls::open(mixed).map(|_| ());
        assert!(
            matches!(refused, Err(StartError::Certificate { .. })),
            "{refused:?}"
        );
    }
}
