//! Destinations: where indications may go, and how each kind of destination is spoken to.

mod allow;
mod target;

pub use allow::{AllowList, Denial, RuleError};
pub use target::{Target, TargetError};
