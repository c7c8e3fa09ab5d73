//! From the start of the server to its first answer: with DMTF's whole schema compiled, with the same
//! schema kept from the start before, and with the embedded schema alone.
//!
//! One run gives the three beside each other; each figure is the best of many rounds that take turns.
//! `CIM_SCHEMA_ZIP` names DMTF's zip archive.

#![expect(
    clippy::disallowed_methods,
    reason = "a benchmark starts servers and reads the clock"
)]

use std::error::Error;
use std::fs::{self, Permissions};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

type Failed = Box<dyn Error>;

const ROUNDS: usize = 20;

/// A server that is killed when it is no longer wanted.
struct Server(Child);

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

fn main() -> Result<(), Failed> {
    let Some(schema) = std::env::var_os("CIM_SCHEMA_ZIP") else {
        println!("CIM_SCHEMA_ZIP does not name DMTF's schema; nothing is measured");
        return Ok(());
    };
    let schema = Some(Path::new(&schema));
    let [mut compiled, mut kept, mut embedded] = [Duration::MAX; 3];
    for _ in 0..ROUNDS {
        // Stores that are there already: making one is no part of what is compared.
        let (whole, alone) = (folder()?, folder()?);
        first_answer(whole.path(), schema)?;
        first_answer(alone.path(), None)?;
        fs::remove_file(whole.path().join("schema.cache"))?;
        compiled = compiled.min(first_answer(whole.path(), schema)?);
        kept = kept.min(first_answer(whole.path(), schema)?);
        embedded = embedded.min(first_answer(alone.path(), None)?);
    }
    println!("first answer, schema compiled   {compiled:>10.1?}");
    println!("first answer, schema kept       {kept:>10.1?}");
    println!("first answer, embedded schema   {embedded:>10.1?}");
    let ratio = kept.as_secs_f64() / compiled.as_secs_f64();
    println!("a start with the kept schema takes {ratio:.2} of one that compiles it");
    Ok(())
}

fn folder() -> Result<tempfile::TempDir, Failed> {
    let private = Permissions::from_mode(0o700);
    Ok(tempfile::Builder::new().permissions(private).tempdir()?)
}

/// How long after its start a server on `state` has answered a request.
fn first_answer(state: &Path, schema: Option<&Path>) -> Result<Duration, Failed> {
    let mut command = Command::new(env!("CARGO_BIN_EXE_jobwright"));
    command.args(["serve", "--no-auth", "--port", "0", "--state-dir"]);
    command.arg(state);
    if let Some(schema) = schema {
        command.arg("--schema").arg(schema);
    }
    command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null());
    let started = Instant::now();
    let mut server = Server(command.spawn()?);
    let output = server.0.stdout.take().ok_or("standard output is piped")?;
    let mut lines = BufReader::new(output).lines();
    let line = lines.next().ok_or("the server did not start")??;
    let url = line.strip_prefix("listening on http://");
    let address = url.and_then(|url| url.strip_suffix("/cimom"));
    let address = address.ok_or_else(|| format!("not an address: {line}"))?;
    let mut stream = TcpStream::connect(address)?;
    let request =
        format!("OPTIONS /cimom HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes())?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    let taken = started.elapsed();
    if answer.starts_with("HTTP/1.1 200") {
        Ok(taken)
    } else {
        Err(format!("not an answer: {answer}").into())
    }
}
