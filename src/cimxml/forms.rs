//! How the instances of a list are written: what all instances of a class have in common is made
//! once, so that an instance costs little more than the bytes of its values.

use std::sync::Arc;

use bytes::BytesMut;

use crate::model::{CimName, CimType, Class, Instance, Namespace, Property};
use crate::ops::{Object, Select};

use super::known_forms::KnownForms;
use super::writer::{Written, markup};
use super::{path_writer, value_writer};

/// Classes whose forms are kept at a time; a list whose instances are of more makes some again.
const CLASSES: usize = 32;

/// The forms of the instances of one list.
#[derive(Debug)]
pub struct Forms {
    select: Select,
    /// Where they are kept beyond this list, unless it wants some of the properties alone.
    known: Option<KnownForms>,
    classes: Vec<Arc<Form>>,
    /// The namespace of the last absolute path with the element that says where it is.
    place: Option<(Namespace, BytesMut)>,
}

/// The form of the instances of one class.
#[derive(Debug)]
pub(super) struct Form {
    class: Arc<Class>,
    /// The start tag of `INSTANCENAME`.
    name: BytesMut,
    keys: Vec<Part>,
    /// The start tag of `INSTANCE`.
    instance: BytesMut,
    properties: Vec<Part>,
}

/// A key or a property: its value stands between `before` and `after`.
#[derive(Debug)]
struct Part {
    slot: usize,
    /// For errors.
    name: CimName,
    before: BytesMut,
    after: BytesMut,
    /// What is written instead where there is no value; `None` where there must be one.
    null: Option<BytesMut>,
    manner: Manner,
}

/// What stands between.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Manner {
    /// The text of the value.
    Content,
    /// The value with an element of its own: a reference or an array.
    Element,
    /// Nothing: the property cannot be read and is shown as NULL.
    Nothing,
}

impl Forms {
    /// Forms with what `select` wants.
    pub fn new(select: Select) -> Self {
        Self {
            select,
            known: None,
            classes: Vec::new(),
            place: None,
        }
    }

    /// The same, with those that `known` has or shall have.
    pub(super) fn with_known(select: Select, known: Option<&KnownForms>) -> Self {
        let known = known.filter(|_| is_usual(&select));
        Self {
            known: known.cloned(),
            ..Self::new(select)
        }
    }

    /// `INSTANCE`, as the module for values writes one.
    pub(super) fn instance(&mut self, out: &mut BytesMut, instance: &Instance) -> Written {
        self.of(&instance.class).instance(out, instance)
    }

    /// `INSTANCENAME` of the path of `instance`.
    pub(super) fn name(&mut self, out: &mut BytesMut, instance: &Instance) -> Written {
        let form = self.of(&instance.class);
        element(out, &form.name, &form.keys, instance)?;
        markup(out, "</INSTANCENAME>");
        Ok(())
    }

    /// `INSTANCEPATH` of `object` on the server that its client calls `host`: the same one for all
    /// objects of the list.
    pub(super) fn path(&mut self, out: &mut BytesMut, host: &str, object: &Object) -> Written {
        markup(out, "<INSTANCEPATH>");
        match &self.place {
            Some((namespace, element)) if namespace.as_str() == object.namespace.as_str() => {
                out.extend_from_slice(element);
            }
            Some(_) | None => {
                let mut element = BytesMut::new();
                path_writer::namespace_path(&mut element, host, &object.namespace)?;
                out.extend_from_slice(&element);
                self.place = Some((object.namespace.clone(), element));
            }
        }
        self.name(out, &object.instance)?;
        markup(out, "</INSTANCEPATH>");
        Ok(())
    }

    /// The form of the instances of `class`. A class that was changed meanwhile is another one.
    fn of(&mut self, class: &Arc<Class>) -> &Form {
        let is_its = |form: &Arc<Form>| Arc::ptr_eq(&form.class, class);
        let at = self.classes.iter().position(is_its).unwrap_or_else(|| {
            if self.classes.len() == CLASSES {
                self.classes.remove(0);
            }
            self.classes.push(match &self.known {
                Some(known) => known.of(class),
                None => Arc::new(Form::new(class, &self.select)),
            });
            self.classes.len() - 1
        });
        &self.classes[at]
    }
}

