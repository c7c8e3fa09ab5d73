//! Load on any CIM-XML server by its URL: requests a second with their latencies, and instances a
//! second of enumerations, plain and pulled.
//!
//! `cargo bench --bench load -- --url http://127.0.0.1:5988 --password-file FILE`. Beside each figure
//! stands what the same HTTP stack does when it answers fixed bytes of the same length, measured in
//! the same run: the ratio is what can be compared between machines. It uses public crates alone, and
//! nothing of the server it measures.

#![expect(
    clippy::disallowed_methods,
    reason = "a load program reads files and the clock and starts processes"
)]

mod connection;
mod fixed;
mod measure;
mod messages;

use std::error::Error;
use std::fs;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use clap::{Parser, ValueEnum};

use connection::{Connection, Server};
use measure::{Figures, Plan, hammer, in_turns};
use messages::Call;

/// What every fallible step here gives.
type Outcome<T> = Result<T, Box<dyn Error + Send + Sync>>;

/// Instances that one CreateInstance loop or one compiled text adds at a time.
const BULK: usize = 5_000;
/// The class of jobs.
const JOBS: &str = "JW_Job";
/// Longest fixed answer that an enumeration is held against, and for how long that is read.
const FIXED_BYTES: usize = 64 << 20;
const FIXED_TIME: Duration = Duration::from_millis(500);

/// Arguments.
#[derive(Debug, Parser)]
struct Arguments {
    /// What is measured; everything where nothing is named.
    #[arg(value_enum)]
    parts: Vec<Part>,
    /// The server: `http://HOST:PORT`.
    #[arg(long, default_value = "http://127.0.0.1:5988")]
    url: String,
    /// The user.
    #[arg(long, default_value = "admin")]
    user: String,
    /// File that holds the password.
    #[arg(long)]
    password_file: Option<PathBuf>,
    /// The namespace.
    #[arg(long, default_value = "root/cimv2")]
    namespace: String,
    /// Connections at a time.
    #[arg(long, default_value_t = 16)]
    connections: usize,
    /// Seconds for each figure.
    #[arg(long, default_value_t = 5)]
    seconds: u64,
    /// Numbers of stored instances to enumerate, in rising order.
    #[arg(long, value_delimiter = ',', default_value = "1000,10000")]
    instances: Vec<usize>,
    /// Number of jobs to enumerate, where the server has jobs: a class whose instances lie in memory.
    #[arg(long, default_value_t = 10_000)]
    jobs: usize,
    /// Process of the server, to read its peak memory; this machine's alone.
    #[arg(long)]
    pid: Option<u32>,
    /// Processor that the server with fixed answers runs on: the one that the measured server has.
    #[arg(long)]
    core: Option<usize>,
    /// Answer every request with so many bytes and measure nothing.
    #[arg(long, hide = true)]
    fixed: Option<usize>,
    /// `cargo bench` says so.
    #[arg(long, hide = true)]
    bench: bool,
}

/// What can be measured by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Part {
    /// Requests a second.
    Operations,
    /// Instances a second.
    Enumerations,
    /// What an enumeration does to the latency of another request.
    Latency,
}

fn main() -> Outcome<()> {
    let arguments = Arguments::parse();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?;
    if let Some(bytes) = arguments.fixed {
        return runtime.block_on(fixed::serve(bytes));
    }
    runtime.spawn(stay_awake());
    runtime.block_on(run(&arguments))
}

/// Keeps the processor of the load program from sleeping. To wake it would cost the server more than
/// many a request does, and the slower a server the more often: what it takes by itself is measured. The
/// server needs a processor of its own.
async fn stay_awake() {
    loop {
        tokio::task::yield_now().await;
    }
}

