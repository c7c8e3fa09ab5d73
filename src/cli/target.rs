//! Which server a command talks to, and as whom: from the arguments, else from the local server's state.

#![expect(
    clippy::disallowed_methods,
    reason = "the local server leaves its address in a file"
)]

use std::fs;
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use crate::client::{Client, Credentials, Trust};
use crate::config;
use crate::model::Namespace;
use crate::server::certificate::CERTIFICATE;

use super::CliError;
use super::args::Target;

/// The namespace that the commands on jobs work in.
pub fn namespace() -> Namespace {
    Namespace::of("root/cimv2")
}

/// A client for the server that `target` names.
///
/// Without a URL the one that the local server wrote into its state directory is used; without a
/// password file the local administrator's, when this user may read it.
pub fn connect(target: &Target) -> Result<Client, CliError> {
    let state = target
        .state_dir
        .clone()
        .map_or_else(config::default_state_dir, Ok)?;
    let url = match &target.url {
        Some(url) => url.clone(),
        None => read(&state.join("url"))
            .map_err(|error| no_server(&state, error))?
            .to_string(),
    };
    let credentials = credentials(target, &state)?;
    let trust = match &target.ca_file {
        Some(file) => Trust::File(file.clone()),
        None => Trust::System(vec![state.join(CERTIFICATE)]),
    };
    Ok(Client::new(url.trim(), credentials, &trust)?)
}

fn no_server(state: &Path, source: std::io::Error) -> CliError {
    let file = state.join("url");
    let doing = format!(
        "find a local server in {} (start one with `jobwright serve`, or give --url)",
        file.display()
    );
    CliError::Io { doing, source }
}

fn credentials(target: &Target, state: &Path) -> Result<Option<Credentials>, CliError> {
    let user = target.user.clone().unwrap_or_else(|| "admin".to_owned());
    let file = match (&target.password_file, std::env::var("JOBWRIGHT_PASSWORD")) {
        (Some(file), _) => file.clone(),
        (None, Ok(password)) => return Ok(Some(Credentials::new(user, password.into()))),
        (None, Err(_)) => {
            let local: PathBuf = state.join("admin-password");
            if target.user.as_deref().is_some_and(|user| user != "admin") || !local.is_file() {
                return Ok(None);
            }
            local
        }
    };
    let password = read(&file).map_err(|source| CliError::Io {
        doing: format!("read the password in {}", file.display()),
        source,
    })?;
    Ok(Some(Credentials::new(
        user,
        Zeroizing::new(password.trim().to_owned()),
    )))
}

fn read(file: &Path) -> std::io::Result<Zeroizing<String>> {
    fs::read_to_string(file).map(Zeroizing::new)
}
