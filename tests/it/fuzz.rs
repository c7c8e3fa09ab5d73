//! The entry points of `fuzz/` in a bounded loop: every file of the corpus and of the fixtures as it
//! is, then mutations of them.
//!
//! `JOBWRIGHT_FUZZ_SECONDS=60` goes on for so long with each, from a seed that is printed;
//! `JOBWRIGHT_FUZZ_SEED` repeats one. An input that breaks something is left in `target/tmp`.

use std::any::Any;
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

#[path = "../../fuzz/src/lib.rs"]
mod entry;

use entry::{TARGETS, Target};

/// Mutations of one entry point when nobody asks for more.
const ROUNDS: u64 = 400;
/// Longest input.
const LIMIT_BYTES: usize = 4096;
/// An input that takes longer hangs, on however busy a machine.
const PATIENCE: Duration = Duration::from_mins(1);

/// Pieces that mean something to one of the entry points.
const WORDS: [&str; 44] = [
    "class ",
    "instance of ",
    "qualifier ",
    "#pragma include(\"",
    "#pragma namespace(\"",
    "[Key]",
    " ref ",
    "{",
    "}",
    ";",
    "(",
    ")",
    "$a",
    " as ",
    "\"",
    "'",
    "\\",
    "\\x0",
    "0x",
    "/*",
    "*/",
    "//",
    "\n\n",
    "=",
    "<",
    "</",
    "/>",
    "<![CDATA[",
    "]]>",
    "<!--",
    "&lt;",
    "&#0;",
    "<VALUE>",
    "<INSTANCE CLASSNAME=\"",
    "<KEYVALUE>",
    " WHERE ",
    " AND ",
    " NOT ",
    " LIKE '%",
    " ISA ",
    "ANY x IN ",
    "CIMObject: ",
    "%00",
    "\u{feff}",
];

/// A generator of numbers, always the same from the same seed (xorshift64*).
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    /// A number below `limit`, which is above 0.
    fn below(&mut self, limit: usize) -> usize {
        usize::try_from(self.next() % limit as u64).expect("below a usize")
    }
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The files of a folder and of the folders in it, in order.
fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).expect("a folder of inputs");
    let mut found: Vec<PathBuf> = entries
        .map(|entry| entry.expect("an entry").path())
        .collect();
    found.sort();
    let inner = |path: PathBuf| {
        if path.is_dir() {
            files(&path)
        } else {
            vec![path]
        }
    };
    found.into_iter().flat_map(inner).collect()
}

/// The corpus of an entry point, and the fixtures of the same kind.
fn seeds(name: &str) -> Vec<Vec<u8>> {
    let mut paths = files(&root().join("fuzz/corpus").join(name));
    assert!(!paths.is_empty(), "fuzz/corpus/{name} is empty");
    let fixtures: &[(&str, &str)] = match name {
        "mof" => &[("fixtures/mof", "mof")],
        "cimxml" => &[("fixtures/wire", "http")],
        "headers" => &[("fixtures/http", "http"), ("fixtures/wire", "http")],
        _ => &[],
    };
    for (folder, ending) in fixtures {
        let found = files(&root().join(folder)).into_iter();
        paths.extend(found.filter(|path| path.extension().is_some_and(|e| e == *ending)));
    }
    let read = |path: PathBuf| {
        let bytes = fs::read(path).expect("a readable input");
        let body = bytes.windows(2).position(|two| two == b"\n\n");
        match body.filter(|_| name == "cimxml" && bytes.starts_with(b"POST")) {
            Some(at) => bytes[at + 2..].to_vec(),
            None => bytes,
        }
    };
    paths.into_iter().map(read).collect()
}

