//! What `listen` and `subscribe` share: indications that arrive, printed until a signal or a number ends it.

#![expect(
    clippy::disallowed_methods,
    reason = "an indication is shown with the time it arrived"
)]

use chrono::Utc;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::mpsc::Receiver;

use crate::client::Received;

use super::super::CliError;
use super::super::output::indication::Form;
use super::super::output::{self, indication};

/// Indications that are held while they cannot be printed; then servers are told to wait.
pub(super) const QUEUE_LIMIT: usize = 10_000;

/// The signals that end a command.
pub(super) struct Signals {
    terminated: Signal,
    interrupted: Signal,
}

impl Signals {
    /// From now on they do not end the program by themselves.
    pub(super) fn new() -> std::io::Result<Self> {
        Ok(Self {
            terminated: signal(SignalKind::terminate())?,
            interrupted: signal(SignalKind::interrupt())?,
        })
    }

    /// Waits for the next of them.
    pub(super) async fn next(&mut self) {
        tokio::select! {
            _ = self.terminated.recv() => {}
            _ = self.interrupted.recv() => {}
        }
    }
}

/// Prints what arrives, until there were `count` or a signal comes. What was taken until then was
/// acknowledged, so it is printed too; nothing more is taken.
pub(super) async fn print(
    arrivals: &mut Receiver<Received>,
    (count, format): (Option<u64>, Form),
    signals: &mut Signals,
) -> Result<(), CliError> {
    let (mut left, mut is_open) = (count, true);
    let printed = loop {
        if left == Some(0) {
            break Ok(());
        }
        let received = tokio::select! {
            biased;
            () = signals.next(), if is_open => {
                is_open = false;
                arrivals.close();
                continue;
            }
            received = arrivals.recv() => received,
        };
        let Some(Received { indication, .. }) = received else {
            break Ok(());
        };
        let text = indication::shown(&indication, Utc::now(), format);
        // Whoever reads the output may let it wait, and servers are answered meanwhile.
        let printed = tokio::task::spawn_blocking(move || output::print(&text)).await;
        let printed = printed.unwrap_or_else(|panic| std::panic::resume_unwind(panic.into_panic()));
        if let Err(error) = printed {
            break Err(error);
        }
        left = left.map(|left| left - 1);
    };
    arrivals.close();
    printed
}
