//! The list of what the server does: one arm for each request.

use std::sync::Arc;
use std::time::Instant;

use chrono::{DateTime, Utc};

use crate::model::{CimError, CimName, Namespace, Result};
use crate::ops::{Access, Addressed, PullKind, Reply, Request};
use crate::provider::{Catalogue, Context, Observer, Principal, Registry, Served, Unobserved};
use crate::schema::Schema;

use super::access;
use super::deprecations::Deprecations;
use super::enumerations::{Enumerations, PullLimits};

/// When a request came and until when it must be answered.
#[derive(Debug, Clone, Copy)]
pub struct Arrival {
    /// The wall clock.
    pub now: DateTime<Utc>,
    /// The end of its time.
    pub deadline: Instant,
}

/// Brings requests to providers.
pub struct Broker {
    pub(super) catalogue: Arc<Catalogue>,
    pub(super) registry: Arc<Registry>,
    reserved: Arc<Schema>,
    pub(super) deprecations: Deprecations,
    pub(super) enumerations: Arc<Enumerations>,
    /// Who is told of the calls of methods.
    pub(super) observer: Arc<dyn Observer>,
}

impl Broker {
    /// A broker over these namespaces and providers. The classes of `reserved` are there in every
    /// namespace, whatever else is in it, and in no list of classes.
    pub fn new(catalogue: Arc<Catalogue>, registry: Registry, reserved: Arc<Schema>) -> Self {
        let registry = Arc::new(registry);
        catalogue.attach(&registry);
        Self {
            catalogue,
            registry,
            reserved,
            deprecations: Deprecations::default(),
            enumerations: Arc::new(Enumerations::new(PullLimits::default())),
            observer: Arc::new(Unobserved),
        }
    }

    /// The same, with `observer` told of the calls of methods.
    #[must_use]
    pub fn with_observer(self, observer: Arc<dyn Observer>) -> Self {
        Self { observer, ..self }
    }

    /// The same with other limits on enumerations that are pulled.
    #[must_use]
    pub fn with_pull_limits(self, limits: PullLimits) -> Self {
        Self {
            enumerations: Arc::new(Enumerations::new(limits)),
            ..self
        }
    }

    /// Answers `request` for `principal`.
    ///
    /// Access, namespace, class and values are judged in the order in which DSP0200 lists the
    /// status codes.
    pub async fn handle(
        &self,
        principal: Principal,
        arrival: Arrival,
        addressed: Addressed,
    ) -> Result<Reply> {
        let Addressed { namespace, request } = addressed;
        if let Request::Unsupported(unsupported) = &request {
            let text = format!(
                "this server does not have the operation {}",
                unsupported.method
            );
            return Err(CimError::not_supported(text));
        }
        let served = self.admit(&principal, &namespace, request.access())?;
        let is_reserved =
            subject(&request).is_some_and(|class| self.reserved.class_named(class).is_some());
        let schema = if is_reserved {
            self.reserved.clone()
        } else {
            served.schema
        };
        let cx = Context {
            principal,
            namespace: served.namespace,
            schema,
            now: arrival.now,
            deadline: arrival.deadline,
        };
        self.perform(&cx, request).await
    }

    /// The namespace of a request that may be made there, before its parameters are looked at.
    ///
    /// # Errors
    /// `ACCESS_DENIED` or `INVALID_NAMESPACE`, in this order.
    pub fn admit(
        &self,
        principal: &Principal,
        namespace: &Namespace,
        access: Access,
    ) -> Result<Served> {
        access::permit(principal, access)?;
        self.catalogue.find(namespace)
    }

