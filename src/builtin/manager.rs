//! CIM_ObjectManager: the server itself, which counts its operations or does not.

use std::sync::Arc;

use crate::model::{CimError, CimValue, Class, InstancePath, Result};
use crate::ops::{BoxFuture, InstanceStream};
use crate::provider::fill::{self, Plain};
use crate::provider::{Changes, Context, Provider};
use crate::store::{StoreError, Writer};

use super::statistics::Statistics;
use super::{Identity, system};

/// The class of the object manager.
pub(super) const CLASS: &str = "CIM_ObjectManager";
/// The name of the product.
pub(super) const PRODUCT: &str = "Jobwright";
/// What it is, with its version, as clients take it apart.
pub(super) const DESCRIPTION: &str =
    concat!("Jobwright WBEM server Version ", env!("CARGO_PKG_VERSION"));
/// What can be changed of it.
const GATHER: &str = "GatherStatisticalData";

/// Whether operations are to be counted, as a client last said.
///
/// # Errors
/// When the store cannot be read.
pub async fn gathers_statistics(writer: &Writer) -> std::result::Result<bool, StoreError> {
    let last = writer.run(|store| store.remembered(GATHER)).await?;
    Ok(last.as_deref() != Some("false"))
}

/// The one object manager.
struct Manager {
    host: Arc<str>,
    name: Arc<str>,
    statistics: Arc<Statistics>,
    writer: Writer,
}

/// The provider of the one object manager.
pub(super) fn provider(
    identity: &Identity,
    statistics: Arc<Statistics>,
    writer: Writer,
) -> Arc<dyn Provider> {
    Arc::new(Manager {
        host: identity.host.clone(),
        name: identity.manager.clone(),
        statistics,
        writer,
    })
}

impl Manager {
    fn values(&self) -> Vec<(&'static str, Plain)> {
        vec![
            ("SystemCreationClassName", system::CLASS.into()),
            ("SystemName", (&*self.host).into()),
            ("CreationClassName", CLASS.into()),
            ("Name", (&*self.name).into()),
            ("ElementName", PRODUCT.into()),
            ("Description", DESCRIPTION.into()),
            (GATHER, self.statistics.are_gathered().into()),
            ("EnabledState", 2_u16.into()),
            ("OperationalStatus", system::OK.into()),
            ("Started", true.into()),
        ]
    }
}

impl Provider for Manager {
    fn instances(&self, cx: &Context, class: &Arc<Class>) -> InstanceStream {
        fill::instances_of(cx, CLASS, class, |own| {
            Ok(vec![fill::instance(own, self.values())?])
        })
    }

    fn modify<'a>(
        &'a self,
        cx: &'a Context,
        path: &'a InstancePath,
        changes: Changes,
    ) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move {
            let current = self.get(cx, path).await?;
            let mut gather = None;
            for (name, value) in changes.values.iter() {
                match value {
                    CimValue::Boolean(on) if name.is(GATHER) => gather = Some(*on),
                    value if current.value(name.as_str()) == value => {}
                    _ => {
                        let text = format!("{name}: of the server only {GATHER} can be changed");
                        return Err(CimError::failed(text));
                    }
                }
            }
            if let Some(on) = gather {
                let value = if on { "true" } else { "false" };
                let kept = self
                    .writer
                    .transact(move |batch| batch.remember(GATHER, value));
                kept.await.map_err(|error| error.told("keep a setting"))?;
                self.statistics.gather(on, cx.now);
            }
            Ok(())
        })
    }
}
