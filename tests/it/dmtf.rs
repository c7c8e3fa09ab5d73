//! DMTF's schema, for tests that can compare with it: it is not part of this repository.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;

use jobwright::mof::{Compilation, Limits, compile, render};

/// The texts of the zip that the environment variable `CIM_SCHEMA_ZIP` names, by their names.
///
/// `None`, saying so, when the variable is not set.
pub fn texts(test: &str) -> Option<BTreeMap<String, Vec<u8>>> {
    let Some(path) = std::env::var_os("CIM_SCHEMA_ZIP") else {
        eprintln!("SKIPPED {test}: CIM_SCHEMA_ZIP does not name DMTF's schema (…Final-MOFs.zip)");
        return None;
    };
    let file = File::open(&path).expect("CIM_SCHEMA_ZIP names a readable file");
    let mut archive = zip::ZipArchive::new(file).expect("CIM_SCHEMA_ZIP names a zip");
    let mut texts = BTreeMap::new();
    for index in 0..archive.len() {
        let mut entry = archive.by_index(index).expect("an entry of the zip");
        if entry.is_file() {
            let mut bytes = Vec::new();
            entry.read_to_end(&mut bytes).expect("a readable entry");
            let name = entry.name().expect("a name in UTF-8").into_owned();
            texts.insert(name, bytes);
        }
    }
    Some(texts)
}

/// Everything the root file of the schema includes.
pub fn compiled(texts: &BTreeMap<String, Vec<u8>>) -> Compilation {
    let root = texts
        .keys()
        .find(|name| name.starts_with("cim_schema_") && !name.contains('/'))
        .expect("the zip holds cim_schema_<version>.mof");
    compile(&[root], texts, Limits::default())
}

/// All diagnostics, rendered.
pub fn complaints(compilation: &Compilation) -> String {
    let rendered = compilation.diagnostics.iter();
    rendered
        .map(|diagnostic| render(diagnostic, &compilation.sources) + "\n\n")
        .collect()
}
