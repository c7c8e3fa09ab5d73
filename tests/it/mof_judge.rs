//! What is told of texts with several faults: all of them at once, and none that only follows.

use std::collections::BTreeMap;
use std::fmt::Write;

use jobwright::model::{CimValue, Instance, Namespace};
use jobwright::mof::{Compilation, Embedded, Limits, ROOTS, compile, embedded_instance};
use jobwright::schema::{Builder, Declared, Reference, declared_instances};
use jobwright::server::{Finding, Ground, judge};

fn compiled(files: &[(&str, &str)]) -> Compilation {
    let texts = files
        .iter()
        .map(|(name, text)| ((*name).to_owned(), text.as_bytes().to_vec()));
    let texts: BTreeMap<_, _> = texts.collect();
    compile(&[files[0].0], &texts, Limits::default())
}

/// Line and code of each finding.
fn found(findings: &[Finding]) -> Vec<(usize, &'static str)> {
    let told = findings.iter().map(|finding| {
        let span = finding.diagnostic.span;
        let line = finding.sources.file(span).position(span.start).line;
        (line, finding.diagnostic.code)
    });
    told.collect()
}

#[track_caller]
fn check(text: &str, want: &[(usize, &str)]) {
    let findings = judge(&[compiled(&[("a.mof", text)])], Ground::Embedded);
    assert_eq!(found(&findings), want, "{text}");
}

#[test]
fn syntax_schema_and_instances_are_told_in_one_run_and_in_the_order_of_the_text() {
    check(
        "instance of X_A { Nmae = 5; K = 1; };\n\
         class X_A {\n  [Key] uint8 K;\n  [Kye] string Name = 5;\n  uint8 Q = ;\n  bool S;\n};\n\
         class X_B : X_Missing { };\n",
        &[
            (4, "undeclared-qualifier"),
            (4, "default-value"),
            (5, "expected-value"),
            (6, "expected-type"),
            (8, "unknown-superclass"),
        ],
    );
    // The class is whole but for a default: its instances can be judged.
    check(
        "instance of X_A { Nmae = 5; K = 1; };\n\
         class X_A {\n  [Key] uint8 K;\n  string Name;\n};\nclass X_B { uint8 P = 256; };\n\
         instance of X_B { P = 256; };\n",
        &[
            (1, "unknown-property"),
            (6, "default-value"),
            (7, "property-type"),
        ],
    );
}

#[test]
fn what_was_lost_is_not_missed() {
    // The class X_A cannot be read: that it is missing is no fault of those that name it.
    check(
        "class X_A as { [Key] uint8 K; };\nclass X_B : X_A { };\n\
         [Association] class X_C { [Key] X_A ref P; [Key] X_B ref Q; };\n\
         class X_D { [EmbeddedInstance(\"X_A\")] string P; };\ninstance of X_A { K = 1; };\n",
        &[(1, "expected-token")],
    );
    check(
        "qualifier Own string, scope(any);\nclass X_A { [Own(\"a\")] uint8 K; };\n",
        &[(1, "expected-token")],
    );
    check(
        "#pragma include(\"absent.mof\")\nclass X_B : X_A { [Own] uint8 K; };\n\
         instance of X_C { };\nclass X_D { uint8 P = 256; };\n",
        &[(1, "include-missing"), (4, "default-value")],
    );
    // A property and a reference that cannot be read are not missed either.
    check(
        "class X_A {\n  [Key] uint8 K;\n  strng P;\n};\n\
         class X_B : X_A { [Override(\"P\")] string P; };\n\
         [Association] class X_C {\n  [Key] X_A ref Q;\n  [Key] X_A rf R;\n};\n\
         instance of X_A { K = 1; P = \"a\"; };\ninstance of X_A { K 1; };\n\
         instance of X_A { P = $a; };\ninstance of X_A as { K = 2; };\n",
        &[
            (3, "expected-type"),
            (8, "expected-type"),
            (11, "expected-token"),
            (12, "missing-key"),
            (12, "unknown-alias"),
            (13, "expected-token"),
        ],
    );
}

