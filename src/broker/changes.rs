//! What clients change of instances whose providers do not tell of it: whoever listens is told when it is
//! done, in a transaction of its own.

use std::sync::Arc;

use crate::model::{CimError, Class, Instance, InstancePath, Result};
use crate::provider::{Change, ChangeKind, Changes, Context, Observer, Occurrence, Provider};

use super::dispatch::Broker;

/// Whether anybody listens to changes of that kind of instances of `class` or of one below it, which the
/// path of an instance may name.
pub(super) fn is_heard(
    observer: &dyn Observer,
    cx: &Context,
    class: &Class,
    kind: ChangeKind,
) -> bool {
    let is_heard = |class: &Class| {
        let interest = observer.interest(&cx.namespace, class.name.as_str());
        interest.is_some_and(|interest| interest.kinds.has(kind))
    };
    let below = cx.schema.descendants(Some(&class.name));
    is_heard(class) || below.into_iter().any(|class| is_heard(class))
}

/// An instance as it is told, with whose it is.
type Told = (Instance, Option<Arc<str>>);

/// Who does something, who is told of it, and under which circumstances.
struct Deed {
    cx: Context,
    provider: Arc<dyn Provider>,
    observer: Arc<dyn Observer>,
}

impl Broker {
    /// Creates an instance of which the provider, or this, tells.
    pub(super) async fn created(
        &self,
        cx: &Context,
        provider: &Arc<dyn Provider>,
        instance: Instance,
    ) -> Result<InstancePath> {
        match self.deed(cx, provider, &instance.class, ChangeKind::Creation) {
            None => provider.create(cx, instance).await,
            Some(deed) => finished(deed.create(instance)).await,
        }
    }

    /// Changes an instance of which the provider, or this, tells.
    pub(super) async fn modified(
        &self,
        cx: &Context,
        provider: &Arc<dyn Provider>,
        (class, path): (&Class, InstancePath),
        changes: Changes,
    ) -> Result<()> {
        match self.deed(cx, provider, class, ChangeKind::Modification) {
            None => provider.modify(cx, &path, changes).await,
            Some(deed) => finished(deed.modify(path, changes)).await,
        }
    }

    /// Deletes an instance of which the provider, or this, tells.
    pub(super) async fn deleted(
        &self,
        cx: &Context,
        provider: &Arc<dyn Provider>,
        path: InstancePath,
    ) -> Result<()> {
        let class = cx.schema.known_class(&path.class)?;
        match self.deed(cx, provider, class, ChangeKind::Deletion) {
            None => provider.delete(cx, &path).await,
            Some(deed) => finished(deed.delete(path)).await,
        }
    }

    /// What is to be told besides being done, where anybody listens and the provider does not tell.
    fn deed(
        &self,
        cx: &Context,
        provider: &Arc<dyn Provider>,
        class: &Class,
        kind: ChangeKind,
    ) -> Option<Deed> {
        let is_ours = !provider.tells() && is_heard(&*self.observer, cx, class, kind);
        is_ours.then(|| Deed {
            cx: cx.clone(),
            provider: provider.clone(),
            observer: self.observer.clone(),
        })
    }
}

/// What was begun is done and told, even if whoever asked goes away.
async fn finished<T: Send + 'static>(
    deed: impl Future<Output = Result<T>> + Send + 'static,
) -> Result<T> {
    let failed = |error: tokio::task::JoinError| Err(CimError::failed(error.to_string()));
    tokio::spawn(deed).await.unwrap_or_else(failed)
}

impl Deed {
    async fn create(self, instance: Instance) -> Result<InstancePath> {
        let path = self.provider.create(&self.cx, instance).await?;
        if let Some((after, owner)) = self.shown(&path).await {
            self.tell(Change::Created(after), owner).await;
        }
        Ok(path)
    }

    async fn modify(self, path: InstancePath, changes: Changes) -> Result<()> {
        let before = self.shown(&path).await;
        self.provider.modify(&self.cx, &path, changes).await?;
        if let (Some((before, _)), Some((after, owner))) = (before, self.shown(&path).await)
            && before != after
        {
            self.tell(Change::Modified { before, after }, owner).await;
        }
        Ok(())
    }

    async fn delete(self, path: InstancePath) -> Result<()> {
        let before = self.shown(&path).await;
        self.provider.delete(&self.cx, &path).await?;
        if let Some((before, owner)) = before {
            self.tell(Change::Deleted(before), owner).await;
        }
        Ok(())
    }

    /// The instance, where it is there for the principal.
    async fn shown(&self, path: &InstancePath) -> Option<Told> {
        self.provider.told(&self.cx, path).await.ok()
    }

    async fn tell(&self, change: Change, owner: Option<Arc<str>>) {
        let occurrence = Occurrence { change, owner };
        self.observer
            .tell(&self.cx.namespace, vec![occurrence])
            .await;
    }
}
