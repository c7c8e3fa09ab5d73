//! TLS of the client: whom it trusts, and the handshake.

use std::path::PathBuf;
use std::sync::Arc;

use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::ClientError;

/// Whom a client believes that a server is what it says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Trust {
    /// The authorities that the machine trusts, and the certificates in these files that are there.
    System(Vec<PathBuf>),
    /// The certificates in this file alone.
    File(PathBuf),
}

impl Trust {
    fn roots(&self) -> Result<RootCertStore, ClientError> {
        let mut roots = RootCertStore::empty();
        match self {
            Self::System(files) => {
                // Authorities that cannot be read are as good as not trusted.
                roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
                for file in files.iter().filter(|file| file.exists()) {
                    add(&mut roots, file)?;
                }
            }
            Self::File(file) => add(&mut roots, file)?,
        }
        Ok(roots)
    }
}

fn add(roots: &mut RootCertStore, file: &PathBuf) -> Result<(), ClientError> {
    let unusable = |reason: String| ClientError::Trust {
        file: file.clone(),
        reason,
    };
    let certificates = CertificateDer::pem_file_iter(file)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(|error| unusable(error.to_string()))?;
    if certificates.is_empty() {
        return Err(unusable("no certificate is in it".to_owned()));
    }
    for certificate in certificates {
        let added = roots.add(certificate);
        added.map_err(|error| unusable(error.to_string()))?;
    }
    Ok(())
}

/// What makes connections to one server secure.
pub struct Tls {
    name: ServerName<'static>,
    connector: TlsConnector,
}

impl Tls {
    /// For the server `host`.
    pub fn new(host: &str, trust: &Trust) -> Result<Self, ClientError> {
        let bare = host.trim_start_matches('[').trim_end_matches(']');
        let name = ServerName::try_from(bare.to_owned());
        let name = name.map_err(|_| ClientError::Url(host.to_owned()))?;
        let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_protocol_versions(rustls::ALL_VERSIONS)
            .map_err(|error| ClientError::Handshake(std::io::Error::other(error)))?
            .with_root_certificates(trust.roots()?)
            .with_no_client_auth();
        Ok(Self {
            name,
            connector: TlsConnector::from(Arc::new(config)),
        })
    }

    /// The handshake.
    pub async fn connect(&self, stream: TcpStream) -> Result<TlsStream<TcpStream>, ClientError> {
        let connected = self.connector.connect(self.name.clone(), stream).await;
        connected.map_err(ClientError::Handshake)
    }
}
