//! The namespaces with their schemas while the server runs: read by every request, changed by few.
//!
//! Readers take a snapshot and never wait. Changes happen one after the other: judged, made durable,
//! then shown. While one happens no stored instance is created or changed, so that none is made of a
//! class that is going.

mod judgement;

use std::sync::{Arc, OnceLock, Weak};

use arc_swap::ArcSwap;
use chrono::{DateTime, Utc};
use tokio::sync::{OwnedRwLockReadGuard, OwnedRwLockWriteGuard, RwLock};

use crate::model::{
    CimError, CimName, Class, ClassDecl, Instance, Namespace, QualifierDecl, Result, Status,
};
use crate::ops::BoxFuture;
use crate::schema::{DeclError, DeclErrorKind, Edit, Edited, Schema};

use super::{Change, Context, Mirror, Namespaces, Registry, Served, mirror};

/// Most errors that an answer tells of.
const TOLD_LIMIT: usize = 8;

/// What keeps the changes that clients make to namespaces and their schemas.
pub trait SchemaStore: Send + Sync + 'static {
    /// Makes changes of namespaces durable, and instances of what is declared then, all or nothing.
    ///
    /// # Errors
    /// `ALREADY_EXISTS` for an instance that is there.
    fn change(
        &self,
        changes: Vec<SchemaChange>,
        instances: Vec<NewInstance>,
        now: DateTime<Utc>,
    ) -> BoxFuture<'_, Result<()>>;

    /// Makes a new namespace durable, with the notices of what is `told` of it.
    fn create<'a>(&'a self, namespace: &'a Namespace, told: Told) -> BoxFuture<'a, Result<()>>;

    /// Forgets a namespace, durably, with the notices of what is `told` of it.
    fn delete<'a>(&'a self, namespace: &'a Namespace, told: Told) -> BoxFuture<'a, Result<()>>;
}

/// What others may be told of a namespace that comes or goes.
#[derive(Debug, Clone)]
pub struct Told {
    /// The instances that come or go with it, each in its namespace.
    pub changes: Vec<(Namespace, Change)>,
    /// When.
    pub now: DateTime<Utc>,
}

/// What becomes of the schema of a namespace.
#[derive(Debug, Clone)]
pub struct SchemaChange {
    /// The namespace.
    pub namespace: Namespace,
    /// The declarations that differ from before.
    pub edits: Vec<Edit>,
    /// The same as changes of classes that others may be told of.
    pub classes: Vec<Change>,
}

impl SchemaChange {
    fn of(namespace: &Namespace, before: &Schema, edited: &Edited) -> Self {
        let put = |after: &Arc<Class>| match before.class(after.name.as_str()) {
            Some(before) => Change::ClassModified {
                before: before.clone(),
                after: after.clone(),
            },
            None => Change::ClassCreated(after.clone()),
        };
        let dropped = edited.dropped.iter().cloned().map(Change::ClassDeleted);
        Self {
            namespace: namespace.clone(),
            edits: edited.changes(),
            classes: edited.written.iter().map(put).chain(dropped).collect(),
        }
    }
}

/// An instance that comes with the declarations it needs.
#[derive(Debug, Clone)]
pub struct NewInstance {
    /// Where it goes.
    pub namespace: Namespace,
    /// The schema of that namespace by then.
    pub schema: Arc<Schema>,
    /// The instance, with all its keys.
    pub instance: Instance,
}

/// Why a change of schemas is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refused {
    /// The declarations are not sound: every fault.
    Unsound(Vec<DeclError>),
    /// Something that is there stands against it, or the store.
    Other(CimError),
}

impl From<CimError> for Refused {
    fn from(error: CimError) -> Self {
        Self::Other(error)
    }
}

impl Refused {
    /// The refusal as one error for a client.
    fn into_cim(self) -> CimError {
        match self {
            Self::Unsound(errors) => told(&errors),
            Self::Other(error) => error,
        }
    }
}

/// Every namespace with its schema.
pub struct Catalogue {
    current: Arc<ArcSwap<Namespaces>>,
    store: Arc<dyn SchemaStore>,
    /// Namespaces of the configuration, which stay.
    fixed: Vec<Namespace>,
    registry: OnceLock<Weak<Registry>>,
    mirror: OnceLock<Arc<dyn Mirror>>,
    // Held to write while the schema changes, and to read while instances are created.
    changing: Arc<RwLock<()>>,
}

/// Held while the schema changes.
type Changing = OwnedRwLockWriteGuard<()>;

