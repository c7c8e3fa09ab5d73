//! The list of what the server does: one arm for each request.

use std::sync::Arc;
use std::time::Instant;

use arc_swap::ArcSwap;
use chrono::{DateTime, Utc};

use crate::model::{CimError, Result};
use crate::ops::{Addressed, PullKind, Reply, Request};
use crate::provider::{Context, Principal, Registry};

use super::deprecations::Deprecations;
use super::enumerations::{Enumerations, PullLimits};
use super::{Namespaces, access};

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
    pub(super) namespaces: ArcSwap<Namespaces>,
    pub(super) registry: Arc<Registry>,
    pub(super) deprecations: Deprecations,
    pub(super) enumerations: Arc<Enumerations>,
}

impl Broker {
    /// A broker over these namespaces and providers.
    pub fn new(namespaces: Namespaces, registry: Registry) -> Self {
        Self {
            namespaces: ArcSwap::from_pointee(namespaces),
            registry: Arc::new(registry),
            deprecations: Deprecations::default(),
            enumerations: Arc::new(Enumerations::new(PullLimits::default())),
        }
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
        access::permit(&principal, request.access())?;
        let served = self.namespaces.load().find(&namespace)?;
        let cx = Context {
            principal,
            namespace: served.namespace,
            schema: served.schema,
            now: arrival.now,
            deadline: arrival.deadline,
        };
        self.perform(&cx, request).await
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
