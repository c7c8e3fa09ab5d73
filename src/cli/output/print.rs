//! Printing on standard output, whose reader may go away at any moment: that is an error, and no
//! fault of ours.

use std::fmt::Display;
use std::io::Write;

use super::super::CliError;

/// Prints `text` as it is; it is out when this returns, so that a reader of a pipe sees it at once.
pub fn print(text: &str) -> Result<(), CliError> {
    let mut out = std::io::stdout().lock();
    let written = out.write_all(text.as_bytes()).and_then(|()| out.flush());
    written.map_err(|source| CliError::Io {
        doing: "print".to_owned(),
        source,
    })
}

/// Prints `text` as a line.
pub fn line(text: impl Display) -> Result<(), CliError> {
    print(&format!("{text}\n"))
}
