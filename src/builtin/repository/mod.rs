//! The repository: keeps instances of classes that no other provider serves.

mod audience;
mod cardinality;
mod encoding;
mod keys;

pub use audience::Audience;
pub use cardinality::check as check_cardinality;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, Utc};
use futures_util::stream::{self, StreamExt, TryStreamExt};

use crate::model::{
    CimError, CimName, CimValue, Class, ClassKind, Instance, InstancePath, ObjectPath, Property,
    Result,
};
use crate::ops::{BoxFuture, InstanceStream};
use crate::provider::{Catalogue, Change, Changes, Context, Notice, Provider, refers_to};
use crate::schema::Schema;
use crate::store::{
    Batch, InstanceData, InstanceKey, InstanceRow, Repository, StoreError, Trouble, Writer,
};

/// Instances read from the disk at a time: few enough that others do not wait long for the processor.
const PAGE: usize = 256;

/// What is tried when the store fails.
const READ: &str = "read instances";
const WRITE: &str = "keep an instance";

/// By namespace and class in lower case.
type Counts = BTreeMap<(String, String), u64>;

/// How many instances there are of each class; clones share the numbers.
#[derive(Debug, Clone)]
pub struct Tally {
    // Locked only to look a number up or to change one.
    counts: Arc<Mutex<Counts>>,
}

impl Tally {
    /// What is in the store behind `writer`.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn load(writer: &Writer) -> Result<Self, StoreError> {
        let counts = writer.run(|store| store.instance_counts()).await?;
        Ok(Self {
            counts: Arc::new(Mutex::new(counts)),
        })
    }

    /// An instance more.
    pub fn add(&self, key: &InstanceKey) {
        self.count(key, |count| *count += 1);
    }

    fn remove(&self, key: &InstanceKey) {
        self.count(key, |count| *count = count.saturating_sub(1));
    }

    fn count(&self, key: &InstanceKey, change: impl FnOnce(&mut u64)) {
        let mut counts = self.counts();
        let at = (key.namespace.clone(), key.class.clone());
        change(counts.entry(at).or_default());
    }

    fn counts(&self) -> MutexGuard<'_, Counts> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The provider of what nobody else provides.
pub struct RepositoryProvider {
    kept: Arc<Kept>,
    audience: Audience,
    catalogue: Arc<Catalogue>,
}

/// What is shared with streams that go on after a question was answered.
struct Kept {
    writer: Writer,
    reader: Repository,
    tally: Tally,
}

impl RepositoryProvider {
    /// The repository of the store behind `writer`.
    pub fn new(
        writer: Writer,
        tally: Tally,
        audience: Audience,
        catalogue: Arc<Catalogue>,
    ) -> Self {
        let reader = writer.repository();
        let kept = Kept {
            writer,
            reader,
            tally,
        };
        Self {
            kept: Arc::new(kept),
            audience,
            catalogue,
        }
    }

    /// Where the instance at `path` is kept, and its row. The path may name a superclass of the class
    /// that the instance was made of.
    async fn find(&self, cx: &Context, path: &InstancePath) -> Result<(InstanceKey, InstanceRow)> {
        let class = cx.schema.known_class(&path.class)?;
        for class in self.kept.classes(cx, class) {
            let key = keys::key(&cx.namespace, &class.name, &path.keys);
            if let Some(row) = self.kept.reader.recent(&key) {
                return Ok((key, row));
            }
            let (kept, wanted) = (self.kept.clone(), key.clone());
            let found = blocking(move || kept.reader.get(&wanted)).await?;
            if let Some(row) = found {
                return Ok((key, row));
            }
        }
        Err(CimError::not_found(format!("there is no instance {path}")))
    }

