//! A query made ready: which class to look in, what to ask of each instance, what to show of it.

use std::cmp::Ordering;
use std::sync::Arc;

use crate::model::{CimError, CimName, CimValue, Class, Instance, Keys, Literal as Written};

use super::ast::{Comparator, Condition, Item, Literal, Operand, Path, Select};
use super::compare;
use super::compiled::{Term, Test};
use super::error::{Fault, Located, QueryError};
use super::eval::{Circumstances, Frame};
use super::language::Language;
use super::parser;
use super::projection::Projection;
use super::resolve::{Classes, Named, Object, Resolver, conjuncts};
use super::truth::Truth;

/// The properties of an indication that hold the instance it tells of.
const SOURCES: [&str; 2] = ["SourceInstance", "PreviousInstance"];

/// A query of WQL or CQL, checked against the schema.
#[derive(Debug, Clone)]
pub struct Query {
    /// The class after `FROM`; instances of its subclasses are meant too.
    pub class: Arc<Class>,
    /// What is shown of an instance.
    pub projection: Projection,
    /// `DISTINCT`: equal rows once only.
    pub distinct: bool,
    /// `FIRST n`: so many rows at most.
    pub first: Option<u64>,
    /// The key properties that the condition binds to one value each. Where they are all the keys
    /// of the class, there is at most one instance to look at.
    pub keys: Keys,
    /// Where the object is an indication: the classes to one of which the instance that it tells of
    /// belongs where the condition holds; `None` when it may be of any.
    pub sources: Option<Vec<CimName>>,
    /// The properties that condition, order and select list look at; `None` for all.
    pub needs: Option<Vec<CimName>>,
    condition: Option<Test>,
    order: Vec<(Term, bool)>,
}

impl Query {
    /// The query that a client sent with the name of its language.
    ///
    /// # Errors
    /// `QUERY_LANGUAGE_NOT_SUPPORTED`, `INVALID_QUERY` with the place of the mistake, or
    /// `QUERY_FEATURE_NOT_SUPPORTED` for what is right and not done here.
    pub fn given(language: &str, text: &str, classes: &dyn Classes) -> Result<Self, CimError> {
        let language = Language::of_query(language)?;
        Ok(Self::compile(language, text, classes)?)
    }

    /// The query that `text` is in `language`, which is one of [`Language::OF_QUERIES`].
    ///
    /// # Errors
    /// What is wrong with it, and where.
    pub fn compile(
        language: Language,
        text: &str,
        classes: &dyn Classes,
    ) -> Result<Self, QueryError> {
        let compiled =
            parser::select(text, language).and_then(|select| planned(&select, language, classes));
        compiled.map_err(|fault| fault.within(text))
    }

    /// What the condition is in `instance`, which is of the class of the query.
    pub fn truth(&self, instance: &Instance, circumstances: Circumstances<'_>) -> Truth {
        let frame = Frame::new(instance, circumstances);
        self.condition
            .as_ref()
            .map_or(Truth::True, |test| test.truth(&frame))
    }

    /// Whether `instance` is selected: it is of the class and the condition is true.
    pub fn selects(&self, instance: &Instance, circumstances: Circumstances<'_>) -> bool {
        instance.class.is_a(self.class.name.as_str()) && self.truth(instance, circumstances).holds()
    }

    /// Whether the rows have an order.
    pub fn is_ordered(&self) -> bool {
        !self.order.is_empty()
    }

    /// The values that the rows are ordered by.
    pub fn order_of(&self, instance: &Instance, circumstances: Circumstances<'_>) -> Vec<CimValue> {
        let frame = Frame::new(instance, circumstances);
        let values = self.order.iter().map(|(term, _)| term.value(&frame));
        values.map(std::borrow::Cow::into_owned).collect()
    }

