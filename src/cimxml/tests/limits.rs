//! Every limit of [`Limits`], reached and exceeded by one.

use super::samples::{document, intrinsic, parameter};
use crate::cimxml::{DecodeErrorKind, Limits, decode};

fn verdict(body: &str, limits: &Limits) -> &'static str {
    match decode(body.as_bytes(), limits).map_err(|error| error.kind) {
        Ok(_) => "taken",
        Err(DecodeErrorKind::NotWellFormed(_)) => "400",
        Err(DecodeErrorKind::Cim(_)) => "status 4",
        Err(other) => panic!("{other}"),
    }
}

/// `body(n)` is taken when the limit is `n` and refused as `refusal` when it is one less.
fn check(body: &str, at: usize, refusal: &str, limit: impl Fn(usize) -> Limits) {
    assert_eq!(verdict(body, &limit(at)), "taken", "at the limit of {at}");
    assert_eq!(
        verdict(body, &limit(at - 1)),
        refusal,
        "above the limit of {}",
        at - 1
    );
}

fn with(change: impl Fn(&mut Limits)) -> Limits {
    let mut limits = Limits::default();
    change(&mut limits);
    limits
}

fn list(values: &[&str]) -> String {
    let values: Vec<String> = values
        .iter()
        .map(|value| format!("<VALUE>{value}</VALUE>"))
        .collect();
    let values = values.concat();
    let class = parameter("ClassName", "<CLASSNAME NAME=\"A\"/>");
    let list = parameter(
        "PropertyList",
        &format!("<VALUE.ARRAY>{values}</VALUE.ARRAY>"),
    );
    intrinsic("GetClass", &(class + &list))
}

#[test]
fn depth() {
    // CIM MESSAGE SIMPLEREQ IMETHODCALL IPARAMVALUE VALUE.ARRAY VALUE
    check(&list(&["a"]), 7, "400", |n| with(|l| l.depth = n));
    let deep = format!("{}{}", "<a>".repeat(100_000), "</a>".repeat(100_000));
    assert_eq!(
        verdict(&intrinsic("GetClass", &deep), &Limits::default()),
        "400"
    );
}

#[test]
fn elements() {
    check(&list(&["a", "b"]), 13, "400", |n| with(|l| l.elements = n));
}

#[test]
fn attributes_and_namespaces() {
    let plain = list(&[]).replace("<CLASSNAME", "<CLASSNAME a='1' b='2'");
    check(&plain, 3, "400", |n| with(|l| l.attributes = n));
    let spaces = list(&[]).replace("<CLASSNAME", "<CLASSNAME xmlns='1' xmlns:b='2'");
    check(&spaces, 2, "400", |n| with(|l| l.xmlns = n));
}

#[test]
fn start_tags_and_names() {
    let long = list(&[]).replace("<CLASSNAME", &format!("<CLASSNAME a='{}'", "x".repeat(200)));
    let tag = "<CLASSNAME a='' NAME=\"A\"/>".len() + 200;
    check(&long, tag, "400", |n| with(|l| l.start_tag_bytes = n));
    let name = list(&[]).replace("<CLASSNAME", &format!("<CLASSNAME {}='1'", "x".repeat(50)));
    check(&name, 50, "400", |n| with(|l| l.name_bytes = n));
}

#[test]
fn values_and_arrays() {
    check(&list(&["a&amp;b<![CDATA[cd]]>"]), 5, "status 4", |n| {
        with(|l| l.text_bytes = n)
    });
    check(&list(&["a", "b", "c"]), 3, "status 4", |n| {
        with(|l| l.array_items = n)
    });
}

#[test]
fn keys_and_parameters() {
    let keys: Vec<String> = (0..3)
        .map(|n| format!("<KEYBINDING NAME='k{n}'><KEYVALUE>{n}</KEYVALUE></KEYBINDING>"))
        .collect();
    let path = format!(
        "<INSTANCENAME CLASSNAME='A'>{}</INSTANCENAME>",
        keys.concat()
    );
    let body = intrinsic("DeleteInstance", &parameter("InstanceName", &path));
    check(&body, 3, "status 4", |n| with(|l| l.keys = n));
    check(&list(&["a"]), 2, "status 4", |n| with(|l| l.parameters = n));
    let call = "<METHODCALL NAME='Run'><LOCALCLASSPATH><LOCALNAMESPACEPATH><NAMESPACE NAME='root'/></LOCALNAMESPACEPATH>\
                <CLASSNAME NAME='A'/></LOCALCLASSPATH><PARAMVALUE NAME='p'/><PARAMVALUE NAME='q'/></METHODCALL>";
    check(&document(call), 2, "status 4", |n| {
        with(|l| l.parameters = n)
    });
}

#[test]
fn references_in_references() {
    let mut path = "<INSTANCENAME CLASSNAME='A'/>".to_owned();
    for _ in 0..3 {
        path = format!(
            "<INSTANCENAME CLASSNAME='A'><KEYBINDING NAME='k'><VALUE.REFERENCE>{path}</VALUE.REFERENCE></KEYBINDING></INSTANCENAME>"
        );
    }
    let body = intrinsic("DeleteInstance", &parameter("InstanceName", &path));
    check(&body, 3, "status 4", |n| with(|l| l.reference_nesting = n));
}

#[test]
fn embedded_objects_in_embedded_objects() {
    let mut object = "<INSTANCE CLASSNAME='A'/>".to_owned();
    for _ in 0..4 {
        let text = object.replace('&', "&amp;").replace('<', "&lt;");
        object = format!(
            "<INSTANCE CLASSNAME='A'><PROPERTY NAME='p' TYPE='string' EMBEDDEDOBJECT='object'><VALUE>{text}</VALUE></PROPERTY></INSTANCE>"
        );
    }
    let body = intrinsic("CreateInstance", &parameter("NewInstance", &object));
    check(&body, 4, "status 4", |n| with(|l| l.embedded_objects = n));
}

#[test]
fn the_elements_of_embedded_objects_count() {
    let object = "<INSTANCE CLASSNAME='A'><PROPERTY NAME='p' TYPE='string' EmbeddedObject='instance'>\
                  <VALUE>&lt;INSTANCE CLASSNAME='A'/&gt;</VALUE></PROPERTY></INSTANCE>";
    let body = intrinsic("CreateInstance", &parameter("NewInstance", object));
    // Four of the envelope, three of the namespace, one parameter, three of the outer object.
    assert_eq!(verdict(&body, &with(|l| l.elements = 12)), "taken");
    assert_eq!(verdict(&body, &with(|l| l.elements = 11)), "status 4");
}

#[test]
fn calls_of_methods_are_under_the_same_limits() {
    let call = "<METHODCALL NAME='Run'><LOCALCLASSPATH><LOCALNAMESPACEPATH><NAMESPACE NAME='root'/></LOCALNAMESPACEPATH>\
                <CLASSNAME NAME='A'/></LOCALCLASSPATH><PARAMVALUE NAME='p'><VALUE.ARRAY><VALUE>abc</VALUE></VALUE.ARRAY></PARAMVALUE></METHODCALL>";
    check(&document(call), 3, "status 4", |n| {
        with(|l| l.text_bytes = n)
    });
}
