//! Changes of a schema: what a class was written as gives the class again, and only what is touched is
//! made anew.

use std::sync::{Arc, OnceLock};

use jobwright::cimxml::{decode_class, decode_qualifier, encode_class, encode_qualifier};
use jobwright::model::{CimName, ClassDecl};
use jobwright::mof::{Batch, Compilation, Embedded, Limits, ROOTS, compile};
use jobwright::schema::{DeclErrorKind, Edit, Schema};

use crate::dmtf;

fn edits(compilation: Compilation) -> Vec<Edit> {
    let shown: Vec<String> = compilation
        .diagnostics
        .iter()
        .map(|found| found.message.clone())
        .collect();
    assert!(shown.is_empty(), "expected no diagnostics, got {shown:?}");
    let of = |batch: Batch| {
        let classes = batch.classes.into_iter().map(Edit::Class);
        let qualifiers = batch.qualifiers.into_iter().map(Edit::Qualifier);
        qualifiers.chain(classes).collect::<Vec<_>>()
    };
    compilation.batches.into_iter().flat_map(of).collect()
}

fn after(schema: &Schema, edits: Vec<Edit>) -> Schema {
    let edited = schema.edited(edits);
    let edited = edited.unwrap_or_else(|errors| {
        let shown: Vec<String> = errors.iter().map(ToString::to_string).collect();
        panic!("expected a sound schema, got {}", shown.join("\n"))
    });
    edited.schema
}

fn embedded() -> &'static Schema {
    static SCHEMA: OnceLock<Schema> = OnceLock::new();
    SCHEMA.get_or_init(|| {
        let compilation = compile(&ROOTS[..1], &Embedded, Limits::default());
        after(&Schema::default(), edits(compilation))
    })
}

fn mof(text: &str) -> Vec<Edit> {
    let sources = std::collections::BTreeMap::from([("text".to_owned(), text.as_bytes().to_vec())]);
    edits(compile(&["text"], &sources, Limits::default()))
}

/// Every class and qualifier of `schema` by way of CIM-XML text is what it was.
fn check_identity(schema: &Schema) {
    let of_class = |class| {
        let text = encode_class(&schema.declaration(class)).expect("XML carries it");
        Edit::Class(decode_class(&text).expect("what was encoded decodes"))
    };
    let of_qualifier = |decl| {
        let text = encode_qualifier(decl).expect("XML carries it");
        Edit::Qualifier(decode_qualifier(&text).expect("what was encoded decodes"))
    };
    let qualifiers = schema.qualifiers().map(of_qualifier);
    let all: Vec<Edit> = qualifiers
        .chain(schema.classes().map(|class| of_class(class)))
        .collect();
    let again = schema.edited(all.clone()).expect("sound");
    let changed: Vec<String> = again
        .changes()
        .iter()
        .map(|edit| format!("{edit:?}").chars().take(200).collect())
        .collect();
    assert!(changed.is_empty(), "expected no change, got {changed:#?}");
    let anew = after(&Schema::default(), all);
    for (old, new) in schema.classes().zip(anew.classes()) {
        assert_eq!(old, new, "{} made anew", old.name);
    }
    assert_eq!(schema.classes().len(), anew.classes().len());
}

#[test]
fn what_was_written_of_a_class_gives_the_class() {
    check_identity(embedded());
}

#[test]
fn what_was_written_of_every_class_of_dmtf_gives_the_class() {
    let Some(texts) = dmtf::texts("the identity of declarations") else {
        return;
    };
    let root = texts.keys().find(|name| name.starts_with("cim_schema_"));
    let root = root.expect("the archive has a root").clone();
    let compilation = compile(&[&root], &texts, Limits::default());
    check_identity(&after(&Schema::default(), edits(compilation)));
}

#[test]
fn only_what_is_touched_is_made_anew() {
    let old = embedded();
    let changed = after(old, mof("class TST_A : CIM_Job { string More; };"));
    assert_eq!(changed.classes().len(), old.classes().len() + 1);
    for class in old.classes() {
        let now = changed.class(class.name.as_str()).expect("still there");
        assert!(Arc::ptr_eq(class, now), "{} was made anew", class.name);
    }
    // A change of the root reaches every class below it and no other one.
    let again = changed.edited(mof("class TST_A : CIM_Job { uint8 More; };"));
    let again = again.expect("sound");
    let names: Vec<&str> = again
        .written
        .iter()
        .map(|class| class.name.as_str())
        .collect();
    assert_eq!(names, ["TST_A"]);
    let names: Vec<&str> = again
        .restructured
        .iter()
        .map(|class| class.name.as_str())
        .collect();
    assert_eq!(names, ["TST_A"]);
}

#[test]
fn subclasses_follow_their_superclass() {
    let base = mof("class TST_A { [Key] string Id; }; class TST_B : TST_A { uint8 N; };");
    let schema = after(embedded(), base);
    let edited = schema
        .edited(mof("class TST_A { [Key] string Id; datetime When; };"))
        .expect("sound");
    let below = edited.schema.class("TST_B").expect("there");
    let names: Vec<&str> = below.properties.names().map(CimName::as_str).collect();
    assert_eq!(names, ["Id", "When", "N"]);
    assert_eq!(edited.restructured.len(), 2);
    let described = schema
        .edited(mof(
            "[Description(\"d\")] class TST_A { [Key] string Id; };",
        ))
        .expect("sound");
    assert_eq!(described.changes().len(), 1);
    assert!(
        described.restructured.is_empty(),
        "a description is no structure"
    );
}

#[test]
fn what_would_not_be_sound_changes_nothing() {
    let schema = after(
        embedded(),
        mof("class TST_A { [Key] string Id; }; class TST_B : TST_A { };"),
    );
    let dropped = |name: &str| Edit::DropClass(CimName::new(name).expect("a name"));
    let kinds = |edits: Vec<Edit>| -> Vec<DeclErrorKind> {
        let errors = schema.edited(edits).err().unwrap_or_default();
        errors.into_iter().map(|error| error.kind).collect()
    };
    assert_eq!(
        kinds(vec![dropped("TST_A")]),
        [DeclErrorKind::Superclass(CimName::of("TST_A"))]
    );
    assert_eq!(kinds(vec![dropped("TST_A"), dropped("TST_B")]), []);
    let key = Edit::DropQualifier(CimName::of("Key"));
    assert!(kinds(vec![key]).contains(&DeclErrorKind::UndeclaredQualifier));
    let looped = |name: &str, superclass: &str| {
        Edit::Class(ClassDecl {
            name: CimName::new(name).expect("a name"),
            superclass: Some(CimName::new(superclass).expect("a name")),
            qualifiers: Vec::new(),
            properties: Vec::new(),
            methods: Vec::new(),
        })
    };
    assert!(
        kinds(vec![looped("TST_A", "TST_B")]).contains(&DeclErrorKind::Cycle),
        "a class below itself"
    );
}
