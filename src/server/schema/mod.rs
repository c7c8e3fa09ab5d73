//! The schema that the server starts with: the embedded MOF, and over it what the administrator adds.

mod check;
mod instances;
mod judge;
mod keep;
mod load;
mod scene;
mod service;
mod snapshot;
mod sources;
mod texts;

pub use check::check;
pub use judge::{Finding, Ground, judge};
pub(super) use keep::{Keeper, restore};
pub(super) use load::load;
pub(super) use service::registration;
pub use sources::compiled;
pub use texts::{Text, texts};
