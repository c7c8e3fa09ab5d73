//! What strangers can send, as functions of bytes: none of them may panic, hang or grow without limit.
//!
//! Each also states what has to hold of what was understood. `cargo fuzz` feeds them, and so does an
//! ordinary test, which includes this file.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use bytes::BytesMut;
use chrono::DateTime;
use jobwright::cimxml::{
    Agreement, Charset, CimHeaders, Decoded, ExportHeaders, Limits, Method, Part, decode,
    decode_batch, decode_export, decode_export_response, decode_indication, decode_response,
    encode_request, to_utf8,
};
use jobwright::model::{Instance, Namespace};
use jobwright::mof::{Compilation, Embedded, Printer, ROOTS, compile, render};
use jobwright::query::{Circumstances, Filter, Language, Query};
use jobwright::schema::{Builder, Schema};
use jobwright::server::{Ground, judge};

/// An entry point.
pub type Target = fn(&[u8]);

/// Every entry point with its name, which is that of its corpus.
pub const TARGETS: [(&str, Target); 5] = [
    ("mof", mof),
    ("cimxml", cimxml),
    ("query", query),
    ("export", export),
    ("headers", headers),
];

fn compiled(text: &[u8]) -> Compilation {
    let sources = BTreeMap::from([("a.mof".to_owned(), text.to_vec())]);
    compile(&["a.mof"], &sources, jobwright::mof::Limits::default())
}

/// MOF: every diagnostic can be shown, and what was understood prints as MOF that means the same.
pub fn mof(data: &[u8]) {
    let compilation = compiled(data);
    for diagnostic in &compilation.diagnostics {
        assert!(!render(diagnostic, &compilation.sources).is_empty());
    }
    if !compilation.has_errors() {
        for batch in &compilation.batches {
            let mut printer = Printer::new();
            batch
                .qualifiers
                .iter()
                .for_each(|decl| printer.qualifier(decl));
            batch.classes.iter().for_each(|decl| printer.class(decl));
            let instances = batch.instances.iter();
            instances.for_each(|instance| printer.mof_instance(instance));
            let (text, losses) = printer.finish();
            let again = compiled(text.as_bytes());
            assert!(losses.is_empty(), "lost: {losses:?}");
            assert_eq!(
                again
                    .batches
                    .first()
                    .map(|again| (&again.qualifiers, &again.classes)),
                (!text.is_empty()).then_some((&batch.qualifiers, &batch.classes)),
                "{text}"
            );
        }
    }
    // With the qualifiers alone: the whole embedded schema would be most of the time.
    let limits = jobwright::mof::Limits::default();
    let qualifiers = compile(&["qualifiers.mof"], &Embedded, limits);
    for finding in judge(&[compilation, qualifiers], Ground::Nothing) {
        assert!(!render(&finding.diagnostic, &finding.sources).is_empty());
    }
}

/// Requests and answers: what is understood is what our own client would send.
pub fn cimxml(data: &[u8]) {
    let limits = Limits::default();
    for charset in [
        Charset::Utf8,
        Charset::Utf16,
        Charset::Utf16Le,
        Charset::Utf16Be,
    ] {
        let Ok(body) = to_utf8(data, charset) else {
            continue;
        };
        let strict = Limits {
            agreement: Agreement::Strict,
            ..Limits::default()
        };
        // What is valid is loosely valid.
        if decode(&body, &strict).is_ok() {
            assert!(
                decode(&body, &limits).is_ok(),
                "only a strict reader takes it"
            );
        }
        if let Ok(decoded) = decode(&body, &limits) {
            sent_again(&decoded);
        }
        for part in decode_batch(&body, &limits).map_or_else(|_| Vec::new(), |batch| batch.parts) {
            if let Part::Call(decoded) = part {
                sent_again(&decoded);
            }
        }
        // What a server answers to our own client may be anything as well.
        let _answer = decode_response(&body, &limits);
    }
}

fn sent_again(decoded: &Decoded) {
    let mut out = BytesMut::default();
    if encode_request(&mut out, &decoded.envelope.head.message_id, &decoded.call).is_ok() {
        let again = decode(&out, &Limits::default());
        let again = again.unwrap_or_else(|error| {
            panic!("{error:?}: {}", String::from_utf8_lossy(&out));
        });
        assert_eq!(
            again.call,
            decoded.call,
            "{}",
            String::from_utf8_lossy(&out)
        );
    }
}

fn schema() -> &'static Schema {
    static SCHEMA: OnceLock<Schema> = OnceLock::new();
    SCHEMA.get_or_init(|| {
        let mut builder = Builder::new();
        let limits = jobwright::mof::Limits::default();
        for batch in compile(&ROOTS, &Embedded, limits).batches {
            let qualifiers = batch.qualifiers.into_iter();
            qualifiers.for_each(|decl| builder.qualifier(decl));
            batch
                .classes
                .into_iter()
                .for_each(|decl| builder.class(decl));
        }
        builder.build().expect("the embedded MOF is sound")
    })
}

/// Queries and filters: what compiles can be asked of an instance.
pub fn query(data: &[u8]) {
    let (Ok(text), schema) = (std::str::from_utf8(data), schema()) else {
        return;
    };
    let class = schema.class("JW_Job").expect("an embedded class");
    let namespace = Namespace::of("root/cimv2");
    let now = DateTime::default();
    let circumstances = Circumstances {
        now,
        namespace: &namespace,
    };
    for language in Language::OF_QUERIES {
        match Query::compile(language, text, schema) {
            Ok(query) => {
                let instance = Instance::of_defaults(query.class.clone());
                let order = query.order_of(&instance, circumstances);
                assert!(query.compared(&order, &order).is_eq());
                if query.selects(&instance, circumstances) {
                    query.projection.of(instance);
                }
            }
            Err(error) => assert!(!error.to_string().is_empty()),
        }
    }
    for class in [Some(class), None] {
        if let Ok(filter) = Filter::compile(text, class, schema) {
            let instance =
                Instance::of_defaults(schema.class("JW_Job").expect("it is there").clone());
            filter.selects(&instance, circumstances);
        }
    }
}

/// Exports, as a listener takes them, and answers to exports.
pub fn export(data: &[u8]) {
    let limits = Limits::default();
    let _export = decode_export(data, &limits);
    let _indication = decode_indication(data, &limits);
    let _answer = decode_export_response(data, &limits);
}

/// Headers, one in a line; with a body behind an empty line both are compared.
pub fn headers(data: &[u8]) {
    let end = data.windows(2).position(|two| two == b"\n\n");
    let (head, body) = end.map_or((data, &b""[..]), |end| (&data[..end], &data[end + 2..]));
    let lines = head.split(|byte| *byte == b'\n').filter_map(|line| {
        let colon = line.iter().position(|byte| *byte == b':')?;
        let name = std::str::from_utf8(&line[..colon]).ok()?;
        Some((name, line[colon + 1..].trim_ascii()))
    });
    let lines: Vec<(&str, &[u8])> = lines.collect();
    for method in [Method::Post, Method::MPost] {
        let _export = ExportHeaders::read(method, &lines);
        let Ok(read) = CimHeaders::read(method, &lines, Agreement::Tolerant) else {
            continue;
        };
        let _version = read.agree_on_version("1.0");
        if let Ok(decoded) = decode(body, &Limits::default()) {
            for agreement in [Agreement::Strict, Agreement::Tolerant] {
                let _agreement = read.agree(&decoded.envelope, agreement);
            }
        }
    }
}
