//! The clients that people have: pywbem in its own Python environment, and wbemcli from Debian.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use rustix::fs::{FlockOperation, flock};

/// A Python that can import the pinned pywbem. Prepared once, in `target/`, under a lock; this is
/// the only use of a network that the tests make.
///
/// `None` where it cannot be had; the reason is printed, and under `CI` it is a failure instead.
pub fn python() -> Option<&'static Path> {
    static PYTHON: OnceLock<Result<PathBuf, String>> = OnceLock::new();
    had("pywbem", PYTHON.get_or_init(prepare_python))
}

/// Debian's wbemcli, under the same rule.
pub fn wbemcli() -> Option<&'static Path> {
    static WBEMCLI: OnceLock<Result<PathBuf, String>> = OnceLock::new();
    had("wbemcli", WBEMCLI.get_or_init(find_wbemcli))
}

fn had(what: &str, found: &'static Result<PathBuf, String>) -> Option<&'static Path> {
    match found {
        Ok(path) => Some(path),
        Err(reason) => {
            eprintln!(
                "\n*** SKIPPED: {what} cannot be had here, nothing was tested with it: {reason}\n"
            );
            assert!(
                std::env::var_os("CI").is_none(),
                "CI is set and {what} cannot be had: {reason}"
            );
            None
        }
    }
}

fn find_wbemcli() -> Result<PathBuf, String> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .map(|folder| folder.join("wbemcli"))
        .find(|file| file.is_file())
        .ok_or_else(|| "install Debian's package sblim-wbemcli".to_owned())
}

fn prepare_python() -> Result<PathBuf, String> {
    let requirements = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/python/requirements.txt");
    let wanted = fs::read_to_string(&requirements).map_err(|error| error.to_string())?;
    let target = Path::new(env!("CARGO_TARGET_TMPDIR"));
    fs::create_dir_all(target).map_err(|error| error.to_string())?;
    let lock = File::create(target.join("python.lock")).map_err(|error| error.to_string())?;
    flock(&lock, FlockOperation::LockExclusive).map_err(|error| error.to_string())?;
    let folder = target.join("python");
    let python = folder.join("bin/python");
    let stamp = folder.join("requirements.done");
    if fs::read_to_string(&stamp).is_ok_and(|done| done == wanted) {
        return Ok(python);
    }
    run(Command::new("python3")
        .args(["-m", "venv", "--clear"])
        .arg(&folder))?;
    let mut pip = Command::new(&python);
    pip.args([
        "-m",
        "pip",
        "install",
        "--quiet",
        "--disable-pip-version-check",
        "-r",
    ]);
    run(pip.arg(&requirements))?;
    fs::write(&stamp, wanted).map_err(|error| error.to_string())?;
    Ok(python)
}

fn run(command: &mut Command) -> Result<(), String> {
    let output = command
        .output()
        .map_err(|error| format!("{command:?}: {error}"))?;
    if output.status.success() {
        return Ok(());
    }
    let text = String::from_utf8_lossy(&output.stderr);
    Err(format!(
        "{command:?} ended with {}: {}",
        output.status,
        text.trim()
    ))
}
