//! HTTPS: the certificate that the first start makes, clients that check it and clients that do not,
//! and what is refused.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Output};

use crate::support::{Server, python, state_dir, wbemcli};

fn jobwright(state: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_jobwright"))
        .args(arguments)
        .env_clear()
        .env("PATH", "/usr/bin:/bin")
        .env("JOBWRIGHT_STATE_DIR", state)
        .output()
        .expect("the program starts")
}

fn list(state: &Path, url: &str, more: &[&str]) -> Output {
    jobwright(state, &[&["job", "list", "--url", url], more].concat())
}

#[test]
fn our_own_client_trusts_the_local_server_and_no_other() {
    let (state, other) = (state_dir(), state_dir());
    let server = Server::start(state.path());
    let strange = Server::start(other.path());
    for host in ["localhost", "127.0.0.1"] {
        let url = server.secure_url(host);
        let listed = list(state.path(), &url, &[]);
        assert!(
            listed.status.success(),
            "{}",
            String::from_utf8_lossy(&listed.stderr)
        );
    }
    let file = other.path().join("tls.crt").display().to_string();
    let refused = list(
        state.path(),
        &server.secure_url("localhost"),
        &["--ca-file", &file],
    );
    let told = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(
        told.contains("secure connection"),
        "another certificate is trusted: {told}"
    );
    let refused = list(state.path(), &strange.secure_url("localhost"), &[]);
    assert!(!refused.status.success(), "a strange server is trusted");
}

#[test]
fn the_certificate_is_kept_and_its_key_is_private() {
    let state = state_dir();
    drop(Server::start(state.path()));
    let certificate = fs::read(state.path().join("tls.crt")).expect("the certificate");
    let key = state.path().join("tls.key");
    let mode = fs::metadata(&key).expect("the key").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    drop(Server::start(state.path()));
    let again = fs::read(state.path().join("tls.crt")).expect("the certificate");
    assert_eq!(again, certificate);
    fs::set_permissions(&key, fs::Permissions::from_mode(0o644)).expect("own file");
    let state = state.path();
    let refused = jobwright(state, &["serve", "--port", "0"]);
    assert_eq!(
        refused.status.code(),
        Some(78),
        "a key that others can read"
    );
    let told = String::from_utf8_lossy(&refused.stderr);
    assert!(
        told.contains("open to other users") && told.lines().count() == 1,
        "{told}"
    );
}

#[test]
fn a_new_certificate_is_taken_at_hangup() {
    let (state, other) = (state_dir(), state_dir());
    let server = Server::start(state.path());
    drop(Server::start(other.path()));
    for file in ["tls.key", "tls.crt"] {
        fs::copy(other.path().join(file), state.path().join(file)).expect("own files");
    }
    let url = server.secure_url("localhost");
    assert!(
        !list(state.path(), &url, &[]).status.success(),
        "the old one is shown until then"
    );
    server.hang_up();
    // The signal is handled at some time; what the server shows then is what is waited for.
    let deadline = std::time::Instant::now() + std::time::Duration::from_mins(1);
    while !list(state.path(), &url, &[]).status.success() {
        assert!(
            std::time::Instant::now() < deadline,
            "the new certificate is not shown"
        );
    }
}

#[test]
fn other_addresses_are_not_for_everybody() {
    let state = state_dir();
    let config = state.path().join("jobwright.toml");
    fs::write(&config, "listen = [\"0.0.0.0\"]\nno_auth = true\n").expect("own file");
    let config = config.display().to_string();
    let refused = jobwright(state.path(), &["serve", "--port", "0", "--config", &config]);
    let told = String::from_utf8_lossy(&refused.stderr);
    assert_eq!(refused.status.code(), Some(78), "{told}");
    assert!(
        told.contains("no_auth") && told.lines().count() == 1,
        "{told}"
    );
}

const PYWBEM: &str = "
import sys, pywbem
url, password, ca = sys.argv[1:]
def names(**options):
    conn = pywbem.WBEMConnection(url, ('admin', password), timeout=60, **options)
    return conn.EnumerateClassNames('root/cimv2', ClassName='CIM_ConcreteJob')
assert 'JW_Job' in names(no_verification=True)
assert 'JW_Job' in names(ca_certs=ca)
try:
    names()
except pywbem.ConnectionError:
    print('sound')
";

#[test]
fn pywbem_and_wbemcli_speak_it_with_and_without_checking() {
    let state = state_dir();
    let server = Server::start(state.path());
    let (url, password) = (server.secure_url("localhost"), server.password());
    let certificate = state.path().join("tls.crt").display().to_string();
    if let Some(python) = python() {
        let output = Command::new(python)
            .args(["-c", PYWBEM, &url, &password, &certificate])
            // requests lets these override the file that it is told to trust.
            .env_remove("REQUESTS_CA_BUNDLE")
            .env_remove("CURL_CA_BUNDLE")
            .output()
            .expect("the prepared Python starts");
        let told = String::from_utf8_lossy(&output.stderr);
        assert_eq!(
            String::from_utf8_lossy(&output.stdout).trim(),
            "sound",
            "{told}"
        );
    }
    let Some(wbemcli) = wbemcli() else { return };
    let class = url.replace("https://", &format!("https://admin:{password}@"));
    for options in [&["-noverify"][..], &["-cacert", &certificate]] {
        let output = Command::new(wbemcli)
            .arg("ecn")
            .args(options)
            .arg(format!("{class}/root/cimv2:CIM_ConcreteJob"))
            .output()
            .expect("wbemcli starts");
        let text = String::from_utf8_lossy(&output.stdout);
        let told = String::from_utf8_lossy(&output.stderr);
        assert!(text.contains("JW_Job"), "{options:?}: {text}{told}");
    }
}
