//! Whether what there is allows a change of a schema: subclasses, instances, and classes of this server.

use std::sync::{Arc, Weak};

use futures_util::StreamExt;

use crate::model::{CimError, CimName, Class, Embedding, Namespace, Result, Status};
use crate::schema::{Edit, Edited, Schema};

use super::super::Context;
use super::{Catalogue, Refused};

/// Names that begin so are this server's own.
const OWN_PREFIX: &str = "JW_";

impl Catalogue {
    /// Instances that a provider makes are no data that could be put beside declarations.
    pub(super) fn is_kept_here(&self, namespace: &Namespace, class: &Class) -> Result<()> {
        if self.is_claimed(namespace, class) {
            return Err(CimError::not_supported(format!(
                "instances of {} are made by CreateInstance, one by one",
                class.name
            )));
        }
        Ok(())
    }

    /// What becomes of the schema of `cx`, when everything allows it.
    pub(super) async fn judged(&self, cx: &Context, edits: Vec<Edit>) -> Result<Edited, Refused> {
        has_no_orphans(&cx.schema, &edits)?;
        let schema = cx.schema.clone();
        // Many declarations take longer than others should wait for this thread.
        let judged = tokio::task::spawn_blocking(move || schema.edited(edits)).await;
        let judged = judged.map_err(|error| CimError::failed(error.to_string()))?;
        let edited = judged.map_err(Refused::Unsound)?;
        if self.fixed.contains(&cx.namespace) {
            is_not_ours(&edited)?;
        }
        keeps_children(&cx.schema, &edited)?;
        for class in edited.restructured.iter().chain(&edited.dropped) {
            self.has_no_instances(cx, class).await?;
            for holder in cx.schema.classes().filter(|holder| embeds(holder, class)) {
                // What providers embed they make anew each time they are asked.
                if !self.is_claimed(&cx.namespace, holder) {
                    self.has_no_instances(cx, holder).await?;
                }
            }
        }
        Ok(edited)
    }

    fn is_claimed(&self, namespace: &Namespace, class: &Class) -> bool {
        let registry = self.registry.get().and_then(Weak::upgrade);
        registry.is_some_and(|registry| registry.is_claimed(namespace, class))
    }

    async fn has_no_instances(&self, cx: &Context, class: &Arc<Class>) -> Result<()> {
        let Some(registry) = self.registry.get().and_then(Weak::upgrade) else {
            return Ok(());
        };
        // The class as it was, not as it is to be.
        let Some(class) = cx.schema.class(class.name.as_str()) else {
            return Ok(());
        };
        for provider in registry.providers_under(&cx.namespace, &cx.schema, class) {
            if let Some(found) = provider.instances(cx, class).next().await {
                found?;
                let text = format!("the class {} has instances", class.name);
                return Err(CimError::new(Status::ClassHasInstances, text));
            }
        }
        Ok(())
    }
}

/// Whether instances of `holder` may hold instances of `class` in a property that it introduces.
fn embeds(holder: &Class, class: &Class) -> bool {
    let own = holder.properties.values().filter(|own| !own.propagated);
    own.filter_map(|property| property.slot.embedding.as_ref())
        .any(|embedding| match embedding {
            Embedding::Object => true,
            Embedding::Instance(declared) => class.is_a(declared.as_str()),
        })
}

fn has_children(class: &CimName) -> CimError {
    let text = format!("the class {class} has subclasses");
    CimError::new(Status::ClassHasChildren, text)
}

/// A class goes only when its subclasses go with it.
fn has_no_orphans(schema: &Schema, edits: &[Edit]) -> Result<()> {
    let going = |class: &CimName| {
        let mut edits = edits.iter();
        edits.any(|edit| matches!(edit, Edit::DropClass(name) if name == class))
    };
    for edit in edits {
        if let Edit::DropClass(name) = edit
            && schema.children(Some(name)).any(|child| !going(&child.name))
        {
            return Err(has_children(name));
        }
    }
    Ok(())
}

/// A class with subclasses means something else only when each of them was written with it.
fn keeps_children(schema: &Schema, edited: &Edited) -> Result<()> {
    for class in &edited.restructured {
        let written = |child: &Arc<Class>| {
            let mut written = edited.written.iter();
            written.any(|class| class.name == child.name)
        };
        let was_written = written(class);
        if was_written
            && schema
                .children(Some(&class.name))
                .any(|child| !written(child))
        {
            return Err(has_children(&class.name));
        }
    }
    Ok(())
}

/// The classes of this server's providers are what the providers are written for.
fn is_not_ours(edited: &Edited) -> Result<()> {
    let mut changed = edited.written.iter().chain(&edited.dropped);
    let ours = changed.find(|class| {
        let prefix = class.name.as_str().get(..OWN_PREFIX.len());
        prefix.is_some_and(|prefix| prefix.eq_ignore_ascii_case(OWN_PREFIX))
    });
    match ours {
        None => Ok(()),
        Some(class) => Err(CimError::failed(format!(
            "the class {} belongs to the server; derive one from it",
            class.name
        ))),
    }
}
