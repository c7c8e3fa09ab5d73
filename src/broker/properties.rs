//! GetProperty and SetProperty, which DSP0200 keeps for clients of old.

use crate::model::{
    CimError, CimName, CimValue, Class, InstanceDecl, Property, PropertyValue, Result, Status,
};
use crate::ops::{GetProperty, ModifyInstance, Reply, SetProperty};
use crate::provider::{Act, Context};

use super::dispatch::Broker;

impl Broker {
    /// DSP0200 1.4 §5.4.2.18. What may not be read is NULL, as in the instance.
    pub(super) async fn get_property(&self, cx: &Context, request: GetProperty) -> Result<Reply> {
        let path = cx.schema.instance_path(&cx.namespace, &request.path)?;
        let instance = self.lookup(cx, &path).await?;
        let property = property(&instance.class, &request.property)?;
        Ok(Reply::Value(if property.read {
            instance.value(property.name.as_str()).clone()
        } else {
            CimValue::Null
        }))
    }

    /// DSP0200 1.4 §5.4.2.19: a ModifyInstance of one property, with codes of its own for a
    /// property that is not there and for a value of another type.
    pub(super) async fn set_property(&self, cx: &Context, request: SetProperty) -> Result<Reply> {
        self.permit(cx, &request.path.class, Act::Modify)?;
        let path = cx.schema.instance_path(&cx.namespace, &request.path)?;
        let current = self.lookup(cx, &path).await?;
        let property = property(&current.class, &request.property)?;
        let slot = &property.slot;
        if slot.embedding.is_none()
            && let Err(error) = request.value.resolve(slot.ty, slot.is_array)
        {
            let text = format!("{}.{}: {error}", path.class, property.name);
            return Err(CimError::new(Status::TypeMismatch, text));
        }
        let given = PropertyValue {
            name: property.name.clone(),
            ty: Some(slot.ty),
            is_array: slot.is_array,
            value: request.value,
        };
        let modify = ModifyInstance {
            path: request.path,
            instance: InstanceDecl {
                class: path.class,
                properties: vec![given],
            },
            properties: None,
        };
        self.modify_instance(cx, modify).await
    }
}

fn property<'a>(class: &'a Class, name: &CimName) -> Result<&'a Property> {
    let missing = || CimError::no_such_property(format!("{} has no property {name}", class.name));
    let found = class.properties.get(name.as_str());
    found.map(AsRef::as_ref).ok_or_else(missing)
}