fn mutated(seeds: &[Vec<u8>], numbers: &mut Numbers) -> Vec<u8> {
    let mut input = seeds[numbers.below(seeds.len())].clone();
    for _ in 0..=numbers.below(4) {
        let at = numbers.below(input.len() + 1);
        let end = (at + numbers.below(33)).min(input.len());
        match numbers.below(6) {
            0 => drop(input.drain(at..end)),
            1 => {
                let piece = input[at..end].to_vec();
                let into = numbers.below(input.len() + 1);
                input.splice(into..into, piece);
            }
            2 => {
                let word = WORDS[numbers.below(WORDS.len())];
                input.splice(at..at, word.bytes());
            }
            3 => {
                let other = &seeds[numbers.below(seeds.len())];
                let from = numbers.below(other.len() + 1);
                input.truncate(at);
                input.extend_from_slice(&other[from..]);
            }
            4 => {
                let bit = numbers.below(8);
                if let Some(byte) = input.get_mut(at) {
                    *byte ^= 1 << bit;
                }
            }
            _ => input.truncate(at),
        }
    }
    input.truncate(LIMIT_BYTES);
    input
}

fn reason(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().cloned();
    let text = text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()));
    text.unwrap_or_default()
}

/// Feeds one input; a failure leaves it behind as a file and says where.
fn feed(name: &str, target: Target, input: &[u8]) {
    let started = Instant::now();
    let outcome = catch_unwind(AssertUnwindSafe(|| target(input)));
    let elapsed = started.elapsed();
    if outcome.is_ok() && elapsed < PATIENCE {
        return;
    }
    let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("fuzz-{name}"));
    fs::write(&file, input).expect("a writable file");
    let reason = outcome.map_or_else(|panic| reason(&*panic), |()| format!("{elapsed:?}"));
    panic!(
        "{name}: {reason}\nthe input is in {}; keep it in fuzz/corpus/{name}\n{}",
        file.display(),
        String::from_utf8_lossy(input)
    );
}

fn number(variable: &str) -> Option<u64> {
    let text = std::env::var(variable).ok()?;
    Some(text.parse().expect("a number in the environment"))
}

fn run(name: &str) {
    let (_, target) = TARGETS
        .iter()
        .find(|(known, _)| *known == name)
        .expect("an entry point");
    let seeds = seeds(name);
    for seed in &seeds {
        feed(name, *target, seed);
    }
    let seconds = number("JOBWRIGHT_FUZZ_SECONDS");
    let clock = || {
        SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .expect("after 1970")
            .as_secs()
    };
    let seed = number("JOBWRIGHT_FUZZ_SEED").unwrap_or(if seconds.is_some() { clock() } else { 1 });
    let (mut numbers, started) = (Numbers(seed.max(1)), Instant::now());
    let mut rounds = 0;
    loop {
        let goes_on = match seconds {
            Some(seconds) => started.elapsed() < Duration::from_secs(seconds),
            None => rounds < ROUNDS,
        };
        if !goes_on {
            break;
        }
        feed(name, *target, &mutated(&seeds, &mut numbers));
        rounds += 1;
    }
    eprintln!(
        "{name}: {} inputs as they are, {rounds} mutations from seed {seed}",
        seeds.len()
    );
}

#[test]
fn mof_is_survived() {
    run("mof");
}

#[test]
fn requests_and_answers_are_survived() {
    run("cimxml");
}

#[test]
fn queries_are_survived() {
    run("query");
}

#[test]
fn exports_are_survived() {
    run("export");
}

#[test]
fn headers_are_survived() {
    run("headers");
}

#[test]
fn every_entry_point_has_its_target_and_its_corpus() {
    let targets = files(&root().join("fuzz/fuzz_targets"));
    let names: Vec<String> = targets
        .iter()
        .map(|path| {
            path.file_stem()
                .expect("a name")
                .to_string_lossy()
                .into_owned()
        })
        .collect();
    let mut known: Vec<&str> = TARGETS.iter().map(|(name, _)| *name).collect();
    known.sort_unstable();
    assert_eq!(names, known);
    for name in known {
        assert!(!seeds(name).is_empty(), "{name}");
    }
}
