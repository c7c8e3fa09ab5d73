//! Indications: changes matched with subscriptions, deliveries beside what a bare HTTP client does with
//! the same bodies, and jobs run with and without somebody who listens to everything.

#![expect(
    clippy::disallowed_methods,
    reason = "a benchmark reads the clock and starts servers"
)]

use std::error::Error;
use std::fs::{self, Permissions};
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use bytes::{Bytes, BytesMut};
use chrono::Utc;
use futures_util::future::join_all;
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1::handshake;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use jobwright::cimxml::{Sequence, encode_export, encode_indication};
use jobwright::client::{Client, Credentials, Trust};
use jobwright::indications::core::{Policy, RepeatPolicy};
use jobwright::indications::destination::{Destination, Outward};
use jobwright::indications::{
    Asked, Courier, Desk, Maker, Queue, Subscriber, Watch, Watched, selected,
};
use jobwright::model::{
    CimName, CimType, CimValue, Class, ClassKind, Instance, InstanceDecl, Literal, Namespace,
    ObjectPath, PropertyValue,
};
use jobwright::mof::{Embedded, Limits, compile};
use jobwright::ops::Select;
use jobwright::provider::{Change, Notice, Occurrence, StreamId};
use jobwright::query::Query;
use jobwright::schema::{Builder, Schema};
use jobwright::store::{Options, StoreError, Writer};
use tokio::net::TcpListener;
use tokio::sync::{Notify, mpsc, watch};

/// That of the server.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

type Failed = Box<dyn Error + Send + Sync>;

/// Indications that are delivered to each listener, by the number of listeners.
const DELIVERIES: [(usize, usize); 2] = [(1, 8000), (50, 300)];
/// Jobs of one measurement.
const JOBS: usize = 400;
/// Clients that submit them.
const CLIENTS: usize = 16;
/// Measurements with and without a subscriber, which take turns.
const ROUNDS: usize = 3;

fn main() -> Result<(), Failed> {
    // `cargo bench --bench indications -- jobs` measures that part alone; cargo adds arguments of its own.
    let wanted: Vec<String> = std::env::args()
        .skip(1)
        .filter(|argument| !argument.starts_with('-'))
        .collect();
    let is_wanted = |part: &str| wanted.is_empty() || wanted.iter().any(|one| one == part);
    let schema = schema()?;
    if is_wanted("matched") {
        matched(&schema)?;
    }
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        if is_wanted("delivered") {
            for (listeners, each) in DELIVERIES {
                delivered(&schema, listeners, each).await?;
            }
        }
        if is_wanted("jobs") {
            jobs().await?;
        }
        Ok(())
    })
}

/// The schema that the program brings along.
fn schema() -> Result<Arc<Schema>, Failed> {
    let compilation = compile(&["cimv2.mof", "interop.mof"], &Embedded, Limits::default());
    let mut builder = Builder::new();
    for batch in compilation.batches {
        builder.declare(batch.qualifiers, batch.classes);
    }
    let schema = builder.build().map_err(|errors| format!("{errors:?}"))?;
    Ok(Arc::new(schema))
}

fn namespace() -> Namespace {
    Namespace::of("root/cimv2")
}

fn job(schema: &Schema, state: u16) -> Result<Instance, Failed> {
    let class = schema.class("JW_Job").ok_or("there is no JW_Job")?;
    let mut job = Instance::empty(class.clone());
    for (name, value) in [
        ("InstanceID", "bench:0"),
        ("Name", "bench"),
        ("Owner", "admin"),
        ("JobStatus", "a text of usual length"),
    ] {
        job.set(name, CimValue::string(value))?;
    }
    job.set("JobState", CimValue::Uint16(state))?;
    Ok(job)
}

fn change(schema: &Schema) -> Result<Occurrence, Failed> {
    let (before, after) = (job(schema, 4)?, job(schema, 7)?);
    Ok(Occurrence {
        change: Change::Modified { before, after },
        owner: Some("admin".into()),
    })
}

fn watched(schema: &Schema, query: &str) -> Result<Watched, Failed> {
    let query = Query::given("DMTF:CQL", query, schema)?;
    let subscriber = Subscriber::new(StreamId(1), None, RepeatPolicy::None, None);
    Ok(Watched {
        name: "bench".into(),
        asked: Asked {
            namespace: namespace(),
            kinds: selected(&query.class, schema),
            query: Arc::new(query),
        },
        subscribers: vec![Arc::new(subscriber)],
    })
}

