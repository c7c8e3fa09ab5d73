//! Messages that clients and servers really send, broken in every way that markup can be broken: what
//! is wrong is told and never panics, and what is still understood means the same when it is sent on.

#![expect(clippy::disallowed_methods, reason = "the fixtures are files")]

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use bytes::BytesMut;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;

use crate::cimxml::{
    Answer, Charset, DecodeError, Limits, decode, decode_batch, decode_export, decode_response,
    encode_request, to_utf8,
};

/// What a message of a few kilobytes may take, on a machine busy with other tests.
const PATIENCE: Duration = Duration::from_secs(10);

/// The bodies of all fixtures with that ending.
fn bodies(ending: &str) -> Vec<Vec<u8>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures");
    let mut folders = vec![root.join("wire"), root.join("http")];
    let mut files: Vec<PathBuf> = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder)
            .expect("a folder of fixtures")
            .flatten()
        {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|found| found == ending) {
                files.push(path);
            }
        }
    }
    files.sort();
    let texts = files
        .iter()
        .map(|file| fs::read_to_string(file).expect("a readable fixture"));
    let bodies =
        texts.filter_map(|text| Some(text.get(text.find("<CIM ")?..)?.as_bytes().to_vec()));
    // Long ones differ from short ones by their length alone.
    bodies.filter(|body| body.len() < 8192).collect()
}

fn requests() -> &'static [Vec<u8>] {
    static REQUESTS: OnceLock<Vec<Vec<u8>>> = OnceLock::new();
    REQUESTS.get_or_init(|| bodies("http"))
}

fn responses() -> &'static [Vec<u8>] {
    static RESPONSES: OnceLock<Vec<Vec<u8>>> = OnceLock::new();
    RESPONSES.get_or_init(|| bodies("expect"))
}

/// One way to break a message. It is a row of pieces, each of which begins with `<`.
#[derive(Debug, Clone)]
enum Change {
    Drop(Index),
    Repeat(Index, usize),
    Swap(Index, Index),
    /// Puts a piece of one place before another.
    Copy(Index, Index),
    Byte(Index, u8),
    /// Puts something where it does not belong.
    Insert(Index, &'static [u8]),
    Cut(Index),
}

const STRANGE: &[&[u8]] = &[
    b"\0",
    b"\xff",
    b"\xed\xa0\x80",
    b"\xef\xbb\xbf",
    b"&",
    b"&#0;",
    b"&#xD800;",
    b"&nbsp;",
    b"]]>",
    b"<!--",
    b"-->",
    b"<![CDATA[",
    b"<?x ?>",
    b"<!DOCTYPE CIM [<!ENTITY a \"b\">]>",
    b"\"",
    b"'",
    b"<",
    b">",
    b"/",
    b"=",
    b"<VALUE.NULL/>",
    b"<VALUE.ARRAY>",
    b" NAME=\"\"",
    b" TYPE=\"reference\"",
    b" EmbeddedObject=\"object\"",
    b"-1",
    b"99999999999999999999999999999999999999999",
    b"19990101000000.000000+000",
    b"\xf0\x9f\x9a\x80",
];

fn change() -> impl Strategy<Value = Change> {
    let at = any::<Index>;
    prop_oneof![
        at().prop_map(Change::Drop),
        (at(), 1..300_usize).prop_map(|(at, times)| Change::Repeat(at, times)),
        (at(), at()).prop_map(|(one, other)| Change::Swap(one, other)),
        (at(), at()).prop_map(|(from, to)| Change::Copy(from, to)),
        (at(), any::<u8>()).prop_map(|(at, byte)| Change::Byte(at, byte)),
        (at(), prop::sample::select(STRANGE)).prop_map(|(at, what)| Change::Insert(at, what)),
        at().prop_map(Change::Cut),
    ]
}

fn pieces(message: &[u8]) -> Vec<Vec<u8>> {
    let mut found: Vec<Vec<u8>> = Vec::new();
    for byte in message {
        match found.last_mut() {
            Some(piece) if *byte != b'<' => piece.push(*byte),
            Some(_) | None => found.push(vec![*byte]),
        }
    }
    found
}

fn broken(message: &[u8], changes: &[Change]) -> Vec<u8> {
    let mut text = message.to_vec();
    for change in changes {
        if text.is_empty() {
            break;
        }
        let mut row = pieces(&text);
        let count = row.len();
        match change {
            Change::Drop(at) => drop(row.remove(at.index(count))),
            Change::Repeat(at, times) => {
                let at = at.index(count);
                let more = std::iter::repeat_n(row[at].clone(), *times);
                row.splice(at..at, more.collect::<Vec<_>>());
            }
            Change::Swap(one, other) => row.swap(one.index(count), other.index(count)),
            Change::Copy(from, to) => row.insert(to.index(count), row[from.index(count)].clone()),
            Change::Byte(at, byte) => {
                let at = at.index(text.len());
                text[at] = *byte;
                continue;
            }
            Change::Insert(at, what) => {
                let at = at.index(text.len());
                text.splice(at..at, what.iter().copied());
                continue;
            }
            Change::Cut(at) => {
                text.truncate(at.index(text.len()));
                continue;
            }
        }
        text = row.concat();
    }
    text
}

fn told(error: &DecodeError, length: usize) -> bool {
    let answerable = match error.answer() {
        Answer::Http(fault) => matches!(fault.status, 400 | 501) && fault.cim_error.is_some(),
        Answer::Cim(_, error) => error.description.len() < 16 * 1024,
    };
    answerable && error.offset <= length && error.to_string().len() < 16 * 1024
}

#[test]
fn there_is_something_to_break() {
    assert!(requests().len() > 80, "{} requests", requests().len());
    assert!(responses().len() > 50, "{} responses", responses().len());
}

proptest! {
    #[test]
    fn broken_requests_are_told(seed in any::<Index>(), changes in vec(change(), 1..6)) {
        let text = broken(&requests()[seed.index(requests().len())], &changes);
        let start = Instant::now();
        let limits = Limits::default();
        if let Err(error) = decode_batch(&text, &limits) {
            prop_assert!(error.offset <= text.len());
        }
        drop(decode_export(&text, &limits));
        match decode(&text, &limits) {
            Err(error) => prop_assert!(told(&error, text.len()), "{error:?}"),
            Ok(decoded) => {
                let mut out = BytesMut::new();
                let id = &decoded.envelope.head.message_id;
                encode_request(&mut out, id, &decoded.call).expect("what XML carried it carries");
                let again = decode(&out, &limits).expect("we understand ourselves");
                prop_assert_eq!(again.call, decoded.call);
            }
        }
        prop_assert!(start.elapsed() < PATIENCE, "{:?}", start.elapsed());
    }

    #[test]
    fn broken_responses_are_told(seed in any::<Index>(), changes in vec(change(), 1..6)) {
        let text = broken(&responses()[seed.index(responses().len())], &changes);
        let start = Instant::now();
        if let Err(error) = decode_response(&text, &Limits::default()) {
            prop_assert!(error.offset <= text.len());
        }
        prop_assert!(start.elapsed() < PATIENCE, "{:?}", start.elapsed());
    }

    #[test]
    fn any_bytes_in_any_charset(bytes in vec(any::<u8>(), 0..64)) {
        for charset in [Charset::Utf8, Charset::Utf16, Charset::Utf16Le, Charset::Utf16Be] {
            if let Ok(text) = to_utf8(&bytes, charset) {
                prop_assert!(text.len() <= 3 * bytes.len() + 3);
            }
        }
    }
}