    async fn modified(&self, cx: &Context, path: &InstancePath, changes: Changes) -> Result<()> {
        let (key, _) = self.find(cx, path).await?;
        let (now, cx, path) = (cx.now, cx.clone(), path.clone());
        self.transact(now, move |batch, audience| {
            let missing = || CimError::not_found(format!("there is no instance {path}"));
            // Others may have changed it since it was found.
            let row = batch.instance(&key)?.ok_or_else(missing)?;
            let before = decoded(&row, &cx.schema)?;
            let mut after = before.clone();
            for (name, value) in changes.values.iter() {
                after.set(name.as_str(), value.clone())?;
            }
            batch.update_instance(&key, &row, &data(&after, &cx.namespace, &cx.schema))?;
            let class = after.class.name.clone();
            let change = || Change::Modified { before, after };
            Ok(audience.notices(&cx.namespace, cx.now, change, class.as_str()))
        })
        .await
    }

    /// Does `work` in a transaction, with the notices that it gives.
    async fn transact(
        &self,
        now: DateTime<Utc>,
        work: impl FnOnce(&Batch<'_>, &Audience) -> Result<Vec<Notice>, Trouble> + Send + 'static,
    ) -> Result<()> {
        let audience = self.audience.clone();
        let done = self.kept.writer.transact(move |batch| {
            let notices = work(batch, &audience)?;
            batch.queue(&notices, now)?;
            Ok(notices)
        });
        let notices = done
            .await
            .map_err(|trouble: Trouble| trouble.into_cim(WRITE))?;
        self.audience.committed(&notices);
        Ok(())
    }
}

impl Kept {
    /// `class` and its subclasses, as far as there are instances of them.
    fn classes(&self, cx: &Context, class: &Arc<Class>) -> Vec<Arc<Class>> {
        let below = cx.schema.descendants(Some(&class.name)).into_iter();
        let namespace = cx.namespace.folded();
        let counts = self.tally.counts();
        let has_some = |class: &&Arc<Class>| {
            let count = counts.get(&(namespace.clone(), class.name.folded()));
            count.is_some_and(|count| *count > 0)
        };
        let classes = std::iter::once(class).chain(below);
        classes.filter(has_some).cloned().collect()
    }
}

impl Provider for RepositoryProvider {
    fn instances(&self, cx: &Context, class: &Arc<Class>) -> InstanceStream {
        let namespace: Arc<str> = cx.namespace.folded().into();
        let (kept, schema) = (self.kept.clone(), cx.schema.clone());
        let classes = stream::iter(self.kept.classes(cx, class));
        let all = classes.flat_map(move |class| {
            let (kept, name) = (kept.clone(), class.name.folded());
            let (namespace, schema) = (namespace.clone(), schema.clone());
            paged(move |after, limit| {
                let rows = kept.reader.page(&namespace, &name, after, limit)?;
                Ok(rows.iter().map(|row| made(row, &schema)).collect())
            })
        });
        all.boxed()
    }