async fn run(arguments: &Arguments) -> Outcome<()> {
    let password = match &arguments.password_file {
        Some(file) => fs::read_to_string(file)?.trim().to_owned(),
        None => String::new(),
    };
    let server = Server::new(&arguments.url, &arguments.user, &password)?;
    let plan = Plan {
        connections: arguments.connections,
        time: Duration::from_secs(arguments.seconds),
    };
    let calls = messages::Messages::new(&arguments.namespace);
    prepare(&server, &calls).await?;
    let is_wanted = |part| arguments.parts.is_empty() || arguments.parts.contains(&part);
    if is_wanted(Part::Operations) {
        println!(
            "{:<28}{:>10} {:>9} {:>9} {:>9} {:>10} {:>7}",
            "", "req/s", "p50 us", "p99 us", "bytes", "fixed/s", "ratio"
        );
        for (name, calls) in calls.operations() {
            report(arguments, &server, plan, name, &calls).await?;
        }
    }
    // Earlier runs may have left some.
    let mut connection = Connection::open(&server).await?;
    let enumerate_stored = calls.enumerate(messages::CLASS);
    let mut stored = connection.read(&enumerate_stored).await?.instances;
    for wanted in &arguments.instances {
        fill(&server, &calls, stored, *wanted).await?;
        stored = stored.max(*wanted);
        if is_wanted(Part::Enumerations) {
            enumerate(arguments, &server, &calls, messages::CLASS).await?;
        }
    }
    if is_wanted(Part::Enumerations) && fill_jobs(&server, &calls, arguments.jobs).await? {
        enumerate(arguments, &server, &calls, JOBS).await?;
    }
    if is_wanted(Part::Latency) {
        under_load(&server, plan, &calls, stored).await?;
    }
    Ok(())
}

/// The class and the one instance that the operations are about.
async fn prepare(server: &Server, calls: &messages::Messages) -> Outcome<()> {
    let mut connection = Connection::open(server).await?;
    // They may be there from an earlier run.
    for call in [
        calls.create_class(),
        calls.create_instance(0),
        calls.create_job(),
    ] {
        drop(connection.ask(&call).await);
    }
    let got = connection.ask(&calls.get_instance()).await?;
    messages::succeeded(&got)
}

async fn report(
    arguments: &Arguments,
    server: &Server,
    plan: Plan,
    name: &str,
    calls: &[Call],
) -> Outcome<()> {
    let call = calls.first().ok_or("a call")?;
    let answer = Connection::open(server).await?.ask(call).await?;
    if let Err(error) = messages::succeeded(&answer) {
        println!("{name:<28}not measured: {error}");
        return Ok(());
    }
    let stand_in = fixed::Child::start(answer.len(), arguments.core)?;
    let [own, fixed] = in_turns((server, calls), &stand_in.server()?, plan).await?;
    print(name, &own, answer.len(), &fixed);
    Ok(())
}

fn print(name: &str, own: &Figures, bytes: usize, fixed: &Figures) {
    println!(
        "{name:<28}{:>10.0} {:>9} {:>9} {bytes:>9} {:>10.0} {:>7.2}",
        own.rate(),
        own.percentile(50).as_micros(),
        own.percentile(99).as_micros(),
        fixed.rate(),
        own.rate() / fixed.rate(),
    );
}

/// Adds instances until there are `wanted`.
async fn fill(
    server: &Server,
    calls: &messages::Messages,
    stored: usize,
    wanted: usize,
) -> Outcome<()> {
    let mut connection = Connection::open(server).await?;
    let mut at = stored;
    while at < wanted {
        let end = wanted.min(at + BULK);
        let compiled = connection.ask(&calls.compile_instances(at..end)).await?;
        if messages::succeeded(&compiled).is_err() {
            // Another server, or instances that are there already: one by one.
            for number in at..end {
                drop(connection.ask(&calls.create_instance(number)).await?);
            }
        }
        at = end;
    }
    Ok(())
}

/// Creates held jobs until there are `wanted`; false where the server has no jobs.
async fn fill_jobs(server: &Server, calls: &messages::Messages, wanted: usize) -> Outcome<bool> {
    let mut connection = Connection::open(server).await?;
    let there = connection.read(&calls.enumerate(JOBS)).await?.instances;
    for number in there..wanted {
        let created = connection.ask(&calls.create_job_of_many(number)).await?;
        if messages::succeeded(&created).is_err() {
            return Ok(false);
        }
    }
    Ok(wanted > 0)
}

