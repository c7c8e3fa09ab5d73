//! Putting the server together: state, schema, jobs, providers, broker, front end, listener.

#![expect(clippy::disallowed_methods, reason = "counting begins at an instant")]

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use chrono::Utc;
use tokio::sync::{mpsc, watch};

use crate::broker::{Broker, PullLimits};
use crate::builtin::{
    self, Audience, Elsewhere, Profile, Related, RepositoryProvider, Statistics, Tally,
};
use crate::cimxml::Agreement;
use crate::config::{ConfigError, Settings};
use crate::indications::{self, Home, Rights, Schemas};
use crate::jobs::engine::Engine;
use crate::jobs::executor::cgroups::Cgroups;
use crate::jobs::executor::{self, Options, ProcessExecutor};
use crate::jobs::port::Runs;
use crate::jobs::zone;
use crate::jobs::{Config as EngineConfig, EngineTask, provider as jobs};
use crate::model::Namespace;
use crate::provider::{Catalogue, Namespaces, Registry};
use crate::store::{self, Keep, Writer, WriterThread};

use super::announce::{self, Announcement};
use super::auth::Authenticator;
use super::events::{self, Events};
use super::tls::Tls;
use super::{Front, Limits, Listener, StartError, schema, secure, state};

/// News of runs that may wait for the engine.
const NEWS_LIMIT: usize = 1024;
/// The namespace of the jobs.
const MAIN: &str = "root/cimv2";
/// The PATH of every job.
const PATH: &str = "/usr/local/bin:/usr/bin:/bin";

/// A server that listens and does not serve yet.
pub struct Running {
    listener: Listener,
    broker: Arc<Broker>,
    front: Arc<Front>,
    limits: Arc<Limits>,
    engine: EngineTask,
    tls: Arc<Tls>,
    events: Events,
    store: WriterThread,
    state: PathBuf,
    announcement: Option<Announcement>,
}

/// What reads certificate and accounts anew while the server runs.
#[derive(Clone)]
pub struct Reload {
    front: Arc<Front>,
    tls: Arc<Tls>,
}

impl Reload {
    /// Reads them. What cannot be used changes nothing and is told to the log.
    pub fn run(&self) {
        self.front.reload();
        match self.tls.reload() {
            Ok(()) => self.tls.check(Utc::now()),
            Err(error) => {
                let error: &dyn std::error::Error = &error;
                tracing::error!(
                    error,
                    "the certificate was not read anew; the old one stays"
                );
            }
        }
    }
}

/// Starts a server: when this returns it listens, and what ran before is found again.
pub async fn start(settings: &Settings) -> Result<Running, StartError> {
    let state = settings.state_dir()?;
    state::prepare(&state)?;
    let limits = Arc::new(Limits::default());
    let authenticator = match settings.no_auth {
        Some(true) => Authenticator::open(),
        Some(false) | None => Authenticator::from_state(&state, limits.denied_requests)?,
    };
    // A server that nobody can reach must not start jobs: the port comes first, and whoever connects
    // meanwhile waits until what ran before is found again.
    let mut listener = Listener::bind(settings.port.unwrap_or(5988)).await?;
    let tls = secure::listen(&mut listener, settings, &state).await?;
    let statistics = Statistics::new(Utc::now());
    let (writer, store) = Writer::open(store_options(settings, &state)?).await?;
    let rights = authenticator.rights();
    let opened = open(settings, &state, &writer, &statistics, rights).await;
    let (broker, task, events) = match opened {
        Ok(opened) => opened,
        Err(error) => {
            // What is not on disk yet gets there.
            store.close().await;
            return Err(error);
        }
    };
    let agreement = match settings.strict {
        Some(true) => Agreement::Strict,
        Some(false) | None => Agreement::Tolerant,
    };
    let broker = Arc::new(broker);
    let front = Front::new(
        broker.clone(),
        authenticator,
        limits.clone(),
        agreement,
        statistics,
    )
    .with_error_instances(settings.error_instances == Some(true));
    let announcement = announce::start(settings, &listener, events.service.host())?;
    let running = Running {
        announcement,
        listener,
        broker,
        front: Arc::new(front),
        limits,
        engine: task,
        tls,
        events,
        store,
        state,
    };
    let written = state::write_private(&running.state.join("url"), running.url().as_bytes());
    let path = running.state.join("url");
    written.map_err(|source| StartError::State { path, source })?;
    Ok(running)
}

