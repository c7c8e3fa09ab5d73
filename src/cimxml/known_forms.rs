//! Forms of the classes whose instances were written lately, for all answers of a server: most are about
//! few classes, and all properties of them.

use std::collections::HashMap;
use std::sync::Arc;

use arc_swap::ArcSwap;
use foldhash::fast::RandomState;

use crate::model::Class;
use crate::ops::Select;

use super::forms::Form;

/// Classes whose forms are kept; then all are forgotten.
const LIMIT: usize = 128;
/// The most properties of a class whose form is kept: with [`LIMIT`] it bounds the memory.
const PROPERTIES_LIMIT: usize = 256;

/// Forms with all properties and without their origins; clones share them.
#[derive(Debug, Clone, Default)]
pub struct KnownForms {
    // Read by every answer, written by the first one about a class.
    forms: Arc<ArcSwap<ByClass>>,
}

/// Forms by where their classes lie in memory: each holds its class, so that no other one lies there.
type ByClass = HashMap<usize, Arc<Form>, RandomState>;

impl KnownForms {
    /// The form of the instances of `class`. A class that clients have changed is another one.
    pub(super) fn of(&self, class: &Arc<Class>) -> Arc<Form> {
        let place = Arc::as_ptr(class).addr();
        if let Some(form) = self.forms.load().get(&place) {
            return form.clone();
        }
        let form = Arc::new(Form::new(class, &Select::default()));
        if class.properties.len() > PROPERTIES_LIMIT {
            return form;
        }
        self.forms.rcu(|known| {
            let mut forms = if known.len() < LIMIT {
                ByClass::clone(known)
            } else {
                ByClass::default()
            };
            forms.insert(place, form.clone());
            forms
        });
        form
    }
}
