//! Who asks, where, when and under which schema: one value for the whole of a request.

use std::sync::Arc;
use std::time::Instant;

use chrono::{DateTime, Utc};

use crate::model::{CimError, Namespace, Result};
use crate::schema::Schema;

/// What a principal may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Role {
    /// Reads everything, changes nothing, runs nothing.
    Reader,
    /// Submits jobs and sees and manages its own.
    Submitter,
    /// Does everything.
    Administrator,
}

/// Somebody whose identity was established. Only the authenticator makes one.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Principal {
    name: Arc<str>,
    uid: u32,
    role: Role,
}

impl Principal {
    /// The identity that the authenticator established. Nothing else may call this.
    pub(crate) fn authenticated(name: &str, uid: u32, role: Role) -> Self {
        Self {
            name: name.into(),
            uid,
            role,
        }
    }
    /// The user's name.
    pub fn name(&self) -> &str {
        &self.name
    }
    /// The numeric user that the principal's jobs belong to.
    pub fn uid(&self) -> u32 {
        self.uid
    }
    /// What the principal may do.
    pub fn role(&self) -> Role {
        self.role
    }
}

impl Context {
    /// That the principal may change what belongs to nobody in particular.
    ///
    /// # Errors
    /// `ACCESS_DENIED` for anybody but an administrator.
    pub fn only_administrators(&self) -> Result<()> {
        match self.principal.role() {
            Role::Administrator => Ok(()),
            Role::Reader | Role::Submitter => Err(CimError::access_denied(format!(
                "{} is no administrator",
                self.principal.name()
            ))),
        }
    }
}

/// The circumstances of one request, decided once at its start.
#[derive(Debug, Clone)]
pub struct Context {
    /// Who asks.
    pub principal: Principal,
    /// The namespace asked in, in its canonical spelling.
    pub namespace: Namespace,
    /// The schema of that namespace when the request began.
    pub schema: Arc<Schema>,
    /// The wall clock when the request began.
    pub now: DateTime<Utc>,
    /// When the request must be over.
    pub deadline: Instant,
}
