//! A server process of the binary under test, on a loopback port it chose itself.

use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

/// How long a server may take to say that it is ready, on a machine busy with other tests.
const READY: Duration = Duration::from_mins(1);

/// A state directory that goes with the test. Servers refuse one that is open to others.
pub fn state_dir() -> tempfile::TempDir {
    tempfile::Builder::new()
        .prefix("jobwright-test-")
        .permissions(fs::Permissions::from_mode(0o700))
        .tempdir()
        .expect("a temporary directory")
}

/// A running `jobwright serve`.
pub struct Server {
    child: Child,
    /// `http://127.0.0.1:PORT`, without path.
    pub url: String,
    secure_port: u16,
    /// The state directory it was started with.
    pub state: PathBuf,
}

impl Server {
    /// Starts a server on `state` and waits until it says that it listens.
    pub fn start(state: &Path) -> Self {
        Self::start_with(state, &[])
    }

    /// The same with further arguments of `serve`.
    pub fn start_with(state: &Path, arguments: &[&str]) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_jobwright"));
        command
            .args(["serve", "--port", "0", "--state-dir"])
            .arg(state)
            .args(arguments);
        Self::start_by(state, &mut command)
    }

    /// The same by a command that ends up being a server on `state`.
    pub fn start_by(state: &Path, command: &mut Command) -> Self {
        Self::try_start_by(state, command).unwrap_or_else(|why| panic!("{why}"))
    }

    /// The same where it may well not start.
    pub fn try_start_by(state: &Path, command: &mut Command) -> Result<Self, String> {
        let mut child = command
            .env_remove("JOBWRIGHT_URL")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .spawn()
            .expect("the server binary starts");
        let output = child.stdout.take().expect("standard output is piped");
        let (tell, told) = mpsc::channel();
        // The thread reads on to the end, so that the server never writes into a closed pipe.
        std::thread::spawn(move || {
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                if let Some(url) = line.strip_prefix("listening on ") {
                    drop(tell.send(url.trim_end_matches("/cimom").to_owned()));
                }
            }
        });
        // One line for HTTP, then one for HTTPS.
        let both = told
            .recv_timeout(READY)
            .and_then(|url| Ok((url, told.recv_timeout(READY)?)));
        match both {
            Ok((url, secure)) => Ok(Self {
                child,
                url,
                secure_port: port_of(&secure),
                state: state.to_owned(),
            }),
            Err(error) => {
                drop(child.kill());
                let status = child.wait();
                Err(format!(
                    "the server did not say `listening on URL`: {error}; it ended with {status:?}"
                ))
            }
        }
    }

    /// `https://HOST:PORT`, without path, with the port that it listens on for TLS.
    pub fn secure_url(&self, host: &str) -> String {
        format!("https://{host}:{}", self.secure_port)
    }

    /// Tells the server to read certificate and accounts anew.
    pub fn hang_up(&self) {
        let pid = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(pid, rustix::process::Signal::HUP).expect("the server runs");
    }

    /// The port it listens on.
    pub fn port(&self) -> u16 {
        port_of(&self.url)
    }

    /// Its process id.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// The generated password of `admin`.
    pub fn password(&self) -> String {
        let file = self.state.join("admin-password");
        fs::read_to_string(file)
            .expect("the server wrote admin-password")
            .trim()
            .to_owned()
    }

    /// Ends the server as a power cut would: SIGKILL.
    pub fn kill_9(mut self) {
        self.child.kill().expect("the server was running");
        self.child.wait().expect("the server was a child");
    }

    /// Ends the server as an administrator would: SIGTERM, and waits.
    pub fn stop(mut self) -> std::process::ExitStatus {
        let pid = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(pid, rustix::process::Signal::TERM).expect("the server runs");
        self.child.wait().expect("the server was a child")
    }
}

fn port_of(url: &str) -> u16 {
    let port = url.rsplit(':').next().and_then(|port| port.parse().ok());
    port.expect("a URL of the server ends with its port")
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
