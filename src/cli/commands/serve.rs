//! `serve`: the server until it is told to stop.

use std::path::Path;
use std::process::ExitCode;

use signal_hook::consts::signal::SIGXFSZ;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;
use tracing::level_filters::LevelFilter;

use crate::config::{ConfigError, Settings};
use crate::server::{Reload, Running, StartError, start};

use super::super::CliError;
use super::super::args::Serve;

/// Turns of tasks after which a busy thread looks for requests that came meanwhile. A turn of a long
/// answer takes some hundred microseconds, and a small question must not wait for many of them.
const TURNS: u32 = 8;

/// Runs `serve`.
pub fn run(arguments: &Serve) -> Result<ExitCode, CliError> {
    let settings = settings(arguments)?;
    log(settings.log_level.as_deref().unwrap_or("info"))?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .event_interval(TURNS)
        .build();
    let failed = |error| StartError::System("start the runtime", error);
    runtime.map_err(failed)?.block_on(serve(&settings))
}

fn settings(arguments: &Serve) -> Result<Settings, ConfigError> {
    let flags = Settings {
        port: arguments.port,
        state_dir: arguments.state_dir.clone(),
        schema: Some(arguments.schema.clone()).filter(|schema| !schema.is_empty()),
        no_auth: arguments.no_auth.then_some(true),
        ..Settings::default()
    };
    Settings::load(arguments.config.as_deref(), flags)
}

fn log(level: &str) -> Result<(), ConfigError> {
    let filter: LevelFilter = level.parse().map_err(|_| ConfigError::Value {
        key: "log_level",
        value: level.to_owned(),
        reason: "it must be error, warn, info, debug or trace".to_owned(),
    })?;
    tracing_subscriber::fmt()
        .with_max_level(filter)
        .with_writer(std::io::stderr)
        .init();
    Ok(())
}

async fn serve(settings: &Settings) -> Result<ExitCode, CliError> {
    let stop = stop_signal()?;
    let running = start(settings).await?;
    reload_at_hangup(running.reload())?;
    announce(&running, settings.no_auth.unwrap_or(false));
    running.serve(stop).await?;
    Ok(ExitCode::SUCCESS)
}

/// What a person, or a program that started the server, is told when it is ready.
fn announce(running: &Running, no_auth: bool) {
    let (url, state) = (running.url(), running.state().display());
    println!("listening on {url}/cimom");
    if let Some(url) = running.secure_url() {
        println!("listening on {url}/cimom");
    }
    println!("state is in {state}");
    if no_auth {
        println!("nobody is asked for a password: everybody may read, nobody may change anything");
    } else {
        println!(
            "the password of admin is in {}",
            running.state().join("admin-password").display()
        );
    }
    let connection = format!("--url {url} --state-dir {}", quoted(running.state()));
    if no_auth {
        println!("try: jobwright job list {connection}");
    } else {
        println!("try: jobwright job submit {connection} -- /bin/echo hello");
    }
}

/// A path as a shell takes it.
pub(super) fn quoted(path: &Path) -> String {
    let text = path.display().to_string();
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-+:".contains(c);
    if text.chars().all(plain) {
        text
    } else {
        format!("'{}'", text.replace('\'', "'\\''"))
    }
}

/// Reads certificate and accounts anew at each SIGHUP.
fn reload_at_hangup(reload: Reload) -> Result<(), StartError> {
    let failed = |error| StartError::System("listen for signals", error);
    let mut hangup = signal(SignalKind::hangup()).map_err(failed)?;
    tokio::spawn(async move {
        while hangup.recv().await.is_some() {
            let reload = reload.clone();
            // A reload that fails with a panic costs nothing but itself.
            drop(tokio::task::spawn_blocking(move || reload.run()).await);
        }
    });
    Ok(())
}

/// Becomes true at SIGTERM or SIGINT.
fn stop_signal() -> Result<watch::Receiver<bool>, StartError> {
    let failed = |error| StartError::System("listen for signals", error);
    let mut terminate = signal(SignalKind::terminate()).map_err(failed)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(failed)?;
    // With a handler a file that may not grow further is an error of a write, not our end.
    drop(signal(SignalKind::from_raw(SIGXFSZ)).map_err(failed)?);
    let (stop, stopped) = watch::channel(false);
    tokio::spawn(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        stop.send_replace(true);
    });
    Ok(stopped)
}
