//! Who asks: Basic authentication against the server's own accounts, for every request anew.
//!
//! This is the only place that makes a principal.

mod accounts;
mod cache;
mod edit;
mod rate;
mod throttle;
mod watch;

pub use accounts::{Account, Accounts};
pub use edit::{AccountError, AccountFile};

use std::net::{IpAddr, SocketAddr};
use std::path::Path;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hyper::header::{AUTHORIZATION, HeaderMap};
use tokio::sync::Semaphore;
use zeroize::Zeroizing;

use crate::indications::Rights;
use crate::provider::{Principal, Role};

use super::StartError;

/// Longest user name, in bytes.
const USER_LIMIT_BYTES: usize = 256;
/// Longest password, in bytes.
const PASSWORD_LIMIT_BYTES: usize = 1024;
/// Longest `Authorization`, in bytes: both, in base64, with the word in front.
const HEADER_LIMIT_BYTES: usize = 2048;
/// Passwords checked at a time: each takes 19 MiB and a while of processor time.
const CHECKS: usize = 2;

/// The header that asks for credentials.
pub const CHALLENGE: &str = "Basic realm=\"Jobwright\", charset=\"UTF-8\"";

/// Why a request is not answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Denied {
    /// Its credentials were missing or wrong.
    Unknown,
    /// Its address has sent too many such requests in this second.
    TooOften,
}

/// Decides who asks.
pub struct Authenticator {
    /// `None` where nobody is asked.
    accounts: Option<Arc<watch::Watched>>,
    uid: u32,
    cache: cache::Cache,
    rate: rate::Rate,
    throttle: throttle::Throttle,
    checks: Arc<Semaphore>,
}

/// What `Authorization` says.
struct Basic {
    user: String,
    password: Zeroizing<Vec<u8>>,
}

impl Authenticator {
    /// Asks nobody; everybody is a reader.
    pub fn open() -> Self {
        Self::of(None, 0)
    }

    fn of(accounts: Option<Arc<watch::Watched>>, denied_requests: u32) -> Self {
        Self {
            accounts,
            uid: rustix::process::getuid().as_raw(),
            cache: cache::Cache::new(),
            rate: rate::Rate::new(denied_requests),
            throttle: throttle::Throttle::default(),
            checks: Arc::new(Semaphore::new(CHECKS)),
        }
    }

    /// The accounts in `STATE/passwd`; at the first start one is made, `admin`, whose password is
    /// in `STATE/admin-password`. A file that changes is read again. An address may be refused
    /// `denied_requests` times a second.
    pub fn from_state(state: &Path, denied_requests: u32) -> Result<Self, StartError> {
        let accounts = watch::Watched::open(state)?;
        Ok(Self::of(Some(Arc::new(accounts)), denied_requests))
    }

    /// Whether an account is an administrator's at the moment of the question; where nobody is asked,
    /// everybody may see everything.
    pub fn rights(&self) -> Rights {
        let accounts = self.accounts.clone();
        Arc::new(move |name| {
            let Some(accounts) = &accounts else {
                return true;
            };
            let current = accounts.current();
            let account = current.get(name);
            account.is_some_and(|account| account.role == Role::Administrator)
        })
    }

    /// Reads the accounts anew.
    pub fn reload(&self) {
        if let Some(accounts) = &self.accounts {
            accounts.read();
        }
    }

    /// Who sent a request with these headers from `peer`.
    pub async fn authenticate(
        &self,
        peer: SocketAddr,
        headers: &HeaderMap,
    ) -> Result<Principal, Denied> {
        let Some(accounts) = &self.accounts else {
            return Ok(Principal::authenticated(
                "anonymous",
                self.uid,
                Role::Reader,
            ));
        };
        let accounts = accounts.current();
        let mut given = headers.get_all(AUTHORIZATION).iter();
        let basic = match (given.next(), given.next()) {
            (Some(value), None) => basic(value.as_bytes()),
            (None, _) | (Some(_), Some(_)) => None,
        };
        if let Some(basic) = &basic
            && let Some(account) = accounts.get(&basic.user)
            && self.cache.knows(account, &basic.password)
        {
            return Ok(self.principal(account));
        }
        if self.rate.is_used_up(peer.ip()) {
            return Err(Denied::TooOften);
        }
        let checked = match basic {
            Some(basic) => self.check(peer.ip(), &accounts, basic).await,
            None => Err(Denied::Unknown),
        };
        checked.inspect_err(|_| self.rate.count(peer.ip()))
    }

    fn principal(&self, account: &Account) -> Principal {
        Principal::authenticated(&account.name, self.uid, account.role)
    }

    /// Checks a password that was not checked lately. An unknown user costs the same time.
    async fn check(
        &self,
        peer: IpAddr,
        accounts: &Arc<Accounts>,
        basic: Basic,
    ) -> Result<Principal, Denied> {
        tokio::time::sleep(self.throttle.delay(peer, &basic.user)).await;
        let permit = self
            .checks
            .clone()
            .acquire_owned()
            .await
            .map_err(|_| Denied::Unknown)?;
        let Basic { user, password } = basic;
        let (held, name) = (accounts.clone(), user.clone());
        let checked = tokio::task::spawn_blocking(move || {
            let good = held.verify(&name, &password);
            drop(permit);
            (good, password)
        });
        let (good, password) = checked.await.map_err(|_| Denied::Unknown)?;
        if let Some(account) = accounts.get(&user).filter(|_| good) {
            self.throttle.forgive(peer, &user);
            self.cache.remember(account, &password);
            Ok(self.principal(account))
        } else {
            self.throttle.count(peer, &user);
            tracing::warn!(target: "audit", %peer, user = ?user, "log-in refused");
            Err(Denied::Unknown)
        }
    }
}

fn basic(header: &[u8]) -> Option<Basic> {
    if header.len() > HEADER_LIMIT_BYTES {
        return None;
    }
    let (scheme, encoded) = header.split_at_checked(6)?;
    if !scheme.eq_ignore_ascii_case(b"basic ") {
        return None;
    }
    let decoded = Zeroizing::new(STANDARD.decode(encoded.trim_ascii()).ok()?);
    let colon = decoded.iter().position(|byte| *byte == b':')?;
    let (user, password) = (decoded.get(..colon)?, decoded.get(colon + 1..)?);
    if user.is_empty() || user.len() > USER_LIMIT_BYTES || password.len() > PASSWORD_LIMIT_BYTES {
        return None;
    }
    let user = std::str::from_utf8(user).ok()?.to_owned();
    Some(Basic {
        user,
        password: Zeroizing::new(password.to_vec()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_well_formed_basic_credentials_are_read() {
        let read = |header: &str| basic(header.as_bytes()).map(|b| (b.user, b.password.to_vec()));
        let encoded = |pair: &str| format!("Basic {}", STANDARD.encode(pair));
        assert_eq!(read(&encoded("a:b:c")), Some(("a".into(), b"b:c".to_vec())));
        assert_eq!(read("basic YTo="), Some(("a".into(), Vec::new())));
        for bad in [
            "",
            "Basic",
            "Bearer YTpi",
            "Basic !!",
            &encoded("nocolon"),
            &encoded(":p"),
        ] {
            assert_eq!(read(bad), None, "{bad:?} was read");
        }
        let long = |user: usize, password: usize| {
            read(&encoded(&format!(
                "{}:{}",
                "u".repeat(user),
                "p".repeat(password)
            )))
            .is_some()
        };
        assert!(long(256, 1024));
        assert!(!long(257, 1) && !long(1, 1025));
    }
}
