//! `listen`: a listener that prints the indications it is sent.

#![expect(
    clippy::disallowed_methods,
    reason = "an indication is shown with the time it arrived"
)]

use std::process::ExitCode;

use chrono::Utc;

use crate::client::{Listener, Received};

use super::super::CliError;
use super::super::args::Listen;
use super::super::output::{self, indication};

/// Indications that are held while they cannot be printed; then servers are told to wait.
const QUEUE_LIMIT: usize = 10_000;

/// Runs `listen`.
pub async fn run(arguments: Listen) -> Result<ExitCode, CliError> {
    let failed = |source| CliError::Io {
        doing: format!("listen on {}", arguments.address),
        source,
    };
    let (listener, mut arrivals) = Listener::bind(arguments.address, QUEUE_LIMIT)
        .await
        .map_err(failed)?;
    eprintln!(
        "listening on http://{}",
        listener.address().map_err(failed)?
    );
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
