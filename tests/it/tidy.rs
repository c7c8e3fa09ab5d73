//! The rules of the source tree that the compiler does not know, as tests.

use std::fs;
use std::path::{Path, PathBuf};

/// Which modules of the crate a module may import. The longest prefix that fits a file decides.
const IMPORTS: &[(&str, &[&str])] = &[
    ("model", &[]),
    ("ops", &["model"]),
    ("mof", &["model"]),
    ("schema", &["model"]),
    ("query", &["model"]),
    ("cimxml", &["model", "ops"]),
    ("json", &["model"]),
    (
        "jobs::core",
        &[
            "model::datetime",
            "model::CimDateTime",
            "model::DateTimeError",
        ],
    ),
    ("provider", &["model", "ops", "schema", "query"]),
    ("store", &["model", "schema", "provider", "jobs::core"]),
    ("broker", &["model", "ops", "schema", "query", "provider"]),
    (
        "jobs",
        &[
            "model", "ops", "mof", "schema", "query", "store", "provider",
        ],
    ),
    (
        "builtin",
        &[
            "model", "ops", "mof", "schema", "query", "store", "provider",
        ],
    ),
    ("client", &["model", "ops", "cimxml"]),
    (
        "indications",
        &[
            "model", "ops", "mof", "schema", "query", "store", "provider", "cimxml", "client",
            "json",
        ],
    ),
    ("config", &["model"]),
    (
        "server",
        &[
            "model",
            "ops",
            "mof",
            "schema",
            "query",
            "cimxml",
            "provider",
            "store",
            "broker",
            "jobs",
            "builtin",
            "client",
            "indications",
            "config",
        ],
    ),
    (
        "cli",
        &[
            "model",
            "ops",
            "mof",
            "schema",
            "client",
            "config",
            "server",
            "json",
            "jobs::supervisor",
        ],
    ),
    ("testing", &["model", "mof", "schema"]),
    ("indications::tests", &["model", "testing"]),
    (
        "jobs::provider::told::tests",
        &["model", "ops", "store", "provider", "jobs", "testing"],
    ),
    ("main", &["cli"]),
    ("bin", &["jobs::supervisor"]),
    ("lib", &[]),
];

/// Longest file before its tests, in lines.
const FILE_LINES: usize = 600;
/// Longest function, in lines.
const FUNCTION_LINES: usize = 70;

