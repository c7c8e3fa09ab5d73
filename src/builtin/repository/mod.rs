//! The repository: keeps instances of classes that no other provider serves.

mod audience;
mod cardinality;
mod decoding;
mod encoding;
mod keys;
mod presence;
mod rows;

pub use audience::Audience;
pub use cardinality::check as check_cardinality;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, Utc};
use futures_util::stream::{self, StreamExt, TryStreamExt};
use tokio::sync::OwnedRwLockReadGuard;

use crate::model::{
    CimError, CimName, CimValue, Class, ClassKind, Instance, InstancePath, Namespace, ObjectPath,
    Property, Result,
};
use crate::ops::{BoxFuture, InstanceStream};
use crate::provider::{
    Act, Catalogue, Change, ChangeKind, Changes, Context, Notices, Provider, permit_administrators,
    refers_to,
};
use crate::schema::Schema;
use crate::store::{
    Batch, InstanceData, InstanceKey, InstanceView, ReadRow, Repository, StoreError, Trouble,
    Writer,
};

use presence::Presence;
use rows::{decoded, made, made_once};

/// Instances read from the disk at a time: few enough that others do not wait long for the processor,
/// and so many that it costs little to hand them over.
const PAGE: usize = 64;

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
    async fn find(&self, cx: &Context, path: &InstancePath) -> Result<(InstanceKey, Arc<ReadRow>)> {
        let class = cx.schema.known_class(&path.class)?;
        let path = &*self.straight_path(cx, path);
        let has_subclasses = cx.schema.children(Some(&class.name)).next().is_some();
        let classes = if has_subclasses {
            self.kept.classes((&cx.namespace, &cx.schema), class)
        } else {
            vec![class.clone()]
        };
        for class in classes {
            let key = keys::key(&cx.namespace, &class.name, &path.keys);
            if let Some(read) = self.kept.reader.recent(&key) {
                return Ok((key, read));
            }
            if !self.kept.has_some(&key) {
                continue;
            }
            let (kept, wanted) = (self.kept.clone(), key.clone());
            let found = blocking(move || kept.reader.get(&wanted)).await?;
            if let Some(read) = found {
                return Ok((key, read));
            }
        }
        Err(CimError::not_found(format!("there is no instance {path}")))
    }

    async fn modified(&self, cx: &Context, path: &InstancePath, changes: Changes) -> Result<()> {
        let (key, read) = self.find(cx, path).await?;
        // No class changes until the instance is on the disk.
        let held = self.held(cx, &read.row.class).await?;
        let presence = self.presence(cx);
        let (now, cx, path) = (cx.now, cx.clone(), path.clone());
        let work = move |batch: &Batch<'_>, audience: &Audience| {
            let missing = || CimError::not_found(format!("there is no instance {path}"));
            // Others may have changed it since it was found.
            let row = batch.instance(&key)?.ok_or_else(missing)?;
            let before = decoded(row.view(), &cx.schema)?;
            let mut after = before.clone();
            for (name, value) in changes.values.iter() {
                after.set(name.as_str(), value.clone())?;
            }
            let written = data(&after, &cx.namespace, &cx.schema);
            let update = || Ok::<_, Trouble>(batch.update_instance(&key, &row, &written)?);
            if cardinality::leads_alike(&before, &after) {
                update()?;
            } else {
                presence.keeping(batch, &before, update)?;
                cardinality::check(batch, &after, &cx.namespace, &cx.schema)?;
            }
            let class = after.class.name.clone();
            let at = (&cx.namespace, class.as_str());
            let change = || Change::Modified { before, after };
            Ok(audience.notices(at, cx.now, ChangeKind::Modification, change))
        };
        self.transact(now, Some(held), work, |_| {}).await
    }

    /// Keeps the schemas as they are, when the class `name` is still the one of the request.
    async fn held(&self, cx: &Context, name: &str) -> Result<OwnedRwLockReadGuard<()>> {
        let held = self.catalogue.hold().await;
        let served = self.catalogue.find(&cx.namespace)?;
        let (now, then) = (served.schema.class(name), cx.schema.class(name));
        match (now, then) {
            (Some(now), Some(then)) if Arc::ptr_eq(now, then) => Ok(held),
            (_, _) => {
                let text = format!("the class {name} changed meanwhile");
                Err(CimError::failed(text))
            }
        }
    }

    /// Does `work` in a transaction, with the notices that it gives. It is done to its end, `held`
    /// until then, even if whoever asked goes away; `count` is called when it is durable.
    async fn transact(
        &self,
        now: DateTime<Utc>,
        held: Option<OwnedRwLockReadGuard<()>>,
        work: impl FnOnce(&Batch<'_>, &Audience) -> Result<Notices, Trouble> + Send + 'static,
        count: impl FnOnce(&Tally) + Send + 'static,
    ) -> Result<()> {
        let (kept, audience) = (self.kept.clone(), self.audience.clone());
        let told = audience.clone();
        let done = tokio::spawn(async move {
            let done = kept.writer.transact(move |batch| {
                let notices = work(batch, &audience)?;
                batch.queue(&notices, now)?;
                Ok(notices)
            });
            let notices = done
                .await
                .map_err(|trouble: Trouble| trouble.into_cim(WRITE))?;
            count(&kept.tally);
            told.committed(notices);
            drop(held);
            Ok(())
        });
        done.await
            .unwrap_or_else(|error| Err(CimError::failed(error.to_string())))
    }
}

