//! Every rule at its limit and one past it, on classes from MOF; the table of what is enforced.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use jobwright::model::{CimName, InstanceDecl, Literal, PropertyValue, Status};
use jobwright::mof::{Limits, compile};
use jobwright::schema::rules::{STANDING, Standing};
use jobwright::schema::{Builder, Schema};

use crate::dmtf;

/// A class with one property, `[qualifiers] type P`, its method `M` with a parameter of the same
/// declaration, and a class `T_Inner` to embed.
fn schema(declaration: &str) -> Result<Schema, String> {
    let (qualifiers, declared) = declaration.split_once(']').expect("a list of qualifiers");
    let parameter = declared.trim().trim_end_matches(';');
    let mof = format!(
        "class T_Inner {{ [MaxValue(3)] uint8 N; }};\n\
         class T_Other {{ }};\n\
         class T_Class {{ [Key] string Id; {qualifiers}] {declared}\n\
         uint32 M({qualifiers}, In] {parameter}); }};"
    );
    compiled(&mof)
}

fn compiled(mof: &str) -> Result<Schema, String> {
    let mut sources = BTreeMap::new();
    let qualifiers = include_str!("../../mof/qualifiers.mof").as_bytes().to_vec();
    sources.insert("qualifiers.mof".to_owned(), qualifiers);
    sources.insert("t.mof".to_owned(), mof.as_bytes().to_vec());
    let compilation = compile(&["qualifiers.mof", "t.mof"], &sources, Limits::default());
    assert!(
        !compilation.has_errors(),
        "{mof}:\n{}",
        dmtf::complaints(&compilation)
    );
    let mut builder = Builder::new();
    for batch in compilation.batches {
        builder.declare(batch.qualifiers, batch.classes);
    }
    builder.build().map_err(|errors| {
        let told: Vec<String> = errors.iter().map(ToString::to_string).collect();
        told.join("\n")
    })
}

fn text(value: &str) -> Literal {
    Literal::Text(value.into())
}

fn array(values: &[&str]) -> Literal {
    Literal::Array(values.iter().map(|value| text(value)).collect())
}

fn inner(class: &'static str, n: &str) -> Literal {
    Literal::Instance(Box::new(InstanceDecl {
        class: CimName::of(class),
        properties: vec![given("N", text(n))],
    }))
}

fn given(name: &'static str, value: Literal) -> PropertyValue {
    PropertyValue {
        name: CimName::of(name),
        ty: None,
        is_array: matches!(value, Literal::Array(_)),
        value,
    }
}

/// What a new instance and a method call say to `value`: nothing, or the same words behind their
/// own names.
fn told(schema: &Schema, value: Literal) -> Option<String> {
    let decl = InstanceDecl {
        class: CimName::of("T_Class"),
        properties: vec![given("P", value.clone())],
    };
    let created = schema.instance(&decl).err();
    let class = schema.class("T_Class").expect("the class");
    let method = class.methods.get("M").expect("the method");
    let called = schema.arguments(method, &[given("P", value)]).err();
    assert!(
        created
            .iter()
            .chain(&called)
            .all(|e| e.status == Status::InvalidParameter)
    );
    let created = created.map(|error| error.description);
    let called = called.map(|error| error.description.replace("M(P)", "T_Class.P"));
    assert_eq!(
        created, called,
        "properties and parameters obey the same rules"
    );
    created
}

/// `good` is taken and `bad` refused, with `expected` in the words.
fn check(declaration: &str, good: &[Literal], bad: &Literal, expected: &str) {
    let schema = schema(declaration).unwrap_or_else(|errors| panic!("{declaration}: {errors}"));
    for value in good {
        assert_eq!(
            told(&schema, value.clone()),
            None,
            "{declaration}: {value:?}"
        );
    }
    let told = told(&schema, bad.clone()).unwrap_or_default();
    assert!(
        told.contains(expected),
        "{declaration}: expected {expected:?} in {told:?}"
    );
}