    fn get<'a>(
        &'a self,
        cx: &'a Context,
        path: &'a InstancePath,
    ) -> BoxFuture<'a, Result<Instance>> {
        Box::pin(async move {
            let (_, row) = self.find(cx, path).await?;
            decoded(&row, &cx.schema)
        })
    }

    fn references(
        &self,
        cx: &Context,
        class: &Arc<Class>,
        object: &InstancePath,
        role: Option<&CimName>,
    ) -> InstanceStream {
        let (kept, schema) = (self.kept.clone(), cx.schema.clone());
        let (namespace, target) = (cx.namespace.folded(), keys::target(object));
        let all = paged(move |after, limit| {
            let rows = kept.reader.referring(&namespace, &target, after, limit)?;
            Ok(rows.iter().map(|row| made(row, &schema)).collect())
        });
        let (scope, object, role) = (cx.clone(), object.clone(), role.cloned());
        let class = class.name.clone();
        let wanted = move |instance: &Instance| {
            let is_wanted = instance.class.is_a(class.as_str())
                && refers_to(&scope, instance, &object, role.as_ref());
            futures_util::future::ready(is_wanted)
        };
        all.try_filter(wanted).boxed()
    }

    fn may_create(&self, _class: &Class) -> Result<()> {
        Ok(())
    }

    fn create<'a>(
        &'a self,
        cx: &'a Context,
        instance: Instance,
    ) -> BoxFuture<'a, Result<InstancePath>> {
        Box::pin(async move {
            cx.only_administrators()?;
            keyed(&instance)?;
            // No class goes or changes until the instance is on the disk.
            let _held = self.catalogue.hold().await;
            let served = self.catalogue.find(&cx.namespace)?;
            let now = served.schema.class(instance.class.name.as_str());
            if now.is_none_or(|now| !Arc::ptr_eq(now, &instance.class)) {
                let text = format!("the class {} changed meanwhile", instance.class.name);
                return Err(CimError::failed(text));
            }
            self.references_are_sound(cx, &instance)?;
            let path = instance.path(&cx.namespace);
            let (key, data) = row_of(&instance, &cx.namespace, &cx.schema);
            let (wanted, scope, named) = (key.clone(), cx.clone(), path.clone());
            self.transact(cx.now, move |batch, audience| {
                if !batch.insert_instance(&wanted, &data)? {
                    let text = format!("there is an instance {named} already");
                    return Err(CimError::already_exists(text).into());
                }
                cardinality::check(batch, &instance, &scope.namespace, &scope.schema)?;
                let class = instance.class.name.clone();
                let change = || Change::Created(instance);
                Ok(audience.notices(&scope.namespace, scope.now, change, class.as_str()))
            })
            .await?;
            self.kept.tally.add(&key);
            Ok(path)
        })
    }

    fn modify<'a>(
        &'a self,
        cx: &'a Context,
        path: &'a InstancePath,
        changes: Changes,
    ) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move {
            cx.only_administrators()?;
            for (name, value) in changes.values.iter() {
                self.reference_is_sound(cx, name, value)?;
            }
            self.modified(cx, path, changes).await
        })
    }

    fn delete<'a>(&'a self, cx: &'a Context, path: &'a InstancePath) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move {
            cx.only_administrators()?;
            let (key, _) = self.find(cx, path).await?;
            let (wanted, scope, path) = (key.clone(), cx.clone(), path.clone());
            self.transact(cx.now, move |batch, audience| {
                let missing = || CimError::not_found(format!("there is no instance {path}"));
                let row = batch.instance(&wanted)?.ok_or_else(missing)?;
                batch.delete_instance(&wanted)?;
                // One that cannot be read any more can be deleted all the same.
                let Ok(instance) = decoded(&row, &scope.schema) else {
                    return Ok(Vec::new());
                };
                let class = instance.class.name.clone();
                let change = || Change::Deleted(instance);
                Ok(audience.notices(&scope.namespace, scope.now, change, class.as_str()))
            })
            .await?;
            self.kept.tally.remove(&key);
            Ok(())
        })
    }
}

impl RepositoryProvider {
    fn references_are_sound(&self, cx: &Context, instance: &Instance) -> Result<()> {
        let given = instance.iter().filter(|(_, value)| !value.is_null());
        for (property, value) in given {
            self.reference_is_sound(cx, &property.name, value)
                .and_then(|()| narrowed(self, cx, property, value))?;
        }
        Ok(())
    }

    /// A reference must be the path of an instance. Where it leads to a namespace of this server, the
    /// class must be there and the keys must be its keys; whether the instance is there is not asked.
    fn reference_is_sound(&self, cx: &Context, name: &CimName, value: &CimValue) -> Result<()> {
        let Some(path) = value.as_reference() else {
            return Ok(());
        };
        let wrong = |text: &str| CimError::invalid_parameter(format!("{name}: {text}"));
        if path.keys.is_none() {
            return Err(wrong("a reference to an instance has keys"));
        }
        let Some(schema) = self.schema_of(cx, path) else {
            return Ok(());
        };
        let namespace = path.namespace.as_ref().unwrap_or(&cx.namespace);
        let judged = schema.instance_path(namespace, path);
        judged
            .map(|_| ())
            .map_err(|error| wrong(&error.description))
    }

    /// The schema of the namespace that `path` leads to; `None` for one that is not of this server.
    fn schema_of(&self, cx: &Context, path: &ObjectPath) -> Option<Arc<Schema>> {
        match &path.namespace {
            None => Some(cx.schema.clone()),
            Some(namespace) => Some(self.catalogue.find(namespace).ok()?.schema),
        }
    }
}