    /// The order of two rows, by what [`Self::order_of`] gave for them.
    pub fn compared(&self, left: &[CimValue], right: &[CimValue]) -> Ordering {
        let sides = self.order.iter().zip(left.iter().zip(right));
        let orders = sides.map(|((_, descending), (left, right))| {
            let order = compare::sorted(left, right);
            if *descending { order.reverse() } else { order }
        });
        orders.fold(Ordering::Equal, Ordering::then)
    }
}

/// A filter of a pulled operation (FQL), checked against the class that is enumerated.
#[derive(Debug, Clone)]
pub struct Filter(Test);

impl Filter {
    /// The filter that a client sent as FilterQueryLanguage and FilterQuery; `None` when it sent
    /// neither. `class` is the class that instances are of, `None` when it may be any.
    ///
    /// # Errors
    /// `INVALID_PARAMETER` for one without the other, `QUERY_LANGUAGE_NOT_SUPPORTED`,
    /// `INVALID_QUERY` with the place of the mistake, or `QUERY_FEATURE_NOT_SUPPORTED`.
    pub fn given(
        language: Option<&str>,
        text: Option<&str>,
        class: Option<&Arc<Class>>,
        classes: &dyn Classes,
    ) -> Result<Option<Self>, CimError> {
        let Some((language, text)) = Self::asked(language, text)? else {
            return Ok(None);
        };
        Language::of_filter(language)?;
        Ok(Some(Self::compile(text, class, classes)?))
    }

    /// The language and the text of a filter, when a client sent both.
    ///
    /// # Errors
    /// `INVALID_PARAMETER` for one without the other.
    pub fn asked<'a>(
        language: Option<&'a str>,
        text: Option<&'a str>,
    ) -> Result<Option<(&'a str, &'a str)>, CimError> {
        match (language, text) {
            (None, None) => Ok(None),
            (Some(language), Some(text)) => Ok(Some((language, text))),
            (Some(_), None) => Err(CimError::invalid_parameter(
                "FilterQueryLanguage is given without FilterQuery",
            )),
            (None, Some(_)) => Err(CimError::invalid_parameter(
                "FilterQuery is given without FilterQueryLanguage",
            )),
        }
    }

    /// The filter that `text` is in FQL.
    ///
    /// # Errors
    /// What is wrong with it, and where.
    pub fn compile(
        text: &str,
        class: Option<&Arc<Class>>,
        classes: &dyn Classes,
    ) -> Result<Self, QueryError> {
        let object = Object {
            class: class.cloned(),
            names: Vec::new(),
        };
        let mut resolver = Resolver::new(Language::Fql, classes, object);
        let compiled = parser::filter(text).and_then(|condition| resolver.condition(&condition));
        compiled.map(Self).map_err(|fault| fault.within(text))
    }

    /// Whether `instance` passes.
    pub fn selects(&self, instance: &Instance, circumstances: Circumstances<'_>) -> bool {
        self.0.truth(&Frame::new(instance, circumstances)).holds()
    }
}

fn planned(select: &Select, language: Language, classes: &dyn Classes) -> Result<Query, Located> {
    let class = classes
        .class(&select.from)
        .ok_or_else(|| Fault::Class(select.from.clone()).at(select.at.0))?;
    let names = [Some(&select.from), select.alias.as_ref()];
    let object = Object {
        class: Some(class.clone()),
        names: names.into_iter().flatten().cloned().collect(),
    };
    let mut resolver = Resolver::new(language, classes, object);
    let conditions = select.condition.as_ref();
    if let Some(condition) = conditions {
        resolver.learn(condition);
    }
    let projection = projection(&mut resolver, &select.items)?;
    let condition = conditions
        .map(|condition| resolver.condition(condition))
        .transpose()?;
    let order = order(&mut resolver, select)?;
    let whole = resolver.used_whole || projection == Projection::All;
    Ok(Query {
        keys: conditions.map_or_else(Keys::default, |c| keys(&resolver, &class, c)),
        sources: conditions.and_then(|c| resolver.one_of(&SOURCES.map(CimName::of), c)),
        needs: (!whole).then(|| distinct(&resolver.used)),
        class,
        projection,
        distinct: select.distinct,
        first: select.first,
        condition,
        order,
    })
}

