//! The binding of CIM to HTTP (DSP0200 1.4 §6 and §7), over sockets and byte for byte where it matters.
//!
//! Single requests with one answer each are fixtures of `http`; here is what spans requests, chunks, codings
//! and encodings.

use std::fmt::Write as _;
use std::io::Read;
use std::net::{SocketAddr, TcpStream};

use flate2::read::{GzDecoder, ZlibDecoder};

use crate::support::site::{
    PATIENCE, Site, Wire, all_classes, class_name, flag, get_class, message, simple,
};

/// Bytes of the longest body.
const BODY_LIMIT: usize = 16 << 20;
/// Requests of the longest batch.
const BATCH_LIMIT: usize = 100;

#[test]
fn a_batch_is_answered_part_by_part() {
    let site = Site::new();
    let batch = |parts: &[String]| {
        let body = message(&format!("<MULTIREQ>{}</MULTIREQ>", parts.concat()));
        site.answer("CIMBatch:\r\n", body)
    };
    let good = || simple("GetClass", &class_name("CIM_Job"));
    let missing = |number| simple("GetClass", &class_name(&format!("CIM_None{number}")));
    // Two are the fewest (DSP0201), and a hundred the most that are taken.
    for few in [vec![], vec![good()]] {
        assert_eq!(batch(&few).outcome(), "400 request-not-loosely-valid");
    }
    let many: Vec<String> = (0..=BATCH_LIMIT).map(missing).collect();
    assert_eq!(batch(&many).outcome(), "501 multiple-requests-unsupported");
    let answer = batch(&many[1..]);
    assert_eq!(answer.outcome(), format!("200{}", " 6".repeat(BATCH_LIMIT)));
    let text = answer.text();
    let named = text.split("CIM_None").skip(1);
    let named = named.map(|rest| rest.split(' ').next().unwrap_or_default());
    let expected: Vec<String> = (1..=BATCH_LIMIT).map(|number| number.to_string()).collect();
    assert_eq!(named.collect::<Vec<_>>(), expected, "in their order");
    // What is wrong with one costs that one.
    let nowhere = good().replace("cimv2", "nowhere");
    let no_name = simple("GetClass", &class_name("1"));
    let unknown = simple("FlyToTheMoon", "");
    let late = simple("DeleteInstance", "");
    let answer = batch(&[good(), nowhere, good(), no_name, unknown, late, good()]);
    assert_eq!(answer.outcome(), "200 3 4 7 4");
    let text = answer.text();
    assert_eq!(text.matches("<SIMPLERSP>").count(), 7);
    assert_eq!(text.matches("<CLASS NAME=\"CIM_Job\"").count(), 3);
    assert_eq!(answer.header("cimoperation"), Some("MethodResponse"));
    // Long answers of parts stream one after the other.
    let answer = batch(&[all_classes(), good(), all_classes()]);
    assert_eq!(answer.header("transfer-encoding"), Some("chunked"));
    let text = answer.text();
    assert_eq!(text.matches("<CLASS NAME=\"CIM_ConcreteJob\"").count(), 2);
    assert!(text.ends_with("</SIMPLERSP></MULTIRSP></MESSAGE></CIM>\n"));
    site.end();
}

