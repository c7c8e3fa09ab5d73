//! The parameters of a method call: from what a client wrote, and as one object.

use std::sync::Arc;

use crate::model::{
    CimError, CimName, CimType, CimValue, Class, ClassKind, Instance, Method, NameMap, Parameter,
    Property, PropertyValue, Result, Slot,
};

use super::Schema;
use super::input::{Claims, given_once};

impl Schema {
    /// The values of the input parameters that `given` names, each of declared type and within its
    /// rules (DSP0200 1.4 §5.4.1). Types that the client left out are those of the declaration.
    ///
    /// # Errors
    /// `INVALID_PARAMETER` for an unknown, repeated or output-only parameter, a `Required` one that
    /// is missing, and a value that its declaration does not allow.
    pub fn arguments(&self, method: &Method, given: &[PropertyValue]) -> Result<NameMap<CimValue>> {
        given_once(given)?;
        let mut values = NameMap::new();
        for argument in given {
            let name = format!("{}({})", method.name, argument.name);
            let wrong = |text: &str| CimError::invalid_parameter(format!("{name}: {text}"));
            let parameter = method.parameters.get(argument.name.as_str());
            let parameter = parameter.ok_or_else(|| wrong("there is no such parameter"))?;
            if !parameter.input {
                return Err(wrong("this parameter is for output only"));
            }
            let value = self.input(&name, argument, &parameter.slot, Claims::Widening, 0)?;
            values.insert(parameter.name.clone(), value);
        }
        let missing = method.parameters.values().find(|parameter| {
            let value = values.get(parameter.name.as_str());
            parameter.input && parameter.required && value.is_none_or(CimValue::is_null)
        });
        match missing {
            Some(parameter) => {
                let text = format!(
                    "{}({}): Required asks for a value",
                    method.name, parameter.name
                );
                Err(CimError::invalid_parameter(text))
            }
            None => Ok(values),
        }
    }
}

/// The class of an object that holds the parameters of a method call.
const METHOD_PARAMETERS: &str = "__MethodParameters";

/// Parameters of a method with their values as one object, as `CIM_InstMethodCall` embeds it. References
/// are told as the text of their paths.
///
/// # Errors
/// When a value is not of the type of its parameter.
pub fn method_parameters(parameters: Vec<(&Parameter, CimValue)>) -> Result<Instance> {
    let slots = parameters.iter();
    let slots = slots.map(|(parameter, _)| (parameter.name.clone(), &parameter.slot));
    let mut object = parameter_object(CimName::of(METHOD_PARAMETERS), slots);
    for (parameter, value) in parameters {
        object.set(parameter.name.as_str(), without_references(value))?;
    }
    Ok(object)
}

/// An object of a class `name` that no schema declares, with a property for each of `slots`,
/// everything in it NULL. References are to be told as the text of their paths.
pub fn parameter_object<'a>(
    name: CimName,
    slots: impl IntoIterator<Item = (CimName, &'a Slot)>,
) -> Instance {
    let properties = slots.into_iter().map(|(own, slot)| {
        let property = property(own, slot, &name);
        (property.name.clone(), Arc::new(property))
    });
    let class = Class {
        ancestors: Box::default(),
        qualifiers: NameMap::new(),
        properties: properties.collect(),
        methods: NameMap::new(),
        keys: Box::default(),
        kind: ClassKind::Structure,
        is_abstract: false,
        name,
    };
    Instance::empty(Arc::new(class))
}

fn property(name: CimName, slot: &Slot, origin: &CimName) -> Property {
    let slot = Slot {
        ty: match slot.ty {
            CimType::Reference => CimType::String,
            other => other,
        },
        reference_class: None,
        // The values were judged already, and not all are told.
        checks: Box::default(),
        ..slot.clone()
    };
    Property {
        name,
        slot,
        qualifiers: Arc::default(),
        default: CimValue::Null,
        origin: origin.clone(),
        propagated: false,
        key: false,
        required: false,
        write: false,
        read: true,
    }
}

fn without_references(value: CimValue) -> CimValue {
    match value {
        CimValue::Reference(path) => CimValue::string(path.to_string()),
        CimValue::Array(entries) => {
            CimValue::Array(entries.into_iter().map(without_references).collect())
        }
        other => other,
    }
}
