//! A class as its subclasses see it: what they inherit is made once and shared by all of them.

use std::cell::OnceCell;
use std::sync::Arc;

use crate::model::{Class, Method, NameMap, Property};

/// A finished class with its heritage, which is made when the first subclass asks for it.
pub(super) struct Parent {
    pub class: Arc<Class>,
    properties: OnceCell<NameMap<Arc<Property>>>,
    methods: OnceCell<NameMap<Arc<Method>>>,
}

impl Parent {
    pub(super) fn new(class: Arc<Class>) -> Self {
        Self {
            class,
            properties: OnceCell::new(),
            methods: OnceCell::new(),
        }
    }

    /// The properties that a subclass starts with.
    pub(super) fn properties(&self) -> &NameMap<Arc<Property>> {
        let take = |property: &Arc<Property>| {
            let mut property = property.clone();
            if !property.propagated {
                Arc::make_mut(&mut property).propagated = true;
            }
            property
        };
        self.properties
            .get_or_init(|| self.class.properties.map_values(0, take))
    }

    /// The methods that a subclass starts with.
    pub(super) fn methods(&self) -> &NameMap<Arc<Method>> {
        let take = |method: &Arc<Method>| {
            let mut method = method.clone();
            if !method.propagated {
                Arc::make_mut(&mut method).propagated = true;
            }
            method
        };
        self.methods
            .get_or_init(|| self.class.methods.map_values(0, take))
    }
}
