//! The configuration: a file, the environment and flags, each overriding the one before.

#![expect(
    clippy::disallowed_methods,
    reason = "configuration is read from files and environment"
)]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use thiserror::Error;

/// The file that is read when none is named and it is there.
pub const DEFAULT_FILE: &str = "/etc/jobwright/jobwright.toml";

/// A configuration key, for the documentation: the README repeats this table.
#[derive(Debug, Clone, Copy)]
pub struct Key {
    /// The key in the file; in the environment it is `JOBWRIGHT_` and the name in capitals.
    pub name: &'static str,
    /// What holds when it is not set.
    pub default: &'static str,
    /// What it means.
    pub meaning: &'static str,
}

macro_rules! keys {
    ($($(#[doc = $meaning:literal])* $field:ident: $ty:ty, $default:literal;)*) => {
        /// Every configuration key.
        pub const KEYS: &[Key] = &[$(Key {
            name: stringify!($field),
            default: $default,
            meaning: concat!($($meaning),*),
        },)*];

        /// What was set, in one of the places where keys can be set.
        #[derive(Debug, Clone, Default, PartialEq, Deserialize)]
        #[serde(deny_unknown_fields, default)]
        pub struct Settings { $($(#[doc = $meaning])* pub $field: Option<$ty>,)* }

        impl Settings {
            /// These settings, and those of `under` where these set nothing.
            #[must_use]
            pub fn over(self, under: Self) -> Self {
                Self { $($field: self.$field.or(under.$field),)* }
            }

            /// What the environment sets.
            fn from_environment(read: impl Fn(&str) -> Option<String>) -> Result<Self, ConfigError> {
                Ok(Self { $($field: variable::<$ty>(stringify!($field), &read)?,)* })
            }
        }
    };
}

keys! {
    /// Port for HTTP; 0 picks a free one.
    port: u16, "5988";
    /// Port for HTTPS; 0 picks a free one.
    https_port: u16, "one above `port`";
    /// Addresses beside loopback to listen on, for HTTPS alone; 0.0.0.0 or :: are all of the machine's.
    listen: Vec<String>, "none";
    /// The server's certificate in PEM, with those that lead to its authority.
    certificate: PathBuf, "a self-signed one, tls.crt in the state directory";
    /// The certificate's private key in PEM, readable by its owner alone.
    key: PathBuf, "tls.key in the state directory";
    /// Folder for all state.
    state_dir: PathBuf, "/var/lib/jobwright for root, else $XDG_STATE_HOME/jobwright";
    /// MOF files, folders or zip archives to add to the schema.
    schema: Vec<PathBuf>, "none";
    /// Whether nobody is asked for a password, everybody may read and nobody do anything else.
    no_auth: bool, "false";
    /// Jobs that run at a time, until a client changes it.
    max_running_jobs: u32, "two for each processor";
    /// Days that finished jobs stay that nobody deletes.
    finished_keep_days: u32, "30";
    /// Ended runs kept of each job, with their output.
    history_keep_runs: u32, "100";
    /// Days that ended runs are kept; the newest run of a job is kept as long as the job.
    history_keep_days: u32, "30";
    /// Whether runs are kept when their job is removed.
    history_outlives_job: bool, "false";
    /// Bytes kept of each output of a run.
    output_limit_bytes: u64, "10485760";
    /// Where each run has a cgroup of its own: `auto` below the server's where it can be, else nowhere; `off`; or a folder of the cgroup2 file system.
    cgroups: String, "auto";
    /// Pulled enumerations that clients may hold open at a time.
    open_enumerations: u32, "1000";
    /// The same for one user.
    user_open_enumerations: u32, "200";
    /// Objects in one answer of a pulled enumeration, however many the client would take.
    pull_limit_objects: u32, "10000";
    /// Seconds that an enumeration stays open between two pulls when its client names no time.
    pull_timeout_seconds: u32, "30";
    /// The longest time that a client may name for it.
    pull_timeout_limit_seconds: u32, "600";
    /// What `RecoveryAction` 1 runs: a name each, with an argument vector that begins with an absolute path.
    hooks: BTreeMap<String, Vec<String>>, "none";
    /// The namespace that describes the server.
    interop_namespace: String, "interop";
    /// Further names of that namespace.
    interop_aliases: Vec<String>, "root/interop";
    /// Whether the server is announced by DNS-SD, on loopback and on the networks of `listen`.
    dns_sd: bool, "false";
    /// Where indications may be sent: addresses, networks such as 10.0.0.0/8, or host names, with or without a port.
    indication_destinations: Vec<String>, "127.0.0.0/8 and ::1";
    /// Certificates in PEM that alone vouch for destinations under https.
    indication_ca_file: PathBuf, "those that the machine trusts";
    /// Indications that may wait for one destination before the oldest are dropped.
    indication_queue_limit: u64, "100000";
    /// Whether requests are refused that existing clients send and the standard does not allow.
    strict: bool, "false";
    /// Whether `ERROR` holds a CIM_Error too, which wbemcli and the SBLIM C library cannot read.
    error_instances: bool, "false";
    /// What is logged: error, warn, info, debug or trace.
    log_level: String, "info";
}

/// Why a configuration cannot be used.
#[derive(Debug, Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("the file {file}")]
    Read {
        /// The file.
        file: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The file is not valid, or has a key that does not exist.
    #[error("the file {file}")]
    Syntax {
        /// The file.
        file: PathBuf,
        /// Where and what.
        #[source]
        source: Box<toml::de::Error>,
    },
    /// A variable of the environment has no usable value.
    #[error("the variable {name} has the value \"{value}\"")]
    Variable {
        /// The variable.
        name: String,
        /// Its value.
        value: String,
    },
    /// A key has a value that cannot be used.
    #[error("{key} cannot be \"{value}\": {reason}")]
    Value {
        /// The key.
        key: &'static str,
        /// Its value.
        value: String,
        /// Why.
        reason: String,
    },
    /// There is no place for state.
    #[error("neither XDG_STATE_HOME nor HOME is set; give --state-dir")]
    NoStateDir,
}

/// A value as the environment writes it.
trait FromVariable: Sized {
    fn from_variable(text: &str) -> Option<Self>;
}
macro_rules! parsed {
    ($($ty:ty)*) => { $(impl FromVariable for $ty {
        fn from_variable(text: &str) -> Option<Self> { text.parse().ok() }
    })* };
}
parsed!(u16 u32 u64 bool String PathBuf);
/// Lists are separated by commas.
impl<T: FromVariable> FromVariable for Vec<T> {
    fn from_variable(text: &str) -> Option<Self> {
        text.split(',')
            .map(|entry| T::from_variable(entry.trim()))
            .collect()
    }
}

/// Hooks are written as in the file, an inline table: `{name = ["/program", "argument"]}`.
impl FromVariable for BTreeMap<String, Vec<String>> {
    fn from_variable(text: &str) -> Option<Self> {
        let settings: Settings = toml::from_str(&format!("hooks = {text}")).ok()?;
        settings.hooks
    }
}

fn variable<T: FromVariable>(
    key: &str,
    read: &impl Fn(&str) -> Option<String>,
) -> Result<Option<T>, ConfigError> {
    let name = format!("JOBWRIGHT_{}", key.to_uppercase());
    let Some(value) = read(&name) else {
        return Ok(None);
    };
    match T::from_variable(&value) {
        Some(parsed) => Ok(Some(parsed)),
        None => Err(ConfigError::Variable { name, value }),
    }
}

impl Settings {
    /// The settings of the file `named`, or of the default file if it is there; over them those of
    /// the environment; over them `flags`.
    pub fn load(named: Option<&Path>, flags: Self) -> Result<Self, ConfigError> {
        let file = match named {
            Some(file) => Self::from_file(file)?,
            None if Path::new(DEFAULT_FILE).exists() => Self::from_file(Path::new(DEFAULT_FILE))?,
            None => Self::default(),
        };
        let environment = Self::from_environment(|name| std::env::var(name).ok())?;
        Ok(flags.over(environment).over(file))
    }

    fn from_file(file: &Path) -> Result<Self, ConfigError> {
        let read = |source| ConfigError::Read {
            file: file.to_owned(),
            source,
        };
        let text = std::fs::read_to_string(file).map_err(read)?;
        toml::from_str(&text).map_err(|error| ConfigError::Syntax {
            file: file.to_owned(),
            source: Box::new(error),
        })
    }

    /// The folder for all state.
    pub fn state_dir(&self) -> Result<PathBuf, ConfigError> {
        self.state_dir.clone().map_or_else(default_state_dir, Ok)
    }
}

/// `/var/lib/jobwright` for root, else `$XDG_STATE_HOME/jobwright`, else `~/.local/state/jobwright`.
pub fn default_state_dir() -> Result<PathBuf, ConfigError> {
    if rustix::process::geteuid().is_root() {
        return Ok(PathBuf::from("/var/lib/jobwright"));
    }
    let folder = |name| {
        std::env::var_os(name)
            .map(PathBuf::from)
            .filter(|path| path.is_absolute())
    };
    let state =
        folder("XDG_STATE_HOME").or_else(|| folder("HOME").map(|home| home.join(".local/state")));
    state
        .map(|state| state.join("jobwright"))
        .ok_or(ConfigError::NoStateDir)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn later_places_override_earlier_ones() {
        let file: Settings = toml::from_str("port = 1\nstrict = true").expect("a file");
        let environment = Settings::from_environment(|name| match name {
            "JOBWRIGHT_PORT" => Some("2".to_owned()),
            "JOBWRIGHT_SCHEMA" => Some("/a, /b".to_owned()),
            _ => None,
        });
        let settings = Settings::default()
            .over(environment.expect("good variables"))
            .over(file);
        assert_eq!((settings.port, settings.strict), (Some(2), Some(true)));
        assert_eq!(settings.schema, Some(vec!["/a".into(), "/b".into()]));
    }

    #[test]
    fn hooks_are_a_table_in_the_file_and_in_the_environment() {
        let expected = BTreeMap::from([("page".to_owned(), vec!["/bin/page".to_owned()])]);
        let file: Settings = toml::from_str("[hooks]\npage = [\"/bin/page\"]").expect("a file");
        assert_eq!(file.hooks.as_ref(), Some(&expected));
        let read = |text: &'static str| {
            let read = move |name: &str| (name == "JOBWRIGHT_HOOKS").then(|| text.to_owned());
            Settings::from_environment(read)
        };
        let environment = read("{page = [\"/bin/page\"]}").expect("a variable");
        assert_eq!(environment.hooks, Some(expected));
        assert!(read("page").is_err());
        assert!(read("{}\nport = 1").is_ok_and(|read| read.port.is_none()));
    }

    #[test]
    fn unknown_keys_and_wrong_values_are_refused() {
        assert!(toml::from_str::<Settings>("prot = 1").is_err());
        assert!(toml::from_str::<Settings>("port = 70000").is_err());
        let wrong = Settings::from_environment(|name| {
            (name == "JOBWRIGHT_PORT").then(|| "many".to_owned())
        });
        assert!(matches!(wrong, Err(ConfigError::Variable { .. })));
    }
}
