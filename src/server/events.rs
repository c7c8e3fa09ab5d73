//! The indication service of the server, with the task that minds its subscriptions.

#![expect(
    clippy::disallowed_methods,
    reason = "a start of the server is told from others by its time"
)]

use std::sync::Arc;

use chrono::Utc;
use tokio::task::JoinHandle;

use crate::client::Trust;
use crate::config::{ConfigError, Settings};
use crate::indications::destination::{AllowList, Outward};
use crate::indications::{self, Home, Parts, Rights, Schemas, Service, Workshop};
use crate::model::Namespace;
use crate::store::{QueueLimits, Writer};

use super::StartError;

/// The service at work.
pub struct Events {
    /// What providers and producers of events use.
    pub service: Arc<Service>,
    clerk: JoinHandle<()>,
    trouble: JoinHandle<()>,
}

impl Events {
    /// Opens the service over the store, whose trouble is told in `main`: what waits for destinations is on its way when this returns.
    pub async fn open(
        settings: &Settings,
        writer: &Writer,
        (schemas, home, main): (Schemas, Home, &Namespace),
        rights: Rights,
    ) -> Result<Self, StartError> {
        let name = rustix::system::uname()
            .nodename()
            .to_string_lossy()
            .into_owned();
        let host = writer.transact(move |batch| batch.host(&name)).await?;
        let parts = Parts {
            writer: writer.clone(),
            workshop: Workshop {
                schemas,
                home,
                host: host.into(),
                rights,
            },
            outward: Outward {
                allowed: allowed(settings)?,
                trust: trust(settings),
            },
            start: Utc::now(),
        };
        let (service, faults) = Service::open(parts).await?;
        let clerk = tokio::spawn(indications::serve(service.clone(), faults));
        let failures = writer.failures();
        let trouble = indications::watch_store(service.clone(), main.clone(), failures);
        let trouble = tokio::spawn(trouble);
        Ok(Self {
            service,
            clerk,
            trouble,
        })
    }

    /// Ends deliveries, so that the store can be closed.
    pub async fn close(self) {
        self.clerk.abort();
        self.trouble.abort();
        self.service.close().await;
    }
}

fn trust(settings: &Settings) -> Trust {
    match &settings.indication_ca_file {
        Some(file) => Trust::File(file.clone()),
        None => Trust::System(Vec::new()),
    }
}

fn allowed(settings: &Settings) -> Result<AllowList, ConfigError> {
    let Some(rules) = &settings.indication_destinations else {
        return Ok(AllowList::default());
    };
    AllowList::new(rules.iter().map(String::as_str)).map_err(|error| ConfigError::Value {
        key: "indication_destinations",
        value: rules.join(", "),
        reason: error.to_string(),
    })
}

/// How long the queues of destinations may become.
pub fn queue_limits(settings: &Settings) -> Result<QueueLimits, ConfigError> {
    let default = QueueLimits::default();
    match settings.indication_queue_limit {
        None => Ok(default),
        Some(0) => Err(ConfigError::Value {
            key: "indication_queue_limit",
            value: "0".to_owned(),
            reason: "at least one indication must be able to wait".to_owned(),
        }),
        Some(indications) => Ok(QueueLimits {
            indications,
            ..default
        }),
    }
}