impl Running {
    /// `http://127.0.0.1:PORT`.
    pub fn url(&self) -> String {
        format!("http://{}", self.listener.address())
    }

    /// `https://127.0.0.1:PORT`, or the first address that is listened on instead.
    pub fn secure_url(&self) -> Option<String> {
        let address = self.listener.secure_address();
        address.map(|address| format!("https://{address}"))
    }

    /// What reads certificate and accounts anew.
    pub fn reload(&self) -> Reload {
        Reload {
            front: self.front.clone(),
            tls: self.tls.clone(),
        }
    }

    /// The state directory.
    pub fn state(&self) -> &Path {
        &self.state
    }

    /// Serves until `stop` says so. Jobs that run go on running.
    ///
    /// # Errors
    /// When the store is lost while serving.
    pub async fn serve(self, stop: watch::Receiver<bool>) -> Result<(), StartError> {
        let (mut engine, mut store) = (self.engine, self.store);
        let enumerations = keep_enumerations(&self.broker, stop.clone());
        let serving = self.listener.serve(self.front, self.limits, stop);
        let ended = tokio::select! {
            () = serving => engine.shutdown().await,
            lost = engine.stopped() => lost,
            lost = store.stopped() => Err(lost),
            never = watch_certificate(&self.tls) => match never {},
            never = enumerations => match never {},
        };
        if let Some(announcement) = self.announcement {
            announcement.withdraw().await;
        }
        self.events.close().await;
        store.close().await;
        Ok(ended?)
    }
}

/// Looks every day whether the certificate has expired.
async fn watch_certificate(tls: &Tls) -> Infallible {
    loop {
        tls.check(Utc::now());
        tokio::time::sleep(Duration::from_hours(24)).await;
    }
}

/// Closes enumerations that their clients have left, and all of them when the server stops.
async fn keep_enumerations(broker: &Broker, mut stop: watch::Receiver<bool>) -> Infallible {
    tokio::select! {
        never = broker.expire_enumerations() => match never {},
        _ = stop.wait_for(|stop| *stop) => {}
    }
    broker.stop_enumerations();
    std::future::pending().await
}

/// Everything over the store: whoever is told of events first, then the job engine, since what ran
/// before must be found again.
async fn open(
    settings: &Settings,
    state: &Path,
    writer: &Writer,
    statistics: &Arc<Statistics>,
    rights: Rights,
) -> Result<(Broker, EngineTask, Events), StartError> {
    let (catalogue, home, (repository, audience)) = catalogue(settings, state, writer).await?;
    let served = catalogue.clone();
    let schemas: Schemas = Arc::new(move |name| served.find(name).ok().map(|found| found.schema));
    let main = Namespace::of(MAIN);
    let places = (schemas, home.clone(), &main);
    let events = Events::open(settings, writer, places, rights).await?;
    audience.attach(events.service.clone());
    let host = jobs::Host {
        name: events.service.host().clone(),
    };
    let teller = jobs::Teller::new(events.service.clone(), host, vec![main]);
    let (engine, task) = engine(settings, state, writer, teller).await?;
    statistics.gather(builtin::gathers_statistics(writer).await?, Utc::now());
    let parts = (catalogue, home.name, repository);
    match broker(settings, parts, &engine, (statistics, writer), &events) {
        Ok(broker) => Ok((broker, task, events)),
        Err(error) => {
            // What was started meanwhile goes on.
            if let Err(error) = task.shutdown().await {
                tracing::error!(%error, "the job engine did not stop in order");
            }
            Err(error)
        }
    }
}

