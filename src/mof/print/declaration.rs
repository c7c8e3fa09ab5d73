//! The layout of declarations: qualifier declarations, classes, instances.

use std::fmt;

use crate::model::{
    CimName, CimType, ClassDecl, Element, FlavorUse, InstanceDecl, Literal, MethodDecl, Namespace,
    ParameterDecl, PropertyDecl, QualifierDecl, QualifierUse, Scope, TypeDecl,
};

use super::super::compilation::{AliasUse, MofInstance};
use super::super::literal::quoted;
use super::lines::{Lines, STEP, flat};
use super::shape::Shape;

/// Writes declarations one behind the other.
#[derive(Debug, Default)]
pub struct Printer {
    lines: Lines,
    losses: Vec<Loss>,
}

/// A value that MOF has no form for; the text has NULL, or less, in its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Loss {
    /// The element that the value belongs to.
    pub element: Element,
    /// What is lost.
    pub what: String,
}

impl fmt::Display for Loss {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.element, self.what)
    }
}

impl Printer {
    /// A printer that has written nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// The text, and what could not be said in it.
    pub fn finish(self) -> (String, Vec<Loss>) {
        (self.lines.into_text(), self.losses)
    }

    /// `#pragma namespace`: what follows is for that namespace.
    pub fn namespace(&mut self, namespace: &Namespace) {
        self.separate();
        let text = quoted(namespace.as_str());
        self.lines.put(&format!("#pragma namespace ({text})"));
        self.lines.line(0);
    }

    /// An empty line before everything but the first declaration.
    fn separate(&mut self) {
        if !self.lines.is_empty() {
            self.lines.line(0);
        }
    }

    fn shape(&mut self, literal: &Literal, ty: Option<CimType>, element: &Element) -> Shape {
        let mut lost = Vec::new();
        let shape = Shape::of(literal, ty, &mut lost);
        self.lost(lost, element);
        shape
    }

    fn lost(&mut self, lost: Vec<String>, element: &Element) {
        self.losses.extend(lost.into_iter().map(|what| Loss {
            element: element.clone(),
            what,
        }));
    }

    /// A qualifier declaration.
    pub fn qualifier(&mut self, decl: &QualifierDecl) {
        self.separate();
        let ty = TypeDecl {
            is_array: decl.is_array,
            array_size: decl.array_size,
            ..TypeDecl::scalar(decl.ty)
        };
        let head = format!("Qualifier {} : {ty}", decl.name);
        self.lines.put(&head);
        if !decl.default.is_null() {
            let mut lost = Vec::new();
            let shape = Shape::of_value(&decl.default, &mut lost);
            self.lost(lost, &element(&decl.name, None));
            self.initial(&shape, STEP);
        }
        self.lines.put(",");
        self.lines.line(STEP);
        self.lines.put(&format!("Scope({})", scopes(decl.scope)));
        let flavor = FlavorUse {
            overridable: Some(decl.flavor.overridable),
            to_subclass: Some(decl.flavor.to_subclass),
            translatable: Some(decl.flavor.translatable),
            to_instance: Some(decl.flavor.to_instance),
        };
        self.lines.put(",");
        self.lines.line(STEP);
        self.lines
            .put(&format!("Flavor({});", flavors(flavor).join(", ")));
        self.lines.line(0);
    }

    /// A class with what it declares itself: inherited elements are left out.
    pub fn class(&mut self, decl: &ClassDecl) {
        self.separate();
        self.qualifiers(&decl.qualifiers, &element(&decl.name, None), 0);
        self.lines.put(&format!("class {}", decl.name));
        if let Some(superclass) = &decl.superclass {
            self.lines.put(&format!(" : {superclass}"));
        }
        self.lines.put(" {");
        self.lines.line(0);
        for property in decl.properties.iter().filter(|p| !p.propagated) {
            self.property(property, &decl.name);
        }
        for method in decl.methods.iter().filter(|m| !m.propagated) {
            self.method(method, &decl.name);
        }
        self.lines.put("};");
        self.lines.line(0);
    }

    fn property(&mut self, decl: &PropertyDecl, class: &CimName) {
        self.lines.line(STEP);
        let element = element(class, Some(&decl.name));
        self.qualifiers(&decl.qualifiers, &element, STEP);
        self.lines.put(&typed(&decl.ty, &decl.name));
        if let Some(literal) = &decl.default {
            let shape = self.shape(literal, Some(decl.ty.ty), &element);
            self.initial(&shape, 2 * STEP);
        }
        self.lines.put(";");
        self.lines.line(0);
    }

    /// `= value`, broken at `indent` when it is long.
    fn initial(&mut self, shape: &Shape, indent: usize) {
        match shape {
            Shape::List(_) => self.lines.value(" = {", shape, "}", indent),
            Shape::Token(_) | Shape::Text(_) => self.lines.value(" = ", shape, "", indent),
        }
    }

    fn method(&mut self, decl: &MethodDecl, class: &CimName) {
        self.lines.line(STEP);
        let of_method = element(class, Some(&decl.name));
        self.qualifiers(&decl.qualifiers, &of_method, STEP);
        let returns = decl.returns.map_or("void", CimType::as_str);
        self.lines.put(&format!("{returns} {}(", decl.name));
        for (at, parameter) in decl.parameters.iter().enumerate() {
            if at > 0 {
                self.lines.put(",");
            }
            self.lines.line(2 * STEP);
            self.parameter(parameter, &of_method);
        }
        self.lines.put(");");
        self.lines.line(0);
    }

    fn parameter(&mut self, decl: &ParameterDecl, method: &Element) {
        let element = Element {
            parameter: Some(decl.name.clone()),
            ..method.clone()
        };
        self.qualifiers(&decl.qualifiers, &element, 2 * STEP);
        self.lines.put(&typed(&decl.ty, &decl.name));
    }

