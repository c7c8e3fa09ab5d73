//! Paths: from names joined by dots to the slots they lead through.

use std::sync::Arc;

use crate::model::{CimName, Class};

use super::super::ast::{Index, Path, Step};
use super::super::compiled::{Hop, Root, Route, Term};
use super::super::error::{Fault, Located, shortened};
use super::super::function::Function;
use super::super::kind::Kind;
use super::super::language::Language;
use super::scope::Resolver;
use super::shape::Shape;

/// A path, looked up.
pub(in crate::query) struct Found {
    pub term: Term,
    pub shape: Shape,
}

impl Resolver<'_> {
    /// A path where one value or a whole array without brackets is meant.
    pub fn path(&mut self, path: &Path) -> Result<Found, Located> {
        if let Some(step) = path.0.last().filter(|step| step.index == Some(Index::All)) {
            let text = "[*] stands only behind ANY and EVERY".to_owned();
            return Err(Fault::Shape(text).at(step.at.0));
        }
        self.walk(path)
    }

    /// The path of an array that a quantifier goes over; `[*]` behind it says so once more.
    pub fn array(&mut self, path: &Path) -> Result<Found, Located> {
        let found = self.walk(path)?;
        if found.shape.is_array == Some(false) {
            let text = format!("{} is no array", shortened(&path.to_string()));
            return Err(Fault::Shape(text).at(path.at()));
        }
        Ok(found)
    }

    fn walk(&mut self, path: &Path) -> Result<Found, Located> {
        let (root, mut shape, steps) = self.root(path);
        let mut hops = Vec::with_capacity(steps.len());
        for (at, step) in steps.iter().enumerate() {
            let last = at + 1 == steps.len();
            if shape.kind != Kind::Object && shape.kind != Kind::Any {
                let name = steps
                    .get(at.wrapping_sub(1))
                    .map(|step| step.name.to_string());
                let named = name.unwrap_or_else(|| path.to_string());
                return Err(Fault::NotAnObject(shortened(&named)).at(step.at.0));
            }
            if last && self.language == Language::Wql && step.name.is("__CLASS") {
                return Ok(self.class_name(root, hops));
            }
            let (hop, next) = self.step(&shape, step, root == Root::Object && at == 0)?;
            shape = indexed(next, step, last)?;
            hops.push(hop);
        }
        self.use_of(root, &hops);
        let term = Term::Route(Route { root, hops });
        Ok(Found { term, shape })
    }

    /// Where the path begins, and the names that follow.
    fn root<'p>(&self, path: &'p Path) -> (Root, Shape, &'p [Step]) {
        let object = Shape {
            class: self.object.class.clone(),
            ..Shape::scalar(Kind::Object)
        };
        let Some((first, rest)) = path.0.split_first() else {
            return (Root::Object, object, &[]);
        };
        if first.class.is_none() && first.index.is_none() {
            let named = |(name, _): &(Option<CimName>, Shape)| name.as_ref() == Some(&first.name);
            if let Some(number) = self.entries.iter().rposition(named)
                && let Some((_, shape)) = self.entries.get(number)
            {
                return (Root::Entry(number), shape.clone(), rest);
            }
            if self.names_object(&first.name) {
                return (Root::Object, object, rest);
            }
        }
        (Root::Object, object, &path.0)
    }

    /// WMI's name for the class of an object.
    fn class_name(&mut self, root: Root, hops: Vec<Hop>) -> Found {
        self.use_of(root, &hops);
        let object = Term::Route(Route { root, hops });
        Found {
            term: Term::Call(Function::ClassName, vec![object]),
            shape: Shape::scalar(Kind::Text),
        }
    }

    fn use_of(&mut self, root: Root, hops: &[Hop]) {
        match (root, hops.first()) {
            (Root::Entry(_), _) => {}
            (Root::Object, None) => self.used_whole = true,
            (Root::Object, Some(hop)) => self.used.push(hop.name.clone()),
        }
    }

    fn step(&self, object: &Shape, step: &Step, own: bool) -> Result<(Hop, Shape), Located> {
        let name = if own {
            self.spelled(&step.name)
        } else {
            step.name.clone()
        };
        let scope = step.class.as_ref();
        let scope = scope
            .map(|class| self.class(class, step.at.0))
            .transpose()?;
        let class = scope.as_ref().or(object.class.as_ref());
        let (slot, mut shape) = match class {
            Some(class) => self.property(class, &name, step.at.0)?,
            None => (0, Shape::open()),
        };
        if own
            && shape.class.is_none()
            && let Some(known) = self.known_class(&name)
        {
            shape.class = Some(known.clone());
        }
        let hop = Hop {
            class: scope.map(|class| class.name.clone()),
            name,
            slot,
            entry: match step.index {
                Some(Index::Entry(entry)) => Some(entry),
                Some(Index::All) | None => None,
            },
        };
        Ok((hop, shape))
    }

    /// The property `name` of `class` or, when it has none, of its subclasses; what these do not
    /// agree upon is open.
    fn property(
        &self,
        class: &Arc<Class>,
        name: &CimName,
        at: usize,
    ) -> Result<(usize, Shape), Located> {
        let shape_in = |class: &Arc<Class>| {
            let slot = class.properties.slot(name.as_str())?;
            Some((slot, Shape::of_property(class, slot, self.classes)))
        };
        if let Some(found) = shape_in(class) {
            return Ok(found);
        }
        let below = self.classes.subclasses(&class.name);
        let mut found = below.iter().filter_map(shape_in);
        let unknown = || {
            let (name, class) = (name.clone(), class.name.clone());
            Fault::Property { name, class }.at(at)
        };
        let (slot, first) = found.next().ok_or_else(unknown)?;
        let same = |(_, other): &(usize, Shape)| {
            other.kind == first.kind && other.is_array == first.is_array
        };
        let agreed = found.all(|other| same(&other));
        Ok((slot, if agreed { first } else { Shape::open() }))
    }
}

/// The shape of what `step` leads to, with its brackets.
fn indexed(shape: Shape, step: &Step, last: bool) -> Result<Shape, Located> {
    let fault = |text: String| Err(Fault::Shape(text).at(step.at.0));
    match step.index {
        Some(_) if shape.is_array == Some(false) => fault(format!("{} is no array", step.name)),
        Some(Index::All) if !last => fault("[*] stands only at the end of a path".to_owned()),
        Some(Index::Entry(_)) => Ok(shape.entry()),
        None if !last && shape.is_array == Some(true) => fault(format!(
            "{} is an array: an index says which entry is meant",
            step.name
        )),
        Some(Index::All) | None => Ok(shape),
    }
}
