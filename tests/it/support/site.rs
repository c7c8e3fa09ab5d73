//! A server at the end of a socket: requests byte for byte, and answers taken apart.

use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::{Server, state_dir};

/// Longer than any answer takes, on a machine busy with other tests.
pub const PATIENCE: Duration = Duration::from_mins(1);

/// A server with what its administrator writes into every head.
pub struct Site {
    /// The server.
    pub server: Server,
    credentials: String,
    _state: tempfile::TempDir,
}

impl Site {
    /// A server with a state of its own.
    pub fn new() -> Self {
        let state = state_dir();
        let server = Server::start(state.path());
        let credentials = STANDARD.encode(format!("admin:{}", server.password()));
        Self {
            server,
            credentials,
            _state: state,
        }
    }

    /// A new connection to it.
    pub fn connect(&self) -> Wire {
        Wire::to(([127, 0, 0, 1], self.server.port()).into())
    }

    /// A head that lacks nothing but the length of its body, with `more` headers.
    pub fn head(&self, more: &str) -> String {
        format!(
            "POST /cimom HTTP/1.1\r\nHost: localhost\r\nAuthorization: Basic {}\r\n\
             CIMOperation: MethodCall\r\n{more}",
            self.credentials
        )
    }

    /// A request with that body, and `more` headers.
    pub fn request(&self, more: &str, body: impl AsRef<[u8]>) -> Vec<u8> {
        let body = body.as_ref();
        let media = if more.contains("Content-Type") {
            ""
        } else {
            "Content-Type: application/xml\r\n"
        };
        let head = self.head(more);
        let mut all = format!("{head}{media}Content-Length: {}\r\n\r\n", body.len()).into_bytes();
        all.extend_from_slice(body);
        all
    }

    /// The answer to such a request, on a connection of its own.
    pub fn answer(&self, more: &str, body: impl AsRef<[u8]>) -> Answer {
        let mut wire = self.connect();
        wire.send(&self.request(more, body));
        wire.answer().expect("an answer")
    }

    /// The same with a body that is framed as it stands.
    pub fn chunked(&self, body: &[u8]) -> Answer {
        let mut wire = self.connect();
        let framing = "Content-Type: text/xml\r\nTransfer-Encoding: chunked\r\n\r\n";
        wire.send(self.head(framing).as_bytes());
        wire.send(body);
        wire.answer().expect("an answer")
    }

    /// The server stops, as one in order does.
    pub fn end(self) {
        assert!(self.server.stop().success(), "the server stops in order");
    }
}

/// A connection.
pub struct Wire {
    reader: BufReader<TcpStream>,
}

/// What was answered.
#[derive(Debug)]
pub struct Answer {
    /// `HTTP/1.1` or `HTTP/1.0`.
    pub version: String,
    /// The status of HTTP.
    pub status: u16,
    /// Headers and trailers, their names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body without its framing.
    pub body: Vec<u8>,
}

