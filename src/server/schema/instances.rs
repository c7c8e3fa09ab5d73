//! The instances of texts, checked against their classes.

use std::collections::{HashMap, HashSet};

use crate::model::{CimName, ClassDecl, Element, Namespace, nearest};
use crate::mof::{Compilation, Diagnostic, MofInstance, embedded_instance};
use crate::schema::{
    Builder, DeclError, DeclErrorKind, Declared, InstanceFault, InstanceFaultKind, Reference,
    Schema, declared_instances,
};

use super::judge::Remark;
use super::scene::{Place, Scene, owner};

/// How often a faulty schema is made smaller before its instances are left unjudged.
const REPAIRS_LIMIT: usize = 32;

/// `instance`, as `schema` judges it.
pub(super) fn declared<'a>(
    instance: &'a MofInstance,
    schema: &'a Schema,
    namespace: &'a Namespace,
) -> Declared<'a> {
    let references = instance.references.iter().map(|used| Reference {
        property: used.property,
        entry: used.entry,
        alias: &used.alias,
    });
    Declared {
        schema,
        namespace,
        decl: &instance.decl,
        alias: instance.alias.as_ref(),
        references: references.collect(),
    }
}

/// The schema of a scene as far as it is sound.
struct Sound {
    schema: Schema,
    /// The classes of which something was taken away.
    weakened: HashSet<CimName>,
}

/// An instance with where it stands.
struct Placed<'a> {
    scene: usize,
    number: usize,
    instance: &'a MofInstance,
}

