//! `demo`: a server of its own, a sample job, and how to go on.

#![expect(
    clippy::disallowed_methods,
    reason = "the demo makes a folder for itself"
)]

use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use tokio::sync::watch;

use crate::client::Client;
use crate::config::Settings;
use crate::server::{StartError, start};

use super::super::args::{Submit, Target};
use super::super::output::JobView;
use super::super::{CliError, target};
use super::follow::{self, Display};
use super::submit;

/// A job that takes a few seconds and says how far it is.
const SCRIPT: &str = r#"for part in 1 2 3 4 5 6 7 8 9 10; do
    sleep 0.3
    echo "part $part is done"
    echo "$((part * 10)) part $part of 10" >&$JOBWRIGHT_PROGRESS_FD
done
"#;

/// Runs `demo`.
pub fn run() -> Result<ExitCode, CliError> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build();
    let failed = |error| StartError::System("start the runtime", error);
    let state = folder()?;
    let ended = runtime.map_err(failed)?.block_on(demonstrate(&state));
    // The demo's state is its own; what stays of it would only be litter.
    drop(std::fs::remove_dir_all(&state));
    ended
}

fn folder() -> Result<PathBuf, CliError> {
    let folder = std::env::temp_dir().join(format!("jobwright-demo-{}", std::process::id()));
    let made = std::fs::DirBuilder::new().mode(0o700).create(&folder);
    let source = |source: io::Error| CliError::Io {
        doing: format!("make {}", folder.display()),
        source,
    };
    made.map_err(source)?;
    Ok(folder)
}

async fn demonstrate(state: &Path) -> Result<ExitCode, CliError> {
    let settings = Settings {
        port: Some(0),
        state_dir: Some(state.to_owned()),
        ..Settings::default()
    };
    let running = start(&settings).await?;
    let url = running.url();
    let (stop, stopped) = watch::channel(false);
    let serving = tokio::spawn(running.serve(stopped));
    println!(
        "A server is listening on {url}/cimom; its state is in {}.\n",
        state.display()
    );
    let target = Target {
        url: Some(url),
        state_dir: Some(state.to_owned()),
        ..Target::default()
    };
    let shown = show(&target::connect(&target)?, state).await;
    stop.send_replace(true);
    match serving.await {
        Ok(served) => served?,
        Err(error) => tracing::error!(%error, "the server of the demo broke"),
    }
    shown
}

async fn show(client: &Client, state: &Path) -> Result<ExitCode, CliError> {
    let script = state.join("demo.sh");
    let wrote = std::fs::write(&script, SCRIPT);
    wrote.map_err(|source| CliError::Io {
        doing: "write the sample script".to_owned(),
        source,
    })?;
    println!("CreateInstance of JW_Job with Name \"demo\" and this Script:\n");
    SCRIPT.lines().for_each(|line| println!("    {line}"));
    let arguments = Submit {
        name: Some("demo".to_owned()),
        script: Some(script),
        ..Submit::default()
    };
    let id = submit::create(client, &arguments).await?;
    println!("\nThe job is {id}. Watching it by GetInstance:\n");
    let mut display = Display::new(false);
    let done = |job: &_| {
        display.show(job);
        JobView(job).state().is_final()
    };
    let job = follow::until(client, &id, done).await?;
    display.finish(&job);
    let log = follow::read_log(client, &id, 1, 0).await?;
    println!("\nIt wrote, by GetLog:\n");
    String::from_utf8_lossy(&log.data)
        .lines()
        .for_each(|line| println!("    {line}"));
    println!(
        "\nIt ended {}. Now start a server that stays:\n",
        JobView(&job).state().name()
    );
    println!("    cargo run --release -- serve");
    println!("    cargo run --release -- job submit --watch -- /bin/echo hello");
    Ok(follow::exit_code(&job))
}