/// Whether `select` wants what is usual: all properties, without their origins.
fn is_usual(select: &Select) -> bool {
    select.properties.is_none() && !select.class_origin
}

/// `INSTANCE` of an instance that stands alone, as [`Forms::instance`] writes those of a list.
pub(super) fn instance(
    out: &mut BytesMut,
    instance: &Instance,
    select: &Select,
    known: Option<&KnownForms>,
) -> Written {
    match known.filter(|_| is_usual(select)) {
        Some(known) => known.of(&instance.class).instance(out, instance),
        None => value_writer::instance(out, instance, select),
    }
}

/// The start tag `open` and what stands in its element.
fn element(out: &mut BytesMut, open: &[u8], parts: &[Part], instance: &Instance) -> Written {
    out.extend_from_slice(open);
    parts.iter().try_for_each(|part| part.write(out, instance))
}

impl Form {
    /// The form of the instances of `class` with what `select` wants.
    pub(super) fn new(class: &Arc<Class>, select: &Select) -> Self {
        let (mut name, mut instance) = (BytesMut::new(), BytesMut::new());
        path_writer::open_instance_name(&mut name, &class.name);
        value_writer::open_instance(&mut instance, class);
        let properties = class.properties.values().enumerate();
        let wanted = properties.filter(|(_, property)| select.wants(&property.name));
        let keys = class.keys.iter();
        let keys = keys.filter_map(|slot| Some((*slot, class.properties.at(*slot)?)));
        Self {
            name,
            keys: keys.map(|(slot, key)| Part::key(slot, key)).collect(),
            instance,
            properties: wanted
                .map(|(slot, property)| Part::property(slot, property, select.class_origin))
                .collect(),
            class: class.clone(),
        }
    }

    fn instance(&self, out: &mut BytesMut, instance: &Instance) -> Written {
        element(out, &self.instance, &self.properties, instance)?;
        markup(out, "</INSTANCE>");
        Ok(())
    }
}

impl Part {
    fn key(slot: usize, key: &Property) -> Self {
        let (mut before, mut after) = (BytesMut::new(), BytesMut::new());
        path_writer::open_key_binding(&mut before, &key.name);
        let manner = if key.slot.ty == CimType::Reference {
            Manner::Element
        } else {
            path_writer::open_key_value(&mut before, key.slot.ty);
            markup(&mut after, "</KEYVALUE>");
            Manner::Content
        };
        markup(&mut after, "</KEYBINDING>");
        Self {
            slot,
            name: key.name.clone(),
            before,
            after,
            null: None,
            manner,
        }
    }

    fn property(slot: usize, property: &Property, class_origin: bool) -> Self {
        let (mut before, mut after) = (BytesMut::new(), BytesMut::new());
        let mut null = BytesMut::new();
        value_writer::open_property(&mut before, property, class_origin, false);
        value_writer::open_property(&mut null, property, class_origin, true);
        value_writer::close_property(&mut null, property);
        let manner = match property.slot.ty {
            _ if !property.read => Manner::Nothing,
            CimType::Reference => Manner::Element,
            _ if property.slot.is_array => Manner::Element,
            _ => {
                markup(&mut before, "<VALUE>");
                markup(&mut after, "</VALUE>");
                Manner::Content
            }
        };
        value_writer::close_property(&mut after, property);
        Self {
            slot,
            name: property.name.clone(),
            before,
            after,
            null: Some(null),
            manner,
        }
    }

    fn write(&self, out: &mut BytesMut, instance: &Instance) -> Written {
        let held = match self.manner {
            Manner::Nothing => None,
            Manner::Content | Manner::Element => instance.at(self.slot),
        };
        let Some(held) = held.filter(|held| !held.is_null()) else {
            let missing = || path_writer::missing_key().within(&self.name);
            let null = self.null.as_ref().ok_or_else(missing)?;
            out.extend_from_slice(null);
            return Ok(());
        };
        out.extend_from_slice(&self.before);
        let written = match self.manner {
            Manner::Content => value_writer::content(out, held),
            Manner::Element | Manner::Nothing => value_writer::value(out, held),
        };
        written.map_err(|error| error.within(&self.name))?;
        out.extend_from_slice(&self.after);
        Ok(())
    }
}