impl Catalogue {
    /// A catalogue that begins with `namespaces`, none of which can be deleted but `created`.
    pub fn new(
        namespaces: Namespaces,
        created: &[Namespace],
        store: Arc<dyn SchemaStore>,
    ) -> Arc<Self> {
        let fixed = namespaces.iter().map(|(name, _)| name.clone());
        let fixed = fixed.filter(|name| !created.contains(name)).collect();
        Arc::new(Self {
            current: Arc::new(ArcSwap::from_pointee(namespaces)),
            store,
            fixed,
            registry: OnceLock::new(),
            mirror: OnceLock::new(),
            changing: Arc::default(),
        })
    }

    /// Tells who has instances. Before that nobody has any.
    pub fn attach(&self, registry: &Arc<Registry>) {
        // Whoever attached first stays: there is one registry.
        drop(self.registry.set(Arc::downgrade(registry)));
    }

    /// Shows namespaces that come and go as instances, from now on; whoever was attached first stays.
    pub fn show(&self, mirror: Arc<dyn Mirror>) {
        drop(self.mirror.set(mirror));
    }

    /// All namespaces as they are now.
    pub fn namespaces(&self) -> Arc<Namespaces> {
        self.current.load_full()
    }

    /// The namespace that `name` means.
    ///
    /// # Errors
    /// `INVALID_NAMESPACE`.
    pub fn find(&self, name: &Namespace) -> Result<Served> {
        self.current.load().find(name)
    }

    /// Keeps the schemas as they are until the guard goes: for whoever creates instances.
    pub async fn hold(&self) -> OwnedRwLockReadGuard<()> {
        self.changing.clone().read_owned().await
    }

    async fn changing(&self) -> Changing {
        self.changing.clone().write_owned().await
    }

    /// CreateClass (DSP0200 1.4 §5.4.2.5).
    ///
    /// # Errors
    /// `ALREADY_EXISTS`, `INVALID_SUPERCLASS`, or `INVALID_PARAMETER` with what is wrong with the
    /// class.
    pub async fn create_class(&self, cx: &Context, class: ClassDecl) -> Result<()> {
        let changing = self.changing().await;
        let cx = &self.fresh(cx)?;
        let name = class.name.clone();
        if cx.schema.class(name.as_str()).is_some() {
            let text = format!("the class {name} exists already");
            return Err(CimError::new(Status::AlreadyExists, text));
        }
        self.change(cx, changing, vec![Edit::Class(own(class))])
            .await
    }

    /// ModifyClass (DSP0200 1.4 §5.4.2.7). What was there is replaced as a whole.
    ///
    /// # Errors
    /// `NOT_FOUND`, `INVALID_SUPERCLASS` for another superclass, `CLASS_HAS_CHILDREN` and
    /// `CLASS_HAS_INSTANCES` when more than descriptions change, `INVALID_PARAMETER`.
    pub async fn modify_class(&self, cx: &Context, class: ClassDecl) -> Result<()> {
        let changing = self.changing().await;
        let cx = &self.fresh(cx)?;
        let name = &class.name;
        let missing = || CimError::not_found(format!("the class {name} does not exist"));
        let old = cx.schema.class(name.as_str()).ok_or_else(missing)?;
        if old.superclass() != class.superclass.as_ref() {
            let text = format!("{name}: a class keeps its superclass");
            return Err(CimError::new(Status::InvalidSuperclass, text));
        }
        // Inherited elements may be sent along, marked as such; they come from the superclass.
        self.change(cx, changing, vec![Edit::Class(own(class))])
            .await
    }

    /// DeleteClass (DSP0200 1.4 §5.4.2.3).
    ///
    /// # Errors
    /// `NOT_FOUND`, `CLASS_HAS_CHILDREN`, `CLASS_HAS_INSTANCES`; `FAILED` when another class refers
    /// to it.
    pub async fn delete_class(&self, cx: &Context, name: CimName) -> Result<()> {
        let changing = self.changing().await;
        let cx = &self.fresh(cx)?;
        if cx.schema.class(name.as_str()).is_none() {
            let text = format!("the class {name} does not exist");
            return Err(CimError::not_found(text));
        }
        self.change(cx, changing, vec![Edit::DropClass(name)])
            .await
            .map_err(still_used)
    }

    /// SetQualifier (DSP0200 1.4 §5.4.2.21).
    ///
    /// # Errors
    /// `FAILED` when classes would not be sound any more, or have instances and mean something else.
    pub async fn set_qualifier(&self, cx: &Context, decl: QualifierDecl) -> Result<()> {
        let changing = self.changing().await;
        let cx = &self.fresh(cx)?;
        self.change(cx, changing, vec![Edit::Qualifier(decl)])
            .await
            .map_err(failed)
    }