/// The class that a reference leads to is the declared one or one below it.
fn narrowed(
    provider: &RepositoryProvider,
    cx: &Context,
    property: &Property,
    value: &CimValue,
) -> Result<()> {
    let (Some(path), Some(declared)) = (value.as_reference(), &property.slot.reference_class)
    else {
        return Ok(());
    };
    let schema = provider.schema_of(cx, path);
    let class = schema
        .as_ref()
        .and_then(|schema| schema.class(path.class.as_str()));
    match class {
        Some(class) if !class.is_a(declared.as_str()) => {
            let text = format!("{}: {} is no {declared}", property.name, class.name);
            Err(CimError::invalid_parameter(text))
        }
        Some(_) | None => Ok(()),
    }
}

/// Every key has a value; a class without keys has no instances to be found again.
fn keyed(instance: &Instance) -> Result<()> {
    let class = &instance.class;
    if class.keys.is_empty() {
        let what = match class.kind {
            ClassKind::Association => "the association",
            ClassKind::Ordinary | ClassKind::Indication | ClassKind::Structure => "the class",
        };
        let text = format!("{what} {} has no keys to name an instance by", class.name);
        return Err(CimError::not_supported(text));
    }
    let missing = class
        .key_properties()
        .find(|key| instance.value(key.name.as_str()).is_null());
    match missing {
        None => Ok(()),
        Some(key) => {
            let text = format!("{}.{}: a key has a value", class.name, key.name);
            Err(CimError::invalid_parameter(text))
        }
    }
}

/// Where `instance` of a class of `schema` is kept, and as what.
pub fn row_of(
    instance: &Instance,
    namespace: &crate::model::Namespace,
    schema: &Schema,
) -> (InstanceKey, InstanceData) {
    let key = keys::key(namespace, &instance.class.name, &instance.keys());
    (key, data(instance, namespace, schema))
}

fn data(instance: &Instance, namespace: &crate::model::Namespace, schema: &Schema) -> InstanceData {
    let references = instance
        .iter()
        .filter_map(|(_, value)| value.as_reference());
    InstanceData {
        format: encoding::FORMAT,
        values: encoding::encode(instance),
        targets: references
            .filter_map(|reference| keys::referred(reference, namespace, schema))
            .collect(),
    }
}

fn decoded(row: &InstanceRow, schema: &Schema) -> Result<Instance> {
    let class = schema.class(&row.class);
    let instance = class
        .filter(|_| row.format == encoding::FORMAT)
        .and_then(|class| encoding::decode(&row.values, class, schema));
    instance.ok_or_else(|| {
        tracing::error!(
            class = row.class,
            id = row.id,
            "a stored instance is not of its class"
        );
        CimError::failed(format!(
            "a stored instance of {} is not readable",
            row.class
        ))
    })
}

fn made(row: &InstanceRow, schema: &Schema) -> (i64, Result<Instance>) {
    (row.id, decoded(row, schema))
}

/// What `read` gives, page after page; each page is asked for those after the last id of the one
/// before, and no connection is held between them.
fn paged<F>(read: F) -> InstanceStream
where
    F: Fn(i64, usize) -> Result<Vec<(i64, Result<Instance>)>, StoreError> + Send + Sync + 'static,
{
    let read = Arc::new(read);
    let pages = stream::try_unfold(Some(0), move |at| {
        let read = read.clone();
        async move {
            let Some(after) = at else {
                return Ok(None);
            };
            let page = blocking(move || read(after, PAGE)).await?;
            let last = page.last().map(|(id, _)| *id);
            let next = last.filter(|_| page.len() == PAGE);
            let instances = stream::iter(page.into_iter().map(|(_, instance)| instance));
            Ok::<_, CimError>(Some((instances, next)))
        }
    });
    pages.try_flatten().boxed()
}

/// Reads on a thread that may wait for the disk.
async fn blocking<T: Send + 'static>(
    read: impl FnOnce() -> Result<T, StoreError> + Send + 'static,
) -> Result<T> {
    let done = tokio::task::spawn_blocking(read).await;
    done.unwrap_or(Err(StoreError::Stopped))
        .map_err(|error| error.told(READ))
}
