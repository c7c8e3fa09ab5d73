//! What clients create, completed and judged: the rules of each kind of object that no qualifier of
//! the schema states.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use uuid::Uuid;

use crate::model::{
    CimError, CimValue, ClassKind, Instance, InstancePath, Namespace, ObjectPath, Result, Status,
};
use crate::provider::StreamId;
use crate::query::Query;
use crate::schema::Schema;

use super::destination::Destination;
use super::key::{Home, Key, Kind, SYSTEM};
use super::ledger::{Held, Ledger, Made, Owner};
use super::settings::Settings;
use super::terms::Terms;
use super::watch::{Asked, Hearer, Rights, Subscriber, selected};

/// Gives the schema of a namespace, as it is at the moment.
pub type Schemas = Arc<dyn Fn(&Namespace) -> Option<Arc<Schema>> + Send + Sync>;

/// Most namespaces that one filter may name.
const SOURCES_LIMIT: usize = 64;

/// What objects are made with.
#[derive(Clone)]
pub struct Workshop {
    /// The schemas of all namespaces.
    pub schemas: Schemas,
    /// The namespace that the objects live in.
    pub home: Home,
    /// The name of the system that they belong to.
    pub host: Arc<str>,
    /// What accounts may hear of.
    pub rights: Rights,
}

impl Workshop {
    /// The schema of the namespace that the objects live in.
    ///
    /// # Errors
    /// When the namespace is gone.
    pub fn schema(&self) -> Result<Arc<Schema>> {
        let missing = || CimError::failed(format!("there is no namespace {}", self.home.name));
        (self.schemas)(&self.home.name).ok_or_else(missing)
    }

    /// What an object is found by.
    pub fn key(&self, instance: &Instance) -> Result<Key> {
        let path = instance.path(&self.home.name);
        let none = || CimError::invalid_parameter(format!("{path} is no path of such an object"));
        self.home.key(&*self.schema()?, &path).ok_or_else(none)
    }

    /// Gives a new object what its client left to the server, in the key above all.
    ///
    /// # Errors
    /// `INVALID_PARAMETER` for keys that contradict the class or that the server cannot choose.
    pub fn complete(&self, kind: Kind, instance: &mut Instance) -> Result<()> {
        match kind {
            Kind::Filter => {
                self.name(instance, "filter")?;
                let has_source = !instance.value("SourceNamespaces").is_null()
                    || !instance.value("SourceNamespace").is_null();
                if !has_source {
                    let own = vec![CimValue::string(self.home.name.as_str())];
                    instance.set("SourceNamespaces", CimValue::Array(own))?;
                }
                Ok(())
            }
            Kind::Destination => {
                self.name(instance, "destination")?;
                fallback(instance, "PersistenceType", CimValue::Uint16(PERMANENT))
            }
            Kind::Collection => {
                let id = format!("JW:collection:{}", Uuid::now_v7());
                fallback(instance, "InstanceID", CimValue::string(id))
            }
            Kind::Member => self.straighten(instance, &["Collection", "Member"]),
            Kind::Subscription => self.straighten(instance, &["Filter", "Handler"]),
            Kind::Service => Ok(()),
        }
    }

    /// The four keys of what a system has.
    fn name(&self, instance: &mut Instance, what: &str) -> Result<()> {
        let class = instance.class.name.clone();
        let given = instance.value("CreationClassName").as_str();
        if given.is_some_and(|given| !class.is(given)) {
            let text = format!("CreationClassName: an instance of {class} is created");
            return Err(CimError::invalid_parameter(text));
        }
        instance.set("CreationClassName", CimValue::string(class.as_str()))?;
        fallback(
            instance,
            "SystemCreationClassName",
            CimValue::string(SYSTEM),
        )?;
        fallback(instance, "SystemName", CimValue::string(self.host.clone()))?;
        if instance.value("Name").as_str() == Some("") {
            return Err(CimError::invalid_parameter("Name: the name is empty"));
        }
        let name = format!("JW:{what}:{}", Uuid::now_v7());
        fallback(instance, "Name", CimValue::string(name))
    }

    /// Writes references as every reader gets them: without host, the namespace by its own name.
    fn straighten(&self, instance: &mut Instance, names: &[&str]) -> Result<()> {
        let schema = self.schema()?;
        for name in names {
            let path = self.end(&schema, instance, name)?;
            let reference: ObjectPath = path.into();
            instance.set(name, CimValue::Reference(Box::new(reference)))?;
        }
        Ok(())
    }

