//! `listen`: a listener that prints the indications it is sent.

use std::process::ExitCode;
use std::sync::Arc;

use tokio::net::TcpStream;

use crate::client::{Duplex, Handshake, Listener};
use crate::config::Settings;
use crate::ops::BoxFuture;
use crate::server::{Tls, listening_certificate};

use super::super::CliError;
use super::super::args::Listen;
use super::arrivals::{self, QUEUE_LIMIT, Signals};

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
    let mut signals = Signals::new().map_err(failed)?;
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
    let listener = listener.with_limit(arguments.count);
    let wanted = (arguments.count, arguments.format);
    tokio::select! {
        never = listener.serve() => match never {},
        printed = arrivals::print(&mut arrivals, wanted, &mut signals) => {
            printed.map(|()| ExitCode::SUCCESS)
        }
    }
}
