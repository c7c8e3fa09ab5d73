//! The schema: declarations become checked classes, and what clients write becomes instances.

mod snapshot;

pub use snapshot::Schema;
