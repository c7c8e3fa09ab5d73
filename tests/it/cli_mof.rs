//! `jobwright mof print`: what it prints compiles to what it was made of.

use std::fs;
use std::path::Path;

use jobwright::mof::{Batch, Embedded, Limits, compile};
use jobwright::schema::{Builder, Schema};

use crate::cli::{err, jobwright, out, refused, told};
use crate::support::{Server, state_dir};

fn write(folder: &Path, name: &str, text: &str) -> String {
    let path = folder.join(name);
    fs::write(&path, text).expect("a writable file");
    path.display().to_string()
}

fn built(batches: Vec<Batch>) -> Schema {
    let mut builder = Builder::new();
    for batch in batches {
        builder.declare(batch.qualifiers, batch.classes);
    }
    builder.build().expect("sound declarations")
}

/// The schema that the text `mof` makes.
fn schema_of(mof: &str) -> Schema {
    let sources = std::collections::BTreeMap::from([("a.mof".to_owned(), mof.as_bytes().to_vec())]);
    built(compile(&["a.mof"], &sources, Limits::default()).batches)
}

fn embedded(roots: &[&str]) -> Schema {
    built(compile(roots, &Embedded, Limits::default()).batches)
}

fn same(got: &Schema, want: &Schema) {
    for class in want.classes() {
        let printed = got.class(class.name.as_str());
        let printed = printed.unwrap_or_else(|| panic!("{} is missing", class.name));
        assert_eq!(printed, class);
    }
    assert_eq!(got.classes().len(), want.classes().len());
    for decl in want.qualifiers() {
        assert_eq!(got.qualifier(decl.name.as_str()), Some(decl));
    }
    assert_eq!(got.qualifiers().len(), want.qualifiers().len());
}

#[test]
fn a_namespace_of_a_server_is_printed_and_is_the_same_schema() {
    let state = state_dir();
    let (server, state) = (Server::start(state.path()), state.path());
    let all = told(state, &["mof", "print"]);
    same(&schema_of(&all), &embedded(&["cimv2.mof"]));
    let file = write(state, "all.mof", &all);
    assert_eq!(told(state, &["mof", "check", "--alone", &file]), "");
    let interop = told(
        state,
        &[
            "mof",
            "print",
            "--url",
            &server.url,
            "--namespace",
            "interop",
        ],
    );
    assert!(interop.contains("class CIM_Namespace : "), "{interop}");
    let names = ["mof", "print", "cim_job", "JW_Job"];
    let two = told(state, &names);
    let heads = two.lines().filter(|line| line.starts_with("class "));
    let heads: Vec<_> = heads.collect();
    assert_eq!(
        heads,
        [
            "class CIM_Job : CIM_LogicalElement {",
            "class JW_Job : CIM_ConcreteJob {"
        ]
    );
    for text in ["Write", "ValueMap{", "    uint32 KillJob("] {
        assert!(two.contains(text), "no {text:?} in {two}");
    }
    refused(
        state,
        &["mof", "print", "X_None"],
        1,
        "CIMError: 6 (CIM_ERR_NOT_FOUND): the class X_None does not exist",
    );
    refused(state, &["mof", "print", "a b"], 2, "the class \"a b\"");
}

#[test]
fn files_are_printed_and_printing_again_changes_nothing() {
    let state = state_dir();
    let state = state.path();
    let source = write(
        state,
        "own.mof",
        "class X_B : X_A { X_A REF R; };\nclass X_A { [Key] uint8 K = 0x10; };\n\
         #pragma namespace(\"root/x\")\n\
         class X_A { string S; };\ninstance of X_A as $a { S = \"\u{e4}\"; };\n",
    );
    let want = "class X_A {\n\n    [Key]\n    uint8 K = 16;\n};\n\
        \nclass X_B : X_A {\n\n    X_A REF R;\n};\n\
        \n#pragma namespace (\"root/x\")\n\
        \nclass X_A {\n\n    string S;\n};\n\
        \ninstance of X_A as $a {\n    S = \"\u{e4}\";\n};";
    let printed = told(state, &["mof", "print", "--schema", &source]);
    assert_eq!(printed, want);
    let again = write(state, "again.mof", &printed);
    assert_eq!(told(state, &["mof", "print", "--schema", &again]), want);
    let one = told(
        state,
        &[
            "mof",
            "print",
            "--schema",
            &source,
            "--namespace",
            "root/x",
            "x_a",
        ],
    );
    assert_eq!(
        one,
        "#pragma namespace (\"root/x\")\n\nclass X_A {\n\n    string S;\n};"
    );
    refused(
        state,
        &["mof", "print", "--schema", &source, "X_C"],
        1,
        "the class X_C does not exist",
    );
    let broken = write(state, "broken.mof", "class X_A { strin S; };");
    let output = jobwright(state, &["mof", "print", "--schema", &broken]);
    assert_eq!((output.status.code(), out(&output).as_str()), (Some(1), ""));
    assert!(err(&output).contains("broken.mof:1:13"), "{}", err(&output));
}

#[test]
fn the_embedded_mof_is_printed_without_a_server() {
    let state = state_dir();
    let printed = told(state.path(), &["mof", "print", "--embedded"]);
    same(&schema_of(&printed), &embedded(&jobwright::mof::ROOTS));
    let file = write(state.path(), "all.mof", &printed);
    assert_eq!(told(state.path(), &["mof", "check", "--alone", &file]), "");
}
