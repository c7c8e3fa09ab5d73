//! Names and short texts of a compilation: few, and written again and again.

use std::borrow::Borrow;
use std::cell::{Cell, RefCell};
use std::collections::HashSet;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use foldhash::fast::RandomState;

use crate::model::{CimName, Literal, NameError};

/// Names that were read, each spelling once: it is checked once, and all that bear it share its text.
#[derive(Default)]
pub(super) struct Names(RefCell<HashSet<Spelling, RandomState>>);

impl Names {
    /// `text` as a name.
    pub(super) fn name(&self, text: &str) -> Result<CimName, NameError> {
        let mut known = self.0.borrow_mut();
        if let Some(Spelling(name)) = known.get(text) {
            return Ok(name.clone());
        }
        let name = CimName::new(text)?;
        known.insert(Spelling(name.clone()));
        Ok(name)
    }
}

/// Short texts that were read, each kept once: numbers in `ValueMap`, names in `Values`, versions.
#[derive(Default)]
pub(super) struct Texts {
    known: RefCell<HashSet<Arc<str>, RandomState>>,
    /// Where adjacent strings are joined; lent to one literal at a time.
    pub(super) joined: Cell<String>,
    /// Where the entries of an array gather, likewise.
    pub(super) entries: Cell<Vec<Literal>>,
}

/// Longer texts are seldom written twice.
const SHARED_BYTES: usize = 16;

impl Texts {
    /// `text`, which all that have the same share.
    pub(super) fn text(&self, text: &str) -> Arc<str> {
        if text.len() > SHARED_BYTES {
            return text.into();
        }
        let mut known = self.known.borrow_mut();
        if let Some(known) = known.get(text) {
            return known.clone();
        }
        let text: Arc<str> = text.into();
        known.insert(text.clone());
        text
    }
}

/// A name as it was written: another case is another spelling.
struct Spelling(CimName);

impl Borrow<str> for Spelling {
    fn borrow(&self) -> &str {
        self.0.as_str()
    }
}
impl Hash for Spelling {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.as_str().hash(state);
    }
}
impl PartialEq for Spelling {
    fn eq(&self, other: &Self) -> bool {
        self.0.as_str() == other.0.as_str()
    }
}
impl Eq for Spelling {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_spelling_is_kept_once_and_as_it_is() {
        let names = Names::default();
        let spelled = |text| names.name(text).expect("a name");
        let [first, again, other] = ["Key", "Key", "KEY"].map(spelled);
        assert!(std::ptr::eq(first.as_str(), again.as_str()));
        assert_eq!((other.as_str(), other == first), ("KEY", true));
        assert_eq!(names.name(""), Err(NameError::Empty));
    }

    #[test]
    fn short_texts_are_kept_once() {
        let texts = Texts::default();
        for (text, once) in [("DMTF Reserved", true), (&"x".repeat(100), false)] {
            let [first, again] = [text, text].map(|text| texts.text(text));
            assert_eq!((&*first, &*again), (text, text));
            assert_eq!(Arc::ptr_eq(&first, &again), once);
        }
    }
}
