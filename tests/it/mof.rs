//! The MOF front end against its fixtures, against DMTF's schema and against noise.
//!
//! `fixtures/mof/err/<code>[.<case>].mof` is refused as its `.expect` says, on top of the embedded
//! schema; the file also has what is kept of it. Its twin `<code>.good.mof` has no fault.
//! `fixtures/mof/ok/*.mof` means what its `.expect` says. With `JOBWRIGHT_BLESS=1` the
//! `.expect` files are written anew. A line `//- name.mof` in a fixture starts another file,
//! `//- limits file_bytes=9` sets limits.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};

use jobwright::model::{CimName, ClassDecl, Element, ParameterDecl, QualifierUse};
use jobwright::mof::{Batch, Code, Compilation, Embedded, Limits, ROOTS, compile, quoted, render};
use jobwright::schema::{DeclErrorKind, InstanceFaultKind};
use jobwright::server::{Ground, judge};
use proptest::prelude::*;

use crate::dmtf;

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("fixtures/mof")
        .join(name)
}

fn fixtures(name: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder(name)).expect("the folder of fixtures");
    let paths = entries.map(|entry| entry.expect("an entry").path());
    let mut paths: Vec<_> = paths
        .filter(|path| path.extension().is_some_and(|e| e == "mof") && !is_twin(path))
        .collect();
    paths.sort();
    paths
}

fn is_twin(path: &Path) -> bool {
    path.to_string_lossy().ends_with(".good.mof")
}

fn stem(path: &Path) -> String {
    path.file_stem()
        .expect("a file name")
        .to_string_lossy()
        .into_owned()
}

/// The code that a bad fixture is for: its name up to the first point.
fn code(path: &Path) -> String {
    stem(path)
        .split('.')
        .next()
        .expect("a name before the point")
        .to_owned()
}

/// Splits a fixture into its files; the first is the root.
fn split(name: &str, fixture: &[u8]) -> (Vec<(String, Vec<u8>)>, Limits) {
    let mut files = vec![(format!("{name}.mof"), Vec::new())];
    let mut limits = Limits::default();
    for line in fixture.split_inclusive(|byte| *byte == b'\n') {
        let text = String::from_utf8_lossy(line);
        let Some(directive) = text.strip_prefix("//- ") else {
            let (_, bytes) = files.last_mut().expect("there is a first file");
            bytes.extend_from_slice(line);
            continue;
        };
        match directive.trim().strip_prefix("limits ") {
            Some(settings) => settings
                .split(' ')
                .for_each(|setting| limit(&mut limits, setting)),
            None => files.push((directive.trim().to_owned(), Vec::new())),
        }
    }
    (files, limits)
}

fn limit(limits: &mut Limits, setting: &str) {
    let (name, number) = setting.split_once('=').expect("a limit is name=number");
    let number = number.parse().expect("a limit is a number");
    match name {
        "file_bytes" => limits.file_bytes = number,
        "total_bytes" => limits.total_bytes = number,
        "files" => limits.files = number,
        "tokens" => limits.tokens = number,
        "include_depth" => limits.include_depth = number,
        "diagnostics" => limits.diagnostics = number,
        other => panic!("there is no limit {other}"),
    }
}

fn compiled(name: &str, fixture: &[u8]) -> Compilation {
    let (files, limits) = split(name, fixture);
    let root = files[0].0.clone();
    let sources: BTreeMap<_, _> = files.into_iter().collect();
    compile(&[&root], &sources, limits)
}

fn compiled_text(text: &str) -> Compilation {
    let sources = BTreeMap::from([("text.mof".to_owned(), text.as_bytes().to_vec())]);
    compile(&["text.mof"], &sources, Limits::default())
}

