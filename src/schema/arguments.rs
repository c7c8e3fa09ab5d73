//! The input of a method call from what a client wrote.

use crate::model::{CimError, CimValue, Method, NameMap, PropertyValue, Result};

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