    fn end(&self, schema: &Schema, instance: &Instance, name: &str) -> Result<InstancePath> {
        let class = &instance.class.name;
        let missing = || CimError::invalid_parameter(format!("{class}.{name}: no value is given"));
        let reference = instance.value(name).as_reference().ok_or_else(missing)?;
        let foreign = || {
            let home = &self.home.name;
            CimError::not_found(format!("{name}: {reference} is no object of {home}"))
        };
        self.home.path(schema, reference).ok_or_else(foreign)
    }

    /// What the server makes of a complete object.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn made(
        &self,
        ledger: &Ledger,
        kind: Kind,
        instance: &Instance,
        owner: Option<&Owner>,
    ) -> Result<Made> {
        match kind {
            Kind::Filter => Ok(Made::Filter(self.queries(instance)?)),
            Kind::Collection => Ok(Made::Collection),
            Kind::Destination => destination(instance),
            Kind::Member => {
                let collection = self.target(ledger, instance, "Collection", owner)?;
                let filter = self.target(ledger, instance, "Member", owner)?;
                let fits = (collection.key.kind(), filter.key.kind());
                if fits != (Kind::Collection, Kind::Filter) {
                    let text = "Member: a collection of filters has filters as its members";
                    return Err(CimError::invalid_parameter(text));
                }
                if collection.owner.is_none() && owner.is_some() {
                    let text = "Collection: the members of this collection are fixed";
                    return Err(CimError::not_supported(text));
                }
                Ok(Made::Member {
                    collection: collection.key.clone(),
                    filter: filter.key.clone(),
                })
            }
            Kind::Subscription => self.subscription(ledger, instance, owner),
            Kind::Service => Ok(Made::Service(Settings::of(instance)?)),
        }
    }

    fn subscription(
        &self,
        ledger: &Ledger,
        instance: &Instance,
        owner: Option<&Owner>,
    ) -> Result<Made> {
        let filter = self.target(ledger, instance, "Filter", owner)?;
        let handler = self.target(ledger, instance, "Handler", owner)?;
        let Made::Destination { stream, .. } = &handler.made else {
            let text = format!("Handler: {} is no destination", handler.instance.class.name);
            return Err(CimError::invalid_parameter(text));
        };
        let alone = filter.instance.value("IndividualSubscriptionSupported");
        if alone.as_bool() == Some(false) {
            let text = "Filter: this filter can be subscribed to through its collections only";
            return Err(CimError::failed(text));
        }
        let terms = Terms::of(instance)?;
        let hearer = owner.map(|owner| Hearer {
            name: owner.name.clone(),
            rights: self.rights.clone(),
        });
        let subscriber = Subscriber::new(*stream, terms.until, terms.repeat, hearer);
        Ok(Made::Subscription {
            filter: filter.key.clone(),
            handler: handler.key.clone(),
            terms,
            subscriber: Arc::new(subscriber),
        })
    }

    /// The object that a reference names, where `owner` may know of it.
    fn target<'a>(
        &self,
        ledger: &'a Ledger,
        instance: &Instance,
        name: &str,
        owner: Option<&Owner>,
    ) -> Result<&'a Held> {
        let schema = self.schema()?;
        let path = self.end(&schema, instance, name)?;
        let held = self
            .home
            .key(&schema, &path)
            .and_then(|key| ledger.get(&key));
        let visible = held.filter(|held| match (owner, &held.owner) {
            (None, _) | (_, None) => true,
            (Some(owner), Some(theirs)) => owner.sees_all || owner.name == theirs.name,
        });
        let missing = || CimError::not_found(format!("{name}: there is no {path}"));
        visible.map(|held| &**held).ok_or_else(missing)
    }

    /// The query of a filter, compiled for every namespace it is asked in.
    fn queries(&self, filter: &Instance) -> Result<Vec<Asked>> {
        let mut queries = BTreeMap::new();
        for namespace in self.sources(filter)? {
            queries.insert(namespace.clone(), self.asked(filter, namespace)?);
        }
        Ok(queries.into_values().collect())
    }

    /// The same for a filter that was right when it was made: where its class or its namespace is gone it
    /// selects nothing, which the log says, until a start finds both again.
    pub fn usable_queries(&self, filter: &Instance) -> Vec<Asked> {
        let sources = self.sources(filter).unwrap_or_default();
        let unique: BTreeSet<Namespace> = sources.into_iter().collect();
        let usable = unique.into_iter().filter_map(|namespace| {
            let asked = self.asked(filter, namespace.clone());
            let tell = |error: &CimError| {
                let name = filter.value("Name").as_str().unwrap_or_default();
                tracing::warn!(%error, filter = name, %namespace, "a filter selects nothing here");
            };
            asked.inspect_err(tell).ok()
        });
        usable.collect()
    }

    fn asked(&self, filter: &Instance, namespace: Namespace) -> Result<Asked> {
        let text = |name: &str| filter.value(name).as_str().unwrap_or_default();
        let (query, language) = (text("Query"), text("QueryLanguage"));
        let missing = || {
            let text = format!("SourceNamespaces: there is no namespace {namespace}");
            CimError::invalid_parameter(text)
        };
        let schema = (self.schemas)(&namespace).ok_or_else(missing)?;
        let compiled = Query::given(language, query, &*schema).map_err(|e| refused(&e))?;
        if compiled.class.kind != ClassKind::Indication {
            let text = format!("Query: {} is no class of indications", compiled.class.name);
            return Err(CimError::invalid_parameter(text));
        }
        Ok(Asked {
            kinds: selected(&compiled.class, &schema),
            query: Arc::new(compiled),
            namespace,
        })
    }

    fn sources(&self, filter: &Instance) -> Result<Vec<Namespace>> {
        let many = filter.value("SourceNamespaces").as_array();
        let one = filter.value("SourceNamespace");
        let named = many.unwrap_or(std::slice::from_ref(one)).iter();
        let named = named.filter_map(CimValue::as_str);
        let namespaces: Vec<Namespace> = named
            .map(|name| {
                let wrong = |_| {
                    let text = format!("SourceNamespaces: {name:?} is no name of a namespace");
                    CimError::invalid_parameter(text)
                };
                let namespace = Namespace::new(name).map_err(wrong)?;
                let is_home = self.home.aliases.contains(&namespace);
                Ok(if is_home {
                    self.home.name.clone()
                } else {
                    namespace
                })
            })
            .collect::<Result<_>>()?;
        match namespaces.len() {
            0 => Err(CimError::invalid_parameter(
                "SourceNamespaces: it names none",
            )),
            1..=SOURCES_LIMIT => Ok(namespaces),
            _ => Err(CimError::invalid_parameter(format!(
                "SourceNamespaces: more than {SOURCES_LIMIT} namespaces"
            ))),
        }
    }
}