#[test]
fn connections_stay_open_as_their_clients_want() {
    let site = Site::new();
    let body = get_class("CIM_Job");
    // HTTP/1.1 stays open, and requests may be sent ahead, refused ones among them.
    let mut wire = site.connect();
    let wrong = site.request("", get_class("CIM_Job").replace("CIM_Job", "CIM_None"));
    let batch = site.request("CIMBatch: \r\nCIMMethod: x\r\n", &body);
    let refused = site.request("Accept: image/png\r\n", &body);
    let ahead = [
        site.request("", &body),
        wrong,
        refused,
        site.request("", &body),
        batch,
    ];
    wire.send(&ahead.concat());
    let outcomes = std::iter::from_fn(|| wire.answer()).map(|answer| answer.outcome());
    let outcomes: Vec<String> = outcomes.take(5).collect();
    assert_eq!(
        outcomes,
        ["200", "200 6", "406", "200", "400 header-mismatch"]
    );
    assert!(wire.answer().is_none(), "it is closed after 400");
    // HTTP/1.0 does not, unless it is asked to.
    let old = |more: &str, body: &str| {
        let request = site.request(more, body);
        let text = String::from_utf8(request).expect("UTF-8");
        text.replacen("HTTP/1.1", "HTTP/1.0", 1).into_bytes()
    };
    let mut wire = site.connect();
    wire.send(&old("", &body).repeat(2));
    let answer = wire.answer().expect("an answer");
    assert_eq!(answer.outcome(), "200");
    assert_eq!(answer.version, "HTTP/1.0");
    assert!(answer.text().ends_with("</CIM>\n"));
    assert!(wire.answer().is_none(), "it is closed");
    let mut wire = site.connect();
    for _ in 0..3 {
        wire.send(&old("Connection: Keep-Alive\r\n", &body));
        let answer = wire.answer().expect("an answer");
        assert_eq!(answer.outcome(), "200");
        let connection = answer.header("connection").map(str::to_ascii_lowercase);
        assert_eq!(connection.as_deref(), Some("keep-alive"));
    }
    // A long answer to HTTP/1.0 has neither chunks nor a length: it ends with the connection.
    wire.send(&old("Connection: Keep-Alive\r\n", &message(&all_classes())));
    let answer = wire.answer().expect("an answer");
    assert_eq!(answer.header("transfer-encoding"), None);
    assert_ne!(answer.header("connection"), Some("keep-alive"));
    assert!(
        answer
            .text()
            .ends_with("</IMETHODRESPONSE></SIMPLERSP></MESSAGE></CIM>\n")
    );
    assert!(wire.answer().is_none(), "it is closed");
    site.end();
}

/// After a refusal the rest of a connection is read as it was meant, or not at all.
#[test]
fn no_body_is_taken_for_a_request() {
    let site = Site::new();
    let good = get_class("CIM_Job");
    let inner = site.request("", get_class("CIM_None"));
    let with = |head: String| {
        let length = format!("Content-Length: {}\r\n\r\n", inner.len());
        [head.into_bytes(), length.into_bytes(), inner.clone()].concat()
    };
    let head = |more: &str| site.head(&format!("Content-Type: text/xml\r\n{more}"));
    let cases = [
        (with(head("").replace("Basic", "None")), "401"),
        (with(head("").replace("localhost", "elsewhere")), "403"),
        (with(head("").replacen("POST", "PUT", 1)), "405"),
        (with(head("Accept-Charset: latin1\r\n")), "406"),
        (with(head("").replace("text/xml", "text/html")), "415"),
        (with(head("Content-Encoding: gzip\r\n")), "415"),
        (with(head("Expect: 200-maybe\r\n")), "417"),
        (
            with(head("").replace("MethodCall", "X")),
            "400 unsupported-operation",
        ),
        (with(head("").replacen("POST", "M-POST", 1)), "510"),
        (with(head("").replacen("POST", "OPTIONS", 1)), "200"),
        (with(head("")), "400 request-not-well-formed"),
    ];
    for (first, expected) in cases {
        let mut wire = site.connect();
        wire.send(&first);
        wire.send(&site.request("Connection: close\r\n", &good));
        let answer = wire.answer().expect("an answer");
        assert_eq!(answer.outcome(), expected);
        if let Some(next) = wire.answer() {
            assert_eq!(next.outcome(), "200", "after {expected}");
            assert!(
                next.text().contains("<CLASS NAME=\"CIM_Job\""),
                "after {expected}"
            );
        }
        assert!(wire.answer().is_none(), "something more after {expected}");
    }
    site.end();
}

