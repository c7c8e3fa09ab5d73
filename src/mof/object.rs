//! Embedded objects: strings that hold the MOF of one instance.

use std::collections::BTreeMap;

use crate::model::InstanceDecl;

use super::compile::{Limits, compile};
use super::diagnostic::Severity;

/// The instance that `text` declares, which may be nothing else.
///
/// # Errors
/// What is wrong with the text, in a line for people.
pub fn embedded_instance(text: &str) -> Result<InstanceDecl, String> {
    const NAME: &str = "embedded";
    let sources = BTreeMap::from([(NAME.to_owned(), text.as_bytes().to_vec())]);
    let limits = Limits {
        include_depth: 0,
        files: 1,
        ..Limits::default()
    };
    let compilation = compile(&[NAME], &sources, limits);
    let mut found = compilation.diagnostics.into_iter();
    if let Some(error) = found.find(|found| found.severity == Severity::Error) {
        return Err(error.message);
    }
    let mut batches = compilation.batches.into_iter();
    let Some(batch) = batches.next().filter(|batch| batch.namespace.is_none()) else {
        return Err("it is no instance".to_owned());
    };
    let alone = batch.classes.is_empty() && batch.qualifiers.is_empty() && batches.next().is_none();
    let mut instances = batch.instances.into_iter();
    match (instances.next(), instances.next(), alone) {
        (Some(instance), None, true) => Ok(instance.decl),
        (_, _, _) => Err("it is not one instance alone".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_is_one_instance() {
        let decl = embedded_instance("instance of A { P = 1; };").expect("one instance");
        assert_eq!((decl.class.as_str(), decl.properties.len()), ("A", 1));
        for (text, want) in [
            ("", "it is no instance"),
            ("class A { };", "it is not one instance alone"),
            (
                "instance of A { }; instance of A { };",
                "it is not one instance alone",
            ),
            (
                "instance of A { P = $a; };",
                "no instance has the alias `$a`",
            ),
            (
                "#pragma namespace(\"x\") instance of A { };",
                "it is no instance",
            ),
            (
                "#pragma include(\"embedded\")",
                "`embedded` includes itself: embedded -> embedded",
            ),
            ("<INSTANCE/>", "the character '<' starts nothing in MOF"),
        ] {
            assert_eq!(embedded_instance(text), Err(want.to_owned()), "{text}");
        }
    }
}