    /// DeleteQualifier (DSP0200 1.4 §5.4.2.22).
    ///
    /// # Errors
    /// `NOT_FOUND`; `FAILED` when a class uses it.
    pub async fn delete_qualifier(&self, cx: &Context, name: CimName) -> Result<()> {
        let changing = self.changing().await;
        let cx = &self.fresh(cx)?;
        if cx.schema.qualifier(name.as_str()).is_none() {
            let text = format!("the qualifier {name} is not declared");
            return Err(CimError::not_found(text));
        }
        let used = format!("the qualifier {name} is in use");
        let dropped = self
            .change(cx, changing, vec![Edit::DropQualifier(name)])
            .await;
        dropped.map_err(|error| {
            let error = failed(error);
            CimError::new(error.status, format!("{used}: {}", error.description))
        })
    }

    /// Puts declarations together, each batch in its namespace, as CreateClass, ModifyClass and
    /// SetQualifier would one by one, and the instances that `make` gives once it is told what is
    /// declared then: everything or nothing.
    ///
    /// # Errors
    /// What those would answer; `NOT_SUPPORTED` for an instance that a provider makes.
    pub async fn put_all(
        &self,
        cx: &Context,
        batches: Vec<(Namespace, Vec<Edit>)>,
        make: impl FnOnce(&Namespaces) -> Result<Vec<NewInstance>, Refused> + Send,
    ) -> Result<(), Refused> {
        let changing = self.changing().await;
        self.change_all(cx, changing, batches, make).await
    }

    /// Makes a namespace without classes, and tells of it.
    ///
    /// # Errors
    /// `ALREADY_EXISTS`.
    pub async fn create_namespace(&self, name: &Namespace, now: DateTime<Utc>) -> Result<()> {
        let changing = self.changing().await;
        let mut namespaces = Namespaces::clone(&self.current.load());
        if namespaces.contains(name) {
            let text = format!("the namespace {name} exists already");
            return Err(CimError::new(Status::AlreadyExists, text));
        }
        namespaces.put(name.clone(), Arc::default());
        let changes = self.mirrored(&namespaces, name, true);
        let (store, name, told) = (self.store.clone(), name.clone(), Told { changes, now });
        let kept = async move { store.create(&name, told).await };
        self.publish(changing, namespaces, kept).await
    }

    /// Removes a namespace in which nothing is left, and tells of it.
    ///
    /// # Errors
    /// `NOT_FOUND`; `NAMESPACE_NOT_EMPTY` while it has classes, qualifier declarations or namespaces
    /// below it; `FAILED` for one of the configuration.
    pub async fn delete_namespace(&self, name: &Namespace, now: DateTime<Utc>) -> Result<()> {
        let changing = self.changing().await;
        let mut namespaces = Namespaces::clone(&self.current.load());
        let found = namespaces.iter().find(|(own, _)| *own == name);
        let missing = || CimError::not_found(format!("the namespace {name} does not exist"));
        let (own, schema) = found.ok_or_else(missing)?;
        let has = |what: &str| {
            let text = format!("the namespace {name} still has {what}");
            CimError::new(Status::NamespaceNotEmpty, text)
        };
        if schema.classes().len() > 0 {
            return Err(has("classes"));
        }
        if schema.qualifiers().len() > 0 {
            return Err(has("qualifier declarations"));
        }
        if namespaces.iter().any(|(other, _)| other.is_below(name)) {
            return Err(has("namespaces below it"));
        }
        if self.fixed.contains(name) {
            let text = format!("the namespace {name} belongs to the server");
            return Err(CimError::failed(text));
        }
        let changes = self.mirrored(&namespaces, own, false);
        namespaces.remove(name);
        let (store, name, told) = (self.store.clone(), name.clone(), Told { changes, now });
        let kept = async move { store.delete(&name, told).await };
        self.publish(changing, namespaces, kept).await
    }

    /// What changes as an instance when `name` comes or goes, which is among `namespaces`.
    fn mirrored(
        &self,
        namespaces: &Namespaces,
        name: &Namespace,
        comes: bool,
    ) -> Vec<(Namespace, Change)> {
        let mirror = self.mirror.get();
        mirror.map_or_else(Vec::new, |mirror| {
            mirror::changes(mirror.shown(namespaces, name), comes)
        })
    }

    /// The circumstances with the schema as it is now: no other change can come between.
    fn fresh(&self, cx: &Context) -> Result<Context> {
        let Served { namespace, schema } = self.find(&cx.namespace)?;
        Ok(Context {
            namespace,
            schema,
            ..cx.clone()
        })
    }

    async fn change(&self, cx: &Context, changing: Changing, edits: Vec<Edit>) -> Result<()> {
        let batch = (cx.namespace.clone(), edits);
        self.change_all(cx, changing, vec![batch], |_| Ok(Vec::new()))
            .await
            .map_err(Refused::into_cim)
    }

