//! Typed calls, one for each operation that the command line uses.

use crate::cimxml::Returned;
use crate::model::{
    CimName, CimType, CimValue, ClassDecl, InstanceDecl, Literal, Namespace, ObjectPath,
    PropertyValue, QualifierDecl,
};
use crate::ops::{
    ClassSelect, CreateInstance, DeleteInstance, EnumerateClasses, EnumerateInstances,
    EnumerateQualifiers, GetClass, GetInstance, InvokeMethod, ModifyInstance, Request, Select,
};

use super::{Client, ClientError};

/// What a method gave back.
#[derive(Debug, Clone, PartialEq)]
pub struct MethodResult {
    /// The return value; NULL for a `void` method.
    pub value: Literal,
    /// The output parameters.
    pub outputs: Vec<PropertyValue>,
}

impl MethodResult {
    /// The return value as a number.
    pub fn return_code(&self) -> Option<u32> {
        let value = self.value.resolve(CimType::Uint32, false).ok()?;
        value
            .as_integer()
            .and_then(|number| u32::try_from(number).ok())
    }

    /// The output parameter `name` as a value of type `ty`.
    pub fn output(&self, name: &str, ty: CimType) -> Option<CimValue> {
        let output = self.outputs.iter().find(|output| output.name.is(name))?;
        output.value.resolve(ty, output.is_array).ok()
    }
}

impl Client {
    /// `GetInstance`.
    pub async fn get_instance(
        &self,
        namespace: &Namespace,
        path: ObjectPath,
        select: Select,
    ) -> Result<InstanceDecl, ClientError> {
        let request = Request::GetInstance(GetInstance { path, select });
        Ok(self.call(namespace, request).await?.instance()?)
    }

    /// `EnumerateInstances`, with the properties that subclasses add.
    pub async fn enumerate_instances(
        &self,
        namespace: &Namespace,
        class: CimName,
        select: Select,
    ) -> Result<Vec<(ObjectPath, InstanceDecl)>, ClientError> {
        let request = EnumerateInstances {
            class,
            deep_inheritance: true,
            select,
        };
        let found = self
            .call(namespace, Request::EnumerateInstances(request))
            .await?;
        with_paths(found)
    }

    /// `GetClass`.
    pub async fn get_class(
        &self,
        namespace: &Namespace,
        class: CimName,
        select: ClassSelect,
    ) -> Result<ClassDecl, ClientError> {
        let request = Request::GetClass(GetClass { class, select });
        Ok(self.call(namespace, request).await?.class()?)
    }

    /// `EnumerateClasses` of every class below `class`, or of all classes.
    pub async fn enumerate_classes(
        &self,
        namespace: &Namespace,
        class: Option<CimName>,
        select: ClassSelect,
    ) -> Result<Vec<ClassDecl>, ClientError> {
        let request = Request::EnumerateClasses(EnumerateClasses {
            class,
            deep_inheritance: true,
            select,
        });
        Ok(self.call(namespace, request).await?.classes()?)
    }

    /// `EnumerateQualifiers`.
    pub async fn enumerate_qualifiers(
        &self,
        namespace: &Namespace,
    ) -> Result<Vec<QualifierDecl>, ClientError> {
        let request = Request::EnumerateQualifiers(EnumerateQualifiers {});
        Ok(self.call(namespace, request).await?.qualifiers()?)
    }

    /// `CreateInstance`.
    pub async fn create_instance(
        &self,
        namespace: &Namespace,
        instance: InstanceDecl,
    ) -> Result<ObjectPath, ClientError> {
        let request = Request::CreateInstance(CreateInstance { instance });
        Ok(self.call(namespace, request).await?.path()?)
    }

    /// `ModifyInstance`.
    pub async fn modify_instance(
        &self,
        namespace: &Namespace,
        path: ObjectPath,
        instance: InstanceDecl,
        properties: Option<Vec<CimName>>,
    ) -> Result<(), ClientError> {
        let request = Request::ModifyInstance(ModifyInstance {
            path,
            instance,
            properties,
        });
        self.call(namespace, request).await.map(|_| ())
    }

    /// `DeleteInstance`.
    pub async fn delete_instance(
        &self,
        namespace: &Namespace,
        path: ObjectPath,
    ) -> Result<(), ClientError> {
        let request = Request::DeleteInstance(DeleteInstance { path });
        self.call(namespace, request).await.map(|_| ())
    }

    /// Calls a method.
    pub async fn invoke(
        &self,
        namespace: &Namespace,
        target: ObjectPath,
        method: CimName,
        parameters: Vec<PropertyValue>,
    ) -> Result<MethodResult, ClientError> {
        let request = Request::InvokeMethod(InvokeMethod {
            target,
            method,
            parameters,
        });
        let returned = self.call(namespace, request).await?;
        let value = returned.value.map_or(Literal::Null, |(_, value)| value);
        Ok(MethodResult {
            value,
            outputs: returned.outputs,
        })
    }
}

/// Instances with their paths.
pub(super) fn with_paths(
    returned: Returned,
) -> Result<Vec<(ObjectPath, InstanceDecl)>, ClientError> {
    let found = returned.named_instances()?.into_iter();
    Ok(found.map(|named| (named.path, named.instance)).collect())
}
