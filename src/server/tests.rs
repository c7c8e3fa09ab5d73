//! What clients meet that are too slow, too many or gone, over a socket and with limits so small that
//! a test reaches them.

#![expect(clippy::disallowed_methods, reason = "counting begins at an instant")]

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use chrono::Utc;
use futures_util::stream::{self, Stream, StreamExt};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use tokio::time::timeout;

use super::auth::Authenticator;
use super::{Front, Handler, Limits, Listener};
use crate::broker::Arrival;
use crate::builtin::Statistics;
use crate::cimxml::Agreement;
use crate::model::{CimError, CimName, CimValue, InstancePath, Keys, Namespace, Result};
use crate::ops::{Access, Addressed, BoxFuture, PathStream, Reply, Request};
use crate::provider::Principal;

/// Longer than anything here takes, on a machine busy with other tests.
const PATIENCE: Duration = Duration::from_mins(1);
/// What the kernel may hold for a client that reads nothing, and a good deal more.
const HELD_BYTES: usize = 64 << 20;
/// Bytes of one object of the endless answer.
const OBJECT_BYTES: usize = 64 << 10;

/// Stands in for the broker: EnumerateInstanceNames never ends, or as its class says, GetClass is never
/// answered, and everything else is at once.
struct Stand {
    made: Arc<AtomicUsize>,
    called: mpsc::UnboundedSender<()>,
    gone: mpsc::UnboundedSender<()>,
}

/// Says when it is dropped.
struct Guard(mpsc::UnboundedSender<()>);

impl Drop for Guard {
    fn drop(&mut self) {
        // Nobody may be left to hear it.
        self.0.send(()).ok();
    }
}

impl Handler for Stand {
    fn handle(
        &self,
        _principal: Principal,
        _arrival: Arrival,
        addressed: Addressed,
    ) -> BoxFuture<'_, Result<Reply>> {
        Box::pin(async move {
            let guard = Guard(self.gone.clone());
            self.called.send(()).expect("the test listens");
            match addressed.request {
                Request::EnumerateInstanceNames(request) => {
                    let made = self.made.clone();
                    let paths = stream::repeat_with(move || {
                        let _ = &guard;
                        made.fetch_add(1, Ordering::Relaxed);
                        Ok(path())
                    });
                    Ok(Reply::Paths(ended(paths, request.class.as_str())))
                }
                Request::GetClass(_) => std::future::pending().await,
                _ => Ok(Reply::Void),
            }
        })
    }

    fn admit(&self, _: &Principal, _: &Namespace, _: Access) -> Result<()> {
        Ok(())
    }
}

/// What comes after the first two of `paths`, where the class says that something else does.
fn ended(
    paths: impl Stream<Item = Result<InstancePath>> + Send + 'static,
    class: &str,
) -> PathStream {
    let (first, next): (_, PathStream) = match class {
        "T_Late" => {
            let error = CimError::not_found("the disk\nis g\u{f6}ne");
            (2, stream::iter([Err(error)]).boxed())
        }
        "T_Fault" => (
            2,
            stream::poll_fn(|_| panic!("a fault of the test")).boxed(),
        ),
        "T_Silent" => (2, stream::pending().boxed()),
        _ => (usize::MAX, stream::empty().boxed()),
    };
    paths.take(first).chain(next).boxed()
}

fn path() -> InstancePath {
    let mut keys = Keys::default();
    keys.push(
        CimName::of("Name"),
        CimValue::string("x".repeat(OBJECT_BYTES)),
    );
    InstancePath {
        namespace: Namespace::of("root"),
        class: CimName::of("T_Item"),
        keys,
    }
}

/// A server over [`Stand`], and what it tells.
struct Stage {
    port: u16,
    made: Arc<AtomicUsize>,
    called: mpsc::UnboundedReceiver<()>,
    gone: mpsc::UnboundedReceiver<()>,
    stop: watch::Sender<bool>,
    served: JoinHandle<()>,
}

impl Stage {
    async fn new(limits: Limits, authenticator: Authenticator) -> Self {
        let (called_in, called) = mpsc::unbounded_channel();
        let (gone_in, gone) = mpsc::unbounded_channel();
        let made = Arc::new(AtomicUsize::new(0));
        let stand = Stand {
            made: made.clone(),
            called: called_in,
            gone: gone_in,
        };
        let (limits, statistics) = (Arc::new(limits), Statistics::new(Utc::now()));
        let agreement = Agreement::Tolerant;
        let handler = Arc::new(stand);
        let front = Front::new(
            handler,
            authenticator,
            limits.clone(),
            agreement,
            statistics,
        );
        let listener = Listener::bind(0).await.expect("a free port");
        let port = listener.address().port();
        let (stop, stopped) = watch::channel(false);
        let served = tokio::spawn(listener.serve(Arc::new(front), limits, stopped));
        Self {
            port,
            made,
            called,
            gone,
            stop,
            served,
        }
    }