/// Compares with the golden file, or writes it; a difference is returned as text.
fn differs(path: &Path, got: &str) -> Option<String> {
    let expect = path.with_extension("expect");
    if std::env::var_os("JOBWRIGHT_BLESS").is_some_and(|value| value == "1") {
        fs::write(&expect, got).expect("a writable golden file");
        return None;
    }
    let want = fs::read_to_string(&expect).unwrap_or_else(|error| format!("({error})"));
    (want != got).then(|| format!("--- {}\nEXPECTED\n{want}\nGOT\n{got}\n", path.display()))
}

/// Every finding as text. Of a note in the embedded MOF only the file is told: its lines move.
fn findings(compilation: Compilation) -> (Vec<&'static str>, String, Vec<Batch>) {
    let given = [compilation];
    let found = judge(&given, Ground::Embedded);
    let shown = found.iter().map(|finding| {
        let note = finding.elsewhere.as_ref().map(|(note, sources)| {
            let file = &sources.file(note.span).name;
            format!("note: {} ({file})\n", note.message)
        });
        let text = render(&finding.diagnostic, &finding.sources);
        format!("{text}\n{}\n", note.unwrap_or_default())
    });
    let shown = shown.collect();
    let codes = found.iter().map(|finding| finding.diagnostic.code);
    let codes = codes.collect();
    let [compilation] = given;
    (codes, shown, compilation.batches)
}

#[test]
fn every_bad_fixture_is_refused_as_it_should_be() {
    let mut failures = String::new();
    for path in fixtures("err") {
        let code = code(&path);
        let compilation = compiled(&stem(&path), &fs::read(&path).expect("a readable fixture"));
        let (codes, shown, batches) = findings(compilation);
        if !codes.contains(&code.as_str()) {
            writeln!(failures, "{}: expected {code}: {codes:?}", path.display())
                .expect("a String takes every write");
        }
        let kept: String = batches.iter().map(meaning).collect();
        failures.extend(differs(&path, &format!("{shown}KEPT\n{kept}")));
    }
    assert!(failures.is_empty(), "{failures}");
}

/// The codes that a text can lead to.
fn all_codes() -> Vec<&'static str> {
    let front = Code::ALL.iter().map(|code| code.as_str());
    let schema = DeclErrorKind::CODES.iter().copied();
    // What only CIM-XML can say: MOF has no types on uses of qualifiers, and its parser refuses
    // arrays of references itself.
    let schema = schema.filter(|code| !["qualifier-type", "array-of-references"].contains(code));
    let instances = InstanceFaultKind::CODES.iter().copied();
    let mut codes: Vec<_> = front.chain(schema).chain(instances).collect();
    codes.sort_unstable();
    codes.dedup();
    codes
}

#[test]
fn every_code_has_a_bad_fixture_of_its_name() {
    let names: Vec<_> = fixtures("err").iter().map(|path| code(path)).collect();
    let mut wanted = all_codes();
    wanted.retain(|code| !names.iter().any(|name| name == code));
    assert!(
        wanted.is_empty(),
        "no fixtures/mof/err/<code>.mof for {wanted:?}"
    );
    assert!(all_codes().len() >= 60);
    let unknown = names
        .iter()
        .filter(|name| !all_codes().contains(&name.as_str()));
    let unknown: Vec<_> = unknown.collect();
    assert!(unknown.is_empty(), "no code of this name: {unknown:?}");
}

#[test]
fn every_code_has_a_good_twin() {
    let mut failures = String::new();
    for code in all_codes() {
        let path = folder("err").join(format!("{code}.good.mof"));
        let Ok(text) = fs::read(&path) else {
            writeln!(failures, "{} is missing", path.display()).expect("a String takes it");
            continue;
        };
        let (codes, shown, _) = findings(compiled(code, &text));
        if !codes.is_empty() {
            writeln!(failures, "{}:\n{shown}", path.display()).expect("a String takes it");
        }
    }
    assert!(failures.is_empty(), "{failures}");
}

