//! A change of a schema: declarations are put or dropped together, all of them or none.
//!
//! Only what is touched is judged anew: the classes that were put, their subclasses, and everything
//! when a qualifier declaration changes. What stays the same stays the same value in memory.

use std::collections::HashSet;
use std::sync::Arc;

use crate::model::{CimName, Class, ClassDecl, Element, Embedding, NameMap, QualifierDecl, Slot};

use super::error::{DeclError, DeclErrorKind};
use super::known::Vocabulary;
use super::parent::Parent;
use super::structure::same_structure;
use super::{INHERITANCE_LIMIT, Schema, resolve};

/// One declaration that is put or dropped.
#[derive(Debug, Clone, PartialEq)]
pub enum Edit {
    /// A class, new or in the place of one of the same name.
    Class(ClassDecl),
    /// A qualifier declaration, new or in the place of one of the same name.
    Qualifier(QualifierDecl),
    /// The class of this name goes.
    DropClass(CimName),
    /// The qualifier declaration of this name goes.
    DropQualifier(CimName),
}

/// A schema after a change, and what the change did.
#[derive(Debug)]
pub struct Edited {
    /// The schema.
    pub schema: Schema,
    /// Qualifier declarations that differ from before.
    qualifiers: Vec<Edit>,
    /// Classes that were put and differ from before.
    pub written: Vec<Arc<Class>>,
    /// Classes that were there and mean something else now: another structure, another rule. That
    /// only their descriptions changed does not count.
    pub restructured: Vec<Arc<Class>>,
    /// Classes that are gone, as they were.
    pub dropped: Vec<Arc<Class>>,
}

impl Edited {
    /// What differs from before, in a form that gives the same schema when it is put again; nothing
    /// when nothing does.
    pub fn changes(&self) -> Vec<Edit> {
        let written = self.written.iter();
        let written = written.map(|class| Edit::Class(self.schema.declaration(class)));
        let dropped = self.dropped.iter();
        let dropped = dropped.map(|class| Edit::DropClass(class.name.clone()));
        let qualifiers = self.qualifiers.iter().cloned();
        qualifiers.chain(written).chain(dropped).collect()
    }
}

impl Schema {
    /// This schema after `edits`. Where the same name is put twice the last one holds.
    ///
    /// # Errors
    /// Every fault of every declaration that had to be judged; nothing is changed then.
    pub fn edited(&self, edits: Vec<Edit>) -> Result<Edited, Vec<DeclError>> {
        let (draft, written) = Draft::new(self, edits);
        let mut errors = Vec::new();
        let built = draft.build(written, &mut errors);
        let classes = draft.classes(&built);
        if !errors.is_empty() {
            return Err(errors);
        }
        Ok(draft.finish(classes))
    }
}

/// What is written of the classes that are put, in their order; it is used up class by class.
type Written = Vec<Option<ClassDecl>>;

/// What is wrong with one class.
struct Faults<'a> {
    name: &'a CimName,
    own: Vec<DeclError>,
    /// Classes that it names and that do not exist.
    targets: Vec<DeclError>,
}

impl<'a> Faults<'a> {
    fn of(name: &'a CimName) -> Self {
        Self {
            name,
            own: Vec::new(),
            targets: Vec::new(),
        }
    }

    fn any(self) -> Option<Self> {
        let is_sound = self.own.is_empty() && self.targets.is_empty();
        (!is_sound).then_some(self)
    }
}

/// A schema in the making.
struct Draft<'a> {
    old: &'a Schema,
    /// The classes that are put, each with its superclass.
    put: NameMap<Option<CimName>>,
    dropped: HashSet<CimName>,
    qualifiers: NameMap<QualifierDecl>,
    changed_qualifiers: Vec<Edit>,
    /// A qualifier declaration that classes may use changed: every class is judged again.
    everything: bool,
}

