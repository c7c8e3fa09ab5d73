//! What unit tests of several modules share: schemas.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use crate::model::Class;
use crate::mof::{Embedded, Limits, ROOTS, Sources, compile};
use crate::schema::{Builder, Schema};

/// The schema that the text `mof` and the standard qualifiers make.
pub(crate) fn schema(mof: &str) -> Arc<Schema> {
    const QUALIFIERS: &str = "qualifiers.mof";
    let standard = Embedded.read(QUALIFIERS, usize::MAX).expect("it is ours");
    let texts = BTreeMap::from([
        (QUALIFIERS.to_owned(), standard.into_owned()),
        ("test.mof".to_owned(), mof.as_bytes().to_vec()),
    ]);
    Arc::new(built(&[QUALIFIERS, "test.mof"], &texts))
}

/// The schema of the embedded MOF.
pub(crate) fn embedded() -> Arc<Schema> {
    static SCHEMA: OnceLock<Arc<Schema>> = OnceLock::new();
    let made = || Arc::new(built(&ROOTS, &Embedded));
    SCHEMA.get_or_init(made).clone()
}

/// A class `name` of nothing.
pub(crate) fn empty_class(name: &str) -> Arc<Class> {
    let schema = schema(&format!("class {name} {{ }};"));
    schema.class(name).expect("the one class").clone()
}

fn built(roots: &[&str], texts: &dyn Sources) -> Schema {
    let compilation = compile(roots, texts, Limits::default());
    assert!(!compilation.has_errors(), "{:?}", compilation.diagnostics);
    let mut builder = Builder::new();
    for batch in compilation.batches {
        builder.declare(batch.qualifiers, batch.classes);
    }
    builder.build().expect("sound classes")
}
