//! The names of a compilation: few, and written again and again.

use std::borrow::Borrow;
use std::cell::RefCell;
use std::collections::HashSet;
use std::hash::{Hash, Hasher};

use foldhash::fast::RandomState;

use crate::model::{CimName, NameError};

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
}
