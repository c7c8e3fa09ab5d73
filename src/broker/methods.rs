//! Extrinsic methods: the method exists, the target fits it, input and output keep their rules.

use std::sync::Arc;

use crate::model::{CimError, CimName, CimType, CimValue, Class, Method, ObjectPath, Result, Slot};
use crate::ops::{InvokeMethod, MethodReply, Reply};
use crate::provider::{Act, Context};

use super::calls::Call;
use super::dispatch::{Broker, provider};

impl Broker {
    /// DSP0200 1.4 §5.4.1.
    pub(super) async fn invoke_method(&self, cx: &Context, request: InvokeMethod) -> Result<Reply> {
        let class = cx.schema.known_class(&request.target.class)?;
        let provided = provider(self, cx, class).ok();
        if let (Some(provider), Ok(method)) = (provided, method(class, &request.method)) {
            provider.permit(cx, class, Act::Invoke(method))?;
        }
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
        self.deprecations.method(class, method, &values);
        let nobody =
            || CimError::method_not_available(format!("no provider implements {}", method.name));
        let provider = provided.ok_or_else(nobody)?;
        let call = Call {
            cx: cx.clone(),
            provider: provider.clone(),
            class: class.clone(),
            path,
            method: method.clone(),
            values,
        };
        call.made(&self.observer).await.map(Reply::Method)
    }
}

fn method<'a>(class: &'a Class, name: &CimName) -> Result<&'a Arc<Method>> {
    let unknown = || CimError::method_not_found(format!("{} has no method {name}", class.name));
    let method = class.methods.get(name.as_str()).ok_or_else(unknown)?;
    Ok(method)
}

fn not_static(method: &Method, target: &ObjectPath) -> CimError {
    let text = format!("{} is not static and {target} is no instance", method.name);
    CimError::invalid_parameter(text)
}

/// What a provider gives back must be what the class declares: a mistake of ours is logged, with
/// what it was, and not sent.
pub(super) fn judged(class: &Class, method: &Method, reply: MethodReply) -> Result<MethodReply> {
    let fault = faults(method, &reply).next();
    match fault {
        None => Ok(reply),
        Some(fault) => {
            let (class, method) = (&class.name, &method.name);
            tracing::error!(%class, %method, %fault, "a provider broke its declaration");
            let text = format!("{class}.{method} gave back what it does not declare");
            Err(CimError::failed(text))
        }
    }
}

/// Where `reply` is not what `method` declares: the return value, the outputs, `Required` ones that
/// are missing.
fn faults<'a>(method: &'a Method, reply: &'a MethodReply) -> impl Iterator<Item = String> + 'a {
    let outputs = reply.outputs.iter().filter_map(|(name, ty, value)| {
        let parameter = method.parameters.get(name.as_str());
        match parameter.filter(|parameter| parameter.output) {
            Some(parameter) => value_fault(&parameter.slot, *ty, value),
            None => Some("there is no such output".to_owned()),
        }
        .map(|fault| format!("{name}: {fault}"))
    });
    let missing = method.parameters.values().filter_map(|parameter| {
        let given = reply
            .outputs
            .iter()
            .any(|(name, _, value)| *name == parameter.name && !value.is_null());
        let asked = parameter.output && !parameter.input && parameter.required;
        (asked && !given).then(|| format!("{}: Required asks for a value", parameter.name))
    });
    return_fault(method, reply.returns.as_ref())
        .into_iter()
        .chain(outputs)
        .chain(missing)
}

fn return_fault(method: &Method, returned: Option<&(CimType, CimValue)>) -> Option<String> {
    let fault = match (&method.returns, returned) {
        (None, None) => None,
        (None, Some(_)) => Some("a void method returns nothing".to_owned()),
        (Some(_), None) => Some("nothing was returned".to_owned()),
        (Some(_), Some((_, CimValue::Null))) => {
            let required = method.qualifiers.get("Required");
            let required = required.and_then(|required| required.value.as_bool());
            (required == Some(true)).then(|| "Required asks for a value".to_owned())
        }
        (Some(slot), Some((ty, value))) => value_fault(slot, *ty, value),
    };
    fault.map(|fault| format!("the return value: {fault}"))
}

fn value_fault(slot: &Slot, ty: CimType, value: &CimValue) -> Option<String> {
    if slot.ty != ty {
        return Some(format!("{ty} was given where {slot} is declared"));
    }
    slot.accepts(value)
        .err()
        .map(|violation| violation.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Check, NameMap, Parameter};

    fn slot(ty: CimType, check: Check) -> Slot {
        Slot {
            ty,
            is_array: false,
            array_kind: crate::model::ArrayKind::default(),
            array_size: None,
            reference_class: None,
            embedding: None,
            checks: Box::new([check]),
        }
    }

    fn method() -> Method {
        let output = Parameter {
            name: CimName::of("Level"),
            slot: slot(CimType::Uint8, Check::MaxValue(9)),
            qualifiers: NameMap::new(),
            input: false,
            output: true,
            required: true,
        };
        Method {
            name: CimName::of("Measure"),
            returns: Some(slot(CimType::Uint32, Check::MaxValue(5))),
            qualifiers: Arc::default(),
            parameters: Arc::new(NameMap::from_iter([(output.name.clone(), output)])),
            origin: CimName::of("A_B"),
            propagated: false,
            is_static: false,
        }
    }

    fn fault(code: u32, outputs: &[(&'static str, CimType, CimValue)]) -> Option<String> {
        let mut reply = MethodReply::code(code);
        for (name, ty, value) in outputs {
            reply.output(name, *ty, value.clone());
        }
        faults(&method(), &reply).next()
    }

    #[test]
    fn what_a_provider_returns_keeps_the_same_rules_as_input() {
        let level = |level| ("Level", CimType::Uint8, CimValue::Uint8(level));
        assert_eq!(fault(5, &[level(9)]), None);
        for (code, outputs, expected) in [
            (6, vec![level(9)], "the return value: 6 is above MaxValue 5"),
            (5, vec![level(10)], "Level: 10 is above MaxValue 9"),
            (5, vec![], "Level: Required asks for a value"),
            (
                5,
                vec![level(1), ("Depth", CimType::Uint8, CimValue::Uint8(1))],
                "Depth: there is no such output",
            ),
            (
                5,
                vec![("Level", CimType::Uint16, CimValue::Uint16(1))],
                "Level: uint16 was given where uint8 is declared",
            ),
        ] {
            assert_eq!(fault(code, &outputs).as_deref(), Some(expected));
        }
    }
}