impl Kept {
    /// Whether there are instances of the class that `key` names.
    fn has_some(&self, key: &InstanceKey) -> bool {
        let of = (key.namespace.clone(), key.class.clone());
        self.tally.counts().get(&of).is_some_and(|count| *count > 0)
    }

    /// `class` and its subclasses, as far as there are instances of them.
    fn classes(
        &self,
        (namespace, schema): (&Namespace, &Schema),
        class: &Arc<Class>,
    ) -> Vec<Arc<Class>> {
        let below = schema.descendants(Some(&class.name)).into_iter();
        let namespace = namespace.folded();
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
    fn tells(&self) -> bool {
        true
    }

    fn instances(&self, cx: &Context, class: &Arc<Class>) -> InstanceStream {
        let namespace: Arc<str> = cx.namespace.folded().into();
        let (kept, schema) = (self.kept.clone(), cx.schema.clone());
        let classes = self.kept.classes((&cx.namespace, &cx.schema), class);
        let classes = stream::iter(classes);
        let all = classes.flat_map(move |class| {
            let (kept, name) = (kept.clone(), class.name.folded());
            let (namespace, schema) = (namespace.clone(), schema.clone());
            paged(move |after, limit| {
                let class = (&*namespace, &*name);
                kept.reader
                    .page(class, after, limit, |row| made(row, &schema))
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
            let (_, read) = self.find(cx, path).await?;
            made_once(&read, &cx.schema)
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
            let made = |row: InstanceView<'_>| made(row, &schema);
            kept.reader
                .referring(&namespace, &target, after, limit, made)
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

    fn permit(&self, cx: &Context, _class: &Class, act: Act<'_>) -> Result<()> {
        permit_administrators(cx, act)
    }

    fn create<'a>(
        &'a self,
        cx: &'a Context,
        mut instance: Instance,
    ) -> BoxFuture<'a, Result<InstancePath>> {
        Box::pin(async move {
            keyed(&instance)?;
            // No class goes or changes until the instance is on the disk.
            let held = self.held(cx, instance.class.name.as_str()).await?;
            self.straighten(cx, &mut instance)?;
            let path = instance.path(&cx.namespace);
            let (key, data) = row_of(&instance, &cx.namespace, &cx.schema);
            let (wanted, scope, named) = (key.clone(), cx.clone(), path.clone());
            let work = move |batch: &Batch<'_>, audience: &Audience| {
                if !batch.insert_instance(&wanted, &data)? {
                    let text = format!("there is an instance {named} already");
                    return Err(CimError::already_exists(text).into());
                }
                cardinality::check(batch, &instance, &scope.namespace, &scope.schema)?;
                let class = instance.class.name.clone();
                let at = (&scope.namespace, class.as_str());
                let change = || Change::Created(instance);
                Ok(audience.notices(at, scope.now, ChangeKind::Creation, change))
            };
            let count = move |tally: &Tally| tally.add(&key);
            self.transact(cx.now, Some(held), work, count).await?;
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
            let class = cx.schema.known_class(&path.class)?;
            let straight = changes.values.iter().map(|(name, value)| {
                let property = class.properties.get(name.as_str());
                let property = property.map(AsRef::as_ref);
                Ok((name.clone(), self.straight(cx, name, property, value)?))
            });
            let values = straight.collect::<Result<_>>()?;
            let changes = Changes { values };
            self.modified(cx, path, changes).await
        })
    }

    fn delete<'a>(&'a self, cx: &'a Context, path: &'a InstancePath) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move {
            let (key, _) = self.find(cx, path).await?;
            let (wanted, scope, path) = (key.clone(), cx.clone(), path.clone());
            let presence = self.presence(cx);
            let work = move |batch: &Batch<'_>, audience: &Audience| {
                let missing = || CimError::not_found(format!("there is no instance {path}"));
                let row = batch.instance(&wanted)?.ok_or_else(missing)?;
                // One that cannot be read any more can be deleted all the same.
                let Ok(instance) = decoded(row.view(), &scope.schema) else {
                    batch.delete_instance(&wanted)?;
                    return Ok(Notices::default());
                };
                presence.keeping(batch, &instance, || {
                    batch.delete_instance(&wanted)?;
                    Ok(())
                })?;
                let class = instance.class.name.clone();
                let at = (&scope.namespace, class.as_str());
                let change = || Change::Deleted(instance);
                Ok(audience.notices(at, scope.now, ChangeKind::Deletion, change))
            };
            let count = move |tally: &Tally| tally.remove(&key);
            self.transact(cx.now, None, work, count).await
        })
    }
}

