//! Executors: one file for each kind of thing that runs jobs; what supervisor and server share.

mod attached;
pub mod cgroup;
pub mod cgroups;
pub mod identity;
pub(crate) mod layout;
pub mod leftovers;
pub mod log;
pub mod message;
mod process;
pub mod processes;
mod program;

pub use layout::Layout;
pub use process::{Options, ProcessExecutor};
pub use program::supervisor;