async fn engine(
    settings: &Settings,
    state: &Path,
    writer: &Writer,
    teller: jobs::Teller,
) -> Result<(Engine, EngineTask), StartError> {
    let own = std::env::current_exe();
    let own = own.map_err(|error| StartError::System("find this program", error))?;
    let (sender, news) = mpsc::channel(NEWS_LIMIT);
    let options = Options {
        program: executor::supervisor(own).await,
        folder: state.join("runs"),
        environment: environment(),
        output_limit_bytes: settings.output_limit_bytes.unwrap_or(10 << 20),
        cgroups: cgroups(settings)?,
        boot_id: None,
    };
    let folder = options.folder.clone();
    let executor = ProcessExecutor::new(options, sender);
    let executor = executor.map_err(|source| StartError::State {
        path: folder,
        source,
    })?;
    let mut config = EngineConfig::default();
    config.policy.zone = zone::host();
    if let Some(limit) = settings.max_running_jobs {
        config.max_running = at_least_one("max_running_jobs", limit)?;
    }
    config.hooks = Arc::new(hooks(settings)?);
    if let Some(days) = settings.finished_keep_days {
        config.policy.finished_keep = Duration::from_hours(24 * u64::from(days));
    }
    let runs = (Arc::new(executor) as Arc<dyn Runs>, news);
    Ok(Engine::open_told(config, writer.clone(), runs, teller).await?)
}

/// Where runs have cgroups of their own.
fn cgroups(settings: &Settings) -> Result<Option<Cgroups>, ConfigError> {
    let wanted = settings.cgroups.as_deref().unwrap_or("auto");
    let refused = |reason| ConfigError::Value {
        key: "cgroups",
        value: wanted.to_owned(),
        reason,
    };
    match wanted {
        "off" => Ok(None),
        "auto" => Ok(Cgroups::find(None)
            .inspect_err(|why| tracing::info!(%why, "runs have no cgroups of their own"))
            .ok()),
        folder if folder.starts_with('/') => match Cgroups::find(Some(Path::new(folder))) {
            Ok(found) => Ok(Some(found)),
            Err(why) => Err(refused(why.to_string())),
        },
        _ => Err(refused(
            "auto, off or an absolute path is expected".to_owned(),
        )),
    }
}

/// The store in the state directory.
fn store_options(settings: &Settings, state: &Path) -> Result<store::Options, ConfigError> {
    Ok(store::Options {
        keep: keep(settings),
        queue_limits: events::queue_limits(settings)?,
        ..store::Options::new(state.to_owned())
    })
}

/// Which history of runs is kept.
fn keep(settings: &Settings) -> Keep {
    let default = Keep::default();
    let days = |days: u32| Duration::from_hours(24 * u64::from(days));
    Keep {
        runs: settings.history_keep_runs.unwrap_or(default.runs),
        age: settings.history_keep_days.map_or(default.age, days),
        outlives_job: settings
            .history_outlives_job
            .unwrap_or(default.outlives_job),
    }
}

/// What enumerations may cost.
fn pull_limits(settings: &Settings) -> Result<PullLimits, ConfigError> {
    let usual = PullLimits::default();
    let one = |key, set: Option<u32>| set.map(|limit| at_least_one(key, limit)).transpose();
    let size = |limit: u32| usize::try_from(limit).unwrap_or(usize::MAX);
    let seconds = |seconds: u32| Duration::from_secs(u64::from(seconds));
    let longest = one(
        "pull_timeout_limit_seconds",
        settings.pull_timeout_limit_seconds,
    )?;
    let longest = longest.map_or(usual.longest_timeout, seconds);
    let limits = PullLimits {
        enumerations: one("open_enumerations", settings.open_enumerations)?
            .map_or(usual.enumerations, size),
        user_enumerations: one("user_open_enumerations", settings.user_open_enumerations)?
            .map_or(usual.user_enumerations, size),
        objects: one("pull_limit_objects", settings.pull_limit_objects)?.unwrap_or(usual.objects),
        timeout: one("pull_timeout_seconds", settings.pull_timeout_seconds)?
            .map_or(usual.timeout.min(longest), seconds),
        longest_timeout: longest,
        answer_time: usual.answer_time,
    };
    if limits.timeout > limits.longest_timeout {
        return Err(ConfigError::Value {
            key: "pull_timeout_seconds",
            value: limits.timeout.as_secs().to_string(),
            reason: "it is above pull_timeout_limit_seconds".to_owned(),
        });
    }
    Ok(limits)
}