#[test]
fn a_body_may_wait_for_100_and_comes_in_vain_otherwise() {
    let site = Site::new();
    let body = get_class("CIM_Job");
    let long = format!(
        "Content-Length: {}\r\nExpect: 100-continue\r\n\r\n",
        BODY_LIMIT + 1
    );
    let short = format!(
        "Content-Length: {}\r\nExpect: 100-continue\r\n\r\n",
        body.len()
    );
    let xml = |more: &str| site.head(&format!("Content-Type: text/xml\r\n{more}"));
    let cases = [
        (xml(&long), "413"),
        (xml(&short).replace("Basic", "None"), "401"),
        (xml(&short).replace("text/xml", "text/html"), "415"),
        (xml(&short).replace("CIMOperation", "X"), "400"),
        (
            xml(&short).replace("100-continue", "100-continue, more"),
            "417",
        ),
    ];
    for (head, expected) in cases {
        let mut wire = site.connect();
        wire.send(head.as_bytes());
        let answer = wire.answer().expect("an answer before the body");
        assert_eq!(answer.outcome(), expected);
    }
    let mut wire = site.connect();
    for _ in 0..2 {
        wire.send(xml(&short).as_bytes());
        assert_eq!(wire.answer().expect("a word to go on").status, 100);
        wire.send(body.as_bytes());
        assert_eq!(wire.answer().expect("an answer").outcome(), "200");
    }
    // HTTP/1.0 knows no answer before the answer (RFC 9110 §10.1.1).
    let mut wire = site.connect();
    wire.send(xml(&short).replacen("HTTP/1.1", "HTTP/1.0", 1).as_bytes());
    wire.send(body.as_bytes());
    assert_eq!(wire.answer().expect("an answer").outcome(), "200");
    site.end();
}

/// `body` in chunks of that size.
fn chunks(body: &str, size: usize) -> String {
    let mut all = String::new();
    for chunk in body.as_bytes().chunks(size) {
        let text = std::str::from_utf8(chunk).expect("ASCII");
        write!(all, "{:x}\r\n{text}\r\n", chunk.len()).expect("memory");
    }
    all
}

#[test]
fn chunks_are_put_together_and_broken_ones_refused() {
    let site = Site::new();
    let body = get_class("CIM_Job");
    for size in [1, 7, 100_000] {
        let answer = site.chunked(format!("{}0\r\n\r\n", chunks(&body, size)).as_bytes());
        assert_eq!(answer.outcome(), "200", "chunks of {size}");
    }
    let whole = chunks(&body, 100);
    let trailed = format!("{whole}0\r\nX-Sum: 5\r\nCIMOperation: Other\r\n\r\n");
    assert_eq!(
        site.chunked(trailed.as_bytes()).outcome(),
        "200",
        "trailers"
    );
    let extended = whole.replacen("\r\n", ";name=\"value\"\r\n", 1) + "0\r\n\r\n";
    assert_eq!(
        site.chunked(extended.as_bytes()).outcome(),
        "200",
        "extensions"
    );
    for (what, broken) in [
        ("no number", format!("{whole}zz\r\n")),
        ("no size", format!("{whole}\r\n")),
        ("a sign", format!("{whole}+0\r\n\r\n")),
        (
            "more than numbers have",
            format!("{}ffffffffffffffffff\r\n", chunks(&body, 9)),
        ),
        ("bytes after a chunk", whole.replacen("\r\n", "\r\n<", 1)),
    ] {
        let answer = site.chunked(broken.as_bytes());
        assert_eq!(answer.outcome(), "400", "{what}");
        assert_eq!(answer.header("connection"), Some("close"), "{what}");
    }
    // A body that breaks off is not answered as if it were whole.
    for left in [0, 20] {
        let mut wire = site.connect();
        let framing = "Content-Type: text/xml\r\nTransfer-Encoding: chunked\r\n\r\n";
        wire.send(site.head(framing).as_bytes());
        wire.send(&whole.as_bytes()[..whole.len() - left]);
        wire.close();
        let outcome = wire.answer().map(|answer| answer.outcome());
        assert!(outcome.is_none_or(|outcome| outcome == "400"));
    }
    // One byte too many, said by no length: it is refused when it comes, and not before.
    let padded = |length: usize| body.clone() + &" ".repeat(length - body.len());
    let full = format!("{}0\r\n\r\n", chunks(&padded(BODY_LIMIT), 1 << 20));
    assert_eq!(site.chunked(full.as_bytes()).outcome(), "200");
    let more = format!("{}0\r\n\r\n", chunks(&padded(BODY_LIMIT + 1), 1 << 20));
    assert_eq!(site.chunked(more.as_bytes()).outcome(), "413");
    // A length beside chunks is what smugglers write: the connection is of no more use (RFC 9112 §6.1).
    let both = |first: &str, second: &str| {
        let mut wire = site.connect();
        let head = format!("Content-Type: text/xml\r\n{first}\r\n{second}\r\n\r\n");
        wire.send(site.head(&head).as_bytes());
        wire.send(format!("{whole}0\r\n\r\n").as_bytes());
        wire.send(&site.request("", &body));
        let first = wire.answer().expect("an answer").outcome();
        let next = wire.answer().map(|answer| answer.outcome());
        assert_eq!(next, None, "it is closed after {first}");
        first
    };
    let (length, coding) = ("Content-Length: 5", "Transfer-Encoding: chunked");
    for (first, second) in [(length, coding), (coding, length)] {
        let outcome = both(first, second);
        assert!(["200", "400"].contains(&outcome.as_str()), "{outcome}");
    }
    site.end();
}

