//! The decisions of indication delivery: what is sent when, what is given up, what is repeated.
//!
//! It knows no socket, no store and no clock: it takes what happened with the time of the boot clock
//! and gives what is to be done.

mod delivery;
mod fault;
mod repeat;

pub use delivery::{Action, Delivery, Event, Policy};
pub use fault::{FaultPolicy, Judgement, Removal, RemovalAction};
pub use repeat::{EVENT_LIMIT, Repeat, RepeatPolicy, Step};
