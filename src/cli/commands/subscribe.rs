//! `subscribe`: has a server tell of events, prints what it tells, and takes all of it back at the end.

#![expect(
    clippy::disallowed_methods,
    reason = "an indication is shown with the time it arrived"
)]

use std::pin::pin;
use std::process::ExitCode;

use chrono::Utc;
use tokio::signal::unix::{SignalKind, signal};

use crate::client::{Client, Listener, Received};
use crate::model::{CimName, CimType, InstanceDecl, Literal, Namespace, ObjectPath, PropertyValue};

use super::super::args::Subscribe;
use super::super::output::{self, indication};
use super::super::{CliError, target};

/// Indications that are held while they cannot be printed; then the server is told to wait.
const QUEUE_LIMIT: usize = 10_000;
/// `OnFatalErrorPolicy`: a subscription whose listener is gone for good is removed.
const REMOVE: i128 = 4;
/// `PersistenceType`: the destination goes with the command.
const TRANSIENT: i128 = 3;

/// Runs `subscribe`.
pub async fn run(arguments: Subscribe) -> Result<ExitCode, CliError> {
    let client = target::connect(&arguments.target)?;
    let failed = |source| CliError::Io {
        doing: format!("listen on {}", arguments.address),
        source,
    };
    let mut terminated = signal(SignalKind::terminate()).map_err(failed)?;
    let mut interrupted = signal(SignalKind::interrupt()).map_err(failed)?;
    let (listener, mut arrivals) = Listener::bind(arguments.address, QUEUE_LIMIT)
        .await
        .map_err(failed)?;
    let address = listener.address().map_err(failed)?;
    let url = arguments.callback.clone();
    let url = url.unwrap_or_else(|| format!("http://{address}"));
    let mut made = Made::new(&client, &arguments)?;
    let serve = pin!(listener.serve());
    let work = async {
        let mut stop = pin!(async {
            tokio::select! {
                _ = terminated.recv() => {}
                _ = interrupted.recv() => {}
            }
        });
        // A request that is on its way may make something whatever happens here: its answer is waited
        // for, since it says what is to be taken back.
        let mut is_stopped = false;
        {
            let mut set_up = pin!(made.set_up(&arguments, &url));
            tokio::select! {
                biased;
                () = &mut stop => is_stopped = true,
                done = &mut set_up => done?,
            }
            if is_stopped {
                return set_up.await;
            }
        }
        eprintln!("subscribed; the server sends to {url}");
        tokio::select! {
            () = stop => Ok(()),
            done = print(&arguments, &mut arrivals) => done,
        }
    };
    let done = tokio::select! {
        never = serve => match never {},
        done = work => done,
    };
    // What was set up goes also when something failed.
    let taken_back = made.take_back().await;
    done.and(taken_back).map(|()| ExitCode::SUCCESS)
}

async fn print(
    arguments: &Subscribe,
    arrivals: &mut tokio::sync::mpsc::Receiver<Received>,
) -> Result<(), CliError> {
    let mut left = arguments.count;
    while left != Some(0) {
        let Some(Received { indication, .. }) = arrivals.recv().await else {
            break;
        };
        output::print(&indication::shown(
            &indication,
            Utc::now(),
            arguments.format,
        ))?;
        left = left.map(|left| left - 1);
    }
    Ok(())
}

/// What was made at the server, newest last.
struct Made<'a> {
    client: &'a Client,
    interop: Namespace,
    paths: Vec<ObjectPath>,
}

impl<'a> Made<'a> {
    fn new(client: &'a Client, arguments: &Subscribe) -> Result<Self, CliError> {
        let name = &arguments.interop;
        let wrong = |_| CliError::Usage(format!("\"{name}\" is no name of a namespace"));
        Ok(Self {
            client,
            interop: Namespace::new(name).map_err(wrong)?,
            paths: Vec::new(),
        })
    }

    async fn set_up(&mut self, arguments: &Subscribe, url: &str) -> Result<(), CliError> {
        let destination = [
            text("Destination", url),
            number("PersistenceType", TRANSIENT),
        ];
        let handler = self.make("CIM_ListenerDestinationCIMXML", destination.into());
        let handler = handler.await?;
        let filter = [
            text("Query", &arguments.query),
            text("QueryLanguage", &arguments.language),
            PropertyValue {
                is_array: true,
                value: Literal::Array(vec![Literal::Text(arguments.namespace.as_str().into())]),
                ..text("SourceNamespaces", "")
            },
        ];
        let filter = self.make("CIM_IndicationFilter", filter.into()).await?;
        let mut subscription = vec![
            reference("Filter", filter),
            reference("Handler", handler),
            number("OnFatalErrorPolicy", REMOVE),
        ];
        if let Some(seconds) = arguments.duration {
            let duration = PropertyValue {
                ty: Some(CimType::Uint64),
                ..number("SubscriptionDuration", seconds.into())
            };
            subscription.push(duration);
        }
        self.make("CIM_IndicationSubscription", subscription)
            .await?;
        Ok(())
    }

    async fn make(
        &mut self,
        class: &'static str,
        properties: Vec<PropertyValue>,
    ) -> Result<ObjectPath, CliError> {
        let class = CimName::of(class);
        let instance = InstanceDecl { class, properties };
        let made = self.client.create_instance(&self.interop, instance).await?;
        let path = ObjectPath {
            host: None,
            namespace: Some(self.interop.clone()),
            ..made
        };
        self.paths.push(path.clone());
        Ok(path)
    }

    /// Deletes everything, the newest first; one that is gone already is no error.
    async fn take_back(self) -> Result<(), CliError> {
        let mut done = Ok(());
        for path in self.paths.into_iter().rev() {
            match self.client.delete_instance(&self.interop, path).await {
                Err(error) if !is_gone(&error) => done = Err(error.into()),
                Ok(()) | Err(_) => {}
            }
        }
        done
    }
}

fn is_gone(error: &crate::client::ClientError) -> bool {
    use crate::client::ClientError;
    use crate::model::Status;
    matches!(error, ClientError::Cim(error) if error.status == Status::NotFound)
}

fn text(name: &'static str, value: &str) -> PropertyValue {
    PropertyValue {
        name: CimName::of(name),
        ty: Some(CimType::String),
        is_array: false,
        value: Literal::Text(value.into()),
    }
}

fn number(name: &'static str, value: i128) -> PropertyValue {
    PropertyValue {
        ty: Some(CimType::Uint16),
        value: Literal::Integer(value),
        ..text(name, "")
    }
}

fn reference(name: &'static str, path: ObjectPath) -> PropertyValue {
    PropertyValue {
        ty: Some(CimType::Reference),
        value: Literal::Reference(Box::new(path)),
        ..text(name, "")
    }
}
