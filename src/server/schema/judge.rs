//! Declarations judged together, namespace by namespace: every fault of all of them, at its place.
//!
//! What a broken text declares is judged as far as it was understood; a fault that may come only of
//! what is missing is not told.

use std::fmt;
use std::sync::{Arc, OnceLock};

use crate::model::{CimName, ClassDecl, Element, Namespace, QualifierUse, nearest};
use crate::mof::{
    Code, Compilation, Diagnostic, Embedded, Limits, Note, Part, ROOTS, Severity, SourceMap,
    compile, render, render_note,
};
use crate::schema::{DeclError, DeclErrorKind};

use super::instances;
use super::scene::{Place, Scene, owner};

/// How many faults are told beside those of the front end.
pub(super) const FAULTS_LIMIT: usize = 1_000;

/// A diagnostic with the texts it points into.
#[derive(Debug, Clone)]
pub struct Finding {
    /// What is wrong; its own note points into the same texts.
    pub diagnostic: Diagnostic,
    /// The texts of the diagnostic.
    pub sources: Arc<SourceMap>,
    /// A note that points into other texts.
    pub elsewhere: Option<(Note, Arc<SourceMap>)>,
}

impl Finding {
    /// Whether it makes the text unusable.
    pub fn is_error(&self) -> bool {
        self.diagnostic.severity == Severity::Error
    }
}

/// As a compiler shows it: the source line with the span marked, the hint, the other place.
impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&render(&self.diagnostic, &self.sources))?;
        match &self.elsewhere {
            Some((note, sources)) => write!(f, "\n{}", render_note(note, sources)),
            None => Ok(()),
        }
    }
}

/// Something said about a place, with another place that belongs to it.
pub(super) struct Remark {
    pub place: Place,
    pub diagnostic: Diagnostic,
    pub note: Option<(Place, &'static str)>,
}

/// On what texts are judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ground {
    /// The classes and qualifiers that the program brings along, for which the texts may have others.
    Embedded,
    /// Nothing.
    Nothing,
}

/// Everything that is wrong with `given`, in the order of the texts.
pub fn judge(given: &[Compilation], ground: Ground) -> Vec<Finding> {
    let namespaces = namespaces(given);
    let bases: Vec<&Compilation> = match ground {
        Ground::Embedded => vec![embedded(false), embedded(true)],
        Ground::Nothing => Vec::new(),
    };
    let scenes: Vec<Scene<'_>> = namespaces
        .iter()
        .map(|namespace| {
            let at = usize::from(namespace.is_some_and(is_interop));
            let base = bases.get(at).map(|base| (given.len() + at, *base));
            Scene::new(*namespace, given, base)
        })
        .collect();
    let mut faults = Vec::new();
    for scene in &scenes {
        let errors = scene.builder().build().err().unwrap_or_default();
        let told = errors.iter().filter(|error| !follows(error, scene, given));
        faults.extend(
            told.take(FAULTS_LIMIT)
                .filter_map(|error| remark(error, scene)),
        );
    }
    faults.extend(instances::remarks(&scenes, given));
    limit(&mut faults);
    told(faults, given, &bases)
}

/// What is wrong with the texts as texts, whatever they declare.
pub(super) fn front_end(given: &[Compilation]) -> Vec<Finding> {
    told(Vec::new(), given, &[])
}

/// The diagnostics of `given` and `faults`, in the order of the texts.
fn told(faults: Vec<Remark>, given: &[Compilation], bases: &[&Compilation]) -> Vec<Finding> {
    let mut remarks = faults;
    for (number, compilation) in given.iter().enumerate() {
        remarks.extend(compilation.diagnostics.iter().map(|found| Remark {
            place: (number, found.span),
            diagnostic: found.clone(),
            note: None,
        }));
    }
    remarks.sort_by_key(|remark| remark.place);
    let all = given.iter().chain(bases.iter().copied());
    let sources: Vec<_> = all.map(|files| Arc::new(files.sources.clone())).collect();
    remarks
        .into_iter()
        .map(|remark| finding(remark, &sources))
        .collect()
}

/// The namespaces that texts name, each once.
fn namespaces(given: &[Compilation]) -> Vec<Option<&Namespace>> {
    let mut names = Vec::new();
    for batch in given.iter().flat_map(|files| &files.batches) {
        let name = batch.namespace.as_ref();
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names
}

/// The embedded MOF: that of interop has the classes of the main namespace too.
fn embedded(of_interop: bool) -> &'static Compilation {
    static MAIN: OnceLock<Compilation> = OnceLock::new();
    static INTEROP: OnceLock<Compilation> = OnceLock::new();
    if of_interop {
        INTEROP.get_or_init(|| compile(&ROOTS, &Embedded, Limits::default()))
    } else {
        MAIN.get_or_init(|| compile(&ROOTS[..1], &Embedded, Limits::default()))
    }
}

