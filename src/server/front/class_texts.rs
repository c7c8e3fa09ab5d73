//! Classes as they were written before: the same few are asked for again and again.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError, Weak};

use bytes::Bytes;

use crate::cimxml::encode_class_reply;
use crate::model::{Class, Result};
use crate::ops::ClassReply;

/// All texts that are kept take no more bytes.
const LIMIT_BYTES: usize = 16 << 20;

/// Which class, in which of its forms.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Form {
    /// Where the class lies in memory: no other one does, as long as it is held even weakly.
    class: usize,
    local_only: bool,
    qualifiers: bool,
    class_origin: bool,
}

/// The texts of classes that were asked for lately, of each form of a class one.
///
/// A class never changes: what clients change is another class at another place, and the text of the
/// one before is forgotten in its turn.
#[derive(Debug)]
pub(super) struct ClassTexts {
    // Locked to look a text up or to enter one; texts are made outside.
    kept: Mutex<Kept>,
}

#[derive(Debug)]
struct Kept {
    texts: HashMap<Form, (Weak<Class>, Bytes)>,
    /// The forms in the order in which they came.
    order: VecDeque<Form>,
    bytes: usize,
    limit_bytes: usize,
}

impl Default for ClassTexts {
    fn default() -> Self {
        Self::with_limit(LIMIT_BYTES)
    }
}

impl ClassTexts {
    fn with_limit(limit_bytes: usize) -> Self {
        let kept = Kept {
            texts: HashMap::new(),
            order: VecDeque::new(),
            bytes: 0,
            limit_bytes,
        };
        Self {
            kept: Mutex::new(kept),
        }
    }

    /// `CLASS` with the parts of `reply`. A list of properties has too many forms to keep them.
    ///
    /// # Errors
    /// `CIM_ERR_FAILED` when a value has a character that XML 1.0 cannot carry.
    pub(super) fn text(&self, reply: &ClassReply) -> Result<Bytes> {
        if reply.select.properties.is_some() {
            return encode_class_reply(reply);
        }
        let form = Form {
            class: Arc::as_ptr(&reply.class).addr(),
            local_only: reply.select.local_only,
            qualifiers: reply.select.qualifiers,
            class_origin: reply.select.class_origin,
        };
        let find = |kept: &mut Kept| kept.texts.get(&form).map(|(_, text)| text.clone());
        if let Some(text) = self.with(find) {
            return Ok(text);
        }
        let text = encode_class_reply(reply)?;
        let class = Arc::downgrade(&reply.class);
        self.with(|kept| kept.enter(form, class, text.clone()));
        Ok(text)
    }

    fn with<T>(&self, work: impl FnOnce(&mut Kept) -> T) -> T {
        work(&mut self.kept.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Kept {
    /// Keeps `text`, and of the others as many of the newest as there is room for.
    fn enter(&mut self, form: Form, class: Weak<Class>, text: Bytes) {
        // Two requests may have made it at the same time.
        if text.len() > self.limit_bytes || self.texts.contains_key(&form) {
            return;
        }
        self.bytes += text.len();
        while self.bytes > self.limit_bytes {
            let oldest = self.order.pop_front();
            let gone = oldest.and_then(|form| self.texts.remove(&form));
            self.bytes -= gone.map_or(0, |(_, text)| text.len());
        }
        self.order.push_back(form);
        self.texts.insert(form, (class, text));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::ClassSelect;
    use crate::testing;

    fn reply(name: &str, local_only: bool) -> ClassReply {
        let select = ClassSelect {
            local_only,
            ..ClassSelect::default()
        };
        ClassReply {
            class: testing::empty_class(name),
            select,
        }
    }

    #[test]
    fn a_text_is_made_once() {
        let texts = ClassTexts::default();
        let wanted = reply("JW_One", true);
        let first = texts.text(&wanted).expect("a text");
        let again = texts.text(&wanted).expect("the same text");
        assert_eq!(first.as_ptr(), again.as_ptr(), "it was made anew");
    }

    #[test]
    fn another_form_or_another_class_of_the_name_is_another_text() {
        let texts = ClassTexts::default();
        let wanted = reply("JW_One", true);
        let other_form = ClassReply {
            select: reply("JW_One", false).select,
            ..wanted.clone()
        };
        let first = texts.text(&wanted).expect("a text");
        for other in [other_form, reply("JW_One", true)] {
            let other = texts.text(&other).expect("a text");
            assert_ne!(first.as_ptr(), other.as_ptr(), "it is not the same");
        }
    }

    #[test]
    fn what_is_kept_has_a_limit() {
        let all: Vec<_> = (0..100).map(|_| reply("JW_One", true)).collect();
        let one = encode_class_reply(&all[0]).expect("a text").len();
        let texts = ClassTexts::with_limit(3 * one);
        let texts_of = |reply| texts.text(reply).expect("a text").as_ptr();
        for reply in &all {
            texts_of(reply);
        }
        let (count, bytes) = texts.with(|kept| (kept.texts.len(), kept.bytes));
        assert_eq!((count, bytes), (3, 3 * one), "three have room");
        let newest = texts_of(&all[99]);
        assert_eq!(newest, texts_of(&all[99]), "the newest are kept");
        let none = ClassTexts::with_limit(one - 1);
        none.text(&all[0]).expect("a text all the same");
        assert_eq!(none.with(|kept| kept.texts.len()), 0, "one has no room");
    }
}