impl<'a> Draft<'a> {
    fn new(old: &'a Schema, edits: Vec<Edit>) -> (Self, Written) {
        let mut written = Written::new();
        let mut draft = Self {
            old,
            put: NameMap::new(),
            dropped: HashSet::new(),
            qualifiers: NameMap::new(),
            changed_qualifiers: Vec::new(),
            everything: false,
        };
        let mut declared: NameMap<QualifierDecl> = NameMap::new();
        let mut undeclared = HashSet::new();
        for edit in edits {
            match edit {
                Edit::Class(decl) => {
                    let superclass = decl.superclass.clone();
                    draft.put.insert(decl.name.clone(), superclass);
                    let slot = draft.put.slot_under(&decl.name).unwrap_or_default();
                    written.resize_with(draft.put.len(), || None);
                    written[slot] = Some(decl);
                }
                Edit::DropClass(name) => {
                    draft.dropped.insert(name);
                }
                Edit::Qualifier(decl) => {
                    declared.insert(decl.name.clone(), decl);
                }
                Edit::DropQualifier(name) => {
                    undeclared.insert(name);
                }
            }
        }
        for known in old.qualifiers() {
            match declared.get(known.name.as_str()) {
                None if undeclared.contains(&known.name) => {
                    let name = known.name.clone();
                    draft.changed_qualifiers.push(Edit::DropQualifier(name));
                    draft.everything = true;
                }
                None => draft.keep(known.clone()),
                Some(new) if new == known => draft.keep(known.clone()),
                Some(new) => {
                    draft.declare(new.clone());
                    draft.everything = true;
                }
            }
        }
        for new in declared.values() {
            if !draft.qualifiers.contains(new.name.as_str()) {
                draft.declare(new.clone());
            }
        }
        (draft, written)
    }

    fn keep(&mut self, decl: QualifierDecl) {
        self.qualifiers.insert(decl.name.clone(), decl);
    }

    fn declare(&mut self, decl: QualifierDecl) {
        self.changed_qualifiers.push(Edit::Qualifier(decl.clone()));
        self.keep(decl);
    }

    /// The names of all classes there will be: those there are in their order, then the new ones.
    fn names(&self) -> impl Iterator<Item = &CimName> {
        let kept = self.old.classes().map(|class| &class.name);
        let kept =
            kept.filter(|name| !self.dropped.contains(*name) || self.put.under(name).is_some());
        let new = self.put.names();
        kept.chain(new.filter(|name| self.old.class(name.as_str()).is_none()))
    }

    /// Whether there will be a class of this name.
    fn exists(&self, name: &CimName) -> bool {
        let is_kept = || self.old.class(name.as_str()).is_some() && !self.dropped.contains(name);
        self.put.under(name).is_some() || is_kept()
    }

    /// The superclass that the class `name` says it has.
    fn superclass(&self, name: &CimName) -> Option<&CimName> {
        match self.put.under(name) {
            Some(superclass) => superclass.as_ref(),
            None => self.old.class(name.as_str())?.superclass(),
        }
    }

    /// Every class that has a sound line of ancestors, judged where it has to be.
    ///
    /// Classes are taken as they come, superclasses before them where they come later: that is near
    /// to the order in which they were written, so that what is read next is next in memory.
    fn build(&self, mut written: Written, errors: &mut Vec<DeclError>) -> NameMap<Parent> {
        let names = self.sound(errors);
        let vocabulary = Vocabulary::new(&self.qualifiers);
        let mut built: NameMap<Parent> = NameMap::with_capacity(names.len());
        let mut faults = Vec::new();
        let mut line = Vec::new();
        for name in names {
            let mut at = Some(name);
            while let Some(name) = at.filter(|name| built.under(name).is_none()) {
                line.push(name);
                at = self.superclass(name);
            }
            while let Some(name) = line.pop() {
                let put = self.put.slot_under(name);
                let put = put.and_then(|slot| written.get_mut(slot)?.take());
                let superclass = self.superclass(name);
                let parent = superclass.and_then(|name| built.under(name));
                if superclass.is_some() && parent.is_none() {
                    continue; // the fault is reported where it is: at the superclass
                }
                let mut found = Faults::of(name);
                if let Some(class) = self.class(name, put, parent, &vocabulary, &mut found) {
                    built.insert(name.clone(), Parent::new(class));
                }
                faults.extend(found.any());
            }
        }
        self.report(faults, errors);
        built
    }

    /// Adds faults in an order that does not depend on that of the work: superclasses come first,
    /// and all that names what does not exist comes last.
    fn report(&self, mut faults: Vec<Faults<'_>>, errors: &mut Vec<DeclError>) {
        if faults.is_empty() {
            return;
        }
        let places: NameMap<usize> = self.names().cloned().zip(0..).collect();
        faults.sort_by_cached_key(|faults| places.under(faults.name).copied());
        let targets: Vec<_> = faults
            .iter_mut()
            .flat_map(|f| f.targets.drain(..))
            .collect();
        faults.sort_by_cached_key(|faults| self.depth(faults.name).unwrap_or(INHERITANCE_LIMIT));
        errors.extend(faults.into_iter().flat_map(|faults| faults.own));
        errors.extend(targets);
    }