fn is_interop(namespace: &Namespace) -> bool {
    let name = namespace.as_str();
    name.eq_ignore_ascii_case("interop") || name.eq_ignore_ascii_case("root/interop")
}

/// Whether a fault may come only of what could not be read, or of another fault.
fn follows(error: &DeclError, scene: &Scene<'_>, given: &[Compilation]) -> bool {
    let lost = |name: &CimName| given.iter().any(|files| files.may_declare(name));
    let class = || scene.class(&error.element.owner);
    match &error.kind {
        DeclErrorKind::UndeclaredQualifier => error.element.qualifier.as_ref().is_some_and(lost),
        // A class further up says so itself.
        DeclErrorKind::Superclass(name) => {
            lost(name) || class().is_some_and(|class| class.superclass.as_ref() != Some(name))
        }
        DeclErrorKind::TooDeep(limit) => {
            let superclass = class().and_then(|class| class.superclass.as_ref());
            superclass.is_some_and(|name| scene.ancestors(name).len() > *limit)
        }
        DeclErrorKind::ReferenceClass(name) => lost(name),
        DeclErrorKind::EmbeddedClass(name) => CimName::new(name).is_ok_and(|name| lost(&name)),
        DeclErrorKind::FewReferences | DeclErrorKind::OverridesNothing(_) => {
            scene.is_broken(&error.element.owner)
        }
        // The qualifier is there and has a fault of its own.
        DeclErrorKind::MissingOverride(_) => {
            class().is_some_and(|class| says(feature(class, &error.element), "Override"))
        }
        DeclErrorKind::ReferenceOutsideAssociation => class().is_some_and(|class| {
            let line = scene.ancestors(&class.name);
            let mut line = line.into_iter().chain([class]);
            line.any(|class| says(&class.qualifiers, "Association"))
        }),
        DeclErrorKind::Scope(_)
        | DeclErrorKind::QualifierValue(_)
        | DeclErrorKind::QualifierType { .. }
        | DeclErrorKind::DisableOverride
        | DeclErrorKind::LoosenedFlavor
        | DeclErrorKind::Rule(_)
        | DeclErrorKind::Duplicate
        | DeclErrorKind::TerminalSuperclass(_)
        | DeclErrorKind::Cycle
        | DeclErrorKind::OverrideType { .. }
        | DeclErrorKind::AddedKey
        | DeclErrorKind::ReferenceArray
        | DeclErrorKind::Default(_)
        | DeclErrorKind::DefaultRule(_) => false,
    }
}

fn says(uses: &[QualifierUse], qualifier: &str) -> bool {
    uses.iter().any(|used| used.name.is(qualifier))
}

/// The qualifiers of the property or method that `element` is, or is in.
fn feature<'a>(class: &'a ClassDecl, element: &Element) -> &'a [QualifierUse] {
    let Some(name) = &element.feature else {
        return &class.qualifiers;
    };
    let property = class
        .properties
        .iter()
        .find(|property| property.name == *name);
    let method = || class.methods.iter().find(|method| method.name == *name);
    let property = property.map(|property| property.qualifiers.as_slice());
    property
        .or_else(|| method().map(|method| method.qualifiers.as_slice()))
        .unwrap_or_default()
}

/// `error` at its place, with the other place that belongs to it.
fn remark(error: &DeclError, scene: &Scene<'_>) -> Option<Remark> {
    let places = scene.places(&error.element);
    let mut note = None;
    let place = if let (DeclErrorKind::Duplicate, [first, .., last]) = (&error.kind, &places[..]) {
        // Of two declarations of one name, the second is the mistake.
        note = Some((*first, "it is declared here first"));
        *last
    } else {
        let (element, part) = marked(error);
        let place = scene.place_of(&element, part);
        place.or_else(|| scene.anywhere())?
    };
    let span = place.1;
    let mut diagnostic = Diagnostic::declaration(error.kind.code(), span, error.to_string());
    diagnostic.hint = match meant(error, scene) {
        Some(name) => Some(format!("did you mean `{name}`?").into()),
        None => error.kind.hint().map(Into::into),
    };
    let related = || {
        let (element, what) = error.related()?;
        Some((scene.place(&element)?, what))
    };
    note = note.or_else(|| inherited(error, scene)).or_else(related);
    Some(Remark {
        place,
        diagnostic,
        note: note.filter(|(other, _)| *other != place),
    })
}

