//! Clients that do everything wrong: the server stays responsive, and gives back what they took.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::http::exchange;
use crate::support::{Server, state_dir};

/// Connections that do nothing, at a time.
const IDLE: usize = 300;
/// Rounds of each kind of abuse.
const ROUNDS: usize = 50;
/// Longer than the server may need to notice, on a machine busy with other tests.
const PATIENCE: Duration = Duration::from_mins(1);

const BODY: &str = "<?xml version=\"1.0\" encoding=\"utf-8\" ?><CIM CIMVERSION=\"2.0\" DTDVERSION=\"2.0\"><MESSAGE ID=\"7\" PROTOCOLVERSION=\"1.0\"><SIMPLEREQ><IMETHODCALL NAME=\"GetClass\"><LOCALNAMESPACEPATH><NAMESPACE NAME=\"root\"/><NAMESPACE NAME=\"cimv2\"/></LOCALNAMESPACEPATH><IPARAMVALUE NAME=\"ClassName\"><CLASSNAME NAME=\"CIM_Job\"/></IPARAMVALUE></IMETHODCALL></SIMPLEREQ></MESSAGE></CIM>";

struct Victim {
    server: Server,
    head: String,
    _state: tempfile::TempDir,
}

impl Victim {
    fn new() -> Self {
        let state = state_dir();
        let server = Server::start(state.path());
        let credentials = STANDARD.encode(format!("admin:{}", server.password()));
        let head = format!(
            "POST /cimom HTTP/1.1\r\nHost: localhost\r\nAuthorization: Basic {credentials}\r\n\
             Content-Type: application/xml\r\nCIMOperation: MethodCall\r\n"
        );
        Self {
            server,
            head,
            _state: state,
        }
    }

    /// A good request of that many bytes of body, which may be a lie.
    fn request(&self, length: usize, more: &str) -> Vec<u8> {
        format!("{}Content-Length: {length}\r\n{more}\r\n{BODY}", self.head).into_bytes()
    }

    fn connect(&self) -> TcpStream {
        TcpStream::connect(("127.0.0.1", self.server.port())).expect("the server listens")
    }

    /// Sends and goes away without a word.
    fn hit(&self, bytes: &[u8]) {
        let mut stream = self.connect();
        // The server may have closed by then.
        drop(stream.write_all(bytes));
    }

    fn answers(&self) {
        let answer = exchange(
            self.server.port(),
            &self.request(BODY.len(), "Connection: close\r\n"),
        );
        let answer = String::from_utf8_lossy(&answer);
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
        assert!(answer.contains("RunDayOfWeek"), "{answer}");
    }

    fn descriptors(&self) -> usize {
        let folder = format!("/proc/{}/fd", self.server.pid());
        fs::read_dir(folder).expect("the server runs").count()
    }

    /// Waits until the server holds no more descriptors than before.
    fn recovers(&self, before: usize) {
        let deadline = Instant::now() + PATIENCE;
        while self.descriptors() > before {
            assert!(
                Instant::now() < deadline,
                "{} descriptors, {before} before",
                self.descriptors()
            );
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

#[test]
fn abuse_costs_the_abusers_alone() {
    let victim = Victim::new();
    victim.answers();
    let before = victim.descriptors();
    let idle: Vec<TcpStream> = (0..IDLE).map(|_| victim.connect()).collect();
    victim.answers();
    let whole = victim.request(BODY.len(), "");
    for round in 0..ROUNDS {
        victim.hit(&whole);
        victim.hit(&whole[..whole.len() - 1 - round]);
        victim.hit(&whole[..20 + round]);
        victim.hit(&victim.request(BODY.len() + 1 + round, ""));
        victim.hit(&victim.request(round, ""));
        victim.hit(&victim.request(BODY.len(), &format!("X: {}\r\n", "y".repeat(100_000))));
        victim.hit(&victim.request(BODY.len(), &"X: y\r\n".repeat(101 + round)));
        victim.hit(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03");
        victim.hit(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
        victim.hit(&[b'\0'; 1000]);
    }
    victim.answers();
    // A byte of a head on each: those who go on like that wait for nobody.
    for mut stream in idle {
        drop(stream.write_all(b"P"));
    }
    victim.answers();
    victim.recovers(before);
    assert!(victim.server.stop().success(), "the server stops in order");
}

#[test]
fn requests_in_a_row_are_answered_in_their_order() {
    let victim = Victim::new();
    let mut all = Vec::new();
    for round in 0..ROUNDS {
        let id = format!("ID=\"{}\"", 100 + round);
        let body = BODY.replace("ID=\"7\"", &id).replace("CIM_Job", "CIM_None");
        all.extend(format!("{}Content-Length: {}\r\n", victim.head, body.len()).bytes());
        let last = round + 1 == ROUNDS;
        all.extend(
            if last {
                "Connection: close\r\n\r\n"
            } else {
                "\r\n"
            }
            .bytes(),
        );
        all.extend(body.bytes());
    }
    let answers = exchange(victim.server.port(), &all);
    let answers = String::from_utf8_lossy(&answers);
    let ids: Vec<&str> = answers
        .split("MESSAGE ID=\"")
        .skip(1)
        .map(|answer| &answer[..3])
        .collect();
    let expected: Vec<String> = (0..ROUNDS).map(|round| (100 + round).to_string()).collect();
    assert_eq!(ids, expected);
}

#[test]
fn a_body_is_read_when_its_head_is_accepted() {
    let victim = Victim::new();
    let expecting = victim.request(BODY.len(), "Expect: 100-continue\r\nConnection: close\r\n");
    let head = &expecting[..expecting.len() - BODY.len()];
    let mut stream = victim.connect();
    stream.set_read_timeout(Some(PATIENCE)).expect("a timeout");
    stream.write_all(head).expect("the server reads");
    let mut first = [0; 25];
    stream.read_exact(&mut first).expect("the server answers");
    assert_eq!(&first, b"HTTP/1.1 100 Continue\r\n\r\n");
    stream.write_all(BODY.as_bytes()).expect("the server reads");
    let mut answer = String::new();
    stream
        .read_to_string(&mut answer)
        .expect("the server answers");
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    let stranger = String::from_utf8_lossy(head).replace("Authorization: Basic ", "X: ");
    let answer = exchange(victim.server.port(), stranger.as_bytes());
    assert!(
        answer.starts_with(b"HTTP/1.1 401"),
        "a stranger is not told to go on"
    );
}
