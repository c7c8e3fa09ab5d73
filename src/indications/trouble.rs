//! Alerts of trouble of the store.
//!
//! What cannot be written cannot be queued either: nobody is told while the trouble lasts, and whoever
//! listens is told once the store takes notices again. Where the store is lost the server ends, and the log
//! alone says why.

#![expect(
    clippy::disallowed_methods,
    reason = "trouble begins at a time that nobody is asked for"
)]

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, SecondsFormat, Utc};
use tokio::sync::watch;

use crate::model::{Class, Instance, Namespace, Result};
use crate::provider::{Change, Interest, Observer, Occurrence, fill};
use crate::store::Failure;

use super::service::Service;

/// The class of the alerts.
const CLASS: &str = "CIM_AlertIndication";
/// How often the store is tried again.
const RETRY: Duration = Duration::from_secs(1);
/// What fails again and again is told no more often than this.
const PAUSE: Duration = Duration::from_mins(1);

/// `AlertType`: Processing Error.
const PROCESSING: u16 = 4;
/// `PerceivedSeverity`: Critical.
const CRITICAL: u16 = 6;
/// `ProbableCause`: Storage Capacity Problem.
const CAPACITY: u16 = 50;
/// `ProbableCause`: I/O Device Error.
const DEVICE: u16 = 24;
/// `AlertingElementFormat`: the element is named by its object path.
const PATH: u16 = 2;

/// Tells of the failures of the store in `namespace`, for as long as the server runs.
pub async fn watch(
    service: Arc<Service>,
    namespace: Namespace,
    mut failures: watch::Receiver<Option<Arc<Failure>>>,
) {
    while failures.changed().await.is_ok() {
        let since = Utc::now();
        loop {
            // That telling fails is a failure too, and not a new one.
            let Some(failure) = failures.borrow_and_update().clone() else {
                break;
            };
            if tell(&service, &namespace, (&failure, since)).await {
                break;
            }
            tokio::time::sleep(RETRY).await;
        }
        tokio::time::sleep(PAUSE).await;
    }
}

/// Whether everybody was told who listens.
async fn tell(
    service: &Service,
    namespace: &Namespace,
    (failure, since): (&Failure, DateTime<Utc>),
) -> bool {
    let Some(Interest { class, .. }) = service.interest(namespace, CLASS) else {
        return true;
    };
    match alert(&class, namespace, service.host(), (failure, since)) {
        Ok(alert) => {
            let occurrence = Occurrence {
                change: Change::Alert(alert),
                owner: None,
            };
            let occurrences = [occurrence];
            let told = service.tell_at(namespace, &occurrences, Utc::now());
            told.await.is_ok()
        }
        Err(error) => {
            tracing::error!(%error, "an alert cannot be made");
            true
        }
    }
}

fn alert(
    class: &Arc<Class>,
    namespace: &Namespace,
    host: &str,
    (failure, since): (&Failure, DateTime<Utc>),
) -> Result<Instance> {
    let system = "CIM_ComputerSystem";
    let element = format!("{namespace}:{system}.CreationClassName=\"{system}\",Name=\"{host}\"");
    let cause = if failure.is_full { CAPACITY } else { DEVICE };
    let (text, time) = (
        &failure.text,
        since.to_rfc3339_opts(SecondsFormat::Secs, true),
    );
    let message = format!("not everything since {time} was kept: failed to {text}");
    fill::instance(
        class,
        [
            ("AlertType", PROCESSING.into()),
            ("PerceivedSeverity", CRITICAL.into()),
            ("ProbableCause", cause.into()),
            ("AlertingManagedElement", element.into()),
            ("AlertingElementFormat", PATH.into()),
            ("EventID", "store".into()),
            ("EventTime", since.into()),
            ("SystemCreationClassName", system.into()),
            ("SystemName", host.into()),
            ("ProviderName", "jobwright".into()),
            ("OwningEntity", "Jobwright".into()),
            ("MessageID", "JW2003".into()),
            ("Message", message.as_str().into()),
            ("Description", message.into()),
        ],
    )
}