    async fn perform(&self, cx: &Context, request: Request) -> Result<Reply> {
        match request {
            Request::GetInstance(request) => self.get_instance(cx, request).await,
            Request::EnumerateInstances(request) => self.enumerate_instances(cx, request),
            Request::EnumerateInstanceNames(request) => self.enumerate_names(cx, &request),
            Request::CreateInstance(request) => self.create_instance(cx, request).await,
            Request::ModifyInstance(request) => self.modify_instance(cx, request).await,
            Request::DeleteInstance(request) => self.delete_instance(cx, &request).await,
            Request::Associators(request) => self.associators(cx, request).await,
            Request::AssociatorNames(request) => self.associator_names(cx, request).await,
            Request::References(request) => self.references(cx, request).await,
            Request::ReferenceNames(request) => self.reference_names(cx, request).await,
            Request::GetProperty(request) => self.get_property(cx, request).await,
            Request::SetProperty(request) => self.set_property(cx, request).await,
            Request::InvokeMethod(request) => self.invoke_method(cx, request).await,
            Request::GetClass(request) => super::classes::get(&cx.schema, request),
            Request::EnumerateClasses(request) => super::classes::enumerate(&cx.schema, &request),
            Request::EnumerateClassNames(request) => super::classes::names(&cx.schema, &request),
            Request::CreateClass(request) => self.create_class(cx, request).await,
            Request::ModifyClass(request) => self.modify_class(cx, request).await,
            Request::DeleteClass(request) => self.delete_class(cx, request).await,
            Request::SetQualifier(request) => self.set_qualifier(cx, request).await,
            Request::DeleteQualifier(request) => self.delete_qualifier(cx, request).await,
            Request::GetQualifier(request) => super::classes::qualifier(&cx.schema, &request),
            Request::EnumerateQualifiers(_) => Ok(super::classes::qualifiers(&cx.schema)),
            Request::ExecQuery(request) => self.exec_query(cx, &request).await,
            Request::OpenEnumerateInstances(request) => self.open_instances(cx, request),
            Request::OpenEnumerateInstancePaths(request) => self.open_paths(cx, &request),
            Request::OpenReferenceInstances(request) => self.open_references(cx, request).await,
            Request::OpenReferenceInstancePaths(request) => {
                self.open_reference_paths(cx, &request).await
            }
            Request::OpenAssociatorInstances(request) => self.open_associators(cx, request).await,
            Request::OpenAssociatorInstancePaths(request) => {
                self.open_associator_paths(cx, request).await
            }
            Request::OpenQueryInstances(request) => self.open_query(cx, &request).await,
            Request::PullInstancesWithPath(request) => {
                let kind = PullKind::InstancesWithPath;
                self.pull(cx, kind, &request.context, request.max_objects)
            }
            Request::PullInstancePaths(request) => {
                self.pull(cx, PullKind::Paths, &request.context, request.max_objects)
            }
            Request::PullInstances(request) => {
                let kind = PullKind::Instances;
                self.pull(cx, kind, &request.context, request.max_objects)
            }
            Request::CloseEnumeration(request) => self.close_enumeration(cx, &request),
            Request::EnumerationCount(request) => self.enumeration_count(cx, &request),
            Request::Unsupported(request) => Err(CimError::not_supported(request.method)),
        }
    }
}

/// The class whose instances a request is about.
fn subject(request: &Request) -> Option<&CimName> {
    match request {
        Request::GetInstance(request) => Some(&request.path.class),
        Request::EnumerateInstances(request) => Some(&request.class),
        Request::EnumerateInstanceNames(request) => Some(&request.class),
        Request::OpenEnumerateInstances(request) => Some(&request.class),
        Request::OpenEnumerateInstancePaths(request) => Some(&request.class),
        Request::CreateInstance(request) => Some(&request.instance.class),
        Request::DeleteInstance(request) => Some(&request.path.class),
        _ => None,
    }
}

/// The provider of `class`.
///
/// # Errors
/// `NOT_SUPPORTED` when nobody has instances of it.
pub(super) fn provider<'a>(
    broker: &'a Broker,
    cx: &Context,
    class: &crate::model::Class,
) -> Result<&'a Arc<dyn crate::provider::Provider>> {
    let none = || CimError::not_supported(format!("no provider has instances of {}", class.name));
    broker
        .registry
        .provider_of(&cx.namespace, class)
        .ok_or_else(none)
}
