//! The account file: a line `NAME:ROLE:HASH` for each account, mode 0600.

#![expect(clippy::disallowed_methods, reason = "accounts are kept in a file")]

use std::collections::HashMap;
use std::fs;
use std::io;
use std::path::Path;

use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use argon2::{Algorithm, Argon2, Params, Version};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use zeroize::Zeroizing;

use crate::provider::Role;

use super::super::StartError;
use super::super::state::{private, write_private};

/// The account file in the state directory.
pub(super) const FILE: &str = "passwd";
/// Where the first start leaves the administrator's password.
pub const PASSWORD_FILE: &str = "admin-password";
/// The account that the first start makes.
pub const ADMIN: &str = "admin";
/// Random bytes of a generated password.
const PASSWORD_BYTES: usize = 24;

/// An account.
#[derive(Debug, Clone)]
pub struct Account {
    /// The user's name.
    pub name: String,
    /// What the user may do.
    pub role: Role,
    /// The password's hash, as a PHC string.
    pub(super) hash: String,
}

/// All accounts.
#[derive(Debug)]
pub struct Accounts {
    by_name: HashMap<String, Account>,
    /// A hash that nobody has: it is checked for users that are not there.
    nobody: String,
}

/// argon2id with 19 MiB, two passes, one lane.
fn hasher() -> Argon2<'static> {
    let params = Params::new(19 * 1024, 2, 1, None).expect("these parameters are within bounds");
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
}

pub(super) fn hash(password: &[u8]) -> io::Result<String> {
    let hashed: Result<PasswordHash, _> = hasher().hash_password(password);
    hashed
        .map(|hash| hash.to_string())
        .map_err(|error| io::Error::other(error.to_string()))
}

/// The role of that name in the account file.
pub(super) fn role(word: &str) -> Option<Role> {
    match word {
        "reader" => Some(Role::Reader),
        "submitter" => Some(Role::Submitter),
        "admin" => Some(Role::Administrator),
        _ => None,
    }
}

impl Accounts {
    /// The accounts of the state directory; at the first start `admin` is made.
    pub(super) fn open(state: &Path) -> Result<Self, StartError> {
        let path = state.join(FILE);
        let failed = |source| StartError::State {
            path: path.clone(),
            source,
        };
        if !path.exists() {
            let password = password().map_err(failed)?;
            let line = format!(
                "{ADMIN}:admin:{}\n",
                hash(password.as_bytes()).map_err(failed)?
            );
            // The password first: an account whose password nobody knows would be no use.
            let text = Zeroizing::new(format!("{}\n", &*password));
            write_private(&state.join(PASSWORD_FILE), text.as_bytes()).map_err(failed)?;
            write_private(&path, line.as_bytes()).map_err(failed)?;
        }
        if state.join(PASSWORD_FILE).exists() {
            private(&state.join(PASSWORD_FILE))?;
        }
        let by_name = read(&path)?;
        let nobody = password()
            .and_then(|password| hash(password.as_bytes()))
            .map_err(failed)?;
        Ok(Self { by_name, nobody })
    }

    /// The accounts of the state directory as they are now.
    pub(super) fn again(&self, state: &Path) -> Result<Self, StartError> {
        Ok(Self {
            by_name: read(&state.join(FILE))?,
            nobody: self.nobody.clone(),
        })
    }

    /// The account of that name.
    pub fn get(&self, name: &str) -> Option<&Account> {
        self.by_name.get(name)
    }

    /// Whether `password` is that of `user`. It takes as long when there is no such user.
    pub(super) fn verify(&self, user: &str, password: &[u8]) -> bool {
        let account = self.by_name.get(user);
        let hash = account.map_or(&self.nobody, |account| &account.hash);
        let parsed = PasswordHash::new(hash);
        let good = parsed.is_ok_and(|hash| hasher().verify_password(password, &hash).is_ok());
        good && account.is_some()
    }
}

fn read(path: &Path) -> Result<HashMap<String, Account>, StartError> {
    private(path)?;
    let text = fs::read_to_string(path).map_err(|source| StartError::State {
        path: path.to_owned(),
        source,
    })?;
    parse(&text).map_err(|line| StartError::Account {
        path: path.to_owned(),
        line,
    })
}

/// Empty lines and lines that begin with `#` are passed over. The error is the number of a line.
pub(super) fn parse(text: &str) -> Result<HashMap<String, Account>, usize> {
    let mut by_name = HashMap::new();
    for (number, line) in text.lines().enumerate() {
        if line.trim().is_empty() || line.starts_with('#') {
            continue;
        }
        let account = account(line).ok_or(number + 1)?;
        by_name.insert(account.name.clone(), account);
    }
    Ok(by_name)
}

fn account(line: &str) -> Option<Account> {
    let mut fields = line.trim().splitn(3, ':');
    let (name, word, hash) = (fields.next()?, fields.next()?, fields.next()?);
    PasswordHash::new(hash).ok()?;
    let name = Some(name).filter(|name| !name.is_empty())?;
    Some(Account {
        name: name.to_owned(),
        role: role(word)?,
        hash: hash.to_owned(),
    })
}

fn password() -> io::Result<Zeroizing<String>> {
    let mut bytes = Zeroizing::new([0; PASSWORD_BYTES]);
    getrandom::fill(&mut *bytes).map_err(|error| io::Error::other(error.to_string()))?;
    Ok(Zeroizing::new(URL_SAFE_NO_PAD.encode(*bytes)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn the_first_start_makes_the_administrator() {
        let state = tempfile::tempdir().expect("a folder");
        let accounts = Accounts::open(state.path()).expect("a new account file");
        let password = fs::read_to_string(state.path().join(PASSWORD_FILE)).expect("the password");
        assert!(password.trim().len() >= 24, "a generated password is long");
        assert!(accounts.verify(ADMIN, password.trim().as_bytes()));
        assert!(!accounts.verify(ADMIN, b"wrong"));
        assert!(!accounts.verify("nobody", password.trim().as_bytes()));
        for file in [FILE, PASSWORD_FILE] {
            let found = fs::metadata(state.path().join(file)).expect("the file");
            assert_eq!(found.permissions().mode() & 0o777, 0o600, "{file}");
        }
        let again = Accounts::open(state.path()).expect("the same file");
        assert!(
            again.verify(ADMIN, password.trim().as_bytes()),
            "a second start changes nothing"
        );
    }

    #[test]
    fn a_file_open_to_others_stops_the_start() {
        let state = tempfile::tempdir().expect("a folder");
        drop(Accounts::open(state.path()).expect("a new account file"));
        let path = state.path().join(FILE);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).expect("own file");
        assert!(matches!(
            Accounts::open(state.path()),
            Err(StartError::Exposed { .. })
        ));
    }

    #[test]
    fn a_malformed_line_is_named() {
        for bad in [
            "admin",
            "admin:admin",
            "admin:king:x",
            "admin:admin:plain",
            ":admin:x",
        ] {
            assert!(matches!(parse(&format!("# a\n{bad}")), Err(2)), "{bad:?}");
        }
    }
}