/// The hooks, each of which names its program without a search.
fn hooks(settings: &Settings) -> Result<BTreeMap<String, Vec<String>>, ConfigError> {
    let hooks = settings.hooks.clone().unwrap_or_default();
    let is_absolute = |command: &[String]| command.first().is_some_and(|it| it.starts_with('/'));
    match hooks.iter().find(|(_, command)| !is_absolute(command)) {
        Some((name, command)) => Err(ConfigError::Value {
            key: "hooks",
            value: format!("{name} = {command:?}"),
            reason: "it must begin with an absolute path".to_owned(),
        }),
        None => Ok(hooks),
    }
}

fn at_least_one(key: &'static str, limit: u32) -> Result<u32, ConfigError> {
    let wrong = ConfigError::Value {
        key,
        value: limit.to_string(),
        reason: "it must be at least one".to_owned(),
    };
    Some(limit).filter(|limit| *limit > 0).ok_or(wrong)
}

/// What every job's environment begins with: nothing of the server's but who and where it is.
fn environment() -> Vec<(String, String)> {
    let inherited = ["HOME", "USER", "LOGNAME", "SHELL", "TZ"];
    let mut environment = vec![("PATH".to_owned(), PATH.to_owned())];
    for name in inherited {
        environment.extend(
            std::env::var(name)
                .ok()
                .map(|value| (name.to_owned(), value)),
        );
    }
    let language = std::env::var("LANG").unwrap_or_else(|_| "C.UTF-8".to_owned());
    environment.push(("LANG".to_owned(), language));
    environment
}

fn namespace(key: &'static str, name: &str) -> Result<Namespace, ConfigError> {
    Namespace::new(name).map_err(|error| ConfigError::Value {
        key,
        value: name.to_owned(),
        reason: error.to_string(),
    })
}

/// The namespaces with their schemas, and the one that describes the server with its further names.
async fn catalogue(
    settings: &Settings,
    state: &Path,
    writer: &Writer,
) -> Result<(Arc<Catalogue>, Home, (RepositoryProvider, Audience)), StartError> {
    let added = settings.schema.clone().unwrap_or_default();
    let name = settings.interop_namespace.as_deref().unwrap_or("interop");
    let interop = namespace("interop_namespace", name)?;
    let loaded = schema::load(&added, &state.join("schema.cache"))?;
    let mut namespaces = Namespaces::new()
        .with(Namespace::of(MAIN), loaded.main)
        .with(interop.clone(), loaded.interop);
    let aliases = settings.interop_aliases.clone();
    let aliases = aliases.unwrap_or_else(|| vec!["root/interop".to_owned()]);
    let aliases: Result<Vec<Namespace>, _> = aliases
        .iter()
        .map(|alias| namespace("interop_aliases", alias))
        .collect();
    let aliases = aliases?;
    for alias in &aliases {
        namespaces = namespaces.with_alias(alias.clone(), interop.clone());
    }
    let (namespaces, created) = schema::restore(namespaces, writer).await?;
    let (tally, audience) = (Tally::load(writer).await?, Audience::default());
    let keeper = Arc::new(schema::Keeper {
        writer: writer.clone(),
        tally: tally.clone(),
        audience: audience.clone(),
    });
    let catalogue = Catalogue::new(namespaces, &created, keeper);
    let home = Home {
        name: interop,
        aliases,
    };
    let repository =
        RepositoryProvider::new(writer.clone(), tally, audience.clone(), catalogue.clone());
    Ok((catalogue, home, (repository, audience)))
}

