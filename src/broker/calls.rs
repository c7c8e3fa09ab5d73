//! CIM_InstMethodCall: whoever listens is told before a method of an instance is called, and after it.
//!
//! A call is no change that is committed, so each of the two is committed by itself: the first before the
//! method does anything, the second when it has returned. A call that ends in an error has no second one.

use std::sync::Arc;

use crate::model::{CimError, CimValue, Class, Instance, InstancePath, Method, NameMap, Result};
use crate::ops::MethodReply;
use crate::provider::{
    Arguments, CallPhase, Change, ChangeKind, Context, MethodCall, Observer, Occurrence, Provider,
};
use crate::schema::method_parameters;

use super::changes::is_heard;
use super::methods::judged;

/// A call that may be made.
pub(super) struct Call {
    pub cx: Context,
    pub provider: Arc<dyn Provider>,
    pub class: Arc<Class>,
    /// The instance; `None` for a call on the class.
    pub path: Option<InstancePath>,
    pub method: Arc<Method>,
    pub values: NameMap<CimValue>,
}

impl Call {
    /// Makes the call, and tells `observer` where anybody listens.
    pub async fn made(self, observer: &Arc<dyn Observer>) -> Result<MethodReply> {
        let is_heard = || is_heard(&**observer, &self.cx, &self.class, ChangeKind::MethodCall);
        let Some(path) = self.path.clone().filter(|_| is_heard()) else {
            return self.make().await;
        };
        let observer = observer.clone();
        // Who was told of the beginning is told of the end, even if whoever calls goes away.
        let done = tokio::spawn(async move { self.told(&path, &*observer).await });
        done.await
            .unwrap_or_else(|error| Err(CimError::failed(error.to_string())))
    }

    async fn make(&self) -> Result<MethodReply> {
        let values = self.values.clone();
        let call = (&*self.method, Arguments { values });
        let path = self.path.as_ref();
        let reply = self.provider.invoke(&self.cx, &self.class, path, call);
        judged(&self.class, &self.method, reply.await?)
    }

    async fn told(&self, path: &InstancePath, observer: &dyn Observer) -> Result<MethodReply> {
        // The call itself says what is wrong with the path.
        let Ok((source, owner)) = self.provider.told(&self.cx, path).await else {
            return self.make().await;
        };
        // What somebody does with what is everybody's is that client's own affair.
        let owner = owner.unwrap_or_else(|| self.cx.principal.name().into());
        let tell = |source: &Instance, call| {
            let change = Change::Called {
                source: source.clone(),
                call,
            };
            let owner = Some(owner.clone());
            observer.tell(&self.cx.namespace, vec![Occurrence { change, owner }])
        };
        if let Some(call) = self.side(self.inputs(), CallPhase::Before) {
            tell(&source, call).await;
        }
        let reply = self.make().await?;
        // A method may end its instance.
        let after = self.provider.told(&self.cx, path).await;
        let source = after.map_or(source, |(after, _)| after);
        let returned = reply.returns.as_ref().map(|(_, value)| value);
        let returned = returned.filter(|value| !value.is_null());
        let phase = CallPhase::After(returned.map(ToString::to_string));
        if let Some(call) = self.side(self.outputs(&reply), phase) {
            tell(&source, call).await;
        }
        Ok(reply)
    }

    /// A call is not refused because it cannot be told.
    fn side(&self, parameters: Result<Instance>, phase: CallPhase) -> Option<MethodCall> {
        match parameters {
            Ok(parameters) => Some(MethodCall {
                method: self.method.name.clone(),
                parameters,
                phase,
            }),
            Err(error) => {
                tracing::error!(%error, "a method call cannot be told");
                None
            }
        }
    }

    fn inputs(&self) -> Result<Instance> {
        let parameters = self.method.parameters.values();
        let inputs = parameters
            .filter(|parameter| parameter.input)
            .map(|parameter| {
                let is_secret = self.provider.is_secret(&self.method, &parameter.name);
                let value = self.values.get(parameter.name.as_str());
                let value = value.filter(|_| !is_secret).cloned();
                (parameter, value.unwrap_or(CimValue::Null))
            });
        method_parameters(inputs.collect())
    }

    fn outputs(&self, reply: &MethodReply) -> Result<Instance> {
        let parameters = self.method.parameters.values();
        let outputs = parameters
            .filter(|parameter| parameter.output)
            .map(|parameter| {
                let is_secret = self.provider.is_secret(&self.method, &parameter.name);
                let mut given = reply.outputs.iter();
                let given = given.find(|(name, ..)| *name == parameter.name && !is_secret);
                let value = given.map(|(_, _, value)| value.clone());
                (parameter, value.unwrap_or(CimValue::Null))
            });
        method_parameters(outputs.collect())
    }
}