#[test]
fn every_good_fixture_means_what_it_should_mean() {
    let mut failures = String::new();
    for path in fixtures("ok") {
        let name = stem(&path);
        let compilation = compiled(&name, &fs::read(&path).expect("a readable fixture"));
        let complaints = dmtf::complaints(&compilation);
        let meaning: String = compilation.batches.iter().map(meaning).collect();
        failures.extend(differs(&path, &(meaning + &complaints)));
        if compilation.has_errors() {
            failures.push_str(&complaints);
        }
    }
    assert!(failures.is_empty(), "{failures}");
}

/// A batch in a line for each element.
fn meaning(batch: &Batch) -> String {
    let namespace = batch.namespace.as_ref().map_or("(default)", |n| n.as_str());
    let mut lines = vec![format!("namespace {namespace}")];
    for decl in &batch.qualifiers {
        lines.push(format!("qualifier {decl:?}"));
    }
    for class in &batch.classes {
        lines.extend(class_meaning(class));
    }
    for instance in &batch.instances {
        let alias = instance
            .alias
            .as_ref()
            .map_or(String::new(), |alias| format!(" as ${alias}"));
        lines.push(format!("instance of {}{alias}", instance.decl.class));
        for property in &instance.decl.properties {
            lines.push(format!("  {} = {:?}", property.name, property.value));
        }
        for reference in &instance.references {
            let at = (reference.property, reference.entry);
            lines.push(format!("  value {at:?} is ${}", reference.alias));
        }
    }
    lines.join("\n") + "\n"
}

fn class_meaning(class: &ClassDecl) -> Vec<String> {
    let above = class
        .superclass
        .as_ref()
        .map_or(String::new(), |name| format!(" : {name}"));
    let mut lines = vec![format!(
        "class {}{above}{}",
        class.name,
        uses(&class.qualifiers)
    )];
    for property in &class.properties {
        let default = property.default.as_ref();
        let default = default.map_or(String::new(), |value| format!(" = {value:?}"));
        let uses = uses(&property.qualifiers);
        lines.push(format!(
            "  {} {}{default}{uses}",
            property.ty, property.name
        ));
    }
    for method in &class.methods {
        let returns = method.returns.map_or("void", |ty| ty.as_str());
        lines.push(format!(
            "  {returns} {}(){}",
            method.name,
            uses(&method.qualifiers)
        ));
        lines.extend(method.parameters.iter().map(parameter_meaning));
    }
    lines
}

fn parameter_meaning(parameter: &ParameterDecl) -> String {
    format!(
        "    {} {}{}",
        parameter.ty,
        parameter.name,
        uses(&parameter.qualifiers)
    )
}

fn uses(qualifiers: &[QualifierUse]) -> String {
    let shown = |qualifier: &QualifierUse| {
        let value = qualifier.value.as_ref();
        let value = value.map_or(String::new(), |value| format!("={value:?}"));
        let plain = jobwright::model::FlavorUse::default();
        let flavor = if qualifier.flavor == plain {
            String::new()
        } else {
            format!(" {:?}", qualifier.flavor)
        };
        format!(" [{}{value}{flavor}]", qualifier.name)
    };
    qualifiers.iter().map(shown).collect()
}

const LOCATED: &str = "class A : B {
  [Key] string P;
  uint32 M([In, MaxLen(3)] string Q);
};
qualifier Key : boolean = false, scope(any);
";

