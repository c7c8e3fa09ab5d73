//! `listen`: a listener that prints the indications it is sent.

#![expect(
    clippy::disallowed_methods,
    reason = "an indication is shown with the time it arrived"
)]

use std::process::ExitCode;
use std::sync::Arc;

use chrono::Utc;
use tokio::net::TcpStream;

use crate::client::{Duplex, Handshake, Listener, Received};
use crate::config::Settings;
use crate::ops::BoxFuture;
use crate::server::{Tls, listening_certificate};

use super::super::CliError;
use super::super::args::Listen;
use super::super::output::{self, indication};

/// Indications that are held while they cannot be printed; then servers are told to wait.
const QUEUE_LIMIT: usize = 10_000;

/// TLS as the server speaks it.
struct Secure(Arc<Tls>);

impl Handshake for Secure {
    fn accept(&self, stream: TcpStream) -> BoxFuture<'_, std::io::Result<Box<dyn Duplex>>> {
        Box::pin(async move {
            let stream = self.0.accept(stream).await?;
            Ok(Box::new(stream) as Box<dyn Duplex>)
        })
    }
}

/// Runs `listen`.
pub async fn run(arguments: Listen) -> Result<ExitCode, CliError> {
    let failed = |source| CliError::Io {
        doing: format!("listen on {}", arguments.address),
        source,
    };
    let (listener, mut arrivals) = Listener::bind(arguments.address, QUEUE_LIMIT)
        .await
        .map_err(failed)?;
    let address = listener.address().map_err(failed)?;
    let listener = if arguments.https {
        let settings = Settings {
            certificate: arguments.certificate.clone(),
            key: arguments.key.clone(),
            state_dir: arguments.state.state_dir.clone(),
            ..Settings::default()
        };
        let (tls, files) = listening_certificate(&settings)?;
        let certificate = files.certificate.display();
        eprintln!("listening on https://{address} with the certificate {certificate}");
        listener.with_handshake(Arc::new(Secure(tls)))
    } else {
        eprintln!("listening on http://{address}");
        listener
    };
    let mut left = arguments.count;
    let print = async {
        while left != Some(0) {
            let Some(Received { indication, .. }) = arrivals.recv().await else {
                break;
            };
            output::print(&indication::shown(
                &indication,
                Utc::now(),
                arguments.format,
            ))?;
            left = left.map(|left| left - 1);
        }
        Ok(ExitCode::SUCCESS)
    };
    tokio::select! {
        never = listener.serve() => match never {},
        printed = print => printed,
        interrupted = tokio::signal::ctrl_c() => {
            interrupted.map(|()| ExitCode::SUCCESS).map_err(failed)
        }
    }
}