#[test]
fn numbers_and_intervals_have_their_bounds() {
    for (declaration, good, bad, expected) in [
        (
            "[MaxValue(31)] uint8 P;",
            "31",
            "32",
            "T_Class.P: 32 is above MaxValue 31",
        ),
        (
            "[MinValue(-31)] sint8 P;",
            "-31",
            "-32",
            "-32 is below MinValue -31",
        ),
        (
            "[MaxValue(2)] real32 P;",
            "2.0",
            "2.5",
            "2.5e0 is above MaxValue 2",
        ),
        (
            "[MinValue(2)] real64 P;",
            "NaN",
            "-INF",
            "-INF is below MinValue 2",
        ),
        (
            "[MaxValue(365)] datetime P;",
            "00000365000000.000000:000",
            "00000365000000.000001:000",
            "00000365000000.000001:000 is above MaxValue 365 days",
        ),
        (
            "[MinValue(1)] datetime P;",
            "00000001000000.000000:000",
            "00000000235959.999999:000",
            "00000000235959.999999:000 is below MinValue 1 days",
        ),
    ] {
        check(
            declaration,
            &[text(good), Literal::Null],
            &text(bad),
            expected,
        );
    }
}

#[test]
fn integers_have_their_lists_and_their_bits() {
    for (declaration, good, bad, expected) in [
        (
            "[BitMap{\"0\", \"3..4\"}] uint8 P;",
            "25",
            "26",
            "26 sets bit 1, which is not in BitMap {0, 3, 4}",
        ),
        (
            "[ValueMap{\"1\", \"3..5\"}] uint8 P;",
            "5",
            "6",
            "6 is not in ValueMap {1, 3..5}",
        ),
        (
            "[ValueMap{\"1\", \"2..\"}, Values{\"A\", \"DMTF Reserved\"}] uint8 P;",
            "1",
            "2",
            "2 is reserved in ValueMap: it is named \"DMTF Reserved\"",
        ),
        (
            "[Description(\"\")] uint8 P;",
            "255",
            "256",
            "256 is out of the range of type uint8",
        ),
    ] {
        check(
            declaration,
            &[text(good), Literal::Null],
            &text(bad),
            expected,
        );
    }
}

#[test]
fn texts_have_their_lengths_and_their_words() {
    for (declaration, good, bad, expected) in [
        (
            "[MaxLen(3)] string P;",
            "\u{e4}\u{1f600}c",
            "abcd",
            "T_Class.P: \"abcd\" has 4 characters and is longer than MaxLen 3",
        ),
        (
            "[MinLen(3)] string P;",
            "abc",
            "ab",
            "\"ab\" has 2 characters and is shorter than MinLen 3",
        ),
        (
            "[ValueMap{\"a\", \"b\"}] string P;",
            "b",
            "B",
            "\"B\" is not in ValueMap {a, b}",
        ),
        (
            "[OctetString] string P;",
            "0x0000000501",
            "0x0000000601",
            "OctetString: \"0x0000000601\" does not begin with its own length",
        ),
    ] {
        check(
            declaration,
            &[text(good), Literal::Null],
            &text(bad),
            expected,
        );
    }
}

#[test]
fn arrays_have_their_size_and_each_entry_its_rules() {
    check(
        "[MaxValue(9)] uint8 P[2];",
        &[array(&["9", "0"])],
        &array(&["10"]),
        "an array of 1 entries was given where the declaration has [2]",
    );
    check(
        "[MaxValue(9)] uint8 P[];",
        &[array(&[])],
        &array(&["1", "10"]),
        "10 is above MaxValue 9",
    );
    check(
        "[OctetString] uint8 P[];",
        &[array(&["0", "0", "0", "5", "7"])],
        &array(&["0", "0", "0", "4", "7"]),
        "OctetString: {0, 0, 0, 4, 7} does not begin",
    );
    check(
        "[MaxValue(9)] uint8 P[];",
        &[Literal::Null],
        &text("1"),
        "an array is declared",
    );
    check(
        "[MaxValue(9)] uint8 P;",
        &[Literal::Null],
        &array(&["1"]),
        "an array was given",
    );
}

#[test]
fn embedded_instances_are_judged_like_any_other() {
    check(
        "[EmbeddedInstance(\"T_Inner\")] string P;",
        &[inner("T_Inner", "3"), Literal::Null],
        &inner("T_Inner", "4"),
        "T_Inner.N: 4 is above MaxValue 3",
    );
    let other = Literal::Instance(Box::new(InstanceDecl {
        class: CimName::of("T_Other"),
        properties: Vec::new(),
    }));
    check(
        "[EmbeddedInstance(\"T_Inner\")] string P;",
        &[],
        &other,
        "an instance of T_Other was given where EmbeddedInstance asks for T_Inner",
    );
    check(
        "[EmbeddedObject] string P;",
        std::slice::from_ref(&other),
        &text("x"),
        "an embedded instance",
    );
}