/// How many changes a second are matched with so many subscriptions, each with a filter of its own.
fn matched(schema: &Arc<Schema>) -> Result<(), Failed> {
    let one = "SELECT * FROM CIM_InstModification WHERE SourceInstance ISA CIM_ConcreteJob AND \
               SourceInstance.CIM_ConcreteJob::InstanceID = 'bench:";
    let is_other =
        |class: &&Arc<Class>| class.kind == ClassKind::Ordinary && !class.is_a("CIM_Job");
    let above = &schema
        .class("JW_Job")
        .ok_or("there is no JW_Job")?
        .ancestors;
    let others = schema.classes().filter(is_other).map(|class| &class.name);
    let others: Vec<&CimName> = others.filter(|name| !above.contains(name)).collect();
    for count in [0, 1, 100, 10_000] {
        // One filter selects the change. The others are about other jobs, or about other classes.
        let jobs = (0..count).map(|n| watched(schema, &format!("{one}{n}'")));
        let classes = (0..count).map(|n| match others.get(n % others.len().max(1)) {
            Some(class) if n > 0 => {
                let query = "SELECT * FROM CIM_InstModification WHERE SourceInstance ISA";
                watched(schema, &format!("{query} {class}"))
            }
            Some(_) | None => watched(schema, &format!("{one}{n}'")),
        });
        let jobs = rate(schema, &Watch::new(jobs.collect::<Result<Vec<_>, _>>()?))?;
        let classes = rate(schema, &Watch::new(classes.collect::<Result<Vec<_>, _>>()?))?;
        println!(
            "{count:>6} subscriptions: {jobs:>10.0} changes/s all on jobs, {classes:>10.0} on other classes"
        );
    }
    Ok(())
}

fn rate(schema: &Arc<Schema>, watch: &Watch) -> Result<f64, Failed> {
    let (namespace, now, change) = (namespace(), Utc::now(), change(schema)?);
    let maker = Maker::new("bench", "1");
    let (mut count, begun) = (0_u32, Instant::now());
    while begun.elapsed() < Duration::from_secs(1) {
        for _ in 0..10 {
            let make = || maker.indication(schema, &namespace, &change.change, now);
            let notices = watch.notices(&namespace, &change, now, make)?;
            std::hint::black_box(notices.keep());
        }
        count += 10;
    }
    Ok(f64::from(count) / begun.elapsed().as_secs_f64())
}

/// A listener on loopback that counts what it takes, and does no more than that, so that the figures are
/// those of whoever sends.
struct Counter {
    address: SocketAddr,
    taken: Arc<AtomicUsize>,
    full: Arc<Notify>,
}

/// What a listener answers.
const TAKEN: &[u8] = b"<?xml version=\"1.0\" encoding=\"utf-8\"?><CIM CIMVERSION=\"2.0\" DTDVERSION=\"2.4\">\
    <MESSAGE ID=\"1\" PROTOCOLVERSION=\"1.4\"><SIMPLEEXPRSP><EXPMETHODRESPONSE NAME=\"ExportIndication\">\
    </EXPMETHODRESPONSE></SIMPLEEXPRSP></MESSAGE></CIM>";

impl Counter {
    async fn open(wanted: usize) -> Result<Self, Failed> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let address = listener.local_addr()?;
        let (taken, full) = (Arc::<AtomicUsize>::default(), Arc::<Notify>::default());
        let counter = Self {
            address,
            taken: taken.clone(),
            full: full.clone(),
        };
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (taken, full) = (taken.clone(), full.clone());
                let take = move |request: hyper::Request<hyper::body::Incoming>| {
                    let (taken, full) = (taken.clone(), full.clone());
                    async move {
                        request.into_body().collect().await?;
                        if (taken.fetch_add(1, Ordering::Relaxed) + 1).is_multiple_of(wanted) {
                            full.notify_one();
                        }
                        Ok::<_, hyper::Error>(hyper::Response::new(Full::new(TAKEN)))
                    }
                };
                tokio::spawn(async move {
                    stream.set_nodelay(true)?;
                    let serving = http1::Builder::new();
                    let serving = serving.serve_connection(TokioIo::new(stream), service_fn(take));
                    serving.await.map_err(Failed::from)
                });
            }
        });
        Ok(counter)
    }
}