#[test]
fn one_fault_is_told_once() {
    check(
        "class X_A : X_None { };\nclass X_B : X_A { };\nclass X_C : X_B { string P; };\n\
         instance of X_C { };\n",
        &[(1, "unknown-superclass")],
    );
    check(
        "class X_A : X_B { };\nclass X_B : X_A { };\nclass X_C : X_A { };\n",
        &[(1, "inheritance-cycle"), (2, "inheritance-cycle")],
    );
    let link = |n: usize| format!("class X_{n} : X_{} {{ }};", n - 1);
    let chain = (1..=70).map(link).collect::<Vec<_>>().join("\n");
    check(
        &format!("class X_0 {{ }};\n{chain}"),
        &[(66, "inheritance-too-deep")],
    );
    // Each stands in the declaration that it was written in.
    check(
        "class X_A { uint8 N = 300; };\nclass X_A { string S; };\n",
        &[(1, "default-value"), (2, "duplicate-declaration")],
    );
    // Key, Association and Override are not declared: what they would have done is not missed.
    let text = "[Association] class X_A { [Key] X_A ref P; [Key] X_A ref Q; };\n\
                class X_B : X_A { [Override(\"P\")] X_A ref P; };\n";
    let findings = judge(&[compiled(&[("a.mof", text)])], Ground::Nothing);
    let codes: Vec<_> = found(&findings).into_iter().map(|(_, code)| code).collect();
    assert_eq!(codes, ["undeclared-qualifier"; 4]);
}

#[test]
fn each_namespace_is_judged_by_itself() {
    check(
        "#pragma namespace(\"root/x\")\nclass X_A { uint8 P; };\nclass X_B : X_A { };\n\
         #pragma namespace(\"root/y\")\nclass X_A { [Key] string K; };\n\
         class X_C : X_B { };\ninstance of X_A { K = \"a\"; };\n\
         #pragma namespace(\"ROOT/X\")\nclass X_A { uint16 P; };\n",
        &[(6, "unknown-superclass"), (9, "duplicate-declaration")],
    );
    // What describes the server is known in its namespace alone.
    check(
        "#pragma namespace(\"interop\")\nclass X_A : CIM_Namespace { };\n\
         #pragma namespace(\"root/cimv2\")\nclass X_B : CIM_Namespace { };\n",
        &[(4, "unknown-superclass")],
    );
}

#[test]
fn instances_name_one_another_across_namespaces() {
    let text = "class X_A { [Key] uint8 K; };\n\
                [Association] class X_B { [Key] X_A ref P; [Key] X_A ref Q; };\n";
    check(
        &format!(
            "#pragma namespace(\"root/x\")\n{text}\
             instance of X_A as $One {{ K = 1; }};\n\
             #pragma namespace(\"root/y\")\n{text}\
             instance of X_B {{ P = $One; Q = \"root/x:X_A.K=7\"; }};\n\
             instance of X_B {{ P = $One; Q = \"X_A.K=7\"; }};\n"
        ),
        &[],
    );
}

#[test]
fn several_files_are_one_schema_and_notes_lead_from_one_to_the_other() {
    let first = compiled(&[("a.mof", "class X_A { string P; };\n")]);
    let second = compiled(&[("b.mof", "class X_B : X_A { string P; };\nclass X_A { };\n")]);
    let findings = judge(&[first, second], Ground::Embedded);
    assert_eq!(
        found(&findings),
        [(1, "missing-override"), (2, "duplicate-declaration")]
    );
    for finding in findings {
        let (note, sources) = finding.elsewhere.expect("a note in the other text");
        assert_eq!(sources.file(note.span).name, "a.mof");
    }
}

#[test]
fn hostile_instances_do_not_take_long() {
    // Copies of copies of copies: each embeds the one before it ten times.
    let mut text = String::from(
        "[Structure] class X_A { [EmbeddedInstance(\"X_A\")] string Parts[]; };\n\
         instance of X_A as $p0 { };\n",
    );
    for level in 1..8 {
        let parts = vec![format!("$p{}", level - 1); 10].join(", ");
        writeln!(
            text,
            "instance of X_A as $p{level} {{ Parts = {{{parts}}}; }};"
        )
        .expect("room");
    }
    let findings = judge(&[compiled(&[("a.mof", &text)])], Ground::Embedded);
    let codes = found(&findings);
    assert!(
        codes.iter().any(|(_, code)| *code == "bad-embedded-object"),
        "{codes:?}"
    );
    // One long circle.
    let mut text = String::from("[Association] class X_A { [Key] X_A ref P; [Key] X_A ref Q; };\n");
    let count = 5_000;
    for at in 0..count {
        let next = (at + 1) % count;
        writeln!(
            text,
            "instance of X_A as $i{at} {{ P = $i{next}; Q = $i{next}; }};"
        )
        .expect("room");
    }
    let findings = judge(&[compiled(&[("a.mof", &text)])], Ground::Embedded);
    assert!(
        found(&findings)
            .iter()
            .any(|(_, code)| *code == "alias-cycle")
    );
}

