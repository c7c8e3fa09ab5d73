//! The schema that the server starts with: the embedded MOF, and over it what the administrator adds.

mod load;
mod sources;

pub(super) use load::load;
