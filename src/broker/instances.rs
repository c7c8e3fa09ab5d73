//! GetInstance, EnumerateInstances, EnumerateInstanceNames, CreateInstance, DeleteInstance.

use std::sync::Arc;

use futures_util::stream::{self, StreamExt};

use crate::model::{CimError, CimName, Instance, InstancePath, ObjectPath, Result, Status};
use crate::ops::{
    CreateInstance, DeleteInstance, EnumerateInstanceNames, EnumerateInstances, GetInstance,
    InstanceStream, PathStream, Reply,
};
use crate::provider::{Act, Context, Provider, Registry};

use super::dispatch::{Broker, provider};
use super::fair::fair;

impl Broker {
    pub(super) async fn get_instance(&self, cx: &Context, request: GetInstance) -> Result<Reply> {
        let path = cx.schema.instance_path(&cx.namespace, &request.path)?;
        let instance = self.lookup(cx, &path).await?;
        Ok(Reply::Instance {
            instance: Box::new(instance),
            select: request.select,
        })
    }

    /// The instance at `path`; a class that nobody serves has none.
    pub(super) async fn lookup(&self, cx: &Context, path: &InstancePath) -> Result<Instance> {
        self.deprecations.class(cx.schema.known_class(&path.class)?);
        lookup(&self.registry, cx, path).await
    }

    /// The instances of every provider, one provider after the other and none before its turn.
    pub(super) fn enumerate_instances(
        &self,
        cx: &Context,
        request: EnumerateInstances,
    ) -> Result<Reply> {
        let class = cx.schema.known_class(&request.class)?.clone();
        self.deprecations.class(&class);
        let select = if request.deep_inheritance {
            request.select
        } else {
            request.select.within(&class)
        };
        let stream = self.instances_of(cx, &class);
        Ok(Reply::Instances { stream, select })
    }

    /// The instances of `class` and of its subclasses that the principal may see.
    pub(super) fn instances_of(
        &self,
        cx: &Context,
        class: &Arc<crate::model::Class>,
    ) -> InstanceStream {
        let (providers, cx, class) = (self.providers(cx, class), cx.clone(), class.clone());
        let all = stream::iter(providers).flat_map(move |p| p.instances(&cx, &class));
        fair(all.boxed()).boxed()
    }

    pub(super) fn enumerate_names(
        &self,
        cx: &Context,
        request: &EnumerateInstanceNames,
    ) -> Result<Reply> {
        let class = cx.schema.known_class(&request.class)?.clone();
        self.deprecations.class(&class);
        Ok(Reply::Paths(self.paths_of(cx, &class)))
    }

    /// The paths of those instances.
    pub(super) fn paths_of(&self, cx: &Context, class: &Arc<crate::model::Class>) -> PathStream {
        let (providers, cx, class) = (self.providers(cx, class), cx.clone(), class.clone());
        let all = stream::iter(providers).flat_map(move |p| p.paths(&cx, &class));
        fair(all.boxed()).boxed()
    }

    pub(super) fn providers(
        &self,
        cx: &Context,
        class: &crate::model::Class,
    ) -> Vec<Arc<dyn Provider>> {
        self.registry
            .providers_under(&cx.namespace, &cx.schema, class)
            .cloned()
            .collect()
    }

    pub(super) async fn create_instance(
        &self,
        cx: &Context,
        mut request: CreateInstance,
    ) -> Result<Reply> {
        let class = cx.schema.known_class(&request.instance.class)?;
        let provider = provider(self, cx, class)?;
        provider.permit(cx, class, Act::Create)?;
        provider.complete(cx, class, &mut request.instance);
        let instance = cx.schema.instance(&request.instance)?;
        let written = request.instance.properties.iter().map(|given| &given.name);
        self.deprecations.properties(class, written);
        let created = self.created(cx, provider, instance).await;
        created.map(Reply::Path)
    }

    pub(super) async fn delete_instance(
        &self,
        cx: &Context,
        request: &DeleteInstance,
    ) -> Result<Reply> {
        self.permit(cx, &request.path.class, Act::Delete)?;
        let (path, provider) = self.target(cx, &request.path)?;
        let deleted = self.deleted(cx, provider, path).await;
        deleted.map(|()| Reply::Void)
    }

    /// Whether a write of instances of `class` may be done at all: what is wrong with it comes before what
    /// is wrong with what was written. Of an unknown class nothing is said yet.
    ///
    /// # Errors
    /// `ACCESS_DENIED` or `NOT_SUPPORTED`.
    pub(super) fn permit(&self, cx: &Context, class: &CimName, act: Act<'_>) -> Result<()> {
        match cx.schema.class(class.as_str()) {
            Some(class) => provider(self, cx, class)?.permit(cx, class, act),
            None => Ok(()),
        }
    }

    /// The instance that an operation is about, with its provider.
    pub(super) fn target(
        &self,
        cx: &Context,
        path: &ObjectPath,
    ) -> Result<(InstancePath, &Arc<dyn Provider>)> {
        let path = cx.schema.instance_path(&cx.namespace, path)?;
        let class = cx.schema.known_class(&path.class)?;
        Ok((path, provider(self, cx, class)?))
    }
}

/// The instance at `path`; a class that nobody serves has none.
pub(super) async fn lookup(
    registry: &Registry,
    cx: &Context,
    path: &InstancePath,
) -> Result<Instance> {
    let class = cx.schema.known_class(&path.class)?;
    let mut missing = None;
    for provider in registry.providers_under(&cx.namespace, &cx.schema, class) {
        match provider.get(cx, path).await {
            Err(error) if error.status == Status::NotFound => missing = Some(error),
            found => return found,
        }
    }
    let nobody = || CimError::not_found(format!("there is no instance {path}"));
    Err(missing.unwrap_or_else(nobody))
}