#[test]
fn elements_are_found_in_the_text() {
    let compilation = compiled_text(LOCATED);
    let element = |owner, feature: Option<_>, parameter: Option<_>, qualifier: Option<_>| Element {
        owner: CimName::of(owner),
        feature: feature.map(CimName::of),
        parameter: parameter.map(CimName::of),
        qualifier: qualifier.map(CimName::of),
    };
    let cases = [
        (element("a", None, None, None), Some((1, 7, "A"))),
        (element("A", Some("p"), None, None), Some((2, 16, "P"))),
        (
            element("A", Some("P"), None, Some("KEY")),
            Some((2, 4, "Key")),
        ),
        (element("A", Some("M"), Some("Q"), None), Some((3, 35, "Q"))),
        (
            element("A", Some("M"), Some("Q"), Some("MaxLen")),
            Some((3, 17, "MaxLen(3)")),
        ),
        (
            element("A", Some("M"), Some("Other"), None),
            Some((3, 10, "M")),
        ),
        (
            element("A", Some("Inherited"), None, None),
            Some((1, 7, "A")),
        ),
        (element("Key", None, None, None), Some((5, 11, "Key"))),
        (element("Other", None, None, None), None),
    ];
    for (element, want) in cases {
        let span = compilation.batches[0].locate(&element);
        let got = span.map(|span| {
            let at = compilation.sources.file(span).position(span.start);
            (
                at.line,
                at.column,
                &LOCATED[span.start as usize..span.end as usize],
            )
        });
        assert_eq!(got, want, "{element}");
    }
}

#[test]
fn includes_nest_sixteen_deep_and_no_deeper() {
    let name = |number| format!("f{number}.mof");
    let chain = |number| {
        let next = name(number + 1);
        let text = format!("class C{number} {{ }};\n#pragma include(\"{next}\")\n");
        (name(number), text.into_bytes())
    };
    let files: BTreeMap<_, _> = (0..20).map(chain).collect();
    let compilation = compile(&["f0.mof"], &files, Limits::default());
    let codes: Vec<_> = compilation.diagnostics.iter().map(|d| d.code).collect();
    assert_eq!(codes, ["include-too-deep"]);
    assert_eq!(
        compilation.batches[0].classes.len(),
        17,
        "a root and 16 includes"
    );
}

#[test]
fn a_root_that_cannot_be_read_is_a_diagnostic() {
    let nothing = BTreeMap::<String, Vec<u8>>::new();
    let compilation = compile(&["absent.mof"], &nothing, Limits::default());
    assert!(dmtf::complaints(&compilation).contains("absent.mof"));
    assert!(compilation.has_errors());
}

#[test]
fn the_embedded_files_are_those_of_the_folder() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("mof");
    let mut folders = vec![root.clone()];
    let mut found = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).expect("the folder mof/") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let name = path.strip_prefix(&root).expect("a path below mof/");
                found.push(name.to_str().expect("a name in UTF-8").to_owned());
            }
        }
    }
    found.sort();
    let embedded: Vec<_> = Embedded::names().collect();
    assert_eq!(
        embedded, found,
        "src/mof/embedded.rs does not list the files of mof/"
    );
}

#[test]
fn the_embedded_roots_compile_without_a_diagnostic() {
    for root in ROOTS {
        let compilation = compile(&[root], &Embedded, Limits::default());
        assert_eq!(dmtf::complaints(&compilation), "", "{root}");
        assert_eq!(compilation.batches.len(), 1, "{root} names a namespace");
        assert!(
            compilation.batches[0].classes.len() > 20,
            "{root} lacks classes"
        );
    }
}

#[test]
fn roots_may_share_files() {
    let compilation = compile(&ROOTS, &Embedded, Limits::default());
    assert_eq!(dmtf::complaints(&compilation), "");
    let mut names: Vec<_> = compilation.sources.iter().map(|file| &file.name).collect();
    let read = names.len();
    names.sort();
    names.dedup();
    assert_eq!((names.len(), read), (Embedded::names().count(), read));
}

#[test]
fn the_whole_dmtf_schema_compiles_without_a_diagnostic() {
    let Some(texts) = dmtf::texts("the_whole_dmtf_schema_compiles_without_a_diagnostic") else {
        return;
    };
    let started = std::time::Instant::now();
    let compilation = dmtf::compiled(&texts);
    let elapsed = started.elapsed();
    let complaints = dmtf::complaints(&compilation);
    assert!(compilation.diagnostics.is_empty(), "{complaints}");
    let classes: usize = compilation
        .batches
        .iter()
        .map(|batch| batch.classes.len())
        .sum();
    let qualifiers: usize = compilation
        .batches
        .iter()
        .map(|batch| batch.qualifiers.len())
        .sum();
    eprintln!("{classes} classes and {qualifiers} qualifiers in {elapsed:?}");
    assert_eq!(
        classes,
        texts.keys().filter(|name| name.contains('/')).count()
    );
}