    async fn open(limits: Limits) -> Self {
        Self::new(limits, Authenticator::open()).await
    }

    async fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(("127.0.0.1", self.port)).await;
        stream.expect("the server listens")
    }

    /// Everything that the server says on a new connection to which `bytes` are written.
    async fn told(&self, bytes: &[u8]) -> String {
        let mut stream = self.connect().await;
        stream.write_all(bytes).await.expect("the server reads");
        everything(&mut stream).await
    }

    /// The server stops, with everything that is under way.
    async fn end(self) {
        self.stop.send(true).expect("the server runs");
        within(self.served).await.expect("it stops in order");
    }
}

async fn within<T>(work: impl Future<Output = T>) -> T {
    timeout(PATIENCE, work).await.expect("it takes no time")
}

async fn everything(stream: &mut TcpStream) -> String {
    let mut answer = Vec::new();
    // A connection that is cut ends like one that is closed: what came counts.
    within(stream.read_to_end(&mut answer)).await.ok();
    String::from_utf8_lossy(&answer).into_owned()
}

fn head(length: usize) -> String {
    format!(
        "POST /cimom HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/xml\r\n\
         CIMOperation: MethodCall\r\nContent-Length: {length}\r\n"
    )
}

/// A request for `method`, whose answer is the last on its connection.
fn request(method: &str) -> Vec<u8> {
    let body = body(method, "T_Item");
    format!("{}Connection: close\r\n\r\n{body}", head(body.len())).into_bytes()
}

fn body(method: &str, class: &str) -> String {
    let class =
        format!("<IPARAMVALUE NAME=\"ClassName\"><CLASSNAME NAME=\"{class}\"/></IPARAMVALUE>");
    format!(
        "<CIM CIMVERSION=\"2.0\" DTDVERSION=\"2.0\"><MESSAGE ID=\"7\" PROTOCOLVERSION=\"1.0\"><SIMPLEREQ>\
         <IMETHODCALL NAME=\"{method}\"><LOCALNAMESPACEPATH><NAMESPACE NAME=\"root\"/></LOCALNAMESPACEPATH>\
         {class}</IMETHODCALL></SIMPLEREQ></MESSAGE></CIM>"
    )
}

/// An enumeration of the names of `class`, by a client with these headers more.
fn names(class: &str, headers: &str) -> String {
    let body = body("EnumerateInstanceNames", class);
    format!(
        "{}{headers}Connection: close\r\n\r\n{body}",
        head(body.len())
    )
}

/// The status of an answer, which says that nothing follows on its connection.
fn check(answer: &str, status: &str) {
    let expected = format!("HTTP/1.1 {status} ");
    assert!(
        answer.starts_with(&expected),
        "expected {status} in:\n{answer}"
    );
    assert!(
        answer.to_lowercase().contains("connection: close"),
        "{answer}"
    );
}

#[tokio::test]
async fn a_body_that_does_not_come_is_408() {
    let stage = Stage::open(Limits {
        body_pace: (1, Duration::from_millis(50)),
        body_time: (Duration::from_millis(100), Duration::ZERO),
        ..Limits::default()
    })
    .await;
    for sent in ["", "<CIM"] {
        let begun = format!("{}\r\n{sent}", head(1000));
        check(&stage.told(begun.as_bytes()).await, "408");
    }
    stage.end().await;
}

#[tokio::test]
async fn a_head_that_does_not_end_is_cut_off() {
    let stage = Stage::open(Limits {
        header_time: Duration::from_millis(50),
        ..Limits::default()
    })
    .await;
    for begun in ["P", "POST /cimom HTTP/1.1\r\nHost:"] {
        let answer = stage.told(begun.as_bytes()).await;
        assert!(!answer.contains("200"), "{answer}");
    }
    stage.end().await;
}

#[tokio::test]
async fn bodies_beyond_the_memory_for_them_are_503() {
    let whole = request("EnumerateClassNames");
    let stage = Stage::open(Limits {
        bodies_bytes: 100,
        ..Limits::default()
    })
    .await;
    let answer = stage.told(&whole).await;
    check(&answer, "503");
    assert!(answer.to_lowercase().contains("retry-after: "), "{answer}");
    stage.end().await;
    let stage = Stage::open(Limits {
        bodies_bytes: whole.len(),
        ..Limits::default()
    })
    .await;
    for _ in 0..3 {
        // What one body took the next one has again.
        check(&stage.told(&whole).await, "200");
    }
    stage.end().await;
}

