//! Our wording of DMTF's classes against the originals, element by element, by their sums.
//!
//! `fixtures/schema/README.md` has the rule by which a declaration is normalised and summed.
//! The sums come from DMTF's zip (`CIM_SCHEMA_ZIP`, with `JOBWRIGHT_BLESS=1` to write them) and
//! never from our text.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};

use jobwright::model::{
    ClassDecl, FlavorUse, Literal, MethodDecl, ParameterDecl, PropertyDecl, QualifierDecl,
    QualifierUse, Scope,
};
use jobwright::mof::{Compilation, Embedded, Limits, ROOTS, compile};
use sha2::{Digest, Sha256};

use crate::dmtf;

/// Qualifiers whose values are prose, which is ours.
const PROSE: [&str; 1] = ["Description"];

/// First line of the file of sums.
const HEADER: &str = "# Computed from DMTF's CIM 2.49.0; README.md has the rule\n";

/// A declaration in a line for each element, which is what is hashed.
struct Normalised {
    /// What is counted in the sum, such as `properties=3 methods=0`.
    counts: String,
    lines: Vec<String>,
}

impl Normalised {
    fn sum(&self) -> String {
        let digest = Sha256::digest(self.lines.join("\n").as_bytes());
        let hex: Vec<_> = digest.iter().map(|byte| format!("{byte:02x}")).collect();
        format!("{} {}", self.counts, hex.concat())
    }
}

/// Normalised declarations under `class <name>` or `qualifier <name>`.
type Declarations = BTreeMap<String, Normalised>;

fn declarations(compilation: &Compilation) -> Declarations {
    let mut found = Declarations::new();
    for batch in &compilation.batches {
        for class in &batch.classes {
            found.insert(format!("class {}", class.name), normalised_class(class));
        }
        for decl in &batch.qualifiers {
            let name = format!("qualifier {}", decl.name);
            found.insert(name, normalised_qualifier(decl));
        }
    }
    found
}

fn normalised_class(class: &ClassDecl) -> Normalised {
    let above = class.superclass.as_ref().map_or("", |name| name.as_str());
    let mut lines = vec![format!("class {} : {above}", class.name)];
    lines.extend(uses(&class.name.to_string(), &class.qualifiers));
    lines.extend(class.properties.iter().flat_map(normalised_property));
    lines.extend(class.methods.iter().flat_map(normalised_method));
    let parameters: usize = class
        .methods
        .iter()
        .map(|method| method.parameters.len())
        .sum();
    let counts = format!(
        "properties={} methods={} parameters={parameters}",
        class.properties.len(),
        class.methods.len(),
    );
    Normalised { counts, lines }
}

fn normalised_property(property: &PropertyDecl) -> Vec<String> {
    let default = property.default.as_ref().map_or("(none)".into(), literal);
    let mut lines = vec![format!(
        "property {} {} = {default}",
        property.ty, property.name
    )];
    lines.extend(uses(property.name.as_str(), &property.qualifiers));
    lines
}

fn normalised_method(method: &MethodDecl) -> Vec<String> {
    let returns = method.returns.map_or("void", |ty| ty.as_str());
    let mut lines = vec![format!("method {returns} {}", method.name)];
    lines.extend(uses(method.name.as_str(), &method.qualifiers));
    for parameter in &method.parameters {
        lines.extend(normalised_parameter(method, parameter));
    }
    lines
}

fn normalised_parameter(method: &MethodDecl, parameter: &ParameterDecl) -> Vec<String> {
    let place = format!("{}({})", method.name, parameter.name);
    let mut lines = vec![format!("parameter {} {place}", parameter.ty)];
    lines.extend(uses(&place, &parameter.qualifiers));
    lines
}

/// Qualifiers by name, whose case and order mean nothing; alone they are TRUE.
fn uses(place: &str, qualifiers: &[QualifierUse]) -> BTreeSet<String> {
    let prose = |name: &str| PROSE.iter().any(|prose| prose.eq_ignore_ascii_case(name));
    let shown = |qualifier: &QualifierUse| {
        let value = qualifier.value.as_ref().map_or("true".into(), literal);
        let flavor = if qualifier.flavor == FlavorUse::default() {
            String::new()
        } else {
            format!(" {:?}", qualifier.flavor)
        };
        format!("{place} [{}] {value}{flavor}", qualifier.name.folded())
    };
    qualifiers
        .iter()
        .filter(|qualifier| !prose(qualifier.name.as_str()))
        .map(shown)
        .collect()
}

fn literal(value: &Literal) -> String {
    match value {
        Literal::Array(entries) => {
            let entries: Vec<_> = entries.iter().map(literal).collect();
            format!("{{{}}}", entries.join(", "))
        }
        Literal::Quoted(text) => format!("{text:?}"),
        Literal::Null
        | Literal::Text(_)
        | Literal::Char(_)
        | Literal::Boolean(_)
        | Literal::Integer(_)
        | Literal::Real(_)
        | Literal::Reference(_)
        | Literal::Instance(_)
        | Literal::Class(_) => value.shown(),
    }
}