    async fn change_all(
        &self,
        cx: &Context,
        changing: Changing,
        batches: Vec<(Namespace, Vec<Edit>)>,
        make: impl FnOnce(&Namespaces) -> Result<Vec<NewInstance>, Refused> + Send,
    ) -> Result<(), Refused> {
        let mut namespaces = Namespaces::clone(&self.current.load());
        let mut changes = Vec::new();
        for (namespace, edits) in batches {
            // A namespace that occurs twice is changed twice.
            let Served { namespace, schema } = namespaces.find(&namespace)?;
            let cx = Context {
                namespace,
                schema,
                ..cx.clone()
            };
            let edited = self.judged(&cx, edits).await?;
            let mut schema = edited.schema.clone();
            schema.share(namespaces.iter().map(|(_, schema)| &**schema));
            changes.push(SchemaChange::of(&cx.namespace, &cx.schema, &edited));
            namespaces.put(cx.namespace, Arc::new(schema));
        }
        changes.retain(|change| !change.edits.is_empty());
        let instances = make(&namespaces)?;
        for new in &instances {
            self.is_kept_here(&new.namespace, &new.instance.class)?;
        }
        if changes.is_empty() && instances.is_empty() {
            return Ok(());
        }
        let (store, now) = (self.store.clone(), cx.now);
        let kept = async move { store.change(changes, instances, now).await };
        self.publish(changing, namespaces, kept).await?;
        Ok(())
    }

    /// Shows `namespaces` once `kept` has made them durable. This goes on when whoever asked is gone:
    /// what is on the disk is shown, and nothing else.
    async fn publish(
        &self,
        changing: Changing,
        namespaces: Namespaces,
        kept: impl Future<Output = Result<()>> + Send + 'static,
    ) -> Result<()> {
        let current = self.current.clone();
        let done = tokio::spawn(async move {
            kept.await?;
            current.store(Arc::new(namespaces));
            drop(changing);
            Ok(())
        });
        done.await
            .unwrap_or_else(|error| Err(CimError::failed(error.to_string())))
    }
}

/// What the class itself declares: what is marked as inherited is left out.
fn own(mut class: ClassDecl) -> ClassDecl {
    class.qualifiers.retain(|used| !used.propagated);
    class.properties.retain(|property| !property.propagated);
    class.methods.retain(|method| !method.propagated);
    class
}

/// The error of declarations that are not sound.
fn told(errors: &[DeclError]) -> CimError {
    let superclass = errors
        .iter()
        .all(|error| matches!(error.kind, DeclErrorKind::Superclass(_)));
    let status = if superclass {
        Status::InvalidSuperclass
    } else {
        Status::InvalidParameter
    };
    let mut text: Vec<String> = errors
        .iter()
        .take(TOLD_LIMIT)
        .map(ToString::to_string)
        .collect();
    if let Some(more) = errors.len().checked_sub(TOLD_LIMIT + 1) {
        text.push(format!("and {} more", more + 1));
    }
    CimError::new(status, text.join("; "))
}

/// What other classes lose when one goes is not a wrong parameter.
fn still_used(error: CimError) -> CimError {
    match error.status {
        Status::InvalidParameter | Status::InvalidSuperclass => CimError::failed(error.description),
        _ => error,
    }
}

/// Operations on qualifiers have one code for everything that classes do not allow.
fn failed(error: CimError) -> CimError {
    match error.status {
        Status::InvalidParameter
        | Status::InvalidSuperclass
        | Status::ClassHasChildren
        | Status::ClassHasInstances => CimError::failed(error.description),
        _ => error,
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A store that forgets.
    struct Forgetful;

    impl SchemaStore for Forgetful {
        fn change(
            &self,
            _changes: Vec<SchemaChange>,
            _instances: Vec<NewInstance>,
            _now: DateTime<Utc>,
        ) -> BoxFuture<'_, Result<()>> {
            Box::pin(async { Ok(()) })
        }

        fn create<'a>(&'a self, _: &'a Namespace, _: Told) -> BoxFuture<'a, Result<()>> {
            Box::pin(async { Ok(()) })
        }

        fn delete<'a>(&'a self, _: &'a Namespace, _: Told) -> BoxFuture<'a, Result<()>> {
            Box::pin(async { Ok(()) })
        }
    }

    /// A catalogue whose changes nobody keeps.
    pub(crate) fn catalogue(namespaces: Namespaces) -> Arc<Catalogue> {
        Catalogue::new(namespaces, &[], Arc::new(Forgetful))
    }
}
