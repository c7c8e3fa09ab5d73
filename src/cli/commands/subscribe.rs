//! `subscribe`: has a server tell of events, prints what it tells, and takes all of it back at the end.

use std::pin::pin;
use std::process::ExitCode;

use crate::client::{Client, Listener};
use crate::model::{CimName, CimType, InstanceDecl, Literal, Namespace, ObjectPath, PropertyValue};

use super::super::args::Subscribe;
use super::super::{CliError, target};
use super::arrivals::{self, QUEUE_LIMIT, Signals};

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
    let mut signals = Signals::new().map_err(failed)?;
    let (listener, mut arrivals) = Listener::bind(arguments.address, QUEUE_LIMIT)
        .await
        .map_err(failed)?;
    let listener = listener.with_limit(arguments.count);
    let address = listener.address().map_err(failed)?;
    let url = arguments.callback.clone();
    let url = url.unwrap_or_else(|| format!("http://{address}"));
    let mut made = Made::new(&client, &arguments)?;
    let mut is_given_up = false;
    let work = async {
        // A request that is on its way may make something whatever happens here: its answer is waited
        // for, since it says what is to be taken back.
        {
            let mut set_up = pin!(made.set_up(&arguments, &url));
            let is_stopped = tokio::select! {
                biased;
                () = signals.next() => true,
                done = &mut set_up => {
                    done?;
                    false
                }
            };
            if is_stopped {
                return tokio::select! {
                    biased;
                    () = signals.next() => {
                        is_given_up = true;
                        Ok(())
                    }
                    done = set_up => done,
                };
            }
        }
        eprintln!("subscribed; the server sends to {url}");
        let wanted = (arguments.count, arguments.format);
        arrivals::print(&mut arrivals, wanted, &mut signals).await
    };
    let done = tokio::select! {
        never = listener.serve() => match never {},
        done = work => done,
    };
    if is_given_up {
        return Err(made.left());
    }
    // What was set up goes also when something failed.
    let taken_back = tokio::select! {
        biased;
        () = signals.next() => Err(made.left()),
        taken_back = made.take_back() => taken_back,
    };
    done.and(taken_back).map(|()| ExitCode::SUCCESS)
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
    async fn take_back(&mut self) -> Result<(), CliError> {
        let mut done = Ok(());
        while let Some(path) = self.paths.last().cloned() {
            match self.client.delete_instance(&self.interop, path).await {
                Err(error) if !is_gone(&error) => done = Err(error.into()),
                Ok(()) | Err(_) => {}
            }
            self.paths.pop();
        }
        done
    }

    /// What nobody takes back any more, as an error.
    fn left(&self) -> CliError {
        let paths: Vec<String> = self.paths.iter().map(ToString::to_string).collect();
        CliError::Left(match paths.as_slice() {
            [] => "what was asked for last".to_owned(),
            paths => paths.join(", "),
        })
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