/// What is marked of the element at fault.
fn marked(error: &DeclError) -> (Element, Part) {
    let mut element = error.element.clone();
    let part = match &error.kind {
        DeclErrorKind::Superclass(_)
        | DeclErrorKind::TerminalSuperclass(_)
        | DeclErrorKind::Cycle
        | DeclErrorKind::TooDeep(_)
        | DeclErrorKind::ReferenceClass(_) => Part::Class,
        DeclErrorKind::Default(_) | DeclErrorKind::DefaultRule(_) => Part::Value,
        DeclErrorKind::EmbeddedClass(_) => {
            element.qualifier = Some(CimName::of("EmbeddedInstance"));
            Part::Name
        }
        _ => Part::Name,
    };
    (element, part)
}

/// The name that may have been meant.
fn meant<'a>(error: &DeclError, scene: &Scene<'a>) -> Option<&'a str> {
    match &error.kind {
        DeclErrorKind::UndeclaredQualifier => nearest(
            error.element.qualifier.as_ref()?.as_str(),
            scene.qualifier_names(),
        ),
        DeclErrorKind::Superclass(name) | DeclErrorKind::ReferenceClass(name) => {
            nearest(name.as_str(), scene.class_names())
        }
        DeclErrorKind::EmbeddedClass(name) => nearest(name, scene.class_names()),
        DeclErrorKind::OverridesNothing(name) => {
            let line = scene.ancestors(&error.element.owner).into_iter();
            let names = line.flat_map(|class| {
                let properties = class
                    .properties
                    .iter()
                    .map(|property| property.name.as_str());
                properties.chain(class.methods.iter().map(|method| method.name.as_str()))
            });
            nearest(name, names)
        }
        _ => None,
    }
}

/// The inherited element that a fault is about.
fn inherited(error: &DeclError, scene: &Scene<'_>) -> Option<(Place, &'static str)> {
    let element = &error.element;
    let line = scene.ancestors(&element.owner);
    let of = |class: &ClassDecl| Element {
        owner: class.name.clone(),
        ..element.clone()
    };
    match &error.kind {
        DeclErrorKind::OverrideType { .. } => {
            let name = element.feature.as_ref()?;
            let mut line = line.iter();
            let has = |class: &&&ClassDecl| class.properties.iter().any(|p| p.name == *name);
            Some((scene.place(&of(line.find(has)?))?, "the inherited element"))
        }
        DeclErrorKind::DisableOverride | DeclErrorKind::LoosenedFlavor => {
            let name = element.qualifier.as_ref()?.as_str();
            let mut line = line.iter();
            let class = line.find(|class| says(feature(class, element), name))?;
            Some((scene.place(&of(class))?, "it is inherited from here"))
        }
        DeclErrorKind::AddedKey => line.iter().find_map(|class| {
            let mut properties = class.properties.iter();
            let key = properties.find(|property| says(&property.qualifiers, "Key"))?;
            let key = Element {
                feature: Some(key.name.clone()),
                ..owner(&class.name)
            };
            Some((scene.place(&key)?, "an inherited key"))
        }),
        DeclErrorKind::Cycle => {
            let above = line.first()?;
            Some((scene.place(&owner(&above.name))?, "its superclass"))
        }
        _ => None,
    }
}

/// Keeps as many faults as anybody reads, and says so.
fn limit(faults: &mut Vec<Remark>) {
    let Some(first) = faults.get(FAULTS_LIMIT) else {
        return;
    };
    let place = first.place;
    let message = format!("more than {FAULTS_LIMIT} faults; giving up");
    faults.truncate(FAULTS_LIMIT);
    faults.push(Remark {
        place,
        diagnostic: Diagnostic::new(Code::TooManyDiagnostics, place.1, message),
        note: None,
    });
}

fn finding(remark: Remark, sources: &[Arc<SourceMap>]) -> Finding {
    let Remark {
        place: (number, _),
        mut diagnostic,
        note,
    } = remark;
    let mut elsewhere = None;
    if let Some(((other, span), what)) = note {
        let message = what.to_owned();
        if other == number {
            diagnostic.note = Some(Note { span, message });
        } else {
            elsewhere = Some((Note { span, message }, sources[other].clone()));
        }
    }
    Finding {
        diagnostic,
        sources: sources[number].clone(),
        elsewhere,
    }
}