/// Deliveries a second out of the queue in the store, and what a bare HTTP client makes of the same
/// bodies, each to the same listeners.
async fn delivered(schema: &Arc<Schema>, count: usize, each: usize) -> Result<(), Failed> {
    let maker = Maker::new("bench", "1");
    let told = change(schema)?;
    let made = maker.indication(schema, &namespace(), &told.change, Utc::now());
    let indication: Arc<[u8]> = encode_indication(&made.ok_or("no class")??)?.into();
    let opened = join_all((0..count).map(|_| Counter::open(each))).await;
    let listeners: Vec<Counter> = opened.into_iter().collect::<Result<_, _>>()?;

    let begun = Instant::now();
    let posts = listeners.iter().map(|to| post(to, each, &indication));
    for posted in join_all(posts).await {
        posted?;
    }
    join_all(listeners.iter().map(|to| to.full.notified())).await;
    let bare = per_second(count * each, begun);

    let folder = tempfile::tempdir()?;
    let (writer, store) = Writer::open(Options::new(folder.path().to_owned())).await?;
    let streams = fill(&writer, (count, each), &indication).await?;
    let (keep, _) = watch::channel(POLICY);
    let (faults, _told) = mpsc::channel(1);
    let begun = Instant::now();
    for (stream, to) in streams.into_iter().zip(&listeners) {
        let carrier = destination(schema, to.address)?.carrier(&Arc::new(Outward::default()))?;
        let queue: Arc<dyn Queue> = Arc::new(writer.clone());
        let talk = (Arc::new(Desk::default()), faults.clone());
        let courier = Courier::new(stream, queue, carrier, POLICY, talk);
        tokio::spawn(courier.run(keep.subscribe()));
    }
    join_all(listeners.iter().map(|to| to.full.notified())).await;
    let ours = per_second(count * each, begun);
    let lost = listeners
        .iter()
        .filter(|to| to.taken.load(Ordering::Relaxed) != 2 * each);
    if lost.count() != 0 {
        return Err("not everything was delivered once".into());
    }
    println!(
        "{count:>6} listeners: {ours:>8.0} delivered/s, bare HTTP client {bare:>8.0} /s  ({:.0} %)",
        100.0 * ours / bare
    );
    drop(keep);
    store.close().await;
    Ok(())
}

const POLICY: Policy = Policy {
    retries: 3,
    interval: Duration::from_secs(30),
};

fn per_second(count: usize, since: Instant) -> f64 {
    f64::from(u32::try_from(count).unwrap_or(u32::MAX)) / since.elapsed().as_secs_f64()
}

fn destination(schema: &Schema, address: SocketAddr) -> Result<Destination, Failed> {
    let class = schema.class("CIM_ListenerDestinationCIMXML");
    let mut instance = Instance::empty(class.ok_or("no class of destinations")?.clone());
    let url = CimValue::string(format!("http://{address}"));
    instance.set("Destination", url)?;
    Ok(Destination::new(&instance)?)
}

/// Streams with so many indications each.
async fn fill(
    writer: &Writer,
    (count, each): (usize, usize),
    indication: &Arc<[u8]>,
) -> Result<Vec<StreamId>, Failed> {
    let mut streams = Vec::new();
    for n in 0..count {
        let indication = indication.clone();
        let filled = writer.transact(move |batch| {
            let stream = batch.add_stream(&format!("bench:{n}"), "context")?;
            let notice = Notice { stream, indication };
            batch.queue(&vec![notice; each], Utc::now())?;
            Ok::<_, StoreError>(stream)
        });
        streams.push(filled.await?);
    }
    Ok(streams)
}

/// Posts so many export messages, one after the other on one connection, and reads each answer.
async fn post(to: &Counter, each: usize, indication: &[u8]) -> Result<(), Failed> {
    let sequence = Sequence {
        context: "context",
        number: 7,
    };
    let mut body = BytesMut::new();
    encode_export(&mut body, "7", indication, sequence)?;
    let body = body.freeze();
    let stream = tokio::net::TcpStream::connect(to.address).await?;
    stream.set_nodelay(true)?;
    let (mut sender, connection) = handshake(TokioIo::new(stream)).await?;
    let moving = tokio::spawn(connection);
    for _ in 0..each {
        sender.ready().await?;
        let request = hyper::Request::post("/")
            .header("host", to.address.to_string())
            .header("content-type", "application/xml; charset=\"utf-8\"")
            .header("accept", "application/xml")
            .header("cimprotocolversion", "1.0")
            .header("cimexport", "MethodRequest")
            .header("cimexportmethod", "ExportIndication")
            .body(Full::new(body.clone()))?;
        let answer = sender.send_request(request).await?;
        let taken = answer.status().is_success();
        let _: Bytes = answer.into_body().collect().await?.to_bytes();
        if !taken {
            return Err("a listener refused an indication".into());
        }
    }
    drop(sender);
    moving.await??;
    Ok(())
}

/// A server that is killed when it is no longer wanted.
struct Server {
    child: Child,
    url: String,
    password: String,
    /// Where it prints its addresses; a server whose output nobody takes ends.
    _output: BufReader<ChildStdout>,
    _state: tempfile::TempDir,
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

impl Server {
    fn start() -> Result<Self, Failed> {
        let private = Permissions::from_mode(0o700);
        let state = tempfile::Builder::new().permissions(private).tempdir()?;
        let mut child = Command::new(env!("CARGO_BIN_EXE_jobwright"))
            .args(["serve", "--port", "0", "--state-dir"])
            .arg(state.path())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()?;
        let output = child.stdout.take().ok_or("standard output is piped")?;
        let mut output = BufReader::new(output);
        let mut line = String::new();
        output.read_line(&mut line)?;
        let url = line.trim_end().strip_prefix("listening on ");
        let url = url.and_then(|url| url.strip_suffix("/cimom"));
        let password = fs::read_to_string(state.path().join("admin-password"))?;
        Ok(Self {
            url: url.ok_or("no address")?.to_owned(),
            password: password.trim().to_owned(),
            child,
            _output: output,
            _state: state,
        })
    }