#[tokio::test]
async fn a_connection_beyond_the_limit_is_503_while_all_are_at_work() {
    let limits = Limits {
        connections: 1,
        drain_time: Duration::ZERO,
        ..Limits::default()
    };
    let mut stage = Stage::open(limits).await;
    let mut first = stage.connect().await;
    let asked = first.write_all(&request("GetClass")).await;
    asked.expect("the server reads");
    within(stage.called.recv()).await.expect("it is at work");
    let mut second = stage.connect().await;
    check(&everything(&mut second).await, "503");
    drop(first);
    within(stage.gone.recv()).await.expect("its work ends");
    // One that is idle makes room.
    let _idle = stage.connect().await;
    check(&stage.told(&request("EnumerateClassNames")).await, "200");
    stage.end().await;
}

#[tokio::test]
async fn strangers_who_ask_too_often_are_429() {
    let state = tempfile::tempdir().expect("a folder");
    let stage = Stage::new(Limits::default(), strict(state.path())).await;
    let mut told = Vec::new();
    // So many fit into no second.
    for _ in 0..10_000 {
        let answer = stage.told(&request("EnumerateClassNames")).await;
        told.push(answer.split(' ').nth(1).unwrap_or_default().to_owned());
        if told.last().is_some_and(|status| status == "429") {
            assert!(answer.to_lowercase().contains("retry-after: "), "{answer}");
            break;
        }
    }
    assert_eq!(told.first().map(String::as_str), Some("401"));
    assert_eq!(
        told.last().map(String::as_str),
        Some("429"),
        "{} answers",
        told.len()
    );
    stage.end().await;
}

/// One wrong request a second.
fn strict(state: &Path) -> Authenticator {
    Authenticator::from_state(state, 1).expect("accounts")
}

#[tokio::test]
async fn an_operation_that_takes_too_long_is_an_error_in_the_answer() {
    let mut stage = Stage::open(Limits {
        operation_time: Duration::from_millis(50),
        ..Limits::default()
    })
    .await;
    let answer = stage.told(&request("GetClass")).await;
    check(&answer, "200");
    assert!(
        answer.contains("<ERROR CODE=\"1\" DESCRIPTION=\"the operation took too long\"/>"),
        "{answer}"
    );
    within(stage.gone.recv())
        .await
        .expect("the work is given up");
    stage.end().await;
}

#[tokio::test]
async fn a_client_that_takes_nothing_is_left_and_holds_up_its_provider_alone() {
    let mut stage = Stage::open(Limits {
        stall_time: Duration::from_millis(200),
        ..Limits::default()
    })
    .await;
    let mut stalled = stage.connect().await;
    let asked = stalled.write_all(&request("EnumerateInstanceNames")).await;
    asked.expect("the server reads");
    within(stage.gone.recv())
        .await
        .expect("the server gives up");
    let made = stage.made.load(Ordering::Relaxed) * OBJECT_BYTES;
    assert!(
        made < HELD_BYTES,
        "{made} bytes were made for a client that takes none"
    );
    check(&stage.told(&request("EnumerateClassNames")).await, "200");
    // What the client finds when it wakes up is not taken for a whole answer.
    let answer = everything(&mut stalled).await;
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer:.100}");
    assert!(!answer.ends_with("0\r\n\r\n"), "the answer has an end");
    stage.end().await;
}

#[tokio::test]
async fn the_first_bytes_leave_before_the_last_are_made_and_who_leaves_ends_the_work() {
    let mut stage = Stage::open(Limits::default()).await;
    let mut reading = stage.connect().await;
    let asked = reading.write_all(&request("EnumerateInstanceNames")).await;
    asked.expect("the server reads");
    let mut begun = vec![0; 4 * OBJECT_BYTES];
    let read = within(reading.read_exact(&mut begun)).await;
    read.expect("an answer without an end");
    assert!(begun.starts_with(b"HTTP/1.1 200 OK"));
    drop(reading);
    within(stage.gone.recv())
        .await
        .expect("the stream is dropped");
    stage.end().await;
}