impl Wire {
    /// A connection to that address.
    pub fn to(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).expect("the server listens");
        stream.set_read_timeout(Some(PATIENCE)).expect("a timeout");
        Self {
            reader: BufReader::new(stream),
        }
    }

    /// A server that refuses early may have closed by then: its answer counts.
    pub fn send(&mut self, bytes: &[u8]) {
        drop(self.reader.get_mut().write_all(bytes));
    }

    /// Nothing more will be sent.
    pub fn close(&mut self) {
        drop(self.reader.get_mut().shutdown(Shutdown::Write));
    }

    fn line(&mut self) -> Option<String> {
        let mut line = String::new();
        let read = self.reader.read_line(&mut line).ok()?;
        (read > 0).then(|| line.trim_end_matches("\r\n").to_owned())
    }

    fn headers(&mut self) -> Vec<(String, String)> {
        let mut found = Vec::new();
        while let Some(line) = self.line().filter(|line| !line.is_empty()) {
            let (name, value) = line.split_once(':').expect("a header");
            found.push((name.to_ascii_lowercase(), value.trim().to_owned()));
        }
        found
    }

    /// So many bytes.
    pub fn exactly(&mut self, length: usize) -> Vec<u8> {
        let mut bytes = vec![0; length];
        self.reader.read_exact(&mut bytes).expect("a whole body");
        bytes
    }

    /// The next answer, `None` when the connection is at its end.
    pub fn answer(&mut self) -> Option<Answer> {
        let line = self.line()?;
        let mut words = line.split(' ');
        let mut answer = Answer {
            version: words.next().unwrap_or_default().to_owned(),
            status: words.next().and_then(|word| word.parse().ok())?,
            headers: self.headers(),
            body: Vec::new(),
        };
        if answer.header("transfer-encoding") == Some("chunked") {
            loop {
                let size = self.line().expect("the size of a chunk");
                let size = usize::from_str_radix(&size, 16).expect("a number");
                if size == 0 {
                    answer.headers.extend(self.headers());
                    break;
                }
                answer.body.extend(self.exactly(size));
                assert_eq!(self.exactly(2), b"\r\n");
            }
        } else if let Some(length) = answer.header("content-length") {
            let length = length.parse().expect("a number");
            answer.body = self.exactly(length);
        } else if answer.status >= 200 {
            self.reader.read_to_end(&mut answer.body).expect("an end");
        }
        Some(answer)
    }
}

impl Answer {
    /// The first header of that name, in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut found = self.headers.iter().filter(|(given, _)| given == name);
        found.next().map(|(_, value)| value.as_str())
    }

    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8(self.body.clone()).expect("UTF-8")
    }

    /// The status of the answer, with its `CIMError` or the status of each error in it.
    pub fn outcome(&self) -> String {
        let text = String::from_utf8_lossy(&self.body);
        let errors = text.split("<ERROR CODE=\"").skip(1);
        let errors = errors.filter_map(|rest| rest.split('"').next());
        let mut outcome = self.status.to_string();
        for error in self.header("cimerror").into_iter().chain(errors) {
            write!(outcome, " {error}").expect("memory");
        }
        outcome
    }
}

const OPEN: &str = "<?xml version=\"1.0\" encoding=\"utf-8\"?><CIM CIMVERSION=\"2.0\" DTDVERSION=\"2.0\">\
    <MESSAGE ID=\"7\" PROTOCOLVERSION=\"1.0\">";
const CLOSE: &str = "</MESSAGE></CIM>";
const CIMV2: &str = "<LOCALNAMESPACEPATH><NAMESPACE NAME=\"root\"/><NAMESPACE NAME=\"cimv2\"/></LOCALNAMESPACEPATH>";

/// A request of an intrinsic method without the message around it.
pub fn simple(method: &str, parameters: &str) -> String {
    format!(
        "<SIMPLEREQ><IMETHODCALL NAME=\"{method}\">{CIMV2}{parameters}</IMETHODCALL></SIMPLEREQ>"
    )
}

/// The parameter `ClassName`.
pub fn class_name(name: &str) -> String {
    format!("<IPARAMVALUE NAME=\"ClassName\"><CLASSNAME NAME=\"{name}\"/></IPARAMVALUE>")
}

/// A parameter that is a boolean.
pub fn flag(name: &str, value: bool) -> String {
    format!("<IPARAMVALUE NAME=\"{name}\"><VALUE>{value}</VALUE></IPARAMVALUE>")
}

/// A document with that in its message.
pub fn message(content: &str) -> String {
    format!("{OPEN}{content}{CLOSE}")
}

/// A request that is answered with one class.
pub fn get_class(name: &str) -> String {
    message(&simple("GetClass", &class_name(name)))
}

/// A request with a long answer: all classes with everything.
pub fn all_classes() -> String {
    simple("EnumerateClasses", &flag("DeepInheritance", true))
}