    fn client(&self) -> Result<Client, Failed> {
        let credentials = Credentials::new("admin".to_owned(), self.password.clone().into());
        let trust = Trust::System(Vec::new());
        Ok(Client::new(&self.url, Some(credentials), &trust)?)
    }
}

/// Jobs a second with nobody who listens, and with one who listens to everything.
async fn jobs() -> Result<(), Failed> {
    let [mut alone, mut heard] = [0_f64; 2];
    for _ in 0..ROUNDS {
        alone = alone.max(run(false).await?);
        heard = heard.max(run(true).await?);
    }
    println!("jobs that run true: {alone:>8.0} /s");
    println!(
        "  with a subscriber {heard:>8.0} /s  ({:.0} %)",
        100.0 * heard / alone
    );
    Ok(())
}

async fn run(listening: bool) -> Result<f64, Failed> {
    let server = Server::start()?;
    let client = server.client()?;
    let counter = Counter::open(usize::MAX).await?;
    if listening {
        subscribe(&client, counter.address).await?;
    }
    let clients: Vec<Client> = (0..CLIENTS)
        .map(|_| server.client())
        .collect::<Result<_, _>>()?;
    let begun = Instant::now();
    let submitted = clients.iter().map(|client| submit(client, JOBS / CLIENTS));
    for submitted in join_all(submitted).await {
        submitted?;
    }
    while jobs_left(&client).await? > 0 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let rate = per_second(JOBS, begun);
    if listening == (counter.taken.load(Ordering::Relaxed) == 0) {
        return Err("the subscriber heard something, or nothing, where it should not".into());
    }
    Ok(rate)
}

fn property(name: &'static str, value: Literal) -> PropertyValue {
    PropertyValue {
        name: CimName::of(name),
        ty: Some(match value {
            Literal::Reference(_) => CimType::Reference,
            _ => CimType::String,
        }),
        is_array: matches!(value, Literal::Array(_)),
        value,
    }
}

fn text(text: &str) -> Literal {
    Literal::Text(text.into())
}

fn instance(class: &'static str, properties: Vec<PropertyValue>) -> InstanceDecl {
    InstanceDecl {
        class: CimName::of(class),
        properties,
    }
}

async fn submit(client: &Client, count: usize) -> Result<(), Failed> {
    for _ in 0..count {
        let command = Literal::Array(vec![text("/bin/true")]);
        let job = vec![
            property("Name", text("bench")),
            property("Command", command),
        ];
        client
            .create_instance(&namespace(), instance("JW_Job", job))
            .await?;
    }
    Ok(())
}

/// Jobs that have not ended.
async fn jobs_left(client: &Client) -> Result<i128, Failed> {
    let queues = client
        .enumerate_instances(&namespace(), CimName::of("JW_JobQueue"), Select::default())
        .await?;
    let mut left = 0;
    for (_, queue) in queues {
        for name in ["NumberOnQueue", "NumberRunning"] {
            let number = queue.get(name).ok_or("a queue has its numbers")?;
            let number = number.value.resolve(CimType::Uint32, false)?;
            left += number.as_integer().unwrap_or_default();
        }
    }
    Ok(left)
}

/// Has the server tell a listener of everything.
async fn subscribe(client: &Client, address: SocketAddr) -> Result<(), Failed> {
    let interop = Namespace::of("interop");
    let reference = |path: ObjectPath| {
        Literal::Reference(Box::new(ObjectPath {
            host: None,
            namespace: Some(Namespace::of("interop")),
            ..path
        }))
    };
    let url = property("Destination", text(&format!("http://{address}")));
    let handler = instance("CIM_ListenerDestinationCIMXML", vec![url]);
    let handler = client.create_instance(&interop, handler).await?;
    let everywhere = Literal::Array(vec![text("root/cimv2")]);
    let filter = vec![
        property("Query", text("SELECT * FROM CIM_Indication")),
        property("QueryLanguage", text("DMTF:CQL")),
        property("SourceNamespaces", everywhere),
    ];
    let filter = instance("CIM_IndicationFilter", filter);
    let filter = client.create_instance(&interop, filter).await?;
    let subscription = vec![
        property("Filter", reference(filter)),
        property("Handler", reference(handler)),
    ];
    let subscription = instance("CIM_IndicationSubscription", subscription);
    client.create_instance(&interop, subscription).await?;
    Ok(())
}
