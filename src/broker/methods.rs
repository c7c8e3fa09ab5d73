//! Extrinsic methods: the method exists, the target fits it, input and output keep their rules.

use crate::model::{CimError, CimName, CimType, Class, Method, ObjectPath, Result};
use crate::ops::{InvokeMethod, MethodReply, Reply};
use crate::provider::{Arguments, Context};

use super::dispatch::{Broker, provider};

impl Broker {
    /// DSP0200 1.4 §5.4.1.
    pub(super) async fn invoke_method(&self, cx: &Context, request: InvokeMethod) -> Result<Reply> {
        let class = cx.schema.known_class(&request.target.class)?;
        // A path without keys is the class, also where a client wrote it as an instance's.
        let on_instance = request
            .target
            .keys
            .as_ref()
            .is_some_and(|keys| !keys.is_empty());
        let path = if on_instance {
            Some(cx.schema.instance_path(&cx.namespace, &request.target)?)
        } else {
            None
        };
        let method = method(class, &request.method)?;
        if path.is_none() && !method.is_static {
            return Err(not_static(method, &request.target));
        }
        let values = cx.schema.arguments(method, &request.parameters)?;
        let nobody =
            |_| CimError::method_not_available(format!("no provider implements {}", method.name));
        let provider = provider(self, cx, class).map_err(nobody)?;
        let call = (method, Arguments { values });
        let reply = provider.invoke(cx, class, path.as_ref(), call).await?;
        judged(method, reply).map(Reply::Method)
    }
}

fn method<'a>(class: &'a Class, name: &CimName) -> Result<&'a Method> {
    let unknown = || CimError::method_not_found(format!("{} has no method {name}", class.name));
    class.methods.get(name.as_str()).ok_or_else(unknown)
}

fn not_static(method: &Method, target: &ObjectPath) -> CimError {
    let text = format!("{} is not static and {target} is no instance", method.name);
    CimError::invalid_parameter(text)
}

/// What a provider gives back must be what the class declares: a mistake of ours is logged and not
/// sent.
fn judged(method: &Method, reply: MethodReply) -> Result<MethodReply> {
    for (name, ty, value) in &reply.outputs {
        let slot = method
            .parameters
            .get(name.as_str())
            .filter(|parameter| parameter.output);
        let fits = slot.is_some_and(|parameter| {
            let typed = parameter.slot.ty == *ty || *ty == CimType::Reference;
            typed && parameter.slot.accepts(value).is_ok()
        });
        if !fits {
            tracing::error!(method = %method.name, output = %name, "a provider broke its declaration");
            let text = format!("{} gave an output that it does not declare", method.name);
            return Err(CimError::failed(text));
        }
    }
    Ok(reply)
}
