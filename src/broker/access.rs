//! Who may do what: the one line of policy in front of every operation.
//!
//! Which jobs a principal sees is the provider's concern; foreign ones are not there for it.

use crate::model::{CimError, Result};
use crate::ops::Access;
use crate::provider::{Principal, Role};

/// Refuses what the role of `principal` does not cover; what is not listed is denied.
pub(super) fn permit(principal: &Principal, access: Access) -> Result<()> {
    let permitted = match (principal.role(), access) {
        (Role::Administrator, _)
        | (_, Access::ReadSchema | Access::ReadInstance)
        | (Role::Submitter, Access::WriteInstance | Access::Invoke) => true,
        (Role::Submitter, Access::WriteSchema)
        | (Role::Reader, Access::WriteInstance | Access::Invoke | Access::WriteSchema) => false,
    };
    if permitted {
        return Ok(());
    }
    let what = match access {
        Access::ReadSchema | Access::ReadInstance => "read",
        Access::WriteInstance => "change instances",
        Access::Invoke => "call methods",
        Access::WriteSchema => "change classes",
    };
    Err(CimError::access_denied(format!(
        "{} may not {what}",
        principal.name()
    )))
}