fn distinct(names: &[CimName]) -> Vec<CimName> {
    let mut found: Vec<CimName> = Vec::new();
    for name in names {
        if !found.contains(name) {
            found.push(name.clone());
        }
    }
    found
}

fn projection(resolver: &mut Resolver<'_>, items: &[Item]) -> Result<Projection, Located> {
    let mut projection = Projection::Properties(Vec::new());
    for item in items {
        match item {
            Item::All => projection = Projection::All,
            Item::AllOf(path) => projection.add(&selected(resolver, path)?),
            // WMI clients ask for the class of a row, which every row says anyway.
            Item::Property(Path(steps))
                if resolver.language == Language::Wql
                    && matches!(steps.as_slice(), [only] if only.name.is("__CLASS")) => {}
            Item::Property(path) => match selected(resolver, path)?.as_slice() {
                [] => {
                    let feature = "the object itself in the select list; say * for its properties";
                    return Err(Fault::Feature(feature).at(path.at()));
                }
                names => projection.add(names),
            },
        }
    }
    Ok(projection)
}

/// The names of the properties that a path of the select list leads through.
fn selected(resolver: &mut Resolver<'_>, path: &Path) -> Result<Vec<CimName>, Located> {
    if let Some(step) = path.0.iter().find(|step| step.index.is_some()) {
        return Err(Fault::Feature("single entries of arrays in the select list").at(step.at.0));
    }
    let whole = resolver.used_whole;
    let found = resolver.path(path)?;
    resolver.used_whole = whole;
    match found.term {
        Term::Route(route) => Ok(route.hops.into_iter().map(|hop| hop.name).collect()),
        Term::Value(_) | Term::Call(_, _) | Term::Concatenation(_) => {
            Err(Fault::Feature("functions in the select list").at(path.at()))
        }
    }
}

fn order(resolver: &mut Resolver<'_>, select: &Select) -> Result<Vec<(Term, bool)>, Located> {
    let mut order = Vec::with_capacity(select.order.len());
    for entry in &select.order {
        let found = resolver.path(&entry.path)?;
        if found.shape.is_array == Some(true) {
            let text = "ORDER BY needs a property that is no array".to_owned();
            return Err(Fault::Shape(text).at(entry.path.at()));
        }
        order.push((found.term, entry.descending));
    }
    Ok(order)
}

/// The keys that `condition` binds to one value each.
fn keys(resolver: &Resolver<'_>, class: &Class, condition: &Condition) -> Keys {
    let mut keys = Keys::default();
    for part in conjuncts(condition) {
        let Condition::Compare {
            left,
            op: Comparator::Equal,
            right,
            ..
        } = part
        else {
            continue;
        };
        let bound =
            bound(resolver, class, left, right).or_else(|| bound(resolver, class, right, left));
        if let Some((name, value)) = bound
            && keys.get(name.as_str()).is_none()
        {
            keys.push(name, value);
        }
    }
    keys
}

fn bound(
    resolver: &Resolver<'_>,
    class: &Class,
    property: &Operand,
    value: &Operand,
) -> Option<(CimName, CimValue)> {
    let Named::Property(name) = resolver.single(property)? else {
        return None;
    };
    let Operand::Literal(literal, _) = value else {
        return None;
    };
    let key = class.key_properties().find(|key| key.name == name)?;
    let written = match literal {
        Literal::Text(text) => Written::Quoted(text.as_str().into()),
        Literal::Integer(number) => Written::Integer(*number),
        Literal::Boolean(value) => Written::Boolean(*value),
        Literal::Real(_) | Literal::Null => return None,
    };
    // Paths compare by more than their text: references are looked for and not looked up.
    let value = written.resolve(key.slot.ty, false).ok()?;
    value
        .as_reference()
        .is_none()
        .then(|| (key.name.clone(), value))
}