/// What is wrong with the instances of all scenes; they may name one another across namespaces.
pub(super) fn remarks(scenes: &[Scene<'_>], given: &[Compilation]) -> Vec<Remark> {
    let mut placed = Vec::new();
    for (scene, one) in scenes.iter().enumerate() {
        for (number, batch) in one.given() {
            placed.extend(batch.instances.iter().map(|instance| Placed {
                scene,
                number: *number,
                instance,
            }));
        }
    }
    if placed.is_empty() {
        return Vec::new();
    }
    placed.sort_by_key(|one| (one.number, one.instance.span));
    let sound: Vec<Option<Sound>> = scenes.iter().map(sound).collect();
    placed.retain(|one| sound[one.scene].is_some());
    let main = Namespace::of("root/cimv2");
    let all: Vec<Declared<'_>> = placed
        .iter()
        .filter_map(|one| {
            let schema = &sound[one.scene].as_ref()?.schema;
            let namespace = scenes[one.scene].namespace.unwrap_or(&main);
            Some(declared(one.instance, schema, namespace))
        })
        .collect();
    let faults = declared_instances(&all, &embedded_instance).err();
    let faults = faults.unwrap_or_default();
    let told = faults.iter().filter(|(at, fault)| {
        let scene = placed[*at].scene;
        let sound = sound[scene].as_ref();
        sound.is_some_and(|sound| !follows(fault, &placed[*at], &scenes[scene], sound, given))
    });
    told.map(|(at, fault)| remark(*at, fault, &placed, scenes, &sound))
        .collect()
}

/// The schema of the scene; where that has faults, what is left of it without the faulty elements.
fn sound(scene: &Scene<'_>) -> Option<Sound> {
    let (qualifiers, mut classes) = scene.declarations();
    let mut weakened = HashSet::new();
    for _ in 0..REPAIRS_LIMIT {
        let mut builder = Builder::new();
        builder.declare(qualifiers.iter().cloned(), classes.values().cloned());
        let errors = match builder.build() {
            Ok(schema) => return Some(Sound { schema, weakened }),
            Err(errors) => errors,
        };
        for error in &errors {
            weakened.insert(error.element.owner.clone());
            weaken(&mut classes, error);
        }
    }
    None
}

/// Takes away what is at fault.
fn weaken(classes: &mut HashMap<CimName, ClassDecl>, error: &DeclError) {
    let element = &error.element;
    let Some(class) = classes.get_mut(&element.owner) else {
        return;
    };
    let Some(feature) = &element.feature else {
        match &element.qualifier {
            Some(name) => class.qualifiers.retain(|used| used.name != *name),
            None => {
                classes.remove(&element.owner);
            }
        }
        return;
    };
    for property in class.properties.iter_mut().filter(|p| p.name == *feature) {
        match (&element.qualifier, &error.kind) {
            (Some(name), _) => property.qualifiers.retain(|used| used.name != *name),
            (None, DeclErrorKind::Default(_) | DeclErrorKind::DefaultRule(_)) => {
                property.default = None;
            }
            (None, _) => {}
        }
    }
    let of_value = matches!(
        error.kind,
        DeclErrorKind::Default(_) | DeclErrorKind::DefaultRule(_)
    );
    if element.qualifier.is_none() && !of_value {
        class
            .properties
            .retain(|property| property.name != *feature);
    }
    // Methods mean nothing to instances.
    class.methods.retain(|method| method.name != *feature);
}

/// Whether a fault may come only of what could not be read, or of another fault.
fn follows(
    fault: &InstanceFault,
    placed: &Placed<'_>,
    scene: &Scene<'_>,
    sound: &Sound,
    given: &[Compilation],
) -> bool {
    match &fault.kind {
        InstanceFaultKind::UnknownClass(name) => {
            let lost = given.iter().any(|files| files.may_declare(name));
            lost || scene.class(name).is_some()
        }
        InstanceFaultKind::UnknownProperty { class, .. } => {
            let line = scene.ancestors(class);
            let mut line = line.iter().map(|class| &class.name).chain([class]);
            scene.is_broken(class) || line.any(|name| sound.weakened.contains(name))
        }
        InstanceFaultKind::MissingKey(_)
        | InstanceFaultKind::MissingRequired(_)
        | InstanceFaultKind::Duplicate { .. } => placed.instance.broken,
        // The front end has told.
        InstanceFaultKind::UnknownAlias(_) => true,
        InstanceFaultKind::NotCreatable(_)
        | InstanceFaultKind::GivenTwice { .. }
        | InstanceFaultKind::Type { .. }
        | InstanceFaultKind::Rule { .. }
        | InstanceFaultKind::Static { .. }
        | InstanceFaultKind::Embedded { .. }
        | InstanceFaultKind::ReferenceClass { .. }
        | InstanceFaultKind::ReferencePath { .. }
        | InstanceFaultKind::AliasCycle(_) => false,
    }
}

fn remark(
    at: usize,
    fault: &InstanceFault,
    placed: &[Placed<'_>],
    scenes: &[Scene<'_>],
    sound: &[Option<Sound>],
) -> Remark {
    let one = &placed[at];
    let (instance, scene) = (one.instance, &scenes[one.scene]);
    let names = matches!(
        fault.kind,
        InstanceFaultKind::UnknownProperty { .. } | InstanceFaultKind::GivenTwice { .. }
    );
    let span = match fault.property {
        None => instance.span,
        Some(index) if names => instance.name_spans[index],
        Some(index) => instance.value_spans[index],
    };
    let mut diagnostic = Diagnostic::declaration(fault.kind.code(), span, fault.to_string());
    let schema = sound[one.scene].as_ref().map(|sound| &sound.schema);
    let near = match &fault.kind {
        InstanceFaultKind::UnknownClass(name) => nearest(name.as_str(), scene.class_names()),
        InstanceFaultKind::UnknownProperty { class, property } => {
            let class = schema.and_then(|schema| schema.class(class.as_str()));
            let names = class.map(|class| class.properties.names().map(CimName::as_str));
            nearest(property.as_str(), names.into_iter().flatten())
        }
        _ => None,
    };
    diagnostic.hint = match near {
        Some(name) => Some(format!("did you mean `{name}`?").into()),
        None => fault.kind.hint().map(Into::into),
    };
    let place = |index: usize| (placed[index].number, placed[index].instance.span);
    let note = match &fault.kind {
        InstanceFaultKind::Duplicate { first, .. } => Some((place(*first), "the first one")),
        InstanceFaultKind::GivenTwice { first, .. } => {
            let first = (one.number, instance.name_spans[*first]);
            Some((first, "it is given here first"))
        }
        InstanceFaultKind::UnknownProperty { .. } | InstanceFaultKind::NotCreatable(_) => {
            let class = scene.place(&owner(&instance.decl.class));
            class.map(|place| (place, "the class is declared here"))
        }
        InstanceFaultKind::MissingKey(name) | InstanceFaultKind::MissingRequired(name) => {
            property(scene, &instance.decl.class, name)
        }
        _ => fault.property.and_then(|index| {
            let name = &instance.decl.properties[index].name;
            property(scene, &instance.decl.class, name)
        }),
    };
    Remark {
        place: (one.number, span),
        diagnostic,
        note,
    }
}

/// Where the class, or the nearest of its ancestors, declares a property.
fn property(scene: &Scene<'_>, class: &CimName, name: &CimName) -> Option<(Place, &'static str)> {
    let line = scene.class(class).into_iter().chain(scene.ancestors(class));
    let has = |class: &&ClassDecl| {
        class
            .properties
            .iter()
            .any(|property| property.name == *name)
    };
    let declaring = line.into_iter().find(has)?;
    let element = Element {
        feature: Some(name.clone()),
        ..owner(&declaring.name)
    };
    Some((scene.place(&element)?, "the property is declared here"))
}