/// What clients are to find of the parts of the server.
fn related(
    settings: &Settings,
    identity: &builtin::Identity,
    events: &Events,
    limits: &PullLimits,
) -> Related {
    let main = Namespace::of(MAIN);
    let jobs = builtin::hosted(&main, jobs::SERVICE, (&identity.host, jobs::SERVICE_NAME));
    let indications = events.service.path();
    let seconds = limits.longest_timeout.as_secs();
    Related {
        services: indications.iter().cloned().chain([jobs.clone()]).collect(),
        capable: indications
            .iter()
            .map(|service| [service.clone(), events.service.capabilities()])
            .collect(),
        central: indications
            .into_iter()
            .map(|service| (Profile::Indications, service))
            .chain([(Profile::JobControl, jobs)])
            .collect(),
        pull_timeouts: (u32::try_from(seconds).unwrap_or(u32::MAX), 1),
        authenticates: settings.no_auth != Some(true),
        announced: settings.dns_sd == Some(true),
    }
}

fn broker(
    settings: &Settings,
    (catalogue, interop, repository): (Arc<Catalogue>, Namespace, RepositoryProvider),
    engine: &Engine,
    counted: (&Arc<Statistics>, &Writer),
    events: &Events,
) -> Result<Broker, StartError> {
    let main = Namespace::of(MAIN);
    let host: Arc<str> = engine.host().into();
    let identity = builtin::Identity {
        manager: format!("Jobwright:{host}").into(),
        host: host.clone(),
        namespaces: vec![interop.clone(), main.clone()],
        interop: interop.clone(),
    };
    let limits = pull_limits(settings)?;
    let related = related(settings, &identity, events, &limits);
    let mut registrations = builtin::registrations(&identity, related, &catalogue, counted);
    registrations.push(schema::registration(&identity, &catalogue));
    registrations.extend(indications::registrations(&events.service));
    let jobs = jobs::registrations(
        engine,
        &jobs::Host { name: host },
        std::slice::from_ref(&main),
    );
    // A job that lay in the repository would never run.
    let at_home = jobs.iter().flat_map(|jobs| jobs.classes.clone()).collect();
    registrations.extend(jobs);
    let (reserved, legacy) = builtin::everywhere(&catalogue);
    let registry = Registry::new(registrations)?
        .with_everywhere(at_home, Arc::new(Elsewhere { home: main }))
        .with_everywhere(
            indications::at_home(),
            Arc::new(Elsewhere { home: interop }),
        )
        .with_everywhere(reserved, legacy)
        .with_repository(Arc::new(repository));
    let reserved = builtin::reserved();
    let reserved = reserved.map_err(|error| StartError::Schema(error.to_string()))?;
    let broker = Broker::new(catalogue, registry, reserved);
    let broker = broker.with_observer(events.service.clone());
    Ok(broker.with_pull_limits(limits))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limits(text: &str) -> Result<PullLimits, ConfigError> {
        pull_limits(&toml::from_str(text).expect("settings"))
    }

    #[test]
    fn the_limits_of_enumerations_are_set_and_stay_sensible() {
        let usual = limits("").expect("the defaults fit together");
        let seconds =
            |limits: &PullLimits| (limits.timeout.as_secs(), limits.longest_timeout.as_secs());
        assert_eq!(seconds(&usual), (30, 600));
        let set = "open_enumerations = 9\nuser_open_enumerations = 3\npull_limit_objects = 5";
        let set = limits(set).expect("limits");
        assert_eq!(
            (set.enumerations, set.user_enumerations, set.objects),
            (9, 3, 5)
        );
        let short = limits("pull_timeout_limit_seconds = 7").expect("limits");
        assert_eq!(
            seconds(&short),
            (7, 7),
            "the usual time is not longer than the longest"
        );
        let both = limits("pull_timeout_limit_seconds = 7\npull_timeout_seconds = 2");
        assert_eq!(seconds(&both.expect("limits")), (2, 7));
        for wrong in [
            "open_enumerations = 0",
            "user_open_enumerations = 0",
            "pull_limit_objects = 0",
            "pull_timeout_seconds = 0",
            "pull_timeout_limit_seconds = 0",
            "pull_timeout_limit_seconds = 7\npull_timeout_seconds = 8",
        ] {
            assert!(
                matches!(limits(wrong), Err(ConfigError::Value { .. })),
                "{wrong}"
            );
        }
    }
}
