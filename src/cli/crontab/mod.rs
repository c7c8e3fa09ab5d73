//! Crontabs read as jobs: each line becomes a job with calendars, or is refused with its place.
//!
//! The syntax is that of the cron that Vixie wrote, with `CRON_TZ`. What a calendar cannot say
//! exactly is refused; nothing is rounded.

mod field;
mod line;
mod plan;

pub use line::{Entry, Fault, Form, read};
pub use plan::Calendar;
