//! TLS: the certificate with its key, from files that can be replaced while the server runs.

#![expect(clippy::disallowed_methods, reason = "certificates are files")]

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arc_swap::ArcSwap;
use chrono::{DateTime, Utc};
use rustls::ServerConfig;
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;
use x509_parser::parse_x509_certificate;

use super::StartError;
use super::state::private;

/// Where certificate and key are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyPair {
    /// The certificate, and those that lead to its authority, in PEM.
    pub certificate: PathBuf,
    /// Its private key in PEM, for the server's eyes alone.
    pub key: PathBuf,
}

/// What a handshake needs. It is exchanged as a whole; connections that are open keep what they began
/// with.
pub struct Tls {
    files: KeyPair,
    current: ArcSwap<Loaded>,
}

/// What the files held.
struct Loaded {
    config: Arc<ServerConfig>,
    expires: DateTime<Utc>,
}

impl Tls {
    /// Reads the files.
    ///
    /// # Errors
    /// When one cannot be used, or when others can read the key.
    pub fn open(files: KeyPair) -> Result<Arc<Self>, StartError> {
        let current = ArcSwap::from_pointee(load(&files)?);
        Ok(Arc::new(Self { files, current }))
    }

    /// Reads the files anew. Where they cannot be used the server goes on with what it has.
    pub(super) fn reload(&self) -> Result<(), StartError> {
        self.current.store(Arc::new(load(&self.files)?));
        Ok(())
    }

    /// Tells the log when the certificate has expired.
    pub(super) fn check(&self, now: DateTime<Utc>) {
        let expires = self.current.load().expires;
        if expires <= now {
            let file = self.files.certificate.display();
            tracing::warn!(%expires, "the certificate in {file} has expired");
        }
    }

    /// The handshake.
    ///
    /// # Errors
    /// When the other side does not agree.
    pub async fn accept<S>(&self, stream: S) -> io::Result<TlsStream<S>>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let config = self.current.load().config.clone();
        TlsAcceptor::from(config).accept(stream).await
    }
}

fn load(files: &KeyPair) -> Result<Loaded, StartError> {
    private(&files.key)?;
    let chain = pem(&files.certificate, |text| {
        CertificateDer::pem_slice_iter(text)
            .collect::<Result<Vec<_>, _>>()
            .map_err(|error| error.to_string())
    })?;
    let key = pem(&files.key, |text| {
        PrivateKeyDer::from_pem_slice(text).map_err(|error| error.to_string())
    })?;
    let unusable = |path: &Path, reason: String| StartError::Certificate {
        path: path.to_owned(),
        reason,
    };
    let Some(first) = chain.first() else {
        return Err(unusable(
            &files.certificate,
            "no certificate is in it".to_owned(),
        ));
    };
    let expires = expiry(first).map_err(|reason| unusable(&files.certificate, reason))?;
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_protocol_versions(rustls::ALL_VERSIONS)
        .and_then(|builder| builder.with_no_client_auth().with_single_cert(chain, key))
        .map_err(|error| unusable(&files.key, error.to_string()))?;
    Ok(Loaded {
        config: Arc::new(config),
        expires,
    })
}

fn pem<T>(path: &Path, parse: impl FnOnce(&[u8]) -> Result<T, String>) -> Result<T, StartError> {
    let failed = |source| StartError::State {
        path: path.to_owned(),
        source,
    };
    let text = zeroize::Zeroizing::new(fs::read(path).map_err(failed)?);
    parse(&text).map_err(|reason| StartError::Certificate {
        path: path.to_owned(),
        reason,
    })
}

fn expiry(certificate: &[u8]) -> Result<DateTime<Utc>, String> {
    let (_, parsed) = parse_x509_certificate(certificate).map_err(|error| error.to_string())?;
    let seconds = parsed.validity().not_after.timestamp();
    DateTime::from_timestamp(seconds, 0).ok_or_else(|| "it expires at no known time".to_owned())
}