fn normalised_qualifier(decl: &QualifierDecl) -> Normalised {
    let scopes: Vec<_> = Scope::NAMED
        .iter()
        .filter(|(_, kind)| decl.scope.contains(*kind))
        .map(|(name, _)| *name)
        .collect();
    let array = if decl.is_array { "[]" } else { "" };
    let head = format!(
        "qualifier {} {}{array} = {:?}",
        decl.name,
        decl.ty.as_str(),
        decl.default
    );
    Normalised {
        counts: format!("scopes={}", scopes.len()),
        lines: vec![
            head,
            format!("scope {}", scopes.join(" ")),
            format!("{:?}", decl.flavor),
        ],
    }
}

/// What the roots declare, except for our own classes.
fn ours() -> Declarations {
    let mut ours = Declarations::new();
    for root in ROOTS {
        let compilation = compile(&[root], &Embedded, Limits::default());
        assert!(
            compilation.diagnostics.is_empty(),
            "{}",
            dmtf::complaints(&compilation)
        );
        ours.extend(declarations(&compilation));
    }
    ours.retain(|name, _| !name.starts_with("class JW_"));
    ours
}

fn sums_file() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/schema/dmtf-2.49.sum")
}

fn blessing() -> bool {
    std::env::var_os("JOBWRIGHT_BLESS").is_some_and(|value| value == "1")
}

/// The committed sums: `class <name>` to the rest of the line.
fn committed() -> BTreeMap<String, String> {
    let text = fs::read_to_string(sums_file()).expect("fixtures/schema/dmtf-2.49.sum");
    text.lines()
        .filter(|line| !line.starts_with('#'))
        .map(split)
        .collect()
}

fn split(line: &str) -> (String, String) {
    let (kind, rest) = line
        .split_once(' ')
        .expect("a line is kind, name, counts, hash");
    let (name, sum) = rest
        .split_once(' ')
        .expect("a line is kind, name, counts, hash");
    (format!("{kind} {name}"), sum.to_owned())
}

#[test]
fn our_declarations_have_the_sums_of_dmtfs() {
    if blessing() {
        eprintln!("SKIPPED: the sums are being written");
        return;
    }
    let (ours, committed) = (ours(), committed());
    let names: BTreeSet<_> = ours.keys().chain(committed.keys()).collect();
    let mut failures = String::new();
    for name in names {
        let got = ours
            .get(name)
            .map_or("not declared by us".into(), Normalised::sum);
        let want = committed
            .get(name)
            .map_or("not in the sums", String::as_str);
        if got != want {
            writeln!(failures, "{name}\n  expected {want}\n  got      {got}").expect("a String");
        }
    }
    assert!(
        failures.is_empty(),
        "{failures}\nCIM_SCHEMA_ZIP shows the elements that differ"
    );
}

#[test]
fn the_sums_and_our_declarations_are_those_of_the_zip() {
    let Some(texts) = dmtf::texts("the_sums_and_our_declarations_are_those_of_the_zip") else {
        return;
    };
    let (ours, theirs) = (ours(), declarations(&dmtf::compiled(&texts)));
    let mut failures = String::new();
    let mut sums = String::from(HEADER);
    for (name, declaration) in &ours {
        let Some(original) = theirs.get(name) else {
            writeln!(failures, "{name}: DMTF has no such declaration").expect("a String");
            continue;
        };
        writeln!(sums, "{name} {}", original.sum()).expect("a String");
        failures.push_str(&difference(name, original, declaration));
    }
    if blessing() {
        fs::write(sums_file(), &sums).expect("a writable file of sums");
    }
    for (name, want) in committed() {
        let got = theirs
            .get(&name)
            .map_or("not in the zip".into(), Normalised::sum);
        if got != want {
            writeln!(failures, "{name}: the sums have {want}, the zip {got}").expect("a String");
        }
    }
    assert!(failures.is_empty(), "{failures}");
}

/// The lines that only one side has, or the first that stands elsewhere.
fn difference(name: &str, theirs: &Normalised, ours: &Normalised) -> String {
    let only = |these: &Normalised, those: &Normalised, mark: &str| {
        let lines = these
            .lines
            .iter()
            .filter(|line| !those.lines.contains(line));
        lines
            .map(|line| format!("  {mark} {line}\n"))
            .collect::<Vec<_>>()
            .concat()
    };
    let mut text = only(theirs, ours, "dmtf") + &only(ours, theirs, "ours");
    if text.is_empty() {
        let pairs = theirs.lines.iter().zip(&ours.lines);
        let moved = pairs
            .filter(|(a, b)| a != b)
            .map(|(a, _)| format!("  order: {a}\n"));
        text = moved.take(1).collect();
    }
    if text.is_empty() {
        text
    } else {
        format!("{name}\n{text}")
    }
}
