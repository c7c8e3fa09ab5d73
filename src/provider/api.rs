//! The trait of providers, with honest defaults: what a provider does not have is not supported.

use std::sync::Arc;

use futures_util::future::ready;
use futures_util::stream::{StreamExt, TryStreamExt};

use crate::model::{
    CimError, CimName, CimValue, Class, Instance, InstanceDecl, InstancePath, Method, NameMap,
    Result,
};
use crate::ops::{BoxFuture, InstanceStream, MethodReply, PathStream};

use super::{Context, refers_to};

/// New values for writable properties of one instance: each exists, is of declared type and keeps
/// its rules.
#[derive(Debug, Clone, PartialEq)]
pub struct Changes {
    /// The properties to change; NULL clears one.
    pub values: NameMap<CimValue>,
}

/// The input of a method call: a value for each input parameter, NULL for those left out.
#[derive(Debug, Clone, PartialEq)]
pub struct Arguments {
    /// The values by parameter name.
    pub values: NameMap<CimValue>,
}

impl Arguments {
    /// The value of `name`, NULL when it was left out.
    pub fn value(&self, name: &str) -> &CimValue {
        self.values.get(name).unwrap_or(&CimValue::Null)
    }
}

/// What a client would do to instances of a class.
#[derive(Debug, Clone, Copy)]
pub enum Act<'a> {
    /// Create one.
    Create,
    /// Change one.
    Modify,
    /// Delete one.
    Delete,
    /// Call this method, on one or on the class.
    Invoke(&'a Method),
}

/// The `permit` of a class whose instances administrators alone create, change and delete.
///
/// # Errors
/// `ACCESS_DENIED`.
pub fn permit_administrators(cx: &Context, act: Act<'_>) -> Result<()> {
    match act {
        Act::Create | Act::Modify | Act::Delete => cx.only_administrators(),
        Act::Invoke(_) => Ok(()),
    }
}

/// The `permit` of a `class` with one instance, which is the server's own, and a `method` that administrators
/// alone call.
///
/// # Errors
/// `ACCESS_DENIED`; `NOT_SUPPORTED` for another instance.
pub fn permit_service(cx: &Context, class: &Class, act: Act<'_>, method: &str) -> Result<()> {
    match act {
        Act::Invoke(called) if called.name.is(method) => cx.only_administrators(),
        Act::Modify | Act::Delete | Act::Invoke(_) => Ok(()),
        Act::Create => Err(only_one(class)),
    }
}

/// That `class` has the one instance it can have.
pub fn only_one(class: &Class) -> CimError {
    CimError::not_supported(format!("there is one {} already", class.name))
}

