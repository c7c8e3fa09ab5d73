//! Typed calls of the operations that follow the associations of an instance.

use crate::model::{InstanceDecl, Namespace, ObjectPath};
use crate::ops::{
    AssociatorFilter, AssociatorNames, Associators, ReferenceFilter, ReferenceNames, References,
    Request, Select,
};

use super::calls::with_paths;
use super::{Client, ClientError};

impl Client {
    /// `Associators` of an instance: what its associations lead to.
    pub async fn associators(
        &self,
        namespace: &Namespace,
        object: ObjectPath,
        filter: AssociatorFilter,
        select: Select,
    ) -> Result<Vec<(ObjectPath, InstanceDecl)>, ClientError> {
        let request = Request::Associators(Associators {
            object,
            filter,
            qualifiers: false,
            select,
        });
        with_paths(self.call(namespace, request).await?)
    }

    /// `AssociatorNames` of an instance, or of a class when `object` has no keys.
    pub async fn associator_names(
        &self,
        namespace: &Namespace,
        object: ObjectPath,
        filter: AssociatorFilter,
    ) -> Result<Vec<ObjectPath>, ClientError> {
        let request = Request::AssociatorNames(AssociatorNames { object, filter });
        Ok(self.call(namespace, request).await?.paths()?)
    }

    /// `References` of an instance: its associations.
    pub async fn references(
        &self,
        namespace: &Namespace,
        object: ObjectPath,
        filter: ReferenceFilter,
        select: Select,
    ) -> Result<Vec<(ObjectPath, InstanceDecl)>, ClientError> {
        let request = Request::References(References {
            object,
            filter,
            qualifiers: false,
            select,
        });
        with_paths(self.call(namespace, request).await?)
    }

    /// `ReferenceNames` of an instance, or of a class when `object` has no keys.
    pub async fn reference_names(
        &self,
        namespace: &Namespace,
        object: ObjectPath,
        filter: ReferenceFilter,
    ) -> Result<Vec<ObjectPath>, ClientError> {
        let request = Request::ReferenceNames(ReferenceNames { object, filter });
        Ok(self.call(namespace, request).await?.paths()?)
    }
}