#[tokio::test]
async fn a_client_that_reads_slowly_has_its_provider_wait_and_nobody_else() {
    let mut stage = Stage::open(Limits::default()).await;
    let mut slow = stage.connect().await;
    let asked = slow.write_all(&request("EnumerateInstanceNames")).await;
    asked.expect("the server reads");
    within(stage.called.recv()).await.expect("it is at work");
    let made = || stage.made.load(Ordering::Relaxed) * OBJECT_BYTES;
    let mut taken = 0;
    let mut some = vec![0; HELD_BYTES / 4];
    for _ in 0..8 {
        within(slow.read_exact(&mut some))
            .await
            .expect("more of it");
        taken += some.len();
        // Others are served between two reads, which take as long as they take.
        check(&stage.told(&request("EnumerateClassNames")).await, "200");
        let ahead = made().saturating_sub(taken);
        assert!(
            ahead < HELD_BYTES,
            "{ahead} bytes were made ahead of the client"
        );
    }
    assert!(
        made() > HELD_BYTES,
        "the client has drawn more than is held"
    );
    drop(slow);
    stage.end().await;
}

/// What follows the last chunk of an answer, and whether there is a last one.
fn after_the_last_chunk(answer: &str) -> Option<&str> {
    answer.split_once("\r\n0\r\n").map(|(_, rest)| rest)
}

#[tokio::test]
async fn a_late_error_is_told_in_trailers_to_those_who_take_them() {
    let stage = Stage::open(Limits::default()).await;
    let late = |headers: &str| names("T_Late", headers).into_bytes();
    let answer = stage.told(&late("TE: trailers\r\n")).await;
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer:.300}");
    assert!(
        answer.contains("trailer: CIMStatusCode, CIMStatusCodeDescription\r\n"),
        "{answer:.300}"
    );
    let told = "cimstatuscode: 6\r\ncimstatuscodedescription: the disk is g ne\r\n\r\n";
    assert_eq!(after_the_last_chunk(&answer), Some(told));
    assert!(!answer.contains("</CIM>"), "the document has an end");
    // A client of M-POST finds them under the number that it gave.
    let extended = names(
        "T_Late",
        "TE: trailers\r\nMan: http://www.dmtf.org/cim/mapping/http/v1.0 ; ns=42\r\n",
    );
    let extended = extended
        .replacen("POST", "M-POST", 1)
        .replace("CIMOperation", "42-CIMOperation");
    let answer = stage.told(extended.as_bytes()).await;
    assert!(
        answer.contains("trailer: 42-CIMStatusCode, 42-CIMStatusCodeDescription\r\n"),
        "{answer:.300}"
    );
    let told = after_the_last_chunk(&answer).unwrap_or_default();
    assert!(told.starts_with("42-cimstatuscode: 6\r\n"), "{told}");
    // To others an answer that breaks off says it: a whole one has an end.
    for headers in ["", "TE: chunked\r\n", "TE: trailers;q=0\r\n"] {
        let answer = stage.told(&late(headers)).await;
        assert!(answer.starts_with("HTTP/1.1 200 "), "{answer:.300}");
        assert!(!answer.contains("trailer:"), "{answer:.300}");
        assert_eq!(after_the_last_chunk(&answer), None);
    }
    // HTTP/1.0 knows neither chunks nor trailers: there the document has no end.
    let old = names("T_Late", "TE: trailers\r\n").replacen("HTTP/1.1", "HTTP/1.0", 1);
    let answer = stage.told(old.as_bytes()).await;
    assert!(answer.starts_with("HTTP/1.0 200 "), "{answer:.300}");
    assert!(!answer.contains("transfer-encoding"), "{answer:.300}");
    assert!(!answer.contains("</CIM>"), "the document has an end");
    stage.end().await;
}

#[tokio::test]
async fn a_fault_and_a_silence_after_the_first_bytes_are_late_errors() {
    let mut stage = Stage::open(Limits {
        enumeration_time: Duration::from_secs(2),
        ..Limits::default()
    })
    .await;
    for (class, expected) in [
        ("T_Fault", "the server met a fault of its own"),
        ("T_Silent", "the operation took too long"),
    ] {
        let answer = stage
            .told(names(class, "TE: trailers\r\n").as_bytes())
            .await;
        assert!(answer.starts_with("HTTP/1.1 200 "), "{answer:.300}");
        let told = format!("cimstatuscode: 1\r\ncimstatuscodedescription: {expected}\r\n\r\n");
        assert_eq!(
            after_the_last_chunk(&answer),
            Some(told.as_str()),
            "{class}"
        );
        within(stage.gone.recv()).await.expect("its work ends");
    }
    check(&stage.told(&request("EnumerateClassNames")).await, "200");
    stage.end().await;
}