#[test]
fn answers_are_compressed_for_those_who_like_that() {
    let site = Site::new();
    let short = message(&simple("EnumerateClassNames", &class_name("CIM_Job")));
    let medium = get_class("CIM_Job");
    let long = message(&all_classes());
    for (body, is_long) in [(&short, false), (&medium, false), (&long, true)] {
        let plain = site.answer("", body);
        assert_eq!(plain.header("content-encoding"), None);
        assert_eq!(plain.header("transfer-encoding").is_some(), is_long);
        for (accepted, coding) in [
            ("gzip, deflate", "gzip"),
            ("deflate", "deflate"),
            ("gzip;q=0.5, deflate;q=1.0", "deflate"),
            ("gzip;q=0, *", "deflate"),
            ("identity;q=0.1, gzip;q=0.2", "gzip"),
            ("identity;q=0, deflate", "deflate"),
            ("br, identity", ""),
            ("gzip;q=0.5, identity;q=0.6", ""),
            ("gzip;q=0", ""),
        ] {
            let answer = site.answer(&format!("Accept-Encoding: {accepted}\r\n"), body);
            // Short answers are sent as they are where the client takes that too.
            let is_worth = body != &short || accepted.contains("identity;q=0,");
            let coding = Some(coding).filter(|coding| is_worth && !coding.is_empty());
            assert_eq!(answer.header("content-encoding"), coding, "{accepted}");
            let mut text = Vec::new();
            let read = match coding {
                Some("gzip") => GzDecoder::new(&answer.body[..]).read_to_end(&mut text),
                Some(_) => ZlibDecoder::new(&answer.body[..]).read_to_end(&mut text),
                None => (&answer.body[..]).read_to_end(&mut text),
            };
            read.expect("what the header says");
            assert!(text == plain.body, "another text with {accepted}");
            if coding.is_some() && is_worth && body != &short {
                assert!(answer.body.len() < plain.body.len() / 2, "{accepted}");
            }
        }
        let none = site.answer("Accept-Encoding: identity;q=0, br\r\n", body);
        assert_eq!(none.outcome(), "406");
    }
    site.end();
}

fn utf_16(text: &str, mark: &[u8], unit: fn(u16) -> [u8; 2]) -> Vec<u8> {
    let units = text.encode_utf16().flat_map(unit);
    mark.iter().copied().chain(units).collect()
}

