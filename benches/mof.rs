//! DMTF's whole schema from memory: front end and schema against only tokenising the same texts.
//!
//! One run gives the ratio, so that it does not depend on the machine; each figure is the best of
//! many rounds that take turns. `CIM_SCHEMA_ZIP` names DMTF's zip archive.

#![expect(
    clippy::disallowed_methods,
    reason = "a benchmark reads its texts and the clock"
)]

use std::collections::BTreeMap;
use std::error::Error;
use std::hint::black_box;
use std::io::Read;
use std::time::{Duration, Instant};

use jobwright::mof::{Compilation, Limits, compile, token_count};
use jobwright::schema::{Builder, Schema};

/// That of the server.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

type Texts = BTreeMap<String, Vec<u8>>;

const ROUNDS: usize = 20;

fn main() -> Result<(), Box<dyn Error>> {
    let Some(path) = std::env::var_os("CIM_SCHEMA_ZIP") else {
        println!("CIM_SCHEMA_ZIP does not name DMTF's schema; nothing is measured");
        return Ok(());
    };
    let texts = texts(&path)?;
    let root = texts
        .keys()
        .find(|name| name.starts_with("cim_schema_") && !name.contains('/'))
        .ok_or("the zip holds no cim_schema_<version>.mof")?;
    memory(root, &texts)?;
    speed(root, &texts);
    Ok(())
}

fn texts(path: &std::ffi::OsStr) -> Result<Texts, Box<dyn Error>> {
    let mut archive = zip::ZipArchive::new(std::fs::File::open(path)?)?;
    let mut texts = Texts::new();
    for index in 0..archive.len() {
        let mut entry = archive.by_index(index)?;
        let mut bytes = Vec::new();
        entry.read_to_end(&mut bytes)?;
        texts.insert(entry.name()?.into_owned(), bytes);
    }
    Ok(texts)
}

/// What the process holds more with the schema than before it. The compilation is freed by then,
/// but what the allocator keeps of it counts too: the figure is an upper bound.
fn memory(root: &str, texts: &Texts) -> Result<(), Box<dyn Error>> {
    let before = resident_kib()?;
    let schema = built(compile(&[root], texts, Limits::default()));
    let after = resident_kib()?;
    let classes = schema.classes().len();
    println!("{classes} classes resident   {:>8} KiB", after - before);
    // A second one reuses what the first compilation left, so what it adds is mostly its own.
    let second = built(compile(&[root], texts, Limits::default()));
    let more = resident_kib()?.saturating_sub(after);
    println!("a second schema adds    {more:>8} KiB");
    black_box((schema, second));
    Ok(())
}

fn resident_kib() -> Result<usize, Box<dyn Error>> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let number = line.and_then(|line| line.split_whitespace().next());
    Ok(number.ok_or("no VmRSS")?.parse()?)
}

fn speed(root: &str, texts: &Texts) {
    let [mut tokens, mut front, mut schema] = [Duration::MAX; 3];
    for _ in 0..ROUNDS {
        best(&mut tokens, || {
            let texts = texts.values().map(|text| String::from_utf8_lossy(text));
            texts.map(|text| token_count(&text)).sum::<usize>()
        });
        let compiled = best(&mut front, || compile(&[root], texts, Limits::default()));
        best(&mut schema, || built(compiled));
    }
    let ratio = (front + schema).as_secs_f64() / tokens.as_secs_f64();
    println!("tokens                  {tokens:>12.1?}");
    println!("front end               {front:>12.1?}");
    println!("schema                  {schema:>12.1?}");
    println!("front end and schema take {ratio:.1} times as long as tokens alone");
}

fn best<T>(shortest: &mut Duration, work: impl FnOnce() -> T) -> T {
    let started = Instant::now();
    let result = black_box(work());
    *shortest = started.elapsed().min(*shortest);
    result
}

fn built(compilation: Compilation) -> Schema {
    let mut builder = Builder::new();
    for batch in compilation.batches {
        builder.declare(batch.qualifiers, batch.classes);
    }
    builder.build().expect("DMTF's schema is sound")
}