/// `PersistenceType` 2.
const PERMANENT: u16 = 2;

fn fallback(instance: &mut Instance, name: &str, value: CimValue) -> Result<()> {
    if instance.value(name).is_null() {
        instance.set(name, value)?;
    }
    Ok(())
}

/// A query that cannot be used makes the filter wrong: a value of one of its properties is.
fn refused(error: &CimError) -> CimError {
    let is_language = error.status == Status::QueryLanguageNotSupported;
    let property = if is_language {
        "QueryLanguage"
    } else {
        "Query"
    };
    CimError::invalid_parameter(format!("{property}: {}", error.description))
}

fn destination(instance: &Instance) -> Result<Made> {
    let other = |value: &str, text: &str| -> Result<()> {
        let is_other = instance.value(value).as_integer() == Some(1);
        if is_other == instance.value(text).is_null() {
            let text = format!("{text}: it stands where {value} is 1 (Other), and only there");
            return Err(CimError::invalid_parameter(text));
        }
        Ok(())
    };
    other("PersistenceType", "OtherPersistenceType")?;
    other("Protocol", "OtherProtocol")?;
    let made = Destination::new(instance)?;
    let protocol = instance.value("Protocol").as_integer();
    if protocol.is_some_and(|protocol| protocol != made.protocol()) {
        let class = &instance.class.name;
        let text = format!("Protocol: a {class} has the value {}", made.protocol());
        return Err(CimError::invalid_parameter(text));
    }
    Ok(Made::Destination {
        destination: made,
        // The queue is made when the destination is committed.
        stream: StreamId(0),
    })
}
