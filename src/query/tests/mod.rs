//! Queries as tables: what is selected, what is refused and where, what every language agrees on.

mod corpus;
mod errors;
mod printing;
mod samples;