/// A parameter of `Content-Type`, a body, and what comes of them.
fn encodings() -> Vec<(&'static str, Vec<u8>, &'static str)> {
    let (little, big) = (
        u16::to_le_bytes as fn(u16) -> [u8; 2],
        u16::to_be_bytes as fn(u16) -> [u8; 2],
    );
    let body = |encoding: &str| get_class("CIM_\u{e4}\u{6f22}").replace("utf-8", encoding);
    let plain = |encoding: &str| body(encoding).into_bytes();
    let latin = |encoding: &str| {
        let text = get_class("CIM_\u{e4}").replace("utf-8", encoding);
        text.chars()
            .map(|c| u8::try_from(u32::from(c)).expect("Latin"))
            .collect::<Vec<u8>>()
    };
    let (ill, unread) = ("400 request-not-well-formed", "415");
    vec![
        ("; charset=\"UTF-8\"", plain("utf-8"), "200 6"),
        ("", plain("UTF-8"), "200 6"),
        (
            "",
            [b"\xef\xbb\xbf".to_vec(), plain("utf-8")].concat(),
            "200 6",
        ),
        (
            "; charset=utf-16",
            utf_16(&body("utf-16"), &[0xff, 0xfe], little),
            "200 6",
        ),
        (
            "; charset=utf-16",
            utf_16(&body("utf-16"), &[0xfe, 0xff], big),
            "200 6",
        ),
        (
            "; charset=utf-16le",
            utf_16(&body("utf-16"), &[], little),
            "200 6",
        ),
        (
            "; charset=UTF-16BE",
            utf_16(&body("utf-16"), &[], big),
            "200 6",
        ),
        ("", utf_16(&body("utf-16"), &[0xff, 0xfe], little), "200 6"),
        // The header says what the bytes are, whatever the declaration does (RFC 7303 §3).
        (
            "; charset=utf-16",
            utf_16(&body("utf-8"), &[0xff, 0xfe], little),
            "200 6",
        ),
        ("; charset=utf-8", plain("utf-16"), ill),
        ("; charset=utf-8", plain("iso-8859-1"), ill),
        ("", latin("iso-8859-1"), ill),
        ("; charset=utf-8", latin("utf-8"), ill),
        ("; charset=utf-16", plain("utf-8"), ill),
        (
            "; charset=utf-16",
            utf_16(&body("utf-16"), &[0xff, 0xfe], little)[..99].to_vec(),
            ill,
        ),
        ("; charset=iso-8859-1", latin("iso-8859-1"), unread),
        ("; charset=utf-32", plain("utf-8"), unread),
        ("; charset=", plain("utf-8"), unread),
    ]
}

#[test]
fn bodies_are_read_in_the_encoding_they_are_in() {
    let site = Site::new();
    for (charset, body, expected) in encodings() {
        let answer = site.answer(
            &format!("Content-Type: application/xml{charset}\r\n"),
            &body,
        );
        assert_eq!(
            answer.outcome(),
            expected,
            "{charset:?}: {:?}",
            String::from_utf8_lossy(&body)
        );
        if expected == "200 6" {
            assert!(answer.text().contains("CIM_\u{e4}\u{6f22}"), "{charset:?}");
        }
    }
    site.end();
}

#[test]
fn a_language_is_told_to_those_who_ask_for_one() {
    let site = Site::new();
    let body = get_class("CIM_Job");
    for (more, expected) in [
        ("", None),
        ("Content-Language: de\r\n", None),
        ("Accept-Language: en-US, *;q=0.1\r\n", Some("en")),
        ("Accept-Language: de-AT\r\n", Some("en")),
        ("Accept-Language:\r\n", Some("en")),
    ] {
        let answer = site.answer(more, &body);
        assert_eq!(answer.outcome(), "200", "{more}");
        assert_eq!(answer.header("content-language"), expected, "{more}");
    }
    for wrong in [
        "Accept-Language: not_one\r\n",
        "Content-Language: en;;, -\r\n",
    ] {
        assert_eq!(site.answer(wrong, &body).outcome(), "400 request-not-valid");
    }
    site.end();
}

#[test]
fn the_name_of_the_host_is_the_one_that_the_client_used() {
    let site = Site::new();
    let port = site.server.port();
    let number = "<IPARAMVALUE NAME=\"MaxObjectCount\"><VALUE>1</VALUE></IPARAMVALUE>";
    let parameters = class_name("CIM_ComputerSystem") + number;
    let body = message(&simple("OpenEnumerateInstancePaths", &parameters));
    let at = |address: SocketAddr, host: &str| {
        let mut wire = Wire::to(address);
        let request = String::from_utf8(site.request("", &body)).expect("UTF-8");
        wire.send(
            request
                .replacen("Host: localhost", &format!("Host: {host}"), 1)
                .as_bytes(),
        );
        wire.answer().expect("an answer")
    };
    let loopback = SocketAddr::from(([127, 0, 0, 1], port));
    let six = SocketAddr::from(([0, 0, 0, 0, 0, 0, 0, 1], port));
    let has_six = TcpStream::connect(six).is_ok();
    let addresses = [Some(loopback), has_six.then_some(six)];
    for address in addresses.into_iter().flatten() {
        for host in [
            &*format!("[::1]:{port}"),
            "[::1]",
            "[0:0::1]:5988",
            "127.0.0.1",
            "LOCALHOST:1",
        ] {
            let answer = at(address, host);
            let expected = format!("<HOST>{host}</HOST>");
            assert!(
                answer.text().contains(&expected),
                "{host}: {}",
                answer.outcome()
            );
        }
        for host in [
            "[::2]",
            "[fe80::1]:5988",
            "[::1",
            "::1",
            "192.0.2.1",
            "localhost.evil.example",
            "",
        ] {
            assert_eq!(at(address, host).outcome(), "403", "{host}");
        }
    }
    site.end();
}

