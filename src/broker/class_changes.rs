//! CreateClass, ModifyClass, DeleteClass, SetQualifier, DeleteQualifier.

use crate::model::Result;
use crate::ops::{CreateClass, DeleteClass, DeleteQualifier, ModifyClass, Reply, SetQualifier};
use crate::provider::Context;

use super::dispatch::Broker;

impl Broker {
    pub(super) async fn create_class(&self, cx: &Context, request: CreateClass) -> Result<Reply> {
        let created = self.catalogue.create_class(cx, request.class).await;
        created.map(|()| Reply::Void)
    }

    pub(super) async fn modify_class(&self, cx: &Context, request: ModifyClass) -> Result<Reply> {
        let modified = self.catalogue.modify_class(cx, request.class).await;
        modified.map(|()| Reply::Void)
    }

    pub(super) async fn delete_class(&self, cx: &Context, request: DeleteClass) -> Result<Reply> {
        let deleted = self.catalogue.delete_class(cx, request.class).await;
        deleted.map(|()| Reply::Void)
    }

    pub(super) async fn set_qualifier(&self, cx: &Context, request: SetQualifier) -> Result<Reply> {
        let set = self.catalogue.set_qualifier(cx, request.qualifier).await;
        set.map(|()| Reply::Void)
    }

    pub(super) async fn delete_qualifier(
        &self,
        cx: &Context,
        request: DeleteQualifier,
    ) -> Result<Reply> {
        let deleted = self.catalogue.delete_qualifier(cx, request.name).await;
        deleted.map(|()| Reply::Void)
    }
}
