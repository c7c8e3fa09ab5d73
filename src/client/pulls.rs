//! Typed calls of the pulled enumerations: opened, drawn from as fast as the caller likes, closed.

use crate::cimxml::{Returned, UnexpectedItem};
use crate::model::{
    CimName, CimType, CimValue, ClassDecl, InstanceDecl, Literal, Namespace, ObjectPath,
};
use crate::ops::{
    AssociatorFilter, CloseEnumeration, EnumerationCount, OpenAssociatorInstancePaths,
    OpenAssociatorInstances, OpenEnumerateInstancePaths, OpenEnumerateInstances,
    OpenQueryInstances, OpenReferenceInstancePaths, OpenReferenceInstances, Opening,
    PullInstancePaths, PullInstances, PullInstancesWithPath, ReferenceFilter, Request, Select,
    Terms,
};

use super::calls::with_paths;
use super::{Client, ClientError};

/// What an open or a pull gave.
#[derive(Debug, Clone, PartialEq)]
pub struct Pulled<T> {
    /// The objects, which may be none although more will come.
    pub objects: Vec<T>,
    /// By which to ask for more; `None` at the end of the sequence.
    pub context: Option<String>,
}

/// An instance with its path.
type Located = (ObjectPath, InstanceDecl);

impl Client {
    /// `OpenEnumerateInstances`, with the properties that subclasses add.
    pub async fn open_instances(
        &self,
        namespace: &Namespace,
        class: CimName,
        select: Select,
        opening: Opening,
    ) -> Result<Pulled<Located>, ClientError> {
        let request = Request::OpenEnumerateInstances(OpenEnumerateInstances {
            class,
            deep_inheritance: true,
            select,
            opening,
        });
        pulled(self.call(namespace, request).await?, with_paths)
    }

    /// `OpenEnumerateInstancePaths`.
    pub async fn open_paths(
        &self,
        namespace: &Namespace,
        class: CimName,
        opening: Opening,
    ) -> Result<Pulled<ObjectPath>, ClientError> {
        let request =
            Request::OpenEnumerateInstancePaths(OpenEnumerateInstancePaths { class, opening });
        pulled(self.call(namespace, request).await?, paths)
    }

    /// `OpenReferenceInstances`.
    pub async fn open_references(
        &self,
        namespace: &Namespace,
        path: ObjectPath,
        filter: ReferenceFilter,
        select: Select,
        opening: Opening,
    ) -> Result<Pulled<Located>, ClientError> {
        let request = Request::OpenReferenceInstances(OpenReferenceInstances {
            path,
            filter,
            select,
            opening,
        });
        pulled(self.call(namespace, request).await?, with_paths)
    }

    /// `OpenReferenceInstancePaths`.
    pub async fn open_reference_paths(
        &self,
        namespace: &Namespace,
        path: ObjectPath,
        filter: ReferenceFilter,
        opening: Opening,
    ) -> Result<Pulled<ObjectPath>, ClientError> {
        let request = Request::OpenReferenceInstancePaths(OpenReferenceInstancePaths {
            path,
            filter,
            opening,
        });
        pulled(self.call(namespace, request).await?, paths)
    }

    /// `OpenAssociatorInstances`.
    pub async fn open_associators(
        &self,
        namespace: &Namespace,
        path: ObjectPath,
        filter: AssociatorFilter,
        select: Select,
        opening: Opening,
    ) -> Result<Pulled<Located>, ClientError> {
        let request = Request::OpenAssociatorInstances(OpenAssociatorInstances {
            path,
            filter,
            select,
            opening,
        });
        pulled(self.call(namespace, request).await?, with_paths)
    }

    /// `OpenAssociatorInstancePaths`.
    pub async fn open_associator_paths(
        &self,
        namespace: &Namespace,
        path: ObjectPath,
        filter: AssociatorFilter,
        opening: Opening,
    ) -> Result<Pulled<ObjectPath>, ClientError> {
        let request = Request::OpenAssociatorInstancePaths(OpenAssociatorInstancePaths {
            path,
            filter,
            opening,
        });
        pulled(self.call(namespace, request).await?, paths)
    }

    /// `OpenQueryInstances`, with the class of the rows.
    pub async fn open_query(
        &self,
        namespace: &Namespace,
        language: &str,
        query: &str,
        terms: Terms,
    ) -> Result<(Pulled<InstanceDecl>, ClassDecl), ClientError> {
        let request = Request::OpenQueryInstances(OpenQueryInstances {
            language: language.to_owned(),
            query: query.to_owned(),
            return_class: true,
            terms,
        });
        let returned = self.call(namespace, request).await?;
        let class = match returned.output("QueryResultClass") {
            Some(Literal::Class(class)) => (**class).clone(),
            Some(_) | None => return Err(UnexpectedItem("QueryResultClass").into()),
        };
        Ok((pulled(returned, instances)?, class))
    }

    /// `PullInstancesWithPath`.
    pub async fn pull_instances_with_path(
        &self,
        namespace: &Namespace,
        context: String,
        max_objects: u32,
    ) -> Result<Pulled<Located>, ClientError> {
        let request = Request::PullInstancesWithPath(PullInstancesWithPath {
            context,
            max_objects,
        });
        pulled(self.call(namespace, request).await?, with_paths)
    }

    /// `PullInstancePaths`.
    pub async fn pull_paths(
        &self,
        namespace: &Namespace,
        context: String,
        max_objects: u32,
    ) -> Result<Pulled<ObjectPath>, ClientError> {
        let request = Request::PullInstancePaths(PullInstancePaths {
            context,
            max_objects,
        });
        pulled(self.call(namespace, request).await?, paths)
    }

    /// `PullInstances`: rows of a query.
    pub async fn pull_instances(
        &self,
        namespace: &Namespace,
        context: String,
        max_objects: u32,
    ) -> Result<Pulled<InstanceDecl>, ClientError> {
        let request = Request::PullInstances(PullInstances {
            context,
            max_objects,
        });
        pulled(self.call(namespace, request).await?, instances)
    }

    /// `CloseEnumeration`: for an enumeration that is left before its end.
    pub async fn close_enumeration(
        &self,
        namespace: &Namespace,
        context: String,
    ) -> Result<(), ClientError> {
        let request = Request::CloseEnumeration(CloseEnumeration { context });
        self.call(namespace, request).await.map(|_| ())
    }

    /// `EnumerationCount`: how many objects are left, `None` when the server does not know.
    pub async fn enumeration_count(
        &self,
        namespace: &Namespace,
        context: String,
    ) -> Result<Option<u64>, ClientError> {
        let request = Request::EnumerationCount(EnumerationCount { context });
        let returned = self.call(namespace, request).await?;
        if returned.items.is_empty() {
            return Ok(None);
        }
        match returned.value()?.resolve(CimType::Uint64, false) {
            Ok(CimValue::Uint64(count)) => Ok(Some(count)),
            Ok(CimValue::Null) => Ok(None),
            Ok(_) | Err(_) => Err(UnexpectedItem("number").into()),
        }
    }
}

fn pulled<T>(
    returned: Returned,
    objects: impl FnOnce(Returned) -> Result<Vec<T>, ClientError>,
) -> Result<Pulled<T>, ClientError> {
    let context = returned.enumeration()?;
    Ok(Pulled {
        objects: objects(returned)?,
        context,
    })
}

fn paths(returned: Returned) -> Result<Vec<ObjectPath>, ClientError> {
    Ok(returned.paths()?)
}

fn instances(returned: Returned) -> Result<Vec<InstanceDecl>, ClientError> {
    Ok(returned.instances()?)
}