#[test]
fn the_time_of_an_answer_is_told_in_microseconds() {
    let site = Site::new();
    for body in [get_class("CIM_Job"), message(&all_classes())] {
        let answer = site.answer("", body);
        let micros = answer.header("wbemserverresponsetime").expect("the time");
        let micros: u64 = micros.parse().expect("a number");
        assert!(
            (1..PATIENCE.as_micros()).contains(&micros.into()),
            "{micros}"
        );
    }
    site.end();
}

#[test]
fn the_headers_of_m_post_have_the_number_that_it_gave() {
    let site = Site::new();
    let body = get_class("CIM_Job");
    let man = "Man: http://www.dmtf.org/cim/mapping/http/v1.0";
    let extended = |man: &str, number: &str| {
        let request = site.request(&format!("{man}\r\n"), &body);
        let text = String::from_utf8(request).expect("UTF-8");
        let text = text.replacen("POST", "M-POST", 1);
        let mut wire = site.connect();
        wire.send(
            text.replacen("CIMOperation", &format!("{number}CIMOperation"), 1)
                .as_bytes(),
        );
        wire.answer().expect("an answer")
    };
    let answer = extended(&format!("{man} ; ns=42"), "42-");
    assert_eq!(answer.outcome(), "200");
    assert_eq!(answer.header("42-cimoperation"), Some("MethodResponse"));
    assert_eq!(answer.header("cimoperation"), None);
    assert_eq!(answer.header("ext"), Some(""));
    let micros = answer.header("42-wbemserverresponsetime");
    assert!(micros.is_some(), "its number is before every header");
    // Headers under another number, or none, are not those of this request.
    for (man, number, expected) in [
        (&*format!("{man} ; ns=42"), "43-", "400"),
        (&*format!("{man} ; ns=42"), "", "400"),
        (&*format!("{man} ; ns=42"), "042-", "400"),
        (&*format!("{man} ; ns=4"), "4-", "510"),
        (&*format!("{man} ; ns=4x"), "4x-", "510"),
        (man, "", "510"),
        ("Man: http://example.org/other ; ns=42", "42-", "510"),
        (
            "Opt: http://www.dmtf.org/cim/mapping/http/v1.0 ; ns=42",
            "42-",
            "510",
        ),
    ] {
        let answer = extended(man, number);
        assert_eq!(answer.outcome(), expected, "{man}, {number}");
        assert_eq!(answer.header("42-cimoperation"), None);
    }
    site.end();
}

#[test]
fn all_classes_are_sent_while_they_are_written() {
    let site = Site::new();
    let mut wire = site.connect();
    wire.send(&site.request("", message(&all_classes())));
    // Somebody who goes away in the middle of it costs nobody anything.
    wire.exactly(1000);
    drop(wire);
    let answer = site.answer("", message(&all_classes()));
    assert_eq!(answer.header("transfer-encoding"), Some("chunked"));
    assert_eq!(answer.header("content-length"), None);
    let text = answer.text();
    let names = site.answer(
        "",
        message(&simple(
            "EnumerateClassNames",
            &flag("DeepInheritance", true),
        )),
    );
    let count = names.text().matches("<CLASSNAME ").count();
    assert!(count > 50, "{count} classes");
    assert_eq!(text.matches("<CLASS NAME=").count(), count);
    assert!(
        text.ends_with("</CLASS></IRETURNVALUE></IMETHODRESPONSE></SIMPLERSP></MESSAGE></CIM>\n")
    );
    site.end();
}