impl RepositoryProvider {
    /// Gives the references of `instance` the one form in which they are kept.
    fn straighten(&self, cx: &Context, instance: &mut Instance) -> Result<()> {
        let class = instance.class.clone();
        for property in class.properties.values() {
            let name = &property.name;
            let value = instance.value(name.as_str());
            let straight = self.straight(cx, name, Some(property), value)?;
            instance.set(name.as_str(), straight)?;
        }
        Ok(())
    }

    /// A reference must be the path of an instance. Where it leads to a namespace of this server, the
    /// class must be there and be one that is declared, the keys must be its keys, and the path is
    /// kept by the namespace's own name with keys of declared type; whether the instance is there is
    /// not asked.
    fn straight(
        &self,
        cx: &Context,
        name: &CimName,
        property: Option<&Property>,
        value: &CimValue,
    ) -> Result<CimValue> {
        let Some(path) = value.as_reference() else {
            return Ok(value.clone());
        };
        let wrong = |text: &str| CimError::invalid_parameter(format!("{name}: {text}"));
        if path.keys.is_none() {
            return Err(wrong("a reference to an instance has keys"));
        }
        let Some((namespace, schema)) = home_of(&self.catalogue, cx, path) else {
            return Ok(value.clone());
        };
        let judged = schema.instance_path(&namespace, path);
        let judged = judged.map_err(|error| wrong(&error.description))?;
        let declared = property.and_then(|property| property.slot.reference_class.as_ref());
        let class = schema.known_class(&judged.class)?;
        if let Some(declared) = declared.filter(|declared| !class.is_a(declared.as_str())) {
            return Err(wrong(&format!("{} is no {declared}", class.name)));
        }
        let straight = ObjectPath {
            host: path.host.clone(),
            namespace: path.namespace.as_ref().map(|_| namespace),
            class: judged.class,
            keys: Some(judged.keys),
        };
        Ok(CimValue::Reference(Box::new(straight)))
    }

    /// The path with its keys that are references in the form in which they are kept.
    fn straight_path<'a>(&self, cx: &Context, path: &'a InstancePath) -> Cow<'a, InstancePath> {
        let is_reference = |(_, value): (&CimName, &CimValue)| value.as_reference().is_some();
        if !path.keys.iter().any(is_reference) {
            return Cow::Borrowed(path);
        }
        let key = |(name, value): (&CimName, &CimValue)| {
            // What is wrong with a key finds nothing, and that is the answer.
            let straight = self.straight(cx, name, None, value);
            (name.clone(), straight.unwrap_or_else(|_| value.clone()))
        };
        Cow::Owned(InstancePath {
            keys: path.keys.iter().map(key).collect(),
            ..path.clone()
        })
    }

    fn presence(&self, cx: &Context) -> Presence {
        Presence::new(self.catalogue.clone(), cx.clone())
    }
}

/// The names of `class` and its subclasses, in lower case.
fn family(class: &Arc<Class>, schema: &Schema) -> Vec<String> {
    let below = schema.descendants(Some(&class.name)).into_iter();
    let all = std::iter::once(class).chain(below);
    all.map(|class| class.name.folded()).collect()
}

/// The namespace that `path` leads to, by its own name, with its schema; `None` for one that is not of this
/// server.
fn home_of(
    catalogue: &Catalogue,
    cx: &Context,
    path: &ObjectPath,
) -> Option<(Namespace, Arc<Schema>)> {
    let Some(namespace) = &path.namespace else {
        return Some((cx.namespace.clone(), cx.schema.clone()));
    };
    let served = catalogue.find(namespace).ok()?;
    let is_own = served.namespace == cx.namespace;
    let schema = if is_own {
        cx.schema.clone()
    } else {
        served.schema
    };
    Some((served.namespace, schema))
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
    namespace: &Namespace,
    schema: &Schema,
) -> (InstanceKey, InstanceData) {
    let key = keys::key(namespace, &instance.class.name, &instance.keys());
    (key, data(instance, namespace, schema))
}

fn data(instance: &Instance, namespace: &Namespace, schema: &Schema) -> InstanceData {
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
            // A page may be short because its instances are long: only an empty one is the last.
            let next = page.last().map(|(id, _)| *id);
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