async fn enumerate(
    arguments: &Arguments,
    server: &Server,
    calls: &messages::Messages,
    class: &str,
) -> Outcome<()> {
    let mut connection = Connection::open(server).await?;
    // What filling it took is not what enumerating takes: the peak begins anew.
    if let Some(process) = arguments.pid {
        fs::write(format!("/proc/{process}/clear_refs"), "5")?;
    }
    let start = Instant::now();
    let plain = connection.read(&calls.enumerate(class)).await?;
    let plain_time = start.elapsed();
    let start = Instant::now();
    let mut pulled = connection.read(&calls.open(class)).await?;
    let mut count = pulled.instances;
    while let Some(context) = pulled.context.take() {
        pulled = connection.read(&calls.pull(&context)).await?;
        count += pulled.instances;
    }
    let pulled_time = start.elapsed();
    let peak = arguments.pid.map(peak_kib).transpose()?;
    let fixed = fixed_rate(arguments, plain.bytes).await?;
    println!(
        "{class}, {:>8}: plain {:>9.0}/s {:>7.1} MB/s = {:.2} of fixed bytes, pulled {:>9.0}/s, first byte {} us{}",
        plain.instances,
        rate(plain.instances, plain_time),
        rate(plain.bytes, plain_time) / 1e6,
        rate(plain.bytes, plain_time) / fixed,
        rate(count, pulled_time),
        plain.first_byte.as_micros(),
        peak.map_or(String::new(), |kib| format!(", peak memory {kib} KiB")),
    );
    if plain.instances != count {
        return Err(format!("{} instances plain and {count} pulled", plain.instances).into());
    }
    Ok(())
}

/// Bytes a second of fixed answers, each as long as `bytes` where that is not very long.
async fn fixed_rate(arguments: &Arguments, bytes: usize) -> Outcome<f64> {
    let bytes = bytes.min(FIXED_BYTES);
    let stand_in = fixed::Child::start(bytes, arguments.core)?;
    let mut connection = Connection::open(&stand_in.server()?).await?;
    let call = messages::Messages::new(&arguments.namespace).get_instance();
    let (start, mut read) = (Instant::now(), 0);
    while start.elapsed() < FIXED_TIME {
        read += connection.read(&call).await?.bytes;
    }
    Ok(rate(read, start.elapsed()))
}

fn rate(count: usize, time: Duration) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
    let count = count as f64;
    count / time.as_secs_f64()
}

fn peak_kib(process: u32) -> Outcome<u64> {
    let status = fs::read_to_string(format!("/proc/{process}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let number = line.and_then(|line| line.split_whitespace().next());
    Ok(number.ok_or("no VmHWM")?.parse()?)
}

/// What GetInstance takes on one connection, idle and while another one enumerates without end.
async fn under_load(
    server: &Server,
    plan: Plan,
    calls: &messages::Messages,
    stored: usize,
) -> Outcome<()> {
    let alone = Plan {
        connections: 1,
        ..plan
    };
    let idle = hammer(server, alone, &[calls.get_instance()]).await?;
    let (busy_server, call) = (server.clone(), calls.enumerate(messages::CLASS));
    let enumerating = tokio::spawn(async move {
        let mut connection = Connection::open(&busy_server).await?;
        loop {
            connection.read(&call).await?;
        }
        #[expect(
            unreachable_code,
            reason = "the loop ends by an error or by being stopped"
        )]
        Outcome::Ok(())
    });
    let busy = hammer(server, alone, &[calls.get_instance()]).await?;
    enumerating.abort();
    println!(
        "GetInstance p99: {} us idle, {} us while {stored} instances are enumerated: {:.1} times",
        idle.percentile(99).as_micros(),
        busy.percentile(99).as_micros(),
        busy.percentile(99).as_secs_f64() / idle.percentile(99).as_secs_f64(),
    );
    Ok(())
}