    fn class(
        &self,
        name: &CimName,
        put: Option<ClassDecl>,
        parent: Option<&Parent>,
        vocabulary: &Vocabulary<'_>,
        faults: &mut Faults<'_>,
    ) -> Option<Arc<Class>> {
        let old = self.old.class(name.as_str());
        let decl = match (put, old) {
            (Some(decl), _) => decl,
            (None, Some(old)) if !self.everything && !self.is_touched(parent) => {
                // Only what has gone can be missing.
                if !self.dropped.is_empty() {
                    targets_exist(old, |name| self.exists(name), &mut faults.targets);
                }
                return Some(old.clone());
            }
            (None, Some(old)) => self.old.declaration(old),
            (None, None) => return None,
        };
        let new = resolve::class(decl, parent, vocabulary, &mut faults.own);
        targets_exist(&new, |name| self.exists(name), &mut faults.targets);
        match old {
            Some(old) if **old == new => Some(old.clone()),
            Some(_) | None => Some(Arc::new(new)),
        }
    }

    /// Whether the class was made anew.
    fn is_touched(&self, parent: Option<&Parent>) -> bool {
        parent.is_some_and(|parent| {
            let old = self.old.class(parent.class.name.as_str());
            old.is_none_or(|old| !Arc::ptr_eq(old, &parent.class))
        })
    }

    /// The classes that have a sound line of ancestors; the others are reported.
    fn sound(&self, errors: &mut Vec<DeclError>) -> Vec<&CimName> {
        let is_sound = |name: &&CimName| match self.depth(name) {
            Ok(_) => true,
            Err(kind) => {
                let element = of_class((*name).clone());
                errors.push(DeclError { element, kind });
                false
            }
        };
        self.names().filter(is_sound).collect()
    }

    fn depth(&self, name: &CimName) -> Result<usize, DeclErrorKind> {
        let mut at = name;
        for depth in 0..=INHERITANCE_LIMIT {
            let Some(above) = self.superclass(at) else {
                return Ok(depth);
            };
            if above == name {
                return Err(DeclErrorKind::Cycle);
            }
            if !self.exists(above) {
                return Err(DeclErrorKind::Superclass(above.clone()));
            }
            at = above;
        }
        Err(DeclErrorKind::TooDeep(INHERITANCE_LIMIT))
    }

    fn classes(&self, built: &NameMap<Parent>) -> NameMap<Arc<Class>> {
        self.names()
            .filter_map(|name| Some((name.clone(), built.under(name)?.class.clone())))
            .collect()
    }

    fn finish(self, classes: NameMap<Arc<Class>>) -> Edited {
        let schema = Schema::new(classes, self.qualifiers);
        let (mut written, mut restructured) = (Vec::new(), Vec::new());
        for class in schema.classes() {
            let old = self.old.class(class.name.as_str());
            if old.is_some_and(|old| Arc::ptr_eq(old, class)) {
                continue;
            }
            if self.put.under(&class.name).is_some() {
                written.push(class.clone());
            }
            if old.is_some_and(|old| !same_structure(old, class)) {
                restructured.push(class.clone());
            }
        }
        let gone = self.old.classes();
        let gone = gone.filter(|class| schema.class(class.name.as_str()).is_none());
        let dropped = gone.cloned().collect();
        Edited {
            schema,
            qualifiers: self.changed_qualifiers,
            written,
            restructured,
            dropped,
        }
    }
}

pub(super) fn of_class(owner: CimName) -> Element {
    Element {
        owner,
        feature: None,
        parameter: None,
        qualifier: None,
    }
}

/// The classes that own references and embedded instances name must exist.
fn targets_exist(class: &Class, exists: impl Fn(&CimName) -> bool, errors: &mut Vec<DeclError>) {
    let mut judge = |slot: &Slot, feature: &CimName, parameter: Option<&CimName>| {
        let kind = match (&slot.reference_class, &slot.embedding) {
            (Some(target), _) if !exists(target) => DeclErrorKind::ReferenceClass(target.clone()),
            (_, Some(Embedding::Instance(target))) if !exists(target) => {
                DeclErrorKind::EmbeddedClass(target.to_string())
            }
            (Some(_) | None, Some(_) | None) => return,
        };
        let element = Element {
            owner: class.name.clone(),
            feature: Some(feature.clone()),
            parameter: parameter.cloned(),
            qualifier: None,
        };
        errors.push(DeclError { element, kind });
    };
    let own = class.properties.values().filter(|own| !own.propagated);
    for property in own {
        judge(&property.slot, &property.name, None);
    }
    for method in class.methods.values().filter(|own| !own.propagated) {
        for parameter in method.parameters.values() {
            judge(&parameter.slot, &method.name, Some(&parameter.name));
        }
        if let Some(returns) = &method.returns {
            judge(returns, &method.name, None);
        }
    }
}