/// Files that may be longer than the rule, each with its reason.
const LONG_FILES: &[(&str, &str)] = &[];

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn files(folder: &str, ending: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![root().join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder)
            .expect("a folder of the source tree")
            .flatten()
        {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|e| e == ending) {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

fn rust_files() -> Vec<(String, String)> {
    ["src", "tests", "benches"]
        .into_iter()
        .filter(|folder| root().join(folder).is_dir())
        .flat_map(|folder| files(folder, "rs"))
        .map(|path| {
            (
                shown(&path),
                fs::read_to_string(&path).expect("readable source"),
            )
        })
        .collect()
}

fn shown(path: &Path) -> String {
    path.strip_prefix(root())
        .unwrap_or(path)
        .display()
        .to_string()
}

/// `src/jobs/core/queue.rs` is `jobs::core::queue`; `mod.rs` is its folder.
fn module_of(file: &str) -> String {
    let inner = file.trim_start_matches("src/").trim_end_matches(".rs");
    inner.trim_end_matches("/mod").replace('/', "::")
}

fn is_within(module: &str, prefix: &str) -> bool {
    module == prefix
        || module
            .strip_prefix(prefix)
            .is_some_and(|rest| rest.starts_with("::"))
}

/// The paths after `crate::` in `text`, with one level of `{a, b}` opened.
fn crate_paths(text: &str) -> Vec<String> {
    let mut paths = Vec::new();
    for (at, _) in text.match_indices("crate::") {
        let before = text[..at].chars().next_back().unwrap_or(' ');
        if before.is_alphanumeric() || before == '_' || before == '$' {
            continue;
        }
        let rest = &text[at + "crate::".len()..];
        let end = rest.find(|c: char| !(c.is_alphanumeric() || "_:".contains(c)));
        let path = rest[..end.unwrap_or(rest.len())].trim_end_matches(':');
        match rest
            .strip_prefix('{')
            .and_then(|inner| inner.split_once("};"))
        {
            Some((inner, _)) => paths.extend(top_level(inner)),
            None if rest[path.len()..].starts_with("::{") => {
                let inner = rest[path.len() + 3..]
                    .split_once('}')
                    .map_or("", |(inner, _)| inner);
                paths.extend(
                    top_level(inner)
                        .into_iter()
                        .map(|name| format!("{path}::{name}")),
                );
            }
            None => paths.push(path.to_owned()),
        }
    }
    paths
}

fn top_level(inner: &str) -> Vec<String> {
    let names = inner
        .split(',')
        .map(|name| name.trim().split([' ', '{']).next().unwrap_or(""));
    names
        .filter(|name| !name.is_empty())
        .map(|n| n.trim_end_matches(':').to_owned())
        .collect()
}

fn without_tests(text: &str) -> &str {
    text.find("#[cfg(test)]").map_or(text, |at| &text[..at])
}

fn without_comments(text: &str) -> String {
    let lines = text
        .lines()
        .filter(|line| !line.trim_start().starts_with("//"));
    lines.collect::<Vec<_>>().join("\n")
}

fn report(faults: &[String]) {
    assert!(
        faults.is_empty(),
        "{} faults:\n  {}",
        faults.len(),
        faults.join("\n  ")
    );
}

#[test]
fn modules_import_only_what_the_table_allows() {
    let mut faults = Vec::new();
    for (file, text) in rust_files()
        .into_iter()
        .filter(|(file, _)| file.starts_with("src/"))
    {
        let module = module_of(&file);
        let row = IMPORTS
            .iter()
            .filter(|(prefix, _)| is_within(&module, prefix))
            .max_by_key(|(prefix, _)| prefix.len());
        let Some((own, allowed)) = row else {
            faults.push(format!(
                "{file}: the module {module} has no row in the import table"
            ));
            continue;
        };
        for path in crate_paths(&without_comments(without_tests(&text))) {
            let fits = |prefix: &&&str| is_within(&path, prefix);
            if !is_within(&path, own) && allowed.iter().find(fits).is_none() {
                faults.push(format!("{file}: {own} may not import crate::{path}"));
            }
        }
    }
    report(&faults);
}

#[test]
fn the_import_scan_sees_every_form_of_path() {
    let text = "use crate::model::{A, B};\nuse crate::{ops, mof};\nlet x = crate::store::open();";
    let paths = crate_paths(text);
    assert_eq!(paths, ["model::A", "model::B", "ops", "mof", "store::open"]);
    assert_eq!(crate_paths("pub(crate) fn x() {}"), Vec::<String>::new());
}

#[test]
fn every_file_says_what_it_is_for() {
    let silent = rust_files()
        .into_iter()
        .filter(|(_, text)| !text.starts_with("//! "));
    report(
        &silent
            .map(|(file, _)| format!("{file}: the first line is not a //! sentence"))
            .collect::<Vec<_>>(),
    );
}

#[test]
fn files_stay_short() {
    let mut faults = Vec::new();
    for (file, text) in rust_files() {
        let lines = without_tests(&text).lines().count();
        let excused = LONG_FILES.iter().any(|(name, _)| *name == file);
        if lines > FILE_LINES && !excused {
            faults.push(format!(
                "{file}: {lines} lines before the tests, above {FILE_LINES}"
            ));
        }
    }
    report(&faults);
}

#[test]
fn functions_stay_short() {
    let mut faults = Vec::new();
    for (file, text) in rust_files() {
        let mut open: Option<(usize, usize, String)> = None;
        for (number, line) in text.lines().enumerate() {
            let indent = line.len() - line.trim_start().len();
            let is_head = [
                "fn ",
                "pub fn ",
                "async fn ",
                "pub async fn ",
                "pub(crate) fn ",
                "pub(super) fn ",
            ]
            .iter()
            .any(|head| line.trim_start().starts_with(head));
            if is_head && open.is_none() && !line.trim_end().ends_with(';') {
                open = Some((number, indent, line.trim().to_owned()));
            } else if let Some((from, at, head)) = &open
                && (line.trim_end() == format!("{}}}", " ".repeat(*at))
                    || line.trim_end().ends_with("{}"))
                && indent == *at
            {
                let length = number - from + 1;
                if length > FUNCTION_LINES {
                    faults.push(format!("{file}:{}: {length} lines: {head}", from + 1));
                }
                open = None;
            }
        }
    }
    report(&faults);
}

#[test]
fn the_principal_is_made_by_the_authenticator_alone() {
    let maker = "Principal::authenticated(";
    let makers = rust_files().into_iter().filter(|(file, text)| {
        file.starts_with("src/")
            && !file.starts_with("src/server/auth")
            && !file.ends_with("/tests.rs")
            && without_tests(text).contains(maker)
    });
    report(
        &makers
            .map(|(file, _)| format!("{file}: makes a Principal"))
            .collect::<Vec<_>>(),
    );
}

#[test]
fn exceptions_to_lints_give_their_reason() {
    let allow = concat!("#[", "allow(");
    let faults: Vec<String> = rust_files()
        .iter()
        .flat_map(|(file, text)| {
            text.lines()
                .enumerate()
                .map(move |(at, line)| (file, at, line))
        })
        .filter(|(_, _, line)| line.trim_start().starts_with(allow))
        .map(|(file, at, _)| format!("{file}:{}: use #[expect(.., reason = ..)]", at + 1))
        .collect();
    report(&faults);
}

#[test]
fn every_direct_dependency_has_its_reason() {
    let manifest = fs::read_to_string(root().join("Cargo.toml")).expect("the manifest");
    let mut in_dependencies = false;
    let mut faults = Vec::new();
    let mut before = "";
    for line in manifest.lines() {
        if line.starts_with('[') {
            in_dependencies = line.ends_with("dependencies]");
        } else if in_dependencies
            && line.contains('=')
            && !line.starts_with('#')
            && !before.starts_with("# ")
        {
            faults.push(format!("Cargo.toml: no reason above: {line}"));
        }
        before = line;
    }
    report(&faults);
}

#[test]
fn every_mof_file_is_included_by_a_root() {
    let roots = ["mof/cimv2.mof", "mof/interop.mof"];
    let includes: String = roots
        .iter()
        .map(|name| fs::read_to_string(root().join(name)).expect("a root of the embedded MOF"))
        .collect();
    let orphans = files("mof", "mof").into_iter().filter(|path| {
        let name = shown(path);
        !roots.contains(&name.as_str()) && !includes.contains(name.trim_start_matches("mof/"))
    });
    report(
        &orphans
            .map(|path| format!("{}: no root includes it", shown(&path)))
            .collect::<Vec<_>>(),
    );
}

#[test]
fn the_readme_documents_every_configuration_key() {
    let readme = fs::read_to_string(root().join("README.md")).expect("the README");
    let missing = jobwright::config::KEYS.iter().filter(|key| {
        let row = format!(
            "| `{}` | {} | {} |",
            key.name,
            key.default,
            key.meaning.trim()
        );
        !readme.contains(&row)
    });
    report(
        &missing
            .map(|key| format!("README.md has no row for {key:?}"))
            .collect::<Vec<_>>(),
    );
}

#[test]
fn the_project_speaks_of_itself_alone() {
    // Each word in two parts, so that this file does not hold what it looks for.
    let words = [
        ("/wor", "k/"),
        ("crates", ".io"),
        ("pypi", ".org"),
        ("sub", "agent"),
    ];
    let mut faults = Vec::new();
    let texts = [
        "rs", "mof", "md", "toml", "py", "txt", "http", "expect", "sum",
    ];
    for folder in ["src", "mof", "tests", "fixtures"] {
        for path in texts.iter().flat_map(|ending| files(folder, ending)) {
            let bytes = fs::read(&path).expect("readable");
            let text = String::from_utf8_lossy(&bytes);
            for (front, back) in words
                .iter()
                .filter(|(a, b)| text.contains(&format!("{a}{b}")))
            {
                faults.push(format!("{} holds {front}{back}", shown(&path)));
            }
        }
    }
    report(&faults);
}