#[test]
fn required_and_static_hold_for_values_that_are_not_there() {
    check(
        "[Required] uint8 P;",
        &[text("1")],
        &Literal::Null,
        "Required asks for a value",
    );
    let mof = "class T_Class { [Key] string Id; [Static] uint8 P = 7; };";
    let schema = compiled(mof).unwrap_or_else(|errors| panic!("{errors}"));
    let new = |n: &str| {
        let decl = InstanceDecl {
            class: CimName::of("T_Class"),
            properties: vec![given("P", text(n))],
        };
        schema
            .instance(&decl)
            .map(drop)
            .map_err(|error| error.description)
    };
    assert_eq!(new("7"), Ok(()));
    let refused = new("8").expect_err("another value than that of the class");
    assert!(
        refused.starts_with("T_Class.P: Static leaves it the default"),
        "{refused}"
    );
}

#[test]
fn rules_stand_only_where_they_mean_something() {
    for (declaration, expected) in [
        ("[MaxLen(3)] uint8 P;", "MaxLen stands on strings only"),
        (
            "[MaxValue(3)] boolean P;",
            "MaxValue stands on numbers and datetimes only",
        ),
        ("[BitMap{\"8\"}] uint8 P;", "\"8\" is no bit of 8 bits"),
        (
            "[ArrayType(\"Bag\")] uint8 P;",
            "ArrayType stands on arrays only",
        ),
        (
            "[ArrayType(\"Heap\")] uint8 P[];",
            "\"Heap\" is none of Bag, Ordered and Indexed",
        ),
        (
            "[ValueMap{\"300\"}] uint8 P;",
            "out of the range of the type",
        ),
    ] {
        let errors = schema(declaration).err().unwrap_or_default();
        assert!(
            errors.contains(expected),
            "{declaration}: expected {expected:?} in {errors:?}"
        );
    }
}

#[test]
fn dmtf_declares_no_qualifier_without_a_row() {
    let Some(texts) = dmtf::texts("dmtf_declares_no_qualifier_without_a_row") else {
        return;
    };
    let compilation = dmtf::compiled(&texts);
    let declared = compilation
        .batches
        .iter()
        .flat_map(|batch| &batch.qualifiers);
    let names: Vec<&CimName> = declared.map(|decl| &decl.name).collect();
    for name in &names {
        let row = STANDING.iter().any(|(row, _)| name.is(row));
        assert!(row, "{name} has no row in the table of standings");
    }
    for (row, _) in STANDING {
        let known = names.iter().any(|name| name.is(row));
        assert!(known, "{row} has a row and is not declared by DMTF");
    }
}

/// `doc/qualifiers.md`, as the table says it must be.
fn documentation() -> String {
    let mut page = "# What becomes of each qualifier\n\n\
        Every standard and optional qualifier of the CIM schema 2.49. What breaks an enforced one is\n\
        refused, in a declaration when the class is made and in a value with CIM error 4, naming the\n\
        element, the qualifier, its limit and the offending value. This page is written by a test\n\
        from the table in `src/schema/rules/standing.rs`.\n\n\
        | qualifier | standing | how, or why not |\n|---|---|---|\n"
        .to_owned();
    for (name, standing) in STANDING {
        let (word, text) = match standing {
            Standing::Enforced(how) => ("enforced", *how),
            Standing::Descriptive => ("descriptive", ""),
            Standing::NotEnforced(why) => ("not enforced", *why),
        };
        writeln!(page, "| `{name}` | {word} | {text} |").expect("a string takes text");
    }
    page
}

#[test]
fn the_documentation_has_the_table() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("doc/qualifiers.md");
    let page = documentation();
    if std::env::var_os("JOBWRIGHT_BLESS").is_some_and(|value| value == "1") {
        std::fs::write(&path, &page).expect("the page can be written");
    }
    let kept = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        kept == page,
        "doc/qualifiers.md is not what STANDING says; run with JOBWRIGHT_BLESS=1"
    );
}