/// The instances that `text` declares, on top of the embedded schema.
fn instances(text: &str) -> Vec<(usize, Instance)> {
    let base = compile(&ROOTS[..1], &Embedded, Limits::default());
    let own = compiled(&[("a.mof", text)]);
    let mut builder = Builder::new();
    for batch in base.batches.iter().chain(&own.batches) {
        let (qualifiers, classes) = (batch.qualifiers.iter(), batch.classes.iter());
        builder.declare(qualifiers.cloned(), classes.cloned());
    }
    let schema = builder.build().expect("sound classes");
    let namespace = Namespace::of("root/x");
    let declared = own.batches[0].instances.iter().map(|instance| {
        let references = instance.references.iter().map(|used| Reference {
            property: used.property,
            entry: used.entry,
            alias: &used.alias,
        });
        Declared {
            schema: &schema,
            namespace: &namespace,
            decl: &instance.decl,
            alias: instance.alias.as_ref(),
            references: references.collect(),
        }
    });
    let declared: Vec<_> = declared.collect();
    declared_instances(&declared, &embedded_instance).expect("sound instances")
}

#[test]
fn declared_instances_have_the_values_that_the_text_means() {
    let made = instances(
        "class X_A { [Key] uint8 K; string Named = \"default\"; string Null = \"default\"; \
           [EmbeddedInstance(\"X_S\")] string Part; [EmbeddedObject] string Any[]; };\n\
         [Structure] class X_S { real32 R; [EmbeddedInstance(\"X_S\")] string Inner; };\n\
         [Association] class X_R { [Key] X_A ref P; [Key] X_A ref Q; X_A ref Others; };\n\
         instance of X_R { P = $One; Q = \"X_A.K=2\"; Others = $Two; };\n\
         instance of X_S as $Part { R = 1; };\n\
         instance of X_A as $One { K = 1; Null = NULL; Part = $Part; };\n\
         instance of X_A as $Two { K = 0x2; \
           Part = \"instance of X_S { Inner = \\\"instance of X_S { R = 0.5; };\\\"; };\"; \
           Any = {$Part, NULL, $One}; };\n",
    );
    let numbers: Vec<usize> = made.iter().map(|(at, _)| *at).collect();
    assert_eq!(
        numbers,
        [0, 2, 3],
        "a part alone is no instance of a namespace"
    );
    let (relation, one, two) = (&made[0].1, &made[1].1, &made[2].1);
    let path = |value: &CimValue| value.as_reference().expect("a path").to_string();
    assert_eq!(path(relation.value("P")), "root/x:X_A.K=1");
    assert_eq!(path(relation.value("Q")), "root/x:X_A.K=2");
    assert_eq!(path(relation.value("Others")), "root/x:X_A.K=2");
    assert_eq!(one.value("Named"), &CimValue::string("default"));
    assert_eq!(one.value("Null"), &CimValue::Null);
    let CimValue::Instance(part) = one.value("Part") else {
        panic!("{:?}", one.value("Part"));
    };
    assert_eq!(part.value("R"), &CimValue::Real32(1.0));
    let CimValue::Instance(part) = two.value("Part") else {
        panic!("{:?}", two.value("Part"));
    };
    let CimValue::Instance(inner) = part.value("Inner") else {
        panic!("{:?}", part.value("Inner"));
    };
    assert_eq!(inner.value("R"), &CimValue::Real32(0.5));
    let any = two.value("Any").as_array().expect("an array");
    assert!(
        matches!(any, [CimValue::Instance(_), CimValue::Null, CimValue::Instance(other)] if **other == *one),
        "{any:?}"
    );
}