    /// The list of qualifiers before what starts at column `indent`, in lines of its own.
    fn qualifiers(&mut self, uses: &[QualifierUse], element: &Element, indent: usize) {
        let written: Vec<_> = uses.iter().filter(|used| !used.propagated).collect();
        for (at, used) in written.iter().enumerate() {
            let before = if at == 0 { "[" } else { " " };
            let end = if at + 1 < written.len() { "," } else { "]" };
            self.used(before, used, end, element, indent);
        }
        if !written.is_empty() {
            self.lines.line(indent);
        }
    }

    /// One qualifier between `before` and `end`: in this line if it fits, else from a new one on.
    fn used(
        &mut self,
        before: &str,
        used: &QualifierUse,
        end: &str,
        element: &Element,
        indent: usize,
    ) {
        let element = Element {
            qualifier: Some(used.name.clone()),
            ..element.clone()
        };
        let value = used.value.as_ref();
        let shape = value.map(|literal| self.shape(literal, used.ty, &element));
        let mut flavors = flavors(used.flavor).join(" ");
        if !flavors.is_empty() {
            flavors.insert_str(0, " : ");
        }
        let tail = flavors + end;
        let flat = shape.as_ref().map_or(Some(String::new()), |shape| {
            let (open, close) = brackets(shape);
            Some(format!("{open}{}{close}", flat(shape)?))
        });
        let flat = flat.map(|value| format!("{before}{}{value}{tail}", used.name));
        if let Some(flat) = flat.filter(|flat| self.lines.fits(flat)) {
            self.lines.put(&flat);
            return;
        }
        if before == " " {
            self.lines.line(indent);
        }
        self.lines.put(before);
        self.lines.put(used.name.as_str());
        if let Some(shape) = &shape {
            let (open, close) = brackets(shape);
            self.lines.value(open, shape, close, indent + STEP);
        }
        self.lines.put(&tail);
    }

    /// An instance whose values name no other instance by an alias.
    pub fn instance(&mut self, decl: &InstanceDecl) {
        self.instance_of(decl, None, &[]);
    }

    /// An instance as a compilation has it, with its aliases.
    pub fn mof_instance(&mut self, instance: &MofInstance) {
        let alias = instance.alias.as_ref();
        self.instance_of(&instance.decl, alias, &instance.references);
    }

    fn instance_of(
        &mut self,
        decl: &InstanceDecl,
        alias: Option<&CimName>,
        references: &[AliasUse],
    ) {
        self.separate();
        self.lines.put(&format!("instance of {}", decl.class));
        if let Some(alias) = alias {
            self.lines.put(&format!(" as ${alias}"));
        }
        self.lines.put(" {");
        for (at, property) in decl.properties.iter().enumerate() {
            self.lines.line(STEP);
            self.lines.put(property.name.as_str());
            let element = element(&decl.class, Some(&property.name));
            let mut shape = self.shape(&property.value, property.ty, &element);
            for reference in references.iter().filter(|used| used.property == at) {
                name_instance(&mut shape, reference);
            }
            self.initial(&shape, 2 * STEP);
            self.lines.put(";");
        }
        self.lines.line(0);
        self.lines.put("};");
        self.lines.line(0);
    }
}

/// Puts the alias into the place of the NULL that stands for it.
fn name_instance(shape: &mut Shape, reference: &AliasUse) {
    let place = match (&mut *shape, reference.entry) {
        (Shape::List(entries), Some(at)) => entries.get_mut(at),
        (_, _) => Some(shape),
    };
    if let Some(place) = place {
        *place = Shape::token(format!("${}", reference.alias));
    }
}

/// What stands around the value of a qualifier.
fn brackets(value: &Shape) -> (&'static str, &'static str) {
    match value {
        Shape::List(_) => ("{", "}"),
        Shape::Token(_) | Shape::Text(_) => ("(", ")"),
    }
}

fn element(owner: &CimName, feature: Option<&CimName>) -> Element {
    Element {
        owner: owner.clone(),
        feature: feature.cloned(),
        parameter: None,
        qualifier: None,
    }
}

/// `type name`, with the brackets of an array behind the name.
fn typed(ty: &TypeDecl, name: &CimName) -> String {
    let before = match &ty.reference_class {
        Some(class) => format!("{class} REF {name}"),
        None => format!("{} {name}", ty.ty),
    };
    match (ty.is_array, ty.array_size) {
        (false, _) => before,
        (true, None) => before + "[]",
        (true, Some(size)) => format!("{before}[{size}]"),
    }
}

fn scopes(scope: Scope) -> String {
    if scope == Scope::ANY {
        return "any".to_owned();
    }
    let named = Scope::NAMED
        .iter()
        .filter(|(_, kind)| scope.contains(*kind));
    named.map(|(name, _)| *name).collect::<Vec<_>>().join(", ")
}

/// The words of what is said of flavors; that a value is not translatable has none.
fn flavors(flavor: FlavorUse) -> Vec<&'static str> {
    let word = |on, yes, no| if on { yes } else { no };
    let overridable = flavor
        .overridable
        .map(|on| word(on, "EnableOverride", "DisableOverride"));
    let to_subclass = flavor
        .to_subclass
        .map(|on| word(on, "ToSubclass", "Restricted"));
    let translatable = (flavor.translatable == Some(true)).then_some("Translatable");
    let to_instance = (flavor.to_instance == Some(true)).then_some("ToInstance");
    [overridable, to_subclass, translatable, to_instance]
        .into_iter()
        .flatten()
        .collect()
}