/// Something that has instances of classes.
///
/// The broker has checked class, keys, types, rules and access before it calls; a provider checks
/// what only it can know.
pub trait Provider: Send + Sync + 'static {
    /// Whether this provider tells of its changes itself, in their transaction. Of what clients change of
    /// others the broker tells when it is done.
    fn tells(&self) -> bool {
        false
    }

    /// The provider's instances of `class` and of its subclasses that the principal may see.
    fn instances(&self, cx: &Context, class: &Arc<Class>) -> InstanceStream;

    /// The paths of those instances.
    fn paths(&self, cx: &Context, class: &Arc<Class>) -> PathStream {
        let namespace = cx.namespace.clone();
        let path = move |item: Result<Instance>| item.map(|instance| instance.path(&namespace));
        self.instances(cx, class).map(path).boxed()
    }

    /// The instance at `path`.
    ///
    /// # Errors
    /// `NOT_FOUND` when there is none that the principal may see.
    fn get<'a>(
        &'a self,
        cx: &'a Context,
        path: &'a InstancePath,
    ) -> BoxFuture<'a, Result<Instance>> {
        Box::pin(async move {
            let Some(class) = cx.schema.class(path.class.as_str()) else {
                return Err(CimError::invalid_class(format!("no class {}", path.class)));
            };
            let mut instances = self.instances(cx, class);
            while let Some(instance) = instances.next().await {
                let instance = instance?;
                if matching(&instance, path) {
                    return Ok(instance);
                }
            }
            Err(CimError::not_found(format!("no instance {path}")))
        })
    }

    /// The provider's instances of the association `class` and of its subclasses that refer to
    /// `object`, by the reference `role` where one is named.
    ///
    /// `object` is the path of the object as the schema has judged it; the references that are
    /// compared with it may be spelled otherwise, which [`refers_to`] takes care of. A provider
    /// that has many instances overrides this with something that does not read them all.
    fn references(
        &self,
        cx: &Context,
        class: &Arc<Class>,
        object: &InstancePath,
        role: Option<&CimName>,
    ) -> InstanceStream {
        let (scope, object, role) = (cx.clone(), object.clone(), role.cloned());
        self.instances(cx, class)
            .try_filter(move |instance| ready(refers_to(&scope, instance, &object, role.as_ref())))
            .boxed()
    }

    /// Whether the principal may do `act` to instances of `class` at all. It is asked before what the
    /// client wrote is judged, and nothing is done where it says no: of the status codes of an operation
    /// DSP0200 lists these two first.
    ///
    /// # Errors
    /// `ACCESS_DENIED`; `NOT_SUPPORTED`, saying what to create instead where there is something.
    fn permit(&self, _cx: &Context, class: &Class, act: Act<'_>) -> Result<()> {
        match act {
            Act::Create => Err(CimError::not_supported(format!(
                "instances of {} cannot be created by clients",
                class.name
            ))),
            Act::Modify | Act::Delete | Act::Invoke(_) => Ok(()),
        }
    }

    /// Gives a new instance of `class` what the client left out and the server knows, before what was
    /// written is judged.
    fn complete(&self, _cx: &Context, _class: &Arc<Class>, _instance: &mut InstanceDecl) {}

    /// Creates `instance`, filling in keys that the server assigns.
    fn create<'a>(
        &'a self,
        _cx: &'a Context,
        instance: Instance,
    ) -> BoxFuture<'a, Result<InstancePath>> {
        Box::pin(async move {
            let class = &instance.class.name;
            Err(CimError::not_supported(format!(
                "instances of {class} cannot be created by clients"
            )))
        })
    }

    /// Changes the writable properties in `changes`, all or none.
    fn modify<'a>(
        &'a self,
        _cx: &'a Context,
        path: &'a InstancePath,
        _changes: Changes,
    ) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move {
            let class = &path.class;
            Err(CimError::not_supported(format!(
                "instances of {class} cannot be changed by clients"
            )))
        })
    }

    /// Whether `current` has, or very lately had, `value` for a property that clients cannot write:
    /// then a client that reads, changes one property and writes everything back changes nothing.
    fn is_unchanged(&self, current: &Instance, property: &CimName, value: &CimValue) -> bool {
        let held = current.value(property.as_str());
        match current.class.properties.get(property.as_str()) {
            Some(property) => property.slot.same(held, value),
            None => held == value,
        }
    }

    /// Deletes the instance at `path`.
    fn delete<'a>(&'a self, _cx: &'a Context, path: &'a InstancePath) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move {
            let class = &path.class;
            Err(CimError::not_supported(format!(
                "instances of {class} cannot be deleted by clients"
            )))
        })
    }

    /// The instance at `path` as it is told to others than the one who asks, and whose it is: besides
    /// its owner only those hear of it who may see everything. `None` when it is everybody's.
    ///
    /// # Errors
    /// Those of [`Self::get`].
    fn told<'a>(
        &'a self,
        cx: &'a Context,
        path: &'a InstancePath,
    ) -> BoxFuture<'a, Result<(Instance, Option<Arc<str>>)>> {
        Box::pin(async move { Ok((self.get(cx, path).await?, None)) })
    }

    /// Whether values of a parameter may hold secrets, so that others are not told them.
    fn is_secret(&self, _method: &Method, _parameter: &CimName) -> bool {
        false
    }

    /// Calls `method` on the instance at `path`, or on the class alone for a static method.
    fn invoke<'a>(
        &'a self,
        _cx: &'a Context,
        _class: &'a Arc<Class>,
        _path: Option<&'a InstancePath>,
        call: (&'a Method, Arguments),
    ) -> BoxFuture<'a, Result<MethodReply>> {
        Box::pin(async move {
            let method = &call.0.name;
            Err(CimError::method_not_available(format!(
                "{method} is declared and not implemented"
            )))
        })
    }
}

/// Whether `path` leads to `instance`: its class or a superclass, and equal keys.
pub fn matching(instance: &Instance, path: &InstancePath) -> bool {
    instance.class.is_a(path.class.as_str()) && instance.keys() == path.keys
}