/// Whatever is read: every diagnostic says something and can be rendered.
fn survives(text: &str) -> Result<(), TestCaseError> {
    let compilation = compiled_text(text);
    for diagnostic in &compilation.diagnostics {
        let rendered = jobwright::mof::render(diagnostic, &compilation.sources);
        prop_assert!(rendered.contains(diagnostic.code), "{rendered}");
        prop_assert!(!diagnostic.message.is_empty(), "{rendered}");
    }
    Ok(())
}

/// Pieces that reach deeper into the parser than random characters do.
fn mof_like() -> impl Strategy<Value = String> {
    let pieces = prop::sample::select(vec![
        "class",
        "A",
        ":",
        "{",
        "}",
        ";",
        "[",
        "]",
        "(",
        ")",
        ",",
        "=",
        "uint8",
        "ref",
        "\"x\"",
        "$a",
        "as",
        "instance of",
        "qualifier",
        "scope",
        "flavor",
        "#pragma",
        "include",
        "1b",
        "0x",
        "-",
        "'c'",
        "'",
        "\"",
        "\\",
        "/*",
        "*/",
        "//",
        "\n",
        "null",
        "true",
        "any",
        "[Key]",
    ]);
    prop::collection::vec(pieces, 0..60).prop_map(|pieces| pieces.join(" "))
}

fn all_fixtures() -> Vec<String> {
    let paths = fixtures("ok").into_iter().chain(fixtures("err"));
    paths
        .map(|path| String::from_utf8_lossy(&fs::read(path).expect("a fixture")).into())
        .collect()
}

proptest! {
    #[test]
    fn arbitrary_text_is_survived(text in ".{0,200}") {
        survives(&text)?;
    }

    #[test]
    fn text_made_of_tokens_is_survived(text in mof_like()) {
        survives(&text)?;
    }

    #[test]
    fn quoted_strings_are_read_back(text in "[^\\x00]{0,80}") {
        let source = format!("instance of A {{ P = {}; }};", quoted(&text));
        let compilation = compiled_text(&source);
        prop_assert_eq!(dmtf::complaints(&compilation), "");
        let value = &compilation.batches[0].instances[0].decl.properties[0].value;
        prop_assert_eq!(value, &jobwright::model::Literal::Quoted(text.into()));
    }

    #[test]
    fn mutilated_fixtures_are_survived(
        which in any::<prop::sample::Index>(),
        from in any::<prop::sample::Index>(),
        length in 0_usize..20,
        noise in prop::sample::select(vec!["", "{", "}", ";", "\"", "[", "*/", "/*", "\\", "\0"]),
    ) {
        let fixtures = all_fixtures();
        let mut text: Vec<char> = fixtures[which.index(fixtures.len())].chars().collect();
        let start = from.index(text.len() + 1);
        let end = (start + length).min(text.len());
        text.splice(start..end, noise.chars());
        survives(&text.into_iter().collect::<String>())?;
    }
}

#[test]
fn very_many_misplaced_aliases_take_no_longer_than_their_text() {
    let entries = "1,$Wrong,".repeat(300_000);
    let text = format!("class JW_Long {{ uint8 Numbers[] = {{ {entries} 2 }}; }};");
    let compilation = compiled_text(&text);
    let codes = compilation.diagnostics.iter().map(|found| found.code);
    let misplaced = codes
        .filter(|code| *code == Code::MisplacedAlias.as_str())
        .count();
    assert!(misplaced > 100, "{misplaced} of 300000 aliases are told of");
}
